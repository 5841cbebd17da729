// Package archive walks through archives and packed files while their bytes
// stream past, those that lie in one another included: zip and what is built on
// it (jar, war, wheel), tar, cpio, packages of Debian and rpm, gzip, zstd, xz,
// bzip2 and lz4. Nothing is unpacked to disk and no
// archive is held in memory; what it reads of one is bounded, and what it did
// not read is told. It is not for finding packages in archives (package
// syftcatalog).
package archive

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"path"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/mikelolasagasti/xz"
)

const (
	kib = 1 << 10
	mib = 1 << 20
	gib = 1 << 30
)

// Budget is what walks may spend together. Each walk takes from it.
type Budget struct {
	// Bytes is the number of bytes after inflating, those of archives inside
	// archives included. What takes longer to inflate counts more than once.
	Bytes int64
	// Rate is how many more each byte of an archive brings, until Most have been
	// brought: a few archives that are made to cost time do not get far.
	Rate, Most int64
	// Files is the number of files in archives.
	Files int
}

// LayerBudget is enough for the archives of a layer in which there is little
// else, and bounds the time that a layer takes.
func LayerBudget() Budget {
	return Budget{Bytes: 256 * mib, Rate: 10, Most: 4 * gib, Files: 300_000}
}

// read counts bytes of an archive.
func (b *Budget) read(n int64) {
	more := min(b.Rate*n, b.Most)
	b.Bytes, b.Most = b.Bytes+more, b.Most-more
}

// The limits of one file, see Gap.
const (
	// maxBytes is what a file may inflate to.
	maxBytes = gib
	// maxFiles is how many files it may hold.
	maxFiles = 200_000
	// maxDepth is how many archives and packings may lie in one another: a
	// packed archive counts twice.
	maxDepth = 6
	// ratioFrom is the number of bytes up to which it may inflate whatever its
	// packed size; above, it is a bomb when it is more than maxRatio times larger
	// than what was read of it. Real files reach 60.
	ratioFrom = 16 * mib
	maxRatio  = 200
	// maxGaps is how many gaps of one file are listed.
	maxGaps = 16
	// maxName is how long the path of a file in archives may be.
	maxName = 4 * kib
	// headSize is how much of a file is looked at to tell what it is.
	headSize = 3 * kib
)

// Member is a file in an archive, or the content of a packed file.
type Member struct {
	// Name is its path in the archive; that of a file in an archive inside the
	// archive follows on the inner archive's with !/ between. It is empty for the
	// content of a file that is packed and no archive.
	Name string
	// Plain is the path of the file that was begun and Name with !/ between,
	// without the suffix of a packing (.gz, .zst).
	Plain string
}

// Visitor takes the files that are in archives, one after the other.
type Visitor interface {
	// File begins a file. The head is the first part of its content, which is
	// given again to Write, and valid during the call only.
	File(m Member, head []byte)
	// Write takes the next part, which is valid during the call only.
	Write(data []byte)
	// EndFile ends the file, also where the archive ends before it.
	EndFile()
	// Within returns a visitor for the files of a zip archive behind something else
	// in the file that was begun, which goes on meanwhile. It is used until that
	// file ends, and may be returned again.
	Within() Visitor
	// Endless is told, after the last file, where what was taken for an archive
	// behind something else has no end: no reader opens it, and what was shown as
	// files is more likely a part of the file in which it stands.
	Endless()
}

// Gap is something that was not read.
type Gap struct {
	// Name is as in Member; empty for the whole file.
	Name string
	// Reason says why, in words of this package.
	Reason string
}

// Walker walks through files, one after the other. It is used from one
// goroutine.
type Walker struct {
	visitor Visitor
	budget  *Budget

	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool
	// piece is what was given and not read yet, read what was read.
	piece []byte
	read  int64
	ended bool
	// cost is the largest of the packings in the file so far, see costs.
	cost int64

	outer    string
	inflated int64
	files    int
	gaps     []Gap
	levels   []*level
	buf      []byte
}

// NewWalker returns a walker that shows files to a visitor.
func NewWalker(v Visitor, budget *Budget) *Walker {
	return &Walker{visitor: v, budget: budget, buf: make([]byte, 64*kib)}
}

// Begin starts a file that Readable says can be walked through.
func (w *Walker) Begin(name string) {
	w.Stop()
	w.outer, w.piece, w.read, w.ended, w.cost = name, nil, 0, false, 1
	w.inflated, w.files, w.gaps = 0, 0, nil
	// The walk pulls what Write pushes: it is a coroutine, which runs only
	// while Write or End wait for it.
	w.next, w.stop = iter.Pull(func(yield func(struct{}) bool) {
		w.yield = yield
		w.walk()
	})
}

// Write takes the next part of the file.
func (w *Walker) Write(data []byte) {
	if w.next == nil {
		return
	}
	if w.piece = data; len(data) > 0 {
		w.resume()
	}
	w.piece = nil
}

// End ends the file and returns what was not read of it. The slice is the
// caller's.
func (w *Walker) End() []Gap {
	if w.ended = true; w.next != nil {
		w.resume()
	}
	w.Stop()
	return w.gaps
}

