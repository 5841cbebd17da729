package exit

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"
)

func TestWorst(t *testing.T) {
	tests := []struct {
		name  string
		codes []Code
		want  Code
	}{
		{"nothing happened", nil, Passed},
		{"a warning beats a pass", []Code{Passed, Warned}, Warned},
		{"a broken policy beats a warning", []Code{PolicyBroken, Warned}, PolicyBroken},
		{"a broken policy is not hidden by old data, which teams may tolerate", []Code{DataMissing, PolicyBroken}, PolicyBroken},
		{"a target that was not examined beats a broken policy", []Code{PolicyBroken, NotExamined}, NotExamined},
		{"wrong usage beats everything", []Code{NotExamined, Usage, PolicyBroken}, Usage},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Worst(tt.codes...); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestErrorCarriesCodeHintAndCause(t *testing.T) {
	cause := fs.ErrNotExist
	err := fmt.Errorf("gate: %w", &Error{Code: DataMissing, Doing: "open the database x", Hint: "build one", Err: cause})
	if CodeOf(err) != DataMissing || HintOf(err) != "build one" || !errors.Is(err, cause) {
		t.Errorf("got code %d, hint %q, cause kept: %v", CodeOf(err), HintOf(err), errors.Is(err, cause))
	}
	if got, want := err.Error(), "gate: open the database x: file does not exist"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAnErrorWithoutACodeNeverPasses(t *testing.T) {
	if got := CodeOf(errors.New("surprise")); got != NotExamined {
		t.Errorf("got %d, want %d", got, NotExamined)
	}
	if got := CodeOf(nil); got != Passed {
		t.Errorf("no error: got %d", got)
	}
}
