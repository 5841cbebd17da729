package syftcatalog

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestAPackageThatIsSelectedForRemovalIsInstalledStill(t *testing.T) {
	long := "Description: " + strings.Repeat("Status: deinstall ok installed ", 1<<14) + "\n"
	for name, tc := range map[string]struct{ list, want string }{
		"selected for removal, and there":       {"Package: a\nStatus: deinstall ok installed\nVersion: 1\n", "Package: a\nStatus: install ok installed\nVersion: 1\n"},
		"removed but for its configuration":     {"Status: deinstall ok config-files\n", ""},
		"not installed":                         {"Status: deinstall ok not-installed\n", ""},
		"installed":                             {"Status: install ok installed\n", ""},
		"the words in another field":            {"Description: x\n Status: deinstall ok installed\n", ""},
		"the words in a line that is very long": {long + "Status: deinstall ok installed\n", long + "Status: install ok installed\n"},
		"no end of the last line":               {"Status: deinstall ok installed", "Status: install ok installed\n"},
		"nothing":                               {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			want := tc.want
			if want == "" {
				want = tc.list
			}
			for _, source := range []io.Reader{strings.NewReader(tc.list), iotest.OneByteReader(strings.NewReader(tc.list)), iotest.DataErrReader(strings.NewReader(tc.list))} {
				got, err := io.ReadAll(newDpkgStatus(io.NopCloser(source)))
				if err != nil || string(got) != want {
					t.Errorf("%d bytes, %v; want %d: %.100q", len(got), err, len(want), got)
				}
			}
		})
	}
	if err := iotest.TestReader(newDpkgStatus(io.NopCloser(strings.NewReader("a\nStatus: deinstall ok installed\n"))), []byte("a\nStatus: install ok installed\n")); err != nil {
		t.Error(err)
	}
}
