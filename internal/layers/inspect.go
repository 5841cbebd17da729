package layers

import (
	"fmt"
	"io"

	"github.com/portcullis-ci/portcullis/internal/archive"
)

// Inspector judges contents while they stream past, so that nothing has to be
// kept for it.
type Inspector interface {
	// Name identifies the inspector and the version of what it records. Two
	// inspectors of one pass have different names.
	Name() string
	// Begin starts the pass over one layer, by its index. It is called from
	// several goroutines, at most once for each layer; the Inspection that it
	// returns is used from one.
	Begin(layer int) Inspection
}

// Inspection is the work of an Inspector on one layer. Of a file, Chunk and
// EndFile are called only if File wanted it.
type Inspection interface {
	// File is called for every regular file of the layer, the empty ones
	// included, and for whiteouts that are not empty, before its content; hard
	// links are other names of such a file and not told. The head is the content's
	// first 3072 bytes, or all of them if there are less, and valid during the call
	// only. The path of the entry is the one in the layer's archive. File reports
	// whether it wants the content.
	File(e *Entry, head []byte) bool
	// Chunk receives the content of a wanted file piece by piece, the head
	// included; data is valid during the call only.
	Chunk(data []byte)
	// EndFile ends a wanted file that was read to its end.
	EndFile()
	// Result is what the layer holds, encoded. It is kept for the next image
	// with this layer, so it must depend on nothing but the layer, and no
	// secret value may be in it in clear.
	Result() ([]byte, error)
}

// Withholder is what an Inspection may be as well: it names files whose content
// must not be put into the cache, though it was kept. They are read anew.
type Withholder interface {
	// Withhold reports whether a file of the layer, by its path in the archive,
	// is one of them. It is asked after the last file.
	Withhold(path string) bool
}

// Opener is what an Inspection may be as well: it looks at the files in archives
// and packed files, which one walk shows to all that want them. Of a file that
// [archive.Packed] knows, and of one with a zip archive behind something else, the
// walk comes between File and EndFile, and between Chunks.
type Opener interface {
	// Members takes the files in the archives of the layer. It is called once,
	// before the first file.
	Members() archive.Visitor
	// Unread is told what was not read of an archive, by its path in the layer's
	// archive, after its last file and before EndFile. It is not called where all
	// was read.
	Unread(path string, gaps []archive.Gap)
}

// Inspections are the results of all inspectors for the layers of one image,
// and what is needed to tell whether a file that they speak of is still there
// when all layers are laid over each other.
type Inspections struct {
	// Layers is the number of layers.
	Layers int
	// Results are those of each inspector by its name, one for each layer.
	Results map[string][][]byte
	// Hidden are the regular files of each layer, by their path in its archive,
	// that a later layer deletes or replaces.
	Hidden []map[string]bool
}

// Result returns what an inspector found in a layer; nil where there is no
// such inspector or layer.
func (i *Inspections) Result(name string, layer int) []byte {
	of := i.Results[name]
	if layer < 0 || layer >= len(of) {
		return nil
	}
	return of[layer]
}

// Visible reports whether a regular file of a layer, by its path in the
// layer's archive, is part of the image when all layers are laid over each
// other.
func (i *Inspections) Visible(layer int, file string) bool {
	return layer >= 0 && layer < len(i.Hidden) && !i.Hidden[layer][file]
}

// Inspected returns what the inspector of that name found in a layer; nil where
// there is no such inspector or layer.
func (x *Index) Inspected(name string, layer int) []byte {
	if layer < 0 || layer >= len(x.layers) {
		return nil
	}
	return x.layers[layer].inspected[name]
}

// Visible reports whether the entry of a layer, by its path in the layer's
// archive, is part of the squashed tree: no later layer deletes or replaces it.
func (x *Index) Visible(layer int, file string) bool {
	if layer < 0 || layer >= len(x.layers) {
		return false
	}
	if moved, ok := x.layers[layer].moved[file]; ok {
		file = moved
	}
	return x.holds(layer, file)
}

