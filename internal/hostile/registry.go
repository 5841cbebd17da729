package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
)

// password is the registry's credential, which nobody else may see.
const password = "registry-password-1b7e"

// fault answers a request in place of the registry, and reports whether it did.
type fault func(w http.ResponseWriter, r *http.Request, next http.Handler) bool

// serve starts a registry with one image behind a fault.
func (s *scene) serve(f fault) (string, error) {
	var on atomic.Bool
	reg := imagetest.NewRegistry(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !on.Load() || !f(w, r, next) {
				next.ServeHTTP(w, r)
			}
		})
	})
	s.cleanups = append(s.cleanups, reg.Close)
	img, err := imagetest.New().Platform("linux/amd64").User("1000").Layer("ADD rootfs /", base()...).
		Layer("COPY noise /", imagetest.File{Path: "noise", Body: noise(400_000)}).Image()
	if err != nil {
		return "", err
	}
	ref, err := reg.Push("shop/web:1", img)
	on.Store(true)
	return ref, err
}

// movingTag has a registry give another image for a tag as soon as that was
// asked for once. Only one of them may be examined, and be called by its digest.
func movingTag() hostileCase {
	var asked atomic.Int64
	return hostileCase{row: "143", name: "R:moving-tag", exits: passed, hides: password, waits: true, prepare: func(s *scene) ([]string, error) {
		ref, err := s.serve(on(isManifest, func(_ http.ResponseWriter, r *http.Request, _ http.Handler) bool {
			if name, byTag := strings.CutSuffix(r.URL.Path, "/manifests/1"); byTag && asked.Add(1) > 1 {
				r.URL.Path = name + "/manifests/moved"
			}
			return false
		}))
		if err != nil {
			return nil, err
		}
		later, err := imagetest.New().Platform("linux/amd64").User("1000").Layer("ADD rootfs /", imagetest.Debian(
			imagetest.Package{Name: "base-files", Version: "12.4+deb12u5"}, imagetest.Package{Name: "later", Version: "1.0"})...).Image()
		if err != nil {
			return nil, err
		}
		host, _, _ := strings.Cut(ref, "/")
		if err := push(host+"/shop/web:moved", later); err != nil {
			return nil, err
		}
		return s.gate(ref, "--platform", "linux/amd64", "--sbom-out", "sbom.json"), s.login(host)
	}, play: func(ctx context.Context, h *harness, s *scene, args []string) (*outcome, error) {
		o, err := sbomHolds("last", "later")(ctx, h, s, args)
		if err != nil {
			return nil, err
		}
		var report struct{ Image struct{ Digest string } }
		sbom, err := os.ReadFile(s.path("sbom.json"))
		if jsonErr := json.Unmarshal(o.report, &report); err != nil || jsonErr != nil || report.Image.Digest == "" || !bytes.Contains(sbom, []byte(report.Image.Digest)) {
			o.blame("report and SBOM do not name one image: %q, %v, %v", report.Image.Digest, err, jsonErr)
		}
		if asked.Load() == 0 {
			o.blame("the tag was not asked for")
		}
		return o, nil
	}}
}

// push puts an image into a registry on the loopback interface.
func push(reference string, img v1.Image) error {
	ref, err := name.ParseReference(reference)
	if err != nil {
		return err
	}
	return remote.Write(ref, img)
}

// login gives the program the registry's credential.
func (s *scene) login(host string) error {
	_, err := s.write("docker/config.json", fmt.Appendf(nil, `{"auths":{%q:{"username":"user","password":%q}}}`, host, password))
	s.env = append(s.env, "DOCKER_CONFIG="+s.path("docker"))
	return err
}

// trap is a server that counts what of the credential reaches it.
func (s *scene) trap() (base string, seen *atomic.Int64) {
	seen = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if _, pass, _ := r.BasicAuth(); pass == password || bytes.Contains(body, []byte(password)) || r.Header.Get("Authorization") != "" {
			seen.Add(1)
		}
		_, _ = io.WriteString(w, `{"token":"stolen"}`)
	}))
	s.cleanups = append(s.cleanups, server.Close)
	return strings.Replace(server.URL, "127.0.0.1", "localhost", 1), seen
}

