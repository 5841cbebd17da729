package cli

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestStandardInputIsReadWhole(t *testing.T) {
	long := strings.Repeat("line\n", 20_000)
	for name, r := range map[string]io.Reader{
		"at once": strings.NewReader(long), "byte by byte": iotest.OneByteReader(strings.NewReader(long)),
		"the last piece with the end": iotest.DataErrReader(strings.NewReader(long)),
	} {
		got, err := io.ReadAll(untilCancelled(t.Context(), r))
		if err != nil || string(got) != long {
			t.Errorf("%s: read %d bytes, %v, want all %d", name, len(got), err, len(long))
		}
	}
	if _, err := io.ReadAll(untilCancelled(t.Context(), iotest.ErrReader(io.ErrClosedPipe))); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("error = %v, want that of the reader", err)
	}
}

func TestAnInterruptEndsAReadThatNobodyAnswers(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	silent, w := io.Pipe()
	defer func() { _ = w.Close() }()
	r := untilCancelled(ctx, silent)
	cancel()
	if _, err := io.ReadAll(r); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want the interrupt", err)
	}
}
