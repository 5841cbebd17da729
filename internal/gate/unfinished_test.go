package gate

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// Names with tags, digests and paths would make every alert of a report new.
func TestATargetThatCouldNotBeReadIsCalledWhatItIsCalledOtherwise(t *testing.T) {
	env := environment(t, map[string]string{"build/web.tar": "no archive", "other.json": "no sbom"})
	archive := env.Repository.Path("build/web.tar")
	for name, c := range map[string]struct {
		req  Request
		kind outcome.TargetKind
		want string
	}{
		"an archive":             {Request{Image: target.Request{Reference: "docker-archive:" + archive}}, outcome.TargetImage, "web"},
		"an archive with a name": {Request{Image: target.Request{Reference: archive}, Name: "shop/web"}, outcome.TargetImage, "shop/web"},
		"all platforms":          {Request{Image: target.Request{Reference: archive, Platform: target.AllPlatforms}}, outcome.TargetImage, "web"},
		"a directory":            {Request{RootFS: "no/such.json"}, outcome.TargetRootFS, "such"},
		"an SBOM":                {Request{SBOM: "no/such.cdx.json"}, outcome.TargetSBOM, "such.cdx"},
	} {
		result, err := Run(context.Background(), c.req, env)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		unfinished := Unfinished(c.req, errors.New("killed"), time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))
		for when, o := range map[string]outcome.Outcome{"unread": result.Outcome, "unfinished": unfinished} {
			if o.ExitCode != exit.NotExamined || len(o.Failures) == 0 {
				t.Errorf("%s, %s: exit code %d with %d failures", name, when, o.ExitCode, len(o.Failures))
			}
			if len(o.Targets) != 1 || o.Targets[0].Kind != c.kind || o.Targets[0].Name != c.want {
				t.Errorf("%s, %s: targets %+v, want one %s called %q", name, when, o.Targets, c.kind, c.want)
			}
		}
	}
}
