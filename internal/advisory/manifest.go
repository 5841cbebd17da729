package advisory

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"
)

// Schema is the version of the database format that this program writes and
// the newest that it reads. A change that older programs would misread raises
// it.
const Schema = 1

// ManifestName is the name of the manifest within a database.
const ManifestName = "manifest.json"

// manifestKind tells a manifest from any other JSON file.
const manifestKind = "portcullis-advisory-database"

const (
	maxManifestSize = 16 << 20
	// maxShardSize bounds a compressed shard and maxShardData what it inflates
	// to. The largest shards made of the full OSV export stay far below.
	maxShardSize = 256 << 20
	maxShardData = 1 << 30
)

// ShardKind is the sort of data in a shard.
type ShardKind string

// The kinds of shards.
const (
	// ShardAdvisories holds the advisories of an ecosystem or release.
	ShardAdvisories ShardKind = "advisories"
	// ShardEPSS holds exploit prediction scores by CVE.
	ShardEPSS ShardKind = "epss"
	// ShardKEV holds known exploited vulnerabilities by CVE.
	ShardKEV ShardKind = "kev"
	// ShardEndOfLife holds dates of end of life by release of a distribution.
	ShardEndOfLife ShardKind = "end-of-life"
)

// Manifest describes a database: what is in it, since when, from whom, under
// which licence, and the digest of each of its files.
type Manifest struct {
	Kind   string `json:"kind"`
	Schema int    `json:"schema"`
	// Tool is the program that built the database, with its version.
	Tool    string    `json:"tool"`
	Built   time.Time `json:"built"`
	Sources []Source  `json:"sources"`
	Shards  []Shard   `json:"shards"`
	// Skipped counts what the builder left out, by reason.
	Skipped map[string]int `json:"skipped,omitempty"`
}

// Source is one publisher whose records are in the database.
type Source struct {
	Name    string `json:"name"`
	Licence string `json:"licence"`
	// Redistributable is false for data that may only be used where it was
	// fetched.
	Redistributable bool `json:"redistributable"`
	Records         int  `json:"records"`
	// Date is that of the newest record, or zero when no record has one.
	Date time.Time `json:"date,omitzero"`
}

// Shard describes one file.
type Shard struct {
	// Name is stable: npm, debian-12, epss.
	Name string    `json:"name"`
	Kind ShardKind `json:"shardKind"`
	// Ecosystem is the OSV ecosystem with its release, such as Debian:12.
	Ecosystem string `json:"ecosystem,omitempty"`
	// File is the name of the file next to the manifest. It holds part of the
	// digest: a new shard never replaces the file of an old one.
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
	// Size is that of the file, Data that of its content, in bytes.
	Size int64 `json:"size"`
	Data int64 `json:"data"`
	// Records counts advisories, Entries affected packages within them,
	// Packages distinct names and Unfixed entries without a fixed version.
	Records  int `json:"records"`
	Entries  int `json:"entries,omitempty"`
	Packages int `json:"packages,omitempty"`
	Unfixed  int `json:"unfixed,omitempty"`
	// Sources are the names of its sources in the manifest.
	Sources []string `json:"sources"`
	// Date is that of the newest record, not after the day of the build.
	Date time.Time `json:"date,omitzero"`
	// Fetched is when the data was obtained from its publisher: the newest of
	// the times noted in the input. Freshness is judged by it.
	Fetched time.Time `json:"fetched,omitzero"`
}

var (
	shardName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*$`)
	shardFile = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*\.zst$`)
)

