// Package replay judges saved JSON reports again under another policy and says
// what would have come of it, so that a team can see a change of policy before
// it switches it on. It examines nothing anew: what a report does not hold,
// such as licences or the image's configuration, is not judged and named.
package replay

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/policy"
	"github.com/portcullis-ci/portcullis/internal/report/jsonreport"
)

// Saved is a report of an earlier run.
type Saved struct {
	// Name is its file.
	Name    string
	Outcome outcome.Outcome
}

// Result is what comes of one report under the policy.
type Result struct {
	Name string
	// Taken is when the saved run ended.
	Taken time.Time
	// Before and After are the results of the saved run and of the policy.
	Before, After         outcome.Result
	BeforeCode, AfterCode exit.Code
	// Verdict is that of the policy.
	Verdict outcome.Verdict
	// Blocking are the findings that break the policy now and did not in the
	// saved run; Freed are those that did and do not now. In report order.
	Blocking, Freed []finding.Finding
	// NotJudged are the names of clauses that need what a report lacks.
	NotJudged []string
}

// Read reads a saved report.
func Read(name string, content []byte) (Saved, error) {
	o, err := jsonreport.Decode(name, content)
	if err != nil {
		return Saved{}, &exit.Error{
			Code: exit.Usage, Doing: "read the saved report", Err: err,
			Hint: "replay takes what --output json=FILE writes",
		}
	}
	return Saved{name, o}, nil
}

// missing is what no report holds.
var missing = []string{policy.NoPackages, policy.NoImage, policy.NoManifests, policy.NoSBOM}

// Judge applies the policy to a saved report as of the given time; the zero
// time stands for the end of the saved run.
func Judge(p policy.Policy, s Saved, asOf time.Time) Result {
	o := s.Outcome
	if asOf.IsZero() {
		asOf = o.Finished
	}
	in := policy.Input{
		Findings: o.Findings, Coverage: o.Coverage, InventoryExamined: examined(o), Database: o.Database,
		Failures: o.Failures, Now: asOf, Image: o.Image, Distro: o.Distro, Missing: missing,
	}
	r := Result{Name: s.Name, Taken: o.Finished, Before: o.Verdict.Result, BeforeCode: o.ExitCode}
	r.Verdict, r.AfterCode = policy.Evaluate(p, in)
	r.After = r.Verdict.Result
	before, after := o.Verdict.Failed(), r.Verdict.Failed()
	for _, f := range o.Findings {
		switch fp := f.Fingerprint; {
		case after[fp] && !before[fp]:
			r.Blocking = append(r.Blocking, f)
		case before[fp] && !after[fp]:
			r.Freed = append(r.Freed, f)
		}
	}
	finding.Sort(r.Blocking)
	finding.Sort(r.Freed)
	for _, c := range r.Verdict.Clauses {
		if policy.NotJudged(c) {
			r.NotJudged = append(r.NotJudged, c.Name)
		}
	}
	slices.Sort(r.NotJudged)
	return r
}

// examined reports whether the saved run judged packages.
func examined(o outcome.Outcome) bool {
	return o.Coverage.Packages > 0 ||
		slices.ContainsFunc(o.Verdict.Clauses, func(c outcome.Clause) bool { return c.Name == "inventory" })
}

// Code is the exit code of a replay: that of the worst report under the
// policy.
func Code(results []Result) exit.Code {
	code := exit.Passed
	for _, r := range results {
		code = exit.Worst(code, r.AfterCode)
	}
	return code
}

// Write tells a person what would have come of each report.
func Write(w io.Writer, results []Result) error {
	blocked := 0
	for _, r := range results {
		if r.After != outcome.Pass && r.Before == outcome.Pass {
			blocked++
		}
		if err := r.write(w); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "%d of %d reports would be newly blocked\n", blocked, len(results))
	return err
}

func (r Result) write(w io.Writer) error {
	taken := "at an unknown time"
	if !r.Taken.IsZero() {
		taken = r.Taken.UTC().Format(time.RFC3339)
	}
	text := fmt.Sprintf("%s (%s): %s, was %s\n", neutralise.Log(r.Name), taken, r.After, r.Before)
	for _, c := range r.Verdict.Clauses {
		switch {
		case c.Broken:
			text += fmt.Sprintf("  broken   %s: %s\n", c.Name, neutralise.Log(c.Reason))
		case c.Warned:
			text += fmt.Sprintf("  warning  %s: %s\n", c.Name, neutralise.Log(c.Reason))
		}
	}
	for _, f := range r.Blocking {
		text += fmt.Sprintf("  blocks   %s %s: %s\n", f.Severity, neutralise.Log(f.RuleID), neutralise.Log(f.Message))
	}
	for _, f := range r.Freed {
		text += fmt.Sprintf("  passes   %s %s: %s\n", f.Severity, neutralise.Log(f.RuleID), neutralise.Log(f.Message))
	}
	_, err := io.WriteString(w, text)
	return err
}
