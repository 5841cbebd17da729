package syftcatalog

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/anchore/syft/syft/file"
	"github.com/anchore/syft/syft/pkg"

	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

// recorded is one file in a package manager's database.
type recorded struct {
	path   string
	digest string
	config bool
}

// owning are the packages that tell which files they own, in the order of their
// ids.
func owning(packages []pkg.Package) (out []pkg.Package) {
	for _, p := range packages {
		if _, ok := p.Metadata.(pkg.FileOwner); ok {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b pkg.Package) int { return cmp.Compare(a.ID(), b.ID()) })
	return out
}

// ownedFiles joins what the package managers' databases say of files with the
// files that are there, and with those that a later layer removed. Links and
// directories are left out: they have no content that could differ.
//
// The packages are those of [owning].
func ownedFiles(ctx context.Context, packages []pkg.Package, r *resolver) (owned map[string]inventory.OwnedFile, removed map[string]string, err error) {
	x := r.index
	moved, err := diversions(ctx, x)
	if err != nil {
		return nil, nil, err
	}
	gone := make(map[string]string)
	for e := range x.Removed() {
		gone[inventory.UnderUsr(e.Path)] = e.Path
	}
	removed = make(map[string]string)
	owned = make(map[string]inventory.OwnedFile)
	disputed := make(map[string]bool)
	for _, p := range packages {
		for _, f := range recordedFiles(p) {
			if d, ok := moved[f.path]; ok && d.by != p.Name {
				f.path = d.to
			}
			e := x.Resolve(f.path, false)
			if e == nil {
				if at := gone[inventory.UnderUsr(f.path)]; at != "" {
					removed[at] = cmp.Or(removed[at], string(p.ID()))
				}
				continue
			}
			if e.Type != layers.Regular {
				continue
			}
			e = e.Data()
			o := inventory.OwnedFile{Package: string(p.ID()), Layer: int(e.Layer), Digest: f.digest, Config: f.config || p.Type == pkg.RpmPkg && r.unverified[f.path]}
			if before, twice := owned[e.Path]; twice {
				disputed[e.Path] = disputed[e.Path] || before.Digest != "" && o.Digest != "" && before.Digest != o.Digest
				o = joined(before, o)
			}
			if disputed[e.Path] {
				o.Digest = ""
			}
			owned[e.Path] = o
		}
	}
	return owned, removed, nil
}

// joined is what two packages together say of one file, unless they differ in
// its content: packages of several architectures may, and one of them wins.
func joined(a, b inventory.OwnedFile) inventory.OwnedFile {
	a.Digest = cmp.Or(a.Digest, b.Digest)
	a.Config = a.Config || b.Config
	return a
}

// recordedFiles are the files of a package of the operating system.
func recordedFiles(p pkg.Package) []recorded {
	var out []recorded
	switch m := p.Metadata.(type) {
	case pkg.DpkgDBEntry:
		out = make([]recorded, 0, len(m.Files))
		for _, f := range m.Files {
			out = append(out, recorded{absolute(f.Path), plainDigest(f.Digest), f.IsConfigFile})
		}
	case pkg.ApkDBEntry:
		for _, f := range m.Files {
			// apk itself treats everything below /etc as configuration
			// (protected paths).
			out = append(out, recorded{absolute(f.Path), plainDigest(f.Digest), strings.HasPrefix(absolute(f.Path), "/etc/")})
		}
	case pkg.RpmDBEntry:
		for _, f := range m.Files {
			// Flags are those of rpm -q --fileflags: c configuration, g ghost, m
			// missing allowed.
			out = append(out, recorded{absolute(f.Path), plainDigest(&f.Digest), strings.ContainsAny(f.Flags, "cg")})
		}
	case pkg.AlpmDBEntry:
		for _, f := range m.Files {
			out = append(out, recorded{absolute(f.Path), alpmDigest(f.Digests), slices.ContainsFunc(m.Backup, func(b pkg.AlpmFileRecord) bool { return b.Path == f.Path })})
		}
	case pkg.PortageEntry:
		for _, f := range m.Files {
			out = append(out, recorded{absolute(f.Path), plainDigest(f.Digest), strings.HasPrefix(absolute(f.Path), "/etc/")})
		}
	}
	return out
}

func absolute(p string) string {
	if strings.HasPrefix(p, "/") {
		return p
	}
	return "/" + p
}

// digestSizes are the algorithms that are compared, with the lengths of their
// digests in bytes.
var digestSizes = map[string]int{"md5": 16, "sha1": 20, "sha256": 32}

// plainDigest brings the forms of the databases to algorithm:hex, and returns
// "" for anything else. The installed database of apk has Q1 and the SHA-1 in
// base64 (https://wiki.alpinelinux.org/wiki/Apk_spec).
func plainDigest(d *file.Digest) string {
	if d == nil {
		return ""
	}
	algorithm, value := strings.ToLower(d.Algorithm), d.Value
	if packed, ok := strings.CutPrefix(value, "Q1"); ok {
		raw, err := base64.StdEncoding.DecodeString(packed)
		if err != nil {
			return ""
		}
		algorithm, value = "sha1", hex.EncodeToString(raw)
	}
	if size, known := digestSizes[algorithm]; !known || len(value) != hex.EncodedLen(size) {
		return ""
	}
	value = strings.ToLower(value)
	if strings.Trim(value, "0123456789abcdef") != "" {
		return ""
	}
	return algorithm + ":" + value
}

func alpmDigest(digests []file.Digest) string {
	for _, want := range []string{"sha256", "md5"} {
		for _, d := range digests {
			if strings.HasPrefix(strings.ToLower(d.Algorithm), want) {
				return plainDigest(&file.Digest{Algorithm: want, Value: d.Value})
			}
		}
	}
	return ""
}

// diversion says where the file of a package is that another one replaced, as
// agreed between them (dpkg-divert(1)).
type diversion struct{ to, by string }

// diversions reads dpkg's list of them: three lines each.
func diversions(ctx context.Context, x *layers.Index) (map[string]diversion, error) {
	e := x.Resolve("/var/lib/dpkg/diversions", true)
	if e == nil || e.Type != layers.Regular || e.Size == 0 {
		return nil, nil
	}
	data, err := text(ctx, x, e)
	if err != nil {
		return nil, err
	}
	out := make(map[string]diversion)
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		from := lines.Text()
		if !lines.Scan() {
			break
		}
		to := lines.Text()
		if !lines.Scan() {
			break
		}
		out[from] = diversion{to: to, by: lines.Text()}
	}
	return out, nil
}