// DecodeManifest reads a manifest and checks what the reader of shards relies
// on. Errors wrap ErrCorrupt, ErrForeign or ErrNewerSchema.
func DecodeManifest(data []byte) (Manifest, error) {
	if len(data) > maxManifestSize {
		return Manifest{}, fmt.Errorf("%w: manifest of %d bytes is over the limit of %d", ErrCorrupt, len(data), maxManifestSize)
	}
	var head struct {
		Kind   string `json:"kind"`
		Schema int    `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return Manifest{}, fmt.Errorf("%w: manifest: %w", ErrCorrupt, err)
	}
	switch {
	case head.Kind != manifestKind:
		return Manifest{}, fmt.Errorf("%w: kind is %q, expected %q", ErrForeign, head.Kind, manifestKind)
	case head.Schema > Schema:
		return Manifest{}, fmt.Errorf("%w: schema %d, this program reads up to %d", ErrNewerSchema, head.Schema, Schema)
	case head.Schema < 1:
		return Manifest{}, fmt.Errorf("%w: schema %d", ErrCorrupt, head.Schema)
	}
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return Manifest{}, fmt.Errorf("%w: manifest: %w", ErrCorrupt, err)
	}
	if err := m.validate(); err != nil {
		return Manifest{}, fmt.Errorf("%w: manifest: %w", ErrCorrupt, err)
	}
	return m, nil
}

func (m Manifest) validate() error {
	if m.Built.IsZero() {
		return errors.New("no build time")
	}
	if len(m.Shards) == 0 {
		return errors.New("no shards")
	}
	known := make(map[string]bool, len(m.Sources))
	for _, s := range m.Sources {
		known[s.Name] = true
	}
	names := make(map[string]bool, len(m.Shards))
	for _, s := range m.Shards {
		if names[s.Name] {
			return fmt.Errorf("shard %q is listed twice", s.Name)
		}
		names[s.Name] = true
		if err := s.validate(known); err != nil {
			return fmt.Errorf("shard %q: %w", s.Name, err)
		}
	}
	return nil
}

func (s Shard) validate(sources map[string]bool) error {
	digest, err := hex.DecodeString(s.SHA256)
	switch {
	case !shardName.MatchString(s.Name):
		return fmt.Errorf("name does not match %s", shardName)
	case !shardFile.MatchString(s.File):
		return fmt.Errorf("file %q does not match %s", s.File, shardFile)
	case err != nil || len(digest) != 32:
		return fmt.Errorf("sha256 %q is not a digest", s.SHA256)
	case s.Size <= 0 || s.Size > maxShardSize:
		return fmt.Errorf("size %d is out of bounds", s.Size)
	case s.Data <= 0 || s.Data > maxShardData:
		return fmt.Errorf("size of data %d is out of bounds", s.Data)
	case s.Records < 0 || s.Entries < 0 || s.Packages < 0 || s.Unfixed < 0:
		return errors.New("a count is negative")
	}
	for _, name := range s.Sources {
		if !sources[name] {
			return fmt.Errorf("source %q is not in the manifest", name)
		}
	}
	return nil
}

// Encode writes the manifest in its one form: sources and shards in the order
// of their names, indented, with a final newline.
func (m Manifest) Encode() ([]byte, error) {
	m.Kind, m.Schema = manifestKind, Schema
	m.Sources, m.Shards = slices.Clone(m.Sources), slices.Clone(m.Shards)
	slices.SortFunc(m.Sources, func(a, b Source) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(m.Shards, func(a, b Shard) int { return cmp.Compare(a.Name, b.Name) })
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(m); err != nil {
		return nil, fmt.Errorf("encode manifest: %w", err)
	}
	return buf.Bytes(), nil
}

// Shard returns the description of a shard by name.
func (m Manifest) Shard(name string) (Shard, bool) {
	i := slices.IndexFunc(m.Shards, func(s Shard) bool { return s.Name == name })
	if i < 0 {
		return Shard{}, false
	}
	return m.Shards[i], true
}

// Source returns the description of a source by name.
func (m Manifest) Source(name string) (Source, bool) {
	i := slices.IndexFunc(m.Sources, func(s Source) bool { return s.Name == name })
	if i < 0 {
		return Source{}, false
	}
	return m.Sources[i], true
}

// FetchedOf is the time by which a shard's freshness is judged: when its data
// was obtained, or, where nothing tells, when the database was built.
func (m Manifest) FetchedOf(s Shard) time.Time {
	if s.Fetched.IsZero() {
		return m.Built
	}
	return s.Fetched
}
