package credential

import (
	"sync"

	"github.com/portcullis-ci/portcullis/internal/wordsearch"
)

// prefilter finds the few places of a text at which one of many keywords
// stands.
type prefilter struct {
	// finder is made when there is something to search.
	finder   func() *wordsearch.Finder
	keywords []keyword
}

// keyword is a text that stands in every match of something to look for.
type keyword struct {
	text string
	// fold compares without regard to letter case; the text is in lower case.
	fold bool
	// before and after are what may stand next to the text where there is
	// something to find; nil for anything. They are not checked: they keep the
	// search for short texts fast.
	before, after *charset
	// action is the index of what looks at its places.
	action int
}

func newPrefilter(keywords []keyword) *prefilter {
	return &prefilter{keywords: keywords, finder: sync.OnceValue(func() *wordsearch.Finder { return wordsearch.New(wordsOf(keywords)) })}
}

func wordsOf(keywords []keyword) []wordsearch.Word {
	words := make([]wordsearch.Word, len(keywords))
	for n, k := range keywords {
		words[n] = wordsearch.Word{Text: k.text, Fold: k.fold, Before: k.before.list(), After: k.after.list()}
	}
	return words
}

// each calls hit for every keyword that begins in data[from:to], about in the
// order of places, with the index of the keyword and its offset. Keywords may
// reach beyond to.
func (p *prefilter) each(data []byte, from, to int, hit func(keyword, at int)) {
	p.finder().FindFrom(data, from, to, hit)
}
