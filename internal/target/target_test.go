package target_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/layers"
	"github.com/portcullis-ci/portcullis/internal/target"
)

var hostPlatform = "linux/" + runtime.GOARCH

func sample(t testing.TB, marker string) v1.Image {
	t.Helper()
	return build(t, imagetest.New().Platform(hostPlatform).
		Layer("ADD rootfs.tar / # buildkit", imagetest.Text("etc/marker", marker)).
		Env("A=b").
		Compression(imagetest.Zstd).Layer("COPY app /app # buildkit", imagetest.Text("app", "binary")).
		User("app"))
}

func build(t testing.TB, b *imagetest.Builder) v1.Image {
	t.Helper()
	img, err := b.Image()
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func quick(env target.Environment) target.Environment {
	env.Retry = target.Retry{MinWait: time.Millisecond, MaxWait: 5 * time.Millisecond, Stall: 5 * time.Second}
	return env
}

// open opens an image and reads its layers to the end.
func open(t testing.TB, req target.Request, env target.Environment) (*target.Target, error) {
	t.Helper()
	return openWith(t, req, quick(env))
}

func openWith(t testing.TB, req target.Request, env target.Environment) (*target.Target, error) {
	t.Helper()
	got, err := target.Open(t.Context(), req, env)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = got.Close() })
	x, err := layers.Read(t.Context(), got.Layers, layers.Selector{}, layers.Limits{})
	if err != nil {
		return nil, err
	}
	return got, x.Close()
}

func TestOneImageIsTheSameThroughEveryTransport(t *testing.T) {
	dir := t.TempDir()
	img := sample(t, "one")
	reg := imagetest.NewRegistry()
	defer reg.Close()
	ref, err := reg.Push("shop/web:1", img)
	must(t, err)
	layout, ociArchive := filepath.Join(dir, "web"), filepath.Join(dir, "web.tar")
	docker, compressed := filepath.Join(dir, "docker.tar"), filepath.Join(dir, "compressed.tar")
	must(t, imagetest.WriteLayout(layout, "v1", img))
	must(t, imagetest.WriteOCIArchive(ociArchive, "v1", img))
	must(t, imagetest.WriteDockerArchive(docker, "shop/web:1", img))
	must(t, imagetest.WriteCompressedDockerArchive(compressed, "shop/web:1", img))
	socket := filepath.Join(dir, "d.sock")
	daemon, err := imagetest.NewDaemon(socket, map[string]v1.Image{"shop/web:1": img})
	must(t, err)
	defer func() { _ = daemon.Close() }()
	digest, err := img.Digest()
	must(t, err)
	env := target.Environment{TempDir: dir, Getenv: func(name string) string {
		return map[string]string{"DOCKER_HOST": daemon.Host}[name]
	}}

	want, err := open(t, target.Request{Reference: "oci:" + layout}, env)
	must(t, err)
	if want.Image.ID == "" || len(want.Image.Layers) != 2 || want.Image.Config.User != "app" {
		t.Fatalf("image = %+v, want an id, two layers and a user", want.Image)
	}
	if diff := cmp.Diff([]int{0, 2}, []int{want.Image.Layers[0].History, want.Image.Layers[1].History}); diff != "" {
		t.Errorf("history of layers (-want +got):\n%s", diff)
	}
	for reference, expect := range map[string]struct{ name, source, digest string }{
		ref:               {strings.TrimSuffix(ref, ":1"), "registry", digest.String()},
		"registry:" + ref: {strings.TrimSuffix(ref, ":1"), "registry", digest.String()},
		strings.TrimSuffix(ref, ":1") + "@" + digest.String(): {strings.TrimSuffix(ref, ":1"), "registry", digest.String()},
		layout:                                  {"web", "oci", digest.String()},
		"oci:" + layout + ":v1":                 {"web", "oci", digest.String()},
		"oci:" + layout + "@" + digest.String(): {"web", "oci", digest.String()},
		ociArchive:                              {"web", "oci-archive", digest.String()},
		"oci-archive:" + ociArchive + ":v1":     {"web", "oci-archive", digest.String()},
		docker:                                  {"docker", "docker-archive", ""},
		compressed:                              {"compressed", "docker-archive", ""},
		"docker-archive:" + docker + ":shop/web:1": {"docker", "docker-archive", ""},
		"docker-archive:" + compressed:             {"compressed", "docker-archive", ""},
		"daemon:shop/web:1":                        {"shop/web", "daemon", ""},
	} {
		t.Run(reference, func(t *testing.T) {
			got, err := open(t, target.Request{Reference: reference}, env)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(expect.name, got.Name); diff != "" {
				t.Errorf("name (-want +got):\n%s", diff)
			}
			same := *got.Image
			if same.Source != expect.source || same.Digest != expect.digest || same.Reference != reference {
				t.Errorf("source %q digest %q reference %q, want %+v", same.Source, same.Digest, same.Reference, expect)
			}
			same.Name, same.Source, same.Digest, same.Reference = want.Image.Name, want.Image.Source, want.Image.Digest, want.Image.Reference
			if diff := cmp.Diff(*want.Image, same); diff != "" {
				t.Errorf("image differs from the one of the layout (-layout +this):\n%s", diff)
			}
		})
	}
	left, err := filepath.Glob(filepath.Join(dir, "portcullis-*"))
	must(t, err)
	if len(left) != 0 {
		t.Errorf("temporary files left behind: %v", left)
	}
}

