// Package slowbody bounds how long a server may keep one waiting for the body of
// an answer. How long the head may take is the transport's business. The main
// function is Watch.
package slowbody

import (
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// DefaultPatience is how long one waits where nothing else is said.
const DefaultPatience = time.Minute

// leastRate is how many bytes have to come in a second, counted over the time of
// one's patience. The slowest links in use send ten times as many.
const leastRate = 256

// Watch ends a body that sends nothing, or next to nothing, for as long as the
// patience lasts; zero means DefaultPatience. Time is counted only while
// somebody waits for bytes. The error of Read then says what came.
func Watch(body io.ReadCloser, patience time.Duration) io.ReadCloser {
	if patience <= 0 {
		patience = DefaultPatience
	}
	w := &watched{body: body, patience: patience}
	w.timer = time.AfterFunc(patience, func() {
		w.stalled.Store(true)
		_ = body.Close() // ends the Read that waits
	})
	w.timer.Stop()
	return w
}

// Transport watches the bodies of all answers, also of those that a client drains
// before it asks again.
func Transport(next http.RoundTripper, patience time.Duration) http.RoundTripper {
	return transport{next, patience}
}

type transport struct {
	next     http.RoundTripper
	patience time.Duration
}

func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err == nil {
		resp.Body = Watch(resp.Body, t.patience)
	}
	return resp, err
}

type watched struct {
	body     io.ReadCloser
	timer    *time.Timer
	patience time.Duration
	stalled  atomic.Bool
	// waited is how long one has waited for the last got bytes.
	waited time.Duration
	got    int64
	// ended is the error with which the body was given up: who copies up to a
	// number of bytes may not have seen it.
	ended error
}

func (w *watched) Read(p []byte) (int, error) {
	if w.ended != nil {
		return 0, w.ended
	}
	begun := time.Now()
	w.timer.Reset(w.patience)
	n, err := w.body.Read(p)
	w.timer.Stop()
	switch {
	case err == io.EOF: //nolint:errorlint // As io.Reader returns it.
		return n, err
	case err != nil && w.stalled.Load():
		w.ended = &silence{text: fmt.Sprintf("the server sent nothing for %s", w.patience), err: err}
		return n, w.ended
	}
	w.waited += time.Since(begun)
	w.got += int64(n)
	if w.waited < w.patience {
		return n, err
	}
	if err == nil && float64(w.got) < leastRate*w.waited.Seconds() {
		_ = w.body.Close() // what it says is of no more interest
		w.ended = &silence{text: fmt.Sprintf("the server sent %d bytes in %s", w.got, w.waited.Round(time.Millisecond))}
		err = w.ended
	}
	w.waited, w.got = 0, 0
	return n, err
}

// Close closes the body.
func (w *watched) Close() error {
	w.timer.Stop()
	return w.body.Close()
}

// silence is the error of a body that was ended. Like the errors of the network
// it tells that time ran out.
type silence struct {
	text string
	err  error
}

func (s *silence) Error() string {
	if s.err == nil {
		return s.text
	}
	return s.text + ": " + s.err.Error()
}

func (s *silence) Unwrap() error { return s.err }

// Timeout makes it what [net.Error] calls a timeout.
func (*silence) Timeout() bool { return true }
