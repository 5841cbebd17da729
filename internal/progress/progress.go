// Package progress tells a person how far a run is: one line that is redrawn
// on a terminal, plain lines everywhere else. It writes to standard error
// only, so that reports on standard output stay clean. It is not for results.
package progress

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/portcullis-ci/portcullis/internal/neutralise"
)

// Display shows stages as they start and end. It may be used from several
// goroutines. The zero value shows nothing.
type Display struct {
	mu       sync.Mutex
	out      io.Writer
	terminal bool
	now      func() time.Time
	running  []string
	drawn    bool
}

// New returns a display that writes to out. On a terminal the running stages
// share one line that is redrawn; otherwise each stage is a line when it ends.
func New(out io.Writer, terminal bool, now func() time.Time) *Display {
	return &Display{out: out, terminal: terminal, now: now}
}

// Start announces a stage and returns the function that ends it; detail says
// in a few words what came of it.
func (d *Display) Start(stage string) (done func(detail string)) {
	if d == nil || d.out == nil {
		return func(string) {}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	began := d.now()
	d.running = append(d.running, stage)
	d.draw()
	return func(detail string) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.remove(stage)
		d.erase()
		d.printf("%-14s %6.1fs  %s\n", stage, d.now().Sub(began).Seconds(), neutralise.Log(detail))
		d.draw()
	}
}

// Note prints a line of its own between the stages.
func (d *Display) Note(format string, args ...any) {
	if d == nil || d.out == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.erase()
	d.printf("%s\n", neutralise.Log(fmt.Sprintf(format, args...)))
	d.draw()
}

// Close removes what is left on the terminal's line.
func (d *Display) Close() {
	if d == nil || d.out == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.running = nil
	d.erase()
}

func (d *Display) remove(stage string) {
	for i, s := range d.running {
		if s == stage {
			d.running = append(d.running[:i:i], d.running[i+1:]...)
			return
		}
	}
}

// draw shows the running stages on the terminal's current line.
func (d *Display) draw() {
	if !d.terminal || len(d.running) == 0 {
		return
	}
	line := "… "
	for i, s := range d.running {
		if i > 0 {
			line += ", "
		}
		line += s
	}
	d.printf("%s", line)
	d.drawn = true
}

// erase clears the line that draw left.
func (d *Display) erase() {
	if d.drawn {
		d.printf("\r\x1b[K")
		d.drawn = false
	}
}

// printf writes to the display. Progress that cannot be written is not worth
// failing a gate for: the reports carry the result.
func (d *Display) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(d.out, format, args...)
}
