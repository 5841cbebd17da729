package document_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/report/document"
	"github.com/portcullis-ci/portcullis/internal/report/reporttest"
)

func TestFindingsAreGroupedByThePlaceToFixWorstFirst(t *testing.T) {
	o := reporttest.Outcome()
	active, passive := document.Split(o)
	var got []string
	for _, p := range document.Places(active, o.Image) {
		got = append(got, fmt.Sprintf("%s: %d, %s", p.Label(), p.Count(), p.Worst()))
	}
	want := []string{
		"image layer 3 of 3: 5, critical", "Dockerfile:1: 3, critical", "Dockerfile:4: 2, critical", "k8s/web.yaml:13: 1, critical",
		"Dockerfile:8: 1, high", "package-lock.json:6: 1, high", "image layer 1 of 3: 1, medium",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(active)+len(passive) != len(o.Findings) {
		t.Errorf("%d of %d findings are left", len(active)+len(passive), len(o.Findings))
	}
}

func TestAPlaceInAnUnknownLayerIsItsPath(t *testing.T) {
	places := document.Places([]finding.Finding{
		{RuleID: "a", Locations: []finding.Location{{Space: finding.InImage, Path: "/x"}}},
		{RuleID: "b", Locations: []finding.Location{{Space: finding.InImage, Path: "/x", Layer: "sha256:other"}}},
		{RuleID: "c", Locations: []finding.Location{{Space: finding.Repository, Path: "Dockerfile"}}},
	}, nil)
	var got []string
	for _, p := range places {
		got = append(got, p.Label())
	}
	if diff := cmp.Diff([]string{"Dockerfile", "image layer", "image /x"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestThePackagesOfAPlaceHaveOneEntryEach(t *testing.T) {
	vulnerability := func(id, name, version, fixed string, severity finding.Severity) finding.Finding {
		return finding.Finding{
			RuleID: id, Kind: finding.Vulnerability, Severity: severity,
			Package: &finding.Package{Name: name, Version: version, Type: "deb"}, Fix: finding.Fix{Version: fixed},
		}
	}
	entries := document.Entries([]finding.Finding{
		vulnerability("CVE-1", "openssl", "3.0", "3.1", finding.Low),
		vulnerability("CVE-2", "zlib", "1.2", "", finding.High),
		vulnerability("CVE-3", "openssl", "3.0", "3.2", finding.Critical),
		vulnerability("CVE-4", "openssl", "3.0", "", finding.Low),
		vulnerability("CVE-5", "openssl", "1.1", "3.1", finding.Low),
		{RuleID: "rule", Kind: finding.Dockerfile, Severity: finding.High},
	})
	var got []string
	for _, e := range entries {
		var ids []string
		for _, f := range e.Findings {
			ids = append(ids, f.RuleID)
		}
		fix := e.Fix()
		got = append(got, fmt.Sprintf("%s: fixed in %s, %d unfixed", strings.Join(ids, " "), strings.Join(fix.Versions, " "), fix.Unfixed))
	}
	want := []string{
		"CVE-3 CVE-1 CVE-4: fixed in 3.2 3.1, 1 unfixed", "CVE-2: fixed in , 1 unfixed",
		"rule: fixed in , 1 unfixed", "CVE-5: fixed in 3.1, 0 unfixed",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSourceLineReadsOnlyFilesOfTheRepository(t *testing.T) {
	root := fstest.MapFS{"Dockerfile": {Data: []byte("FROM a\n  RUN b\n")}, "large": {Data: make([]byte, 5<<20)}}
	for _, tt := range []struct {
		path string
		line int
		want string
	}{
		{"Dockerfile", 2, "RUN b"},
		{"Dockerfile", 0, ""},
		{"Dockerfile", 9, ""},
		{"missing", 1, ""},
		{"../Dockerfile", 1, ""},
		{"large", 1, ""},
	} {
		if got := document.SourceLine(root, tt.path, tt.line); got != tt.want {
			t.Errorf("%s:%d is %q, want %q", tt.path, tt.line, got, tt.want)
		}
	}
}

func TestCountsCoverEveryFindingOnce(t *testing.T) {
	o := reporttest.Outcome()
	c := document.Count(o)
	statuses, severities := 0, 0
	for _, n := range c.ByStatus {
		statuses += n
	}
	for _, n := range c.BySeverity {
		severities += n
	}
	if statuses != c.Total || severities != c.Active || c.Total != len(o.Findings) || c.Failing != len(o.Verdict.Failed()) {
		t.Errorf("counts %+v of %d findings", c, len(o.Findings))
	}
}

func TestTheMinimumSeverityNeverHidesAnUnknownOne(t *testing.T) {
	opts := document.Options{MinSeverity: finding.High}
	for severity, want := range map[finding.Severity]bool{finding.Critical: true, finding.High: true, finding.Medium: false, finding.Unknown: true} {
		if got := opts.Shown(finding.Finding{Severity: severity}); got != want {
			t.Errorf("%s is shown: %v", severity, got)
		}
	}
}

func TestALineIsShownOnlyWithoutWhatMayBeASecret(t *testing.T) {
	value := "q7wZr2Lk9xPm" + "4Vb8Tn3c"
	for _, tt := range []struct {
		line      string
		sensitive bool
		want      string
	}{
		{"COPY app /app", true, "COPY app /app"},
		{"  copy --from=build /a /b", true, "  copy --from=build /a /b"},
		{"ADD https://example.org/a.tgz /", true, "ADD https://example.org/a.tgz /"},
		{"FROM debian@sha256:00", true, "FROM debian@sha256:00"},
		{"ADD https://bob:" + value + "@example.org/a.tgz /", true, document.Hidden},
		{"ADD https://" + value + "@example.org/a.git /", true, document.Hidden},
		{"ADD https://example.org/a?sig=" + value + " /", true, document.Hidden},
		{"COPY <<EOF /a", true, document.Hidden},
		{"COPY <<EOF /a\npassword: x\nEOF", true, document.Hidden},
		{"FROM bob:" + value + "@host/x", true, document.Hidden},
		{"RUN echo x > /app/.env", true, document.Hidden},
		{"ENV A=b", true, document.Hidden},
		{"COPYRIGHT x", true, document.Hidden},
		{"ADD https://example.org/a?sig=1&token=2 /", false, "ADD https://example.org/a?… /"},
		{"RUN git clone https://bob@example.org/a.git#main", false, "RUN git clone https://example.org/a.git#…"},
		{"RUN curl -u ci:" + value + " https://example.org", false, document.Hidden},
		{"RUN make", false, "RUN make"},
	} {
		if got := document.Shown(tt.line, tt.sensitive, true); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.line, got, tt.want)
		}
	}
	if got := document.Shown("COPY: secret", true, false); got != document.Hidden {
		t.Errorf("a line of another file is %q", got)
	}
}

func TestABuildStepThatHoldsASecretIsItsKeyword(t *testing.T) {
	value := "q7wZr2Lk9xPm" + "4Vb8Tn3c"
	for _, step := range []string{
		"RUN /bin/sh -c curl -u ci:" + value + " https://example.org/x # buildkit",
		"/bin/sh -c curl -u ci:" + value + " https://example.org/x",
		"ADD https://example.org/a?token=" + value + " / # buildkit",
	} {
		if got := document.Step(step); strings.Contains(got, value) {
			t.Errorf("%q: %q", step, got)
		}
	}
}
