package update

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/portcullis-ci/portcullis/internal/advisory/osv"
)

// Whatever a server sends as its list, the ids in it name files of one
// directory, and errors say what they are.
func FuzzParseList(f *testing.F) {
	f.Add([]byte("2026-08-01T00:00:00Z,GHSA-1\n2026-08-01T00:00:00.123Z,CVE-2026-1\n"))
	f.Add([]byte("2026-08-01T00:00:00Z,../../etc/passwd\n"))
	f.Add([]byte("2026-08-02T00:00:00Z,GHSA-1\n2026-08-01T00:00:00Z,GHSA-1\n"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := parseList(data)
		if err != nil {
			if !errors.Is(err, osv.ErrInvalid) {
				t.Errorf("error of another kind: %v", err)
			}
			return
		}
		if len(l) == 0 {
			t.Error("an empty list is no error")
		}
		for _, m := range l {
			if dir := filepath.Dir(filepath.Join("single", m.id+".json")); dir != "single" {
				t.Errorf("%q leaves the directory", m.id)
			}
		}
		if left := l.without(l); len(left) > 0 {
			t.Errorf("a list lacks %q of itself", left)
		}
	})
}

func TestOfAnIDThatIsListedTwiceTheLatestTimeCounts(t *testing.T) {
	const earlier, later = "2026-08-01T00:00:00Z", "2026-08-02T00:00:00Z"
	for _, data := range []string{
		earlier + ",GHSA-1\n" + later + ",GHSA-1\n",
		later + ",GHSA-1\n" + earlier + ",GHSA-1\n",
	} {
		l, err := parseList([]byte(data))
		if err != nil {
			t.Fatal(err)
		}
		if got := l[0].when.Format(time.RFC3339); len(l) != 1 || got != later {
			t.Errorf("%q: %d ids, the first of %s", data, len(l), got)
		}
	}
}
