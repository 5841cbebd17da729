package layers

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"sync/atomic"

	"github.com/portcullis-ci/portcullis/internal/archive"
	"github.com/portcullis-ci/portcullis/internal/recovered"
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
	// withholders say whose content stays out of the cache.
	withholders []Withholder
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
	ctx   context.Context
	x     *Index
	index int
	tap   *headerTap
	tar   *tar.Reader
	out   layer
	slab  []Entry
	buf   []byte
	head  [headSize]byte
	body  body

	// sought is set while something is sought in the current file.
	sought  bool
	seeking seeking

	inspections []inspection
	// wanting are those that want the current file.
	wanting []inspection
	// openers look into archives, members takes for all of them what the walker
	// shows, while walking through the current file.
	openers []Opener
	members visitors
	walker  *archive.Walker
	walking bool
	// finding is set while an archive behind something else is looked for in the
	// current file, which is walked through once it was found.
	finding bool
	finder  archive.Finder
	// fetched is true for a package that is told of instead of walked through.
	fetched   bool
	unpacking archive.Budget
}

// scan reads one layer. With an error it returns what was read before that.
func (x *Index) scan(ctx context.Context, i int) (layer, error) {
	s, err := openStream(ctx, x.blobs[i], x.budget)
	if err != nil {
		return layer{}, err
	}
	defer s.close()
	sc := &scanner{ctx: ctx, x: x, index: i, tap: &headerTap{r: s.r}}
	sc.beginInspections()
	sc.tar = tar.NewReader(sc.tap)
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
		sc.problem("/", Odd, "data follows the end of the layer's archive; other readers may take it for files")
	}
	sc.out.inflated = s.inflated.n
	repeated, err := x.repeated(ctx, i, sc.out.entries)
	if err != nil {
		return sc.broken(err)
	}
	sc.out.problems = append(sc.out.problems, repeated...)
	return sc.out, sc.endInspections()
}

// broken is the layer as far as it was read.
func (sc *scanner) broken(err error) (layer, error) {
	if e := sc.endInspections(); e != nil {
		err = errors.Join(err, e)
	}
	return sc.out, err
}

func (sc *scanner) problem(p string, kind ProblemKind, reason string) {
	sc.out.problems = append(sc.out.problems, Problem{Path: p, Layer: sc.index, Kind: kind, Reason: reason})
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
		switch {
		case appliesToAll(h):
			sc.problem("/", Odd, "the archive gives all its entries one name or size, which not all readers heed")
		case h.Typeflag != tar.TypeXGlobalHeader:
			sc.problem(path.Clean("/"+h.Name), Lost, fmt.Sprintf("archive entry of unknown type %q", h.Typeflag))
		}
		return nil
	}
	if e.tooDeep() {
		sc.problem(e.Path[:200]+"…", Lost, fmt.Sprintf("the path has more than %d components", maxDepth))
		return nil
	}
	if climbs(h.Name) {
		sc.problem(e.Path, Odd, fmt.Sprintf("the archive names it %q, which points outside the image", h.Name))
	}
	if sc.tap.sizeDiffers(h) {
		sc.problem(e.Path, Odd, "the archive gives two sizes for it; other readers may see other files behind it")
	}
	if namesDiffer(h) {
		sc.problem(e.Path, Odd, "the archive gives two names for it; other readers may unpack it to another place")
	}
	if redirects(h) {
		sc.problem(e.Path, Odd, "an attribute has overlay file systems show other content in its place where the image runs")
	}
	e.Layer, e.order = int32(sc.index), int32(len(sc.out.entries))
	if e.isWhiteout() {
		sc.whiteout(e.Path, e.Name())
		return sc.inWhiteout(e)
	}
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
		sc.problem(p, Odd, "a whiteout that deletes nothing that has a name")
	case strings.HasPrefix(hidden, whiteoutPrefix):
		// .wh..wh.plnk, .wh..wh.aufs: leftovers of the aufs driver.
	default:
		sc.out.whiteouts = append(sc.out.whiteouts, path.Join(dir, hidden))
	}
}

// inWhiteout has the content of a whiteout examined. It should have none, and is
// no file of the image, but everybody who pulls the layer gets it.
func (sc *scanner) inWhiteout(e *Entry) error {
	if e.Type != Regular || e.Size == 0 {
		return nil
	}
	sc.slab = sc.slab[1:]
	sc.problem(e.Path, Odd, fmt.Sprintf("a whiteout that holds %d bytes, which no runtime unpacks", e.Size))
	if err := sc.content(e); err != nil {
		return fmt.Errorf("%s: %w", e.Path, err)
	}
	if kept := e.content.Swap(nil); kept != nil {
		sc.x.store.release(kept)
	}
	return nil
}

// headSize is what is read of every file to tell executables.
const headSize = 3072

// content reads the head of a file, finds out who wants it, and reads it once
// for all of them.
func (sc *scanner) content(e *Entry) (err error) {
	defer recovered.As(&err, "examine its content")
	keep := e.Size > 0 && sc.x.selector.Keep != nil && sc.x.selector.Keep(e.Path, e.Mode, e.Size)
	if e.Size < 4 && !keep && len(sc.inspections) == 0 {
		return nil
	}
	head := sc.head[:min(e.Size, headSize)]
	if _, err := io.ReadFull(sc.tar, head); err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	if isJavaArchive(head) {
		e.MIME, keep = JavaArchive, sc.x.selector.Keep != nil
	} else {
		e.MIME = executableType(head)
	}
	sc.offer(e, head)
	sc.body = body{sc: sc, path: e.Path, head: head, left: e.Size}
	sc.sought = e.Executable() && sc.seeking.begin(sc.x.sought(), sc.inspections, sc.wanting)
	switch {
	case keep:
		if err = sc.keep(e, &sc.body); sc.sought {
			e.Signs = sc.seeking.signs()
		}
	case sc.sought && len(sc.x.selector.Signatures) > 0:
		err = sc.keepIfSigned(e)
	case len(sc.wanting) > 0, sc.walking, sc.finding:
		err = sc.drain()
	}
	if err == nil {
		sc.endFile(e)
	}
	return err
}

func (sc *scanner) keep(e *Entry, r io.Reader) error {
	c, err := sc.x.store.put(r, e.Size)
	if err != nil {
		return fmt.Errorf("keep: %w", err)
	}
	e.content.Store(c)
	return nil
}
