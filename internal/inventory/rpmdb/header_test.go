package rpmdb

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// entry is a tag with its values.
type entry struct {
	tag, kind, count uint32
	data             string
}

func numbers(tag uint32, values ...uint32) entry {
	var data []byte
	for _, v := range values {
		data = binary.BigEndian.AppendUint32(data, v)
	}
	return entry{tag, typeInt32, uint32(len(values)), string(data)}
}

func texts(tag uint32, values ...string) entry {
	return entry{tag, typeStringArray, uint32(len(values)), strings.Join(append(values, ""), "\x00")}
}

// headerOf lays a header out as the database has it.
func headerOf(entries ...entry) []byte {
	var index, data []byte
	for _, e := range entries {
		for len(data)%4 != 0 {
			data = append(data, 0)
		}
		for _, n := range []uint32{e.tag, e.kind, uint32(len(data)), e.count} {
			index = binary.BigEndian.AppendUint32(index, n)
		}
		data = append(data, e.data...)
	}
	blob := binary.BigEndian.AppendUint32(nil, uint32(len(entries)))
	blob = binary.BigEndian.AppendUint32(blob, uint32(len(data)))
	return append(append(blob, index...), data...)
}

// skippedOf lists the files of a header that are not verified.
func skippedOf(blob []byte) (out []string) {
	unverified(blob, func(path string) bool {
		out = append(out, path)
		return true
	})
	return out
}

func TestFilesWhoseDigestsAreNotVerified(t *testing.T) {
	const all, notDigest, onlyMode = 0xffffffff, 0xfffffffe, 2
	names := []entry{texts(tagBaseNames, "a", "b", "c"), texts(tagDirNames, "/usr/bin/", "/opt/"), numbers(tagDirIndexes, 0, 1, 0)}
	for name, tc := range map[string]struct {
		entries []entry
		want    []string
	}{
		"all are verified":                 {[]entry{numbers(tagFileFlags, 0, 0, 0), numbers(tagVerifyFlags, all, all, all)}, nil},
		"one is not":                       {[]entry{numbers(tagFileFlags, 0, 0, 0), numbers(tagVerifyFlags, all, notDigest, all)}, []string{"/opt/b"}},
		"one has only its mode verified":   {[]entry{numbers(tagFileFlags, 0, 2, 0), numbers(tagVerifyFlags, all, all, onlyMode)}, []string{"/usr/bin/c"}},
		"configuration and ghosts":         {[]entry{numbers(tagFileFlags, 1, 64, 16), numbers(tagVerifyFlags, notDigest, notDigest, all)}, nil},
		"a package that says nothing":      {nil, nil},
		"flags of fewer files":             {[]entry{numbers(tagFileFlags, 0, 0), numbers(tagVerifyFlags, notDigest, notDigest)}, nil},
		"flags of another type":            {[]entry{numbers(tagFileFlags, 0, 0, 0), {tagVerifyFlags, typeStringArray, 3, strings.Repeat("\x00", 12)}}, nil},
		"more flags than there are bytes":  {[]entry{numbers(tagFileFlags, 0, 0, 0), {tagVerifyFlags, typeInt32, 0xffffffff, strings.Repeat("\x00", 12)}}, nil},
		"what was added later replaces it": {[]entry{numbers(tagFileFlags, 0, 0, 0), numbers(tagVerifyFlags, notDigest, all, all), numbers(tagVerifyFlags, all, all, all)}, nil},
		"a directory that is not listed":   {[]entry{numbers(tagFileFlags, 0, 0, 0), numbers(tagVerifyFlags, notDigest, all, all), numbers(tagDirIndexes, 9, 1, 0)}, nil},
		"names without end":                {[]entry{numbers(tagFileFlags, 0, 0, 0), numbers(tagVerifyFlags, notDigest, all, all), {tagBaseNames, typeStringArray, 3, "a\x00b\x00c"}}, nil},
	} {
		if got := skippedOf(headerOf(slices.Concat(names, tc.entries)...)); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

func FuzzHeader(f *testing.F) {
	f.Add(headerOf(texts(tagBaseNames, "a", "b"), texts(tagDirNames, "/usr/bin/", "/opt/"), numbers(tagDirIndexes, 0, 1), numbers(tagFileFlags, 0, 2), numbers(tagVerifyFlags, 0, 0xfffffffe)))
	f.Add(headerOf(numbers(tagVerifyFlags, 0)))
	f.Add([]byte("\x00\x00\x00\x01\x7f\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, blob []byte) {
		files := skippedOf(blob)
		// Each file has a number of flags, so that there are not more of them.
		if len(files) > len(blob)/4 {
			t.Errorf("%d files in %d bytes", len(files), len(blob))
		}
		for _, p := range files {
			if len(p) > maxPath || strings.Contains(p, "\x00") {
				t.Errorf("%q is no path", p)
			}
		}
	})
}
