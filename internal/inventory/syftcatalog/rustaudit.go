package syftcatalog

import (
	"compress/zlib"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"io"

	"github.com/portcullis-ci/portcullis/internal/layers"
)

// maxCrates is how many bytes the list of crates in a program may have after
// inflating. Those of programs with a thousand crates have 200 kB; the parser
// behind reads whatever comes.
const maxCrates = 64 << 20

// crateSections are the sections that hold the list, in ELF, PE and Mach-O
// files, https://github.com/rust-secure-code/cargo-auditable/blob/master/PARSING.md,
// with their names of old.
var crateSections = []string{".dep-v0", ".rust-deps-v0", "rdep-v0", "rust-deps-v0"}

// checkCrates returns a *layers.LimitError for a program whose list of crates is
// too large.
// What is no program is left to the parser.
func checkCrates(r io.ReaderAt) error {
	for _, section := range sectionsOf(r) {
		z, err := zlib.NewReader(section)
		if err != nil {
			continue
		}
		n, _ := io.Copy(io.Discard, io.LimitReader(z, maxCrates+1))
		if n > maxCrates {
			return &layers.LimitError{Limit: "bytes of the list of crates in a program after inflating", Value: maxCrates}
		}
	}
	return nil
}

// sectionsOf opens the sections of crates in a program, in each of those that a
// universal binary holds.
func sectionsOf(r io.ReaderAt) (sections []io.Reader) {
	if f, err := elf.NewFile(r); err == nil {
		for _, name := range crateSections {
			if s := f.Section(name); s != nil {
				sections = append(sections, s.Open())
			}
		}
	}
	if f, err := pe.NewFile(r); err == nil {
		for _, name := range crateSections {
			if s := f.Section(name); s != nil {
				sections = append(sections, s.Open())
			}
		}
	}
	thin := func(f *macho.File) {
		for _, name := range crateSections {
			if s := f.Section(name); s != nil {
				sections = append(sections, s.Open())
			}
		}
	}
	if f, err := macho.NewFile(r); err == nil {
		thin(f)
	}
	if f, err := macho.NewFatFile(r); err == nil {
		for _, arch := range f.Arches {
			thin(arch.File)
		}
	}
	return sections
}

// refused is the content of a file that is not to be read.
type refused struct{ reason error }

func (r refused) Read([]byte) (int, error) { return 0, r.reason }

func (refused) Close() error { return nil }
