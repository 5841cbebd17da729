package syftcatalog

import (
	"bufio"
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"github.com/portcullis-ci/portcullis/internal/layers"
)

// tellingPrefixes are how the symbols begin of which the cataloger of Go programs
// makes something: the version of Go, and which cryptography is in the program.
// It goes through all symbols, hundreds of thousands in a large program, and
// passes over those without a name.
var tellingPrefixes = [][]byte{
	[]byte(versionSymbol),
	[]byte("crypto/internal/boring/sig."),
	[]byte("crypto/sha1.(*digest)"), []byte("crypto/sha256.(*digest)"),
	[]byte("crypto/rand.(*devReader)"),
	[]byte("crypto/rsa.encrypt"), []byte("crypto/rsa.decrypt"),
}

// tellingParts are parts of symbols, wherever in them, that say as much. They are
// in few programs, whose symbols are all kept.
var tellingParts = [][]byte{[]byte("_Cfunc__goboringcrypto_"), []byte("$descriptor")}

// maxTelling bounds the symbols that are kept one by one.
const maxTelling = 1000

// toldSymbols is what is kept of the symbols of a program, and whether that of
// the version of Go is among them, and which address it has.
type toldSymbols struct {
	parts   []layers.Range
	version bool
	address uint64
}

const versionSymbol = "runtime.buildVersion"

// tellingSymbols chooses the symbols of a 64-bit program that tell something,
// with their names.
func tellingSymbols(symbols, names *elf.Section, order binary.ByteOrder) (told toldSymbols, err error) {
	text, err := names.Data()
	if err != nil {
		return told, fmt.Errorf("read the names of symbols: %w", err)
	}
	told.version = bytes.Contains(text, []byte("\x00"+versionSymbol+"\x00"))
	all := slices.ContainsFunc(tellingParts, func(part []byte) bool { return bytes.Contains(text, part) })
	r, entry := bufio.NewReaderSize(symbols.Open(), 64<<10), make([]byte, elf.Sym64Size)
	for at := int64(symbols.Offset); ; at += elf.Sym64Size {
		if _, err := io.ReadFull(r, entry); err == io.EOF || err == io.ErrUnexpectedEOF {
			break
		} else if err != nil {
			return told, fmt.Errorf("read the symbols: %w", err)
		}
		start := uint64(order.Uint32(entry))
		if start >= uint64(len(text)) || !tells(text[start:]) {
			continue
		}
		name, _, ended := bytes.Cut(text[start:], []byte{0})
		if string(name) == versionSymbol {
			told.address = order.Uint64(entry[8:])
		}
		if all = all || !ended || len(told.parts) >= 2*maxTelling; !all {
			told.parts = append(told.parts, layers.Range{Offset: at, Size: elf.Sym64Size}, layers.Range{Offset: int64(names.Offset + start), Size: int64(len(name) + 1)})
		}
	}
	if all {
		told.parts = []layers.Range{
			{Offset: int64(symbols.Offset), Size: int64(symbols.FileSize)}, {Offset: int64(names.Offset), Size: int64(names.FileSize)},
		}
	}
	return told, nil
}

// stringAt is where in the file of a program the variable of type string is that
// has the address.
func stringAt(f *elf.File, address uint64) (layers.Range, bool) {
	for _, s := range f.Sections {
		if s.Flags&elf.SHF_WRITE != 0 && s.Type == elf.SHT_PROGBITS && address >= s.Addr && address-s.Addr < s.FileSize && s.Offset < 1<<40 {
			return layers.Range{Offset: int64(s.Offset + address - s.Addr), Size: 16}, true
		}
	}
	return layers.Range{}, false
}

// tells reports whether a name begins as one of those that say something.
func tells(name []byte) bool {
	return slices.ContainsFunc(tellingPrefixes, func(prefix []byte) bool { return bytes.HasPrefix(name, prefix) })
}
