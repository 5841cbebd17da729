package credential

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
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
		p.each(append(bytes.Clone(text), make([]byte, padding)...), from, to, func(k, at int) { got = append(got, fmt.Sprint(k, at)) })
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(want, got) {
			t.Fatalf("in %q[%d:%d]: got %v, want %v", text, from, to, got, want)
		}
	}
}
