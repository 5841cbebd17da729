// Package comment keeps one comment of a pull request or merge request up to
// date: the first run writes it, later ones change it in place. It is opt-in
// and needs a token that may write; a token that may not is no failure of the
// gate.
package comment

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// ErrNoRequest says that the job does not belong to a pull or merge request.
var ErrNoRequest = errors.New("the job does not belong to a pull request or merge request")

// ErrNotAllowed says that the token may not write comments, as in pull
// requests of forks.
var ErrNotAllowed = errors.New("the token may not write comments")

const (
	// maxPages and perPage bound the search for the earlier comment.
	maxPages = 30
	perPage  = 100
	// maxResponse bounds what is read of one response.
	maxResponse = 16 << 20
	timeout     = time.Minute
)

// Poster writes comments.
type Poster struct {
	// HTTP makes the requests; redirects are not followed.
	HTTP *http.Client
	// Getenv reads the environment of the job.
	Getenv func(string) string
	// Token is sent to the host's API and nowhere else.
	Token string
}

// marker starts the comment, so that the next run finds it.
func marker(category string) string {
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '/' || r == '.' {
			return r
		}
		return '_'
	}, category)
	// Two hyphens would end an HTML comment.
	return "<!-- portcullis: " + strings.ReplaceAll(clean, "--", "__") + " -->"
}

// api is one host's API with its way to authenticate.
type api struct {
	client *http.Client
	base   string
	header http.Header
}

func (p Poster) api(base string, header http.Header) (api, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return api{}, fmt.Errorf("the address of the API, %q, is not a web address", base)
	}
	client := *p.HTTP
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return api{client: &client, base: strings.TrimSuffix(base, "/"), header: header}, nil
}

// call sends a request and decodes the answer into out, if that is not nil.
func (a api) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		encoded, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
		body = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, method, a.base+path, body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	req.Header = a.header.Clone()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "portcullis")
	res, err := a.client.Do(req)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer res.Body.Close()
	content, err := io.ReadAll(io.LimitReader(res.Body, maxResponse))
	if err != nil {
		return fmt.Errorf("%s %s: read the answer: %w", method, path, err)
	}
	switch {
	case res.StatusCode == http.StatusForbidden || res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusNotFound:
		return fmt.Errorf("%s %s: %s: %w", method, path, res.Status, ErrNotAllowed)
	case res.StatusCode < 200 || res.StatusCode > 299:
		return fmt.Errorf("%s %s: the host answers %s", method, path, res.Status)
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(content, out); err != nil {
		return fmt.Errorf("%s %s: decode the answer: %w", method, path, err)
	}
	return nil
}

// note is a comment as both hosts' APIs return it.
type note struct {
	ID   int64  `json:"id"`
	Body string `json:"body"`
	User struct {
		Login string `json:"login"`
		Type  string `json:"type"`
	} `json:"user"`
	Author struct {
		ID int64 `json:"id"`
	} `json:"author"`
}

// find returns the id of our earlier comment, 0 if there is none. Only a
// comment that mine accepts as our own counts: anybody can write the marker,
// and a report in somebody else's comment could be changed by them.
func (a api) find(ctx context.Context, path, marker string, mine func(note) bool) (int64, error) {
	for page := 1; page <= maxPages; page++ {
		var notes []note
		if err := a.call(ctx, http.MethodGet, fmt.Sprintf("%s?per_page=%d&page=%d", path, perPage, page), nil, &notes); err != nil {
			return 0, err
		}
		for _, n := range notes {
			if strings.HasPrefix(n.Body, marker) && mine(n) {
				return n.ID, nil
			}
		}
		if len(notes) < perPage {
			return 0, nil
		}
	}
	return 0, nil
}
