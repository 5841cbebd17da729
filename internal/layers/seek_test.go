package layers_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/layers"
	"github.com/portcullis-ci/portcullis/internal/wordsearch"
)

// seeker has words looked for in the files whose path it wants, and records at
// which places it is told of each.
type seeker struct {
	name  string
	words []wordsearch.Word
	wants func(path string) bool
}

func (s seeker) Name() string             { return s.name }
func (s seeker) Words() []wordsearch.Word { return s.words }
func (s seeker) Begin(int) layers.Inspection {
	return &toldOf{seeker: s, Files: map[string]map[string][]int64{}}
}

type toldOf struct {
	seeker
	file string
	read int64

	Files map[string]map[string][]int64
}

func (t *toldOf) File(e *layers.Entry, _ []byte) bool {
	t.file, t.read = e.Path, 0
	return t.wants(e.Path)
}

func (t *toldOf) Found(word int, at int64) {
	text := t.words[word].Text
	if at+int64(len(text)) <= t.read {
		panic("told of " + text + " after the chunk in which it ends")
	}
	if t.Files[t.file] == nil {
		t.Files[t.file] = map[string][]int64{}
	}
	t.Files[t.file][text] = append(t.Files[t.file][text], at)
}

func (t *toldOf) Chunk(data []byte)       { t.read += int64(len(data)) }
func (t *toldOf) EndFile()                {}
func (t *toldOf) Result() ([]byte, error) { return json.Marshal(t.Files) }

// places are where a text begins in another.
func places(in, text string) (out []int64) {
	for at := range in {
		if strings.HasPrefix(in[at:], text) {
			out = append(out, int64(at))
		}
	}
	return out
}

func TestInspectorsAreToldOfTheirWordsInExecutables(t *testing.T) {
	const head = "\x7fELF\x02\x01\x01" + "\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	filler := strings.Repeat("0123456789\x00\xff", 400_000)
	// Words stand at the borders of what is read at once, wherever those are.
	dense := strings.Repeat("needle-", 1<<16)
	files := map[string]string{
		"/small": head + "needle" + filler[:500] + "straw", "/dense": head + dense, "/large": head + filler + "straw" + filler[:10] + "needle",
		"/none": head + filler, "/unwanted": head + "needle", "/text": "needle",
	}
	one := seeker{"one/1", wordsearch.Words([][]byte{[]byte("needle"), []byte("absent")}), func(p string) bool { return p != "/unwanted" }}
	two := seeker{"two/1", wordsearch.Words([][]byte{[]byte("straw"), []byte("needle")}), func(p string) bool { return p == "/small" }}
	var packed []imagetest.File
	for p, body := range files {
		packed = append(packed, imagetest.Text(p, body))
	}
	slices.SortFunc(packed, func(a, b imagetest.File) int { return strings.Compare(a.Path, b.Path) })
	for name, signatures := range map[string][]layers.Signature{"with signatures": {{Bytes: []byte("straw")}, {Bytes: []byte("need"), Within: 100}}, "without": nil} {
		t.Run(name, func(t *testing.T) {
			x, err := layers.Read(t.Context(), []layers.Blob{blob(t, imagetest.Zstd, packed...)}, layers.Selector{
				Signatures: signatures, Inspectors: []layers.Inspector{witness{"other/1", func(string) bool { return true }}, one, two},
			}, layers.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = x.Close() }()
			for _, s := range []seeker{one, two} {
				want := map[string]map[string][]int64{}
				for p, body := range files {
					for _, w := range s.words {
						if at := places(body, w.Text); len(at) > 0 && s.wants(p) && p != "/text" {
							if want[p] == nil {
								want[p] = map[string][]int64{}
							}
							want[p][w.Text] = at
						}
					}
				}
				var got map[string]map[string][]int64
				if err := json.Unmarshal(x.Inspected(s.name, 0), &got); err != nil {
					t.Fatal(err)
				}
				for _, words := range got {
					for _, at := range words {
						slices.Sort(at)
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%.2000s", s.name, diff)
				}
			}
			for e := range x.All() {
				var want uint32
				if body := files[e.Path]; signatures != nil && e.Path != "/text" {
					if strings.Contains(body, "straw") {
						want |= 1
					}
					if strings.Contains(body[:min(len(body), 100)], "need") {
						want |= 2
					}
				}
				if e.Signs != want {
					t.Errorf("%s: signs %b, want %b", e.Path, e.Signs, want)
				}
			}
		})
	}
}
