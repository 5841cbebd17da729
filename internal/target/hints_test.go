package target_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// listen makes a socket of a daemon that answers in some way.
func listen(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "d.sock")
	l, err := net.Listen("unix", socket)
	must(t, err)
	server := &http.Server{Handler: answer}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return "unix://" + socket
}

func TestFaultsOfADaemonSayWhatCanBeDone(t *testing.T) {
	says := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = fmt.Fprint(w, body)
		}
	}
	gone := filepath.Join(t.TempDir(), "gone.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: gone, Net: "unix"})
	must(t, err)
	l.SetUnlinkOnClose(false)
	must(t, l.Close())
	garbage, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer func() { _ = garbage.Close() }()
	go func() {
		for {
			c, err := garbage.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 1024))
			_, _ = c.Write([]byte("\x15\x03\x01\x00\x02\x02\x0a"))
			_ = c.Close()
		}
	}()
	for name, tt := range map[string]struct {
		host, text, hint string
		code             exit.Code
	}{
		"an image that it does not have":      {listen(t, says(404, `{"message":"No such image: x"}`)), "No such image", "pull or build", exit.NotExamined},
		"a fault of its own":                  {listen(t, says(500, `{"message":"boom"}`)), "status 500: boom", "daemon's log", exit.NotExamined},
		"an answer that is no JSON":           {listen(t, says(502, "<html>")), "status 502", "daemon's log", exit.NotExamined},
		"a socket that nobody listens to":     {"unix://" + gone, "refused", "start the daemon", exit.NotExamined},
		"a socket that is not there":          {"unix:///nowhere/d.sock", "no such file", "start the daemon", exit.NotExamined},
		"a port that nobody listens to":       {"tcp://127.0.0.1:1", "refused", "start the daemon", exit.NotExamined},
		"the port that is meant without any":  {"tcp://127.0.0.3", "127.0.0.3:2375", "start the daemon", exit.NotExamined},
		"a daemon that speaks TLS":            {"tcp://" + garbage.Addr().String(), "malformed", "without TLS", exit.NotExamined},
		"a socket without a path":             {"unix://", "no socket", "unix:///path", exit.Usage},
		"a path without a scheme":             {gone, "not supported", "unix:///path", exit.Usage},
		"an export that holds nothing at all": {listen(t, says(200, "")), "archive is empty", "whole and unaltered", exit.NotExamined},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := open(t, target.Request{Reference: "daemon:shop/web:1"}, target.Environment{Getenv: func(name string) string {
				return map[string]string{"DOCKER_HOST": tt.host}[name]
			}})
			expectError(t, err, tt.code, tt.text)
			if hint := exit.HintOf(err); !strings.Contains(hint, tt.hint) {
				t.Errorf("hint %q, want %q", hint, tt.hint)
			}
		})
	}
}

func TestASocketThatThisUserMayNotUseIsTold(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("nothing is forbidden to root")
	}
	host := listen(t, func(http.ResponseWriter, *http.Request) {})
	must(t, os.Chmod(strings.TrimPrefix(host, "unix://"), 0))
	_, err := open(t, target.Request{Reference: "daemon:shop/web:1"}, target.Environment{Getenv: func(string) string { return host }})
	expectError(t, err, exit.NotExamined, "permission denied")
	if hint := exit.HintOf(err); !strings.Contains(hint, "group docker") {
		t.Errorf("hint %q", hint)
	}
}

func TestCredentialsThatCannotBeFoundAreTold(t *testing.T) {
	ref, _ := faulty(t, func(http.ResponseWriter, *http.Request, http.Handler) bool { return false })
	host, _, _ := strings.Cut(ref, "/")
	for name, tt := range map[string]struct{ config, fault string }{
		"a helper that is not installed":        {`{"credHelpers":{"` + host + `":"nowhere-to-be-found"}}`, "docker-credential-nowhere-to-be-found"},
		"a store that is not installed":         {`{"credsStore":"nowhere-to-be-found"}`, "docker-credential-nowhere-to-be-found"},
		"a configuration that is cut":           {`{"auths":`, "parsing config file"},
		"a helper for another registry":         {`{"credHelpers":{"other.example":"nowhere-to-be-found"}}`, ""},
		"a configuration that says nothing":     {`{}`, ""},
		"credentials for the registry of a run": {`{"auths":{"` + host + `":{"auth":"dXNlcjpwYXNz"}}}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			must(t, os.WriteFile(filepath.Join(dir, "config.json"), []byte(tt.config), 0o600))
			t.Setenv("DOCKER_CONFIG", dir)
			_, err := open(t, target.Request{Reference: ref}, target.Environment{})
			if tt.fault == "" {
				must(t, err)
				return
			}
			expectError(t, err, exit.NotExamined, tt.fault)
			if hint := exit.HintOf(err); !strings.Contains(hint, "config.json") {
				t.Errorf("hint %q", hint)
			}
		})
	}
}

func TestReferencesOfOtherToolsAreNotAskedForAtDockerHub(t *testing.T) {
	for reference, hint := range map[string]string{
		"docker://alpine:3.20":              "[REGISTRY/]REPOSITORY",
		"https://registry.example/shop/web": "[REGISTRY/]REPOSITORY",
		"-":                                 "save it to a file",
	} {
		_, err := open(t, target.Request{Reference: reference, Offline: true}, target.Environment{})
		expectError(t, err, exit.Usage, "")
		if got := exit.HintOf(err); !strings.Contains(got, hint) {
			t.Errorf("%s: hint %q, want %q", reference, got, hint)
		}
	}
}

// A fault of a registry while layers are read says what can be done as one before
// does, and shows nothing of a signed URL.
func TestFaultsWhileLayersAreReadSayWhatCanBeDone(t *testing.T) {
	const secret = "X-Amz-Signature=5ecret"
	layer := func(answer func(w http.ResponseWriter, r *http.Request)) fault {
		var blob atomic.Int64
		return func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
			// The first blob is the configuration.
			if !isBlob(r) || blob.Add(1) == 1 {
				return false
			}
			answer(w, r)
			return true
		}
	}
	for name, tt := range map[string]struct {
		answer     func(w http.ResponseWriter, r *http.Request)
		text, hint string
	}{
		"no longer logged in": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }, "401", "log in"},
		"too many requests":   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }, "429", "limits requests"},
		"out of order":        {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, "502", "try again later"},
		"a host that is not there": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/blob?"+secret, http.StatusTemporaryRedirect)
		}, "refused", "network"},
		"cut": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100000")
			_, _ = w.Write([]byte("\x1f\x8b\x08\x00"))
		}, "EOF", "try again"},
	} {
		t.Run(name, func(t *testing.T) {
			ref, _ := faulty(t, layer(tt.answer))
			_, err := open(t, target.Request{Reference: ref}, target.Environment{})
			if err == nil || !strings.Contains(err.Error(), tt.text) || strings.Contains(err.Error(), "5ecret") {
				t.Errorf("error %v, want one about %q", err, tt.text)
			}
			if hint := target.FetchHint(err); !strings.Contains(hint, tt.hint) {
				t.Errorf("hint %q, want %q", hint, tt.hint)
			}
		})
	}
	if hint := target.FetchHint(os.ErrNotExist); hint != "" {
		t.Errorf("hint %q for what is no fault of a registry", hint)
	}
}
