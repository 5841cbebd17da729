// Package supervise runs the program's work in a child process of itself. A Go
// program cannot recover from an exhausted stack, from memory that is refused
// or from a kill by the kernel, and a hostile image may cause each of them. The
// parent, which reads nothing of what is examined, then tells what happened
// and fails closed, with all reports written.
//
// It is not for panics, which are recovered where they arise, and knows
// nothing of what the work is.
package supervise

import (
	"os"
	"strings"
)

// Variable is set in the environment of the child and names the file
// descriptor on which it tells its exit code.
const Variable = "PORTCULLIS_SUPERVISED_BY_FD"

// Told begins what is said of a child that a signal to this process ended: no
// crash, but somebody's will.
const Told = "its process was told to end by signal"

// Work does the program's work and returns its exit code. crash is empty for
// the work itself. Otherwise a child that did the work was ended by something
// that it could not handle; crash says by what, and the work is only to report
// that.
type Work func(crash string) int

// Run does the work in a child process and returns its exit code, or has the
// crash of that child reported. Where no child can be had (the operating
// system offers no way, or refuses another process) the work is done here.
//
// The garbage collector may be at rest until then; resume has it run at its usual
// pace, where there is no better one.
func Run(work Work, resume func()) int {
	if tell, isChild := parent(os.Getenv); isChild {
		defer paceCollector(gateMemory, resume)()
		code := work("")
		tell(code)
		return code
	}
	end, err := runChild()
	if err == nil && end.told {
		return end.code
	}
	resume()
	return work(end.cause)
}

// Lint does the work in this process, with little memory: what is read are the
// files of a checkout, which no image can have made.
func Lint(work Work, resume func()) int {
	defer paceCollector(lintMemory, resume)()
	return work("")
}

// ending is how a child ended.
type ending struct {
	// told is set when the child came to its end and said so with its code.
	// An exit code alone does not tell: the runtime ends a crash with code 2.
	told  bool
	code  int
	cause string
}

// without returns an environment without a variable.
func without(environment []string, name string) []string {
	var out []string
	for _, v := range environment {
		if !strings.HasPrefix(v, name+"=") {
			out = append(out, v)
		}
	}
	return out
}
