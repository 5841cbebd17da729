// Package ci tells which CI host a run belongs to and hands the outcome to it:
// annotations, outputs and summaries in the host's own way. The environment is
// passed in. Files that hosts collect (SARIF, Code Quality, JUnit …) are report
// formats and not made here.
package ci

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/ci/azure"
	"github.com/portcullis-ci/portcullis/internal/ci/comment"
	"github.com/portcullis-ci/portcullis/internal/ci/github"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report/document"
	"github.com/portcullis-ci/portcullis/internal/report/markdown"
)

// Host is a CI system.
type Host string

// The hosts that are told apart. Hosts without a way to talk to them beyond
// files and the exit code are named for the log only.
const (
	None      Host = ""
	GitHub    Host = "github"
	GitLab    Host = "gitlab"
	Gitea     Host = "gitea"
	Forgejo   Host = "forgejo"
	Azure     Host = "azure"
	Bitbucket Host = "bitbucket"
	CircleCI  Host = "circleci"
	Jenkins   Host = "jenkins"
	Tekton    Host = "tekton"
	Other     Host = "other"
)

// Detect names the host from the environment of a job. Gitea and Forgejo set
// GITHUB_ACTIONS as well, so they are looked for first.
func Detect(getenv func(string) string) Host {
	on := func(name string) bool { return strings.EqualFold(getenv(name), "true") }
	switch {
	case on("FORGEJO_ACTIONS"):
		return Forgejo
	case on("GITEA_ACTIONS"):
		return Gitea
	case on("GITHUB_ACTIONS"):
		return GitHub
	case on("GITLAB_CI"):
		return GitLab
	case on("TF_BUILD"):
		return Azure
	case getenv("BITBUCKET_BUILD_NUMBER") != "":
		return Bitbucket
	case on("CIRCLECI"):
		return CircleCI
	case getenv("JENKINS_URL") != "" && getenv("BUILD_NUMBER") != "":
		return Jenkins
	case getenv("TEKTON_PIPELINE_RUN") != "":
		return Tekton
	case on("CI"):
		return Other
	}
	return None
}

// Links returns the addresses of the job and of its sources, as far as the
// host tells them.
func Links(getenv func(string) string) document.Links {
	var l document.Links
	switch host := Detect(getenv); host {
	case GitHub, Gitea, Forgejo:
		server, repository := getenv("GITHUB_SERVER_URL"), getenv("GITHUB_REPOSITORY")
		if server == "" || repository == "" {
			return l
		}
		run, sources := getenv("GITHUB_RUN_ID"), "/blob/"
		switch host {
		case Forgejo:
			// Its pages are those of the number within the repository.
			run, sources = getenv("GITHUB_RUN_NUMBER"), "/src/commit/"
		case Gitea:
			// From 1.26 on; before, a page has the number.
			sources = "/src/commit/"
		}
		if run != "" {
			l.Job = server + "/" + repository + "/actions/runs/" + run
		}
		if sha := getenv("GITHUB_SHA"); sha != "" {
			l.Source = server + "/" + repository + sources + sha + "/"
		}
	case GitLab:
		l.Job = getenv("CI_JOB_URL")
		if l.Job != "" {
			l.Report = l.Job + "/artifacts/browse"
		}
		if project, sha := getenv("CI_PROJECT_URL"), getenv("CI_COMMIT_SHA"); project != "" && sha != "" {
			l.Source = project + "/-/blob/" + sha + "/"
		}
	case Azure:
		collection, project, build := getenv("SYSTEM_TEAMFOUNDATIONCOLLECTIONURI"), getenv("SYSTEM_TEAMPROJECT"), getenv("BUILD_BUILDID")
		if collection != "" && project != "" && build != "" {
			l.Job = strings.TrimSuffix(collection, "/") + "/" + url.PathEscape(project) + "/_build/results?buildId=" + url.QueryEscape(build)
		}
	case Bitbucket:
		if repository, number := getenv("BITBUCKET_GIT_HTTP_ORIGIN"), getenv("BITBUCKET_BUILD_NUMBER"); repository != "" {
			l.Job = repository + "/pipelines/results/" + number
		}
	case CircleCI:
		l.Job = getenv("CIRCLE_BUILD_URL")
	case Jenkins:
		l.Job = getenv("BUILD_URL")
	}
	return l
}

