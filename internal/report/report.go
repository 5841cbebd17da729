// Package report is the table of report formats and the one way to write a
// report into a file. Each format lives in a package of its own below this
// one, knows outcomes only, and never decides about severity or policy.
package report

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report/bitbucket"
	"github.com/portcullis-ci/portcullis/internal/report/document"
	"github.com/portcullis-ci/portcullis/internal/report/gitlab"
	"github.com/portcullis-ci/portcullis/internal/report/html"
	"github.com/portcullis-ci/portcullis/internal/report/jsonreport"
	"github.com/portcullis-ci/portcullis/internal/report/junit"
	"github.com/portcullis-ci/portcullis/internal/report/markdown"
	"github.com/portcullis-ci/portcullis/internal/report/sarif"
	"github.com/portcullis-ci/portcullis/internal/report/tekton"
	"github.com/portcullis-ci/portcullis/internal/report/terminal"
)

// Options are what a format may use besides the outcome.
type Options = document.Options

// Format is one report format.
type Format struct {
	// Name is what users write in --output NAME=FILE.
	Name string
	// About says in a few words what the format is for.
	About string
	// Write writes the whole report. It fails only when w does or the context
	// ends.
	Write func(ctx context.Context, w io.Writer, o outcome.Outcome, opts Options) error
}

// Formats returns all formats in the order of their names.
func Formats() []Format {
	return []Format{
		{"bitbucket", "Code Insights report and annotations for the API of Bitbucket", bitbucket.Write},
		{"gitlab-annotations", "links on the page of a GitLab job (reports:annotations)", gitlab.Annotations},
		{"gitlab-codequality", "GitLab Code Quality (reports:codequality)", gitlab.CodeQuality},
		{"gitlab-container-scanning", "GitLab container scanning (reports:container_scanning)", gitlab.ContainerScanning},
		{"gitlab-dependency-scanning", "GitLab dependency scanning (reports:dependency_scanning)", gitlab.DependencyScanning},
		{"gitlab-dotenv", "variables for later GitLab jobs (reports:dotenv)", gitlab.Dotenv},
		{"gitlab-sast", "GitLab SAST: Dockerfile and manifest findings (reports:sast)", gitlab.SAST},
		{"gitlab-secret-detection", "GitLab secret detection: secrets at lines of the repository (reports:secret_detection)", gitlab.SecretDetection},
		{"html", "one page for people, without any other file", html.Write},
		{"json", "everything, for scripts, with a JSON Schema", jsonreport.Write},
		{"junit", "JUnit XML for GitLab, Jenkins, CircleCI, Azure Pipelines", junit.Write},
		{"markdown", "Markdown for summaries, wikis and comments", markdown.Write},
		{"sarif", "SARIF 2.1.0 for GitHub code scanning and other viewers", sarif.Write},
		{"tekton", "one short line of JSON for result files of Tekton and Argo", tekton.Write},
		{"terminal", "text for people", terminal.Write},
	}
}

// Find returns the format of the given name. The error lists the names there
// are and carries exit.Usage.
func Find(name string) (Format, error) {
	formats := Formats()
	i := slices.IndexFunc(formats, func(f Format) bool { return f.Name == name })
	if i >= 0 {
		return formats[i], nil
	}
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.Name
	}
	return Format{}, &exit.Error{
		Code:  exit.Usage,
		Doing: fmt.Sprintf("unknown report format %q", name),
		Hint:  "use one of " + strings.Join(names, ", "),
	}
}