func TestPlatformIsChosenFromAnIndex(t *testing.T) {
	reg := imagetest.NewRegistry()
	defer reg.Close()
	var all []v1.Image
	for _, p := range []string{"linux/s390x", "linux/arm/v6", "linux/arm/v7", "linux/arm64", hostPlatform} {
		all = append(all, build(t, imagetest.New().Platform(p).Layer("ADD x /", imagetest.Text("p", p))))
	}
	index, err := imagetest.Index(all...)
	must(t, err)
	ref, err := reg.PushIndex("multi:1", index)
	must(t, err)
	indexDigest, err := index.Digest()
	must(t, err)
	for platform, want := range map[string]string{"": hostPlatform, "linux/s390x": "linux/s390x", "linux/arm/v7": "linux/arm/v7", "linux/arm64/v8": "linux/arm64"} {
		got, err := open(t, target.Request{Reference: ref, Platform: platform}, target.Environment{})
		if err != nil {
			t.Errorf("platform %q: %v", platform, err)
			continue
		}
		if got.Image.Platform != want || got.Image.IndexDigest != indexDigest.String() {
			t.Errorf("platform %q: got %s of index %s, want %s of %s", platform, got.Image.Platform, got.Image.IndexDigest, want, indexDigest)
		}
	}
	_, err = open(t, target.Request{Reference: ref, Platform: "linux/riscv64"}, target.Environment{})
	expectError(t, err, exit.NotExamined, "linux/s390x")
	_, err = open(t, target.Request{Reference: ref, Platform: "riscv64"}, target.Environment{})
	expectError(t, err, exit.Usage, "os/architecture")
}

func TestAllImagesOfAnIndexAreOpened(t *testing.T) {
	var all []v1.Image
	for _, p := range []string{"linux/amd64", "linux/arm/v7", "linux/arm64"} {
		all = append(all, build(t, imagetest.New().Platform(p).Layer("ADD x /", imagetest.Text("p", p))))
	}
	inner, err := imagetest.Index(all[1:]...)
	must(t, err)
	index := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: all[0], Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}},
		mutate.IndexAddendum{Add: inner}, mutate.IndexAddendum{Add: all[0]},
		mutate.IndexAddendum{Add: build(t, imagetest.New()), Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "unknown", Architecture: "unknown"}}})
	want, err := index.Digest()
	must(t, err)
	reg := imagetest.NewRegistry()
	defer reg.Close()
	ref, err := reg.PushIndex("multi:1", index)
	must(t, err)
	dir := filepath.Join(t.TempDir(), "multi")
	must(t, imagetest.WriteIndexLayout(dir, "1", index))
	for _, reference := range []string{ref, "oci:" + dir} {
		targets, err := target.OpenAll(context.Background(), target.Request{Reference: reference, Platform: target.AllPlatforms}, quick(target.Environment{}))
		must(t, err)
		var have []string
		for _, open := range targets {
			have = append(have, open.Image.Platform)
			if open.Image.IndexDigest != want.String() || open.Image.Reference != reference {
				t.Errorf("%s: index %s", reference, open.Image.IndexDigest)
			}
			body, err := open.Layers[0].Open(context.Background())
			must(t, err)
			must(t, body.Close())
			must(t, open.Close()) // the others stay open
		}
		if diff := cmp.Diff([]string{"linux/amd64", "linux/arm/v7", "linux/arm64"}, have); diff != "" {
			t.Errorf("%s (-want +got):\n%s", reference, diff)
		}
	}
	_, err = target.Open(context.Background(), target.Request{Reference: ref, Platform: target.AllPlatforms}, target.Environment{})
	expectError(t, err, exit.Usage, "one image")

	// One that is missing leaves the others, and is told.
	digest, err := all[0].Digest()
	must(t, err)
	must(t, os.Remove(filepath.Join(dir, "blobs", "sha256", digest.Hex)))
	targets, err := target.OpenAll(context.Background(), target.Request{Reference: "oci:" + dir, Platform: target.AllPlatforms}, target.Environment{})
	expectError(t, err, exit.NotExamined, digest.Hex)
	if len(targets) != 2 {
		t.Errorf("%d others, want 2", len(targets))
	}
	for _, open := range targets {
		must(t, open.Close())
	}
}

