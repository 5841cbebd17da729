package rules

import (
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

func rule(id string, aliases ...string) Rule {
	return Rule{
		ID: id, Aliases: aliases, Kind: finding.Dockerfile, Title: "a title", Severity: finding.Low, Since: "0.1",
		Why: "why", Fix: "fix", Bad: "bad", Good: "good", References: []string{"https://example.com"},
	}
}

func TestFindKnowsIdsAndAliasesInAnyCase(t *testing.T) {
	c, err := NewCatalogue([]Rule{rule("PC-DF002", "DL3006")}, []Rule{rule("PC-DF001", "DL3002", "DS-0002"), rule("DL3006")})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"PC-DF001": "PC-DF001", "pc-df001": "PC-DF001", " dl3002 ": "PC-DF001", "DS-0002": "PC-DF001",
		"DL3006": "DL3006", // an id beats an alias
	} {
		if got, ok := c.Find(name); !ok || got.ID != want {
			t.Errorf("%q: got %q, %v, want %q", name, got.ID, ok, want)
		}
	}
	if _, ok := c.Find("nothing"); ok {
		t.Error("found a rule that does not exist")
	}
	if ids := c.All(); ids[0].ID != "DL3006" || ids[2].ID != "PC-DF002" {
		t.Errorf("not in the order of ids: %s, %s, %s", ids[0].ID, ids[1].ID, ids[2].ID)
	}
}

func TestNewCatalogueRefusesFaultyRules(t *testing.T) {
	broken := func(edit func(*Rule)) Rule {
		r := rule("PC-X1")
		edit(&r)
		return r
	}
	tests := []struct {
		name  string
		rules []Rule
		want  string
	}{
		{"two rules with one id", []Rule{rule("A1"), rule("a1")}, "used twice"},
		{"an id with a blank", []Rule{rule("A 1")}, "does not match"},
		{"no reason", []Rule{broken(func(r *Rule) { r.Why = "" })}, "why"},
		{"no example", []Rule{broken(func(r *Rule) { r.Good = "" })}, "example"},
		{"no kind", []Rule{broken(func(r *Rule) { r.Kind = "" })}, "kind"},
		{"no release", []Rule{broken(func(r *Rule) { r.Since = "" })}, "Since"},
		{"a title with a full stop", []Rule{broken(func(r *Rule) { r.Title = "t." })}, "full stop"},
		{"a reference that is no https link", []Rule{broken(func(r *Rule) { r.References = []string{"javascript:x"} })}, "https"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := NewCatalogue(tt.rules); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error about %q", err, tt.want)
			}
		})
	}
}

func TestAStandardStandsForTheRulesThatMapToIt(t *testing.T) {
	tagged := func(id string, tags ...string) Rule {
		r := rule(id)
		r.Tags = tags
		return r
	}
	c, err := NewCatalogue([]Rule{
		tagged("A1", "cis-5.2.2", "external/mitre-attack/T1552.001"),
		tagged("A2", "cis-5.20.1", "external/cwe/cwe-250"),
		tagged("A3", "pss-baseline", "cisco"),
		tagged("A4", "external/mitre-attack/T15520", "external/cwe/cwe-25"),
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"cis": "A1 A2", "CIS-5.2": "A1", "cis-5.2.2": "A1", "cis-5": "A1 A2", "T1552": "A1", "t1552.001": "A1", "cwe-250": "A2", "cwe-25": "A4",
		"pss": "A3", "pss-baseline": "A3", "pss-restricted": "", "external": "", "": "", "nsa": "",
	} {
		var ids []string
		for _, r := range c.Mapped(name) {
			ids = append(ids, r.ID)
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%q stands for %q, want %q", name, got, want)
		}
	}
}
