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