func TestAnIndexWithoutEndIsRefused(t *testing.T) {
	var adds []mutate.IndexAddendum
	for i := range 65 {
		adds = append(adds, mutate.IndexAddendum{Add: build(t, imagetest.New().Layer("ADD x /", imagetest.Text("n", strconv.Itoa(i))))})
	}
	dir := filepath.Join(t.TempDir(), "many")
	must(t, imagetest.WriteIndexLayout(dir, "1", mutate.AppendManifests(empty.Index, adds...)))
	_, err := target.OpenAll(context.Background(), target.Request{Reference: "oci:" + dir, Platform: target.AllPlatforms}, target.Environment{})
	expectError(t, err, exit.NotExamined, "more than 64")
}

func expectError(t testing.TB, err error, code exit.Code, text string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if exit.CodeOf(err) != code {
		t.Errorf("error %q has exit code %d, want %d", err, exit.CodeOf(err), code)
	}
	if !strings.Contains(err.Error(), text) {
		t.Errorf("error %q does not contain %q", err, text)
	}
	if code == exit.Usage && exit.HintOf(err) == "" {
		t.Errorf("error %q has no hint", err)
	}
}

func TestOpenRefusesBadReferences(t *testing.T) {
	dir := t.TempDir()
	noise, empty := filepath.Join(dir, "noise"), filepath.Join(dir, "empty")
	must(t, os.WriteFile(noise, []byte(strings.Repeat("noise", 1000)), 0o600))
	must(t, os.WriteFile(empty, nil, 0o600))
	gz := filepath.Join(dir, "image.tar.gz")
	must(t, os.WriteFile(gz, []byte("\x1f\x8b\x08\x00rest"), 0o600))
	for reference, expect := range map[string]struct {
		code exit.Code
		text string
	}{
		"":                           {exit.Usage, "no image reference"},
		"  ":                         {exit.Usage, "no image reference"},
		"oci:":                       {exit.Usage, "nothing follows"},
		"UPPER/case":                 {exit.Usage, "could not parse"},
		"registry:a b":               {exit.Usage, "image reference"},
		dir:                          {exit.NotExamined, "oci-layout"},
		noise:                        {exit.NotExamined, "not an image archive"},
		empty:                        {exit.NotExamined, "not an image archive"},
		gz:                           {exit.NotExamined, "compressed as a whole"},
		"oci:" + dir + "/missing":    {exit.NotExamined, "missing"},
		"docker-archive:" + noise:    {exit.NotExamined, "read archive"},
		"oci-archive:" + dir + "/no": {exit.NotExamined, "no such file"},
		"daemon:x":                   {exit.NotExamined, "daemon"},
	} {
		t.Run(reference, func(t *testing.T) {
			env := target.Environment{Getenv: func(name string) string {
				return map[string]string{"DOCKER_HOST": "unix://" + dir + "/no.sock"}[name]
			}}
			_, err := open(t, target.Request{Reference: reference}, env)
			expectError(t, err, expect.code, expect.text)
		})
	}
	_, err := open(t, target.Request{Reference: "127.0.0.1:1/a:1", Offline: true}, target.Environment{})
	expectError(t, err, exit.NotExamined, "network is switched off")
}

