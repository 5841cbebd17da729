package syftcatalog

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"maps"
	"slices"

	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/inventory/gosymbols"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

// maxMarks bounds the marks of all binaries together; a binary of 100 MB has
// some 150,000.
const maxMarks = 16 << 20

// goBinaries reads which functions the Go binaries hold in which packages were
// found. That a binary does not tell is no fault: its modules' versions decide
// then.
func goBinaries(ctx context.Context, packages []inventory.Package, x *layers.Index) ([]inventory.GoBinary, error) {
	entries := make(map[string]*layers.Entry)
	for _, p := range packages {
		if p.Type != "golang" {
			continue
		}
		for _, place := range p.Places {
			// A go.mod is no executable.
			if e := x.Resolve(place.Path, true); e != nil && e.Type == layers.Regular && e.Executable() {
				entries[place.Path] = e
			}
		}
	}
	var out []inventory.GoBinary
	left := maxMarks
	for _, path := range slices.Sorted(maps.Keys(entries)) {
		b := inventory.GoBinary{Path: path}
		functions, mainPath, err := readFunctions(ctx, x, entries[path])
		switch {
		case ctx.Err() != nil:
			return nil, fmt.Errorf("read the functions of %s: %w", path, ctx.Err())
		case err != nil:
			b.Unknown = err.Error()
		case len(functions) > left:
			b.Unknown = "the binaries of the image hold too many functions"
		default:
			b.Functions, b.Main, left = functions, mainPath, left-len(functions)
		}
		out = append(out, b)
	}
	return out, nil
}

func readFunctions(ctx context.Context, x *layers.Index, e *layers.Entry) (functions gosymbols.Set, mainPath string, err error) {
	c, err := x.Open(ctx, e)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = c.Close() }() // only read
	if functions, err = gosymbols.Read(c); err != nil {
		return nil, "", err
	}
	info, err := buildinfo.Read(c)
	if err != nil || info.Path == "command-line-arguments" {
		// Built from files by name: which package they were is not kept.
		return functions, "", nil //nolint:nilerr // The path stays unknown.
	}
	return functions, info.Path, nil
}
