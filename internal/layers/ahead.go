package layers

import (
	"io"
	"sync"
	"sync/atomic"

	"github.com/portcullis-ci/portcullis/internal/recovered"
)

// ahead reads from a source in a goroutine of its own, so that inflating goes
// on while what was inflated is searched, and has it hashed in another one. It
// matters where one layer holds most of an image.
type ahead struct {
	full chan *chunk
	free chan *chunk
	stop chan struct{}
	// left is how many chunks may still be made. They are made when they are
	// needed: most layers are small.
	left int
	done sync.WaitGroup
	once sync.Once

	// current is what is still to be read of whole.
	current []byte
	whole   *chunk
	err     error
}

// chunk is what one read gave. The error follows the data.
type chunk struct {
	buf  []byte
	data []byte
	err  error
	// users are those who still look at the data.
	users atomic.Int32
}

const (
	aheadSize = 256 * kib
	// fewestChunks are enough for inflating, hashing and searching at once.
	fewestChunks = 4
	// aheadMemory is what all layers that are read at once may read ahead, unless
	// they are so many that the fewest chunks of each are more. Searching halts at
	// large files and archives, and inflating must not halt with it.
	aheadMemory = 16 * mib
)

// chunksAhead is how many chunks each of the layers that are read at once may
// read ahead.
func chunksAhead(layers int) int { return max(fewestChunks, aheadMemory/aheadSize/layers) }

// newAhead reads that many chunks of src ahead. It has take called with each once,
// in their order, in a goroutine that has ended when wait returns; nil for nobody.
func newAhead(src io.Reader, chunks int, take func([]byte)) *ahead {
	a := &ahead{full: make(chan *chunk, chunks), free: make(chan *chunk, chunks), stop: make(chan struct{}), left: chunks}
	var also chan *chunk
	if take != nil {
		also = make(chan *chunk, chunks)
		a.done.Go(func() {
			for c := range also {
				take(c.data)
				a.release(c)
			}
		})
	}
	a.done.Go(func() { a.run(src, also) })
	return a
}

// release gives a chunk back when nobody looks at it any more.
func (a *ahead) release(c *chunk) {
	if c.users.Add(-1) == 0 {
		a.free <- c
	}
}

// run reads until the source ends. There is room in the channels for all chunks.
func (a *ahead) run(src io.Reader, also chan<- *chunk) {
	defer close(a.full)
	if also != nil {
		defer close(also)
	}
	for {
		c := a.next()
		if c == nil {
			return
		}
		n, err := fillGuarded(src, c.buf)
		c.data, c.err = c.buf[:n], err
		if c.users.Store(1); also != nil {
			c.users.Store(2)
			also <- c
		}
		a.full <- c
		if err != nil {
			return
		}
	}
}

// next returns a chunk that nobody looks at, or nil when reading is to end.
func (a *ahead) next() *chunk {
	select {
	case <-a.stop:
		return nil
	case c := <-a.free:
		return c
	default:
	}
	if a.left > 0 {
		a.left--
		return &chunk{buf: make([]byte, aheadSize)}
	}
	select {
	case <-a.stop:
		return nil
	case c := <-a.free:
		return c
	}
}

func fillGuarded(src io.Reader, buf []byte) (n int, err error) {
	defer recovered.As(&err, "read a layer ahead")
	return fillBuffer(src, buf)
}

// fillBuffer reads until the buffer is full or the source says why not. Unlike
// io.ReadFull it leaves the error as it is, since a cut source and an ended
// one must stay apart.
func fillBuffer(src io.Reader, buf []byte) (n int, err error) {
	for empty := 0; n < len(buf) && err == nil; {
		var m int
		m, err = src.Read(buf[n:])
		n += m
		if m > 0 {
			empty = 0
		} else if empty++; empty > 100 && err == nil {
			err = io.ErrNoProgress
		}
	}
	return n, err
}

// Read copies what was read ahead.
func (a *ahead) Read(p []byte) (int, error) {
	for len(a.current) == 0 {
		if a.err != nil {
			return 0, a.err
		}
		if a.whole != nil {
			a.release(a.whole)
			a.whole = nil
		}
		c, ok := <-a.full
		if !ok {
			a.err = io.ErrClosedPipe
			continue
		}
		a.current, a.whole, a.err = c.data, c, c.err
	}
	n := copy(p, a.current)
	a.current = a.current[n:]
	return n, nil
}

// halt ends reading ahead. A read of the source that is under way must be
// ended by closing the source.
func (a *ahead) halt() { a.once.Do(func() { close(a.stop) }) }

// wait returns when the goroutines have ended.
func (a *ahead) wait() { a.done.Wait() }
