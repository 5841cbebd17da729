package archive_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/archive"
)

// find gives a file to a Finder in pieces and returns what it takes for the
// archive.
func find(data []byte, piece int) (begun []byte, ended bool) {
	var f archive.Finder
	for at := 0; at < len(data); at += piece {
		before, rest := f.Write(data[at:min(at+piece, len(data))])
		begun = append(append(begun, before...), rest...)
	}
	return begun, f.Ended()
}

func TestAZipBehindSomethingElseIsFound(t *testing.T) {
	zipped := zipOf(t, text("a.env", "A=1 and some text\n"), text("b.env", "B=2 and more text\n"))
	behind := func(front string) []byte { return append([]byte(front), zipped...) }
	headless := bytes.ReplaceAll(zipped, []byte("PK\x03\x04"), []byte("PK\x03\x05"))
	late := bytes.Clone(zipped)
	copy(late, "XXXX")
	far := append(bytes.Clone(zipped), make([]byte, 70<<10)...)
	empty := []byte("PK\x05\x06" + string(make([]byte, 18)))
	for name, tc := range map[string]struct {
		data  []byte
		begun []byte
		ended bool
	}{
		"behind nothing":                  {zipped, zipped, true},
		"behind zeros":                    {behind("\x00\x00\x00\x00\x00"), zipped, true},
		"behind a text":                   {behind(strings.Repeat("# a script\n", 30_000)), zipped, true},
		"behind the letters":              {behind("PK PKPKPPK\x03\x04 PK\x03\x04PK\x05\x06PK"), zipped, true},
		"with a comment":                  {append(bytes.Clone(behind("x")[:len(zipped)-1]), append([]byte{9, 0}, "a comment"...)...), append(bytes.Clone(zipped[:len(zipped)-2]), append([]byte{9, 0}, "a comment"...)...), true},
		"in front of a line":              {append(behind("x"), '\n'), append(bytes.Clone(zipped), '\n'), true},
		"far in front of the end":         {append([]byte("x"), far...), far, false},
		"without the headers of files":    {append([]byte("x"), headless...), nil, true},
		"without the header of the first": {append([]byte("x"), late...), late[bytes.Index(late, []byte("PK\x03\x04")):], true},
		"without its list":                {behind("x")[:60], zipped[:59], false},
		"one without files":               {append([]byte("x"), empty...), nil, false},
		"a text about it":                 {[]byte("PK\x03\x04 begins a file, PK\x01\x02 an entry of the list, and PK\x05\x06 ends it as everybody knows\n"), nil, false},
		"a table of signatures":           {[]byte("PK\x03\x04PK\x05\x06PK\x07\x08PK\x01\x02" + string(make([]byte, 100))), nil, false},
		"nothing":                         {nil, nil, false},
	} {
		for _, piece := range []int{1, 7, 29, 30, 31, 64 << 10, 1 << 20} {
			begun, ended := find(tc.data, piece)
			if !bytes.Equal(begun, tc.begun) || ended != tc.ended {
				t.Errorf("%s in pieces of %d: %d bytes %.20q, ended = %v; want %d, %v", name, piece, len(begun), begun, ended, len(tc.begun), tc.ended)
			}
		}
	}
}

// locator is the record that leads to a list of the large form.
func locator(at uint64) string {
	record := append([]byte("PK\x06\x07"), make([]byte, 16)...)
	binary.LittleEndian.PutUint64(record[8:], at)
	return string(record)
}

func TestAListOfTheLargeFormEndsAnArchive(t *testing.T) {
	zipped := zipOf(t, text("a", "some text"))
	end := bytes.LastIndex(zipped, []byte("PK\x05\x06"))
	for name, change := range map[string]func(end []byte){
		"the number of files":       func(end []byte) { binary.LittleEndian.PutUint16(end[10:], 0xffff) },
		"the size of the list":      func(end []byte) { binary.LittleEndian.PutUint32(end[12:], 0xffffffff) },
		"the place where it stands": func(end []byte) { binary.LittleEndian.PutUint32(end[16:], 0xffffffff) },
	} {
		for _, front := range []struct {
			why, text string
			ended     bool
		}{
			{"a locator", locator(8), true},
			{"no locator", "", false},
			{"a locator a byte before", locator(8) + "x", false},
			{"a locator that leads behind itself", locator(1 << 40), false},
			{"a table of signatures", "PK\x06\x06PK\x06\x07PK\x07\x08", false},
		} {
			list := bytes.Clone(zipped[end:])
			change(list)
			data := slices.Concat([]byte("x"), zipped[:end], []byte(front.text), list)
			for _, piece := range []int{1, 7, 19, 21, 100, len(data)} {
				if _, ended := find(data, piece); ended != front.ended {
					t.Errorf("%s behind %s, in pieces of %d: ended = %v", name, front.why, piece, ended)
				}
			}
		}
	}
	binary.LittleEndian.PutUint32(zipped[end+16:], 1<<20)
	if _, ended := find(zipped, 100); ended {
		t.Error("a list that would stand behind its end ends an archive")
	}
}

