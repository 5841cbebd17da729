package policy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/outcome"
)

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// anyFinding makes a finding of any sort that no other has.
func anyFinding(r *rand.Rand, i int) finding.Finding {
	f := finding.Finding{
		RuleID:   fmt.Sprintf("CVE-%d", r.IntN(6)),
		Kind:     pick(r, finding.Vulnerability, finding.Vulnerability, finding.Secret, finding.Kubernetes),
		Severity: finding.Severity(r.IntN(6)), Score: float64(r.IntN(101)) / 10,
		Status:    pick(r, finding.Open, finding.Open, finding.Open, finding.Known, finding.Inherited, finding.Waived),
		Origin:    pick(r, "", finding.FromBaseImage, finding.FromBuild),
		Locations: []finding.Location{{Space: finding.InImage, Path: pick(r, "/usr/a", "/srv/b", "/srv/c")}},
		Package:   &finding.Package{Name: pick(r, "a", "b", "c"), Version: pick(r, "1", "2"), Type: "deb"},
		Fix:       finding.Fix{State: pick(r, finding.Fixed, finding.NotFixed), Version: pick(r, "3", "4"), Text: "Do it."},
	}
	f.Fingerprint = fmt.Sprintf("%s-%d", f.RuleID, i)
	if f.Kind != finding.Vulnerability {
		f.Fix.State, f.Fix.Version = finding.FixNotApplicable, ""
	}
	if r.IntN(2) == 0 {
		f.Risk = &finding.Risk{EPSS: r.Float64()}
	}
	if f.Risk != nil && r.IntN(3) == 0 {
		f.Risk.KnownExploited = now
	}
	if r.IntN(3) > 0 {
		f.Evidence = []finding.Fact{{Name: "published", Value: now.AddDate(0, 0, -r.IntN(90)).Format(time.DateOnly)}}
	}
	return f
}

// anyPolicy makes a policy of any clauses whose conditions are about single
// findings.
func anyPolicy(r *rand.Rand) Policy {
	severity := func() *finding.Severity {
		if r.IntN(3) == 0 {
			return nil
		}
		return failOn(finding.Severity(1 + r.IntN(5)))
	}
	p := Policy{
		FailOn: severity(), WarnOn: severity(), OnlyFixed: r.IntN(2) == 0, UnknownSeverityPasses: r.IntN(2) == 0,
		CountKnown: r.IntN(2) == 0, CountInherited: r.IntN(2) == 0, KnownExploited: pick(r, Passes, Warns, Fails),
	}
	if r.IntN(2) == 0 {
		p.Counts = map[finding.Severity]int{finding.Severity(r.IntN(6)): r.IntN(4), finding.High: r.IntN(4)}
	}
	if r.IntN(2) == 0 {
		p.PassFixStates = []finding.FixState{pick(r, finding.FixStates()...)}
	}
	if r.IntN(2) == 0 {
		fixed := r.IntN(2) == 0
		p.Kinds = map[finding.Kind]KindDemands{finding.Secret: {OwnFailOn: r.IntN(2) == 0, FailOn: severity(), OnlyFixed: &fixed}}
	}
	if r.IntN(2) == 0 {
		p.EPSS, p.CVSS = score(r.Float64()), score(float64(r.IntN(11)))
	}
	if r.IntN(2) == 0 {
		p.Exempt = []Exemption{{Match{Packages: []string{"a"}, Below: severity(), Origin: pick(r, "", finding.FromBaseImage)}, "r"}}
	}
	if r.IntN(2) == 0 {
		p.Restrict = []Restriction{{Match{Paths: []string{"/srv/*"}}, finding.Low, "r"}}
	}
	if r.IntN(2) == 0 {
		p.Remediation = Remediation{FailAfter: map[finding.Severity]time.Duration{finding.High: 720 * time.Hour, finding.Low: 24 * time.Hour}, WarnBefore: 48 * time.Hour, UndatedWarns: r.IntN(2) == 0}
	}
	if r.IntN(2) == 0 {
		p.WarnOnly = []string{pick(r, WarnOnlyNames()...)}
	}
	if r.IntN(4) == 0 {
		p.Deny = []Expression{{Name: "x", Text: `finding.level >= 3 && finding.package.name == "b"`}}
	}
	return p
}

func anyInput(r *rand.Rand) Input {
	in := examined(unchanged)
	in.Compare = numeric
	for i := range r.IntN(8) {
		in.Findings = append(in.Findings, anyFinding(r, i))
	}
	for i := range r.IntN(4) {
		in.Packages = append(in.Packages, inventory.Package{ID: fmt.Sprint(i), Name: pick(r, "a", "b"), Version: "1", Licenses: []string{"MIT"}})
	}
	return in
}

// each runs a property over policies and inputs that are the same in each run.
func each(t *testing.T, property func(t *testing.T, r *rand.Rand, p Policy, in Input)) {
	t.Helper()
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 7))
		property(t, r, anyPolicy(r), anyInput(r))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// guilty are the findings that break or warn under the clauses about single
