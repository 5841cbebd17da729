package clamav

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/portcullis-ci/portcullis/internal/clamav/clamavtest"
)

// daemon starts a stand-in on a socket, whose path must be short, or on TCP.
func daemon(t *testing.T, network string, set func(*clamavtest.Daemon)) (*clamavtest.Daemon, *Client) {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		dir, err := os.MkdirTemp("", "pc")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		address = filepath.Join(dir, "s")
	}
	d, err := clamavtest.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	d.Signatures = map[string]string{"worm": "Unix.Worm.Example-1"}
	if set != nil {
		set(d)
	}
	a, err := ParseAddress(d.Address)
	if err != nil {
		t.Fatal(err)
	}
	return d, New(a)
}

func TestScanTellsWhatTheDaemonFound(t *testing.T) {
	long := strings.Repeat("x", 3*chunkSize+1)
	for _, network := range []string{"unix", "tcp"} {
		d, c := daemon(t, network, nil)
		if err := c.Ping(t.Context()); err != nil {
			t.Errorf("%s: ping: %v", network, err)
		}
		if v, err := c.Version(t.Context()); err != nil || !strings.HasPrefix(v, "ClamAV 1.4.3/27824/") {
			t.Errorf("%s: got version %q, %v", network, v, err)
		}
		contents := map[string]string{
			"a worm": "Unix.Worm.Example-1", "clean": "", long: "", long + "worm": "Unix.Worm.Example-1",
			strings.Repeat("y", chunkSize): "", "": "",
		}
		for content, want := range contents {
			// Small reads must not make small chunks or lose anything.
			got, err := c.Scan(t.Context(), iotest.HalfReader(strings.NewReader(content)))
			if err != nil || got != want {
				t.Errorf("%s: %.20q of %d bytes: got %q, %v, want %q", network, content, len(content), got, err, want)
			}
		}
		for _, content := range d.Contents() {
			if _, ok := contents[content]; !ok {
				t.Errorf("%s: the daemon got %.20q of %d bytes, which nobody sent", network, content, len(content))
			}
		}
		if got := len(d.Contents()); got != len(contents) {
			t.Errorf("%s: the daemon got %d contents, want %d", network, got, len(contents))
		}
	}
}

func TestADaemonThatTakesLessSaysSo(t *testing.T) {
	for _, network := range []string{"unix", "tcp"} {
		_, c := daemon(t, network, func(d *clamavtest.Daemon) { d.StreamMaxLength = 100_000 })
		// Far more than the buffers of a socket hold.
		if _, err := c.Scan(t.Context(), strings.NewReader(strings.Repeat("x", 8<<20))); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: got %v, want ErrTooLarge", network, err)
		}
	}
}

func TestWhatIsNoAnswerIsAFault(t *testing.T) {
	for name, test := range map[string]struct{ answer, want string }{
		"an error":                    {"Can't allocate memory ERROR\x00", "it reports: Can't allocate memory ERROR"},
		"hangs up":                    {"", "hung up before it had answered"},
		"hangs up within the answer":  {"stream: OK", "hung up before it had answered"},
		"garbage":                     {"HTTP/1.1 400 Bad Request\r\n\x00", "neither OK, FOUND nor ERROR"},
		"a found one without a name":  {"stream:  FOUND\x00", "neither OK, FOUND nor ERROR"},
		"an answer about another one": {"/etc/passwd: OK\x00", "neither OK, FOUND nor ERROR"},
		"more than OK":                {"stream: OK \x1b[2J ::error::x\x00", `\x1b[2J`},
		"without end":                 {strings.Repeat("x", 10_000), "longer than 4096 bytes"},
		"nothing":                     {"\x00", "neither OK, FOUND nor ERROR"},
	} {
		_, c := daemon(t, "tcp", func(d *clamavtest.Daemon) { d.Answer = func([]byte) string { return test.answer } })
		signature, err := c.Scan(t.Context(), strings.NewReader("content"))
		if err == nil || signature != "" || errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: got %q, %v", name, signature, err)
		} else if !strings.Contains(err.Error(), test.want) || strings.ContainsAny(err.Error(), "\x1b\x00") || len(err.Error()) > 400 {
			t.Errorf("%s: the error is %q, want %q in it", name, err, test.want)
		}
	}
}

