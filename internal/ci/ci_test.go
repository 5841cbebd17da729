package ci_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/ci"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/report/document"
	"github.com/portcullis-ci/portcullis/internal/report/reporttest"
)

// recorded reads an environment as a host documents it for its jobs, as far as
// it matters here, one NAME=value a line.
func recorded(t *testing.T, name string) map[string]string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name+".env"))
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{}
	for line := range strings.Lines(string(content)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			env[name] = value
		}
	}
	return env
}

func lookup(env map[string]string) func(string) string {
	return func(name string) string { return env[name] }
}

func TestHostsAreDetectedFromTheirEnvironment(t *testing.T) {
	type result struct {
		Host  ci.Host
		Links document.Links
	}
	tests := map[string]result{
		"github": {ci.GitHub, document.Links{
			Job:    "https://github.com/acme/demo/actions/runs/6789",
			Source: "https://github.com/acme/demo/blob/0123456789abcdef0123456789abcdef01234567/",
		}},
		"gitea": {ci.Gitea, document.Links{
			Job:    "https://gitea.example.org/acme/demo/actions/runs/12",
			Source: "https://gitea.example.org/acme/demo/src/commit/0123456789abcdef0123456789abcdef01234567/",
		}},
		"forgejo": {ci.Forgejo, document.Links{
			Job:    "https://forgejo.example.org/acme/demo/actions/runs/36",
			Source: "https://forgejo.example.org/acme/demo/src/commit/0123456789abcdef0123456789abcdef01234567/",
		}},
		"gitlab": {ci.GitLab, document.Links{
			Job:    "https://gitlab.example.org/acme/demo/-/jobs/77",
			Report: "https://gitlab.example.org/acme/demo/-/jobs/77/artifacts/browse",
			Source: "https://gitlab.example.org/acme/demo/-/blob/0123456789abcdef0123456789abcdef01234567/",
		}},
		"azure":     {ci.Azure, document.Links{Job: "https://dev.azure.com/acme/demo/_build/results?buildId=4"}},
		"bitbucket": {ci.Bitbucket, document.Links{Job: "https://bitbucket.org/acme/demo/pipelines/results/41"}},
		"circleci":  {ci.CircleCI, document.Links{Job: "https://circleci.com/gh/acme/demo/5"}},
		"tekton":    {ci.Tekton, document.Links{}},
		"jenkins":   {ci.Jenkins, document.Links{Job: "https://jenkins.example.org/job/demo/9/"}},
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			getenv := lookup(recorded(t, name))
			got := result{ci.Detect(getenv), ci.Links(getenv)}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	if got := ci.Detect(lookup(nil)); got != ci.None {
		t.Errorf("an empty environment is taken for %q", got)
	}
}

func publish(t *testing.T, env map[string]string) (stdout string, err error) {
	t.Helper()
	var b bytes.Buffer
	err = ci.Publish(t.Context(), ci.Request{Getenv: lookup(env), Log: &b, Outcome: reporttest.Outcome(), Files: map[string]string{"sarif": "out.sarif"}})
	return b.String(), err
}

func TestOutsideOfCINothingHappens(t *testing.T) {
	for _, env := range []map[string]string{nil, recorded(t, "gitlab"), recorded(t, "bitbucket"), recorded(t, "circleci"), recorded(t, "jenkins"), recorded(t, "tekton")} {
		if out, err := publish(t, env); err != nil || out != "" {
			t.Errorf("printed %q, %v", out, err)
		}
	}
}

func TestGitHubGetsAnnotationsSummaryAndOutputs(t *testing.T) {
	folder := t.TempDir()
	env := recorded(t, "github")
	env["GITHUB_OUTPUT"], env["GITHUB_STEP_SUMMARY"] = filepath.Join(folder, "output"), filepath.Join(folder, "summary")
	out, err := publish(t, env)
	if err != nil || !strings.HasPrefix(out, "::error ") {
		t.Errorf("printed %q, %v", out, err)
	}
	summary, err := os.ReadFile(env["GITHUB_STEP_SUMMARY"])
	if err != nil || !bytes.Contains(summary, []byte("gate failed")) {
		t.Errorf("summary %q, %v", summary, err)
	}
	outputs, err := os.ReadFile(env["GITHUB_OUTPUT"])
	if err != nil || !bytes.Contains(outputs, []byte("\nfail\n")) || !bytes.Contains(outputs, []byte("\nout.sarif\n")) {
		t.Errorf("outputs %q, %v", outputs, err)
	}
}

func TestGitHubWithoutItsFilesStillGetsAnnotations(t *testing.T) {
	env := recorded(t, "github")
	delete(env, "GITHUB_OUTPUT")
	delete(env, "GITHUB_STEP_SUMMARY")
	if out, err := publish(t, env); err != nil || !strings.Contains(out, "::error ") {
		t.Errorf("printed %q, %v", out, err)
	}
}

func TestTheSummaryCanBeSwitchedOff(t *testing.T) {
	env := recorded(t, "github")
	env["GITHUB_OUTPUT"] = ""
	env["GITHUB_STEP_SUMMARY"] = filepath.Join(t.TempDir(), "summary")
	env[ci.EnvSummary] = "false"
	if _, err := publish(t, env); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(env["GITHUB_STEP_SUMMARY"]); err == nil {
		t.Error("a summary was written")
	}
}

func TestGiteaAndForgejoGetNoAnnotations(t *testing.T) {
	for _, host := range []string{"gitea", "forgejo"} {
		if out, err := publish(t, recorded(t, host)); err != nil || out != "" {
			t.Errorf("%s: printed %q, %v", host, out, err)
		}
	}
}

func TestAzureGetsLoggingCommands(t *testing.T) {
	if out, err := publish(t, recorded(t, "azure")); err != nil || !strings.HasPrefix(out, "##vso[task.logissue type=error;") {
		t.Errorf("printed %q, %v", out, err)
	}
}

func TestTheCommentOfARequestIsOptIn(t *testing.T) {
	var calls []string
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls = append(calls, r.Method+" "+r.URL.Path)
		switch {
		case r.URL.Path == "/user":
			_, _ = w.Write([]byte(`{"id":1,"login":"robot"}`))
		case r.Method == http.MethodGet:
			_, _ = w.Write([]byte(`[]`))
		}
	}))
	defer host.Close()
	env := recorded(t, "gitlab")
	env["CI_API_V4_URL"], env["CI_PROJECT_ID"], env[ci.EnvToken] = host.URL, "12", "secret"
	request := func() (string, error) {
		var b bytes.Buffer
		err := ci.Publish(t.Context(), ci.Request{Getenv: lookup(env), Log: &b, Outcome: reporttest.Outcome(), HTTP: host.Client()})
		return b.String(), err
	}
	if out, err := request(); err != nil || out != "" || len(calls) != 0 {
		t.Errorf("not asked for: printed %q, %v, calls %v", out, err, calls)
	}
	env[ci.EnvComment] = "true"
	if out, err := request(); err != nil || out != "" || len(calls) != 3 || calls[2] != "POST /projects/12/merge_requests/7/notes" {
		t.Errorf("asked for: printed %q, %v, calls %v", out, err, calls)
	}
}

