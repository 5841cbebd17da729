package syftcatalog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/anchore/syft/syft/file"

	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/inventory/rpmdb"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

// resolver answers the questions of syft's catalogers from the squashed tree
// of an image. It is used by many goroutines at once and changes nothing.
type resolver struct {
	// ctx is that of the scan: syft's interface has none for contents.
	ctx   context.Context
	index *layers.Index
	// files are all regular files and links, in the order of paths.
	files  []*layers.Entry
	byName nameIndex
	byExt  nameIndex
	// byHead are the files by what their names begin with.
	byHead nameIndex
	// byParent are the files by the name of their directory, and by the names
	// of the links that lead to it.
	byParent nameIndex
	// aliases are symbolic links to directories: paths below the directory can
	// also be reached through the link.
	aliases []alias
	// javaOfOtherNames is otherArchives, which is asked more than once.
	javaOfOtherNames func() []file.Location

	// refused are files that could not be opened, by path. Some catalogers
	// pass over such a file in silence.
	mu      sync.Mutex
	refused map[string]error
	// broken says of archives, by path, which of those inside cannot be read.
	broken map[string]string
	// large are the entries of large directories that were asked for, by path:
	// that of dpkg's own files is, for each package.
	large map[string][]*layers.Entry
	// reached are the limits that files reached.
	reached error
	// lists are the names of package databases that links lead to, by the paths
	// of the files.
	lists map[string]string
	// empty are rpm databases that can be read and list nothing, by their paths
	// and by the names of links that lead to them.
	empty map[string]bool
	// unverified are files that rpm does not hold against their digests.
	unverified map[string]bool
	// archives are the checks of archives, by the entry that has the content.
	archives map[*layers.Entry]func() error
}

type alias struct{ link, dir string }

var _ file.Resolver = (*resolver)(nil)

func newResolver(ctx context.Context, x *layers.Index) *resolver {
	r := &resolver{ctx: ctx, index: x, refused: map[string]error{}, broken: map[string]string{}, large: map[string][]*layers.Entry{}}
	r.lists, r.empty, r.unverified, r.archives = map[string]string{}, map[string]bool{}, map[string]bool{}, map[*layers.Entry]func() error{}
	for e := range x.All() {
		switch e.Type {
		case layers.Regular, layers.Symlink:
		default:
			continue
		}
		if e.Type == layers.Symlink {
			if to := x.Resolve(e.Path, true); to != nil && to.Type == layers.Directory && to.Path != "/" {
				r.aliases = append(r.aliases, alias{link: e.Path, dir: to.Path})
				continue
			}
		}
		r.files = append(r.files, e)
	}
	r.aliases = chained(r.aliases)
	r.javaOfOtherNames = sync.OnceValue(r.otherArchives)
	var indexes sync.WaitGroup
	for _, index := range []func(){r.indexNames, r.indexBeginsAndEnds, r.indexParents} {
		indexes.Go(index)
	}
	indexes.Wait()
	return r
}

// headOfName is how many bytes of a name byHead goes by.
const headOfName = 2

// indexNames fills byName.
func (r *resolver) indexNames() {
	r.byName = newNameIndex(len(r.files))
	for _, e := range r.files {
		r.byName.add(e.Name(), e)
	}
}

// indexBeginsAndEnds fills byExt and byHead.
func (r *resolver) indexBeginsAndEnds() {
	r.byExt, r.byHead = newNameIndex(0), newNameIndex(0)
	for _, e := range r.files {
		name := e.Name()
		if ext := path.Ext(name); ext != "" {
			r.byExt.add(ext, e)
		}
		if len(name) >= headOfName {
			r.byHead.add(name[:headOfName], e)
		}
	}
}

