package credential

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/credential/credentialtest"
)

// The prefilter must see what looking for every keyword at every place sees,
// wherever the borders of what it is given lie.
func TestPrefilterSeesEveryKeywordAtEveryPlace(t *testing.T) {
	keywords := []keyword{{text: "ghp_"}, {text: "SG."}, {text: "://"}, {text: "secret", fold: true}, {text: "pass", fold: true}, {text: "hf_"}, {text: "AKIA"}, {text: "-----BEGIN "}}
	p := newPrefilter(keywords)
	r := rand.New(rand.NewChaCha8([32]byte{3}))
	for range 3000 {
		n := r.IntN(60)
		text := make([]byte, n)
		for i := range text {
			text[i] = "ghp_SG.:/secretSECRETpasAKI-BEGN hf\x00\xff\n"[r.IntN(38)]
		}
		for range r.IntN(4) {
			if k := keywords[r.IntN(len(keywords))].text; len(k) < n {
				copy(text[r.IntN(n-len(k)+1):], k)
			}
		}
		from := r.IntN(n + 1)
		to := from + r.IntN(n-from+1)
		var want, got []string
		for k, keyword := range keywords {
			for at := from; at < to; at++ {
				piece := text[at:min(n, at+len(keyword.text))]
				if string(piece) == keyword.text || keyword.fold && strings.EqualFold(string(piece), keyword.text) {
					want = append(want, fmt.Sprint(k, at))
				}
			}
		}
		p.each(text, from, to, func(k, at int) { got = append(got, fmt.Sprint(k, at)) })
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(want, got) {
			t.Fatalf("in %q[%d:%d]: got %v, want %v", text, from, to, got, want)
		}
	}
}

// everywhere runs every action at every place at which its keyword stands, as
// if there were no prefilter.
func everywhere(s *search, e *engine) []Match {
	for at := range s.data {
		for _, a := range e.actions {
			piece := string(s.data[at:min(len(s.data), at+len(a.keyword))])
			if (a.binary || s.place.text != binaryText) && (piece == a.keyword || a.fold && strings.EqualFold(piece, a.keyword)) {
				a.run(s, at)
			}
		}
	}
	return distinct(s.found)
}

// The prefilter counts on what stands next to short keywords; nothing that
// actions find may be lost by that.
func FuzzPrefilterLosesNothing(f *testing.F) {
	for _, c := range slices.Concat(credentialtest.Secrets(f), credentialtest.NearMisses(f)) {
		f.Add(c.Content, len(c.Content)%2 == 0)
	}
	f.Add("x\x00SG.aaaaaaaaaaaaaaaaaaaaaa.bbbb %3DAKIAQ \\nhf_x\\thf_ credential: pwd=Tr0ub4dor-and-3", false)
	e := theEngine()
	f.Fuzz(func(t *testing.T, text string, binary bool) {
		if len(text) > 1<<13 {
			return
		}
		p := place{text: envText}
		if binary {
			p.text = binaryText
		}
		with, without := search{data: []byte(text), place: p}, search{data: []byte(text), place: p}
		with.run(e, 0, len(text))
		got, want := distinct(with.found), everywhere(&without, e)
		if len(without.found) < maxMatches && !reflect.DeepEqual(got, want) {
			t.Errorf("in %q (binary: %v):\ngot  %+v\nwant %+v", text, binary, got, want)
		}
	})
}
