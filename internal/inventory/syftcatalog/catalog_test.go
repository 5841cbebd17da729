package syftcatalog_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/inventory/gosymbols"
	"github.com/portcullis-ci/portcullis/internal/inventory/syftcatalog"
	"github.com/portcullis-ci/portcullis/internal/layers"
	"github.com/portcullis-ci/portcullis/internal/target"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func sample(t testing.TB) v1.Image {
	t.Helper()
	img, err := imagetest.New().Platform("linux/"+runtime.GOARCH).
		Layer("ADD rootfs.tar / # buildkit", imagetest.Debian(
			imagetest.Package{Name: "libssl3", Version: "3.0.11-1~deb12u2", Source: "openssl"},
			imagetest.Package{Name: "libc6", Version: "2.36-9+deb12u4", Source: "glibc"},
			imagetest.Package{Name: "bash", Version: "5.2.15-2+b2", Source: "bash", SourceVersion: "5.2.15-2"},
			imagetest.Package{Name: "python3-yaml", Version: "6.0-3+b2", Source: "pyyaml", Files: []string{
				"/usr/lib/python3/dist-packages/PyYAML-6.0.dist-info/METADATA",
			}},
		)...).
		Layer("RUN /bin/sh -c npm ci # buildkit", imagetest.NPM("/app", "lodash@4.17.20", "minimist@1.2.5")...).
		Layer("RUN pip install", append(imagetest.Python("/usr/lib/python3/dist-packages", "PyYAML@6.0"), imagetest.Python("/usr/local/lib/python3.11/site-packages", "requests@2.19.0")...)...).
		Compression(imagetest.Zstd).
		Layer("COPY hello /usr/local/bin/hello # buildkit",
			imagetest.File{Path: "usr/local/bin/hello", Body: syftcatalog.GoProgram(t, "-s -w"), Mode: 0o755},
			imagetest.Symlink("usr/bin/hi", "/usr/local/bin/hello"),
			imagetest.File{Path: "usr/bin/sudo", Body: []byte("x"), Mode: 0o4755}).
		Layer("RUN rm -rf /app/node_modules/minimist # buildkit", imagetest.Text("app/node_modules/.wh.minimist", "")).
		Env("PATH=/usr/bin").User("app").Image()
	must(t, err)
	return img
}

func open(t testing.TB, reference string) *target.Target {
	t.Helper()
	got, err := target.Open(t.Context(), target.Request{Reference: reference}, target.Environment{})
	must(t, err)
	t.Cleanup(func() { _ = got.Close() })
	return got
}

func catalog(t testing.TB, reference string) (inventory.Inventory, *syftcatalog.SBOM) {
	t.Helper()
	inv, bom, err := syftcatalog.Catalog(t.Context(), open(t, reference), syftcatalog.Options{ToolVersion: "1.2.3", SBOM: syftcatalog.Formats()})
	must(t, err)
	return inv, bom
}

func layout(t testing.TB, img v1.Image) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "image")
	must(t, imagetest.WriteLayout(dir, "", img))
	return "oci:" + dir
}

