// Package junit writes the JUnit XML that GitLab, Jenkins, CircleCI, Azure
// Pipelines and others read: a test for each clause of the policy, each finding
// and each thing that went wrong. Findings that break the policy fail, other
// open ones pass with a text, and those that do not count are skipped with
// their reason.
package junit

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report/document"
)

type suites struct {
	XMLName  xml.Name `xml:"testsuites"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Skipped  int      `xml:"skipped,attr"`
	Suites   []*suite `xml:"testsuite"`
}

type suite struct {
	Name     string     `xml:"name,attr"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Errors   int        `xml:"errors,attr"`
	Skipped  int        `xml:"skipped,attr"`
	Cases    []testcase `xml:"testcase"`
}

type testcase struct {
	Name    string   `xml:"name,attr"`
	Class   string   `xml:"classname,attr"`
	File    string   `xml:"file,attr,omitempty"`
	Line    string   `xml:"line,attr,omitempty"`
	Failure *problem `xml:"failure,omitempty"`
	Error   *problem `xml:"error,omitempty"`
	Skipped *problem `xml:"skipped,omitempty"`
	Out     string   `xml:"system-out,omitempty"`
}

type problem struct {
	Message string `xml:"message,attr,omitempty"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// Write writes the outcome as JUnit XML.
func Write(_ context.Context, w io.Writer, o outcome.Outcome, opts document.Options) error {
	all := suites{Name: "Portcullis"}
	all.add(policy(o))
	all.add(findings(o, opts))
	for _, s := range all.Suites {
		all.Tests += s.Tests
		all.Failures += s.Failures
		all.Errors += s.Errors
		all.Skipped += s.Skipped
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	enc := xml.NewEncoder(&b)
	enc.Indent("", "  ")
	if err := enc.Encode(all); err != nil {
		return fmt.Errorf("encode JUnit report: %w", err)
	}
	b.WriteByte('\n')
	_, err := w.Write(neutralise.Markup(b.Bytes()))
	return err
}

func (s *suites) add(one *suite) {
	if one.Tests > 0 {
		s.Suites = append(s.Suites, one)
	}
}

func (s *suite) add(c testcase) {
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

func policy(o outcome.Outcome) *suite {
	s := &suite{Name: "policy"}
	for _, f := range o.Failures {
		s.add(testcase{
			Name: text(f.Stage + " " + f.Target), Class: "portcullis.run",
			Error: &problem{Message: text(f.Message), Type: "failure", Text: text(f.Hint)},
		})
	}
	for _, t := range o.Targets {
		c := testcase{Name: text(string(t.Kind) + " " + t.Name + " was examined"), Class: "portcullis.run"}
		if !t.Examined {
			c.Error = &problem{Message: "not examined", Type: "not-examined"}
		}
		s.add(c)
	}
	for _, clause := range o.Verdict.Clauses {
		c := testcase{Name: text(clause.Name + ": " + clause.Demand), Class: "portcullis.policy"}
		switch {
		case clause.Broken:
			c.Failure = &problem{Message: text(clause.Reason), Type: text(clause.Name)}
		case o.Verdict.Result == outcome.Incomplete:
			c.Skipped = &problem{Message: "not decided: the run is incomplete"}
		}
		s.add(c)
	}
	for _, g := range o.Coverage.Gaps {
		packages := "1 package"
		if n := len(g.Packages); n != 1 {
			packages = fmt.Sprintf("%d packages", n)
		}
		s.add(testcase{
			Name: text(fmt.Sprintf("%s assessed: %s %s", packages, g.Reason, g.Detail)), Class: "portcullis.coverage",
			Skipped: &problem{Message: "not assessable for vulnerabilities"},
		})
	}
	return s
}

func findings(o outcome.Outcome, opts document.Options) *suite {
	s := &suite{Name: "findings"}
	failed := o.Verdict.Failed()
	for _, f := range document.Sorted(o.Findings) {
		if !opts.Shown(f) || len(f.Locations) == 0 {
			continue
		}
		c := testcase{Name: text(name(f)), Class: "portcullis." + string(f.Kind)}
		if l := f.Locations[0]; l.Space == finding.Repository {
			c.File = text(l.Path)
			if l.Line > 0 {
				c.Line = strconv.Itoa(l.Line)
			}
		}
		message := text(f.Message)
		switch {
		case failed[f.Fingerprint]:
			c.Failure = &problem{Message: message, Type: f.Severity.String(), Text: text(f.Fix.Text)}
		case !document.Active(f):
			c.Skipped = &problem{Message: text(string(f.Status) + ": " + f.StatusReason)}
		default:
			c.Out = message
		}
		s.add(c)
	}
	return s
}

func name(f finding.Finding) string {
	words := f.RuleID + " (" + f.Severity.String() + "): "
	if f.Package != nil {
		return words + f.Package.Name + " " + f.Package.Version
	}
	words += f.Title
	l := f.Locations[0]
	if l.Line > 0 {
		return fmt.Sprintf("%s, %s:%d", words, l.Path, l.Line)
	}
	return words + ", " + l.Path
}

// text is one line of at most 2,000 bytes: no reader of test results shows
// more.
func text(s string) string { return neutralise.Short(s, 2000) }
