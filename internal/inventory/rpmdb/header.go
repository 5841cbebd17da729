package rpmdb

import (
	"bytes"
	"encoding/binary"
	"path"
)

// The tags of a package's header that say which files it has and how they are
// verified, and the types of their values
// (https://rpm-software-management.github.io/rpm/manual/tags.html,
// https://rpm-software-management.github.io/rpm/manual/format_header.html).
const (
	tagFileFlags   = 1037
	tagVerifyFlags = 1045
	tagDirIndexes  = 1116
	tagBaseNames   = 1117
	tagDirNames    = 1118

	typeInt32       = 4
	typeStringArray = 8

	// headerEntry is the size of an entry of the index in bytes.
	headerEntry = 16
	// verifyDigest is the flag of files whose digest is verified, and mayChange
	// are those of configuration and of files that the package only names.
	verifyDigest = 1
	mayChange    = 1 | 64
	// maxPath is the length of a path in bytes beyond which no system opens it.
	maxPath = 4096
)

// header is the header of one package as the database has it: numbers of entries
// and of bytes, the entries (tag, type, offset, count), and the values.
type header struct{ index, data []byte }

// parseHeader takes a header apart. What is not one has no entries.
func parseHeader(blob []byte) header {
	if len(blob) < 8 {
		return header{}
	}
	entries, size := int64(binary.BigEndian.Uint32(blob)), int64(binary.BigEndian.Uint32(blob[4:]))
	start := 8 + entries*headerEntry
	if start+size > int64(len(blob)) {
		return header{}
	}
	return header{index: blob[8:start], data: blob[start : start+size]}
}

// value returns where the values of a tag begin and how many there are. What was
// added after the package was built stands behind, and counts.
func (h header) value(tag, kind uint32) (data []byte, count int64) {
	for at := 0; at < len(h.index); at += headerEntry {
		entry := h.index[at : at+headerEntry]
		offset := int64(binary.BigEndian.Uint32(entry[8:]))
		if binary.BigEndian.Uint32(entry) != tag || binary.BigEndian.Uint32(entry[4:]) != kind || offset > int64(len(h.data)) {
			continue
		}
		data, count = h.data[offset:], int64(binary.BigEndian.Uint32(entry[12:]))
	}
	return data, count
}

// numbers returns the values of a tag of 32-bit numbers, still as bytes.
func (h header) numbers(tag uint32) []byte {
	data, count := h.value(tag, typeInt32)
	if 4*count > int64(len(data)) {
		return nil
	}
	return data[:4*count]
}

// texts returns the values of a tag of strings.
func (h header) texts(tag uint32) [][]byte {
	data, count := h.value(tag, typeStringArray)
	if count > int64(len(data)) {
		return nil
	}
	out := make([][]byte, 0, count)
	for range count {
		text, rest, ended := bytes.Cut(data, []byte{0})
		if !ended {
			return nil
		}
		out, data = append(out, text), rest
	}
	return out
}

// unverified calls yield with the files of a package whose digests are not
// verified, until it returns false. Where the header contradicts itself it names
// none, so that all files are compared.
func unverified(blob []byte, yield func(path string) bool) {
	h := parseHeader(blob)
	verify, flags := h.numbers(tagVerifyFlags), h.numbers(tagFileFlags)
	if len(verify) != len(flags) {
		return
	}
	var files []int
	for at := 3; at < len(verify); at += 4 {
		if verify[at]&verifyDigest == 0 && flags[at]&mayChange == 0 {
			files = append(files, at/4)
		}
	}
	if len(files) == 0 {
		return
	}
	bases, dirs, indexes := h.texts(tagBaseNames), h.texts(tagDirNames), h.numbers(tagDirIndexes)
	if len(verify) != 4*len(bases) || len(verify) != len(indexes) {
		return
	}
	for _, i := range files {
		dir := int64(binary.BigEndian.Uint32(indexes[4*i:]))
		if dir >= int64(len(dirs)) || len(dirs[dir])+len(bases[i]) > maxPath {
			continue
		}
		if !yield(path.Join(string(dirs[dir]), string(bases[i]))) {
			return
		}
	}
}
