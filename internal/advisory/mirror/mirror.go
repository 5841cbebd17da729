// Package mirror gets databases from plain web servers: a directory with
// manifest.json and the files of shards, as the builder writes it. Several
// mirrors are asked in their order. It is not for the raw feeds.
package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/advisory/download"
	"github.com/portcullis-ci/portcullis/internal/advisory/store"
	"github.com/portcullis-ci/portcullis/internal/atomicfile"
)

// maxManifest bounds a manifest, in bytes; real ones have some 30 KB.
const maxManifest = 16 << 20

// Mirrors is an ordered list of addresses of one database.
type Mirrors struct {
	Client *download.Client
	// URLs are the addresses of directories, best first.
	URLs []string
	// Report is told of every mirror that failed while another was left; nil
	// for nobody.
	Report func(url string, err error)
}

// Result is what Pull came to.
type Result struct {
	// URL is the mirror that had the manifest.
	URL      string
	Manifest advisory.Manifest
	// Changed is false when the database that was there is as new.
	Changed bool
}

// Pull installs the database of the first mirror that answers with a valid
// manifest, with the shards that want accepts (nil for all). Shards that this
// mirror fails to deliver are asked of the others. A database that is there
// and newer than a mirror's stays. The error names what each mirror said.
func (m Mirrors) Pull(ctx context.Context, dir string, want func(advisory.Shard) bool) (Result, error) {
	if len(m.URLs) == 0 {
		return Result{}, errors.New("pull database: no mirror given")
	}
	var errs []error
	for i, base := range m.URLs {
		r, err := m.pullFrom(ctx, i, dir, want)
		if err == nil {
			return r, nil
		}
		if ctx.Err() != nil {
			return Result{}, ctx.Err()
		}
		if m.Report != nil {
			m.Report(download.Redact(base), err)
		}
		errs = append(errs, err)
	}
	return Result{}, fmt.Errorf("pull database: %w", errors.Join(errs...))
}

func (m Mirrors) pullFrom(ctx context.Context, first int, dir string, want func(advisory.Shard) bool) (Result, error) {
	base := m.URLs[first]
	address := join(base, advisory.ManifestName)
	old, oldErr := advisory.Open(dir)
	known := ""
	if oldErr == nil {
		known = readNote(dir).etagOf(address, old.Digest())
	}
	page, err := m.Client.BytesUnless(ctx, address, known, maxManifest)
	if err != nil {
		return Result{}, err
	}
	r := Result{URL: download.Redact(base)}
	data := page.Body
	if page.Unchanged {
		// Shards may be lacking all the same.
		if data, err = os.ReadFile(filepath.Join(dir, advisory.ManifestName)); err != nil {
			return Result{}, err
		}
	}
	if r.Manifest, err = advisory.DecodeManifest(data); err != nil {
		return Result{}, fmt.Errorf("%s: %w", download.Redact(base), err)
	}
	r.Changed = true
	if oldErr == nil {
		if old.Manifest().Built.After(r.Manifest.Built) {
			return Result{URL: r.URL, Manifest: old.Manifest()}, nil
		}
		r.Changed = old.Digest() != advisory.Digest(data)
	}
	_, err = store.Install(ctx, dir, data, want, func(ctx context.Context, s advisory.Shard) ([]byte, error) {
		return m.shardFrom(ctx, first, s)
	})
	if err != nil || page.Unchanged {
		return r, err
	}
	return r, note{Address: address, ETag: page.ETag, Digest: advisory.Digest(data)}.write(dir)
}

// note is kept beside a database: which version of a mirror's manifest it is.
type note struct {
	// Address is hashed: it may hold credentials.
	Address string `json:"address"`
	ETag    string `json:"etag"`
	Digest  string `json:"digest"`
}

const noteName = "mirror.json"

func readNote(dir string) note {
	var n note
	data, err := os.ReadFile(filepath.Join(dir, noteName))
	if err != nil || json.Unmarshal(data, &n) != nil {
		return note{}
	}
	return n
}

// etagOf returns the tag under which the address had the manifest with the
// digest; empty when that is not known.
func (n note) etagOf(address, digest string) string {
	if n.Address != advisory.Digest([]byte(address)) || n.Digest != digest {
		return ""
	}
	return n.ETag
}

func (n note) write(dir string) error {
	n.Address = advisory.Digest([]byte(n.Address))
	data, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(filepath.Join(dir, noteName), append(data, '\n'))
}

// Shard asks the mirrors for one shard in their order; it is a store.Fetch. What
// is not the shard that the manifest describes counts as a failure of a mirror.
func (m Mirrors) Shard(ctx context.Context, s advisory.Shard) ([]byte, error) {
	return m.shardFrom(ctx, 0, s)
}

// shardFrom is Shard beginning with the given mirror.
func (m Mirrors) shardFrom(ctx context.Context, first int, s advisory.Shard) ([]byte, error) {
	var errs []error
	for i := range m.URLs {
		base := m.URLs[(first+i)%len(m.URLs)]
		data, err := m.Client.Bytes(ctx, join(base, s.File), s.Size)
		if err == nil {
			err = s.Check(data)
		}
		if err == nil {
			return data, nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", download.Redact(base), err))
	}
	return nil, errors.Join(errs...)
}

func join(base, file string) string { return strings.TrimSuffix(base, "/") + "/" + file }