// holds reports whether the entry at a real path is the layer's.
func (x *Index) holds(layer int, real string) bool {
	n := x.root
	for _, part := range splitPath(real) {
		if n = n.children[part]; n == nil {
			return false
		}
	}
	return int(n.entry.Layer) == layer
}

// Inspections returns the results of all inspectors in a form that outlives the
// index.
func (x *Index) Inspections() *Inspections {
	out := &Inspections{Layers: len(x.layers), Results: map[string][][]byte{}, Hidden: make([]map[string]bool, len(x.layers))}
	for _, inspector := range x.selector.Inspectors {
		name := inspector.Name()
		out.Results[name] = make([][]byte, len(x.layers))
		for i := range x.layers {
			out.Results[name][i] = x.layers[i].inspected[name]
		}
	}
	if len(x.selector.Inspectors) > 0 {
		for i := range x.layers {
			out.Hidden[i] = x.hidden(i)
		}
	}
	return out
}

// hidden lists the regular files of a layer that are not in the squashed tree.
func (x *Index) hidden(i int) map[string]bool {
	hidden := map[string]bool{}
	back := make(map[string]string, len(x.layers[i].moved))
	for from, to := range x.layers[i].moved {
		back[to] = from
	}
	for _, e := range x.layers[i].entries {
		// Of a path that the layer gives several times, one is enough.
		if e.Type != Regular || e.shown || x.holds(i, e.Path) {
			continue
		}
		hidden[e.Path] = true
		if from, ok := back[e.Path]; ok {
			hidden[from] = true
		}
	}
	return hidden
}

// inspection is one inspector's work on the layer that is being scanned.
type inspection struct {
	name  string
	index int
	Inspection
}

// beginInspections starts every inspector on the layer.
func (sc *scanner) beginInspections() {
	for n, inspector := range sc.x.selector.Inspectors {
		i := inspection{name: inspector.Name(), index: n, Inspection: inspector.Begin(sc.index)}
		sc.inspections = append(sc.inspections, i)
		if o, ok := i.Inspection.(Opener); ok {
			sc.openers, sc.members = append(sc.openers, o), append(sc.members, o.Members())
		}
	}
	if len(sc.openers) > 0 {
		sc.unpacking = archive.LayerBudget()
		sc.walker = archive.NewWalker(sc.members, &sc.unpacking)
	}
}

// visitors show the files in archives to all that want them.
type visitors []archive.Visitor

// File implements archive.Visitor.
func (v visitors) File(m archive.Member, head []byte) {
	for _, each := range v {
		each.File(m, head)
	}
}

// Write implements archive.Visitor.
func (v visitors) Write(data []byte) {
	for _, each := range v {
		each.Write(data)
	}
}

// EndFile implements archive.Visitor.
func (v visitors) EndFile() {
	for _, each := range v {
		each.EndFile()
	}
}

// Within implements archive.Visitor.
func (v visitors) Within() archive.Visitor {
	within := make(visitors, len(v))
	for i, each := range v {
		within[i] = each.Within()
	}
	return within
}

// Endless implements archive.Visitor.
func (v visitors) Endless() {
	for _, each := range v {
		each.Endless()
	}
}

// offer asks the inspectors which of them want a file.
func (sc *scanner) offer(e *Entry, head []byte) {
	sc.wanting = sc.wanting[:0]
	for _, i := range sc.inspections {
		if i.File(e, head) {
			sc.wanting = append(sc.wanting, i)
		}
	}
	sc.fetched, sc.walking, sc.finding = false, false, false
	switch {
	case sc.walker == nil:
	case !archive.Packed(head, e.Path):
		sc.finding, sc.finder = true, archive.Finder{}
	case archive.Fetched(e.Path):
		sc.fetched = true
	default:
		sc.walking = true
		sc.walker.Begin(e.Path)
	}
}

