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
	mine, err := p.mineOnGitHub(ctx, a)
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

// mineOnGitHub tells our comments from those of others, which may begin with our
// mark as well. The token of a job, or of an app, has no user; GraphQL knows the
// bot behind it. Where it does not, a comment of any bot counts: no person can
// write as one.
func (p Poster) mineOnGitHub(ctx context.Context, a api) (func(note) bool, error) {
	var user struct{ Login string }
	switch err := a.call(ctx, http.MethodGet, "/user", nil, &user); {
	case errors.Is(err, ErrNotAllowed), err == nil && user.Login == "":
		bot := p.viewer(ctx, a)
		return func(n note) bool {
			return n.User.Type == "Bot" && (bot == "" || strings.TrimSuffix(n.User.Login, botEnding) == bot)
		}, nil
	case err != nil:
		// Taken for a bot, a person's comment would be written again each time.
		return nil, err
	}
	return func(n note) bool { return n.User.Login == user.Login }, nil
}

// botEnding ends the login of a bot in some answers and not in others.
const botEnding = "[bot]"

// viewer is the login of the bot behind a token without its ending, "" where the
// host does not tell. The token goes to the host of the API only.
// https://docs.github.com/en/graphql/reference/queries#viewer
func (p Poster) viewer(ctx context.Context, a api) string {
	rest, err := url.Parse(a.base)
	if err != nil {
		return ""
	}
	query, err := url.Parse(p.Getenv("GITHUB_GRAPHQL_URL"))
	if err != nil || query.Host != rest.Host || query.Scheme != rest.Scheme {
		return ""
	}
	a.base = strings.TrimSuffix(query.String(), "/")
	var answer struct {
		Data struct {
			Viewer struct{ Login string }
		}
	}
	if err := a.call(ctx, http.MethodPost, "", map[string]string{"query": "query { viewer { login } }"}, &answer); err != nil {
		return ""
	}
	return strings.TrimSuffix(answer.Data.Viewer.Login, botEnding)
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