func TestLayoutWithSeveralImagesNeedsAName(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "several")
	one, two := sample(t, "one"), sample(t, "two")
	must(t, imagetest.WriteLayout(dir, "one", one))
	must(t, imagetest.WriteLayout(dir, "two", two))
	_, err := open(t, target.Request{Reference: dir}, target.Environment{})
	expectError(t, err, exit.NotExamined, "2 images")
	_, err = open(t, target.Request{Reference: dir + ":three"}, target.Environment{})
	expectError(t, err, exit.NotExamined, "")
	got, err := open(t, target.Request{Reference: "oci:" + dir + ":two"}, target.Environment{})
	must(t, err)
	id, err := two.ConfigName()
	must(t, err)
	if got.Image.ID != id.String() {
		t.Errorf("id = %s, want that of the second image %s", got.Image.ID, id)
	}
}

func TestAlteredLayoutsAreRefused(t *testing.T) {
	flip := func(t *testing.T, file string) {
		data, err := os.ReadFile(file)
		must(t, err)
		data[len(data)/2] ^= 1
		must(t, os.WriteFile(file, data, 0o600))
	}
	blobOf := func(h v1.Hash) string { return filepath.Join("blobs", "sha256", h.Hex) }
	for name, alter := range map[string]func(t *testing.T, dir string, img v1.Image){
		"a changed manifest": func(t *testing.T, dir string, img v1.Image) {
			h, err := img.Digest()
			must(t, err)
			flip(t, filepath.Join(dir, blobOf(h)))
		},
		"a changed configuration": func(t *testing.T, dir string, img v1.Image) {
			h, err := img.ConfigName()
			must(t, err)
			flip(t, filepath.Join(dir, blobOf(h)))
		},
		"a changed layer": func(t *testing.T, dir string, img v1.Image) {
			ls, err := img.Layers()
			must(t, err)
			h, err := ls[0].Digest()
			must(t, err)
			flip(t, filepath.Join(dir, blobOf(h)))
		},
		"a missing layer": func(t *testing.T, dir string, img v1.Image) {
			ls, err := img.Layers()
			must(t, err)
			h, err := ls[1].Digest()
			must(t, err)
			must(t, os.Remove(filepath.Join(dir, blobOf(h))))
		},
		"a layer that is a link to another file": func(t *testing.T, dir string, img v1.Image) {
			ls, err := img.Layers()
			must(t, err)
			h, err := ls[1].Digest()
			must(t, err)
			file := filepath.Join(dir, blobOf(h))
			must(t, os.Rename(file, file+"-moved"))
			must(t, os.Symlink(file+"-moved", file))
		},
		"no oci-layout": func(t *testing.T, dir string, _ v1.Image) { must(t, os.Remove(filepath.Join(dir, "oci-layout"))) },
		"an empty index": func(t *testing.T, dir string, _ v1.Image) {
			must(t, os.WriteFile(filepath.Join(dir, "index.json"), []byte(`{"schemaVersion":2,"manifests":[]}`), 0o600))
		},
		"a digest that is a path": func(t *testing.T, dir string, img v1.Image) {
			replaceInIndex(t, dir, img, "sha256:../../../../etc/passwd")
		},
		"an unknown digest algorithm": func(t *testing.T, dir string, img v1.Image) {
			replaceInIndex(t, dir, img, "sha512:"+strings.Repeat("a", 128))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "image")
			img := sample(t, name)
			must(t, imagetest.WriteLayout(dir, "v1", img))
			alter(t, dir, img)
			_, err := open(t, target.Request{Reference: "oci:" + dir}, target.Environment{})
			expectError(t, err, exit.NotExamined, "")
		})
	}
}

func replaceInIndex(t *testing.T, dir string, img v1.Image, digest string) {
	t.Helper()
	h, err := img.Digest()
	must(t, err)
	file := filepath.Join(dir, "index.json")
	data, err := os.ReadFile(file)
	must(t, err)
	must(t, os.WriteFile(file, []byte(strings.ReplaceAll(string(data), h.String(), digest)), 0o600))
}

