package policy

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// BenchmarkEvaluate judges as many findings as a large image has by every sort
// of clause.
func BenchmarkEvaluate(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	in := examined(unchanged)
	for i := range 5000 {
		in.Findings = append(in.Findings, anyFinding(r, i))
	}
	p := Policy{
		FailOn: failOn(finding.High), WarnOn: failOn(finding.Low), KnownExploited: Fails, EPSS: score(0.5), CVSS: score(9),
		Counts:      map[finding.Severity]int{finding.Medium: 10},
		Kinds:       map[finding.Kind]KindDemands{finding.Secret: {OwnFailOn: true, FailOn: failOn(finding.Low)}},
		Remediation: Remediation{FailAfter: map[finding.Severity]time.Duration{finding.High: time.Hour}},
		Exempt:      []Exemption{{Match{Packages: []string{"pkg:deb/*", "a"}}, "r"}},
		Deny:        []Expression{{Name: "x", Text: `finding.level >= 4 && finding.package.name == "b"`}},
	}
	for b.Loop() {
		Evaluate(p, in)
	}
}