// findings. Numbers are about all findings of a severity together.
func guilty(v outcome.Verdict) map[string][]string {
	out := make(map[string][]string)
	for _, c := range v.Clauses {
		if c.Name == "counts" {
			continue
		}
		for _, fp := range c.Findings {
			out[fp] = append(out[fp], c.Name)
		}
	}
	for _, names := range out {
		slices.Sort(names)
	}
	return out
}

func TestAddingAFindingNeverTurnsFailIntoPassUnderAnyPolicy(t *testing.T) {
	each(t, func(t *testing.T, r *rand.Rand, p Policy, in Input) {
		before, codeBefore := Evaluate(p, in)
		more := in
		more.Findings = append(slices.Clone(in.Findings), anyFinding(r, 100))
		after, codeAfter := Evaluate(p, more)
		if before.Result == outcome.Fail && after.Result == outcome.Pass || exit.Worst(codeBefore, codeAfter) != codeAfter {
			t.Errorf("%s with %d became %s with %d", before.Result, codeBefore, after.Result, codeAfter)
		}
		for _, c := range before.Clauses {
			i := slices.IndexFunc(after.Clauses, func(d outcome.Clause) bool { return d.Name == c.Name })
			if i < 0 || c.Broken && !after.Clauses[i].Broken {
				t.Errorf("clause %s is no longer broken", c.Name)
			}
		}
	})
}

func TestWaivingAFindingNeverChangesAnother(t *testing.T) {
	each(t, func(t *testing.T, r *rand.Rand, p Policy, in Input) {
		if len(in.Findings) == 0 {
			return
		}
		before, _ := Evaluate(p, in)
		i := r.IntN(len(in.Findings))
		less := in
		less.Findings = slices.Clone(in.Findings)
		less.Findings[i].Status = finding.Waived
		after, _ := Evaluate(p, less)
		want := guilty(before)
		delete(want, in.Findings[i].Fingerprint)
		if diff := cmp.Diff(want, guilty(after)); diff != "" {
			t.Errorf("findings and the clauses that they break (-before +after):\n%s", diff)
		}
		if before.Result == outcome.Pass && after.Result != outcome.Pass {
			t.Errorf("a waiver made %s of pass", after.Result)
		}
	})
}

func TestTheOrderOfInputsNeverMatters(t *testing.T) {
	each(t, func(t *testing.T, r *rand.Rand, p Policy, in Input) {
		p.Licences = Licences{Allow: []string{"ISC"}}
		first, codeFirst := Evaluate(p, in)
		mixed := in
		mixed.Findings, mixed.Packages = slices.Clone(in.Findings), slices.Clone(in.Packages)
		r.Shuffle(len(mixed.Findings), func(i, j int) { mixed.Findings[i], mixed.Findings[j] = mixed.Findings[j], mixed.Findings[i] })
		r.Shuffle(len(mixed.Packages), func(i, j int) { mixed.Packages[i], mixed.Packages[j] = mixed.Packages[j], mixed.Packages[i] })
		second, codeSecond := Evaluate(p, mixed)
		if diff := cmp.Diff(first, second); diff != "" || codeFirst != codeSecond {
			t.Errorf("codes %d and %d (-first +second):\n%s", codeFirst, codeSecond, diff)
		}
	})
}

// TestMakingTheChangesKeepsThePolicy holds what the verdict promises: without
// the findings that its changes remove, only those that it calls unresolved
// still break a clause.
func TestMakingTheChangesKeepsThePolicy(t *testing.T) {
	each(t, func(t *testing.T, _ *rand.Rand, p Policy, in Input) {
		v, _ := Evaluate(p, in)
		gone := make(map[string]bool)
		for _, c := range v.Changes {
			for _, fp := range c.Findings {
				gone[fp] = true
			}
		}
		for _, fp := range v.Unresolved {
			if gone[fp] {
				t.Errorf("%s is both removed and unresolved", fp)
			}
			gone[fp] = true
		}
		rest := in
		rest.Findings = slices.DeleteFunc(slices.Clone(in.Findings), func(f finding.Finding) bool { return gone[f.Fingerprint] })
		if after, code := Evaluate(p, rest); code != exit.Passed {
			t.Errorf("after %v and %v the result is %s: %+v", words(v), v.Unresolved, after.Result, after.Clauses)
		}
	})
}

func TestEvaluateLeavesItsInputAlone(t *testing.T) {
	each(t, func(t *testing.T, r *rand.Rand, p Policy, in Input) {
		copied := in
		copied.Findings, copied.Packages = slices.Clone(in.Findings), slices.Clone(in.Packages)
		Evaluate(p, in)
		if diff := cmp.Diff(copied.Findings, in.Findings) + cmp.Diff(copied.Packages, in.Packages); diff != "" {
			t.Errorf("(-before +after):\n%s", diff)
		}
	})
}