// endFile ends the current file for those that wanted it.
func (sc *scanner) endFile(e *Entry) {
	var gaps []archive.Gap
	switch {
	case sc.walking:
		gaps = sc.walker.End()
	case sc.fetched:
		gaps = []archive.Gap{{Reason: archive.FetchedReason}}
	}
	if sc.finding {
		gaps = sc.endFinding(gaps)
		if sc.walking && sc.finder.Endless() {
			sc.members.Endless()
		}
	}
	if len(gaps) > 0 {
		for _, o := range sc.openers {
			o.Unread(e.Path, gaps)
		}
	}
	sc.walking, sc.fetched, sc.finding = false, false, false
	for _, i := range sc.wanting {
		i.EndFile()
	}
}

// find looks for an archive behind something else in a part of the current file,
// and walks through it.
func (sc *scanner) find(data []byte) {
	before, rest := sc.finder.Write(data)
	if rest != nil && !sc.walking {
		sc.walking = true
		sc.walker.Begin(sc.body.path)
	}
	if sc.walking {
		sc.walker.Write(before)
		sc.walker.Write(rest)
	}
}

// endFinding says what was not read of an archive behind something else, given
// what was not read of what looked like one. Where the file does not end as
// readers of archives want it, there is none: nobody misses what is not in it.
func (sc *scanner) endFinding(gaps []archive.Gap) []archive.Gap {
	switch {
	case !sc.finder.Ended():
		return nil
	case !sc.walking:
		return []archive.Gap{{Reason: archive.UnopenedReason}}
	default:
		return gaps
	}
}

// drain reads what is left of the current file for the inspectors alone.
func (sc *scanner) drain() error {
	if cap(sc.buf) < drainSize {
		sc.buf = make([]byte, drainSize)
	}
	for sc.body.left > 0 {
		if _, err := sc.body.Read(sc.buf[:drainSize]); err != nil {
			return err
		}
	}
	return nil
}

// drainSize is the size of the pieces in which a file is read that is not kept.
const drainSize = 64 * kib

// body is the content of the current file: its head, then the rest of it from
// the archive. Whatever is read of an executable is searched for what is sought,
// and goes to the inspectors that want the file.
type body struct {
	sc   *scanner
	path string
	head []byte
	left int64
}

// Read implements io.Reader. It ends with io.EOF when the size that the header
// promises is read, and with io.ErrUnexpectedEOF when the archive ends earlier.
func (b *body) Read(p []byte) (n int, err error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	if len(b.head) > 0 {
		n = copy(p, b.head)
		b.head = b.head[n:]
	} else {
		n, err = b.sc.tar.Read(p)
	}
	b.left -= int64(n)
	if n > 0 {
		if b.sc.sought {
			b.sc.seeking.write(p[:n])
		}
		for _, i := range b.sc.wanting {
			i.Chunk(p[:n])
		}
		switch {
		case b.sc.finding:
			b.sc.find(p[:n])
		case b.sc.walking:
			b.sc.walker.Write(p[:n])
		}
	}
	switch {
	case err == io.EOF && b.left > 0:
		err = io.ErrUnexpectedEOF
	case err == io.EOF:
		err = nil
	}
	return n, err
}

// endInspections collects the results of the layer.
func (sc *scanner) endInspections() error {
	if len(sc.inspections) == 0 {
		return nil
	}
	if sc.walker != nil {
		sc.walker.Stop() // The layer may be broken off within an archive.
	}
	sc.out.inspected = make(map[string][]byte, len(sc.inspections))
	for _, i := range sc.inspections {
		result, err := i.Result()
		if err != nil {
			return fmt.Errorf("inspect for %s: %w", i.name, err)
		}
		sc.out.inspected[i.name] = result
		if w, ok := i.Inspection.(Withholder); ok {
			sc.out.withholders = append(sc.out.withholders, w)
		}
	}
	return nil
}

// move notes that an entry ends up at another path than its archive says,
// because a directory above it is a link.
func (l *layer) move(e *Entry, to string) {
	if l.moved == nil {
		l.moved = map[string]string{}
	}
	l.moved[e.Path] = to
	e.Path = to
}
