// Package recovered turns the panic of a parser into an error, at the border
// of the package that hands foreign bytes to it: who panics on a file has not
// read it, and that is to be told like any other file that cannot be read. The
// one function is As.
//
// It is not for goroutines that a library starts by itself: nothing can recover
// from a panic there, and package supervise is there for the process that it
// ends.
package recovered

import (
	"fmt"
	"path"
	"runtime"
	"runtime/debug"
	"strings"
)

// Panic is the error that a panic became.
type Panic struct {
	// Doing says what was being done, such as "read lock file".
	Doing string
	// Reason is the value of the panic.
	Reason any
	// At is the place in the source where it arose, such as parse.go:41.
	At string
	// Stack is how it came there, for whoever mends it. It is no part of the
	// message, which is one line.
	Stack []byte
}

// Error says what was being done, why it ended and at what place of the source:
// a report of it needs no more.
func (p *Panic) Error() string {
	reason := strings.Join(strings.Fields(fmt.Sprint(p.Reason)), " ")
	return fmt.Sprintf("%s: the parser gave up: %s (%s)", p.Doing, reason, p.At)
}

// As is to be deferred, as the last defer before what may panic. If that
// panics it puts a *Panic into err; other results keep what they had.
func As(err *error, doing string) {
	if reason := recover(); reason != nil {
		*err = &Panic{Doing: doing, Reason: reason, At: origin(), Stack: debug.Stack()}
	}
}

// origin is the place of the panic that a deferred function recovers from: below
// the frames of the runtime that lead to that function.
func origin() string {
	var frames [32]uintptr
	list := runtime.CallersFrames(frames[:runtime.Callers(1, frames[:])])
	panicked := false
	for {
		f, more := list.Next()
		switch ours := !strings.HasPrefix(f.Function, "runtime."); {
		case panicked && ours:
			return fmt.Sprintf("%s:%d", path.Base(f.File), f.Line)
		case !ours:
			panicked = true
		}
		if !more {
			return "at an unknown place"
		}
	}
}
