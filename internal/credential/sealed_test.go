package credential

import (
	"bytes"
	"encoding/base64"
	"testing"
)

func TestOnlyWhatTheClusterCanOpenCountsAsSealed(t *testing.T) {
	sealed := append([]byte{2, 0}, bytes.Repeat([]byte{7}, 512+32)...)
	for name, tc := range map[string]struct {
		value string
		want  bool
	}{
		"a sealed value":             {base64.StdEncoding.EncodeToString(sealed), true},
		"one that is cut":            {base64.StdEncoding.EncodeToString(sealed[:400]), false},
		"a key that begins like one": {base64.StdEncoding.EncodeToString(append([]byte{2, 9}, sealed...)), false},
		"no base 64":                 {"AgB" + string(bytes.Repeat([]byte{'-'}, 700)), false},
		"nothing":                    {"", false},
	} {
		if got := isSealed(tc.value); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
