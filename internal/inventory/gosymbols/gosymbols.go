// Package gosymbols reads which functions a Go binary holds, inlined ones
// included. The linker leaves out what cannot be reached, so a vulnerable
// function that is not there cannot be called. It is not for finding modules
// or versions. The main function is Read.
package gosymbols

import (
	"bufio"
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"net/url"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/recovered"
)

// ErrNoTable is wrapped by errors about binaries without a readable table of
// functions: not ELF, not Go, older than Go 1.16, packed, or altered.
var ErrNoTable = errors.New("no table of Go functions")

const (
	// maxNames bounds the part of the table that holds names; that of a binary
	// of 150 MB has some 15 MB.
	maxNames = 256 << 20
	// maxName bounds one name. Longer ones are cut: the function that a
	// generic instance belongs to is at the front.
	maxName = 16 << 10
)

// Set is what a binary holds, as marks in ascending order: one for each
// function, each package and each prefix of a package's path. A mark is a hash
// of 64 bits, so that a binary of 100,000 functions needs less than a megabyte. Two
// names of one hash would make an absent function look present, never the
// other way round.
type Set []uint64

// The kinds of marks.
const (
	functionMark = 'f'
	packageMark  = 'p'
	prefixMark   = '/'
)

func mark(kind byte, path, symbol string) uint64 {
	h := add(fnvOffset, kind)
	for i := range len(path) {
		h = add(h, path[i])
	}
	h = add(h, 0)
	for i := range len(symbol) {
		h = add(h, symbol[i])
	}
	return h
}

// The constants of FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/; package
// hash/fnv would need an allocation for each of a million names.
const (
	fnvOffset uint64 = 14695981039346656037
	fnvPrime  uint64 = 1099511628211
)

func add(h uint64, b byte) uint64 { return (h ^ uint64(b)) * fnvPrime }

func (s Set) has(m uint64) bool {
	_, found := slices.BinarySearch(s, m)
	return found
}

// HasPackage reports whether any function of the package is there.
func (s Set) HasPackage(path string) bool { return s.has(mark(packageMark, path, "")) }

// HasBelow reports whether any function of a package at or below the path is
// there: of a module, by its path.
func (s Set) HasBelow(path string) bool { return s.has(mark(prefixMark, path, "")) }

// Has reports whether a function or method is there. Methods are written as in
// the Go vulnerability database: Type.Method.
func (s Set) Has(path, symbol string) bool { return s.has(mark(functionMark, path, symbol)) }

// Read reads the table of functions of an ELF binary, which stripping the
// symbol table does not remove. The error wraps ErrNoTable.
func Read(r io.ReaderAt) (functions Set, err error) {
	defer recovered.As(&err, "read the table of functions")
	f, err := elf.NewFile(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoTable, err)
	}
	section, err := tableIn(f)
	if err != nil {
		return nil, err
	}
	s, err := parse(section.ReaderAt, section.FileSize, f.ByteOrder)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", section.Name, err)
	}
	return s, nil
}

// NameTable returns where in the file of an ELF binary what Read reads of the
// table of functions is: the header and the names. The error wraps ErrNoTable.
func NameTable(f *elf.File) (offset, size int64, err error) {
	section, err := tableIn(f)
	if err != nil {
		return 0, 0, err
	}
	_, to, err := namesIn(section.ReaderAt, f.ByteOrder)
	if err == nil && to > section.FileSize {
		err = fmt.Errorf("%w: names to %d of %d bytes", ErrNoTable, to, section.FileSize)
	}
	return int64(section.Offset), int64(to), err
}

func tableIn(f *elf.File) (*elf.Section, error) {
	for _, name := range []string{".gopclntab", ".data.rel.ro.gopclntab"} {
		if section := f.Section(name); section != nil {
			return section, nil
		}
	}
	return nil, fmt.Errorf("%w: no section for it", ErrNoTable)
}

// Magic numbers of the table by Go release,
// https://github.com/golang/go/blob/master/src/internal/abi/symtab.go.
const (
	go116 = 0xfffffffa
	go118 = 0xfffffff0
	go120 = 0xfffffff1
)

// parse reads the names out of the table: the header gives the offset of the
// names and of what follows them. Names end with a zero byte.
func parse(table io.ReaderAt, length uint64, order binary.ByteOrder) (Set, error) {
	from, to, err := namesIn(table, order)
	if err != nil {
		return nil, err
	}
	if from > to || to > length || to-from > maxNames {
		return nil, fmt.Errorf("%w: names from %d to %d of %d bytes", ErrNoTable, from, to, length)
	}
	c := collector{packages: make(map[string]uint64)}
	lines := bufio.NewReaderSize(io.NewSectionReader(table, int64(from), int64(to-from)), maxName)
	for {
		name, err := lines.ReadSlice(0)
		c.add(bytes.TrimSuffix(name, []byte{0}))
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = lines.ReadSlice(0)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNoTable, err)
		}
	}
	// Nothing runs without the runtime: a table that does not know it has been
	// tampered with, or is that of something else.
	if _, ok := c.packages["runtime"]; !ok {
		return nil, fmt.Errorf("%w: it does not hold the runtime", ErrNoTable)
	}
	return c.set(), nil
}