// Stop gives the file up. It may be called at any time.
func (w *Walker) Stop() {
	if w.stop != nil {
		w.ended = true
		w.stop()
	}
	w.next, w.stop = nil, nil
}

func (w *Walker) resume() {
	if _, more := w.next(); !more {
		w.next = nil
	}
}

// errStopped ends a walk that was given up, errLimit one that has spent all
// that it may.
var (
	errStopped = errors.New("given up")
	errLimit   = errors.New("limit reached")
)

// Read implements io.Reader for the walk: the bytes of the file.
func (w *Walker) Read(p []byte) (int, error) {
	for len(w.piece) == 0 {
		if w.ended {
			return 0, io.EOF
		}
		if !w.yield(struct{}{}) {
			return 0, errStopped
		}
	}
	n := copy(p, w.piece)
	w.piece = w.piece[n:]
	w.read += int64(n)
	w.budget.read(int64(n) * w.cost)
	return n, nil
}

func (w *Walker) walk() {
	// What went wrong is in the gaps; a walk that was stopped is asked for none.
	_ = w.content(w.buffer(0, w), Member{Plain: w.outer}, 0)
}

func (w *Walker) gap(name, reason string) {
	switch {
	case len(w.gaps) < maxGaps:
		w.gaps = append(w.gaps, Gap{Name: name, Reason: reason})
	case len(w.gaps) == maxGaps:
		w.gaps = append(w.gaps, Gap{Reason: "more of it was not searched than is listed"})
	}
}

// limit notes a limit and returns what ends the walk.
func (w *Walker) limit(name, reason string) error {
	w.gap(name, reason)
	return errLimit
}

// content reads what may be an archive, a packing or a file. The error is one
// that ends the whole walk; others are gaps.
func (w *Walker) content(r *bufio.Reader, m Member, depth int) error {
	head, err := r.Peek(headSize)
	switch {
	case errors.Is(err, errStopped), errors.Is(err, errLimit):
		return err
	case len(head) == 0 && errors.Is(err, io.EOF):
		return nil
	case len(head) == 0:
		return w.broken(m.Name, err)
	}
	// Other errors come again when what was read before them is gone.
	form := formOf(head, m.Plain)
	if depth > 0 && isBehind(form, head) {
		if depth < maxDepth {
			return w.broken(m.Name, w.fileAndZip(r, m, head, form, depth))
		}
		form = file
	}
	if form != file && depth >= maxDepth {
		w.gap(m.Name, fmt.Sprintf("more than %d archives lie in one another", maxDepth))
		return nil
	}
	switch form {
	case isZip:
		return w.broken(m.Name, w.zip(r, m, depth))
	case isTar:
		return w.broken(m.Name, w.tar(r, m, depth))
	case isDeb:
		return w.broken(m.Name, w.deb(r, m, depth))
	case isRPM:
		return w.broken(m.Name, w.rpm(r, m, depth))
	case isCPIO:
		return w.broken(m.Name, w.cpio(r, m, depth))
	case isGzip, isZstd, isXZ, isBzip2, isLZ4:
		return w.broken(m.Name, w.packed(r, m, depth, form))
	case file:
		return w.broken(m.Name, w.file(r, m, head))
	default:
		w.gap(m.Name, "it is packed in a way that is not read ("+string(form)+")")
		return nil
	}
}

// broken notes an error about the data as a gap, and returns the other ones.
func (w *Walker) broken(name string, err error) error {
	switch {
	case err == nil, errors.Is(err, errStopped), errors.Is(err, errLimit):
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, xz.ErrBuf):
		w.gap(name, "it is broken: it ends too early")
	case errors.Is(err, xz.ErrMemlimit), errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		w.gap(name, "unpacking it takes more memory than is given to that")
	default:
		w.gap(name, "it is broken")
	}
	return nil
}

// count counts a file in an archive.
func (w *Walker) count(name string) error {
	w.files++
	w.budget.Files--
	switch {
	case w.files > maxFiles:
		return w.limit(name, fmt.Sprintf("it holds more than %d files", maxFiles))
	case w.budget.Files < 0:
		return w.limit(name, "the archives of its layer hold more files than are read of one layer")
	}
	return nil
}

func (w *Walker) file(r io.Reader, m Member, head []byte) error {
	w.visitor.File(m, head)
	defer w.visitor.EndFile()
	var finder Finder
	for {
		n, err := r.Read(w.buf)
		if n > 0 {
			w.visitor.Write(w.buf[:n])
			finder.Write(w.buf[:n])
		}
		if err == io.EOF {
			if finder.Ended() {
				w.gap(m.Name, UnopenedReason)
			}
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// inside is the member of a name in the archive m.
func (w *Walker) inside(m Member, name string) Member {
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	if m.Name != "" {
		name = m.Name + "!/" + name
	}
	if len(name) > maxName {
		name = name[:maxName]
	}
	return Member{Name: name, Plain: w.outer + "!/" + name}
}
