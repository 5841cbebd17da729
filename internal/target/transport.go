package target

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/hashicorp/go-retryablehttp"
	"golang.org/x/net/publicsuffix"

	"github.com/portcullis-ci/portcullis/internal/slowbody"
)

func (o *opener) retry() Retry {
	r := o.env.Retry
	r.Attempts = cmp.Or(r.Attempts, 4)
	r.MinWait = cmp.Or(r.MinWait, 500*time.Millisecond)
	r.MaxWait = cmp.Or(r.MaxWait, 10*time.Second)
	r.Stall = cmp.Or(r.Stall, 25*time.Second)
	return r
}

// transport is what go-containerregistry's authentication is put upon: the
// guard decides where requests may go, below it retries, below it the network.
func (o *opener) transport(registry string) http.RoundTripper {
	base := o.env.HTTP
	retry := o.retry()
	if base == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.ResponseHeaderTimeout = retry.Stall
		base = t
	}
	client := retryablehttp.NewClient()
	client.Logger = nil
	silence := &silenceCounter{next: shortGreeting{slowbody.Transport(base, retry.Stall)}}
	client.HTTPClient = &http.Client{Transport: silence, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	client.RetryMax = retry.Attempts - 1
	client.RetryWaitMin, client.RetryWaitMax = retry.MinWait, retry.MaxWait
	client.Backoff = boundedBackoff
	client.CheckRetry = silence.checkRetry
	client.ErrorHandler = retryablehttp.PassthroughErrorHandler
	return &guard{
		next: &retryablehttp.RoundTripper{Client: client}, registry: registry,
		insecure: o.req.Insecure, authHosts: o.req.AuthHosts,
	}
}

// boundedBackoff honours Retry-After, but never waits longer than the maximum.
func boundedBackoff(shortest, longest time.Duration, attempt int, resp *http.Response) time.Duration {
	return min(retryablehttp.DefaultBackoff(shortest, longest, attempt, resp), longest)
}

// maxSilences is how often in a row a registry may let the time of Retry.Stall
// pass without an answer. Faults that are told at once are borne more often.
const maxSilences = 2

// silenceCounter counts the requests in a row that got no answer in time.
type silenceCounter struct {
	next http.RoundTripper
	n    atomic.Int32
}

func (s *silenceCounter) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := s.next.RoundTrip(req)
	if timedOut(err) {
		s.n.Add(1)
	} else {
		s.n.Store(0)
	}
	return resp, err
}

// timedOut reports whether an error says that somebody did not answer in time.
func timedOut(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}

// checkRetry is the library's policy, except that a registry which stays silent
// is given up sooner, and that a plain http answer to https does not get better
// by waiting: it is how loopback registries are found out.
func (s *silenceCounter) checkRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if err != nil && strings.Contains(err.Error(), "server gave HTTP response to HTTPS client") {
		return false, err
	}
	if timedOut(err) && s.n.Load() >= maxSilences {
		return false, err
	}
	return retryablehttp.DefaultRetryPolicy(ctx, resp, err)
}

// shortGreeting bounds the answer to the question whether there is a registry,
// which the library reads to its end.
type shortGreeting struct{ next http.RoundTripper }

// maxPing is far more than any registry answers to that question, in bytes.
const maxPing = 1 << 20

func (g shortGreeting) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := g.next.RoundTrip(req)
	if err == nil && strings.TrimSuffix(req.URL.Path, "/") == "/v2" {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, maxPing), resp.Body}
	}
	return resp, err
}

// guard decides where requests may go and where credentials may go: a registry
// chooses its token service and redirects, and an attacker may be the registry
// (CVE-2024-35192 and its kin).
type guard struct {
	next      http.RoundTripper
	registry  string
	insecure  bool
	authHosts []string
}

// tokenServices are registries whose token service is under another domain.
var tokenServices = map[string]string{"nvcr.io": "authn.nvidia.com"}

func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	host, registry := req.URL.Hostname(), hostname(g.registry)
	if req.URL.Scheme == "http" && !isLoopback(host) && !g.insecure {
		return nil, fmt.Errorf("host %s is asked for over unencrypted http", host)
	}
	if req.URL.Scheme != "http" && req.URL.Scheme != "https" {
		return nil, fmt.Errorf("scheme %q is not allowed", req.URL.Scheme)
	}
	if host == registry {
		return g.next.RoundTrip(req)
	}
	if isInternal(host) && !isInternal(registry) {
		return nil, fmt.Errorf("registry %s sends its clients to the internal address %s", g.registry, host)
	}
	carries := req.Header.Get("Authorization") != "" || req.Method != http.MethodGet
	if carries && !g.mayAuthenticate(host, registry) {
		return nil, &credentialError{registry: g.registry, host: host}
	}
	return g.next.RoundTrip(req)
}

