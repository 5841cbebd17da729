package syftcatalog

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"io"
	"math/bits"
	"slices"

	"github.com/portcullis-ci/portcullis/internal/layers"
)

// withoutCryptoSettings shows a Go program without what the cataloger reads only to
// learn its cryptographic settings: all symbols and all read-only data, which is
// most of what it reads. They stand in an SBOM and nowhere else. The types of the
// symbol table and of the segments read as none, and every byte of content stays.
//
// A program that may be read in another way for it is shown as it is: one without
// a build id, which symbols prove to be a program of Go, with build information
// that points elsewhere, with compressed symbols, which may be too large, or with
// the mark of UPX.
func withoutCryptoSettings(c layers.Content) io.ReadCloser {
	t, err := readSectionTable(c)
	if err != nil || !inlineBuildInfo(t, c) || holdsUPX(c) {
		return c
	}
	var hidden []int64
	for n, s := range t.sections {
		if elf.SectionType(s.Type) != elf.SHT_SYMTAB {
			continue
		}
		if elf.SectionFlag(s.Flags)&elf.SHF_COMPRESSED != 0 {
			return c
		}
		hidden = append(hidden, t.at.Offset+int64(n*binary.Size(s))+4) // sh_type follows sh_name
	}
	segments := make([]elf.Prog64, t.header.Phnum)
	size := binary.Size(elf.Prog64{})
	if int(t.header.Phentsize) != size || t.header.Phoff > 1<<40 {
		return c
	}
	at := int64(t.header.Phoff)
	if binary.Read(io.NewSectionReader(c, at, int64(len(segments)*size)), t.order, segments) != nil {
		return c
	}
	for n, p := range segments {
		if elf.ProgType(p.Type) == elf.PT_LOAD && elf.ProgFlag(p.Flags)&elf.PF_W == 0 {
			hidden = append(hidden, at+int64(n*size)) // p_type is first
		}
	}
	if len(hidden) > maxHidden {
		return c
	}
	return untyped{SectionReader: io.NewSectionReader(typesHidden{c, hidden}, 0, c.Size())}
}

// maxHidden bounds the types that are hidden, which each read goes through; linkers
// make one table of symbols and a handful of segments.
const maxHidden = 64

// inlineBuildInfo reports whether an ELF file has a build id of Go, and build
// information that is not somewhere else (package debug/buildinfo).
func inlineBuildInfo(t sectionTable, r io.ReaderAt) bool {
	names := t.sections[t.names]
	if elf.SectionFlag(names.Flags)&elf.SHF_COMPRESSED != 0 || names.Off > 1<<40 {
		return false
	}
	named := func(name string) int {
		want := []byte(name + "\x00")
		got := make([]byte, len(want))
		return slices.IndexFunc(t.sections, func(s elf.Section64) bool {
			_, err := r.ReadAt(got, int64(names.Off)+int64(s.Name))
			return err == nil && bytes.Equal(got, want)
		})
	}
	info := named(".go.buildinfo")
	if info < 0 || named(".note.go.buildid") < 0 || t.sections[info].Off > 1<<40 {
		return false
	}
	return inline(io.NewSectionReader(r, int64(t.sections[info].Off), int64(t.sections[info].Size)))
}

// holdsUPX reports whether a program may be packed.
func holdsUPX(r io.ReaderAt) bool {
	mark := signatures[bits.TrailingZeros(upxPacked)]
	head := make([]byte, mark.Within)
	n, _ := r.ReadAt(head, 0) // a short program is all head
	return bytes.Contains(head[:n], mark.Bytes)
}

// typesHidden reads as its file does, with zeros for the types of four bytes at
// some offsets.
type typesHidden struct {
	io.ReaderAt
	at []int64
}

// ReadAt implements io.ReaderAt.
func (h typesHidden) ReadAt(p []byte, off int64) (int, error) {
	n, err := h.ReaderAt.ReadAt(p, off)
	for _, at := range h.at {
		if from, to := max(at, off), min(at+4, off+int64(n)); from < to {
			clear(p[from-off : to-off])
		}
	}
	return n, err
}

// untyped is a file with hidden types as syft reads one without a copy.
type untyped struct{ *io.SectionReader }

// Close does nothing, as that of what is below.
func (untyped) Close() error { return nil }
