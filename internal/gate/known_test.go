package gate

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/cache"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/layers"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// An image that is known from the cache has the findings of one that is new:
// files that a package brought without a digest, and ones that a later layer
// removed, are still the package's.
func TestAKnownImageHasTheFindingsOfANewOne(t *testing.T) {
	const key = "-----BEGIN EC PRIVATE KEY-----\n" +
		"MHcCAQEEIIrYSSNQFaA2Hwf1duRSxKtLYX5CB04fSeQ6tF1aY/PuoAoGCCqGSM49\n" +
		"AwEHoUQDQgAEPR3tU2Fta9ktY+6P9G0cWO+0kETA6SFs38GecTyudlHz6xvCdz8q\n" +
		"EKTcWGekdmdDPsHloRNtsiCa697B2O9IFA==\n-----END EC PRIVATE KEY-----\n"
	tool := imagetest.Package{Name: "tool", Version: "1", Files: []string{"/usr/share/tool/kept.pem", "/usr/share/tool/removed.pem"}}
	files := imagetest.Alpine("3.20.1", tool)
	for _, name := range append(tool.Files, "/usr/share/tool/foreign.pem", "/usr/share/tool/foreign-removed.pem") {
		files = append(files, imagetest.Text(strings.TrimPrefix(name, "/"), key))
	}
	img, err := imagetest.New().Layer("ADD rootfs /", files...).
		Layer("RUN rm", imagetest.Text("usr/share/tool/.wh.removed.pem", ""), imagetest.Text("usr/share/tool/.wh.foreign-removed.pem", "")).Image()
	if err != nil {
		t.Fatal(err)
	}
	layout := t.TempDir()
	if err := imagetest.WriteLayout(layout, "", img); err != nil {
		t.Fatal(err)
	}
	kept, err := cache.Open(t.TempDir(), 1<<30, func(string, ...any) {})
	if err != nil {
		t.Fatal(err)
	}
	paths := func(c layers.Cache) []string {
		env := environment(t, nil)
		if c != nil {
			env.Cache, env.Build = c, "test"
		}
		result, err := Run(t.Context(), Request{Image: target.Request{Reference: "oci:" + layout}, SkipVulnerabilities: true}, env)
		if err != nil || len(result.Outcome.Failures) > 0 {
			t.Fatalf("%v, %+v", err, result.Outcome.Failures)
		}
		var out []string
		for _, f := range result.Outcome.Findings {
			if f.Kind == finding.Secret {
				out = append(out, f.Locations[0].Path)
			}
		}
		return out
	}
	want := []string{"/usr/share/tool/foreign-removed.pem", "/usr/share/tool/foreign.pem"}
	for _, run := range []struct {
		name  string
		cache layers.Cache
	}{{"without a cache", nil}, {"new", kept}, {"known", kept}} {
		if diff := cmp.Diff(want, paths(run.cache)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", run.name, diff)
		}
	}
}
