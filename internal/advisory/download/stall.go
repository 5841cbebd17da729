package download

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

func (c *Client) watch(body io.ReadCloser) io.ReadCloser { return Watch(body, c.Patience) }

// Watch ends a body that sends nothing for too long, a minute where patience is
// zero. Time is counted only while somebody waits for bytes.
func Watch(body io.ReadCloser, patience time.Duration) io.ReadCloser {
	if patience <= 0 {
		patience = time.Minute
	}
	w := &watched{body: body, patience: patience}
	w.timer = time.AfterFunc(patience, func() {
		w.stalled.Store(true)
		_ = body.Close() // ends the Read that waits
	})
	w.timer.Stop()
	return w
}

type watched struct {
	body     io.ReadCloser
	timer    *time.Timer
	patience time.Duration
	stalled  atomic.Bool
}

func (w *watched) Read(p []byte) (int, error) {
	w.timer.Reset(w.patience)
	n, err := w.body.Read(p)
	w.timer.Stop()
	if err != nil && w.stalled.Load() {
		err = fmt.Errorf("the server sent nothing for %s", w.patience)
	}
	return n, err
}

func (w *watched) Close() error {
	w.timer.Stop()
	return w.body.Close()
}
