package jsonreport_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report/document"
	"github.com/portcullis-ci/portcullis/internal/report/jsonreport"
	"github.com/portcullis-ci/portcullis/internal/report/reporttest"
)

func write(t *testing.T, o outcome.Outcome) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jsonreport.Write(t.Context(), &b, o, document.Options{}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(jsonreport.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	strict(doc)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(jsonreport.SchemaID, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(jsonreport.SchemaID)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// strict forbids in each object what the schema does not name. The published
// schema allows it, so that old copies accept newer reports.
func strict(schema any) {
	switch node := schema.(type) {
	case map[string]any:
		if _, ok := node["properties"].(map[string]any); ok {
			node["additionalProperties"] = false
		}
		for _, child := range node {
			strict(child)
		}
	case []any:
		for _, child := range node {
			strict(child)
		}
	}
}

func validate(t *testing.T, s *jsonschema.Schema, report []byte) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(report))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(doc); err != nil {
		t.Errorf("the report does not fit its schema: %v", err)
	}
}

func TestReportsMatchTheGoldenFilesAndTheSchema(t *testing.T) {
	s := compileSchema(t)
	for name, o := range map[string]outcome.Outcome{
		"failed": reporttest.Outcome(), "passed": reporttest.Passed(), "incomplete": reporttest.Incomplete(),
		"empty": {Verdict: outcome.Verdict{Result: outcome.Incomplete}},
	} {
		t.Run(name, func(t *testing.T) {
			got := write(t, o)
			validate(t, s, got)
			reporttest.Golden(t, name+".json", got)
			reporttest.NoRawControls(t, got, false)
			if again := write(t, o); !bytes.Equal(got, again) {
				t.Error("the same outcome gave other bytes")
			}
		})
	}
}

func TestEveryConstantOfTheOutcomeIsInTheSchema(t *testing.T) {
	s := compileSchema(t)
	o := reporttest.Outcome()
	template := o.Findings[0]
	o.Findings, o.Coverage.Gaps, o.Targets = nil, nil, nil
	for _, kind := range []finding.Kind{finding.Vulnerability, finding.Secret, finding.ImageConfig, finding.Dockerfile, finding.Kubernetes, finding.Coverage, finding.Waiver} {
		for _, status := range []finding.Status{finding.Open, finding.Waived, finding.NotAffected, finding.Inherited, finding.Known} {
			f := template
			f.Kind, f.Status = kind, status
			o.Findings = append(o.Findings, f)
		}
	}
	for _, state := range []finding.FixState{finding.FixNotApplicable, finding.Fixed, finding.FixedInESM, finding.NotFixed, finding.WontFix, finding.FixDeferred, finding.FixUnderInvestigation, finding.FixEndOfLife, finding.FixUnknown} {
		f := template
		f.Fix = finding.Fix{State: state, Text: "x"}
		o.Findings = append(o.Findings, f)
	}
	for _, severity := range finding.Severities() {
		f := template
		f.Severity = severity
		o.Findings = append(o.Findings, f)
	}
	for _, reason := range []outcome.Reason{outcome.NoDatabase, outcome.UnknownDistro, outcome.EndOfLife, outcome.NoFeed, outcome.VersionUnreadable, outcome.ForeignRepository, outcome.DataStale, outcome.NotIdentified} {
		o.Coverage.Gaps = append(o.Coverage.Gaps, outcome.Gap{Reason: reason, Packages: []string{"a 1"}})
	}
	for _, kind := range []outcome.TargetKind{outcome.TargetImage, outcome.TargetRootFS, outcome.TargetSBOM, outcome.TargetDockerfile, outcome.TargetManifest} {
		o.Targets = append(o.Targets, outcome.Target{Kind: kind, Name: "x"})
	}
	o.Coverage.Unreadable = []inventory.Unreadable{{Path: "/x", Reason: "y"}}
	validate(t, s, write(t, o))
}

func TestWhatTriageDecidedIsToldInFull(t *testing.T) {
	o := reporttest.Passed()
	template := reporttest.Outcome().Findings[0]
	for _, cause := range []finding.Cause{finding.CodeChanged, finding.DataLearned, finding.ToolChanged, finding.CauseUnknown} {
		f := template
		f.Baseline = finding.Comparison{State: finding.BaselineNew, Cause: cause, Reason: "because"}
		o.Findings = append(o.Findings, f)
	}
	known := template
	known.Baseline = finding.Comparison{State: finding.BaselineKnown, Reason: "in main.json"}
	known.Status, known.StatusReason, known.StatusSource = finding.Known, "was there", "main.json"
	excused := template
	excused.Status, excused.StatusReason = finding.NotAffected, "not linked in"
	excused.StatusSource, excused.Justification = "app.vex.json statement 1", "vulnerable_code_not_present"
	o.Findings = append(o.Findings, known, excused)
	o.PackageURLs = []string{"pkg:npm/qs@6.5.2"}
	o.Baseline = &outcome.Baseline{
		Source: "main.json", Taken: o.Started, Notes: []string{"packages were compared"}, New: 4, Known: 1, NotExamined: 2,
		Fixed: []outcome.BaselineFinding{{
			Fingerprint: "f", RuleID: "CVE-1", Kind: finding.Vulnerability, Severity: finding.High, Title: "t", Target: "x",
			PURL: "pkg:npm/qs@6.5.1", Cause: finding.CodeChanged, Reason: "the package is gone",
		}},
	}
	got := write(t, o)
	validate(t, compileSchema(t), got)
	reporttest.Golden(t, "triaged.json", got)
}

func TestThePublishedSchemaIsTheEmbeddedOne(t *testing.T) {
	published, err := os.ReadFile("../../../docs/schema/report.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(published, jsonreport.Schema()) {
		t.Error("docs/schema/report.schema.json differs from the embedded schema: copy it anew")
	}
}

func TestPackageFieldsAreStringsOnTheTopLevelOfAFinding(t *testing.T) {
	var report struct {
		Findings []struct {
			ID, Package, Version, PURL string
			Aliases                    []string
		}
	}
	if err := json.Unmarshal(write(t, reporttest.Outcome()), &report); err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Findings {
		if f.ID == "CVE-2024-5535" && f.Package == "openssl" {
			if f.Version != "3.0.11-1~deb12u2" || f.PURL == "" || len(f.Aliases) != 2 {
				t.Errorf("got %+v", f)
			}
			return
		}
	}
	t.Error("no finding for openssl")
}

func TestHostileTextComesBackUnchanged(t *testing.T) {
	var report struct{ Findings []struct{ Package string } }
	if err := json.Unmarshal(write(t, reporttest.Outcome()), &report); err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Findings {
		if f.Package == reporttest.Hostile {
			return
		}
	}
	t.Error("the hostile package name is not in the report")
}
