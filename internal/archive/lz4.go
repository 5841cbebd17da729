package archive

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"

	"github.com/pierrec/lz4/v4"
)

// The magic numbers of lz4's frames (LZ4 Frame Format Description, 1.6.4). The
// legacy frame is not among them: the library reads those that follow one
// another by calling itself.
// https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
const (
	lz4Frame    = 0x184d2204
	lz4Skip     = 0x184d2a50
	lz4SkipMask = 0xfffffff0
)

var errLZ4 = errors.New("no frame of lz4")

// lz4Reader unpacks frames of lz4, one after the other.
type lz4Reader struct {
	frames lz4Frames
	z      *lz4.Reader
	within bool
}

func newLZ4Reader() *lz4Reader {
	l := &lz4Reader{z: lz4.NewReader(nil)}
	l.frames.r = bufio.NewReaderSize(nil, 4*kib)
	return l
}

func (l *lz4Reader) reset(r io.Reader) {
	l.frames.r.Reset(r)
	l.within = false
}

// Read implements io.Reader.
func (l *lz4Reader) Read(p []byte) (int, error) {
	for {
		if !l.within {
			if err := l.frames.next(); err != nil {
				return 0, err
			}
			l.z.Reset(&l.frames)
			if err := l.z.Apply(lz4.ConcurrencyOption(1)); err != nil {
				return 0, err
			}
			l.within = true
		}
		n, err := l.z.Read(p)
		if errors.Is(err, io.EOF) {
			// The library takes a frame that is cut off between blocks for whole.
			if l.within = false; !l.frames.whole {
				return n, io.ErrUnexpectedEOF
			}
			if err = nil; n == 0 {
				continue
			}
		}
		return n, err
	}
}

// lz4Frames gives the bytes of one frame and then ends.
type lz4Frames struct {
	r *bufio.Reader
	// left are the bytes up to the next size of a block; blocks is set while one
	// follows.
	left   int64
	blocks bool
	// perBlock and atEnd are the sizes of checksums.
	perBlock, atEnd int64
	// whole is set when all of the frame was given.
	whole bool
}

// next moves to the next frame, and returns io.EOF when there is none.
func (f *lz4Frames) next() error {
	for {
		head, err := f.r.Peek(4)
		if len(head) == 0 && errors.Is(err, io.EOF) {
			return io.EOF
		}
		if err != nil {
			return unexpected(err)
		}
		magic := binary.LittleEndian.Uint32(head)
		if magic&lz4SkipMask == lz4Skip {
			if err := f.skip(); err != nil {
				return unexpected(err)
			}
			continue
		}
		if magic != lz4Frame {
			return errLZ4
		}
		if head, err = f.r.Peek(6); err != nil {
			return unexpected(err)
		}
		return f.begin(head[4])
	}
}

func (f *lz4Frames) skip() error {
	head, err := f.r.Peek(8)
	if err != nil {
		return err
	}
	size := int64(binary.LittleEndian.Uint32(head[4:]))
	_, err = io.CopyN(io.Discard, f.r, 8+size)
	return err
}

// begin reads the flags of a frame.
func (f *lz4Frames) begin(flags byte) error {
	const blockChecksum, contentSize, contentChecksum, dictionary = 1 << 4, 1 << 3, 1 << 2, 1
	*f = lz4Frames{r: f.r, left: 4 + 2 + 1, blocks: true}
	if flags&contentSize != 0 {
		f.left += 8
	}
	if flags&dictionary != 0 {
		f.left += 4
	}
	if flags&blockChecksum != 0 {
		f.perBlock = 4
	}
	if flags&contentChecksum != 0 {
		f.atEnd = 4
	}
	return nil
}

// Read implements io.Reader.
func (f *lz4Frames) Read(p []byte) (int, error) {
	if f.left == 0 && f.blocks {
		head, err := f.r.Peek(4)
		if err != nil {
			return 0, unexpected(err)
		}
		size := int64(binary.LittleEndian.Uint32(head) &^ (1 << 31))
		if f.left = 4 + size + f.perBlock; binary.LittleEndian.Uint32(head) == 0 {
			f.left, f.blocks = 4+f.atEnd, false
		}
	}
	if f.left == 0 {
		f.whole = true
		return 0, io.EOF
	}
	n, err := f.r.Read(p[:min(int64(len(p)), f.left)])
	f.left -= int64(n)
	return n, unexpected(err)
}

// unexpected is the error of an input that must not end yet.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