func find(t testing.TB, inv inventory.Inventory, name string) inventory.Package {
	t.Helper()
	for _, p := range inv.Packages {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("no package %s in the inventory", name)
	return inventory.Package{}
}

func TestInventoryOfADebianImage(t *testing.T) {
	img := sample(t)
	inv, _ := catalog(t, layout(t, img))
	if inv.Distro == nil || inv.Distro.ID != "debian" || inv.Distro.Version != "12" || inv.Distro.Codename != "bookworm" {
		t.Errorf("distro = %+v, want debian 12 bookworm", inv.Distro)
	}
	layer := func(i int) string { return inv.Image.Layers[i].DiffID }
	owner := find(t, inv, "python3-yaml").ID
	for _, want := range []inventory.Package{
		{
			Name: "libssl3", Version: "3.0.11-1~deb12u2", Type: "deb", Architecture: "amd64", Source: &inventory.Source{Name: "openssl"},
			PURL:   "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12.5&upstream=openssl",
			Places: []inventory.Place{{Path: "/var/lib/dpkg/info/libssl3.list", Layer: layer(0)}, {Path: "/var/lib/dpkg/info/libssl3.md5sums", Layer: layer(0)}, {Path: "/var/lib/dpkg/status", Layer: layer(0)}},
		},
		{
			Name: "bash", Version: "5.2.15-2+b2", Type: "deb", Architecture: "amd64", Source: &inventory.Source{Name: "bash", Version: "5.2.15-2"},
			PURL:   "pkg:deb/debian/bash@5.2.15-2%2Bb2?arch=amd64&distro=debian-12.5&upstream=bash%405.2.15-2",
			Places: []inventory.Place{{Path: "/var/lib/dpkg/info/bash.list", Layer: layer(0)}, {Path: "/var/lib/dpkg/info/bash.md5sums", Layer: layer(0)}, {Path: "/var/lib/dpkg/status", Layer: layer(0)}},
		},
		{
			Name: "lodash", Version: "4.17.20", Type: "npm", PURL: "pkg:npm/lodash@4.17.20", Licenses: []string{"MIT"},
			Places: []inventory.Place{{Path: "/app/node_modules/lodash/package.json", Layer: layer(1)}},
		},
		{
			Name: "pyyaml", Version: "6.0", Type: "pypi", PURL: "pkg:pypi/pyyaml@6.0", Licenses: []string{"MIT"}, Owner: owner,
			Places: []inventory.Place{
				{Path: "/usr/lib/python3/dist-packages/PyYAML-6.0.dist-info/METADATA", Layer: layer(2)},
				{Path: "/usr/lib/python3/dist-packages/PyYAML-6.0.dist-info/RECORD", Layer: layer(2)},
			},
		},
		{
			Name: "stdlib", Version: runtime.Version(), Type: "golang", PURL: "pkg:golang/stdlib@" + strings.TrimPrefix(runtime.Version(), "go"),
			Licenses: []string{"BSD-3-Clause"}, Places: []inventory.Place{{Path: "/usr/local/bin/hello", Layer: layer(3)}},
		},
	} {
		got := find(t, inv, want.Name)
		want.Layer = want.Places[0].Layer // no layer here installs anew what another has
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(inventory.Package{}, "ID")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want.Name, diff)
		}
	}
	for _, p := range inv.Packages {
		if p.Name == "minimist" {
			t.Error("minimist is in the inventory though a later layer deletes it")
		}
	}
	if len(inv.Files) != 1 || inv.Files[0].Path != "/usr/bin/sudo" || inv.Files[0].Mode != 0o4755 || inv.Files[0].Layer != layer(3) {
		t.Errorf("files of interest = %+v, want the setuid /usr/bin/sudo", inv.Files)
	}
	if len(inv.Unreadable) != 0 {
		t.Errorf("unreadable = %+v, want none", inv.Unreadable)
	}
	if len(inv.GoBinaries) != 1 || inv.GoBinaries[0].Path != "/usr/local/bin/hello" || inv.GoBinaries[0].Unknown != "" {
		t.Fatalf("Go binaries = %+v, want hello with its functions", inv.GoBinaries)
	}
	if functions := gosymbols.Set(inv.GoBinaries[0].Functions); !functions.Has("main", "main") || functions.Has("net/http", "Get") {
		t.Error("the functions of hello are wrong")
	}
	if got := inv.GoBinaries[0].Main; got != "example.org/hello" {
		t.Errorf("main package of hello = %q", got)
	}
}

func TestContentManifestsNameTheRepositories(t *testing.T) {
	img, err := imagetest.New().Platform("linux/"+runtime.GOARCH).Layer("ADD ubi.tar /",
		imagetest.Text("etc/os-release", "ID=rhel\nVERSION_ID=9.2\nPRETTY_NAME=\"Red Hat Enterprise Linux 9.2 (Plow)\"\n"),
		imagetest.File{Path: "var/lib/rpm/Packages.db", Body: packagesDB(rpmHeader("bash", "5.1.8", "6.el9"))},
		imagetest.Text("root/buildinfo/content_manifests/ubi9-container-9.2-1.json", `{"metadata":{"image_layer_index":0},"content_sets":["rhel-9-for-x86_64-baseos-eus-rpms","rhel-9-for-x86_64-appstream-rpms"]}`)).
		Layer("COPY content-sets.json /usr/share/buildinfo/",
			imagetest.Text("usr/share/buildinfo/content-sets.json", `{"content_sets":["rhel-9-for-x86_64-appstream-rpms"]}`),
			imagetest.Text("root/buildinfo/content-sets.json", `{"content_sets":{}}`)).Image()
	must(t, err)
	inv, _ := catalog(t, layout(t, img))
	if diff := cmp.Diff([]string{"rhel-9-for-x86_64-appstream-rpms", "rhel-9-for-x86_64-baseos-eus-rpms"}, inv.Distro.ContentSets); diff != "" {
		t.Errorf("content sets (-want +got):\n%s", diff)
	}
	if len(inv.Unreadable) != 1 || inv.Unreadable[0].Path != "/root/buildinfo/content-sets.json" {
		t.Errorf("unreadable = %+v", inv.Unreadable)
	}
}