func TestACommentThatCannotBeWrittenIsToldAndNoError(t *testing.T) {
	denied := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	defer denied.Close()
	env := recorded(t, "gitlab")
	env["CI_API_V4_URL"], env["CI_PROJECT_ID"], env[ci.EnvComment] = denied.URL, "12", "true"
	for _, tt := range []struct {
		token  string
		client *http.Client
		want   string
	}{
		{"secret", denied.Client(), "may not write comments"},
		{"", denied.Client(), "PORTCULLIS_TOKEN is not set"},
		{"secret", nil, "the run is offline"},
	} {
		env[ci.EnvToken] = tt.token
		var b bytes.Buffer
		err := ci.Publish(t.Context(), ci.Request{Getenv: lookup(env), Log: &b, Outcome: reporttest.Outcome(), HTTP: tt.client})
		if err != nil || !strings.Contains(b.String(), tt.want) || strings.Contains(b.String(), "secret") {
			t.Errorf("printed %q, %v, want %q", b.String(), err, tt.want)
		}
	}
}

func TestAWrongModeIsAUsageError(t *testing.T) {
	_, err := publish(t, map[string]string{ci.EnvAnnotations: "some"})
	if exit.CodeOf(err) != exit.Usage {
		t.Errorf("error %v", err)
	}
}
