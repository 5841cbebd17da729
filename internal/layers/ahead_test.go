package layers

import (
	"bytes"
	"io"
	"testing"
)

func TestReadingAheadMakesNoMoreChunksThanItMay(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 5*aheadSize/16)
	var hashed bytes.Buffer
	a := newAhead(bytes.NewReader(data), 2, func(p []byte) { hashed.Write(p) })
	got, err := io.ReadAll(a)
	a.wait()
	if err != nil || !bytes.Equal(got, data) || !bytes.Equal(hashed.Bytes(), data) {
		t.Errorf("%d bytes were read and %d hashed of %d, %v", len(got), hashed.Len(), len(data), err)
	}
	if a.left < 0 || a.left > 1 {
		t.Errorf("%d of 2 chunks were not made", a.left)
	}
	small := newAhead(bytes.NewReader(data[:10]), 30, nil)
	_, err = io.ReadAll(small)
	small.wait()
	if err != nil || small.left < 28 {
		t.Errorf("a small layer leaves %d of 30 chunks unmade, %v", small.left, err)
	}
}

func TestFewLayersMayReadFurtherAheadThanMany(t *testing.T) {
	for layers, want := range map[int]int{1: 64, 2: 32, 16: 4, 64: 4} {
		if got := chunksAhead(layers); got != want {
			t.Errorf("each of %d layers reads %d chunks ahead, want %d", layers, got, want)
		}
	}
}