func TestInventoryIsTheSameThroughEveryTransport(t *testing.T) {
	img, dir := sample(t), t.TempDir()
	reg := imagetest.NewRegistry()
	defer reg.Close()
	ref, err := reg.Push("image:1", img)
	must(t, err)
	docker := filepath.Join(dir, "image.tar")
	must(t, imagetest.WriteDockerArchive(docker, "image:1", img))
	want, _ := catalog(t, layout(t, img))
	transport := cmpopts.IgnoreFields(inventory.Image{}, "Name", "Reference", "Source", "Digest")
	for _, reference := range []string{ref, docker} {
		got, _ := catalog(t, reference)
		if diff := cmp.Diff(want, got, transport); diff != "" {
			t.Errorf("%s differs from the layout (-layout +this):\n%s", reference, diff)
		}
	}
}

func TestInventoryOfAnAlpineImage(t *testing.T) {
	img, err := imagetest.New().Platform("linux/"+runtime.GOARCH).Layer("ADD alpine.tar /", imagetest.Alpine("3.20.1",
		imagetest.Package{Name: "libcrypto3", Version: "3.3.0-r2", Source: "openssl"}, imagetest.Package{Name: "musl", Version: "1.2.5-r0"})...).Image()
	must(t, err)
	inv, _ := catalog(t, layout(t, img))
	if inv.Distro == nil || inv.Distro.ID != "alpine" || inv.Distro.Version != "3.20.1" {
		t.Errorf("distro = %+v, want alpine 3.20.1", inv.Distro)
	}
	if p := find(t, inv, "libcrypto3"); p.Type != "apk" || p.Source == nil || p.Source.Name != "openssl" {
		t.Errorf("libcrypto3 = %+v, want an apk of origin openssl", p)
	}
	if p := find(t, inv, "musl"); p.Source != nil {
		t.Errorf("musl has the source %+v, want none, since it has the same name", p.Source)
	}
}

func TestPackageDatabaseBehindALinkIsFound(t *testing.T) {
	var files []imagetest.File
	for _, f := range imagetest.Debian(imagetest.Package{Name: "bash", Version: "5.2.15-2"}) {
		f.Path = strings.Replace(f.Path, "var/lib/dpkg", "opt/hidden", 1)
		files = append(files, f)
	}
	files = append(files, imagetest.Symlink("var/lib/dpkg", "/opt/hidden"))
	img, err := imagetest.New().Platform("linux/"+runtime.GOARCH).Layer("ADD x /", files...).Image()
	must(t, err)
	inv, _ := catalog(t, layout(t, img))
	find(t, inv, "bash")
}

func TestSBOMsReadBackGiveTheSamePackages(t *testing.T) {
	want, bom := catalog(t, layout(t, sample(t)))
	now := time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, format := range syftcatalog.Formats() {
		t.Run(string(format), func(t *testing.T) {
			var first, second bytes.Buffer
			must(t, bom.Write(&first, format, now))
			must(t, bom.Write(&second, format, now))
			if !bytes.Equal(first.Bytes(), second.Bytes()) {
				t.Error("two writes of one SBOM differ")
			}
			file := filepath.Join(t.TempDir(), "bom.json")
			must(t, os.WriteFile(file, first.Bytes(), 0o600))
			sbomTarget, err := target.OpenSBOM(t.Context(), file)
			must(t, err)
			got, _, err := syftcatalog.Catalog(t.Context(), sbomTarget, syftcatalog.Options{})
			must(t, err)
			if diff := cmp.Diff(purls(want), purls(got)); diff != "" {
				t.Errorf("package URLs (-image +sbom):\n%s", diff)
			}
			if p := find(t, got, "libssl3"); p.Source == nil || p.Source.Name != "openssl" || p.Architecture != "amd64" {
				t.Errorf("libssl3 = %+v, want the source openssl and architecture amd64", p)
			}
			for _, name := range []string{"lodash", "pyyaml"} {
				if diff := cmp.Diff(find(t, want, name).Licenses, find(t, got, name).Licenses); diff != "" || len(find(t, got, name).Licenses) == 0 {
					t.Errorf("licences of %s (-image +sbom):\n%s", name, diff)
				}
			}
			if got.Distro == nil || got.Distro.ID != "debian" || got.Distro.Version != "12" {
				t.Errorf("distro = %+v, want debian 12", got.Distro)
			}
			officialCheck(t, file)
		})
	}
}

// officialCheck runs the validator that BOM_CHECK names, where there is one.
func officialCheck(t *testing.T, file string) {
	check := os.Getenv("BOM_CHECK")
	if check == "" {
		t.Log("BOM_CHECK is not set: the schema was not checked by an outside validator")
		return
	}
	out, err := exec.CommandContext(t.Context(), check, file).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", check, err, out)
	}
	t.Logf("%s", out)
}

