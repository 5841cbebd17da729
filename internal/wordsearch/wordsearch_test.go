package wordsearch_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/wordsearch"
)

var words = [][]byte{[]byte("needle"), []byte("need"), []byte("\x00\xff\x00\xff\x01"), []byte("aaaa"), []byte("a much longer word, with a comma")}

// found lists the words that a finder hits, each once.
func found(f *wordsearch.Finder, data []byte) []int {
	seen := make([]bool, len(words))
	f.Find(data, func(n int) { seen[n] = true })
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
	f := wordsearch.New(words)
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
	f := wordsearch.New(words)
	random := rand.New(rand.NewPCG(3, 4))
	var s wordsearch.Stream
	for range 300 {
		data := haystack(random, 200)
		seen := make([]bool, len(words))
		s.Reset(f, func(n int) { seen[n] = true })
		for rest := data; len(rest) > 0; {
			n := min(len(rest), 1+random.IntN(20))
			s.Write(rest[:n])
			rest = rest[n:]
		}
		if got, want := listed(seen), contained(data); !slices.Equal(got, want) {
			t.Fatalf("found %v, there are %v", got, want)
		}
	}
}

func TestSearchingAllocatesNothing(t *testing.T) {
	f := wordsearch.New(words)
	data := make([]byte, 64<<10)
	var s wordsearch.Stream
	hit := func(int) {}
	s.Reset(f, hit)
	s.Write(data)
	if n := testing.AllocsPerRun(10, func() { s.Reset(f, hit); s.Write(data); s.Write(data) }); n > 0 {
		t.Errorf("%g allocations", n)
	}
}

func BenchmarkFind(b *testing.B) {
	f := wordsearch.New([][]byte{[]byte("stratum+tcp"), []byte("mining"), []byte("xmrig")})
	random := rand.New(rand.NewPCG(5, 6))
	data := make([]byte, 1<<20)
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		f.Find(data, func(int) {})
	}
}
