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
	"strconv"
	"strings"
	"time"
)

// ErrNoRequest says that the job does not belong to a pull or merge request.
var ErrNoRequest = errors.New("the job does not belong to a pull request or merge request")

// ErrNotAllowed says that the token may not write comments, as in pull
// requests of forks.
var ErrNotAllowed = errors.New("the token may not write comments")

// ErrBusy says that the host takes no more requests for now.
var ErrBusy = errors.New("the host limits the rate of requests; the next run writes the comment")

const (
	// maxWaits and maxWait bound how often and how long a host may ask us to
	// wait: a job does not stand still for a comment.
	maxWaits = 2
	maxWait  = 20 * time.Second
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

// call sends a request and decodes the answer into out, if that is not nil. It
// waits where the host asks for a short time; it took nothing in then, so that
// asking again writes nothing twice.
func (a api) call(ctx context.Context, method, path string, in, out any) error {
	var encoded []byte
	if in != nil {
		var err error
		if encoded, err = json.Marshal(in); err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
	}
	for waits := 0; ; waits++ {
		wait, err := a.once(ctx, method, path, encoded, out)
		if err == nil || !errors.Is(err, ErrBusy) || wait < 0 || wait > maxWait || waits == maxWaits {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
}

// busy reports whether an answer is that of a rate limit, and how long to wait;
// a negative time stands for one that was not told.
// https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
// https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/#response-headers
func busy(res *http.Response) (wait time.Duration, limited bool) {
	after := res.Header.Get("Retry-After")
	switch res.StatusCode {
	case http.StatusTooManyRequests:
	case http.StatusForbidden:
		// GitHub says so as well for a token that may not write.
		if after == "" && res.Header.Get("X-Ratelimit-Remaining") != "0" {
			return 0, false
		}
	default:
		return 0, false
	}
	seconds, err := strconv.Atoi(after)
	if err != nil || seconds < 0 || seconds > 3600 {
		return -1, true
	}
	return time.Duration(seconds) * time.Second, true
}

// once sends a request one time. The duration is how long to wait when the
// error is ErrBusy.
func (a api) once(ctx context.Context, method, path string, encoded []byte, out any) (time.Duration, error) {
	var body io.Reader
	if encoded != nil {
		body = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, method, a.base+path, body)
	if err != nil {
		return 0, fmt.Errorf("%s %s: %w", method, path, err)
	}
	req.Header = a.header.Clone()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "portcullis")
	res, err := a.client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer res.Body.Close()
	content, err := io.ReadAll(io.LimitReader(res.Body, maxResponse))
	if err != nil {
		return 0, fmt.Errorf("%s %s: read the answer: %w", method, path, err)
	}
	if wait, limited := busy(res); limited {
		return wait, fmt.Errorf("%s %s: %s: %w", method, path, res.Status, ErrBusy)
	}
	switch {
	case res.StatusCode == http.StatusForbidden || res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusNotFound:
		return 0, fmt.Errorf("%s %s: %s: %w", method, path, res.Status, ErrNotAllowed)
	case res.StatusCode < 200 || res.StatusCode > 299:
		return 0, fmt.Errorf("%s %s: the host answers %s", method, path, res.Status)
	case out == nil:
		return 0, nil
	}
	if err := json.Unmarshal(content, out); err != nil {
		return 0, fmt.Errorf("%s %s: decode the answer: %w", method, path, err)
	}
	return 0, nil
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
