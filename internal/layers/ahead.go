package layers

import (
	"io"
	"sync"

	"github.com/portcullis-ci/portcullis/internal/recovered"
)

// ahead reads from a source in a goroutine of its own, so that inflating goes
// on while what was inflated is hashed and searched. It matters where one
// layer holds most of an image.
type ahead struct {
	full chan chunk
	free chan []byte
	stop chan struct{}
	done sync.WaitGroup
	once sync.Once

	// take is called in the reader's goroutine with each chunk once.
	take    func(p []byte)
	current []byte
	whole   []byte
	err     error
}

// chunk is what one read gave. The error follows the data.
type chunk struct {
	data []byte
	err  error
}

const (
	aheadSize   = 256 * kib
	aheadChunks = 4
)

func newAhead(src io.Reader, take func([]byte)) *ahead {
	a := &ahead{full: make(chan chunk, aheadChunks), free: make(chan []byte, aheadChunks), stop: make(chan struct{}), take: take}
	for range aheadChunks {
		a.free <- make([]byte, aheadSize)
	}
	a.done.Add(1)
	go a.run(src)
	return a
}

func (a *ahead) run(src io.Reader) {
	defer a.done.Done()
	defer close(a.full)
	for {
		var buf []byte
		select {
		case buf = <-a.free:
		case <-a.stop:
			return
		}
		n, err := fillGuarded(src, buf)
		select {
		case a.full <- chunk{data: buf[:n], err: err}:
		case <-a.stop:
			return
		}
		if err != nil {
			return
		}
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
			a.free <- a.whole[:aheadSize]
			a.whole = nil
		}
		c, ok := <-a.full
		if !ok {
			a.err = io.ErrClosedPipe
			continue
		}
		a.current, a.whole, a.err = c.data, c.data, c.err
		if a.take != nil && len(c.data) > 0 {
			a.take(c.data)
		}
	}
	n := copy(p, a.current)
	a.current = a.current[n:]
	return n, nil
}

// halt ends reading ahead. A read of the source that is under way must be
// ended by closing the source.
func (a *ahead) halt() { a.once.Do(func() { close(a.stop) }) }

// wait returns when the goroutine has ended.
func (a *ahead) wait() { a.done.Wait() }
