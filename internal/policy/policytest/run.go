package policytest

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/portcullis-ci/portcullis/internal/config"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/policy"
)

// Load reads the policy of a configuration file with a profile, "" for none.
// The path is as written in the file of tests: relative to that file.
type Load func(path, profile string) (policy.Policy, error)

// Report is what came of a file of tests.
type Report struct {
	Name  string
	Tests []Test
}

// Test is what came of one test.
type Test struct {
	Name string
	// Line is where the test stands.
	Line int
	// Faults say how the verdict differs from what was expected; none when the
	// test passed.
	Faults []string
}

// Failed is the number of tests that did not pass.
func (r Report) Failed() int {
	n := 0
	for _, t := range r.Tests {
		if len(t.Faults) > 0 {
			n++
		}
	}
	return n
}

// Run runs the tests of a file. The error, a usage error, says that the file
// or a policy cannot be read; a test that does not pass is no error.
func Run(name string, content []byte, load Load) (Report, error) {
	f, err := decode(name, content)
	if err != nil {
		return Report{}, usage(err)
	}
	report := Report{Name: name}
	var errs []error
	for _, t := range f.Tests {
		p, err := f.policyOf(name, t, load)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s:%d: test %q: %w", name, t.line, t.Name, err))
			continue
		}
		in, err := t.input()
		if err != nil {
			errs = append(errs, fmt.Errorf("%s:%d: test %q: %w", name, t.line, t.Name, err))
			continue
		}
		violations, err := t.lint(p, &in)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s:%d: test %q: %w", name, t.line, t.Name, err))
			continue
		}
		verdict, code := policy.Evaluate(p, in)
		faults := t.Expect.compare(verdict, code, in)
		if want := t.Expect.Violations; want != nil && !sameSet(*want, violations) {
			faults = append(faults, fmt.Sprintf("violations: expected %v, got %v", *want, violations))
		}
		report.Tests = append(report.Tests, Test{Name: t.Name, Line: t.line, Faults: faults})
	}
	if err := errors.Join(errs...); err != nil {
		return Report{}, usage(err)
	}
	return report, nil
}

func usage(err error) error {
	return &exit.Error{
		Code: exit.Usage, Doing: "read the policy tests", Err: err,
		Hint: "the format is described in docs/policy.md",
	}
}

// policyOf returns the policy of a test: its own, or that of the file.
func (f file) policyOf(name string, t test, load Load) (policy.Policy, error) {
	for _, n := range []yaml.Node{t.Policy, f.Policy} {
		if n.Kind != 0 {
			return config.DecodePolicy(name, &n)
		}
	}
	if load == nil {
		return policy.Policy{}, errors.New("configuration files cannot be read here")
	}
	profile := f.Profile
	if t.Profile != "" {
		profile = t.Profile
	}
	return load(f.Config, profile)
}

// compare says how a verdict differs from what is expected.
func (e expectation) compare(v outcome.Verdict, code exit.Code, in policy.Input) []string {
	var faults []string
	differ := func(what string, want, got any) {
		faults = append(faults, fmt.Sprintf("%s: expected %v, got %v%s", what, want, got, reasons(v)))
	}
	if e.Result != string(v.Result) {
		differ("result", e.Result, v.Result)
	}
	if e.ExitCode != nil && exit.Code(*e.ExitCode) != code {
		differ("exit-code", *e.ExitCode, int(code))
	}
	var broken, warned, changes, ids []string
	for _, c := range v.Clauses {
		switch {
		case c.Broken:
			broken = append(broken, c.Name)
		case c.Warned:
			warned = append(warned, c.Name)
		}
	}
	for _, c := range v.Changes {
		changes = append(changes, c.Text)
	}
	failed := v.Failed()
	for _, f := range in.Findings {
		if failed[f.Fingerprint] {
			ids = append(ids, f.RuleID)
		}
	}
	for _, list := range []struct {
		name string
		want *[]string
		got  []string
	}{{"broken", e.Broken, broken}, {"warned", e.Warned, warned}, {"findings", e.Findings, ids}, {"changes", e.Changes, changes}} {
		if list.want != nil && !sameSet(*list.want, list.got) {
			differ(list.name, *list.want, list.got)
		}
	}
	return faults
}

// reasons are those of the clauses that are not met.
func reasons(v outcome.Verdict) string {
	var words []string
	for _, c := range v.Clauses {
		if c.Broken || c.Warned {
			words = append(words, c.Name+": "+c.Reason)
		}
	}
	if words == nil {
		return ""
	}
	return " (" + strings.Join(words, "; ") + ")"
}

// sameSet reports whether two lists hold the same, in whatever order.
func sameSet(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

// Write tells a person what came of the tests.
func (r Report) Write(w io.Writer) error {
	var b strings.Builder
	for _, t := range r.Tests {
		if len(t.Faults) == 0 {
			continue
		}
		fmt.Fprintf(&b, "%s:%d: %s\n", neutralise.Log(r.Name), t.Line, neutralise.Log(t.Name))
		for _, fault := range t.Faults {
			fmt.Fprintf(&b, "  %s\n", neutralise.Log(fault))
		}
	}
	fmt.Fprintf(&b, "%s: %d of %d tests passed\n", neutralise.Log(r.Name), len(r.Tests)-r.Failed(), len(r.Tests))
	_, err := io.WriteString(w, b.String())
	return err
}
