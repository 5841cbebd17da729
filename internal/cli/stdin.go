package cli

import (
	"context"
	"io"

	"github.com/portcullis-ci/portcullis/internal/exit"
)

// stdinPath stands for standard input.
const stdinPath = "-"

// readsStdinOnce refuses paths that name standard input more than once: there is
// nothing left for the second reader, who would judge an empty file or wait for
// ever.
func readsStdinOnce(paths ...string) error {
	named := 0
	for _, path := range paths {
		if path == stdinPath {
			named++
		}
	}
	if named < 2 {
		return nil
	}
	return &exit.Error{Code: exit.Usage, Doing: "standard input is named twice", Hint: "it can be read once only: name a file in the other place"}
}

// cancelled reads from r until the context ends. A read of a pipe or a
// terminal that nobody writes to would otherwise outlast an interrupt.
type cancelled struct {
	ctx  context.Context
	r    io.Reader
	next chan chunk
	rest []byte
	err  error
}

// chunk is what one read of the underlying reader gave.
type chunk struct {
	data []byte
	err  error
}

func untilCancelled(ctx context.Context, r io.Reader) io.Reader {
	return &cancelled{ctx: ctx, r: r}
}

// Read implements io.Reader. When the context has ended it returns the
// context's error, and the read that is under way is left behind.
func (c *cancelled) Read(p []byte) (int, error) {
	for len(c.rest) == 0 {
		if c.err != nil {
			return 0, c.err
		}
		if c.next == nil {
			c.next = make(chan chunk, 1)
			go func(out chan<- chunk) {
				buf := make([]byte, 32<<10)
				n, err := c.r.Read(buf)
				out <- chunk{buf[:n], err}
			}(c.next)
		}
		select {
		case <-c.ctx.Done():
			return 0, c.ctx.Err()
		case got := <-c.next:
			c.rest, c.err, c.next = got.data, got.err, nil
		}
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}
