package target_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// fault changes what a registry answers. It reports whether it has answered.
type fault func(w http.ResponseWriter, r *http.Request, next http.Handler) bool

// faulty is a registry with an image, behind a fault that is switched on after
// the image was pushed.
func faulty(t *testing.T, f fault) (ref string, img v1.Image) {
	t.Helper()
	var on atomic.Bool
	reg := imagetest.NewRegistry(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !on.Load() || !f(w, r, next) {
				next.ServeHTTP(w, r)
			}
		})
	})
	t.Cleanup(reg.Close)
	img = build(t, imagetest.New().Platform(hostPlatform).
		Layer("ADD rootfs.tar /", imagetest.Text("etc/marker", "one"), imagetest.File{Path: "noise", Body: noise(200_000)}))
	ref, err := reg.Push("shop/web:1", img)
	must(t, err)
	on.Store(true)
	return ref, img
}

// noise does not compress.
func noise(n int) []byte {
	out, x := make([]byte, n), uint64(88172645463325252)
	for i := range out {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		out[i] = byte(x)
	}
	return out
}

func status(times int, code int, header ...string) fault {
	var n atomic.Int64
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
		if int(n.Add(1)) > times {
			return false
		}
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		return true
	}
}

func isBlob(r *http.Request) bool { return strings.Contains(r.URL.Path, "/blobs/") }

func isManifest(r *http.Request) bool { return strings.Contains(r.URL.Path, "/manifests/") }

// blobs answers a request for a blob with a changed response.
func blobs(change func(w http.ResponseWriter, r *http.Request, body []byte)) fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
		if !isBlob(r) {
			return false
		}
		rec, whole := httptest.NewRecorder(), r.Clone(r.Context())
		whole.Header.Del("Range")
		next.ServeHTTP(rec, whole)
		change(w, r, rec.Body.Bytes())
		return true
	}
}

func TestRegistryFaultsThatPassAreOutlived(t *testing.T) {
	var cuts atomic.Int64
	for name, f := range map[string]fault{
		"429 twice":                   status(2, http.StatusTooManyRequests),
		"429 with a long Retry-After": status(1, http.StatusTooManyRequests, "Retry-After", "3600"),
		"503 twice":                   status(2, http.StatusServiceUnavailable),
		"500 once":                    status(1, http.StatusInternalServerError),
		"20,000 headers are not a problem": func(w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
			w.Header().Set("X-Long", strings.Repeat("x", 100_000))
			return false
		},
		"a blob that is cut once": blobs(func(w http.ResponseWriter, r *http.Request, body []byte) {
			if r.Header.Get("Range") != "" || len(body) < 100_000 {
				http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
				return
			}
			cuts.Add(1)
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
			_, _ = w.Write(body[:len(body)/2])
		}),
		"a blob that is cut once by a registry without ranges": func() fault {
			var n atomic.Int64
			return blobs(func(w http.ResponseWriter, _ *http.Request, body []byte) {
				w.Header().Set("Content-Length", fmt.Sprint(len(body)))
				if len(body) > 100_000 && n.Add(1) == 1 {
					body = body[:len(body)/2]
				}
				_, _ = w.Write(body)
			})
		}(),
	} {
		t.Run(name, func(t *testing.T) {
			ref, img := faulty(t, f)
			got, err := open(t, target.Request{Reference: ref}, target.Environment{})
			if err != nil {
				t.Fatal(err)
			}
			if want, _ := img.ConfigName(); got.Image.ID != want.String() {
				t.Errorf("id = %s, want %s", got.Image.ID, want)
			}
		})
	}
	if cuts.Load() == 0 {
		t.Error("no blob was cut: the test did not test it")
	}
}

