package credential

import "testing"

// Answers that Microsoft's own implementation gives, both halves folded.
func TestMarvinGivesTheKnownAnswers(t *testing.T) {
	for _, c := range []struct {
		text string
		seed uint64
		want uint32
	}{
		{"abc", 0xd53cd9cecd0893b7, 0x22c74339 ^ 0x492769bf},
		{"abcdefghijklmnopqrstuvwxyz", 0xddddeeeeffff000, 0xa128eb7e ^ 0x7260aca2},
	} {
		if got := marvin32([]byte(c.text), c.seed); got != c.want {
			t.Errorf("%q: %#x, want %#x", c.text, got, c.want)
		}
	}
}

// The token of the tests of Grafana's own generator.
func TestGrafanaSumHasItsLowByteFirst(t *testing.T) {
	if v := checkGrafana("glsa_yscW25imSKJIuav8zF37RZmnbiDvB05G" + "_fcaaf58a"); v.reject {
		t.Error("the published token is rejected")
	}
	if v := checkGrafana("glsa_yscW25imSKJIuav8zF37RZmnbiDvB05G" + "_8af5aafc"); !v.reject {
		t.Error("with the bytes turned round it is taken")
	}
}

// The token of the tests of crates.io.
func TestCratesSumIsTheExclusiveOr(t *testing.T) {
	if v := checkCrates("cio_tp_" + "gGK6jurSwKyl9V3Az19z7YEFQI9aoOO" + "d"); v.reject {
		t.Error("the published token is rejected")
	}
	if v := checkCrates("cio_tp_" + "gGK6jurSwKyl9V3Az19z7YEFQI9aoOO" + "e"); !v.reject {
		t.Error("with another sum it is taken")
	}
}
