package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

func TestRulesAreReadWithTheirPlaces(t *testing.T) {
	c, err := Decode("f", []byte("rules:\n  PC-DF001: off\n  dl3008: true\n  k8s-privileged: medium\n"))
	if err != nil {
		t.Fatal(err)
	}
	at := func(line int) Source { return Source{Kind: FromFile, Name: "f", Line: line, Column: 3} }
	want := []RuleSetting{
		{Name: "PC-DF001", Mode: RuleOff, Source: at(2)},
		{Name: "dl3008", Mode: RuleOn, Source: at(3)},
		{Name: "k8s-privileged", Mode: RuleSeverity, Severity: finding.Medium, Source: at(4)},
	}
	if diff := cmp.Diff(want, c.Rules); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
