package layers

import (
	"bytes"

	"github.com/portcullis-ci/portcullis/internal/wordsearch"
)

// Seeker is what an Inspector may be as well: it has words that are looked for in
// executables. One search does that for all inspectors and for the signatures,
// since executables are most of what is in images. Its inspections are Told.
type Seeker interface {
	// Words are the words, of which inspections are told by index.
	Words() []wordsearch.Word
}

// Told is what the Inspection of a Seeker is.
type Told interface {
	// Found is called for each place at which a word begins in the content of a
	// wanted file that has a MIME type, before the Chunk in which the word ends.
	// What [wordsearch.Word] says of the bytes next to a word goes for this.
	Found(word int, at int64)
}

// sought are the words of all seekers and the signatures in a form that is fast
// to look for.
type sought struct {
	signatures []Signature
	// within is the largest Within of them.
	within int64
	// finder looks for the words and for the signatures that count anywhere;
	// owners are whose they are, by its indexes.
	finder *wordsearch.Finder
	owners []owner
}

// owner says whose word it is: that of an inspector, or a signature.
type owner struct {
	inspector, word int
}

// signature stands for the index of an inspector.
const signature = -1

func newSought(sel Selector) *sought {
	s := &sought{signatures: sel.Signatures}
	var words []wordsearch.Word
	for n, sign := range sel.Signatures {
		if sign.Within > 0 {
			s.within = max(s.within, sign.Within)
			continue
		}
		words, s.owners = append(words, wordsearch.Word{Text: string(sign.Bytes)}), append(s.owners, owner{signature, n})
	}
	for i, inspector := range sel.Inspectors {
		seeker, ok := inspector.(Seeker)
		if !ok {
			continue
		}
		for n, word := range seeker.Words() {
			words, s.owners = append(words, word), append(s.owners, owner{i, n})
		}
	}
	if len(words) > 0 {
		s.finder = wordsearch.New(words)
	}
	return s
}

// seeking looks for what is sought in one executable while it streams past.
type seeking struct {
	*sought
	stream wordsearch.Stream
	hit    func(word int, at int64)
	// told are the inspections that want the file and are to be told, by their
	// inspectors.
	told []Told
	// head is what the signatures with a limit are looked for in.
	head []byte
	set  uint32
}

// begin begins a file and reports whether anything is sought in it.
func (s *seeking) begin(of *sought, all, wanting []inspection) bool {
	if s.hit == nil {
		s.hit, s.told = s.take, make([]Told, len(all))
	}
	s.sought, s.head, s.set = of, s.head[:0], 0
	clear(s.told)
	some := len(of.signatures) > 0
	for _, i := range wanting {
		if told, ok := i.Inspection.(Told); ok {
			s.told[i.index], some = told, true
		}
	}
	if of.finder != nil {
		s.stream.Reset(of.finder, s.hit)
	}
	return some
}

func (s *seeking) take(word int, at int64) {
	switch of := s.owners[word]; {
	case of.inspector == signature:
		s.set |= 1 << of.word
	case s.told[of.inspector] != nil:
		s.told[of.inspector].Found(of.word, at)
	}
}

func (s *seeking) write(data []byte) {
	if s.finder != nil {
		s.stream.Write(data)
	}
	if missing := s.within - int64(len(s.head)); missing > 0 {
		s.head = append(s.head, data[:min(int64(len(data)), missing)]...)
	}
}

// signs returns the signatures that occurred, see Entry.Signs.
func (s *seeking) signs() uint32 {
	for n, sign := range s.signatures {
		if sign.Within > 0 && bytes.Contains(s.head[:min(int64(len(s.head)), sign.Within)], sign.Bytes) {
			s.set |= 1 << n
		}
	}
	return s.set
}
