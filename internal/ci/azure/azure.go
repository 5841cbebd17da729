// Package azure writes the outcome as logging commands of Azure Pipelines,
// https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands
package azure

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report/document"
)

// maxIssues is the number of issues of each kind. The host has no published
// limit; a page with more is not read.
const maxIssues = 50

// Write writes one issue for each open finding, errors for those that break
// the policy, then output variables. The summary names a Markdown file to show
// on the page of the run; empty for none.
func Write(w io.Writer, o outcome.Outcome, summary string) error {
	var b strings.Builder
	failed := o.Verdict.Failed()
	active, _ := document.Split(o)
	for _, f := range o.Failures {
		b.WriteString(command("task.logissue", [][2]string{{"type", "error"}}, f.Message+" "+f.Hint))
	}
	shown := map[string]int{}
	for _, f := range active {
		kind := "warning"
		if failed[f.Fingerprint] {
			kind = "error"
		}
		if shown[kind]++; shown[kind] <= maxIssues {
			b.WriteString(issue(kind, f))
		}
	}
	for _, kind := range []string{"error", "warning"} {
		if more := shown[kind] - maxIssues; more > 0 {
			b.WriteString(command("task.logissue", [][2]string{{"type", kind}}, fmt.Sprintf("%d more findings are in the reports", more)))
		}
	}
	if summary != "" {
		b.WriteString(command("task.uploadsummary", nil, summary))
	}
	c := document.Count(o)
	b.WriteString(variable("portcullisResult", string(o.Verdict.Result)))
	b.WriteString(variable("portcullisFindings", strconv.Itoa(c.Active)))
	b.WriteString(variable("portcullisFailed", strconv.Itoa(c.Failing)))
	_, err := io.WriteString(w, b.String())
	return err
}

func issue(kind string, f finding.Finding) string {
	fields := [][2]string{{"type", kind}}
	if l := f.Locations[0]; l.Space == finding.Repository {
		fields = append(fields, [2]string{"sourcepath", l.Path})
		if l.Line > 0 {
			fields = append(fields, [2]string{"linenumber", strconv.Itoa(l.Line)})
		}
		if l.Column > 0 {
			fields = append(fields, [2]string{"columnnumber", strconv.Itoa(l.Column)})
		}
	}
	fields = append(fields, [2]string{"code", f.RuleID})
	return command("task.logissue", fields, f.Severity.String()+": "+f.Message)
}

// variable sets a variable twice: for later steps of the job under its own name,
// and for other jobs as an output, which the host puts under the step's name.
func variable(name, value string) string {
	return command("task.setvariable", [][2]string{{"variable", name}}, value) +
		command("task.setvariable", [][2]string{{"variable", name}, {"isOutput", "true"}}, value)
}

// propertyEscapes are those of the agent's own command parser,
// https://github.com/microsoft/azure-pipelines-agent/blob/master/src/Agent.Sdk/CommandStringConvertor.cs
var (
	propertyEscapes = strings.NewReplacer("%", "%AZP25", ";", "%3B", "\r", "%0D", "\n", "%0A", "]", "%5D")
	dataEscapes     = strings.NewReplacer("%", "%AZP25", "\r", "%0D", "\n", "%0A")
)

func command(name string, fields [][2]string, data string) string {
	var b strings.Builder
	b.WriteString("##vso[" + name)
	for i, f := range fields {
		if i == 0 {
			b.WriteByte(' ')
		}
		b.WriteString(f[0] + "=" + propertyEscapes.Replace(neutralise.Log(f[1])) + ";")
	}
	b.WriteString("]" + dataEscapes.Replace(neutralise.Cut(neutralise.Log(data), 4000)) + "\n")
	return b.String()
}
