package syftcatalog

import (
	"bytes"
	"cmp"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/kastenhq/goversion/version"

	"github.com/portcullis-ci/portcullis/internal/inventory/gosymbols"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

// executableParts chooses what is kept of executables: what catalogers read of
// them, which is a few megabytes of a Go program of a hundred.
//
// The cataloger of Go programs reads more than that, but comes to the same when
// it reads zeros there: all of the read-only data for a list of modules that it
// does not use, and of programs without symbols all of the code for marks of
// cryptographic libraries, provided that it knows the start-up code, which it
// does not in programs of this decade. Keep makes sure of both.
type executableParts struct{}

const (
	// headOfProgram holds the program headers, and where the cataloger of Go
	// programs looks for the mark of UPX.
	headOfProgram = 16 << 10
	// headOfSection holds the header of a compressed section.
	headOfSection = 64
	// smallSection is the size up to which nothing is saved by leaving out.
	smallSection = 64 << 10
	// largestHeld is the size up to which any executable is held whole.
	largestHeld = 48 << 20
)

// Hold implements layers.Parts. Programs of Go's own linker have their section
// table at the beginning. Others have to be held whole; very large ones are read
// again should they hold a signature, which few do, other than Go programs that
// another linker made.
func (executableParts) Hold(head io.ReaderAt, size int64) ([]layers.Range, bool) {
	t, err := readSectionTable(head)
	if err != nil {
		return []layers.Range{{Offset: 0, Size: headOfProgram}}, size > largestHeld && !notesGo(head)
	}
	symbols := slices.ContainsFunc(t.sections, func(s elf.Section64) bool { return elf.SectionType(s.Type) == elf.SHT_SYMTAB })
	var left []layers.Range
	for _, s := range t.sections {
		flags := elf.SectionFlag(s.Flags)
		debug, code := flags&elf.SHF_ALLOC == 0, flags&elf.SHF_EXECINSTR != 0
		if elf.SectionType(s.Type) == elf.SHT_PROGBITS && (debug || code && symbols) && s.Size > smallSection && s.Off < uint64(size) && s.Size < uint64(size) {
			from := max(headOfProgram, int64(s.Off)+headOfSection)
			left = append(left, layers.Range{Offset: from, Size: int64(s.Off+s.Size) - from})
		}
	}
	slices.SortFunc(left, func(a, b layers.Range) int { return cmp.Compare(a.Offset, b.Offset) })
	var out []layers.Range
	at := int64(0)
	for _, l := range left {
		out = append(out, layers.Range{Offset: at, Size: l.Offset - at})
		at = max(at, l.Offset+l.Size)
	}
	return append(out, layers.Range{Offset: at, Size: size - at}), true
}

// notesGo reports whether the beginning of a program holds Go's build id.
func notesGo(head io.ReaderAt) bool {
	buf := make([]byte, headOfProgram)
	n, _ := head.ReadAt(buf, 0) // what is missing is shorter than a note
	return bytes.Contains(buf[:n], []byte("\x04\x00\x00\x00Go\x00\x00"))
}

// Keep implements layers.Parts.
func (executableParts) Keep(signs uint32, r io.ReaderAt, _ int64) (counting uint32, ranges []layers.Range, ok bool) {
	// Who broke a file on purpose gets it read whole.
	counting = signs
	defer func() {
		if recover() != nil {
			counting, ranges, ok = signs, nil, false
		}
	}()
	if signs&^opaque == 0 {
		return signs, nil, true
	}
	if signs&upxPacked != 0 {
		return signs, nil, false
	}
	t, err := readSectionTable(r)
	if err != nil {
		return signs, nil, false
	}
	f, err := elf.NewFile(r)
	if err != nil {
		return signs, nil, false
	}
	counting = countingSigns(signs, f)
	if counting&^(goBuildInfo|cargoAuditable|cargoAuditableOld|packageNote|opaque) != 0 {
		return counting, nil, false
	}
	ranges, err = elfParts(counting, t, f, r)
	return counting, ranges, err == nil
}

// countingSigns leaves out the signatures that only happen to occur in a
// program: this one and others of its kind hold all of them.
func countingSigns(signs uint32, f *elf.File) uint32 {
	if !slices.ContainsFunc(crateSections, func(name string) bool { return f.Section(name) != nil }) {
		signs &^= cargoAuditable | cargoAuditableOld
	}
	if f.Section(".note.package") == nil {
		signs &^= packageNote
	}
	if signs&nativeImage != 0 && !hasSymbol(f, "__svm_version_info") {
		signs &^= nativeImage
	}
	// The program that .NET puts bundles behind is none of Go's.
	if f.Section(".go.buildinfo") != nil && f.Section(".note.go.buildid") != nil {
		signs &^= dotnetBundle
	}
	return signs
}

// hasSymbol reports whether a string table holds a name. It reports true where
// it cannot tell.
func hasSymbol(f *elf.File, name string) bool {
	for _, s := range f.Sections {
		if s.Type != elf.SHT_STRTAB {
			continue
		}
		if s.Size > maxSymbolNames {
			return true
		}
		data, err := s.Data()
		if err != nil || bytes.Contains(data, []byte("\x00"+name+"\x00")) {
			return true
		}
	}
	return false
}

// maxSymbolNames bounds a table of names that is searched.
const maxSymbolNames = 64 << 20

func elfParts(signs uint32, t sectionTable, f *elf.File, r io.ReaderAt) ([]layers.Range, error) {
	out := []layers.Range{{Offset: 0, Size: headOfProgram}, t.at}
	for n, s := range f.Sections {
		if s.Type == elf.SHT_NOBITS || s.FileSize > 1<<40 || s.Offset > 1<<40 {
			continue
		}
		whole := layers.Range{Offset: int64(s.Offset), Size: int64(s.FileSize)}
		switch {
		case n == t.names, slices.Contains(crateSections, s.Name), s.Name == ".note.package", whole.Size <= headOfSection:
		case signs&goBuildInfo != 0 && s.Name == ".go.buildinfo":
		default:
			whole.Size = headOfSection
		}
		out = append(out, whole)
	}
	if signs&goBuildInfo == 0 {
		return out, nil
	}
	more, err := goParts(f, r)
	return append(out, more...), err
}

// goParts adds what is read of Go programs besides: the symbols that tell
// something, and the names in the table of functions. It is an error when the
// cataloger may come to something else without the rest.
func goParts(f *elf.File, r io.ReaderAt) ([]layers.Range, error) {
	if f.Section(".note.go.buildid") == nil {
		return nil, errors.New("the program has no build id")
	}
	info := f.Section(".go.buildinfo")
	if info == nil {
		return nil, errors.New("the program has no section with build information")
	}
	if !inline(info) {
		return nil, errors.New("the build information is elsewhere")
	}
	var out []layers.Range
	named := false
	if symbols := f.SectionByType(elf.SHT_SYMTAB); symbols != nil {
		if int(symbols.Link) >= len(f.Sections) || symbols.Flags&elf.SHF_COMPRESSED != 0 {
			return nil, errors.New("the symbols have no names")
		}
		told, err := tellingSymbols(symbols, f.Sections[symbols.Link], f.ByteOrder)
		if err != nil {
			return nil, err
		}
		out, named = append(out, told.parts...), told.version
		if named {
			at, ok := stringAt(f, told.address)
			if !ok {
				return nil, errors.New("the version of Go is nowhere in the data")
			}
			out = append(out, at)
		}
	}
	if !named {
		// Without the symbol of the version the code is asked for it.
		found, err := version.ReadExeFromReader(r)
		if err != nil || found.BoringCrypto || found.StandardCrypto || found.FIPSOnly {
			return nil, errors.New("the code tells something about the program")
		}
	}
	at, size, err := gosymbols.NameTable(f)
	if err == nil {
		out = append(out, layers.Range{Offset: at, Size: size})
	} else if !errors.Is(err, gosymbols.ErrNoTable) {
		return nil, err
	}
	return out, nil
}

// inline reports whether a section of build information holds it, as it does since
// Go 1.18, and does not point to it.
func inline(info io.ReaderAt) bool {
	var head [16]byte
	_, err := info.ReadAt(head[:], 0)
	return err == nil && bytes.HasPrefix(head[:], signatures[0].Bytes) && head[15]&2 != 0
}

// sectionTable is the list of sections of an ELF file of 64 bits.
type sectionTable struct {
	header   elf.Header64
	order    binary.ByteOrder
	sections []elf.Section64
	// names is the index of the section that holds their names.
	names int
	at    layers.Range
}

// readSectionTable reads the section table and not the names in it, unlike
// package elf: those are at the end of the file.
func readSectionTable(r io.ReaderAt) (sectionTable, error) {
	var ident [elf.EI_NIDENT]byte
	if _, err := r.ReadAt(ident[:], 0); err != nil {
		return sectionTable{}, err
	}
	if !bytes.HasPrefix(ident[:], []byte(elf.ELFMAG)) || elf.Class(ident[elf.EI_CLASS]) != elf.ELFCLASS64 {
		return sectionTable{}, errors.New("no ELF file of 64 bits")
	}
	var order binary.ByteOrder = binary.LittleEndian
	if elf.Data(ident[elf.EI_DATA]) == elf.ELFDATA2MSB {
		order = binary.BigEndian
	}
	var h elf.Header64
	if err := binary.Read(io.NewSectionReader(r, 0, int64(binary.Size(h))), order, &h); err != nil {
		return sectionTable{}, fmt.Errorf("read the header: %w", err)
	}
	t := sectionTable{header: h, order: order, names: int(h.Shstrndx), sections: make([]elf.Section64, h.Shnum)}
	if h.Shnum == 0 || int(h.Shentsize) != binary.Size(elf.Section64{}) || h.Shoff > 1<<40 || h.Shstrndx >= h.Shnum {
		return sectionTable{}, errors.New("no section table of the usual form")
	}
	t.at = layers.Range{Offset: int64(h.Shoff), Size: int64(h.Shnum) * int64(h.Shentsize)}
	if err := binary.Read(io.NewSectionReader(r, t.at.Offset, t.at.Size), order, t.sections); err != nil {
		return sectionTable{}, fmt.Errorf("read the section table: %w", err)
	}
	return t, nil
}