// mayAuthenticate reports whether the token service of a registry may be at a
// host: under the same registered domain, a known exception, or named by the
// user.
func (g *guard) mayAuthenticate(host, registry string) bool {
	if slices.Contains(g.authHosts, host) || tokenServices[registry] == host {
		return true
	}
	if net.ParseIP(host) != nil || net.ParseIP(registry) != nil {
		return false
	}
	a, errA := publicsuffix.EffectiveTLDPlusOne(host)
	b, errB := publicsuffix.EffectiveTLDPlusOne(registry)
	return errA == nil && errB == nil && a == b
}

// credentialError says that credentials were about to go to a foreign host.
type credentialError struct{ registry, host string }

func (e *credentialError) Error() string {
	return fmt.Sprintf("registry %s names %s as its token service; credentials are not sent there", e.registry, e.host)
}

// maxRedirects is the limit that net/http has by default.
const maxRedirects = 10

func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) >= maxRedirects {
		return fmt.Errorf("more than %d redirects", maxRedirects)
	}
	if via[0].URL.Scheme == "https" && req.URL.Scheme != "https" {
		return fmt.Errorf("redirect from https to %s", req.URL.Scheme)
	}
	return nil
}

// hostname cuts the port off host:port.
func hostname(hostport string) string {
	u := url.URL{Host: hostport}
	return u.Hostname()
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// isInternal reports whether a host is given as an address of this machine, of
// a private network or of a cloud's metadata service.
func isInternal(host string) bool {
	if isLoopback(host) {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && (ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsLinkLocalMulticast() || ip.IsUnspecified())
}

// hintFor says what a person can do about an error.
func hintFor(ctx context.Context, err error) string {
	var platform *platformError
	if errors.As(err, &platform) && len(platform.have) > 0 {
		return "choose one of these with --platform"
	}
	var artifact *artifactError
	if errors.As(err, &artifact) {
		return "name the image itself: charts, signatures and the like are not examined"
	}
	if hint := FetchHint(err); hint != "" {
		return hint
	}
	var packed *packedError
	if errors.As(err, &packed) {
		return pathHint(err)
	}
	var credentials *credentialError
	if errors.As(err, &credentials) {
		return "if the token service is right, allow it with --registry-auth-host " + credentials.host
	}
	var untrusted *tls.CertificateVerificationError
	if errors.As(err, &untrusted) {
		var invalid x509.CertificateInvalidError
		if errors.As(untrusted, &invalid) && invalid.Reason == x509.Expired {
			return "check the clock of this machine; if it is right, the registry needs a new certificate"
		}
		return "have this machine trust who issued the registry's certificate: SSL_CERT_FILE names a file of such certificates"
	}
	var status *transport.Error
	if errors.As(err, &status) {
		switch status.StatusCode {
		case http.StatusUnauthorized, http.StatusForbidden:
			return "log in to the registry (docker login), and check the name of the repository"
		case http.StatusNotFound:
			return "check the repository and the tag"
		case http.StatusTooManyRequests:
			return "the registry limits requests: log in, or try again later"
		}
		return "the registry has a problem: try again later"
	}
	if ctx.Err() != nil {
		return "give it more time with --timeout"
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "the registry does not answer: check its name and the network, or try again later"
	}
	// A fault of the file system comes before one of the network, whose
	// interface the numbers of the system's errors fulfil as well.
	var path *fs.PathError
	if errors.As(err, &path) {
		return imagePathHint
	}
	var network net.Error
	if errors.As(err, &network) {
		return "check the registry's name and the network"
	}
	return "check that the reference names a whole and unaltered image"
}

// Transport is what other traffic to a registry than that of images goes
// through as well: bounded retries that honour Retry-After, and a guard over
// where credentials and redirects may lead. Of the request only Insecure and
// AuthHosts matter.
func Transport(registry string, req Request, env Environment) http.RoundTripper {
	return (&opener{req: req, env: env}).transport(registry)
}
