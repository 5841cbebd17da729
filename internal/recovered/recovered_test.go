package recovered

import (
	"errors"
	"regexp"
	"strings"
	"testing"
)

func TestAPanicBecomesAnErrorAndOtherResultsStay(t *testing.T) {
	read := func(broken bool) (n int, err error) {
		defer As(&err, "read a.lock")
		n = 3
		if broken {
			panic("index out\nof range")
		}
		return 4, nil
	}
	n, err := read(true)
	var p *Panic
	if !errors.As(err, &p) || n != 3 || !regexp.MustCompile(`^read a\.lock: the parser gave up: index out of range \(recovered_test\.go:\d+\)$`).MatchString(err.Error()) {
		t.Fatalf("got %d, %v", n, err)
	}
	if !strings.Contains(string(p.Stack), "TestAPanicBecomesAnError") {
		t.Errorf("the stack does not lead to the panic:\n%s", p.Stack)
	}
	if n, err := read(false); n != 4 || err != nil {
		t.Errorf("got %d, %v where nothing panics", n, err)
	}
}

// The runtime panics by itself where the code does not.
func TestThePlaceIsWhereTheCodeStands(t *testing.T) {
	for name, broken := range map[string]func(){
		"an index": func() { _ = []int{}[len(t.Name())] },
		"a pointer": func() {
			var p *Panic
			_ = p.Doing
		},
		"a map": func() {
			var m struct{ none map[string]int }
			m.none[t.Name()] = 1
		},
	} {
		err := func() (err error) {
			defer As(&err, name)
			broken()
			return nil
		}()
		if err == nil || !strings.Contains(err.Error(), "(recovered_test.go:") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
