package credential

import (
	"fmt"
	"strings"
	"testing"
)

// ordinary is a text that names what credentials are given to, and holds none.
func ordinary() []byte {
	var b strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&b, "func setPassword%d(user string) error { return store.Save(user, tokenOf(user, %d)) }\n", i, i)
	}
	return []byte(b.String())
}

func scan(s *Scanner, path string, data []byte) []Match {
	s.Begin(path, data[:3072])
	s.Write(data)
	found, _ := s.End()
	return found
}

func TestScanningTextsWithoutCredentialsAllocatesOnlyForTheirPlace(t *testing.T) {
	text, s := ordinary(), NewScanner()
	if found := scan(s, "/app/user.go", text); len(found) > 0 {
		t.Fatalf("found %v", found)
	}
	if n := testing.AllocsPerRun(10, func() { scan(s, "/app/user.go", text) }); n > 2 {
		t.Errorf("%g allocations for one text", n)
	}
}

func BenchmarkScan(b *testing.B) {
	text, s := ordinary(), NewScanner()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		scan(s, "/app/user.go", text)
	}
}
