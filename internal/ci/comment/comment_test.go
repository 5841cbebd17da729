package comment_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/ci/comment"
)

// host is a working stand-in for the comments of one request on GitHub and
// GitLab.
type host struct {
	mu       sync.Mutex
	user     string // login behind the token; empty for a job's token
	readOnly bool
	viewer   string // login of the bot behind a job's token; empty where GraphQL does not tell
	comments []map[string]any
	calls    []string
	// limit is asked about each call; it answers in place of the host.
	limit func(call int, w http.ResponseWriter) bool
	// headers are those of the last call.
	headers http.Header
}

func (h *host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, r.Method+" "+r.URL.Path)
	h.headers = r.Header.Clone()
	if h.limit != nil && h.limit(len(h.calls), w) {
		return
	}
	if r.Header.Get("Authorization") != "Bearer secret" && r.Header.Get("Private-Token") != "secret" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	switch {
	case r.URL.Path == "/user" && h.user == "":
		w.WriteHeader(http.StatusForbidden)
	case r.URL.Path == "/user":
		_ = json.NewEncoder(w).Encode(map[string]any{"login": h.user, "id": len(h.user)})
	case r.URL.Path == "/graphql" && h.viewer == "":
		w.WriteHeader(http.StatusForbidden)
	case r.URL.Path == "/graphql":
		_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"viewer": map[string]any{"login": h.viewer}}})
	case r.Method == http.MethodGet:
		h.list(w, r)
	case h.readOnly:
		w.WriteHeader(http.StatusForbidden)
	default:
		h.write(w, r)
	}
}

func (h *host) list(w http.ResponseWriter, r *http.Request) {
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	from := min((page-1)*100, len(h.comments))
	to := min(from+100, len(h.comments))
	_ = json.NewEncoder(w).Encode(h.comments[from:to])
}

func (h *host) write(w http.ResponseWriter, r *http.Request) {
	var in struct{ Body string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if r.Method == http.MethodPost {
		h.add(in.Body, h.user)
		w.WriteHeader(http.StatusCreated)
		return
	}
	id, _ := strconv.Atoi(r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:])
	h.comments[id-1]["body"] = in.Body
}

func (h *host) add(body, login string) {
	kind := "User"
	if login == "" {
		login, kind = "github-actions[bot]", "Bot"
	}
	h.comments = append(h.comments, map[string]any{
		"id": len(h.comments) + 1, "body": body,
		"user": map[string]any{"login": login, "type": kind}, "author": map[string]any{"id": len(login)},
	})
}

func (h *host) bodies() []string {
	var all []string
	for _, c := range h.comments {
		all = append(all, c["body"].(string))
	}
	return all
}

func start(t *testing.T, h *host) (*httptest.Server, comment.Poster, map[string]string) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	env := map[string]string{
		"GITHUB_API_URL": server.URL, "GITHUB_REPOSITORY": "acme/demo", "GITHUB_REF": "refs/pull/7/merge",
		"CI_API_V4_URL": server.URL, "CI_PROJECT_ID": "12", "CI_MERGE_REQUEST_IID": "7",
	}
	return server, comment.Poster{HTTP: server.Client(), Getenv: func(name string) string { return env[name] }, Token: "secret"}, env
}

func TestTheCommentIsWrittenOnceAndThenChanged(t *testing.T) {
	for name, user := range map[string]string{"with the token of a job": "", "with the token of a person": "robot"} {
		t.Run("on GitHub "+name, func(t *testing.T) {
			h := &host{user: user}
			_, p, _ := start(t, h)
			for _, body := range []string{"first", "second"} {
				if err := p.GitHub(t.Context(), "gate", body); err != nil {
					t.Fatal(err)
				}
			}
			if got := h.bodies(); len(got) != 1 || got[0] != "<!-- portcullis: gate -->\nsecond" {
				t.Errorf("comments %q", got)
			}
		})
	}
	t.Run("on GitLab", func(t *testing.T) {
		h := &host{user: "project_12_bot"}
		_, p, _ := start(t, h)
		for _, body := range []string{"first", "second"} {
			if err := p.GitLab(t.Context(), "gate", body); err != nil {
				t.Fatal(err)
			}
		}
		if got := h.bodies(); len(got) != 1 || got[0] != "<!-- portcullis: gate -->\nsecond" {
			t.Errorf("notes %q", got)
		}
	})
}

func TestSomebodyElsesCommentIsLeftAlone(t *testing.T) {
	h := &host{}
	h.add("<!-- portcullis: gate -->\nforged", "mallory")
	_, p, _ := start(t, h)
	if err := p.GitHub(t.Context(), "gate", "ours"); err != nil {
		t.Fatal(err)
	}
	if got := h.bodies(); len(got) != 2 || got[0] != "<!-- portcullis: gate -->\nforged" || !strings.HasSuffix(got[1], "ours") {
		t.Errorf("comments %q", got)
	}
}

