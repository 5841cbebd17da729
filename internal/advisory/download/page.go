package download

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/hashicorp/go-retryablehttp"
)

// Page is a small file in memory.
type Page struct {
	Body []byte
	// ETag is the server's name of this version; empty when it has none.
	ETag string
	// Unchanged is true when the server says that the version is the one that
	// is known already; there is no Body then.
	Unchanged bool
}

// Bytes fetches a small file of at most limit bytes into memory.
func (c *Client) Bytes(ctx context.Context, address string, limit int64) ([]byte, error) {
	p, err := c.page(ctx, &asking{client: c, method: http.MethodGet, address: address, limit: limit})
	return p.Body, err
}

// BytesUnless is Bytes for a file of which the version with the given ETag is
// known; an empty one asks for the file in any case.
func (c *Client) BytesUnless(ctx context.Context, address, etag string, limit int64) (Page, error) {
	return c.page(ctx, &asking{client: c, method: http.MethodGet, address: address, known: etag, limit: limit})
}

// Post sends JSON and returns the answer of at most limit bytes. It may be sent
// several times, so it must only ask.
func (c *Client) Post(ctx context.Context, address string, question []byte, limit int64) ([]byte, error) {
	p, err := c.page(ctx, &asking{client: c, method: http.MethodPost, address: address, question: question, limit: limit})
	return p.Body, err
}

func (c *Client) page(ctx context.Context, a *asking) (Page, error) {
	if err := c.checkURL(a.address); err != nil {
		return Page{}, err
	}
	if err := c.repeat(ctx, func() error { return a.try(ctx) }); err != nil {
		return Page{}, fmt.Errorf("fetch %s: %w", Redact(a.address), err)
	}
	return a.page, nil
}

// asking is one small file on its way into memory.
type asking struct {
	client          *Client
	method, address string
	question        []byte
	limit           int64
	// known is the version that is known already.
	known string
	// part is what an attempt got before a cut, of the version etag.
	part []byte
	etag string
	// whole is the size that a partial answer tells; 0 for others.
	whole int64
	page  Page
}

// try makes one attempt, taking up after what the last one got.
func (a *asking) try(ctx context.Context) error {
	req, err := a.request(ctx)
	if err != nil {
		return permanent{err}
	}
	resp, err := a.client.requester().Do(req)
	if err != nil {
		return permanent{err}
	}
	body := resp.Body
	defer body.Close() //nolint:errcheck // only read
	switch resp.StatusCode {
	case http.StatusNotModified:
		if a.known == "" {
			return permanent{fmt.Errorf("the server says that nothing changed, but nothing is known")}
		}
		a.page = Page{ETag: a.known, Unchanged: true}
		return nil
	case http.StatusPartialContent:
		if a.whole, err = rest(resp, int64(len(a.part)), a.etag); err != nil {
			a.part = nil
			return err
		}
	case http.StatusOK:
		a.part, a.whole = nil, 0
	case http.StatusRequestedRangeNotSatisfiable:
		a.part = nil
		return &StatusError{Redact(a.address), resp.StatusCode}
	default:
		return permanent{&StatusError{Redact(a.address), resp.StatusCode}}
	}
	return a.receive(resp, body)
}

func (a *asking) request(ctx context.Context) (*retryablehttp.Request, error) {
	var send any
	if a.question != nil {
		send = a.question
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, a.method, a.address, send)
	if err != nil {
		return nil, err
	}
	if a.question != nil {
		req.Header.Set("Content-Type", "application/json")
		return req, nil
	}
	// Compressed in transit, neither ranges nor checksums would fit.
	req.Header.Set("Accept-Encoding", "identity")
	switch {
	case len(a.part) > 0:
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", len(a.part)))
		req.Header.Set("If-Range", a.etag)
	case a.known != "":
		req.Header.Set("If-None-Match", a.known)
	}
	return req, nil
}

// receive appends the body to what is there.
func (a *asking) receive(resp *http.Response, body io.Reader) error {
	room := a.limit - int64(len(a.part))
	if resp.ContentLength > room {
		return permanent{fmt.Errorf("%w: %d, limit %d", ErrTooLarge, int64(len(a.part))+resp.ContentLength, a.limit)}
	}
	etag := resp.Header.Get("ETag")
	got, err := io.ReadAll(io.LimitReader(body, room+1))
	a.part = append(a.part, got...)
	switch {
	case int64(len(a.part)) > a.limit:
		return permanent{fmt.Errorf("%w: limit %d", ErrTooLarge, a.limit)}
	case err == nil && a.whole > 0 && int64(len(a.part)) != a.whole:
		err = fmt.Errorf("the server sent %d of %d bytes", len(a.part), a.whole)
		fallthrough
	case err != nil:
		// Only a strong tag says that the rest will be of the same bytes.
		if a.etag = etag; etag == "" || strings.HasPrefix(etag, "W/") {
			a.part = nil
		}
		return err
	}
	sum := newSum(resp)
	_, _ = sum.Write(a.part) // a hash never fails
	if err := sum.check(); err != nil {
		a.part = nil
		return err
	}
	a.page = Page{Body: a.part, ETag: etag}
	return nil
}
