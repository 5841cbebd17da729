package syftcatalog

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"go/format"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/anchore/syft/syft"
	"github.com/anchore/syft/syft/artifact"
	"github.com/anchore/syft/syft/cataloging"
	"github.com/anchore/syft/syft/cataloging/pkgcataloging"
	"github.com/anchore/syft/syft/file"
	"github.com/anchore/syft/syft/pkg"
	"github.com/anchore/syft/syft/source"
	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/layers"
)

var update = flag.Bool("update", false, "rewrite generated and golden files")

// recorder is an empty image that notes what it is asked for.
type recorder struct {
	*resolver
	mu                  sync.Mutex
	globs, paths, types map[string]bool
	// all says that it was asked for all its files.
	all bool
}

func (r *recorder) FilesByGlob(patterns ...string) ([]file.Location, error) {
	r.note(r.globs, patterns)
	return nil, nil
}

func (r *recorder) FilesByPath(paths ...string) ([]file.Location, error) {
	r.note(r.paths, paths)
	return nil, nil
}

func (r *recorder) HasPath(path string) bool {
	r.note(r.paths, []string{path})
	return false
}

func (r *recorder) FilesByMIMEType(types ...string) ([]file.Location, error) {
	r.note(r.types, types)
	return nil, nil
}

func (r *recorder) AllLocations(context.Context) <-chan file.Location {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = true
	none := make(chan file.Location)
	close(none)
	return none
}

func (r *recorder) note(set map[string]bool, items []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, i := range items {
		set[i] = true
	}
}

func (r *recorder) ID() artifact.ID                                  { return "recorder" }
func (r *recorder) FileResolver(source.Scope) (file.Resolver, error) { return r, nil }
func (r *recorder) Close() error                                     { return nil }
func (r *recorder) Describe() source.Description {
	return source.Description{ID: "recorder", Metadata: source.ImageMetadata{}}
}

// record notes what the catalogers of a configuration ask for, and which they are.
func record(t *testing.T, cfg *syft.CreateSBOMConfig) (r *recorder, used []string) {
	t.Helper()
	x, err := layers.Read(t.Context(), nil, layers.Selector{}, layers.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	r = &recorder{resolver: newResolver(context.Background(), x), globs: map[string]bool{}, paths: map[string]bool{}, types: map[string]bool{}}
	ctx, err := licenceContext(t.Context(), false, cfg.Licenses)
	if err != nil {
		t.Fatal(err)
	}
	model, err := syft.CreateSBOM(ctx, r, cfg)
	if err != nil {
		t.Fatal(err)
	}
	// Only the document has the names of the catalogers.
	trail, err := json.Marshal(model.Descriptor.Configuration)
	if err != nil {
		t.Fatal(err)
	}
	var run struct{ Catalogers struct{ Used []string } }
	if err := json.Unmarshal(trail, &run); err != nil {
		t.Fatal(err)
	}
	return r, run.Catalogers.Used
}

// idle is a cataloger that asks for nothing.
type idle struct{}

func (idle) Name() string { return "idle" }

func (idle) Catalog(context.Context, file.Resolver) ([]pkg.Package, []artifact.Relationship, error) {
	return nil, nil, nil
}

// recordEach notes the patterns that each cataloger asks for which the selection
// may leave out. Left out of the list are those that ask for more. The paths of
// the distribution's release are nothing more: a run without any cataloger asks
// for them as well, and they say what packages are called, not that there are any.
func recordEach(t *testing.T) map[string][]string {
	t.Helper()
	cfg := func(name string) *syft.CreateSBOMConfig {
		return syft.DefaultCreateSBOMConfig().WithoutFiles().
			WithCatalogers(pkgcataloging.NewCatalogerReference(idle{}, []string{"idle"})).
			WithCatalogerSelection(cataloging.NewSelectionRequest().WithDefaults(name).WithRemovals("file"))
	}
	without, _ := record(t, cfg("idle"))
	_, all := record(t, config(Options{ToolVersion: "test"}))
	out := make(map[string][]string)
	for _, name := range all {
		if strings.HasPrefix(name, "file-") || slices.ContainsFunc(ownCatalogers(), func(c pkg.Cataloger) bool { return c.Name() == name }) {
			continue // of files, not of packages, and not run; or not one of syft's
		}
		r, used := record(t, cfg(name))
		if !slices.Equal(used, []string{name}) {
			t.Fatalf("instead of %s there were selected: %v", name, used)
		}
		maps.DeleteFunc(r.paths, func(path string, _ bool) bool { return without.paths[path] })
		if len(r.globs) > 0 && len(r.paths) == 0 && len(r.types) == 0 && !r.all {
			out[name] = slices.Sorted(maps.Keys(r.globs))
		}
	}
	return out
}

// TestGlobsOfCatalogersAreKnown fails when a new syft asks for other files. Run
// with -update to take its list over.
func TestGlobsOfCatalogersAreKnown(t *testing.T) {
	r, _ := record(t, config(Options{ToolVersion: "test"}))
	maps.DeleteFunc(r.globs, func(glob string, _ bool) bool { return slices.Contains(ownGlobs, glob) })
	asked := slices.Sorted(maps.Keys(r.globs))
	asked = append(asked, slices.Sorted(maps.Keys(r.paths))...)
	slices.Sort(asked)
	asked = slices.Compact(asked)
	each := recordEach(t)
	other := slices.DeleteFunc(slices.Clone(asked), func(glob string) bool {
		for _, globs := range each {
			if slices.Contains(globs, glob) {
				return true
			}
		}
		return false
	})
	if *update {
		var b bytes.Buffer
		b.WriteString("// Code generated by go test -run TestGlobsOfCatalogersAreKnown -update; DO NOT EDIT.\n\npackage syftcatalog\n\n")
		b.WriteString("// globsOf are the patterns of each of syft's catalogers for images that asks for\n// nothing else.\nvar globsOf = map[string][]string{\n")
		for _, name := range slices.Sorted(maps.Keys(each)) {
			fmt.Fprintf(&b, "%q: {", name)
			for _, g := range each[name] {
				fmt.Fprintf(&b, "\n%q,", g)
			}
			b.WriteString("\n},\n")
		}
		b.WriteString("}\n\n// otherGlobs are what the other catalogers ask for, and the paths of the\n// distribution's release.\nvar otherGlobs = []string{\n")
		for _, g := range other {
			fmt.Fprintf(&b, "%q,\n", g)
		}
		b.WriteString("}\n")
		src, err := format.Source(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile("globs_generated.go", src, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(otherGlobs, other); diff != "" {
		t.Errorf("catalogers ask for other files now (-known +asked):\n%s", diff)
	}
	if diff := cmp.Diff(globsOf, each); diff != "" {
		t.Errorf("single catalogers ask for other files now (-known +asked):\n%s", diff)
	}
	for mime := range r.types {
		if !strings.HasPrefix(mime, "application/") || !strings.Contains(mime, "x-") && !strings.Contains(mime, "executable") {
			t.Errorf("catalogers ask for files of type %s, which is no executable", mime)
		}
	}
}
