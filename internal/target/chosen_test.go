package target_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/target"
)

func sha(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }

// bare is the configuration of an image without layers.
func bare(marker string) string {
	return `{"architecture":"amd64","os":"linux","config":{"Labels":{"marker":"` + marker + `"}},"rootfs":{"type":"layers","diff_ids":[]}}`
}

// writeTar writes an archive and returns its path.
func writeTar(t *testing.T, files ...imagetest.File) string {
	t.Helper()
	data, err := imagetest.Tar(files...)
	must(t, err)
	path := filepath.Join(t.TempDir(), "image.tar")
	must(t, os.WriteFile(path, data, 0o600))
	return path
}

// saved is an archive as docker save writes it: each image is the marker of its
// configuration, a colon and its names as JSON.
func saved(t *testing.T, images ...string) string {
	t.Helper()
	var entries []string
	files := map[string]imagetest.File{}
	for _, image := range images {
		marker, names, _ := strings.Cut(image, ":")
		file := sha(bare(marker)) + ".json"
		files[file] = imagetest.Text(file, bare(marker))
		entries = append(entries, fmt.Sprintf(`{"Config":%q,"RepoTags":%s,"Layers":[]}`, file, names))
	}
	all := []imagetest.File{imagetest.Text("manifest.json", "["+strings.Join(entries, ",")+"]")}
	for _, file := range files {
		all = append(all, file)
	}
	return writeTar(t, all...)
}

// expectMarker opens an image and compares its marker, or the error.
func expectMarker(t *testing.T, reference, want, fault string) *target.Target {
	t.Helper()
	got, err := open(t, target.Request{Reference: reference}, target.Environment{})
	if fault != "" {
		expectError(t, err, exit.NotExamined, fault)
		return nil
	}
	must(t, err)
	if marker := got.Image.Config.Labels["marker"]; marker != want {
		t.Errorf("image %q, want %q", marker, want)
	}
	return got
}

