package syftcatalog_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/inventory/syftcatalog"
)

func TestProgramsWithARoleAreFilesOfInterest(t *testing.T) {
	program := func(path, body string) imagetest.File {
		return imagetest.File{Path: path, Body: []byte(body), Mode: 0o755}
	}
	inv, err := catalogFiles(t, append(imagetest.Debian(imagetest.Package{Name: "dash", Version: "1"}),
		imagetest.Dir("usr/bin"), imagetest.Symlink("bin", "usr/bin"), imagetest.Dir("usr/sbin"),
		program("usr/bin/dash", "dash"), imagetest.Symlink("usr/bin/sh", "dash"),
		program("usr/bin/x86_64-linux-gnu-gcc-12", "gcc"), imagetest.Symlink("usr/bin/gcc", "x86_64-linux-gnu-gcc-12"),
		program("usr/sbin/sshd", "sshd"),
		// BusyBox under its other names is no package manager.
		imagetest.File{Path: "usr/bin/busybox", Body: []byte("busybox"), Mode: 0o4755}, imagetest.HardLink("usr/bin/rpm", "usr/bin/busybox"), imagetest.Symlink("usr/bin/dpkg", "busybox"),
		// A link that leads nowhere, or to a directory, and a file that cannot be
		// run are no programs.
		imagetest.Symlink("usr/bin/zsh", "/opt/zsh"), imagetest.Symlink("usr/bin/go", "/usr"), imagetest.Text("usr/bin/make", "text"),
		imagetest.Symlink("usr/bin/ash", "ash"),
	)...)
	must(t, err)
	got := map[string]inventory.FileKind{}
	for _, f := range inv.Files {
		if f.Layer == "" || f.Content != nil {
			t.Errorf("%s: layer %q, content %q", f.Path, f.Layer, f.Content)
		}
		if _, twice := got[f.Path]; twice {
			t.Errorf("%s is listed twice", f.Path)
		}
		got[f.Path] = f.Kind
	}
	want := map[string]inventory.FileKind{
		"/usr/bin/dash": "", "/usr/bin/sh": inventory.Link, "/usr/bin/x86_64-linux-gnu-gcc-12": "", "/usr/bin/gcc": inventory.Link,
		"/usr/sbin/sshd": "", "/usr/bin/busybox": "",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files of interest (-want +got):\n%s", diff)
	}
	if place := inv.Distro.Place; place.Path != "/usr/lib/os-release" || place.Layer == "" {
		t.Errorf("the distribution is named in %+v", place)
	}
}

func TestCachesAreAddedUpByDirectoryAndLayer(t *testing.T) {
	img, err := imagetest.New().
		Layer("RUN apt-get update", imagetest.Text("var/lib/apt/lists/lock", ""), imagetest.Text("var/lib/apt/lists/a_Packages", "12345"),
			imagetest.Text("var/lib/apt/lists/partial/b", "123"), imagetest.Text("var/lib/apt/extended_states", "kept"),
			imagetest.Text("var/cache/apt/archives/x.deb", "1234"), imagetest.HardLink("var/cache/apt/archives/y.deb", "var/cache/apt/archives/x.deb")).
		Layer("RUN pip install", imagetest.Text("home/app/.cache/pip/http/1", "12"), imagetest.Text("home/app/.cache/pipx", "no cache of pip"),
			imagetest.Text("var/lib/apt/lists/c", "1"), imagetest.Text("go/pkg/mod/example.org/m@v1/m.go", "package m"),
			imagetest.Text("var/cache/apk/APKINDEX.tar.gz", "123"), imagetest.Text("srv/var/cache/apk/x", "not at its place")).
		Layer("RUN rm", imagetest.Text("var/cache/apk/.wh.APKINDEX.tar.gz", "")).Image()
	must(t, err)
	type sum struct {
		Tool, Path string
		Files      int
		Size       int64
	}
	var got []sum
	layers := map[string]bool{}
	opened := open(t, layout(t, img))
	inv, _, err := syftcatalog.Catalog(t.Context(), opened, syftcatalog.Options{})
	must(t, err)
	for _, c := range inv.Caches {
		got = append(got, sum{c.Tool, c.Path, c.Files, c.Size})
		layers[c.Layer] = true
	}
	want := map[sum]bool{
		{"apt", "/var/lib/apt/lists", 2, 8}: true, {"apt", "/var/lib/apt/lists", 1, 1}: true, {"apt", "/var/cache/apt", 1, 4}: true,
		{"pip", "/home/app/.cache/pip", 1, 2}: true, {"go", "/go/pkg/mod", 1, 9}: true,
	}
	if len(got) != len(want) || len(layers) != 2 {
		t.Errorf("caches %+v in %d layers, want %+v in two", got, len(layers), want)
	}
	for _, s := range got {
		if !want[s] {
			t.Errorf("cache %+v, want none of these", s)
		}
	}
}

func TestProgramsWithPackagesThatNobodyNamesAreToldOf(t *testing.T) {
	elf := func(parts ...string) []byte {
		header := append([]byte("\x7fELF\x02\x01\x01"), make([]byte, 57)...)
		header[16], header[18] = 2, 62 // a program for x86-64
		return append(header, strings.Join(parts, "\x00")...)
	}
	const cookie, fuse = "MEI\x0c\x0b\x0a\x0b\x0e", "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2:"
	large := strings.Repeat("some of the program ", 1<<20)
	const panics = "/rustc/0123456789abcdef/library/std/src/panicking.rs"
	files := imagetest.Debian(imagetest.Package{Name: "dash", Version: "1", Files: []string{"/usr/bin/of-a-package"}})
	for name, body := range map[string][]byte{
		"python": elf("bootloader", "packages", cookie), "large": elf(large, cookie), "very-large": elf(large, large, large, cookie),
		"sea":  elf("node", fuse+"1", "application"),
		"node": elf("node", fuse+"0"), "bootloader": elf("bootloader"), "scanner": elf("\xff Go buildinf:", cookie, fuse+"1"), "text": []byte(cookie),
		"rust": elf(panics), "lib.so": elf(panics), "lib.so.1": elf(panics), "of-a-package": elf(panics),
	} {
		files = append(files, imagetest.File{Path: "usr/bin/" + name, Body: body, Mode: 0o755})
	}
	files = append(files, imagetest.File{Path: "usr/share/rust.debug", Body: elf(panics), Mode: 0o644})
	img, err := imagetest.New().Layer("COPY", files...).Image()
	must(t, err)
	inv, bom := catalog(t, layout(t, img))
	got := map[string]bool{}
	for _, u := range inv.Unreadable {
		if !strings.Contains(u.Reason, "packed") && !strings.Contains(u.Reason, "crates") {
			t.Errorf("%s: %s", u.Path, u.Reason)
		}
		got[u.Path] = true
	}
	want := map[string]bool{"/usr/bin/python": true, "/usr/bin/large": true, "/usr/bin/very-large": true, "/usr/bin/sea": true, "/usr/bin/rust": true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("programs told of (-want +got):\n%s", diff)
	}
	if s := bom.Stats(); s.KeptInMemory > 1<<20 || s.Rereads > 0 {
		t.Errorf("nobody reads these programs, and they cost %+v", s)
	}
}