func purls(inv inventory.Inventory) []string {
	var out []string
	for _, p := range inv.Packages {
		if p.PURL != "" {
			out = append(out, p.PURL)
		}
	}
	return out
}

func TestSBOMFilesThatAreNoneAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"noise":               "noise",
		"other JSON":          `{"a": 1}`,
		"a cut document":      `{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library","name":"a"`,
		"an unknown version":  `{"bomFormat":"CycloneDX","specVersion":"9.9","components":[]}`,
		"deep nesting":        `{"bomFormat":"CycloneDX","specVersion":"1.6","components":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`,
		"an empty JSON array": `[]`,
		"duplicate keys":      `{"bomFormat":"CycloneDX","specVersion":"1.6","components":[],"Components":[]}`,
		"two documents":       `{"bomFormat":"CycloneDX","specVersion":"1.6","components":[]}{}`,
	} {
		file := filepath.Join(t.TempDir(), "bom.json")
		must(t, os.WriteFile(file, []byte(text), 0o600))
		bom, err := target.OpenSBOM(t.Context(), file)
		must(t, err)
		if _, _, err := syftcatalog.Catalog(t.Context(), bom, syftcatalog.Options{}); exit.CodeOf(err) != exit.NotExamined {
			t.Errorf("%s: error %v, want exit code 4", name, err)
		}
	}
}

func TestRootFSIsCatalogedLikeAnImage(t *testing.T) {
	dir := t.TempDir()
	for _, f := range imagetest.Debian(imagetest.Package{Name: "bash", Version: "5.2.15-2"}) {
		path := filepath.Join(dir, filepath.FromSlash(f.Path))
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		switch {
		case f.Link != "":
			must(t, os.Symlink(f.Link, path))
		case f.Body != nil:
			must(t, os.WriteFile(path, f.Body, 0o600))
		}
	}
	root, err := target.OpenRootFS(t.Context(), dir)
	must(t, err)
	defer func() { must(t, root.Close()) }()
	inv, _, err := syftcatalog.Catalog(t.Context(), root, syftcatalog.Options{})
	must(t, err)
	if p := find(t, inv, "bash"); p.Places[0].Path != "/var/lib/dpkg/info/bash.list" || inv.Image != nil || inv.Distro == nil {
		t.Errorf("bash at %+v, image %v, distro %v", p.Places, inv.Image, inv.Distro)
	}
}

func TestAnImageThatCannotBeReadIsStillDescribed(t *testing.T) {
	opened := open(t, layout(t, sample(t)))
	inv, bom, err := syftcatalog.Catalog(t.Context(), opened, syftcatalog.Options{Limits: layers.Limits{Files: 3}})
	if exit.CodeOf(err) != exit.NotExamined || exit.HintOf(err) == "" || bom != nil {
		t.Errorf("error = %v (hint %q), SBOM %v, want exit code 4 with a hint and no SBOM", err, exit.HintOf(err), bom)
	}
	if inv.Image == nil || inv.Image.Config.User != "app" || len(inv.Packages) != 0 {
		t.Errorf("inventory = %+v, want the image's description alone", inv)
	}
}

func TestCatalogersAreLeftBehindWhenTimeOrMemoryEnds(t *testing.T) {
	opened := open(t, layout(t, sample(t)))
	_, _, err := syftcatalog.Catalog(t.Context(), opened, syftcatalog.Options{Heap: 1})
	var limit *layers.LimitError
	if !errors.As(err, &limit) || exit.CodeOf(err) != exit.NotExamined {
		t.Errorf("one byte of memory: error = %v, want a limit error with exit code 4", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, _, err := syftcatalog.Catalog(ctx, opened, syftcatalog.Options{}); !errors.Is(err, context.DeadlineExceeded) || exit.CodeOf(err) != exit.NotExamined {
		t.Errorf("one millisecond: error = %v, want deadline exceeded with exit code 4", err)
	}
}

func TestCorruptDatabasesAreNotAnEmptyImage(t *testing.T) {
	for name, files := range map[string][]imagetest.File{
		"an rpm database of noise": {imagetest.Text("var/lib/rpm/rpmdb.sqlite", strings.Repeat("noise", 1000))},
		"a dpkg database of noise": {imagetest.Text("var/lib/dpkg/status", "\x00\x01\x02 noise without any fields\n\n")},
	} {
		img, err := imagetest.New().Platform("linux/"+runtime.GOARCH).Layer("ADD x /", files...).Image()
		must(t, err)
		inv, _, err := syftcatalog.Catalog(t.Context(), open(t, layout(t, img)), syftcatalog.Options{})
		if err == nil && len(inv.Unreadable) == 0 {
			t.Errorf("%s: neither an error nor an unreadable file; packages: %v", name, fmt.Sprint(inv.Packages))
		}
	}
}