// indexParents fills byParent. Syft asks for the files of the directory of each
// Go module that it found, thousands of times.
func (r *resolver) indexParents() {
	links := map[string][]string{}
	for _, a := range r.aliases {
		if name := path.Base(a.link); name != path.Base(a.dir) && !slices.Contains(links[a.dir], name) {
			links[a.dir] = append(links[a.dir], name)
		}
	}
	r.byParent = newNameIndex(0)
	for _, e := range r.files {
		dir := e.Dir()
		r.byParent.add(path.Base(dir), e)
		for _, link := range links[dir] {
			r.byParent.add(link, e)
		}
	}
}

// maxAliases bounds the chains of links; a large image has some 300 links to
// directories.
const maxAliases = 4000

// chained adds the aliases that lead through several links: with /var/lib to
// /data and /data/dpkg to /opt/x, also /var/lib/dpkg to /opt/x.
func chained(direct []alias) []alias {
	all := slices.Clone(direct)
	known := map[alias]bool{}
	for _, a := range all {
		known[a] = true
	}
	for i := 0; i < len(all) && len(all) < maxAliases; i++ {
		for _, outer := range direct {
			rest, ok := strings.CutPrefix(all[i].link, outer.dir+"/")
			if !ok || outer.dir == all[i].dir {
				continue
			}
			longer := alias{link: outer.link + "/" + rest, dir: all[i].dir}
			if !known[longer] && strings.Count(longer.link, "/") < 64 {
				known[longer] = true
				all = append(all, longer)
			}
		}
	}
	return all
}

// location names a file as it was asked for and as it really is.
func (r *resolver) location(access string, e *layers.Entry) file.Location {
	return file.NewVirtualLocationFromCoordinates(file.Coordinates{RealPath: e.Path, FileSystemID: r.index.DiffID(int(e.Layer))}, access)
}

// regular follows links to a regular file.
func (r *resolver) regular(p string) *layers.Entry {
	e := r.index.Resolve(p, true)
	if e == nil || e.Type == layers.Directory || e.Path == "/" {
		return nil
	}
	return e
}

// HasPath reports whether a path exists; directories count.
func (r *resolver) HasPath(p string) bool { return r.index.Resolve(p, false) != nil }

// FilesByPath returns the files at the given paths.
func (r *resolver) FilesByPath(paths ...string) ([]file.Location, error) {
	found := newLocations()
	for _, p := range paths {
		if e := r.regular(p); e != nil {
			found.add(r.location(p, e))
		}
	}
	return found.list, nil
}

// FilesByGlob returns the files that match any of the patterns, each file once.
func (r *resolver) FilesByGlob(patterns ...string) ([]file.Location, error) {
	found := newLocations()
	for _, pattern := range patterns {
		var matches []file.Location
		for _, g := range compileGlob(pattern) {
			matches = append(matches, r.glob(g)...)
		}
		// Real paths first, then by the path that was asked for.
		slices.SortStableFunc(matches, func(a, b file.Location) int {
			if aReal, bReal := a.AccessPath == a.RealPath, b.AccessPath == b.RealPath; aReal != bReal {
				if aReal {
					return -1
				}
				return 1
			}
			return cmp.Compare(a.AccessPath, b.AccessPath)
		})
		for _, l := range matches {
			found.add(l)
		}
	}
	return found.list, nil
}

func (r *resolver) glob(g glob) []file.Location {
	if !strings.ContainsAny(g.pattern, metaCharacters) {
		if e := r.regular(g.pattern); e != nil {
			return []file.Location{r.location(g.pattern, e)}
		}
		return nil
	}
	if g.fixed != "" {
		return r.inDirectory(g)
	}
	var out []file.Location
	links := r.leading(g)
	for _, e := range r.candidates(g) {
		access, ok := access(g, e.Path, links)
		if !ok {
			continue
		}
		if to := r.regular(access); to != nil {
			out = append(out, r.location(access, to))
		}
	}
	if g.pattern == javaPattern {
		out = append(out, r.javaOfOtherNames()...)
	}
	return out
}