// namesIn reads the header: where the names begin and end.
func namesIn(table io.ReaderAt, order binary.ByteOrder) (from, to uint64, err error) {
	const prefix = 8 // magic, two zeros, instruction size, pointer size
	header := make([]byte, prefix+5*8)
	if n, err := table.ReadAt(header, 0); n < prefix {
		return 0, 0, fmt.Errorf("%w: cut off: %w", ErrNoTable, err)
	}
	// nfunc, nfiles, textStart, funcnameOffset, cuOffset; the oldest has no
	// textStart.
	first := 3
	switch magic := order.Uint32(header); magic {
	case go118, go120:
	case go116:
		first = 2
	default:
		return 0, 0, fmt.Errorf("%w: magic %#x", ErrNoTable, magic)
	}
	size := int(header[7])
	word := func(n int) uint64 {
		if size == 4 {
			return uint64(order.Uint32(header[prefix+n*size:]))
		}
		return order.Uint64(header[prefix+n*size:])
	}
	if size != 4 && size != 8 {
		return 0, 0, fmt.Errorf("%w: pointers of %d bytes", ErrNoTable, size)
	}
	return word(first), word(first + 1), nil
}

// collector gathers marks.
type collector struct {
	// packages has, for each package by its path as it stands in names, the hash
	// that the marks of its functions begin with.
	packages map[string]uint64
	marks    []uint64
	// path is the package of the name before, as most names follow one of the
	// same, and start its hash.
	path  []byte
	start uint64
	// plain is a name without type arguments.
	plain []byte
	// recent has marks that were gathered last, each at a place of its own: most
	// that come again come soon.
	recent [256]uint64
}

// add files a name such as golang.org/x/net/http2.(*Framer).ReadFrame.
func (c *collector) add(name []byte) {
	name = c.withoutTypes(name)
	slash := bytes.LastIndexByte(name, '/') + 1
	dot := bytes.IndexByte(name[slash:], '.')
	if dot <= 0 {
		return
	}
	path, symbol := name[:slash+dot], name[slash+dot+1:]
	if !bytes.Equal(path, c.path) {
		c.path, c.start = append(c.path[:0], path...), c.ofPackage(path)
	}
	h := c.start
	for i, b := range symbol {
		switch b {
		case '(', ')':
			// The receiver (*T) is written T.
			continue
		case '*':
			if i > 0 && symbol[i-1] == '(' {
				continue
			}
		case '-':
			// A method value (T.M-fm) or the body of a loop over a function
			// (F-range1) is there only when the function around it was compiled.
			c.mark(h)
			return
		case '.':
			// So is a function literal: T.M.func1 is in T.M.
			c.mark(h)
		}
		h = add(h, b)
	}
	c.mark(h)
}

// ofPackage returns the hash that the marks of a package's functions begin with.
func (c *collector) ofPackage(path []byte) uint64 {
	if h, known := c.packages[string(path)]; known {
		return h
	}
	h := mark(functionMark, plainPath(string(path)), "")
	c.packages[string(path)] = h
	return h
}

// plainPath is a package's path without what the linker escapes: dots of the last
// element are written %2e.
func plainPath(path string) string {
	if strings.Contains(path, "%") {
		if plain, err := url.PathUnescape(path); err == nil {
			return plain
		}
	}
	return path
}

func (c *collector) mark(h uint64) {
	if at := &c.recent[h%uint64(len(c.recent))]; *at != h {
		*at = h
		c.marks = append(c.marks, h)
	}
}

func (c *collector) set() Set {
	for path := range c.packages {
		path = plainPath(path)
		c.mark(mark(packageMark, path, ""))
		c.mark(mark(prefixMark, path, ""))
		for i := range len(path) {
			if path[i] == '/' {
				c.mark(mark(prefixMark, path[:i], ""))
			}
		}
	}
	// The copy is no longer than it has to be: it is kept to the end of the run.
	return slices.Clone(slices.Compact(sortedHashes(c.marks)))
}

// sortedHashes sorts numbers that are spread evenly: into piles by their first
// bits, and then each pile, which takes half the time of sorting all at once.
func sortedHashes(list []uint64) Set {
	const pile = 32
	first := bits.Len(uint(len(list) / pile))
	shift := 64 - first
	// A pile ends where the next one begins.
	next := make([]int, 1<<first+1)
	for _, h := range list {
		next[h>>shift+1]++
	}
	for i := range next[1:] {
		next[i+1] += next[i]
	}
	sorted := make(Set, len(list))
	for _, h := range list {
		sorted[next[h>>shift]] = h
		next[h>>shift]++
	}
	from := 0
	for _, to := range next[:1<<first] {
		slices.Sort(sorted[from:to])
		from = to
	}
	return sorted
}

// withoutTypes drops the type arguments of instances: F[...] and
// (*T[go.shape.int]).M. What is behind a bracket that is not closed is dropped
// as well.
func (c *collector) withoutTypes(name []byte) []byte {
	if bytes.IndexByte(name, '[') < 0 {
		return name
	}
	c.plain = c.plain[:0]
	depth := 0
	for _, b := range name {
		switch b {
		case '[':
			depth++
		case ']':
			depth--
		default:
			if depth == 0 {
				c.plain = append(c.plain, b)
			}
		}
	}
	return c.plain
}