func TestTheEarlierCommentIsFoundOnLaterPages(t *testing.T) {
	h := &host{}
	for i := range 250 {
		h.add(fmt.Sprint("talk ", i), "somebody")
	}
	h.add("<!-- portcullis: gate -->\nold", "")
	_, p, _ := start(t, h)
	if err := p.GitHub(t.Context(), "gate", "new"); err != nil {
		t.Fatal(err)
	}
	if got := h.bodies(); len(got) != 251 || !strings.HasSuffix(got[250], "new") {
		t.Errorf("%d comments, the last %q", len(got), got[len(got)-1])
	}
}

func TestTwoCategoriesHaveTwoComments(t *testing.T) {
	h := &host{}
	_, p, _ := start(t, h)
	for _, category := range []string{"web", "api", "web --> <b>"} {
		if err := p.GitHub(t.Context(), category, category); err != nil {
			t.Fatal(err)
		}
	}
	got := h.bodies()
	if len(got) != 3 || strings.Count(got[2], "-->") != 2 || strings.HasPrefix(got[2], "<!-- portcullis: web -->") {
		t.Errorf("comments %q", got)
	}
}

func TestAReadOnlyTokenIsToldAsSuch(t *testing.T) {
	h := &host{readOnly: true}
	_, p, _ := start(t, h)
	if err := p.GitHub(t.Context(), "gate", "x"); !errors.Is(err, comment.ErrNotAllowed) {
		t.Errorf("error %v", err)
	}
	p.Token = "wrong"
	if err := p.GitLab(t.Context(), "gate", "x"); !errors.Is(err, comment.ErrNotAllowed) || strings.Contains(err.Error(), "wrong") {
		t.Errorf("error %v", err)
	}
}

func TestALimitOfTheHostIsWaitedForOrToldAsSuch(t *testing.T) {
	limited := func(status int, header, value string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set(header, value)
			w.WriteHeader(status)
		}
	}
	for name, tt := range map[string]struct {
		answer func(http.ResponseWriter)
		at     []int
		want   error
		calls  int
	}{
		"a short wait of GitLab":               {limited(429, "Retry-After", "0"), []int{2}, nil, 4},
		"a short wait of GitHub":               {limited(403, "Retry-After", "0"), []int{3}, nil, 4},
		"no end of waits":                      {limited(429, "Retry-After", "0"), []int{3, 4, 5}, comment.ErrBusy, 5},
		"a wait that is too long for a job":    {limited(429, "Retry-After", "900"), []int{3}, comment.ErrBusy, 3},
		"a limit of requests an hour":          {limited(403, "X-RateLimit-Remaining", "0"), []int{3}, comment.ErrBusy, 3},
		"a limit that is no right to write":    {limited(403, "X-RateLimit-Remaining", "4000"), []int{3}, comment.ErrNotAllowed, 3},
		"a limit before we know who we are":    {limited(403, "X-RateLimit-Remaining", "0"), []int{1}, comment.ErrBusy, 1},
		"a wait that is no number":             {limited(429, "Retry-After", "soon"), []int{3}, comment.ErrBusy, 3},
		"a host that is down writes no second": {func(w http.ResponseWriter) { w.WriteHeader(502) }, []int{1}, errAny, 1},
	} {
		h := &host{user: "robot"}
		h.limit = func(call int, w http.ResponseWriter) bool {
			if !slices.Contains(tt.at, call) {
				return false
			}
			tt.answer(w)
			return true
		}
		_, p, _ := start(t, h)
		err := p.GitHub(t.Context(), "gate", "x")
		if tt.want == errAny && err == nil || tt.want != errAny && !errors.Is(err, tt.want) || len(h.calls) != tt.calls {
			t.Errorf("%s: %v after %v", name, err, h.calls)
		}
		if want := map[bool]int{true: 1}[err == nil]; len(h.comments) != want {
			t.Errorf("%s: %d comments", name, len(h.comments))
		}
	}
}

// errAny stands for an error of no kind.
var errAny = errors.New("any")

