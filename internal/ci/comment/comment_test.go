package comment_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
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
	comments []map[string]any
	calls    []string
}

func (h *host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, r.Method+" "+r.URL.Path)
	if r.Header.Get("Authorization") != "Bearer secret" && r.Header.Get("Private-Token") != "secret" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	switch {
	case r.URL.Path == "/user" && h.user == "":
		w.WriteHeader(http.StatusForbidden)
	case r.URL.Path == "/user":
		_ = json.NewEncoder(w).Encode(map[string]any{"login": h.user, "id": len(h.user)})
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