func TestDockerArchiveIsRefusedWhenAmbiguous(t *testing.T) {
	dir := t.TempDir()
	config := `{"architecture":"` + runtime.GOARCH + `","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}`
	entry := func(tag string) string { return fmt.Sprintf(`{"Config":"c.json","RepoTags":[%q],"Layers":[]}`, tag) }
	write := func(name string, files ...imagetest.File) string {
		data, err := imagetest.Tar(files...)
		must(t, err)
		file := filepath.Join(dir, name)
		must(t, os.WriteFile(file, data, 0o600))
		return file
	}
	two := write("two.tar", imagetest.Text("c.json", config), imagetest.Text("d.json", config+" "),
		imagetest.Text("manifest.json", "["+entry("a:1")+","+strings.Replace(entry("b:1"), "c.json", "d.json", 1)+"]"))
	_, err := open(t, target.Request{Reference: two}, target.Environment{})
	expectError(t, err, exit.NotExamined, "2 images: a:1, b:1")
	if _, err := open(t, target.Request{Reference: "docker-archive:" + two + ":b:1"}, target.Environment{}); err != nil {
		t.Errorf("one image named: %v", err)
	}
	for name, files := range map[string][]imagetest.File{
		"two manifests":     {imagetest.Text("c.json", config), imagetest.Text("manifest.json", "["+entry("a:1")+"]"), imagetest.Text("manifest.json", "["+entry("b:1")+"]")},
		"traversal":         {imagetest.Text("manifest.json", `[{"Config":"../../../etc/hostname","RepoTags":["a:1"],"Layers":[]}]`)},
		"names outside":     {imagetest.Text("../c.json", config), imagetest.Text("manifest.json", "["+entry("a:1")+"]")},
		"link as layer":     {imagetest.Text("c.json", strings.Replace(config, "[]", `["sha256:`+strings.Repeat("a", 64)+`"]`, 1)), imagetest.Symlink("l.tar", "/etc/passwd"), imagetest.Text("manifest.json", `[{"Config":"c.json","RepoTags":["a:1"],"Layers":["l.tar"]}]`)},
		"wrong config name": {imagetest.Text(strings.Repeat("a", 64)+".json", config), imagetest.Text("manifest.json", `[{"Config":"`+strings.Repeat("a", 64)+`.json","RepoTags":["a:1"],"Layers":[]}]`)},
		"count of layers":   {imagetest.Text("c.json", strings.Replace(config, "[]", `["sha256:`+strings.Repeat("a", 64)+`"]`, 1)), imagetest.Text("manifest.json", "["+entry("a:1")+"]")},
		"duplicate keys":    {imagetest.Text("c.json", config), imagetest.Text("manifest.json", `[{"Config":"c.json","Config":"d.json","RepoTags":["a:1"],"Layers":[]}]`)},
		"no image":          {imagetest.Text("manifest.json", `[]`)},
	} {
		_, err := open(t, target.Request{Reference: write("x.tar", files...)}, target.Environment{})
		if err == nil {
			t.Errorf("%s: no error", name)
		} else if exit.CodeOf(err) != exit.NotExamined {
			t.Errorf("%s: exit code %d, want 4: %v", name, exit.CodeOf(err), err)
		}
	}
}

func TestDockerArchiveMayLinkARepeatedLayer(t *testing.T) {
	archive, err := imagetest.Tar(imagetest.Text("a", "1"))
	must(t, err)
	l, err := imagetest.NewLayer(archive, imagetest.None)
	must(t, err)
	id := l.ClaimedDiffID.String()
	config := fmt.Sprintf(`{"architecture":%q,"os":"linux","rootfs":{"type":"layers","diff_ids":[%q,%q]}}`, runtime.GOARCH, id, id)
	data, err := imagetest.Tar(imagetest.Text("c.json", config), imagetest.File{Path: "one/layer.tar", Body: archive}, imagetest.Symlink("two/layer.tar", "../one/layer.tar"),
		imagetest.Text("manifest.json", `[{"Config":"c.json","RepoTags":["a:1"],"Layers":["one/layer.tar","two/layer.tar"]}]`))
	must(t, err)
	file := filepath.Join(t.TempDir(), "image.tar")
	must(t, os.WriteFile(file, data, 0o600))
	if _, err := open(t, target.Request{Reference: file}, target.Environment{}); err != nil {
		t.Error(err)
	}
}