// inDirectory answers a pattern whose directory is known: catalogers ask for
// the files beside each of thousands of packages.
func (r *resolver) inDirectory(g glob) []file.Location {
	var out []file.Location
	children := r.children(g.fixed)
	first, _ := slices.BinarySearchFunc(children, g.head, func(e *layers.Entry, head string) int { return cmp.Compare(e.Name(), head) })
	for _, e := range children[first:] {
		name := e.Name()
		if !strings.HasPrefix(name, g.head) {
			break
		}
		if e.Type != layers.Regular && e.Type != layers.Symlink || !g.matchBase(name) {
			continue
		}
		access := path.Join(g.fixed, name)
		if to := r.regular(access); to != nil {
			out = append(out, r.location(access, to))
		}
	}
	return out
}

// largeDirectory is the number of entries from which a directory is not listed
// anew for each question.
const largeDirectory = 64

// children are the entries of a directory in the order of names.
func (r *resolver) children(dir string) []*layers.Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.large[dir]; known != nil {
		return known
	}
	children := r.index.Children(dir)
	if len(children) >= largeDirectory {
		r.large[dir] = children
	}
	return children
}

// candidates are the files whose last component may match.
func (r *resolver) candidates(g glob) []*layers.Entry {
	ext := path.Ext(g.tail)
	switch {
	case g.name != "":
		return r.byName.of(g.name)
	case g.ext != "":
		return r.byExt.of(g.ext)
	case g.parent != "":
		return r.byParent.of(g.parent)
	case len(g.head) >= headOfName:
		return r.byHead.of(g.head[:headOfName])
	case ext != "":
		return r.byExt.of(ext)
	case g.wholeTree():
		return r.files
	}
	return r.byName.matching(g.matchBase)
}

// leading are the links to directories by which a file may match.
func (r *resolver) leading(g glob) []alias {
	if g.anywhere {
		return nil
	}
	var out []alias
	for _, a := range r.aliases {
		if strings.HasPrefix(a.link, g.start) || strings.HasPrefix(g.start, a.link) {
			out = append(out, a)
		}
	}
	return out
}

// access returns the path under which a file matches: its own, or one that
// leads through a symbolic link to a directory above it.
func access(g glob, p string, links []alias) (string, bool) {
	if g.match(p) {
		return p, true
	}
	inPath := strings.Contains(p, g.dir)
	for _, a := range links {
		if len(p) <= len(a.dir) || p[len(a.dir)] != '/' || !strings.HasPrefix(p, a.dir) || !inPath && !strings.Contains(a.link, g.dir) {
			continue
		}
		if there := a.link + p[len(a.dir):]; g.match(there) {
			return there, true
		}
	}
	return "", false
}

// FilesByMIMEType returns the executables of the given types that hold a
// signature.
func (r *resolver) FilesByMIMEType(types ...string) ([]file.Location, error) {
	return r.executables(^uint32(opaque), types...)
}

// executables returns those of the given types that hold one of the signatures
// (see layers.Entry.Signs). In the others no cataloger would find anything.
func (r *resolver) executables(signs uint32, types ...string) ([]file.Location, error) {
	found := newLocations()
	for _, e := range r.files {
		if e.Signs&signs != 0 && slices.Contains(types, e.MIME) {
			found.add(r.location(e.Path, e))
		}
	}
	return found.list, nil
}

// RelativeFileByPath returns the file at a path of the same tree.
func (r *resolver) RelativeFileByPath(_ file.Location, p string) *file.Location {
	e := r.regular(p)
	if e == nil {
		return nil
	}
	l := r.location(p, e)
	return &l
}

// FileContentsByLocation opens a file; the reader is also an io.ReaderAt and
// an io.Seeker, but for lists of packages that are read as a stream.
func (r *resolver) FileContentsByLocation(l file.Location) (io.ReadCloser, error) {
	c, err := r.contents(l)
	if err != nil {
		return nil, err
	}
	if isDpkgStatus(l.RealPath) || isDpkgStatus(l.AccessPath) {
		return newDpkgStatus(c), nil
	}
	if isRPMManifest(l.RealPath) || isRPMManifest(l.AccessPath) {
		return ended(c), nil
	}
	return c, nil
}