func TestNamesOfSignaturesAreMadeHarmless(t *testing.T) {
	_, c := daemon(t, "tcp", func(d *clamavtest.Daemon) {
		d.Answer = func([]byte) string {
			return "stream: Evil\x1b[2J\u202e FOUND\nstream: OK" + strings.Repeat("A", 1000) + " FOUND\x00"
		}
	})
	got, err := c.Scan(t.Context(), strings.NewReader("content"))
	if err != nil || !strings.HasPrefix(got, `Evil\x1b[2J\u202e FOUND\nstream: OKAAA`) || len(got) > 200 {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestWhoIsNoClamdIsToldApart(t *testing.T) {
	_, c := daemon(t, "tcp", func(d *clamavtest.Daemon) { d.Hello = "220 mail.example ESMTP\r\n\x00" })
	if err := c.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), "220 mail.example ESMTP") {
		t.Errorf("ping: got %v", err)
	}
	if v, err := c.Version(t.Context()); err == nil {
		t.Errorf("got version %q", v)
	}
	a, err := ParseAddress("unix:" + filepath.Join(t.TempDir(), "none"))
	if err != nil {
		t.Fatal(err)
	}
	if err := New(a).Ping(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a socket: got %v", err)
	}
}

// silent listens and never answers.
func silent(t *testing.T) *Client {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	a, err := ParseAddress("tcp:" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return New(a)
}

func TestASilentDaemonIsNotWaitedForInVain(t *testing.T) {
	c := silent(t)
	c.waits.answer = time.Millisecond
	if _, err := c.Scan(t.Context(), strings.NewReader("content")); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, want a deadline that passed", err)
	}
	c.waits.write = time.Millisecond
	c.waits.late = time.Millisecond
	if _, err := c.Scan(t.Context(), io.LimitReader(endless{}, 1<<30)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("while sending: got %v, want a deadline that passed", err)
	}
}

// endless is a content that never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestScanEndsWithItsContext(t *testing.T) {
	c := silent(t)
	stop := errors.New("the run was ended")
	ctx, cancel := context.WithCancelCause(t.Context())
	asked := make(chan error)
	go func() {
		_, err := c.Scan(ctx, strings.NewReader("content"))
		asked <- err
	}()
	cancel(stop)
	if err := <-asked; !errors.Is(err, stop) {
		t.Errorf("got %v, want the cause", err)
	}
}

func TestAFaultOfTheContentIsItsOwn(t *testing.T) {
	_, c := daemon(t, "tcp", nil)
	broken := errors.New("cut off")
	if _, err := c.Scan(t.Context(), iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestAddresses(t *testing.T) {
	for text, want := range map[string]struct {
		text  string
		local bool
	}{
		"unix:/run/clamav/clamd.ctl":   {"unix:/run/clamav/clamd.ctl", true},
		"unix:///run/clamav/clamd.ctl": {"unix:/run/clamav/clamd.ctl", true},
		"unix:clamd.ctl":               {"unix:clamd.ctl", true},
		"tcp:127.0.0.1:3310":           {"tcp:127.0.0.1:3310", true},
		"tcp://localhost:3310":         {"tcp:localhost:3310", true},
		"tcp:[::1]:3310":               {"tcp:[::1]:3310", true},
		"tcp:clamd.example:3310":       {"tcp:clamd.example:3310", false},
		"tcp:192.0.2.7:3310":           {"tcp:192.0.2.7:3310", false},
		"tcp:localhost.example:3310":   {"tcp:localhost.example:3310", false},
	} {
		a, err := ParseAddress(text)
		if err != nil || a.String() != want.text || a.Local() != want.local {
			t.Errorf("%s: got %s, local %t, %v, want %+v", text, a, a.Local(), err, want)
		}
	}
	for text, want := range map[string]string{
		"":                    "expected unix:PATH or tcp:HOST:PORT",
		"clamd":               "expected unix:PATH or tcp:HOST:PORT",
		"http://x":            "expected unix:PATH or tcp:HOST:PORT",
		"localhost:3310":      "write tcp:localhost:3310",
		"192.0.2.7:3310":      "write tcp:192.0.2.7:3310",
		"/run/clamd.ctl":      "write unix:/run/clamd.ctl",
		"unix:":               "names no socket",
		"tcp:localhost":       "names no host and port",
		"tcp::3310":           "names no host and port",
		"tcp:localhost:clamd": "is no port",
		"tcp:localhost:0":     "is no port",
		"tcp:localhost:65536": "is no port",
	} {
		if a, err := ParseAddress(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %s, %v, want %q", text, a, err, want)
		}
	}
}

func FuzzParseScan(f *testing.F) {
	for _, seed := range []string{"stream: OK", "stream: A FOUND", "INSTREAM size limit exceeded. ERROR", "x ERROR", "stream: OK FOUND", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		signature, err := parseScan(answer)
		if signature == "" && err == nil && answer != "stream: OK" {
			t.Errorf("%q counts as clean", answer)
		}
		if signature != "" && err != nil {
			t.Errorf("%q is both %q and %v", answer, signature, err)
		}
		if strings.ContainsFunc(signature, func(r rune) bool { return r < ' ' || r == 0x7f }) || len(signature) > 200 {
			t.Errorf("%q gives the name %q", answer, signature)
		}
	})
}
