package policy

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/outcome"
)

// numeric compares versions that are numbers.
func numeric(_, a, b string) (int, bool) {
	x, errX := strconv.Atoi(a)
	y, errY := strconv.Atoi(b)
	return x - y, errX == nil && errY == nil
}

func flaw(id, name, source, fixed string, origin finding.Origin) finding.Finding {
	f := vulnerability(id, finding.High, finding.Fixed)
	f.Fix.Version, f.Origin, f.Target = fixed, origin, "shop"
	f.Package = &finding.Package{Name: name, Version: "1", Type: "deb", Source: source}
	f.Fingerprint += name
	f.Locations = []finding.Location{{Space: finding.Repository, Path: "Dockerfile", Line: 1}}
	return f
}

func edit(id string, line int, text string) finding.Finding {
	f := finding.Finding{RuleID: id, Kind: finding.Dockerfile, Severity: finding.High, Status: finding.Open, Fingerprint: id + strconv.Itoa(line)}
	f.Locations = []finding.Location{{Space: finding.Repository, Path: "Dockerfile", Line: line}}
	f.Fix.Edits = []finding.Edit{{Path: "Dockerfile", Line: line, Column: 1, EndLine: line, EndColumn: 5, NewText: text}}
	return f
}

func words(v outcome.Verdict) []string {
	var list []string
	for _, c := range v.Changes {
		list = append(list, string(c.Kind)+": "+c.Text+" ["+strconv.Itoa(len(c.Findings))+"]")
	}
	return list
}

func TestTheVerdictSaysWhatToChange(t *testing.T) {
	high := Policy{FailOn: failOn(finding.High)}
	unfixed := vulnerability("CVE-9", finding.High, finding.WontFix)
	byHand := finding.Finding{RuleID: "k8s-x", Kind: finding.Kubernetes, Severity: finding.High, Status: finding.Open, Fingerprint: "h", Fix: finding.Fix{Text: "Set it."}, Locations: []finding.Location{{Path: "k8s/a.yaml", Line: 7}}}
	again, elsewhere := byHand, byHand
	again.RuleID, again.Fingerprint = "k8s-y", "again"
	elsewhere.Fingerprint, elsewhere.Locations = "elsewhere", []finding.Location{{Path: "k8s/a.yaml", Line: 9}}
	tests := []struct {
		name       string
		policy     Policy
		findings   []finding.Finding
		want       []string
		unresolved []string
	}{
		{"one upgrade for all flaws of a source package", high, []finding.Finding{
			flaw("CVE-1", "openssl", "", "10", finding.FromBuild), flaw("CVE-2", "libssl3", "openssl", "9", finding.FromBuild), flaw("CVE-3", "libssl3", "openssl", "11", finding.FromBuild),
		}, []string{"upgrade-package: upgrade libssl3 1 to 11, openssl 1 to 10 [3]"}, nil},
		{"one move of the base image for all that it brought", high, []finding.Finding{
			flaw("CVE-1", "zlib1g", "", "2", finding.FromBaseImage), flaw("CVE-2", "bash", "", "3", finding.FromBaseImage), flaw("CVE-3", "curl", "", "4", finding.FromBuild),
		}, []string{"move-base-image: move to a base image with bash 1 to 3, zlib1g 1 to 2 [2]", "upgrade-package: upgrade curl 1 to 4 [1]"}, nil},
		{"edits of one file together, those that clash apart", high, []finding.Finding{
			edit("DF1", 1, "a"), edit("DF2", 2, "b"), edit("DF3", 2, "c"), edit("DF4", 2, "b"),
		}, []string{"edit-file: edit Dockerfile in 3 places [3]", "edit-file: edit Dockerfile in 1 place [1]"}, nil},
		{"what only a person can do, and what nobody can", high, []finding.Finding{byHand, unfixed}, []string{"correct-by-hand: Set it. [1]"}, []string{"fp-CVE-9"}},
		{"the same act at one place once", high, []finding.Finding{byHand, again, elsewhere}, []string{"correct-by-hand: Set it. [2]", "correct-by-hand: Set it. [1]"}, nil},
		{"for numbers, what removes most, until enough are gone", Policy{Counts: map[finding.Severity]int{finding.High: 2}}, []finding.Finding{
			flaw("CVE-1", "a", "", "2", ""), flaw("CVE-2", "b", "", "2", ""), flaw("CVE-3", "b", "", "3", ""), flaw("CVE-4", "c", "", "2", ""),
		}, []string{"upgrade-package: upgrade b 1 to 3 [2]"}, nil},
		{"numbers that another clause brings down already need no more", Policy{Counts: map[finding.Severity]int{finding.High: 1}, Restrict: []Restriction{{Match: Match{Packages: []string{"c"}}, FailOn: finding.Low}}}, []finding.Finding{
			flaw("CVE-1", "a", "", "2", ""), flaw("CVE-4", "c", "", "2", ""),
		}, []string{"upgrade-package: upgrade c 1 to 2 [1]"}, nil},
		{"numbers that cannot be brought down enough", Policy{Counts: map[finding.Severity]int{finding.High: 0}}, []finding.Finding{flaw("CVE-1", "a", "", "2", ""), unfixed}, []string{"upgrade-package: upgrade a 1 to 2 [1]"}, []string{"fp-CVE-9"}},
		{"nothing for what only warns", Policy{WarnOn: failOn(finding.Low)}, []finding.Finding{flaw("CVE-1", "a", "", "2", "")}, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, _ := Evaluate(tt.policy, Input{Findings: tt.findings, Compare: numeric})
			if diff := cmp.Diff(tt.want, words(v)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.unresolved, v.Unresolved); diff != "" {
				t.Errorf("unresolved (-want +got):\n%s", diff)
			}
		})
	}
}

