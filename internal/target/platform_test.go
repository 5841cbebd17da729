package target_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// entry is one of an index, for the image that its label marker names.
func entry(t *testing.T, named, config, marker string) mutate.IndexAddendum {
	t.Helper()
	add := mutate.IndexAddendum{Add: build(t, imagetest.New().Platform(config).Layer("ADD x /", imagetest.Text("x", marker)).
		Config(func(c *v1.Config) { c.Labels = map[string]string{"marker": marker} }))}
	if named != "" {
		platform, err := v1.ParsePlatform(named)
		must(t, err)
		add.Descriptor.Platform = platform
	}
	return add
}

// below is an index in an index, of which nothing says what it is for.
func below(adds ...mutate.IndexAddendum) mutate.IndexAddendum {
	return mutate.IndexAddendum{Add: mutate.AppendManifests(empty.Index, adds...)}
}

func annotated(add mutate.IndexAddendum) mutate.IndexAddendum {
	add.Descriptor.Annotations = map[string]string{"vnd.docker.reference.type": "attestation-manifest"}
	return add
}

func TestTheImageOfAnIndexThatRunsIsTheOneThatIsTaken(t *testing.T) {
	plain := func(platform string) mutate.IndexAddendum { return entry(t, platform, platform, platform) }
	older := []mutate.IndexAddendum{plain("linux/arm/v5"), plain("linux/arm/v6")}
	micro := []mutate.IndexAddendum{plain("linux/amd64/v3"), plain("linux/amd64/v2")}
	windows := []mutate.IndexAddendum{
		entry(t, "windows/amd64:10.0.17763.1", "windows/amd64", "2019"), entry(t, "windows/amd64:10.0.20348.2", "windows/amd64", "2022"),
	}
	for name, tt := range map[string]struct {
		index    []mutate.IndexAddendum
		platform string
		want     string // marker, or the text of an error
	}{
		"of arm without a variant, v7":         {append(older[:2:2], plain("linux/arm/v7")), "linux/arm", "linux/arm/v7"},
		"without v7, the newest older one":     {older, "linux/arm", "linux/arm/v6"},
		"arm for v7, as none is v7":            {[]mutate.IndexAddendum{plain("linux/arm/v5"), plain("linux/arm")}, "linux/arm/v7", "linux/arm"},
		"no other variant than the named one":  {older, "linux/arm/v7", "linux/arm/v6"},
		"not an older one of a named variant":  {older[1:], "linux/arm/v5", "no image for linux/arm/v5, only for linux/arm/v6"},
		"the plain one, not an earlier amd64":  {append(micro[:1:1], plain("linux/amd64")), "linux/amd64", "linux/amd64"},
		"the plain one for v1":                 {append(micro[:1:1], plain("linux/amd64")), "linux/amd64/v1", "linux/amd64"},
		"a variant where it is the only one":   {micro[:1], "linux/amd64", "linux/amd64/v3"},
		"none of several without a usual one":  {micro, "linux/amd64", "several images for linux/amd64: linux/amd64/v2, linux/amd64/v3"},
		"arm64 for v8":                         {[]mutate.IndexAddendum{plain("linux/arm64")}, "linux/arm64/v8", "linux/arm64"},
		"v8 for arm64":                         {[]mutate.IndexAddendum{plain("linux/arm64/v8")}, "linux/arm64", "linux/arm64/v8"},
		"what uname calls it":                  {[]mutate.IndexAddendum{plain("linux/arm64/v8")}, "linux/aarch64", "linux/arm64/v8"},
		"a variant that only the index names":  {[]mutate.IndexAddendum{entry(t, "linux/arm/v6", "linux/arm", "six")}, "linux/arm/v6", "six"},
		"another machine than the index says":  {[]mutate.IndexAddendum{entry(t, "linux/arm64", "linux/amd64", "x")}, "linux/arm64", "the image is for linux/amd64, not for linux/arm64"},
		"the first of two for one platform":    {[]mutate.IndexAddendum{entry(t, "linux/amd64", "linux/amd64", "one"), entry(t, "linux/amd64", "linux/amd64", "two")}, "linux/amd64", "one"},
		"one that its configuration tells":     {[]mutate.IndexAddendum{entry(t, "", "linux/arm64", "a"), entry(t, "", "linux/amd64", "b")}, "linux/amd64", "b"},
		"none that a configuration tells":      {[]mutate.IndexAddendum{entry(t, "", "linux/arm64", "a"), entry(t, "", "linux/amd64", "b")}, "linux/s390x", "only for linux/arm64, linux/amd64"},
		"a named one before an unnamed one":    {[]mutate.IndexAddendum{entry(t, "", "linux/amd64", "a"), entry(t, "linux/amd64", "linux/amd64", "b")}, "linux/amd64", "b"},
		"one behind an index for others":       {[]mutate.IndexAddendum{below(plain("linux/arm64")), plain("linux/amd64")}, "linux/amd64", "linux/amd64"},
		"one in the second index below":        {[]mutate.IndexAddendum{below(plain("linux/arm64")), below(plain("linux/amd64"))}, "linux/amd64", "linux/amd64"},
		"none of any index below":              {[]mutate.IndexAddendum{below(plain("linux/arm64")), below(plain("linux/amd64"))}, "linux/s390x", "only for linux/arm64, linux/amd64"},
		"one that is called an attestation":    {[]mutate.IndexAddendum{annotated(entry(t, "linux/amd64", "linux/amd64", "runs")), entry(t, "linux/amd64", "linux/amd64", "bait")}, "linux/amd64", "runs"},
		"not what is for nothing":              {[]mutate.IndexAddendum{annotated(entry(t, "unknown/unknown", "linux/amd64", "no")), entry(t, "linux/amd64", "linux/amd64", "yes")}, "linux/amd64", "yes"},
		"nothing of attestations alone":        {[]mutate.IndexAddendum{annotated(entry(t, "unknown/unknown", "linux/amd64", "no"))}, "linux/amd64", "it lists no image"},
		"Windows of a version":                 {windows, "windows/amd64:10.0.20348", "2022"},
		"Windows of no version":                {windows, "windows/amd64", "several images for windows/amd64: windows/amd64:10.0.17763.1, windows/amd64:10.0.20348.2"},
		"the only Windows":                     {windows[:1], "windows/amd64", "2019"},
		"all, one called an attestation":       {[]mutate.IndexAddendum{plain("linux/arm64"), annotated(plain("linux/amd64"))}, "all", "linux/arm64, linux/amd64"},
		"all, an attestation that names none":  {[]mutate.IndexAddendum{plain("linux/arm64"), annotated(entry(t, "", "linux/amd64", "no"))}, "all", "linux/arm64"},
		"all by the names that the index has":  {[]mutate.IndexAddendum{entry(t, "linux/arm/v6", "linux/arm", "6"), entry(t, "linux/arm/v7", "linux/arm", "7")}, "all", "linux/arm/v6, linux/arm/v7"},
		"all Windows, each with its version":   {windows, "all", "windows/amd64:10.0.17763.1, windows/amd64:10.0.20348.2"},
		"all, a configuration for other names": {[]mutate.IndexAddendum{entry(t, "linux/arm64", "linux/amd64", "x")}, "all", "linux/amd64"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "index")
			must(t, imagetest.WriteIndexLayout(dir, "1", mutate.AppendManifests(empty.Index, tt.index...)))
			targets, err := target.OpenAll(t.Context(), target.Request{Reference: "oci:" + dir, Platform: tt.platform}, quick(target.Environment{}))
			var got []string
			for _, open := range targets {
				if must(t, open.Close()); tt.platform == target.AllPlatforms {
					got = append(got, open.Image.Platform)
				} else {
					got = append(got, open.Image.Config.Labels["marker"])
				}
			}
			if err != nil {
				if code := exit.CodeOf(err); code != exit.NotExamined || exit.HintOf(err) == "" {
					t.Errorf("exit code %d, hint %q", code, exit.HintOf(err))
				}
				if !strings.Contains(err.Error(), tt.want) {
					t.Errorf("error %q, want %q", err, tt.want)
				}
				return
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, ", ")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What an index lists for a platform is not left out because it is called
// something that is not understood: a runtime might run it.
func TestAnEntryForAPlatformIsNeverLeftOut(t *testing.T) {
	for name, tt := range map[string]struct {
		mediaType      types.MediaType
		platform, want string
	}{
		"of schema 1":               {types.DockerManifestSchema1Signed, "linux/amd64", "schema 1"},
		"of schema 1 among all":     {types.DockerManifestSchema1Signed, "all", "schema 1"},
		"of another type":           {"application/vnd.example.signature", "linux/amd64", "announced as application/vnd.example.signature"},
		"of another type among all": {"application/vnd.example.signature", "all", "announced as application/vnd.example.signature"},
		"of its type":               {types.OCIManifestSchema1, "all", ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "index")
			index := mutate.AppendManifests(empty.Index, entry(t, "linux/amd64", "linux/amd64", "a"), entry(t, "linux/arm64", "linux/arm64", "b"))
			must(t, imagetest.WriteIndexLayout(dir, "1", index))
			manifest, err := index.IndexManifest()
			must(t, err)
			manifest = manifest.DeepCopy()
			manifest.Manifests[0].MediaType = tt.mediaType
			raw, err := json.Marshal(manifest)
			must(t, err)
			digest := fmt.Sprintf("%x", sha256.Sum256(raw))
			must(t, os.WriteFile(filepath.Join(dir, "blobs", "sha256", digest), raw, 0o600))
			must(t, os.WriteFile(filepath.Join(dir, "index.json"), fmt.Appendf(nil, `{"manifests":[{"digest":"sha256:%s","size":%d}]}`, digest, len(raw)), 0o600))
			targets, err := target.OpenAll(t.Context(), target.Request{Reference: "oci:" + dir, Platform: tt.platform}, quick(target.Environment{}))
			for _, open := range targets {
				must(t, open.Close())
			}
			if tt.want != "" {
				expectError(t, err, exit.NotExamined, tt.want)
			} else if must(t, err); len(targets) != 2 {
				t.Errorf("%d images, want 2", len(targets))
			}
		})
	}
}

