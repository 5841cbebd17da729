package policy

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/outcome"
)

func score(f float64) *float64 { return &f }

// with changes a finding of the given severity.
func with(s finding.Severity, change func(*finding.Finding)) finding.Finding {
	f := vulnerability("CVE-1", s, finding.Fixed)
	f.Fix.Version = "2"
	f.Locations = []finding.Location{{Space: finding.InImage, Path: "/usr/lib/a"}}
	f.Package = &finding.Package{Name: "a", Version: "1", Type: "deb", PURL: "pkg:deb/debian/a@1"}
	change(&f)
	return f
}

func same(*finding.Finding) {}

func ofKind(k finding.Kind) func(*finding.Finding) {
	return func(f *finding.Finding) { f.Kind, f.Fix, f.Package = k, finding.Fix{}, nil }
}

func status(s finding.Status) func(*finding.Finding) {
	return func(f *finding.Finding) { f.Status = s }
}

func published(day string) func(*finding.Finding) {
	return func(f *finding.Finding) { f.Evidence = []finding.Fact{{Name: "published", Value: day}} }
}

func exploited(f *finding.Finding) { f.Risk = &finding.Risk{KnownExploited: now, EPSS: 0.5} }

// examined is a run over an image with everything that clauses ask for.
func examined(change func(*Input), findings ...finding.Finding) Input {
	for i := range findings {
		findings[i].Fingerprint += string(rune('a' + i))
	}
	in := Input{
		InventoryExamined: true, Coverage: covered(3), Now: now, Findings: findings,
		Database: outcome.Database{Location: "db", Built: now, Sources: []outcome.DatabaseSource{{Name: kevSource}, {Name: epssSource}}},
	}
	change(&in)
	return in
}

func unchanged(*Input) {}

func fix(state finding.FixState) func(*finding.Finding) {
	return func(f *finding.Finding) { f.Fix = finding.Fix{State: state} }
}

func packages(licences ...string) func(*Input) {
	return func(in *Input) {
		in.Packages = []inventory.Package{{Name: "left", Version: "1", PURL: "pkg:npm/left@1", Licenses: licences}}
	}
}

