package layers

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"sync/atomic"
)

// budget is what all layers of an image may spend together.
type budget struct {
	limits   Limits
	inflated atomic.Int64
	files    atomic.Int64
}

func (b *budget) inflate(n int64) error {
	if b.inflated.Add(n) > b.limits.ImageSize {
		return &LimitError{Limit: "bytes of all layers after inflating", Value: b.limits.ImageSize, Field: "ImageSize"}
	}
	return nil
}

func (b *budget) file() error { return b.addFiles(1) }

func (b *budget) addFiles(n int) error {
	if b.files.Add(int64(n)) > int64(b.limits.Files) {
		return &LimitError{Limit: "number of files in all layers", Value: int64(b.limits.Files), Field: "Files"}
	}
	return nil
}

// layer is what one pass over a layer left behind.
type layer struct {
	// entries in the order of the archive, without whiteouts.
	entries []*Entry
	// whiteouts are the paths that the layer deletes; opaque the directories
	// whose lower content it hides.
	whiteouts []string
	opaque    []string
	problems  []Problem
	// inspected are the results of the inspectors by their names.
	inspected map[string][]byte
	// inflated is the size of the archive in bytes.
	inflated int64
	// moved maps the paths of entries in the archive to where they end up, for
	// those that lie behind a link to a directory.
	moved map[string]string
}

// ustarSize is the size from which a plain header cannot hold it, so that an
// extended one has to.
const ustarSize = 8 * gib

// maxDepth is how many components a path may have. Linux reaches 2048 with a
// path of 4096 bytes, and more only by changing directories on the way.
const maxDepth = 4096

const (
	whiteoutPrefix = ".wh."
	opaqueMarker   = ".wh..wh..opq"
)

// scanner makes one pass over one layer.
type scanner struct {
	x     *Index
	index int
	tar   *tar.Reader
	out   layer
	slab  []Entry
	buf   []byte
	head  [headSize]byte
	body  body

	inspections []inspection
	// wanting are those that want the current file.
	wanting []inspection
}

// scan reads one layer. With an error it returns what was read before that.
func (x *Index) scan(ctx context.Context, i int) (layer, error) {
	s, err := openStream(ctx, x.blobs[i], x.budget)
	if err != nil {
		return layer{}, err
	}
	defer s.close()
	sc := &scanner{x: x, index: i, tar: tar.NewReader(s.r), inspections: x.beginInspections(i)}
	for {
		h, err := sc.tar.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return sc.broken(fmt.Errorf("archive: %w", err))
		}
		if err := sc.entry(h); err != nil {
			return sc.broken(err)
		}
	}
	trailing, err := s.finish()
	if err != nil {
		return sc.broken(err)
	}
	if trailing {
		sc.problem("/", "data follows the end of the layer's archive; other readers may take it for files")
	}
	sc.out.inflated = s.inflated.n
	return sc.out, sc.endInspections()
}

// broken is the layer as far as it was read.
func (sc *scanner) broken(err error) (layer, error) {
	if e := sc.endInspections(); e != nil {
		err = errors.Join(err, e)
	}
	return sc.out, err
}

func (sc *scanner) problem(p, reason string) {
	sc.out.problems = append(sc.out.problems, Problem{Path: p, Layer: sc.index, Reason: reason})
}

func (sc *scanner) entry(h *tar.Header) error {
	if err := sc.x.budget.file(); err != nil {
		return err
	}
	if h.Size > sc.x.budget.limits.ImageSize {
		return fmt.Errorf("%s claims %d bytes: %w", h.Name, h.Size,
			&LimitError{Limit: "size of the image", Value: sc.x.budget.limits.ImageSize, Field: "ImageSize"})
	}
	e := sc.next()
	if !e.fill(h) {
		if h.Typeflag != tar.TypeXGlobalHeader {
			sc.problem(path.Clean("/"+h.Name), fmt.Sprintf("archive entry of unknown type %q", h.Typeflag))
		}
		return nil
	}
	if e.tooDeep() {
		sc.problem(e.Path[:200]+"…", fmt.Sprintf("the path has more than %d components", maxDepth))
		return nil
	}
	if climbs(h.Name) {
		sc.problem(e.Path, fmt.Sprintf("the archive names it %q, which points outside the image", h.Name))
	}
	if _, twice := h.PAXRecords["size"]; twice && h.Size < ustarSize {
		sc.problem(e.Path, "its size is given twice in the archive; other readers may see other files behind it")
	}
	if e.isWhiteout() {
		sc.whiteout(e.Path, path.Base(e.Path))
		return nil
	}
	e.Layer, e.order = int32(sc.index), int32(len(sc.out.entries))
	sc.out.entries = append(sc.out.entries, e)
	sc.slab = sc.slab[1:]
	if e.Type != Regular {
		return nil
	}
	if err := sc.content(e); err != nil {
		// A file without its content must not look like one that is whole.
		sc.out.entries = sc.out.entries[:e.order]
		return fmt.Errorf("%s: %w", e.Path, err)
	}
	return nil
}