func (r *resolver) contents(l file.Location) (layers.Content, error) {
	if named := (inventory.Unreadable{Path: l.AccessPath}); l.AccessPath != l.RealPath && named.PackageDatabase() {
		r.mu.Lock()
		r.lists[l.RealPath] = l.AccessPath
		r.mu.Unlock()
	}
	c, err := r.open(l)
	if err != nil {
		r.mu.Lock()
		r.refused[l.RealPath] = err
		r.mu.Unlock()
	}
	return c, err
}

func (r *resolver) open(l file.Location) (layers.Content, error) {
	e := r.regular(l.RealPath)
	if e == nil {
		return layers.Content{}, fmt.Errorf("open %s: %w", l.RealPath, fs.ErrNotExist)
	}
	c, err := r.index.Open(r.ctx, e)
	if err != nil {
		return layers.Content{}, err
	}
	if holdsArchives(l.RealPath) || holdsArchives(l.AccessPath) {
		if err := r.archive(e, c); err != nil {
			return c, err
		}
	}
	if !rpmdb.IsName(l.AccessPath) && !rpmdb.IsName(e.Path) {
		return c, nil
	}
	return r.rpmDatabase(l, e, c)
}

// archive checks once whether an archive may be given to who unpacks it.
func (r *resolver) archive(e *layers.Entry, c layers.Content) error {
	r.mu.Lock()
	check := r.archives[e.Data()]
	if check == nil {
		check = sync.OnceValue(func() error {
			broken, err := checkArchive(r.ctx, c, e.Size)
			if err != nil && r.ctx.Err() == nil {
				r.reach(e.Path, err)
			}
			if len(broken) > 0 {
				r.breaks(e.Path, broken)
			}
			return err
		})
		r.archives[e.Data()] = check
	}
	r.mu.Unlock()
	return check()
}

// breaks notes that archives in an archive cannot be read.
func (r *resolver) breaks(path string, inside []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken[path] = fmt.Sprintf("archives in it cannot be read: %s", strings.Join(inside, ", "))
}

// reach notes that a file reached a limit: no program of an honest build does.
func (r *resolver) reach(path string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reached = errors.Join(r.reached, fmt.Errorf("%s: %w", path, err))
}

// limit returns the limits that files reached, or nil.
func (r *resolver) limit() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reached
}

// unreadable lists the files that were asked for and could not be opened, and
// those in which archives could not be.
func (r *resolver) unreadable() []inventory.Unreadable {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []inventory.Unreadable
	for p, err := range r.refused {
		out = append(out, inventory.Unreadable{Path: p, Reason: err.Error()})
	}
	for p, reason := range r.broken {
		out = append(out, inventory.Unreadable{Path: p, Reason: reason})
	}
	return out
}

// AllLocations sends every entry of the tree.
func (r *resolver) AllLocations(ctx context.Context) <-chan file.Location {
	return r.send(ctx, func(string) bool { return true })
}

// send sends the entries of the tree whose paths are wanted.
func (r *resolver) send(ctx context.Context, wanted func(path string) bool) <-chan file.Location {
	out := make(chan file.Location)
	go func() {
		defer close(out)
		for e := range r.index.All() {
			if e.Layer < 0 || !wanted(e.Path) {
				continue
			}
			select {
			case <-ctx.Done():
				return
			case out <- r.location(e.Path, e):
			}
		}
	}()
	return out
}

// locations is a list in which each file occurs once.
type locations struct {
	seen map[file.Coordinates]bool
	list []file.Location
}

func newLocations() *locations {
	return &locations{seen: map[file.Coordinates]bool{}, list: []file.Location{}}
}

func (l *locations) add(at file.Location) {
	if !l.seen[at.Coordinates] {
		l.seen[at.Coordinates] = true
		l.list = append(l.list, at)
	}
}
