// Package download fetches files over HTTP so that what arrives is whole or
// not there: bounded, resumed after a cut, compared with the checksums that the
// server sends, fetched again only when it changed, and written in one step.
// It is not for deciding what to fetch.
package download

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/portcullis-ci/portcullis/internal/slowbody"
)

// ErrTooLarge is wrapped by errors about more bytes than the caller allows.
var ErrTooLarge = errors.New("more bytes than allowed")

// ErrChecksum is wrapped by errors about bytes that are not those the server
// meant to send.
var ErrChecksum = errors.New("checksum of the server does not match")

// StatusError says that the server answered with something else than the file.
type StatusError struct {
	URL    string
	Status int
}

// Error names address and status.
func (e *StatusError) Error() string {
	return fmt.Sprintf("%s: status %d %s", e.URL, e.Status, http.StatusText(e.Status))
}

// Client fetches files. The zero value works.
type Client struct {
	// HTTP is used for all requests; nil for one with a timeout for connecting
	// and for headers, but none for bodies, which the context bounds.
	HTTP *http.Client
	// Attempts bounds how often one file is tried; zero for 5.
	Attempts int
	// Wait is the pause before the second attempt, doubled each time up to
	// MaxWait; a server's Retry-After counts instead, up to MaxWait as well.
	// Zero for 1 s and 30 s.
	Wait, MaxWait time.Duration
	// Patience is how long a body may send nothing before the attempt counts as
	// failed; zero for one minute.
	Patience time.Duration
	// Insecure allows addresses that begin with http:// on other hosts than
	// this one. Redirects never lead from https to http.
	Insecure bool
}

func (c *Client) attempts() int {
	if c.Attempts > 0 {
		return c.Attempts
	}
	return 5
}

func (c *Client) waits() (first, longest time.Duration) {
	first, longest = c.Wait, c.MaxWait
	if first <= 0 {
		first = time.Second
	}
	if longest <= 0 {
		longest = 30 * time.Second
	}
	return first, max(first, longest)
}

// requester builds the client for one file. It retries what fails before a
// body begins: connections, 429 and 5xx with their Retry-After.
func (c *Client) requester() *retryablehttp.Client {
	base := c.HTTP
	if base == nil {
		base = &http.Client{Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: 60 * time.Second,
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true,
		}}
	}
	inner := *base
	inner.CheckRedirect = checkRedirect
	if inner.Transport == nil {
		inner.Transport = http.DefaultTransport
	}
	inner.Transport = slowbody.Transport(inner.Transport, c.Patience)
	r := retryablehttp.NewClient()
	r.HTTPClient, r.Logger = &inner, nil
	r.RetryMax = c.attempts() - 1
	first, longest := c.waits()
	r.RetryWaitMin, r.RetryWaitMax = first, longest
	r.Backoff = func(shortest, longest time.Duration, attempt int, resp *http.Response) time.Duration {
		return min(retryablehttp.DefaultBackoff(shortest, longest, attempt, resp), longest)
	}
	r.CheckRetry = func(ctx context.Context, resp *http.Response, err error) (bool, error) {
		if errors.Is(err, errRedirect) {
			return false, err
		}
		return retryablehttp.DefaultRetryPolicy(ctx, resp, err)
	}
	r.ErrorHandler = retryablehttp.PassthroughErrorHandler
	return r
}

var errRedirect = errors.New("redirect not followed")

// checkRedirect follows a few redirects and never one that gives up TLS.
func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) >= 5 {
		return fmt.Errorf("%w: more than 5 redirects", errRedirect)
	}
	if via[0].URL.Scheme == "https" && req.URL.Scheme != "https" {
		return fmt.Errorf("%w: from https to %s", errRedirect, Redact(req.URL.String()))
	}
	return nil
}

// checkURL admits https, and http for this machine or where it is allowed.
func (c *Client) checkURL(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return fmt.Errorf("address %q: not a URL", Redact(address))
	}
	switch {
	case u.Host == "":
		return fmt.Errorf("address %q: no host", Redact(address))
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && (c.Insecure || isLoopback(u.Hostname())):
		return nil
	default:
		return fmt.Errorf("address %q: scheme %q, expected https", Redact(address), u.Scheme)
	}
}

func isLoopback(host string) bool {
	return host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.")
}

// Redact removes user and password from an address for messages.
func Redact(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.User == nil {
		return address
	}
	u.User = url.User("redacted")
	return u.String()
}

// permanent marks an error that another attempt would meet again.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// repeat tries until success, a permanent error or the last attempt.
func (c *Client) repeat(ctx context.Context, try func() error) error {
	wait, longest := c.waits()
	for n := 1; ; n++ {
		err := try()
		var final permanent
		switch {
		case err == nil:
			return nil
		case errors.As(err, &final):
			return final.error
		case n >= c.attempts() || ctx.Err() != nil:
			return fmt.Errorf("after %d attempts: %w", n, err)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
		wait = min(2*wait, longest)
	}
}

// sum compares a body with the CRC32C that object stores send in x-goog-hash,
// https://cloud.google.com/storage/docs/xml-api/reference-headers#xgooghash.
// Without one it agrees with everything.
type sum struct {
	hash.Hash32
	want uint32
	has  bool
}

func newSum(resp *http.Response) *sum {
	s := &sum{Hash32: crc32.New(crc32.MakeTable(crc32.Castagnoli))}
	// A body that was stored compressed and sent inflated has another sum.
	if resp.Uncompressed {
		return s
	}
	for _, line := range resp.Header.Values("X-Goog-Hash") {
		for part := range strings.SplitSeq(line, ",") {
			text, ok := strings.CutPrefix(strings.TrimSpace(part), "crc32c=")
			if !ok {
				continue
			}
			if raw, err := base64.StdEncoding.DecodeString(text); err == nil && len(raw) == 4 {
				s.want, s.has = binary.BigEndian.Uint32(raw), true
			}
		}
	}
	return s
}

func (s *sum) check() error {
	if s.has && s.Sum32() != s.want {
		return fmt.Errorf("%w: crc32c is %08x, expected %08x", ErrChecksum, s.Sum32(), s.want)
	}
	return nil
}
