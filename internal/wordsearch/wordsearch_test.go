package wordsearch_test

import (
	"bytes"
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/wordsearch"
)

var words = [][]byte{[]byte("needle"), []byte("need"), []byte("\x00\xff\x00\xff\x01"), []byte("aaaa"), []byte("a much longer word, with a comma")}

// found lists the words that a finder hits, each once.
func found(f *wordsearch.Finder, data []byte) []int {
	seen := make([]bool, len(words))
	f.Find(data, func(n, _ int) { seen[n] = true })
	return listed(seen)
}

func listed(seen []bool) []int {
	out := []int{}
	for n, s := range seen {
		if s {
			out = append(out, n)
		}
	}
	return out
}

// contained is what a search one by one finds.
func contained(data []byte) []int {
	seen := make([]bool, len(words))
	for n, w := range words {
		seen[n] = bytes.Contains(data, w)
	}
	return listed(seen)
}

// haystack is noise of few different bytes, with words at many places.
func haystack(random *rand.Rand, size int) []byte {
	letters := []byte("need l\x00\xffa\x01")
	data := make([]byte, size)
	for i := range data {
		data[i] = letters[random.IntN(len(letters))]
	}
	if random.IntN(2) == 0 && size > 50 {
		copy(data[random.IntN(size):], words[random.IntN(len(words))])
	}
	return data
}

func TestEveryWordIsFoundWhereverItStands(t *testing.T) {
	f := wordsearch.New(wordsearch.Words(words))
	random := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{0, 1, 3, 4, 5, 40, 4095, 4096, 4099, 70_000} {
		for range 40 {
			data := haystack(random, size)
			if got, want := found(f, data), contained(data); !slices.Equal(got, want) {
				t.Fatalf("%d bytes: found %v, there are %v", size, got, want)
			}
		}
	}
	// At the edges of the parts that are searched side by side.
	for at := 0; at+6 <= 5000; at += 7 {
		data := bytes.Repeat([]byte{'.'}, 5000)
		copy(data[at:], "needle")
		if got := found(f, data); !slices.Equal(got, []int{0, 1}) {
			t.Fatalf("at %d: %v", at, got)
		}
	}
}

func TestAWordAcrossPiecesIsFound(t *testing.T) {
	f := wordsearch.New(wordsearch.Words(words))
	random := rand.New(rand.NewPCG(3, 4))
	var s wordsearch.Stream
	for range 300 {
		data := haystack(random, 200)
		var got, want [][2]int
		s.Reset(f, func(n int, at int64) { got = append(got, [2]int{n, int(at)}) })
		for rest := data; len(rest) > 0; {
			n := min(len(rest), 1+random.IntN(20))
			s.Write(rest[:n])
			rest = rest[n:]
		}
		for n, w := range words {
			for at := range data {
				if bytes.HasPrefix(data[at:], w) {
					want = append(want, [2]int{n, at})
				}
			}
		}
		slices.SortFunc(got, func(a, b [2]int) int { return cmp.Or(a[0]-b[0], a[1]-b[1]) })
		if !slices.Equal(got, want) {
			t.Fatalf("found %v, there are %v", got, want)
		}
	}
}

func TestSearchingAllocatesNothing(t *testing.T) {
	f := wordsearch.New(wordsearch.Words(words))
	data := make([]byte, 64<<10)
	var s wordsearch.Stream
	hit := func(int, int64) {}
	s.Reset(f, hit)
	s.Write(data)
	if n := testing.AllocsPerRun(10, func() { s.Reset(f, hit); s.Write(data); s.Write(data) }); n > 0 {
		t.Errorf("%g allocations", n)
	}
}

func BenchmarkFind(b *testing.B) {
	f := wordsearch.New([]wordsearch.Word{{Text: "stratum+tcp"}, {Text: "mining"}, {Text: "xmrig"}})
	random := rand.New(rand.NewPCG(5, 6))
	data := make([]byte, 1<<20)
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		f.Find(data, func(int, int) {})
	}
}

// What may stand next to a word narrows the search, but no word between such
// bytes may be lost, nor one at a border of the content.
func TestAWordBetweenWhatMayStandNextToItIsFound(t *testing.T) {
	blanks := []byte(" \n(")
	f := wordsearch.New([]wordsearch.Word{
		{Text: "nc", Before: blanks, After: blanks}, {Text: "token", Fold: true}, {Text: "ab"}, {Text: "-x", After: blanks},
	})
	for text, want := range map[string][][2]int{
		"nc": {{0, 0}}, " nc ": {{0, 1}}, "(nc\n": {{0, 1}}, "nc nc": {{0, 0}, {0, 3}}, "  nc": {{0, 2}}, "a nc": {{0, 2}},
		"TOKEN": {{1, 0}}, "xToKen": {{1, 1}}, "token\x00tokeN": {{1, 0}, {1, 6}}, "T0KEN": nil, "toke": nil, "TOK\xc5N": nil,
		"ab": {{2, 0}}, "aab": {{2, 1}}, "AB": nil, "abab": {{2, 0}, {2, 2}}, "-x": {{3, 0}}, "--x(": {{3, 1}}, "": nil, "n": nil,
	} {
		var got [][2]int
		f.Find([]byte(text), func(word, at int) { got = append(got, [2]int{word, at}) })
		slices.SortFunc(got, func(a, b [2]int) int { return a[1] - b[1] })
		if !slices.Equal(got, want) {
			t.Errorf("in %q: found %v, want %v", text, got, want)
		}
	}
}

func TestOnlyWordsThatBeginInThePartAreFound(t *testing.T) {
	f := wordsearch.New(wordsearch.Words([][]byte{[]byte("word")}))
	data := []byte("word word word")
	for from := range len(data) {
		for to := from; to <= len(data); to++ {
			var got, want []int
			for at := 0; at < len(data); at += 5 {
				if from <= at && at < to {
					want = append(want, at)
				}
			}
			f.FindFrom(data, from, to, func(_, at int) { got = append(got, at) })
			if !slices.Equal(got, want) {
				t.Errorf("from %d to %d: found at %v, want %v", from, to, got, want)
			}
		}
	}
}
