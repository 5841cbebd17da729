package syftcatalog

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"encoding/binary"
	"io"
	"testing"

	"github.com/kastenhq/goversion/version"

	"github.com/portcullis-ci/portcullis/internal/layers"
)

func contentOf(data []byte) layers.Content {
	return layers.Content{SectionReader: io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data)))}
}

func TestAGoProgramWithoutItsSettingsHasTheSameModules(t *testing.T) {
	data := GoProgram(t, "")
	shown, ok := withoutCryptoSettings(contentOf(data)).(untyped)
	if !ok {
		t.Fatal("the program is shown as it is")
	}
	got, err := buildinfo.Read(shown)
	if err != nil {
		t.Fatal(err)
	}
	want, err := buildinfo.Read(bytes.NewReader(data))
	if err != nil || got.String() != want.String() {
		t.Errorf("build information:\n%s\nwant\n%s%v", got, want, err)
	}
	f, err := elf.NewFile(shown)
	if err != nil {
		t.Fatal(err)
	}
	if symbols, err := f.Symbols(); err == nil {
		t.Errorf("%d symbols are shown", len(symbols))
	}
	if _, err := version.ReadExeFromReader(shown); err != nil {
		t.Errorf("the cataloger will say that it cannot read it: %v", err)
	}
	whole, err := io.ReadAll(shown)
	changed := 0
	for i := range whole {
		if whole[i] != data[i] {
			changed++
		}
	}
	if err != nil || len(whole) != len(data) || changed == 0 || changed > 4*len(f.Progs)+4 {
		t.Errorf("%d of %d bytes are not as they were, %v", changed, len(data), err)
	}
}

func TestProgramsThatAreReadInAnotherWayKeepTheirSettings(t *testing.T) {
	data := GoProgram(t, "")
	change := func(edit func(data []byte, t sectionTable)) []byte {
		edited := bytes.Clone(data)
		table, err := readSectionTable(bytes.NewReader(edited))
		if err != nil {
			t.Fatal(err)
		}
		edit(edited, table)
		return edited
	}
	rename := func(name string) []byte {
		return change(func(data []byte, t sectionTable) {
			names := t.sections[t.names]
			at := bytes.Index(data[names.Off:names.Off+names.Size], []byte(name+"\x00"))
			data[int(names.Off)+at+1] = 'x'
		})
	}
	for name, data := range map[string][]byte{
		"no program":                  []byte("#!/bin/sh\n"),
		"a program cut off":           data[:len(data)/2],
		"no build id":                 rename(".note.go.buildid"),
		"no section of the build":     rename(".go.buildinfo"),
		"the mark of UPX":             change(func(data []byte, _ sectionTable) { copy(data[4096:], "UPX!") }),
		"build information elsewhere": change(func(data []byte, _ sectionTable) { data[bytes.Index(data, signatures[0].Bytes)+15] = 0 }),
		"compressed symbols": change(func(data []byte, t sectionTable) {
			for n, s := range t.sections {
				if elf.SectionType(s.Type) == elf.SHT_SYMTAB {
					binary.LittleEndian.PutUint64(data[t.at.Offset+int64(n*binary.Size(s))+8:], uint64(elf.SHF_COMPRESSED))
				}
			}
		}),
	} {
		if _, as := withoutCryptoSettings(contentOf(data)).(layers.Content); !as {
			t.Errorf("%s: it is not shown as it is", name)
		}
	}
}

// elfOf is a file of 64 bits with the sections of a Go program and that many
// segments, small enough to be changed at random.
func elfOf(t testing.TB, segments int) []byte {
	t.Helper()
	var names bytes.Buffer
	var sections []elf.Section64
	body := bytes.NewBuffer(make([]byte, binary.Size(elf.Header64{})))
	write := func(w *bytes.Buffer, values ...any) {
		for _, v := range values {
			if err := binary.Write(w, binary.LittleEndian, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	add := func(name string, kind elf.SectionType, content []byte) {
		sections = append(sections, elf.Section64{Name: uint32(names.Len()), Type: uint32(kind), Off: uint64(body.Len()), Size: uint64(len(content))})
		names.WriteString(name + "\x00")
		body.Write(content)
	}
	add("", elf.SHT_NULL, nil)
	add(".go.buildinfo", elf.SHT_PROGBITS, append(bytes.Clone(signatures[0].Bytes), 8, 2, 0, 0, 0))
	add(".note.go.buildid", elf.SHT_NOTE, make([]byte, 16))
	add(".symtab", elf.SHT_SYMTAB, make([]byte, elf.Sym64Size))
	sections[3].Link, sections[3].Entsize = 4, elf.Sym64Size
	names.WriteString(".names\x00")
	sections = append(sections, elf.Section64{Name: uint32(names.Len() - 7), Type: uint32(elf.SHT_STRTAB), Off: uint64(body.Len()), Size: uint64(names.Len())})
	body.Write(names.Bytes())
	h := elf.Header64{
		Ident: [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1}, Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: 1,
		Phoff: uint64(body.Len()), Phentsize: 56, Phnum: uint16(segments), Shentsize: 64, Shnum: uint16(len(sections)), Shstrndx: uint16(len(sections) - 1),
	}
	for range segments {
		write(body, elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R)})
	}
	h.Shoff = uint64(body.Len())
	write(body, sections)
	var head bytes.Buffer
	write(&head, h)
	return append(head.Bytes(), body.Bytes()[head.Len():]...)
}

func TestAProgramOfManySegmentsIsShownAsItIs(t *testing.T) {
	if _, hidden := withoutCryptoSettings(contentOf(elfOf(t, 10))).(untyped); !hidden {
		t.Error("the settings of a program of ten segments are shown")
	}
	if _, hidden := withoutCryptoSettings(contentOf(elfOf(t, 60_000))).(untyped); hidden {
		t.Error("each read goes through 60,000 segments")
	}
}

func FuzzExecutable(f *testing.F) {
	f.Add(elfOf(f, 2))
	f.Add([]byte("\x7fELF\x02\x01\x01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		size := int64(len(data))
		executableParts{}.Hold(bytes.NewReader(data), size)
		_, ranges, _ := executableParts{}.Keep(goBuildInfo, bytes.NewReader(data), size)
		if len(ranges) > 0 && len(data) == 0 {
			t.Error("parts of nothing are kept")
		}
		shown := withoutCryptoSettings(contentOf(data))
		got, err := io.ReadAll(shown)
		if err != nil || len(got) != len(data) {
			t.Errorf("%d of %d bytes are shown: %v", len(got), len(data), err)
		}
		if f, err := elf.NewFile(bytes.NewReader(got)); err == nil && f.SectionByType(elf.SHT_SYMTAB) != nil && !bytes.Equal(got, data) {
			t.Error("a program without its settings has symbols")
		}
	})
}

func TestManagersSayOfEachFileWhatManagedByDoes(t *testing.T) {
	var m managers
	for _, p := range []string{
		"/a", "a", "/var/lib/dpkg/status", "/var/lib/dpkg/info/a.list", "/var/lib/dpkg/status.d/a", "/var/lib/dpkg/status.d/b", "/var/lib/dpkg",
		"/root/usr/lib/apk/db/installed", "/lib/apk/db/installed", "/lib/apk/db/x/y", "/etc/passwd", "/var/lib/rpm/Packages", "/usr/lib/sysimage/rpm/rpmdb.sqlite",
	} {
		got, known := m.of(p)
		if want, ok := managedBy(p); got != want || known != ok {
			t.Errorf("%s: %v %v, want %v %v", p, got, known, want, ok)
		}
	}
}
