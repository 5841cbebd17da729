package archive

import (
	"strings"
	"testing"
)

func TestAllMagicsBeginWithOneOfTheFirstBytes(t *testing.T) {
	for _, m := range magics {
		if !strings.Contains(firstBytes, m.magic[:1]) {
			t.Errorf("%s is never found: %q", m.form, m.magic)
		}
	}
}
