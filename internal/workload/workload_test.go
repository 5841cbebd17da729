package workload

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	kubernetesrules "github.com/portcullis-ci/portcullis/internal/detect/kubernetes"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
)

var (
	digest = "sha256:" + strings.Repeat("a", 64)
	index  = "sha256:" + strings.Repeat("b", 64)
	other  = "sha256:" + strings.Repeat("c", 64)
)

func TestAReferenceIsComparedWithTheExaminedImage(t *testing.T) {
	pulled := inventory.Subject{References: []string{"registry.example/shop/web:1.4"}, Digests: []string{digest, index}}
	for _, tt := range []struct {
		name      string
		reference string
		subject   inventory.Subject
		want      match
	}{
		{"the digest of the image", "registry.example/shop/web@" + digest, pulled, byDigest},
		{"the digest of the index", "registry.example/shop/web@" + index, pulled, byDigest},
		{"a digest beside any tag", "registry.example/shop/web:0.1@" + digest, pulled, byDigest},
		{"a digest in a mirror", "mirror.example/web@" + digest, pulled, byDigest},
		{"another digest beside the tag", "registry.example/shop/web:1.4@" + other, pulled, otherVersion},
		{"another digest", "registry.example/shop/web@" + other, pulled, otherVersion},
		{"the tag", "registry.example/shop/web:1.4", pulled, byTag},
		{"another tag", "registry.example/shop/web:1.3", pulled, otherVersion},
		{"no tag is latest", "registry.example/shop/web", pulled, otherVersion},
		{"a tag that is filled in later", "registry.example/shop/web:${TAG}", pulled, anyVersion},
		{"another repository", "registry.example/shop/api:1.4", pulled, noMatch},
		{"another registry", "mirror.example/shop/web:1.4", pulled, noMatch},
		{"a longer name", "registry.example/shop/web-admin:1.4", pulled, noMatch},
		{"nothing", "", pulled, noMatch},
		{"a placeholder", "${IMAGE}", pulled, noMatch},
		{"short names", "nginx", inventory.Subject{References: []string{"docker.io/library/nginx:latest"}}, byTag},
		{"the port is no tag", "localhost:5000/web:2", inventory.Subject{References: []string{"localhost:5000/web:2"}}, byTag},
		{"a name without a version", "registry.example/shop/web:1.4", inventory.Subject{References: []string{"registry.example/shop/web"}}, anyVersion},
		{"one of several names", "b:2", inventory.Subject{References: []string{"a:1", "b:1", "b:2"}}, byTag},
		{"a digest, where only the tag is known", "web@" + digest, inventory.Subject{References: []string{"web:1"}}, anyVersion},
		{"a tag and a digest, where only the tag is known", "web:1@" + digest, inventory.Subject{References: []string{"web:1"}}, byTag},
		{"a tag, where only the digest is known", "web:1", inventory.Subject{References: []string{"web@" + digest}, Digests: []string{digest}}, anyVersion},
		{"an image of which nothing is known", "web:1", inventory.Subject{}, noMatch},
	} {
		if got := matches(tt.reference, tt.subject); got != tt.want {
			t.Errorf("%s: %q is %q, want %q", tt.name, tt.reference, got, tt.want)
		}
	}
}

func vulnerability(id string, severity finding.Severity) finding.Finding {
	return finding.Finding{
		RuleID: id, Kind: finding.Vulnerability, Severity: severity, SeveritySource: "nvd", Status: finding.Open,
		Fix: finding.Fix{State: finding.Fixed, Version: "2"}, Fingerprint: "fingerprint of " + id,
		Locations: []finding.Location{{Space: finding.InImage, Path: "/lib/apk/db/installed"}},
	}
}

var web = inventory.Subject{References: []string{"registry.example/web:1"}}

func runs(reference string, line int, change func(*kubernetesrules.Image)) kubernetesrules.Image {
	i := kubernetesrules.Image{
		Reference: reference, Object: fmt.Sprintf("Deployment/shop/web%d", line), Container: "app",
		Location: finding.Location{Space: finding.Repository, Path: "k8s/web.yaml", Line: line, Column: 9},
	}
	if change != nil {
		change(&i)
	}
	return i
}