// next returns a fresh entry out of a slab: one allocation for many entries.
func (sc *scanner) next() *Entry {
	if len(sc.slab) == 0 {
		sc.slab = make([]Entry, 256)
	}
	return &sc.slab[0]
}

func (sc *scanner) whiteout(p, base string) {
	dir, hidden := path.Dir(p), strings.TrimPrefix(base, whiteoutPrefix)
	switch {
	case base == opaqueMarker:
		sc.out.opaque = append(sc.out.opaque, dir)
	case hidden == "" || hidden == "." || hidden == "..":
		sc.problem(p, "a whiteout that deletes nothing that has a name")
	case strings.HasPrefix(hidden, whiteoutPrefix):
		// .wh..wh.plnk, .wh..wh.aufs: leftovers of the aufs driver.
	default:
		sc.out.whiteouts = append(sc.out.whiteouts, path.Join(dir, hidden))
	}
}

const (
	// headSize is what is read of every file to tell executables.
	headSize = 3072
	// bufferedExecutable is the size up to which an executable is searched in
	// memory before it is decided whether to keep it.
	bufferedExecutable = 16 * mib
)

// content reads the head of a file, finds out who wants it, and reads it once
// for all of them.
func (sc *scanner) content(e *Entry) error {
	keep := e.Size > 0 && sc.x.selector.Keep != nil && sc.x.selector.Keep(e.Path, e.Mode, e.Size)
	if e.Size < 4 && !keep && len(sc.inspections) == 0 {
		return nil
	}
	head := sc.head[:min(e.Size, headSize)]
	if _, err := io.ReadFull(sc.tar, head); err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	e.MIME = executableType(head)
	sc.offer(e, head)
	sc.body = body{sc: sc, head: head, left: e.Size}
	var err error
	switch {
	case keep:
		err = sc.keep(e)
	case e.MIME != "" && len(sc.x.selector.Signatures) > 0:
		err = sc.keepIfSigned(e)
	case len(sc.wanting) > 0:
		err = sc.drain()
	}
	if err == nil {
		sc.endFile()
	}
	return err
}

func (sc *scanner) keep(e *Entry) error {
	c, err := sc.x.store.put(&sc.body, e.Size)
	if err != nil {
		return fmt.Errorf("keep: %w", err)
	}
	e.content.Store(c)
	return nil
}

// keepIfSigned keeps an executable if one of the signatures occurs in it.
func (sc *scanner) keepIfSigned(e *Entry) error {
	if e.Size > bufferedExecutable {
		return sc.keepLargeIfSigned(e)
	}
	if int64(cap(sc.buf)) < e.Size {
		sc.buf = make([]byte, e.Size, max(e.Size, int64(2*cap(sc.buf))))
	}
	data := sc.buf[:e.Size]
	if _, err := io.ReadFull(&sc.body, data); err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	if !sc.signed(data) {
		return nil
	}
	c, err := sc.x.store.put(bytes.NewReader(data), e.Size)
	if err != nil {
		return fmt.Errorf("keep: %w", err)
	}
	e.content.Store(c)
	return nil
}

func (sc *scanner) signed(data []byte) bool {
	return slices.ContainsFunc(sc.x.selector.Signatures, func(s []byte) bool { return bytes.Contains(data, s) })
}

// keepLargeIfSigned searches an executable where it is kept, and lets it go if
// nothing was found. What went to the temporary file stays there.
func (sc *scanner) keepLargeIfSigned(e *Entry) error {
	if err := sc.keep(e); err != nil {
		return err
	}
	if c := e.content.Load(); c.file == nil && !sc.signed(c.bytes) {
		e.content.Store(nil)
		sc.x.store.release(c)
	}
	return nil
}