func TestRegistryFaultsThatStayEndTheRun(t *testing.T) {
	for name, tc := range map[string]struct {
		fault fault
		text  string
	}{
		"429 for ever": {status(1<<30, http.StatusTooManyRequests), "429"},
		"500 for ever": {status(1<<30, http.StatusInternalServerError), "500"},
		"not found": {func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
			return isManifest(r) && status(1, 404)(w, r, nil)
		}, "404"},
		"unauthorized": {status(1<<30, http.StatusUnauthorized, "WWW-Authenticate", `Basic realm="x"`), "401"},
		"a page of HTML": {func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
			return isManifest(r) && page(w, "<html>hello</html>")
		}, "not JSON"},
		"a schema 1 manifest": {func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
			return isManifest(r) && page(w, `{"schemaVersion":1,"fsLayers":[]}`)
		}, "schema 1"},
		"an ambiguous one": {func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
			return isManifest(r) && page(w, `{"schemaVersion":2,"config":{},"layers":[],"manifests":[]}`)
		}, "ambiguous"},
		"an endless manifest": {func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool { return isManifest(r) && endless(w) }, "more than"},
		"a lying digest": {func(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
			return isManifest(r) && lie(w, r, next)
		}, "promised"},
		"an endless blob": {blobs(func(w http.ResponseWriter, _ *http.Request, _ []byte) { endless(w) }), "more than"},
		"blobs of wrong bytes": {blobs(func(w http.ResponseWriter, _ *http.Request, body []byte) {
			body[len(body)/2] ^= 1
			_, _ = w.Write(body)
		}), "digest"},
		"blobs that are cut": {blobs(func(w http.ResponseWriter, _ *http.Request, body []byte) {
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
			_, _ = w.Write(body[:len(body)/2])
		}), "EOF"},
		"a redirect loop": {func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
			if isBlob(r) {
				http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
			}
			return isBlob(r)
		}, "redirects"},
		"a redirect to a file": {func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
			if isBlob(r) {
				w.Header().Set("Location", "file:///etc/passwd")
				w.WriteHeader(http.StatusTemporaryRedirect)
			}
			return isBlob(r)
		}, "scheme"},
		"a greeting drop by drop": {func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
			if r.URL.Path != "/v2/" {
				return status(1<<30, http.StatusNotFound)(w, r, nil)
			}
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte("x"))
				_ = http.NewResponseController(w).Flush()
				time.Sleep(10 * time.Millisecond)
			}
			return true
		}, ""},
		"an endless greeting": {func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
			if r.URL.Path != "/v2/" {
				return status(1<<30, http.StatusNotFound)(w, r, nil)
			}
			return endless(w)
		}, ""},
		"a body that stalls": {blobs(func(w http.ResponseWriter, r *http.Request, body []byte) {
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
			_, _ = w.Write(body[:len(body)/2])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}), "sent nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			ref, _ := faulty(t, tc.fault)
			env := target.Environment{Retry: target.Retry{Attempts: 2, MinWait: time.Millisecond, MaxWait: 2 * time.Millisecond, Stall: 100 * time.Millisecond}}
			_, err := openWith(t, target.Request{Reference: ref}, env)
			expectError(t, err, exit.NotExamined, tc.text)
			if exit.HintOf(err) == "" && !strings.Contains(err.Error(), "layer") {
				t.Errorf("error %q has no hint", err)
			}
		})
	}
}

func page(w http.ResponseWriter, body string) bool {
	_, _ = io.WriteString(w, body)
	return true
}

func endless(w http.ResponseWriter) bool {
	chunk := noise(1 << 16)
	for range 1 << 10 {
		if _, err := w.Write(chunk); err != nil {
			break
		}
	}
	return true
}

func lie(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
	rec := httptest.NewRecorder()
	next.ServeHTTP(rec, r)
	w.Header().Set("Content-Type", rec.Header().Get("Content-Type"))
	w.Header().Set("Docker-Content-Digest", "sha256:"+strings.Repeat("0", 64))
	_, _ = w.Write(rec.Body.Bytes())
	return true
}

// password is the credential that must not leave the registry.
const password = "correct-horse-battery"

type keychain struct{}

func (keychain) Resolve(authn.Resource) (authn.Authenticator, error) {
	return authn.FromConfig(authn.AuthConfig{Username: "user", Password: password}), nil
}

// trap is a server that notes every credential that reaches it.
func trap(t *testing.T) (base string, seen *atomic.Int64, asked *atomic.Int64) {
	t.Helper()
	seen, asked = new(atomic.Int64), new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		body, _ := io.ReadAll(r.Body)
		_, pass, _ := r.BasicAuth()
		if pass == password || strings.Contains(string(body), password) || strings.Contains(r.Header.Get("Authorization"), "Bearer") {
			seen.Add(1)
		}
		_, _ = io.WriteString(w, `{"token":"stolen"}`)
	}))
	t.Cleanup(s.Close)
	return s.URL, seen, asked
}