func privileged(i *kubernetesrules.Image)  { i.Privileged = true }
func hostNetwork(i *kubernetesrules.Image) { i.HostNetwork = true }
func exposed(i *kubernetesrules.Image)     { i.ExposedBy = "Ingress/shop/front" }

func TestAVulnerabilityWeighsMoreByHowTheImageRuns(t *testing.T) {
	for name, tt := range map[string]struct {
		uses []kubernetesrules.Image
		want finding.Severity
		// line is that of the workload which is named; 0 for none.
		line     int
		evidence string
	}{
		"in no manifest":         {nil, finding.Medium, 0, ""},
		"without any power":      {[]kubernetesrules.Image{runs("registry.example/web:1", 3, nil)}, finding.Medium, 0, ""},
		"in another image":       {[]kubernetesrules.Image{runs("registry.example/api:1", 3, privileged)}, finding.Medium, 0, ""},
		"privileged":             {[]kubernetesrules.Image{runs("registry.example/web:1", 3, privileged)}, finding.High, 3, "privileged"},
		"in the host's network":  {[]kubernetesrules.Image{runs("registry.example/web:1", 3, hostNetwork)}, finding.High, 3, "uses the host's network"},
		"reached from outside":   {[]kubernetesrules.Image{runs("registry.example/web:1", 3, exposed)}, finding.High, 3, "reached from outside through Ingress/shop/front"},
		"twice is not two steps": {[]kubernetesrules.Image{runs("registry.example/web:1", 3, hostNetwork), runs("registry.example/web:1", 9, privileged)}, finding.High, 9, "privileged"},
		"a new version of it":    {[]kubernetesrules.Image{runs("registry.example/web:0", 3, privileged)}, finding.High, 3, "privileged"},
		"another version of it beside this one": {
			[]kubernetesrules.Image{runs("registry.example/web:0", 3, privileged), runs("registry.example/web:1", 9, nil)}, finding.Medium, 0, "",
		},
		"another version with more power beside this one": {
			[]kubernetesrules.Image{runs("registry.example/web:0", 3, privileged), runs("registry.example/web:1", 9, exposed)}, finding.High, 9, "reached from outside through Ingress/shop/front",
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := []finding.Finding{vulnerability("CVE-1", finding.Medium), {RuleID: "PC-SECRET", Kind: finding.Secret, Severity: finding.Medium}}
			for range 2 {
				got := Weigh(before, tt.uses, web, false)
				slices.Reverse(tt.uses)
				f := got[0]
				if f.Severity != tt.want || f.Fingerprint != before[0].Fingerprint || got[1].Severity != finding.Medium || len(got[1].Evidence) > 0 {
					t.Fatalf("%s %s", f.Severity, f.Fingerprint)
				}
				if before[0].Severity != finding.Medium || len(before[0].Locations) != 1 || len(before[0].Evidence) != 0 {
					t.Fatal("the findings before were changed")
				}
				if tt.line == 0 {
					if len(f.Locations) != 1 || len(f.Evidence) != 0 || f.SeveritySource != "nvd" {
						t.Errorf("places %+v, evidence %+v, %s", f.Locations, f.Evidence, f.SeveritySource)
					}
					continue
				}
				if len(f.Locations) != 2 || f.Locations[1].Line != tt.line || f.Locations[1].Note != "runs here: "+tt.evidence {
					t.Errorf("places %+v", f.Locations)
				}
				if !slices.Contains(f.Evidence, finding.Fact{Name: exposureFact, Value: tt.evidence}) || !strings.HasPrefix(f.SeveritySource, "nvd; raised: "+tt.evidence) {
					t.Errorf("evidence %+v, %s", f.Evidence, f.SeveritySource)
				}
			}
		})
	}
	kept := Weigh([]finding.Finding{vulnerability("CVE-1", finding.Medium)}, []kubernetesrules.Image{runs("registry.example/web:1", 3, privileged)}, web, true)[0]
	if kept.Severity != finding.Medium || kept.SeveritySource != "nvd" || len(kept.Evidence) != 3 {
		t.Errorf("with severities kept: %+v", kept)
	}
}