// What the hosts' documents ask for:
// https://docs.github.com/en/rest/issues/comments#create-an-issue-comment
// https://docs.gitlab.com/api/notes/#create-new-merge-request-note
func TestRequestsAreThoseOfTheHostsDocuments(t *testing.T) {
	h := &host{user: "robot"}
	_, p, _ := start(t, h)
	for range 2 {
		if err := p.GitHub(t.Context(), "gate", "x"); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28", "Authorization": "Bearer secret",
		"Content-Type": "application/json", "User-Agent": "portcullis",
	} {
		if got := h.headers.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	want := []string{
		"GET /user", "GET /repos/acme/demo/issues/7/comments", "POST /repos/acme/demo/issues/7/comments",
		"GET /user", "GET /repos/acme/demo/issues/7/comments", "PATCH /repos/acme/demo/issues/comments/1",
	}
	if !slices.Equal(h.calls, want) {
		t.Errorf("calls of GitHub %q", h.calls)
	}
	h = &host{user: "project_12_bot"}
	_, p, _ = start(t, h)
	for range 2 {
		if err := p.GitLab(t.Context(), "gate", "x"); err != nil {
			t.Fatal(err)
		}
	}
	if got := h.headers.Get("PRIVATE-TOKEN"); got != "secret" || h.headers.Get("Authorization") != "" {
		t.Errorf("the token of GitLab is %q", got)
	}
	want = []string{
		"GET /user", "GET /projects/12/merge_requests/7/notes", "POST /projects/12/merge_requests/7/notes",
		"GET /user", "GET /projects/12/merge_requests/7/notes", "PUT /projects/12/merge_requests/7/notes/1",
	}
	if !slices.Equal(h.calls, want) {
		t.Errorf("calls of GitLab %q", h.calls)
	}
}

func TestAJobWithoutARequestWritesNothing(t *testing.T) {
	h := &host{user: "x"}
	_, p, env := start(t, h)
	env["GITHUB_REF"], env["CI_MERGE_REQUEST_IID"] = "refs/heads/main", ""
	if err := p.GitHub(t.Context(), "gate", "x"); !errors.Is(err, comment.ErrNoRequest) {
		t.Errorf("error %v", err)
	}
	if err := p.GitLab(t.Context(), "gate", "x"); !errors.Is(err, comment.ErrNoRequest) {
		t.Errorf("error %v", err)
	}
	if len(h.calls) != 0 {
		t.Errorf("calls %v", h.calls)
	}
}

func TestTheNumberComesFromTheEventOnTheBaseBranch(t *testing.T) {
	h := &host{}
	_, p, env := start(t, h)
	env["GITHUB_REF"] = "refs/heads/main"
	env["GITHUB_EVENT_PATH"] = filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(env["GITHUB_EVENT_PATH"], []byte(`{"pull_request":{"number":9}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.GitHub(t.Context(), "gate", "x"); err != nil {
		t.Fatal(err)
	}
	if last := h.calls[len(h.calls)-1]; last != "POST /repos/acme/demo/issues/9/comments" {
		t.Errorf("last call %s", last)
	}
}

func TestTheTokenDoesNotFollowARedirect(t *testing.T) {
	other := &host{}
	trap := httptest.NewServer(other)
	defer trap.Close()
	redirect := httptest.NewServer(http.RedirectHandler(trap.URL, http.StatusTemporaryRedirect))
	defer redirect.Close()
	_, p, env := start(t, &host{})
	env["GITHUB_API_URL"] = redirect.URL
	if err := p.GitHub(t.Context(), "gate", "x"); err == nil || len(other.calls) != 0 {
		t.Errorf("error %v, calls of the other host %v", err, other.calls)
	}
}

func TestTheCommentOfAnotherBotIsLeftAloneWhereTheHostTellsWhoWeAre(t *testing.T) {
	const forged = "<!-- portcullis: gate -->\nof another bot"
	for name, tt := range map[string]struct {
		viewer, graphql string
		want            int
	}{
		"the bot is known":               {"github-actions[bot]", "", 2},
		"without the ending":             {"github-actions", "", 2},
		"an app's own bot":               {"shop-gate[bot]", "", 2},
		"the host does not tell":         {"", "", 1},
		"GraphQL is on another host":     {"github-actions[bot]", "https://graphql.example.org/", 1},
		"the host names no such address": {"github-actions[bot]", "-", 1},
	} {
		h := &host{viewer: tt.viewer}
		h.add(forged, "")
		h.comments[0]["user"] = map[string]any{"login": "renovate[bot]", "type": "Bot"}
		server, p, env := start(t, h)
		env["GITHUB_GRAPHQL_URL"] = tt.graphql
		switch tt.graphql {
		case "":
			env["GITHUB_GRAPHQL_URL"] = server.URL + "/graphql"
		case "-":
			env["GITHUB_GRAPHQL_URL"] = ""
		}
		if err := p.GitHub(t.Context(), "gate", "ours"); err != nil {
			t.Fatal(err)
		}
		if tt.viewer == "shop-gate[bot]" {
			h.comments[1]["user"] = map[string]any{"login": tt.viewer, "type": "Bot"}
		}
		if err := p.GitHub(t.Context(), "gate", "ours again"); err != nil {
			t.Fatal(err)
		}
		got := h.bodies()
		if len(got) != tt.want || (got[0] == forged) != (tt.want == 2) || !strings.HasSuffix(got[len(got)-1], "ours again") {
			t.Errorf("%s: comments %q", name, got)
		}
	}
}