func TestAZipBehindSomethingElseInAnArchive(t *testing.T) {
	a := text("a.env", "A=1 and some text\n")
	behind := func(front string) content { return content{"run", append([]byte(front), zipOf(t, a)...)} }
	program := "\x7fELF" + string(make([]byte, 50<<10))
	for name, tc := range map[string]struct {
		file        content
		names, gaps []string
	}{
		"close to the start":        {behind("JM\x01\x00"), []string{"run", "run!/a.env"}, nil},
		"behind a script":           {behind("#!/bin/sh\nexec unzip\n"), []string{"run", "run!/a.env"}, nil},
		"far behind the start":      {behind(program), []string{"run"}, []string{"run: " + archive.UnopenedReason}},
		"a program without one":     {content{"run", []byte(program)}, []string{"run"}, nil},
		"an archive behind nothing": {behind(""), []string{"run!/a.env"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, gaps := walk(t, "/x.tar", tarOf(t, tc.file), 64<<10)
			var names, texts []string
			for _, n := range got.names {
				before, _, _ := strings.Cut(n, " as ")
				names = append(names, before)
			}
			for _, g := range gaps {
				texts = append(texts, fmt.Sprint(g.Name, ": ", g.Reason))
			}
			if diff := cmp.Diff(tc.names, names); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			if !slices.Equal(tc.gaps, texts) {
				t.Errorf("gaps = %q, want %q", texts, tc.gaps)
			}
		})
	}
}

func TestAFileAroundAZipInAnArchiveIsShownAsAWhole(t *testing.T) {
	zipped := string(zipOf(t, text("a.env", "A=1 and some text\n")))
	const forged = "PK\x03\x04\x14\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x40\x00\x00\x00\x40\x00\x00\x00\x05\x00\x00\x00abcde"
	long := strings.Repeat("a line of text\n", 10_000)
	for name, tc := range map[string]struct {
		data    string
		names   []string
		gaps    int
		endless int
	}{
		"text behind the archive":       {"J" + zipped + "\nexport A=b\n", []string{"f", "f!/a.env"}, 0, 0},
		"much behind the archive":       {"J" + zipped + long, []string{"f", "f!/a.env"}, 0, 0},
		"a script around it":            {"#!/bin/sh\nunzip $0\n" + zipped + "\n", []string{"f", "f!/a.env"}, 0, 0},
		"one in another":                {"J" + string(storedZip(t, 0, 0, text("g", "K"+zipped+"end"))) + "end", []string{"f", "f!/g", "f!/g!/a.env"}, 0, 0},
		"a header with no archive":      {"one\ntwo " + forged + "\n" + long, []string{"f", "f!/abcde"}, 0, 1},
		"a script with a forged header": {"#!/bin/sh\n" + forged + long, []string{"f", "f!/abcde"}, 2, 1},
		"a damaged archive":             {"J" + strings.Replace(zipped, "a.env", "b.env", 1), []string{"f", "f!/b.env"}, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			got, gaps := walk(t, "/x.tar", tarOf(t, text("f", tc.data), text("last", "x")), 1000)
			var names []string
			for i, n := range got.names {
				n, _, _ = strings.Cut(n, " as ")
				if names = append(names, n); n == "f" && string(got.texts[i]) != tc.data {
					t.Errorf("%d bytes of it are shown, want %d", len(got.texts[i]), len(tc.data))
				}
			}
			if diff := cmp.Diff(append(tc.names, "last"), names); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			if len(gaps) != tc.gaps || got.endless != tc.endless {
				t.Errorf("gaps = %v, endless %d times; want %d and %d", gaps, got.endless, tc.gaps, tc.endless)
			}
		})
	}
}

// FuzzFinder has pieces of any size come to the same.
func FuzzFinder(f *testing.F) {
	zipped := zipOf(f, text("a", "some text"))
	f.Add(zipped, 7)
	f.Add(append([]byte("PPKPK\x03\x04"), zipped...), 1)
	f.Fuzz(func(t *testing.T, data []byte, piece int) {
		if piece <= 0 {
			return
		}
		begun, ended := find(data, piece)
		if whole, end := find(data, len(data)+1); !bytes.Equal(begun, whole) || ended != end {
			t.Errorf("%d bytes, ended = %v; at once %d, %v", len(begun), ended, len(whole), end)
		}
		if !bytes.HasSuffix(data, begun) {
			t.Error("what begins is no end of the file")
		}
	})
}