func TestAManifestThatRollsOutAnotherVersionIsTold(t *testing.T) {
	in := func(path, reference string) kubernetesrules.Image {
		i := runs(reference, 3, func(*kubernetesrules.Image) {})
		i.Location.Path = path
		return i
	}
	subject := inventory.Subject{References: []string{"registry.example/web:1.4"}, Digests: []string{digest}}
	got := Others([]kubernetesrules.Image{
		in("same.yaml", "registry.example/web:1.4"),
		in("digest.yaml", "mirror.example/web@"+digest),
		in("both.yaml", "registry.example/web:1.3"), in("both.yaml", "registry.example/web:1.4"),
		in("unknown.yaml", "registry.example/web:${TAG}"),
		in("foreign.yaml", "registry.example/db:1.3"),
		in("older.yaml", "registry.example/web:1.3"), in("older.yaml", "registry.example/web:1.2"),
		in("pinned.yaml", "registry.example/web:1.4@"+other),
	}, subject)
	want := map[string]string{"older.yaml": "registry.example/web:1.2", "pinned.yaml": "registry.example/web:1.4@" + other}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAPlaceIsNamedOnce(t *testing.T) {
	f := vulnerability("CVE-1", finding.Low)
	u := runs("registry.example/web:1", 3, privileged)
	f.Locations = append(f.Locations, u.Location)
	if got := Weigh([]finding.Finding{f}, []kubernetesrules.Image{u}, web, false)[0]; len(got.Locations) != 2 {
		t.Errorf("places %+v", got.Locations)
	}
}

func TestPlacesThatRunAVulnerableImage(t *testing.T) {
	place := func(image string) finding.Finding {
		return finding.Finding{RuleID: kubernetesrules.ImageVulnerableRule, Evidence: []finding.Fact{{Name: "field", Value: "image"}, {Name: kubernetesrules.ImageFact, Value: image}}}
	}
	with := func(f finding.Finding, change func(*finding.Finding)) finding.Finding {
		change(&f)
		return f
	}
	grave := vulnerability("CVE-1", finding.High)
	for name, tt := range map[string]struct {
		image    string
		findings []finding.Finding
		want     string
	}{
		"a high one":      {"registry.example/web:1", []finding.Finding{grave}, "1 vulnerability that can be fixed: 0 critical and 1 high"},
		"several":         {"registry.example/web:1", []finding.Finding{grave, vulnerability("CVE-2", finding.Critical), vulnerability("CVE-3", finding.Low)}, "2 vulnerabilities that can be fixed: 1 critical and 1 high"},
		"a placeholder":   {"registry.example/web:${TAG}", []finding.Finding{grave}, "1 vulnerability"},
		"none":            {"registry.example/web:1", nil, ""},
		"a medium one":    {"registry.example/web:1", []finding.Finding{vulnerability("CVE-1", finding.Medium)}, ""},
		"no fix":          {"registry.example/web:1", []finding.Finding{with(grave, func(f *finding.Finding) { f.Fix.State = finding.NotFixed })}, ""},
		"a waived one":    {"registry.example/web:1", []finding.Finding{with(grave, func(f *finding.Finding) { f.Status = finding.Waived })}, ""},
		"a secret":        {"registry.example/web:1", []finding.Finding{with(grave, func(f *finding.Finding) { f.Kind = finding.Secret })}, ""},
		"another version": {"registry.example/web:2", []finding.Finding{grave}, ""},
		"another image":   {"registry.example/api:1", []finding.Finding{grave}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			asked := false
			got := Vulnerable([]finding.Finding{place(tt.image)}, web, func() []finding.Finding {
				asked = true
				return tt.findings
			})
			if strings.HasPrefix(name, "another") && asked {
				t.Error("triage was asked for nothing")
			}
			if (len(got) == 1) != (tt.want != "") {
				t.Fatalf("got %+v", got)
			}
			if tt.want != "" && !strings.Contains(got[0].Message, tt.want) {
				t.Errorf("message %q, want %q in it", got[0].Message, tt.want)
			}
		})
	}
}