func isBlob(r *http.Request) bool     { return strings.Contains(r.URL.Path, "/blobs/") }
func isManifest(r *http.Request) bool { return strings.Contains(r.URL.Path, "/manifests/") }

// answer answers a number of requests with a status code.
func answer(times int64, code int, header ...string) fault {
	var n atomic.Int64
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
		if n.Add(1) > times {
			return false
		}
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		return true
	}
}

const forever = 1 << 60

func on(which func(*http.Request) bool, f fault) fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) bool { return which(r) && f(w, r, next) }
}

// changed answers with a changed body of what the registry has.
func changed(which func(*http.Request) bool, change func(w http.ResponseWriter, r *http.Request, body []byte)) fault {
	return on(which, func(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
		rec, whole := httptest.NewRecorder(), r.Clone(r.Context())
		whole.Header.Del("Range")
		next.ServeHTTP(rec, whole)
		for _, name := range []string{"Content-Type", "Docker-Content-Digest"} {
			if v := rec.Header().Get(name); v != "" {
				w.Header().Set(name, v)
			}
		}
		change(w, r, rec.Body.Bytes())
		return true
	})
}

func page(text string) fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
		_, _ = io.WriteString(w, text)
		return true
	}
}

func endless(w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
	chunk := bytes.Repeat([]byte(" "), 1<<16)
	for {
		if _, err := w.Write(chunk); err != nil {
			return true
		}
	}
}

// silent takes the request and says nothing.
func silent(_ http.ResponseWriter, r *http.Request, _ http.Handler) bool {
	<-r.Context().Done()
	return true
}

// dribble sends a byte now and then.
func dribble(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
	w.Header().Set("Content-Length", "400000")
	for r.Context().Err() == nil {
		if _, err := w.Write([]byte{0x1f}); err != nil {
			return true
		}
		_ = http.NewResponseController(w).Flush()
		time.Sleep(time.Second)
	}
	return true
}

func redirect(to func(r *http.Request) string) fault {
	return on(isBlob, func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
		w.Header().Set("Location", to(r))
		w.WriteHeader(http.StatusTemporaryRedirect)
		return true
	})
}