func TestWhatIsNoImageIsToldAsSuch(t *testing.T) {
	digest := func(text string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(text))) }
	config := func(layers string) string {
		return fmt.Sprintf(`{"architecture":%q,"os":"linux","rootfs":{"type":"layers","diff_ids":[%s]}}`, runtime.GOARCH, layers)
	}
	archive, err := imagetest.Tar(imagetest.Text("etc/hostname", "x"))
	must(t, err)
	whole := config(`"` + digest(string(archive)) + `"`)
	for name, tt := range map[string]struct {
		configType, config, layerType string
		want                          string
	}{
		"a chart":                       {"application/vnd.cncf.helm.config.v1+json", `{"name":"x"}`, "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "helm.config"},
		"a module":                      {"application/vnd.wasm.config.v0+json", `{"architecture":"wasm"}`, "application/wasm", "wasm.config"},
		"files":                         {"application/vnd.oci.empty.v1+json", `{}`, "application/vnd.oci.image.layer.v1.tar", "oci.empty"},
		"an artifact like an image":     {"application/vnd.example.config+json", whole, "application/vnd.oci.image.layer.v1.tar", "example.config"},
		"a signature":                   {"application/vnd.oci.image.config.v1+json", whole, "application/vnd.dev.cosign.simplesigning.v1+json", "simplesigning"},
		"an image":                      {"application/vnd.oci.image.config.v1+json", whole, "application/vnd.oci.image.layer.v1.tar", ""},
		"an image of Docker":            {"application/vnd.docker.container.image.v1+json", whole, "application/vnd.docker.image.rootfs.diff.tar", ""},
		"an image of an early Docker":   {"application/octet-stream", whole, "application/vnd.docker.image.rootfs.diff.tar", ""},
		"an image that says no type":    {"", whole, "application/vnd.oci.image.layer.v1.tar", ""},
		"an image that is not complete": {"application/vnd.oci.image.config.v1+json", config(""), "application/vnd.oci.image.layer.v1.tar", "1 layers, but its configuration has 0 diff ids"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			must(t, os.MkdirAll(filepath.Join(dir, "blobs", "sha256"), 0o755))
			manifest := fmt.Sprintf(`{"schemaVersion":2,"config":{"mediaType":%q,"digest":%q,"size":%d},"layers":[{"mediaType":%q,"digest":%q,"size":%d}]}`,
				tt.configType, digest(tt.config), len(tt.config), tt.layerType, digest(string(archive)), len(archive))
			for _, blob := range []string{manifest, tt.config, string(archive)} {
				must(t, os.WriteFile(filepath.Join(dir, "blobs", "sha256", strings.TrimPrefix(digest(blob), "sha256:")), []byte(blob), 0o600))
			}
			must(t, os.WriteFile(filepath.Join(dir, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o600))
			must(t, os.WriteFile(filepath.Join(dir, "index.json"), fmt.Appendf(nil, `{"manifests":[{"digest":%q,"size":%d}]}`, digest(manifest), len(manifest)), 0o600))
			_, err := open(t, target.Request{Reference: "oci:" + dir}, target.Environment{})
			if tt.want == "" {
				must(t, err)
				return
			}
			expectError(t, err, exit.NotExamined, tt.want)
		})
	}
}
