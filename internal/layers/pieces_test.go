package layers

import "testing"

func TestMemoryForPiecesIsUsedAgainUpToABound(t *testing.T) {
	var p pieces
	first := p.take()
	if len(first) != pieceSize {
		t.Fatalf("a piece has %d bytes, want %d", len(first), pieceSize)
	}
	// The last piece of a file is shorter than the others.
	p.giveBack(nil, first[:10])
	again := p.take()
	if &again[0] != &first[0] || len(again) != pieceSize {
		t.Error("a piece that was given back is not used again whole")
	}
	if other := p.take(); &other[0] == &first[0] {
		t.Error("a piece that is in use was given to another")
	}
	// None of an executable was held.
	if p.giveBack(make([][]byte, maxSpare)...); len(p.spare) != 0 {
		t.Errorf("%d pieces wait that are nil", len(p.spare))
	}
	many := make([][]byte, maxSpare+1)
	for i := range many {
		many[i] = again
	}
	if p.giveBack(many...); len(p.spare) != maxSpare {
		t.Errorf("%d pieces wait, want at most %d", len(p.spare), maxSpare)
	}
	if p.drop(); len(p.spare) != 0 {
		t.Error("pieces wait after they were dropped")
	}
}