func TestVersionsThatCannotBeComparedAreAllNamed(t *testing.T) {
	v, _ := Evaluate(Policy{FailOn: failOn(finding.High)}, Input{Findings: []finding.Finding{flaw("CVE-1", "a", "", "2", ""), flaw("CVE-2", "a", "", "10", "")}})
	u := v.Changes[0].Upgrades[0]
	if u.To != "" || !strings.Contains(v.Changes[0].Text, "the highest of 10, 2") {
		t.Errorf("got %+v, %q", u, v.Changes[0].Text)
	}
}

func TestMissingDataIsToBeRenewed(t *testing.T) {
	v, _ := Evaluate(Policy{}, Input{InventoryExamined: true, Coverage: gap(outcome.NoFeed, 1, "bash 5")})
	if len(v.Changes) != 1 || v.Changes[0].Kind != outcome.RenewData {
		t.Errorf("got %+v", v.Changes)
	}
}

func TestWhatIsNotAboutFindingsHasAChangeAsWell(t *testing.T) {
	in := examined(func(in *Input) { in.Coverage = gap(outcome.EndOfLife, 1, "bash 5") })
	v, _ := Evaluate(Policy{SBOMRequired: true, EndOfLife: Fails, CoverageAllow: []outcome.Reason{outcome.EndOfLife}}, in)
	var got []string
	for _, c := range v.Changes {
		got = append(got, string(c.Kind)+": "+c.Text)
	}
	want := []string{
		"correct-by-hand: have the run write an SBOM, as --sbom-out FILE does",
		"move-base-image: move to a base image whose distribution still gets security updates; now: detail",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if v, _ := Evaluate(Policy{SBOMRequired: true, EndOfLife: Warns, WarnOnly: []string{"sbom"}, CoverageAllow: []outcome.Reason{outcome.EndOfLife}}, in); len(v.Changes) > 0 {
		t.Errorf("a clause that only warns asks for %v", v.Changes)
	}
}
