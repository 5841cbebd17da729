package reporttest

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Golden compares got with testdata/name of the package under test; -update
// writes the file.
func Golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run the test with -update to write it)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", path, diff)
	}
}

// NoRawControls fails the test if a report holds a character that acts on a
// terminal or hides from a reader. Allowed are line ends and, with color, SGR
// sequences.
func NoRawControls(t *testing.T, report []byte, color bool) {
	t.Helper()
	text := string(report)
	if color {
		for _, code := range []string{"0", "1", "2", "1;31", "31", "33", "34", "36", "32", "1;32", "1;33", "4", "35", "1;35", "1;36", "1;37;41", "1;30;43", "1;37;42"} {
			text = strings.ReplaceAll(text, "\x1b["+code+"m", "")
		}
	}
	for i, r := range text {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028') {
			t.Errorf("raw %U at byte %d: %q", r, i, text[max(0, i-40):min(len(text), i+20)])
			return
		}
	}
}