// registryCases are rows 119 to 145.
func registryCases() []hostileCase {
	r := func(row, name string, exits []int, says string, f func(s *scene) fault) hostileCase {
		return hostileCase{row: row, name: "R:" + name, exits: exits, says: says, seconds: 60, waits: true, hides: password, prepare: func(s *scene) ([]string, error) {
			ref, err := s.serve(f(s))
			if err != nil {
				return nil, err
			}
			host, _, _ := strings.Cut(ref, "/")
			return s.gate(ref, "--platform", "linux/amd64"), s.login(host)
		}}
	}
	plain := func(f fault) func(*scene) fault { return func(*scene) fault { return f } }
	// trapped is a case in which no credential may reach the trap.
	trapped := func(row, name string, exits []int, f func(trap string) fault) hostileCase {
		var seen *atomic.Int64
		c := r(row, name, exits, "", func(s *scene) fault {
			var base string
			base, seen = s.trap()
			return f(base)
		})
		c.play = func(ctx context.Context, h *harness, s *scene, args []string) (*outcome, error) {
			o, err := h.start(ctx, s, args)
			if err == nil && seen.Load() > 0 {
				o.blame("the trap saw %d credentials", seen.Load())
			}
			return o, err
		}
		return c
	}
	realm := func(url string) fault {
		return answer(forever, http.StatusUnauthorized, "WWW-Authenticate", `Bearer realm="`+url+`",service="x"`)
	}
	var cut atomic.Int64
	return []hostileCase{
		r("119", "r429-twice", passed, "", plain(answer(2, http.StatusTooManyRequests, "Retry-After", "1"))),
		r("119", "r503-then-ok", passed, "", plain(answer(2, http.StatusServiceUnavailable))),
		r("120", "r429-forever", refused, "429", plain(answer(forever, http.StatusTooManyRequests, "Retry-After", "86400"))),
		r("121", "r500-forever", refused, "500", plain(answer(forever, http.StatusInternalServerError))),
		r("122", "manifest-404", refused, "404", plain(on(isManifest, answer(forever, http.StatusNotFound)))),
		r("123", "auth-denied", refused, "401", plain(answer(forever, http.StatusUnauthorized, "WWW-Authenticate", `Basic realm="x"`))),
		r("124", "blob-cut", refused, "", plain(changed(isBlob, func(w http.ResponseWriter, _ *http.Request, body []byte) {
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
			_, _ = w.Write(body[:len(body)/2])
		}))),
		r("125", "blob-cut-once", passed, "", plain(changed(isBlob, func(w http.ResponseWriter, r *http.Request, body []byte) {
			if len(body) < 100_000 || cut.Add(1) > 1 {
				http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
				return
			}
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
			_, _ = w.Write(body[:len(body)/2])
		}))),
		r("126", "blob-wrong-bytes", refused, "digest", plain(changed(isBlob, func(w http.ResponseWriter, _ *http.Request, body []byte) {
			body[len(body)-1] ^= 1
			_, _ = w.Write(body)
		}))),
		r("127", "config-wrong-bytes", refused, "digest", plain(changed(isBlob, func(w http.ResponseWriter, _ *http.Request, body []byte) {
			_, _ = w.Write(bytes.Replace(body, []byte(`"1000"`), []byte(`"1001"`), 1))
		}))),
		r("128", "manifest-digest-lie", refused, "promised", plain(changed(isManifest, func(w http.ResponseWriter, _ *http.Request, body []byte) {
			w.Header().Set("Docker-Content-Digest", "sha256:"+strings.Repeat("0", 64))
			_, _ = w.Write(body)
		}))),
		r("129", "length-too-short", refused, "", plain(changed(isBlob, func(w http.ResponseWriter, _ *http.Request, body []byte) {
			_, _ = w.Write(body[:len(body)-1])
		}))),
		r("130", "blob-endless", refused, "", plain(on(isBlob, endless))),
		r("131", "manifest-endless", refused, "more than", plain(on(isManifest, endless))),
		r("132", "slow-headers", refused, "", plain(silent)),
		r("133", "slow-body", refused, "", plain(on(isBlob, dribble))),
		r("134", "redirect-loop", refused, "redirects", plain(redirect(func(r *http.Request) string { return r.URL.Path }))),
		r("135", "redirect-long", refused, "redirects", plain(redirect(func(r *http.Request) string { return r.URL.Path + "?a=" + r.URL.Query().Get("a") + "b" }))),
		trapped("136", "redirect-foreign-host", refused, func(trap string) fault { return redirect(func(*http.Request) string { return trap + "/blob" }) }),
		r("136", "redirect-file", refused, "scheme", plain(redirect(func(*http.Request) string { return "file:///etc/passwd" }))),
		trapped("137", "realm-foreign-name", refused, func(trap string) fault { return realm(trap + "/token") }),
		trapped("137", "realm-foreign-ip", refused, func(trap string) fault { return realm(strings.Replace(trap, "localhost", "127.0.0.2", 1) + "/token") }),
		trapped("138", "realm-metadata", refused, func(string) fault { return realm("http://169.254.169.254/latest/") }),
		trapped("139", "realm-file", refused, func(string) fault { return realm("file:///etc/passwd") }),
		trapped("140", "realm-garbage", refused, func(string) fault { return realm("://\x00") }),
		r("141", "many-headers", either, "", plain(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
			for i := range 5_000 {
				w.Header().Set(fmt.Sprintf("X-Many-%d", i), "x")
			}
			return false
		})),
		trapped("142", "foreign-layer", refused, func(trap string) fault {
			return changed(isManifest, func(w http.ResponseWriter, _ *http.Request, body []byte) {
				w.Header().Del("Docker-Content-Digest")
				_, _ = w.Write(bytes.Replace(body, []byte(`"layers":[{`), []byte(`"layers":[{"urls":["`+trap+`/x"],`), 1))
			})
		}),
		movingTag(),
		r("144", "html-200", refused, "not JSON", plain(on(isManifest, page("<html>hello</html>")))),
		r("145", "index-huge", refused, "", plain(on(isManifest, page(`{"schemaVersion":2,"mediaType":"`+indexType+`","manifests":[`+
			strings.TrimSuffix(strings.Repeat(`{"mediaType":"`+manifestType+`","size":1,"digest":"sha256:`+strings.Repeat("a", 64)+`"},`, 200_000), ",")+`]}`)))),
	}
}