func TestOneOfSeveralImagesInADockerArchiveIsNamed(t *testing.T) {
	id := "sha256:" + sha(bare("b"))
	for name, tt := range map[string]struct {
		images            []string
		selector          string
		want, fault, hint string
	}{
		"by its name":                     {[]string{`a:["shop/a:1"]`, `b:["shop/b:1"]`}, ":shop/b:1", "b", "", ""},
		"by a name without a tag":         {[]string{`a:["shop/a:latest"]`, `b:["shop/b:latest"]`}, ":shop/b", "b", "", ""},
		"by a name of Docker Hub":         {[]string{`a:["docker.io/library/a:1"]`, `b:["docker.io/library/b:1"]`}, ":b:1", "b", "", ""},
		"not by a tag alone":              {[]string{`a:["a:latest"]`, `b:["b:latest"]`}, ":latest", "", "only a:latest, b:latest", "name one of them"},
		"by its id where it has no name":  {[]string{`a:null`, `b:null`}, "@" + id, "b", "", ""},
		"of which the ids are told":       {[]string{`a:null`, `b:null`}, "", "", "@" + id, "PATH@ID"},
		"by an id that is not there":      {[]string{`a:["a:1"]`, `c:null`}, "@" + id, "", "no image \"" + id, "PATH@ID"},
		"which is only one of two names":  {[]string{`b:["b:1"]`, `b:["b:latest"]`}, "", "b", "", ""},
		"by a name that two of them have": {[]string{`a:["x:1"]`, `b:["x:1"]`}, ":x:1", "", "2 images are named", "name one of them"},
	} {
		t.Run(name, func(t *testing.T) {
			reference := saved(t, tt.images...) + tt.selector
			got := expectMarker(t, reference, tt.want, tt.fault)
			if _, err := open(t, target.Request{Reference: reference}, target.Environment{}); !strings.Contains(exit.HintOf(err), tt.hint) {
				t.Errorf("hint %q, want %q", exit.HintOf(err), tt.hint)
			}
			if strings.HasPrefix(name, "which is only one") {
				if diff := cmp.Diff([]string{"b:1", "b:latest"}, got.Tags); diff != "" {
					t.Errorf("names (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestOneOfSeveralImagesInALayoutIsNamed(t *testing.T) {
	marked := func(marker string) v1.Image {
		return build(t, imagetest.New().Platform(hostPlatform).Layer("ADD x /", imagetest.Text("x", marker)).
			Config(func(c *v1.Config) { c.Labels = map[string]string{"marker": marker} }))
	}
	write := func(t *testing.T, tags ...string) string {
		dir := filepath.Join(t.TempDir(), "layout")
		for _, tag := range tags {
			marker, tag, _ := strings.Cut(tag, "=")
			must(t, imagetest.WriteLayout(dir, tag, marked(marker)))
		}
		return dir
	}
	t.Run("a name that two have is not enough", func(t *testing.T) {
		expectMarker(t, "oci:"+write(t, "a=latest", "b=latest")+":latest", "", `2 images are named "latest"`)
	})
	t.Run("an image may have two names", func(t *testing.T) {
		dir := write(t, "a=1", "a=latest")
		got := expectMarker(t, "oci:"+dir, "a", "")
		if diff := cmp.Diff([]string{"1", "latest"}, got.Tags); diff != "" {
			t.Errorf("names (-want +got):\n%s", diff)
		}
		expectMarker(t, "oci:"+dir+":latest", "a", "")
	})
	t.Run("a name may be short", func(t *testing.T) {
		dir := write(t, "a=docker.io/library/a:latest", "b=docker.io/library/b:latest")
		expectMarker(t, "oci:"+dir+":b", "b", "")
		expectMarker(t, "oci:"+dir+":latest", "", "there is no image")
	})
}

func TestAnArchiveWithTwoListsOfImagesHasTheSameInBoth(t *testing.T) {
	manifest := func(marker string) string {
		return fmt.Sprintf(`{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%d},"layers":[]}`, sha(bare(marker)), len(bare(marker)))
	}
	index := func(manifests ...string) string {
		var entries []string
		for _, m := range manifests {
			entries = append(entries, fmt.Sprintf(`{"digest":"sha256:%s","size":%d,"platform":{"os":"linux","architecture":"amd64"}}`, sha(m), len(m)))
		}
		return `{"schemaVersion":2,"manifests":[` + strings.Join(entries, ",") + `]}`
	}
	blob := func(body string) imagetest.File { return imagetest.Text("blobs/sha256/"+sha(body), body) }
	docker := func(marker string) imagetest.File {
		return imagetest.Text("manifest.json", fmt.Sprintf(`[{"Config":"blobs/sha256/%s","RepoTags":["a:1"],"Layers":[]}]`, sha(bare(marker))))
	}
	missing := manifest("of another platform")
	layout, a, b := imagetest.Text("oci-layout", `{"imageLayoutVersion":"1.0.0"}`), manifest("a"), manifest("b")
	nested := index(a, missing)
	for name, tt := range map[string]struct {
		files []imagetest.File
		fault string
	}{
		"the same":               {[]imagetest.File{layout, imagetest.Text("index.json", index(a)), blob(a), blob(bare("a")), docker("a")}, ""},
		"the same in an index":   {[]imagetest.File{layout, imagetest.Text("index.json", index(nested)), blob(nested), blob(a), blob(bare("a")), docker("a")}, ""},
		"another":                {[]imagetest.File{layout, imagetest.Text("index.json", index(a)), blob(a), blob(b), blob(bare("a")), blob(bare("b")), docker("b")}, "ambiguous: manifest.json holds the image sha256:" + sha(bare("b"))},
		"a configuration alone":  {[]imagetest.File{layout, imagetest.Text("index.json", index(a)), blob(a), blob(bare("a")), docker("b")}, "configuration in manifest.json"},
		"a list that is no list": {[]imagetest.File{layout, imagetest.Text("index.json", index(a)), blob(a), blob(bare("a")), imagetest.Text("manifest.json", "{")}, "manifest.json"},
		"one list":               {[]imagetest.File{layout, imagetest.Text("index.json", index(a)), blob(a), blob(bare("a"))}, ""},
	} {
		t.Run(name, func(t *testing.T) { expectMarker(t, writeTar(t, tt.files...), "a", tt.fault) })
	}
}

func TestArchivesThatCannotBeReadAreToldByTheirKind(t *testing.T) {
	for name, tt := range map[string]struct{ head, fault, hint string }{
		"gzip":  {"\x1f\x8b\x08\x00", "gzip -d", "unpack it"},
		"zstd":  {"\x28\xb5\x2f\xfd", "zstd -d", "unpack it"},
		"bzip2": {"BZh91AY", "bzip2 -d", "unpack it"},
		"xz":    {"\xfd7zXZ\x00", "xz -d", "unpack it"},
		"SBOM":  {`{"bomFormat":"CycloneDX"}`, "archive", "for an SBOM --sbom"},
	} {
		file := filepath.Join(t.TempDir(), "image")
		must(t, os.WriteFile(file, []byte(tt.head+strings.Repeat(" ", 2000)), 0o600))
		for _, scheme := range []string{"", "docker-archive:", "oci-archive:"} {
			_, err := open(t, target.Request{Reference: scheme + file}, target.Environment{})
			expectError(t, err, exit.NotExamined, tt.fault)
			if hint := exit.HintOf(err); !strings.Contains(hint, tt.hint) && (scheme == "" || name != "SBOM") {
				t.Errorf("%s %s: hint %q, want %q", scheme, name, hint, tt.hint)
			}
		}
	}
	_, err := open(t, target.Request{Reference: writeTar(t, imagetest.Text("repositories", "{}"), imagetest.Text("abc/layer.tar", ""))}, target.Environment{})
	expectError(t, err, exit.NotExamined, "before version 1.10")
}

// Docker writes an image of several platforms with all of them in index.json and
// the one of its machine in manifest.json.
func TestAPlatformOfAnImageThatDockerSavedIsTheNamedOne(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "layout")
	amd, arm := entry(t, "linux/amd64", "linux/amd64", "amd"), entry(t, "linux/arm64", "linux/arm64", "arm")
	must(t, imagetest.WriteIndexLayout(dir, "1", mutate.AppendManifests(empty.Index, amd, arm)))
	files, err := imagetest.Directory(dir)
	must(t, err)
	img := amd.Add.(v1.Image)
	config, err := img.ConfigName()
	must(t, err)
	ls, err := img.Layers()
	must(t, err)
	layer, err := ls[0].Digest()
	must(t, err)
	path := writeTar(t, append(files, imagetest.Text("manifest.json",
		fmt.Sprintf(`[{"Config":"blobs/sha256/%s","RepoTags":["shop/web:1"],"Layers":["blobs/sha256/%s"]}]`, config.Hex, layer.Hex)))...)
	data, err := os.ReadFile(path)
	must(t, err)
	env := exporting(t, func(w http.ResponseWriter) { _, _ = w.Write(data) })
	for reference, name := range map[string]string{"daemon:shop/web:1": "shop/web", "docker-archive:" + path: "image", path: "image"} {
		for platform, want := range map[string]string{"linux/arm64": "arm", "linux/amd64": "amd", "all": "amd arm", "linux/s390x": "only for linux/amd64, linux/arm64"} {
			targets, err := target.OpenAll(t.Context(), target.Request{Reference: reference, Platform: platform}, env)
			if err != nil {
				expectError(t, err, exit.NotExamined, want)
				continue
			}
			var got []string
			for _, open := range targets {
				got = append(got, open.Image.Config.Labels["marker"])
				if open.Name != name {
					t.Errorf("%s: name %q, want %q", reference, open.Name, name)
				}
				must(t, open.Close())
			}
			if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
				t.Errorf("%s for %s (-want +got):\n%s", reference, platform, diff)
			}
		}
	}
	// What runs on the daemon's machine is what it would run.
	if got, err := open(t, target.Request{Reference: "daemon:shop/web:1"}, env); err != nil || got.Image.Config.Labels["marker"] != "amd" {
		t.Errorf("%v, %v", got, err)
	}
}
