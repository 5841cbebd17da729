package recovered

import (
	"errors"
	"strings"
	"testing"
)

func TestAPanicBecomesAnErrorAndOtherResultsStay(t *testing.T) {
	read := func(broken bool) (n int, err error) {
		defer As(&err, "read a.lock")
		n = 3
		if broken {
			panic("index out of range")
		}
		return 4, nil
	}
	n, err := read(true)
	var p *Panic
	if !errors.As(err, &p) || n != 3 || err.Error() != "read a.lock: the parser gave up: index out of range" {
		t.Fatalf("got %d, %v", n, err)
	}
	if !strings.Contains(string(p.Stack), "TestAPanicBecomesAnError") {
		t.Errorf("the stack does not lead to the panic:\n%s", p.Stack)
	}
	if n, err := read(false); n != 4 || err != nil {
		t.Errorf("got %d, %v where nothing panics", n, err)
	}
}