func TestHintsTellASilentRegistryFromTheEndOfTheRun(t *testing.T) {
	silent := func(_ http.ResponseWriter, r *http.Request, _ http.Handler) bool {
		<-r.Context().Done()
		return true
	}
	ref, _ := faulty(t, silent)
	quick := target.Retry{Attempts: 1, Stall: 50 * time.Millisecond}
	_, err := openWith(t, target.Request{Reference: ref}, target.Environment{Retry: quick})
	if !strings.Contains(exit.HintOf(err), "does not answer") {
		t.Errorf("silent: %v, hint %q", err, exit.HintOf(err))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = target.Open(ctx, target.Request{Reference: ref}, target.Environment{Getenv: func(string) string { return "" }})
	if !strings.Contains(exit.HintOf(err), "--timeout") {
		t.Errorf("end of the run: %v, hint %q", err, exit.HintOf(err))
	}
}

func TestCredentialsStayWithTheRegistry(t *testing.T) {
	base, seen, asked := trap(t)
	byName := strings.Replace(base, "127.0.0.1", "localhost", 1)
	for name, realm := range map[string]string{
		"by name": byName + "/token", "by another address": strings.Replace(base, "127.0.0.1", "127.0.0.2", 1) + "/token", "file": "file:///etc/passwd", "garbage": "://", "metadata": "http://169.254.169.254/latest",
	} {
		t.Run(name, func(t *testing.T) {
			ref, _ := faulty(t, status(1<<30, http.StatusUnauthorized, "WWW-Authenticate", `Bearer realm="`+realm+`",service="x"`))
			_, err := open(t, target.Request{Reference: ref}, target.Environment{Keychain: keychain{}})
			expectError(t, err, exit.NotExamined, "")
			if strings.Contains(err.Error(), password) {
				t.Errorf("error %q holds the password", err)
			}
		})
	}
	if seen.Load() != 0 || asked.Load() != 0 {
		t.Errorf("the trap was asked %d times and saw %d credentials", asked.Load(), seen.Load())
	}
	// A host that the user named may have them.
	ref, _ := faulty(t, status(1<<30, http.StatusUnauthorized, "WWW-Authenticate", `Bearer realm="`+byName+`/token",service="x"`))
	if _, err := open(t, target.Request{Reference: ref, AuthHosts: []string{"localhost"}}, target.Environment{Keychain: keychain{}}); err == nil {
		t.Error("the registry refuses everything, and yet there is no error")
	}
	if seen.Load() == 0 {
		t.Error("the host that was allowed did not get the credentials")
	}
}

func TestRedirectedBlobsGetNoCredentials(t *testing.T) {
	base, seen, asked := trap(t)
	other := strings.Replace(base, "127.0.0.1", "localhost", 1)
	ref, _ := faulty(t, func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
		if _, pass, _ := r.BasicAuth(); pass != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
			return true
		}
		if isBlob(r) {
			http.Redirect(w, r, other+"/blob", http.StatusTemporaryRedirect)
		}
		return isBlob(r)
	})
	_, err := open(t, target.Request{Reference: ref}, target.Environment{Keychain: keychain{}})
	expectError(t, err, exit.NotExamined, "")
	if asked.Load() == 0 || seen.Load() != 0 {
		t.Errorf("the other host was asked %d times and saw %d credentials, want some and none", asked.Load(), seen.Load())
	}
}

func TestPlainHTTPNeedsPermission(t *testing.T) {
	ref, _ := faulty(t, func(http.ResponseWriter, *http.Request, http.Handler) bool { return false })
	_, port, err := net.SplitHostPort(strings.Split(ref, "/")[0])
	must(t, err)
	// The address of a private network; nothing is dialled there.
	env := target.Environment{HTTP: &http.Transport{DialContext: (&net.Dialer{Timeout: time.Millisecond}).DialContext}}
	_, err = open(t, target.Request{Reference: "10.255.255.1:" + port + "/shop/web:1"}, env)
	expectError(t, err, exit.NotExamined, "")
	if !strings.Contains(err.Error(), "unencrypted") {
		t.Errorf("error %q does not say that plain http is not allowed", err)
	}
}

func TestForeignLayersAreNotFetched(t *testing.T) {
	base, _, asked := trap(t)
	ref, img := faulty(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
		if !isManifest(r) {
			return false
		}
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		text := strings.Replace(rec.Body.String(), `"layers":[{`, `"layers":[{"urls":["`+base+`/x"],`, 1)
		if text == rec.Body.String() {
			t.Error("the manifest was not changed")
		}
		return page(w, text)
	})
	_ = img
	_, err := open(t, target.Request{Reference: ref}, target.Environment{})
	expectError(t, err, exit.NotExamined, "foreign layer")
	if asked.Load() != 0 {
		t.Error("the foreign layer was fetched")
	}
}

func TestCredentialsInReferencesAreRedacted(t *testing.T) {
	_, err := open(t, target.Request{Reference: "registry:https://user:" + password + "@host/a:1"}, target.Environment{})
	expectError(t, err, exit.Usage, "")
	if strings.Contains(err.Error(), password) {
		t.Errorf("error %q holds the password", err)
	}
}

func TestATagThatMovesWhileItIsReadGivesOneImage(t *testing.T) {
	moved := false
	var reg *imagetest.Registry
	old, next := sample(t, "old"), sample(t, "new")
	reg = imagetest.NewRegistry(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h.ServeHTTP(w, r)
			if r.Method == http.MethodGet && isManifest(r) && !moved {
				moved = true
				if _, err := reg.Push("shop/web:1", next); err != nil {
					t.Error(err)
				}
			}
		})
	})
	defer reg.Close()
	ref, err := reg.Push("shop/web:1", old)
	must(t, err)
	got, err := open(t, target.Request{Reference: ref}, target.Environment{})
	must(t, err)
	want, err := old.ConfigName()
	must(t, err)
	digest, err := old.Digest()
	must(t, err)
	if !moved || got.Image.ID != want.String() || got.Image.Digest != digest.String() {
		t.Errorf("moved %v: read image %s (%s), want %s (%s)", moved, got.Image.ID, got.Image.Digest, want, digest)
	}
}