// Request is what Publish needs.
type Request struct {
	// Getenv reads the environment of the process.
	Getenv func(string) string
	// Log is where the host reads commands from: a standard stream of the process,
	// on which nothing goes that others read.
	Log     io.Writer
	Outcome outcome.Outcome
	Options document.Options
	// Files maps the names of report formats, and "sbom", to the paths that
	// were written.
	Files map[string]string
	// Settings are those of the environment; nil to have them read.
	Settings *Settings
	// HTTP writes the comment of a pull or merge request; nil forbids it.
	HTTP *http.Client
}

// Names of the variables that steer Publish.
const (
	// EnvAnnotations is none, errors or all (the default).
	EnvAnnotations = "PORTCULLIS_ANNOTATIONS"
	// EnvSummary is false to leave out the step summary.
	EnvSummary = "PORTCULLIS_SUMMARY"
	// EnvComment is true to keep a comment of the pull or merge request up to
	// date with the token in EnvToken.
	EnvComment = "PORTCULLIS_PR_COMMENT"
	EnvToken   = "PORTCULLIS_TOKEN"
	// EnvDiff names a file with the output of git diff for the pull or merge
	// request: findings on its lines come first.
	EnvDiff = "PORTCULLIS_DIFF"
)

// Publish hands the outcome to the host that the process runs on. Call it
// once, after the reports are written. On a host without such a way, and
// outside of CI, it does nothing. Errors are *exit.Error.
//
// A comment that cannot be written is told in the log and is no error: pull
// requests of forks have tokens that may not write.
func Publish(ctx context.Context, r Request) error {
	if r.Settings == nil {
		settings, err := ReadSettings(r.Getenv)
		if err != nil {
			return err
		}
		r.Settings = &settings
	}
	r.Options.Changed = r.Settings.changed
	var err error
	switch host := Detect(r.Getenv); host {
	case GitHub, Gitea, Forgejo:
		mode := r.Settings.annotations
		if host != GitHub {
			// They show no annotations; the report in the log has to do.
			mode = github.None
		}
		err = errors.Join(publishGitHub(r, mode), r.comment(ctx, comment.Poster.GitHub))
	case GitLab:
		err = r.comment(ctx, comment.Poster.GitLab)
	case Azure:
		err = azure.Write(r.Log, r.Outcome, absolute(r.Files["markdown"]))
	default:
		return nil
	}
	if err != nil {
		return &exit.Error{Code: exit.NotExamined, Doing: "tell the CI host about the outcome", Hint: "check the space on the disk of the runner", Err: err}
	}
	return nil
}

// absolute makes a path absolute, as the agent of Azure Pipelines wants it; it
// leaves none as it is.
func absolute(path string) string {
	if path == "" {
		return ""
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return path // the agent says that it does not find it
	}
	return full
}

func publishGitHub(r Request, mode github.Mode) error {
	runner := github.Runner{Out: r.Log, Getenv: r.Getenv}
	if err := runner.Annotate(r.Outcome, mode, r.Options.Changed); err != nil {
		return err
	}
	if r.Settings.summary {
		if err := runner.AppendSummary(markdown.Render(r.Outcome, r.Options, markdown.Summary)); err != nil {
			return err
		}
	}
	return runner.SetOutputs(github.Outputs(r.Outcome, r.Files))
}

// comment writes the comment, where that is asked for and possible. Its error
// is that of the log.
func (r Request) comment(ctx context.Context, write func(comment.Poster, context.Context, string, string) error) error {
	if !r.Settings.comment {
		return nil
	}
	why := ""
	switch token := r.Getenv(EnvToken); {
	case r.HTTP == nil:
		why = "the run is offline"
	case token == "":
		why = EnvToken + " is not set"
	default:
		poster := comment.Poster{HTTP: r.HTTP, Getenv: r.Getenv, Token: token}
		err := write(poster, ctx, cmp.Or(r.Options.Category, "gate"), markdown.Render(r.Outcome, r.Options, markdown.Comment))
		if err == nil || errors.Is(err, comment.ErrNoRequest) {
			return nil
		}
		why = err.Error()
	}
	_, err := fmt.Fprintf(r.Log, "The comment was not written: %s\n", neutralise.Log(why))
	return err
}