func TestEachClausePassesWarnsAndFails(t *testing.T) {
	high, low := failOn(finding.High), failOn(finding.Low)
	yes := true
	clock := Remediation{FailAfter: map[finding.Severity]time.Duration{finding.High: 30 * 24 * time.Hour}, WarnBefore: 7 * 24 * time.Hour}
	tests := []struct {
		name           string
		policy         Policy
		input          Input
		code           exit.Code
		broken, warned []string
	}{
		{"a kind without a threshold of its own keeps the general one", Policy{FailOn: high, Kinds: map[finding.Kind]KindDemands{finding.Secret: {OnlyFixed: &yes}}}, examined(unchanged, with(finding.High, ofKind(finding.Secret))), 1, []string{"kinds.secret.fail-on"}, nil},
		{"a stricter kind fails below the general threshold", Policy{FailOn: high, Kinds: map[finding.Kind]KindDemands{finding.Secret: {OwnFailOn: true, FailOn: low}}}, examined(unchanged, with(finding.Low, ofKind(finding.Secret))), 1, []string{"kinds.secret.fail-on"}, nil},
		{"the stricter kind leaves others alone", Policy{FailOn: high, Kinds: map[finding.Kind]KindDemands{finding.Secret: {OwnFailOn: true, FailOn: low}}}, examined(unchanged, with(finding.Low, same)), 0, nil, nil},
		{"a kind can be let through", Policy{FailOn: high, Kinds: map[finding.Kind]KindDemands{finding.Kubernetes: {OwnFailOn: true}}}, examined(unchanged, with(finding.Critical, ofKind(finding.Kubernetes))), 0, nil, nil},
		{"a kind only warns", Policy{FailOn: high, WarnOnly: []string{"kinds"}, Kinds: map[finding.Kind]KindDemands{finding.Secret: {}}}, examined(unchanged, with(finding.High, ofKind(finding.Secret))), 0, nil, []string{"kinds.secret.fail-on"}},

		{"as many as allowed pass", Policy{FailOn: high, Counts: map[finding.Severity]int{finding.High: 2}}, examined(unchanged, with(finding.High, same), with(finding.High, same)), 0, nil, nil},
		{"one more than allowed fails", Policy{FailOn: high, Counts: map[finding.Severity]int{finding.High: 1}}, examined(unchanged, with(finding.High, same), with(finding.High, same)), 1, []string{"counts"}, nil},
		{"severities that are not counted keep the threshold", Policy{FailOn: high, Counts: map[finding.Severity]int{finding.High: 1}}, examined(unchanged, with(finding.Critical, same)), 1, []string{"fail-on"}, nil},
		{"a kind with its own threshold is not covered by general numbers", Policy{FailOn: high, Counts: map[finding.Severity]int{finding.High: 5}, Kinds: map[finding.Kind]KindDemands{finding.Secret: {OwnFailOn: true, FailOn: low}}}, examined(unchanged, with(finding.High, ofKind(finding.Secret))), 1, []string{"kinds.secret.fail-on"}, nil},
		{"a kind with numbers of its own", Policy{FailOn: high, Kinds: map[finding.Kind]KindDemands{finding.Secret: {Counts: map[finding.Severity]int{finding.High: 0}}}}, examined(unchanged, with(finding.High, ofKind(finding.Secret))), 1, []string{"kinds.secret.counts"}, nil},
		{"numbers leave out what cannot be fixed where only that counts", Policy{OnlyFixed: true, Counts: map[finding.Severity]int{finding.High: 0}}, examined(unchanged, with(finding.High, func(f *finding.Finding) { f.Fix = finding.Fix{State: finding.NotFixed} })), 0, nil, nil},
		{"a fix that the vendor refuses passes where that is said", Policy{FailOn: high, PassFixStates: []finding.FixState{finding.WontFix}}, examined(unchanged, with(finding.High, fix(finding.WontFix))), 0, nil, nil},
		{"numbers leave it out as well", Policy{Counts: map[finding.Severity]int{finding.High: 0}, PassFixStates: []finding.FixState{finding.WontFix}}, examined(unchanged, with(finding.High, fix(finding.WontFix))), 0, nil, nil},
		{"a fix that is put off is another state", Policy{FailOn: high, PassFixStates: []finding.FixState{finding.WontFix}}, examined(unchanged, with(finding.High, fix(finding.FixDeferred))), 1, []string{"fail-on"}, nil},
		{"what needs no new version has no fix state", Policy{FailOn: high, PassFixStates: finding.FixStates()}, examined(unchanged, with(finding.High, fix(finding.FixNotApplicable))), 1, []string{"fail-on"}, nil},
		{"a kind with a threshold of its own spares it too", Policy{PassFixStates: []finding.FixState{finding.WontFix}, Kinds: map[finding.Kind]KindDemands{finding.Vulnerability: {OwnFailOn: true, FailOn: low}}}, examined(unchanged, with(finding.High, fix(finding.WontFix))), 0, nil, nil},
		{"exploitation counts whatever the fix", Policy{KnownExploited: Fails, PassFixStates: []finding.FixState{finding.WontFix}}, examined(unchanged, with(finding.Low, func(f *finding.Finding) { exploited(f); f.Fix.State = finding.WontFix })), 1, []string{"known-exploited"}, nil},
		{"numbers only warn", Policy{Counts: map[finding.Severity]int{finding.High: 0}, WarnOnly: []string{"counts"}}, examined(unchanged, with(finding.High, same)), 0, nil, []string{"counts"}},

		{"a known finding does not count", Policy{FailOn: high}, examined(unchanged, with(finding.High, status(finding.Known))), 0, nil, nil},
		{"a known finding counts when asked for", Policy{FailOn: high, CountKnown: true}, examined(unchanged, with(finding.High, status(finding.Known))), 1, []string{"fail-on"}, nil},
		{"an inherited finding counts when asked for", Policy{FailOn: high, CountInherited: true}, examined(unchanged, with(finding.High, status(finding.Inherited))), 1, []string{"fail-on"}, nil},
		{"a waived finding never counts", Policy{FailOn: high, CountKnown: true, CountInherited: true, KnownExploited: Fails}, examined(unchanged, with(finding.High, status(finding.Waived))), 0, nil, nil},

		{"warn-on warns and passes", Policy{WarnOn: low}, examined(unchanged, with(finding.Medium, same)), 0, nil, []string{"warn-on"}},
		{"a warning has a code of its own when asked for", Policy{WarnOn: low, WarnExit: true}, examined(unchanged, with(finding.Medium, same)), 3, nil, []string{"warn-on"}},
		{"a failure outranks a warning", Policy{FailOn: high, WarnOn: low, WarnExit: true}, examined(unchanged, with(finding.High, same)), 1, []string{"fail-on"}, []string{"warn-on"}},

		{"an exploited flaw fails at any severity", Policy{KnownExploited: Fails, OnlyFixed: true}, examined(unchanged, with(finding.Low, func(f *finding.Finding) { exploited(f); f.Fix.State = finding.NotFixed })), 1, []string{"known-exploited"}, nil},
		{"an exploited flaw warns", Policy{KnownExploited: Warns}, examined(unchanged, with(finding.Low, exploited)), 0, nil, []string{"known-exploited"}},
		{"a flaw that nobody exploits passes", Policy{KnownExploited: Fails}, examined(unchanged, with(finding.Critical, same)), 0, nil, nil},
		{"without the catalogue nothing is known", Policy{KnownExploited: Fails}, examined(func(in *Input) { in.Database.Sources = nil }, with(finding.Low, same)), 5, []string{"known-exploited"}, nil},
		{"EPSS at the limit fails", Policy{EPSS: score(0.5)}, examined(unchanged, with(finding.Low, exploited)), 1, []string{"epss"}, nil},
		{"EPSS below the limit passes", Policy{EPSS: score(0.51)}, examined(unchanged, with(finding.Low, exploited)), 0, nil, nil},
		{"EPSS only warns", Policy{EPSS: score(0.5), WarnOnly: []string{"epss"}}, examined(unchanged, with(finding.Low, exploited)), 0, nil, []string{"epss"}},
		{"without EPSS scores nothing is known", Policy{EPSS: score(0.5)}, examined(func(in *Input) { in.Database.Sources = nil }), 5, []string{"epss"}, nil},
		{"CVSS at the limit fails", Policy{CVSS: score(9)}, examined(unchanged, with(finding.Low, func(f *finding.Finding) { f.Score = 9 })), 1, []string{"cvss"}, nil},
		{"no score is no CVSS of nought", Policy{CVSS: score(0)}, examined(unchanged, with(finding.Low, same)), 0, nil, nil},

		{"a fix that is in time passes", Policy{Remediation: clock}, examined(unchanged, with(finding.High, published("2026-11-20"))), 0, nil, nil},
		{"a fix that is due soon warns", Policy{Remediation: clock}, examined(unchanged, with(finding.High, published("2026-10-28"))), 0, nil, []string{"remediation.warn-before"}},
		{"a fix that is overdue fails", Policy{Remediation: clock}, examined(unchanged, with(finding.High, published("2026-10-01"))), 1, []string{"remediation"}, nil},
		{"the day of the fix counts before that of the advisory", Policy{Remediation: clock}, examined(unchanged, with(finding.High, func(f *finding.Finding) {
			published("2020-01-01")(f)
			f.Evidence = append(f.Evidence, finding.Fact{Name: "fix available since", Value: "2026-11-20"})
		})), 0, nil, nil},
		{"a flaw without a fix has no clock", Policy{Remediation: clock}, examined(unchanged, with(finding.High, func(f *finding.Finding) { published("2020-01-01")(f); f.Fix.State = finding.WontFix })), 0, nil, nil},
		{"another severity has no clock", Policy{Remediation: clock}, examined(unchanged, with(finding.Medium, published("2020-01-01"))), 0, nil, nil},
		{"a missing date is never passed over", Policy{Remediation: clock}, examined(unchanged, with(finding.High, same)), 1, []string{"remediation.undated"}, nil},
		{"a date that cannot be read is a missing one", Policy{Remediation: clock}, examined(unchanged, with(finding.High, published("soon"))), 1, []string{"remediation.undated"}, nil},
		{"a missing date warns", Policy{Remediation: Remediation{FailAfter: clock.FailAfter, UndatedWarns: true}}, examined(unchanged, with(finding.High, same)), 0, nil, []string{"remediation.undated"}},

		{"an exempt package passes", Policy{FailOn: high, Exempt: []Exemption{{Match{Packages: []string{"pkg:deb/*"}}, "r"}}}, examined(unchanged, with(finding.High, same)), 0, nil, nil},
		{"another package is not exempt", Policy{FailOn: high, Exempt: []Exemption{{Match{Packages: []string{"b"}}, "r"}}}, examined(unchanged, with(finding.High, same)), 1, []string{"fail-on"}, nil},
		{"all conditions must hold", Policy{FailOn: high, Exempt: []Exemption{{Match{Packages: []string{"a"}, Paths: []string{"/opt/*"}}, "r"}}}, examined(unchanged, with(finding.High, same)), 1, []string{"fail-on"}, nil},
		{"an exemption below a severity spares no worse one", Policy{FailOn: high, Exempt: []Exemption{{Match{Packages: []string{"a"}, Below: high}, "r"}}}, examined(unchanged, with(finding.High, same)), 1, []string{"fail-on"}, nil},
		{"an exemption below a severity spares no unknown one", Policy{FailOn: high, Exempt: []Exemption{{Match{Packages: []string{"a"}, Below: high}, "r"}}}, examined(unchanged, with(finding.Unknown, same)), 1, []string{"fail-on"}, nil},
		{"an exemption by alias", Policy{FailOn: high, Exempt: []Exemption{{Match{Rules: []string{"ghsa-1"}}, "r"}}}, examined(unchanged, with(finding.High, func(f *finding.Finding) { f.Aliases = []string{"GHSA-1"} })), 0, nil, nil},
		{"the base image is exempt", Policy{FailOn: high, Exempt: []Exemption{{Match{Origin: finding.FromBaseImage}, "r"}}}, examined(unchanged, with(finding.High, func(f *finding.Finding) { f.Origin = finding.FromBaseImage })), 0, nil, nil},
		{"the base image is known by the place that was traced", Policy{FailOn: high, Exempt: []Exemption{{Match{Origin: finding.FromBaseImage}, "r"}}}, examined(unchanged, with(finding.High, func(f *finding.Finding) {
			f.Locations = []finding.Location{{Space: finding.Repository, Path: "Dockerfile", Line: 1, Note: "base image"}, f.Locations[0]}
		})), 0, nil, nil},
		{"an unknown origin is not the base image", Policy{FailOn: high, Exempt: []Exemption{{Match{Origin: finding.FromBaseImage}, "r"}}}, examined(unchanged, with(finding.High, same)), 1, []string{"fail-on"}, nil},
		{"a restriction fails below the threshold", Policy{FailOn: high, Restrict: []Restriction{{Match{Paths: []string{"/usr/*"}}, finding.Low, "r"}}}, examined(unchanged, with(finding.Low, same)), 1, []string{"restrict.1"}, nil},
		{"a restriction leaves other paths alone", Policy{FailOn: high, Restrict: []Restriction{{Match{Paths: []string{"/srv/*"}}, finding.Low, "r"}}}, examined(unchanged, with(finding.Low, same)), 0, nil, nil},
		{"a restriction warns", Policy{Restrict: []Restriction{{Match{Paths: []string{"/usr/*"}}, finding.Low, "r"}}, WarnOnly: []string{"restrict"}}, examined(unchanged, with(finding.Low, same)), 0, nil, []string{"restrict.1"}},

		{"an SBOM that is there", Policy{SBOMRequired: true}, examined(func(in *Input) { in.SBOM = true }), 0, nil, nil},
		{"an SBOM that is missing", Policy{SBOMRequired: true}, examined(unchanged), 1, []string{"sbom"}, nil},
		{"an SBOM that only warns", Policy{SBOMRequired: true, WarnOnly: []string{"sbom"}}, examined(unchanged), 0, nil, []string{"sbom"}},
		{"an SBOM is not asked of a run that lints", Policy{SBOMRequired: true}, Input{}, 0, nil, nil},
		{"an SBOM that a saved report cannot tell of", Policy{SBOMRequired: true}, examined(func(in *Input) { in.Missing = []string{NoSBOM} }), 0, nil, []string{"sbom"}},
		{"a distribution at its end fails", Policy{EndOfLife: Fails, CoverageAllow: []outcome.Reason{outcome.EndOfLife}}, examined(func(in *Input) { in.Coverage = gap(outcome.EndOfLife, 1, "bash 5") }), 1, []string{"end-of-life"}, nil},
		{"a distribution at its end warns", Policy{EndOfLife: Warns, CoverageAllow: []outcome.Reason{outcome.EndOfLife}}, examined(func(in *Input) { in.Coverage = gap(outcome.EndOfLife, 1, "bash 5") }), 0, nil, []string{"end-of-life"}},
		{"a living distribution", Policy{EndOfLife: Fails}, examined(unchanged), 0, nil, nil},

		{"an allowed licence", Policy{Licences: Licences{Allow: []string{"MIT"}}}, examined(packages("MIT")), 0, nil, nil},
		{"a licence that is not allowed", Policy{Licences: Licences{Allow: []string{"MIT"}}}, examined(packages("Apache-2.0")), 1, []string{"licences"}, nil},
		{"a choice with an allowed licence", Policy{Licences: Licences{Allow: []string{"MIT"}}}, examined(packages("(Apache-2.0 AND ISC) OR MIT")), 0, nil, nil},
		{"licences that all hold", Policy{Licences: Licences{Deny: []string{"GPL-*"}}}, examined(packages("MIT AND (ISC OR GPL-3.0-only)")), 0, nil, nil},
		{"a denied licence among several", Policy{Licences: Licences{Deny: []string{"GPL-*"}}}, examined(packages("MIT", "GPL-2.0-only")), 1, []string{"licences"}, nil},
		{"a denied licence with an exception", Policy{Licences: Licences{Deny: []string{"GPL-*"}}}, examined(packages("GPL-2.0-only WITH Classpath-exception-2.0")), 1, []string{"licences"}, nil},
		{"a licence by its old id", Policy{Licences: Licences{Deny: []string{"gpl-2.0-or-later"}}}, examined(packages("GPL-2.0+")), 1, []string{"licences"}, nil},
		{"no licence", Policy{Licences: Licences{Allow: []string{"MIT"}, Unknown: Fails}}, examined(packages()), 1, []string{"licences.unknown"}, nil},
		{"a licence that nobody can read warns", Policy{Licences: Licences{Deny: []string{"GPL-*"}, Unknown: Warns}}, examined(packages("my own")), 0, nil, []string{"licences.unknown"}},
		{"a licence that is allowed by its text", Policy{Licences: Licences{Allow: []string{"my own"}, Unknown: Fails}}, examined(packages("my own")), 0, nil, nil},
		{"a package whose licence is not judged", Policy{Licences: Licences{Allow: []string{"MIT"}, Unknown: Fails, Ignore: []string{"pkg:npm/*"}}}, examined(packages()), 0, nil, nil},
		{"licences only warn", Policy{Licences: Licences{Allow: []string{"MIT"}}, WarnOnly: []string{"licences"}}, examined(packages("ISC")), 0, nil, []string{"licences"}},

		{"a condition on findings", Policy{Deny: []Expression{{Name: "x", Text: `finding.package.name == "a"`}}}, examined(unchanged, with(finding.Low, same)), 1, []string{"deny.x"}, nil},
		{"a condition that does not hold", Policy{Deny: []Expression{{Name: "x", Text: `finding.package.name == "b"`}}}, examined(unchanged, with(finding.Low, same)), 0, nil, nil},
		{"a condition that warns", Policy{Warn: []Expression{{Name: "x", Text: `findings.size() > 0`}}}, examined(unchanged, with(finding.Low, same)), 0, nil, []string{"warn.x"}},
		{"a condition does not see what is exempt", Policy{Deny: []Expression{{Name: "x", Text: `findings.size() > 0`}}, Exempt: []Exemption{{Match{Rules: []string{"CVE-1"}}, "r"}}}, examined(unchanged, with(finding.Low, same)), 0, nil, nil},
		{"a condition on packages", Policy{Deny: []Expression{{Name: "x", Text: `pkg.name.startsWith("le")`}}}, examined(packages()), 1, []string{"deny.x"}, nil},
		{"a condition on manifests", Policy{Deny: []Expression{{Name: "x", Text: `manifest.kind == "Pod"`}}}, Input{Manifests: []Manifest{{Path: "p.yaml", Line: 1, Object: map[string]any{"kind": "Pod"}}}}, 1, []string{"deny.x"}, nil},
		{"a condition on an image that is not there", Policy{Deny: []Expression{{Name: "x", Text: `image.user == ""`}}}, Input{}, 0, nil, nil},
		{"a condition without a value is never false", Policy{Deny: []Expression{{Name: "x", Text: `manifest.spec.a == 1`}}}, Input{Manifests: []Manifest{{Object: map[string]any{}}}}, 4, []string{"deny.x"}, nil},
		{"a warning without a value warns", Policy{Warn: []Expression{{Name: "x", Text: `manifest.spec.a == 1`}}}, Input{Manifests: []Manifest{{Object: map[string]any{}}}}, 0, nil, []string{"warn.x"}},
		{"a condition that does not compile", Policy{Deny: []Expression{{Name: "x", Text: `1 +`}}}, Input{}, 4, []string{"deny.x"}, nil},
		{"what says that nothing was seen cannot only warn", Policy{WarnOnly: WarnOnlyNames()}, examined(func(in *Input) { in.Coverage = outcome.Coverage{} }), 4, []string{"inventory"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			verdict, code := Evaluate(tt.policy, tt.input)
			if code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			var broken, warned []string
			for _, c := range verdict.Clauses {
				if c.Broken {
					broken = append(broken, c.Name)
				}
				if c.Warned {
					warned = append(warned, c.Name)
				}
				if (c.Broken || c.Warned) == (c.Reason == "") || c.Broken && c.Warned || c.Demand == "" {
					t.Errorf("clause %+v does not tell one thing", c)
				}
			}
			if diff := cmp.Diff(tt.broken, broken); diff != "" {
				t.Errorf("broken (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.warned, warned); diff != "" {
				t.Errorf("warned (-want +got):\n%s", diff)
			}
		})
	}
}