func TestHostileManifestsAreRefused(t *testing.T) {
	digest := func(text string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(text))) }
	layer := func(i int) string {
		return fmt.Sprintf(`{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:%064d","size":1}`, i)
	}
	deep := `{"architecture":"amd64","os":"linux","x":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`
	manifest := func(config string, layers ...string) string {
		return fmt.Sprintf(`{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":%q,"size":%d},"layers":[%s]}`, digest(config), len(config), strings.Join(layers, ","))
	}
	index := func(of string) string {
		return fmt.Sprintf(`{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.index.v1+json","digest":%q,"size":%d}]}`, digest(of), len(of))
	}
	plain := `{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}`
	nested := []string{manifest(plain)}
	for range 20 {
		nested = append(nested, index(nested[len(nested)-1]))
	}
	var many []string
	for i := range 20_000 {
		many = append(many, layer(i))
	}
	for name, tc := range map[string]struct {
		blobs []string
		text  string
	}{
		"indexes nested 20 deep":               {append(nested, plain), "nested"},
		"20,000 layers":                        {[]string{manifest(plain, many...), plain}, "layers"},
		"a configuration nested deep":          {[]string{manifest(deep), deep}, "nested"},
		"a manifest of 5 MiB":                  {[]string{manifest(plain) + strings.Repeat(" ", 5<<20), plain}, "more than"},
		"an index that names itself":           {[]string{strings.Replace(index(""), digest(""), "sha256:"+strings.Repeat("a", 64), 1)}, ""},
		"an image without layers for diff ids": {[]string{manifest(strings.Replace(plain, "[]", `["sha256:`+strings.Repeat("a", 64)+`"]`, 1)), strings.Replace(plain, "[]", `["sha256:`+strings.Repeat("a", 64)+`"]`, 1)}, "diff ids"},
		"a helm chart":                         {[]string{manifest("{}", `{"mediaType":"application/vnd.cncf.helm.chart.content.v1.tar+gzip","digest":"`+digest("")+`","size":0}`), "{}"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			must(t, os.MkdirAll(filepath.Join(dir, "blobs", "sha256"), 0o755))
			for _, b := range tc.blobs {
				must(t, os.WriteFile(filepath.Join(dir, "blobs", "sha256", strings.TrimPrefix(digest(b), "sha256:")), []byte(b), 0o600))
			}
			root := tc.blobs[0]
			if name == "indexes nested 20 deep" {
				root = nested[len(nested)-1]
			}
			mediaType := "application/vnd.oci.image.manifest.v1+json"
			if strings.Contains(root, `"manifests"`) {
				mediaType = "application/vnd.oci.image.index.v1+json"
			}
			must(t, os.WriteFile(filepath.Join(dir, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o600))
			must(t, os.WriteFile(filepath.Join(dir, "index.json"), fmt.Appendf(nil, `{"schemaVersion":2,"manifests":[{"mediaType":%q,"digest":%q,"size":%d}]}`, mediaType, digest(root), len(root)), 0o600))
			_, err := open(t, target.Request{Reference: "oci:" + dir}, target.Environment{})
			expectError(t, err, exit.NotExamined, tc.text)
		})
	}
}

func TestRootFSIsReadAsOneLayerAndStaysInside(t *testing.T) {
	dir := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, "etc"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "etc", "hostname"), []byte("inside\n"), 0o600))
	must(t, os.Symlink("/etc/passwd", filepath.Join(dir, "etc", "passwd")))
	got, err := target.OpenRootFS(t.Context(), dir)
	must(t, err)
	defer func() { must(t, got.Close()) }()
	x, err := layers.Read(t.Context(), got.Layers, layers.Selector{Keep: func(string, uint32, int64) bool { return true }}, layers.Limits{})
	must(t, err)
	defer func() { _ = x.Close() }()
	c, err := x.Open(t.Context(), x.Resolve("/etc/hostname", true))
	must(t, err)
	data, err := io.ReadAll(c)
	must(t, err)
	if string(data) != "inside\n" {
		t.Errorf("hostname = %q", data)
	}
	if e := x.Resolve("/etc/passwd", true); e != nil {
		t.Errorf("a link to the host's /etc/passwd resolves to %+v", e)
	}
	_, err = target.OpenRootFS(t.Context(), filepath.Join(dir, "missing"))
	expectError(t, err, exit.NotExamined, "missing")
	_, err = target.OpenRootFS(t.Context(), t.TempDir())
	expectError(t, err, exit.NotExamined, "empty")
	_, err = target.OpenSBOM(t.Context(), dir)
	expectError(t, err, exit.NotExamined, "not a regular file")
}

func TestOpenHonoursTheContext(t *testing.T) {
	reg := imagetest.NewRegistry()
	defer reg.Close()
	ref, err := reg.Push("a:1", sample(t, "x"))
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := target.Open(ctx, target.Request{Reference: ref}, quick(target.Environment{})); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want context canceled", err)
	}
}
