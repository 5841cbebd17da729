package layers

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
)

// store keeps contents in memory up to a budget and the rest in one temporary
// file that has no name any more.
type store struct {
	limits Limits
	memory atomic.Int64
	// spilled is the end of the temporary file.
	spilled atomic.Int64

	once    sync.Once
	file    *os.File
	fileErr error
}

// content is one kept file: in memory, a range of the temporary file, or parts
// that are one or the other.
type content struct {
	bytes  []byte
	file   *os.File
	offset int64
	size   int64
	parts  []part
}

func newStore(l Limits) *store { return &store{limits: l} }

// put keeps size bytes of r.
func (s *store) put(r io.Reader, size int64) (*content, error) {
	if s.memory.Add(size) <= s.limits.Memory {
		data := make([]byte, size)
		if _, err := io.ReadFull(r, data); err != nil {
			s.memory.Add(-size)
			return nil, err
		}
		return &content{bytes: data, size: size}, nil
	}
	s.memory.Add(-size)
	end := s.spilled.Add(size)
	if end > s.limits.Spill {
		return nil, &LimitError{Limit: "bytes of kept contents in the temporary file", Value: s.limits.Spill, Field: "Spill"}
	}
	f, err := s.temporary()
	if err != nil {
		return nil, err
	}
	c := &content{file: f, offset: end - size, size: size}
	n, err := io.Copy(io.NewOffsetWriter(f, c.offset), io.LimitReader(r, size))
	if err == nil && n < size {
		err = io.ErrUnexpectedEOF
	}
	return c, err
}

// release gives the memory of a content back to the budget.
func (s *store) release(c *content) {
	for _, p := range c.parts {
		s.release(p.content)
	}
	if c.file == nil && c.whole() {
		s.memory.Add(-c.size)
	}
}

func (s *store) temporary() (*os.File, error) {
	s.once.Do(func() {
		f, err := os.CreateTemp(s.limits.TempDir, "portcullis-layers-*")
		if err != nil {
			s.fileErr = fmt.Errorf("make temporary file for contents beyond the memory budget: %w", err)
			return
		}
		// Without a name the file goes away with the process, whatever ends it.
		if err := os.Remove(f.Name()); err != nil {
			s.fileErr = errors.Join(fmt.Errorf("unlink temporary file: %w", err), f.Close())
			return
		}
		s.file = f
	})
	return s.file, s.fileErr
}

func (s *store) close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// Content is an open file of the image.
type Content struct {
	*io.SectionReader
	// sparse is set where only parts of the file were kept.
	sparse *sparse
}

// Close does nothing: contents live as long as their index.
func (Content) Close() error { return nil }

func (c *content) open() Content {
	if c.file != nil {
		return Content{SectionReader: io.NewSectionReader(c.file, c.offset, c.size)}
	}
	return Content{SectionReader: io.NewSectionReader(bytes.NewReader(c.bytes), 0, c.size)}
}
