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
	"runtime/debug"
)

// Panic is the error that a panic became.
type Panic struct {
	// Doing says what was being done, such as "read lock file".
	Doing string
	// Reason is the value of the panic.
	Reason any
	// Stack is where it arose, for whoever mends it. It is no part of the
	// message.
	Stack []byte
}

// Error says what was being done and why it ended.
func (p *Panic) Error() string {
	return fmt.Sprintf("%s: the parser gave up: %v", p.Doing, p.Reason)
}

// As is to be deferred, as the last defer before what may panic. If that
// panics it puts a *Panic into err; other results keep what they had.
func As(err *error, doing string) {
	if reason := recover(); reason != nil {
		*err = &Panic{Doing: doing, Reason: reason, Stack: debug.Stack()}
	}
}
