package syftcatalog_test

import (
	"path/filepath"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/inventory"
)

// catalogImage takes the inventory of an image through an OCI layout.
func catalogImage(t *testing.T, b *imagetest.Builder) inventory.Inventory {
	t.Helper()
	img, err := b.Image()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "layout")
	if err := imagetest.WriteLayout(dir, "1", img); err != nil {
		t.Fatal(err)
	}
	inv, _ := catalog(t, "oci:"+dir)
	return inv
}

func TestAPackageBelongsToTheLayerThatInstalledIt(t *testing.T) {
	musl := imagetest.Package{Name: "musl", Version: "1.2.5-r0", Files: []string{"/lib/ld-musl-x86_64.so.1"}}
	zlib := imagetest.Package{Name: "zlib", Version: "1.3.1-r1", Files: []string{"/lib/libz.so.1"}}
	newer := imagetest.Package{Name: "zlib", Version: "1.3.1-r2", Files: []string{"/lib/libz.so.1"}}
	curl := imagetest.Package{Name: "curl", Version: "8.9.0-r0", Files: []string{"/usr/bin/curl", "/etc/curlrc"}}
	virtual := imagetest.Package{Name: ".build-deps", Version: "1"}
	file := func(path string) imagetest.File { return imagetest.Text(path, "content") }
	img := imagetest.New().
		Layer("ADD alpine /", append(imagetest.Alpine("3.22.1", musl, zlib), file("lib/ld-musl-x86_64.so.1"), file("lib/libz.so.1"))...).
		Layer("RUN apk add curl", append(imagetest.Alpine("3.22.1", musl, newer, curl, virtual),
			file("lib/libz.so.1"), file("usr/bin/curl"), file("etc/curlrc"))...).
		Layer("COPY curlrc /etc/curlrc", file("etc/curlrc"))
	inv := catalogImage(t, img)
	layer := func(i int) string { return inv.Image.Layers[i].DiffID }
	for name, want := range map[string]string{
		"musl":        layer(0), // the database in layer 1 lists it again
		"zlib":        layer(1), // upgraded there
		"curl":        layer(1), // one of its two files was replaced later
		".build-deps": "",       // owns nothing: nobody can tell
	} {
		if got := find(t, inv, name).Layer; got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestADebianPackageBelongsToTheLayerOfItsOwnFilesOfDpkg(t *testing.T) {
	libc := imagetest.Package{Name: "libc6", Version: "2.36-9"}
	curl := imagetest.Package{Name: "curl", Version: "7.88.1-10"}
	var added []imagetest.File
	for _, f := range imagetest.Debian(libc, curl) {
		if f.Path != "var/lib/dpkg/info/libc6.list" && f.Path != "var/lib/dpkg/info/libc6.md5sums" {
			added = append(added, f)
		}
	}
	inv := catalogImage(t, imagetest.New().
		Layer("ADD debian /", imagetest.Debian(libc)...).
		Layer("RUN apt-get install curl", added...))
	if got := find(t, inv, "libc6").Layer; got != inv.Image.Layers[0].DiffID {
		t.Errorf("libc6: got %q, want the first layer", got)
	}
	if got := find(t, inv, "curl").Layer; got != inv.Image.Layers[1].DiffID {
		t.Errorf("curl: got %q, want the second layer", got)
	}
}
