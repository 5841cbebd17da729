package slowbody

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// body sends pieces with a pause before each, and none after it was closed.
type body struct {
	pieces int
	piece  []byte
	pause  time.Duration
	closed chan struct{}
}

func (b *body) Read(p []byte) (int, error) {
	select {
	case <-b.closed:
		return 0, io.ErrClosedPipe
	case <-time.After(b.pause):
	}
	if b.pieces == 0 {
		return 0, io.EOF
	}
	b.pieces--
	return copy(p, b.piece), nil
}

func (b *body) Close() error {
	select {
	case <-b.closed:
	default:
		close(b.closed)
	}
	return nil
}

func TestABodyThatKeepsOneWaitingEnds(t *testing.T) {
	const patience = 50 * time.Millisecond
	for _, tt := range []struct {
		why    string
		pieces int
		piece  []byte
		pause  time.Duration
		want   string // part of the error; empty for none
	}{
		{"at once", 10, bytes.Repeat([]byte("x"), 100), 0, ""},
		{"slow, but steady", 20, bytes.Repeat([]byte("x"), 100), patience / 10, ""},
		{"nothing", 1, nil, time.Hour, "sent nothing for 50ms"},
		{"drop by drop", 1 << 20, []byte("x"), patience / 5, "bytes in "},
	} {
		b := &body{pieces: tt.pieces, piece: tt.piece, pause: tt.pause, closed: make(chan struct{})}
		w := Watch(b, patience)
		var data []byte
		var err error
		for buf := make([]byte, 1000); err == nil; {
			var n int
			n, err = w.Read(buf)
			data = append(data, buf[:n]...)
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
		switch {
		case tt.want == "" && (err != nil || len(data) != tt.pieces*len(tt.piece)):
			t.Errorf("%s: %d bytes, %v", tt.why, len(data), err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: got %v, want %q", tt.why, err, tt.want)
		}
		if _, again := w.Read(make([]byte, 1)); tt.want != "" && (again == nil || again.Error() != err.Error()) {
			t.Errorf("%s: read again: %v, want the same error", tt.why, again)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A reader that takes its time is not the server's fault.
func TestTheTimeOfTheReaderDoesNotCount(t *testing.T) {
	b := &body{pieces: 5, piece: []byte("x"), closed: make(chan struct{})}
	w := Watch(b, 20*time.Millisecond)
	for range 5 {
		if _, err := w.Read(make([]byte, 8)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Millisecond)
	}
}
