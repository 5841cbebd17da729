// Package exit defines the exit codes of the portcullis command and the error
// that carries one from where it arises to the only place that exits. Codes
// and their meaning are a contract with scripts: they never change.
package exit

import (
	"errors"
	"fmt"
)

// Code is a process exit code.
type Code int

// The exit codes. They stay away from 125 to 137, which shells, containers and
// signals use for themselves.
const (
	// Passed: the policy holds and everything was examined.
	Passed Code = 0
	// PolicyBroken: at least one policy clause is broken.
	PolicyBroken Code = 1
	// Usage: the command line or the configuration is wrong.
	Usage Code = 2
	// Warned: passed, but with warnings, where the user asked to be told so.
	Warned Code = 3
	// NotExamined: a target could not be examined, or coverage is below what
	// the policy demands.
	NotExamined Code = 4
	// DataMissing: vulnerability data is missing or too old.
	DataMissing Code = 5
)

// precedence orders codes for Worst. A target that was not examined makes the
// rest meaningless. A broken policy outranks missing data, because teams may
// tolerate stale data (allow_failure: exit_codes: [5]) and that must not
// carry a failed gate with it.
var precedence = map[Code]int{Passed: 0, Warned: 1, DataMissing: 2, PolicyBroken: 3, NotExamined: 4, Usage: 5}

// Worst returns the code that the process must end with when all of the given
// ones apply: usage, then not examined, policy broken, data missing, warned.
func Worst(codes ...Code) Code {
	worst := Passed
	for _, c := range codes {
		if precedence[c] > precedence[worst] {
			worst = c
		}
	}
	return worst
}

// Error is an error for a person: what failed on which input, what they can
// do, and the exit code that it leads to.
type Error struct {
	Code Code
	// Doing says what was being done to what, such as
	// "open image registry.example/app:1".
	Doing string
	// Hint says what the user can do, in one sentence; may be empty.
	Hint string
	// Err is the cause.
	Err error
}

// Error returns what failed with its cause, without the hint.
func (e *Error) Error() string {
	switch {
	case e.Err == nil:
		return e.Doing
	case e.Doing == "":
		return e.Err.Error()
	default:
		return fmt.Sprintf("%s: %v", e.Doing, e.Err)
	}
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code carried by the first Error in err's tree; an error
// without one could not be foreseen and counts as NotExamined, and nil as
// Passed.
func CodeOf(err error) Code {
	if err == nil {
		return Passed
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return NotExamined
}

// HintOf returns the hint of the first Error in err's tree, or "".
func HintOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Hint
	}
	return ""
}
