package dockerfile

import "strconv"

// ProblemKind is the sort of a Problem.
type ProblemKind string

// The kinds of problems.
const (
	// BadInstruction: the builder refuses the instruction.
	BadInstruction ProblemKind = "bad-instruction"
	// UnknownInstruction: no instruction has this name.
	UnknownInstruction ProblemKind = "unknown-instruction"
	// UnknownFlag: a builder flag that this version does not know. Newer
	// builders may, so it is a warning.
	UnknownFlag ProblemKind = "unknown-flag"
	// BadTrigger: ONBUILD with ONBUILD, FROM or MAINTAINER.
	BadTrigger ProblemKind = "bad-trigger"
	// BeforeFrom: an instruction other than ARG before the first FROM.
	BeforeFrom ProblemKind = "before-from"
	// BadDirective: a faulty parser directive.
	BadDirective ProblemKind = "bad-directive"
	// EndlessHeredoc: a here-document without its end mark.
	EndlessHeredoc ProblemKind = "endless-heredoc"
	// NoInstructions: the file holds no instruction at all.
	NoInstructions ProblemKind = "no-instructions"
	// NoStage: instructions, but no FROM among them.
	NoStage ProblemKind = "no-stage"
	// BadEncoding: the file is not UTF-8 text.
	BadEncoding ProblemKind = "bad-encoding"
	// Limit: the file is beyond a limit, or more than the parser can take, and
	// was not read in full.
	Limit ProblemKind = "limit"
)

// Problem is a fault of the file's text.
type Problem struct {
	Kind ProblemKind
	Span Span
	// Message says what is wrong, in words for a person.
	Message string
}

// Blind reports that because of the problem the file could not be examined as
// a whole: rules that found nothing prove nothing.
func (p Problem) Blind() bool {
	switch p.Kind {
	case NoInstructions, NoStage, BadEncoding, Limit, EndlessHeredoc:
		return true
	}
	return false
}

func itoa(n int) string { return strconv.Itoa(n) }

// atoi reads a stage index; it reports false for anything but plain digits.
func atoi(s string) (int, bool) {
	if s == "" || len(s) > 9 {
		return 0, false
	}
	n := 0
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}
