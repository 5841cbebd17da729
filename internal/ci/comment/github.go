package comment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
)

var pullRef = regexp.MustCompile(`^refs/pull/(\d{1,12})/`)

// GitHub writes or changes the comment of the pull request that the job runs
// for. https://docs.github.com/en/rest/issues/comments
func (p Poster) GitHub(ctx context.Context, category, body string) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	number, err := p.pullRequest()
	if err != nil {
		return err
	}
	a, err := p.api(p.Getenv("GITHUB_API_URL"), http.Header{
		"Authorization":        {"Bearer " + p.Token},
		"Accept":               {"application/vnd.github+json"},
		"X-Github-Api-Version": {"2022-11-28"},
	})
	if err != nil {
		return err
	}
	owner, name, _ := strings.Cut(p.Getenv("GITHUB_REPOSITORY"), "/")
	repository := "/repos/" + url.PathEscape(owner) + "/" + url.PathEscape(name) + "/issues"
	comments := fmt.Sprintf("%s/%d/comments", repository, number)
	mark := marker(category)
	mine, err := a.mineOnGitHub(ctx)
	if err != nil {
		return err
	}
	id, err := a.find(ctx, comments, mark, mine)
	if err != nil {
		return err
	}
	text := map[string]string{"body": mark + "\n" + body}
	if id != 0 {
		return a.call(ctx, http.MethodPatch, fmt.Sprintf("%s/comments/%d", repository, id), text, nil)
	}
	return a.call(ctx, http.MethodPost, comments, text, nil)
}

// mineOnGitHub tells our comments from those of others. The token of a job has
// no user; its comments are those of a bot, which no person can write as.
func (a api) mineOnGitHub(ctx context.Context) (func(note) bool, error) {
	var user struct{ Login string }
	switch err := a.call(ctx, http.MethodGet, "/user", nil, &user); {
	case errors.Is(err, ErrNotAllowed), err == nil && user.Login == "":
		return func(n note) bool { return n.User.Type == "Bot" }, nil
	case err != nil:
		// Taken for a bot, a person's comment would be written again each time.
		return nil, err
	}
	return func(n note) bool { return n.User.Login == user.Login }, nil
}

// pullRequest is the number of the pull request: from the ref, or from the
// event for triggers that run on the base branch.
func (p Poster) pullRequest() (int64, error) {
	if m := pullRef.FindStringSubmatch(p.Getenv("GITHUB_REF")); m != nil {
		var n int64
		_, err := fmt.Sscan(m[1], &n)
		return n, err
	}
	path := p.Getenv("GITHUB_EVENT_PATH")
	if path == "" {
		return 0, ErrNoRequest
	}
	file, err := os.Open(path)
	if err != nil {
		return 0, fmt.Errorf("read the event of the job: %w", err)
	}
	defer file.Close()
	var event struct {
		PullRequest struct{ Number int64 } `json:"pull_request"`
	}
	if err := json.NewDecoder(io.LimitReader(file, maxResponse)).Decode(&event); err != nil {
		return 0, fmt.Errorf("read the event of the job in %s: %w", path, err)
	}
	if event.PullRequest.Number == 0 {
		return 0, ErrNoRequest
	}
	return event.PullRequest.Number, nil
}
