package syftcatalog

import (
	"archive/tar"
	"fmt"
	"io"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	stereofile "github.com/anchore/stereoscope/pkg/file"
	"github.com/anchore/stereoscope/pkg/image"
	"github.com/anchore/syft/syft/file"
	"github.com/anchore/syft/syft/source"
	"github.com/anchore/syft/syft/source/stereoscopesource"
	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/layers"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// generator makes images full of replaced files, links and whiteouts.
type generator struct {
	*rand.Rand
	// links are paths that are a symbolic link in some layer: nothing is put
	// below them, since runtimes differ in what that means and so do we (see
	// layers.Index.squash).
	links map[string]bool
}

func (g *generator) path() string {
	names := []string{"a", "b", "c"}
	p := ""
	for range 1 + g.IntN(3) {
		p += "/" + names[g.IntN(len(names))]
	}
	return p
}

// free is a path that lies below no link and is no parent of what is taken.
func (g *generator) free(taken map[string]bool) string {
	for {
		p := g.path()
		ok := !taken[p]
		for parent := path.Dir(p); parent != "/"; parent = path.Dir(parent) {
			ok = ok && !g.links[parent] && !taken[parent]
		}
		for t := range taken {
			ok = ok && !strings.HasPrefix(t, p+"/")
		}
		if ok || len(taken) > 20 {
			return p
		}
		if g.IntN(50) == 0 {
			return ""
		}
	}
}

func (g *generator) layer() []imagetest.File {
	var files []imagetest.File
	var regular []string
	taken, made := map[string]bool{}, map[string]bool{}
	for range 2 + g.IntN(6) {
		p := g.free(taken)
		if p == "" || taken[p] {
			continue
		}
		dir, base := path.Split(p)
		// Builders always write the directories above a file.
		for i, r := range p[1:] {
			if parent := p[:i+1]; r == '/' && !made[parent] {
				made[parent] = true
				files = append(files, imagetest.Dir(parent))
			}
		}
		switch k := g.IntN(10); {
		case k < 4:
			files = append(files, imagetest.Text(p, fmt.Sprint(g.Uint32())))
			regular = append(regular, p)
		case k < 6:
			g.links[p] = true
			to := g.path()
			if g.IntN(2) == 0 {
				to = strings.TrimPrefix(to, "/")
			}
			files = append(files, imagetest.Symlink(p, to))
		case k < 7 && len(regular) > 0:
			files = append(files, imagetest.HardLink(p, regular[g.IntN(len(regular))]))
		case k < 9:
			files = append(files, imagetest.Text(dir+".wh."+base, ""))
		default:
			if dir == "/" || g.links[path.Clean(dir)] {
				continue
			}
			files = append(files, imagetest.Text(dir+".wh..wh..opq", ""))
		}
		taken[p] = true
	}
	return files
}

func (g *generator) image(t *testing.T) v1.Image {
	t.Helper()
	b := imagetest.New()
	for range 1 + g.IntN(4) {
		b.Layer("x", g.layer()...)
	}
	img, err := b.Image()
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// answers is all that a resolver says about a small world of paths.
func answers(t *testing.T, r file.Resolver) map[string]string {
	t.Helper()
	out := map[string]string{}
	describe := func(locations []file.Location, err error) string {
		if err != nil {
			return "error"
		}
		var lines []string
		for _, l := range locations {
			text := "unreadable"
			if c, err := r.FileContentsByLocation(l); err == nil {
				if data, err := io.ReadAll(c); err == nil {
					text = string(data)
				}
			}
			lines = append(lines, l.RealPath+" in "+l.FileSystemID+" = "+text)
		}
		slices.Sort(lines)
		return strings.Join(lines, "; ")
	}
	var walk func(p string, depth int)
	walk = func(p string, depth int) {
		for _, name := range []string{"a", "b", "c"} {
			child := p + "/" + name
			out["has "+child] = fmt.Sprint(r.HasPath(child))
			out["file "+child] = describe(r.FilesByPath(child))
			if depth < 3 {
				walk(child, depth+1)
			}
		}
	}
	walk("", 1)
	for _, pattern := range []string{"**/a", "**/b", "**/a/*", "**/a/b", "/a/c", "**/{a,b}/c", "/b/**/c", "**/a/**/b", "/a/*", "/b/c/*", "/c/?", "/b/c/**", "/a*/**/c"} {
		out["glob "+pattern] = describe(r.FilesByGlob(pattern))
	}
	return out
}

func stockResolver(t *testing.T, img v1.Image) (file.Resolver, error) {
	t.Helper()
	dirs := stereofile.NewTempDirGenerator("stock")
	t.Cleanup(func() { _ = dirs.Cleanup() })
	read := image.New(img, dirs, t.TempDir())
	if err := read.Read(t.Context()); err != nil {
		return nil, err
	}
	return stereoscopesource.New(read, stereoscopesource.ImageConfig{Reference: "image"}).FileResolver(source.SquashedScope)
}

func ourResolver(t *testing.T, img v1.Image) file.Resolver {
	t.Helper()
	dir := t.TempDir()
	if err := imagetest.WriteLayout(dir, "", img); err != nil {
		t.Fatal(err)
	}
	opened, err := target.Open(t.Context(), target.Request{Reference: "oci:" + dir}, target.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	x, err := layers.Read(t.Context(), opened.Layers, layers.Selector{}, layers.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close(); _ = opened.Close() })
	return newResolver(t.Context(), x)
}

// TestResolverAnswersAsStereoscopeDoes asks both about generated images.
func TestResolverAnswersAsStereoscopeDoes(t *testing.T) {
	compared := 0
	for seed := range uint64(150) {
		g := &generator{Rand: rand.New(rand.NewPCG(seed, 1)), links: map[string]bool{}}
		img := g.image(t)
		stock, err := stockResolver(t, img)
		if err != nil {
			continue
		}
		compared++
		want, got := answers(t, stock), answers(t, ourResolver(t, img))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("seed %d (-stereoscope +ours):\n%s\n%s", seed, diff, listing(t, img))
			if compared > 30 && t.Failed() {
				return
			}
		}
	}
	if compared < 100 {
		t.Errorf("only %d of 150 images could be compared", compared)
	}
}

// listing shows what the layers of an image hold.
func listing(t *testing.T, img v1.Image) string {
	t.Helper()
	ls, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for i, l := range ls {
		r, err := l.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		for archive := tar.NewReader(r); ; {
			h, err := archive.Next()
			if err != nil {
				break
			}
			fmt.Fprintf(&b, "%d %c %s %s\n", i, h.Typeflag, h.Name, h.Linkname)
		}
	}
	return b.String()
}
