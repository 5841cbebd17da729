package sarif

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The vectors are those of the upload action's own tests,
// https://github.com/github/codeql-action/blob/main/src/fingerprints.test.ts
func TestLineHashesAreThoseOfTheUploadAction(t *testing.T) {
	tests := map[string]struct {
		text string
		want []string
	}{
		"an empty file":                {"", []string{"c129715d7a2bc9a3:1"}},
		"blanks are left out":          {" a\nb\n  \t\tc\n d", []string{"271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"}},
		"equal lines are told apart":   {" hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End", []string{"8b7cf3e952e7aeb2:1", "b1ae1287ec4718d9:1", "bff680108adb0fcc:1", "c6805c5e1288b612:1", "b86d3392aea1be30:1", "e6ceba753e1a442:1"}},
		"a line end at the end counts": {" hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End\n", []string{"e9496ae3ebfced30:1", "fb7c023a8b9ccb3f:1", "ce8ba1a563dcdaca:1", "e20e36e16fcb0cc8:1", "b3edc88f2938467e:1", "c8e28b0b4002a3a0:1", "c129715d7a2bc9a3:1"}},
		"carriage returns":             {" hello; \t\nworld!!!\r\r\r  \t\tGreetings\r End\r", []string{"e9496ae3ebfced30:1", "fb7c023a8b9ccb3f:1", "ce8ba1a563dcdaca:1", "e20e36e16fcb0cc8:1", "b3edc88f2938467e:1", "c8e28b0b4002a3a0:1", "c129715d7a2bc9a3:1"}},
		"mixed line ends":              {" hello; \t\r\nworld!!!\r\n\r\n\r\n  \t\tGreetings\r\n End\r\n", []string{"e9496ae3ebfced30:1", "fb7c023a8b9ccb3f:1", "ce8ba1a563dcdaca:1", "e20e36e16fcb0cc8:1", "b3edc88f2938467e:1", "c8e28b0b4002a3a0:1", "c129715d7a2bc9a3:1"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(append([]string{""}, tt.want...), lineHashes(tt.text)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEqualLinesGetNumbers(t *testing.T) {
	hashes := lineHashes(strings.Repeat("\n", 300))
	if hashes[1] == hashes[2] || !strings.HasSuffix(hashes[2], ":2") || strings.TrimSuffix(hashes[1], ":1") != strings.TrimSuffix(hashes[2], ":2") {
		t.Errorf("hashes %v", hashes[1:3])
	}
}

func FuzzLineHashesGiveOneValueForEachLine(f *testing.F) {
	for _, seed := range []string{"", "a\nb", "\r\n\r\n", " \t", "ä𝔸\xff\n", strings.Repeat("x", 250) + "\ny"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		hashes := lineHashes(text)
		seen := make(map[string]bool)
		for i, h := range hashes[1:] {
			if h == "" || seen[h] {
				t.Fatalf("line %d of %q has hash %q", i+1, text, h)
			}
			seen[h] = true
		}
		// Blanks and the kind of line ends do not matter.
		if !strings.Contains(text, "\r") {
			crlf := lineHashes(strings.ReplaceAll(strings.ReplaceAll(text, " ", "\t "), "\n", "\r\n"))
			if diff := cmp.Diff(hashes, crlf); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}
