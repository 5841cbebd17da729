package archive

import (
	"bytes"
	"path"
	"slices"
	"strings"
)

// form is what a content is.
type form string

const (
	file    form = ""
	isZip   form = "zip"
	isTar   form = "tar"
	isCPIO  form = "cpio"
	isDeb   form = "deb"
	isRPM   form = "rpm"
	isGzip  form = "gzip"
	isZstd  form = "zstd"
	isXZ    form = "xz"
	isBzip2 form = "bzip2"
	isLZ4   form = "lz4"
)

// magics are the first bytes of the forms. Those without a constant are not
// read: they need random access, or nothing that is maintained reads them.
var magics = []struct {
	form  form
	magic string
}{
	{isZip, "PK\x03\x04"},
	{isZip, "PK\x05\x06"},
	{isZip, "PK\x07\x08PK"},
	{isGzip, "\x1f\x8b\x08"},
	{isZstd, "\x28\xb5\x2f\xfd"},
	{isXZ, "\xfd7zXZ\x00"},
	{isLZ4, "\x04\x22\x4d\x18"},
	{isDeb, "!<arch>\ndebian-binary"},
	{isRPM, "\xed\xab\xee\xdb"},
	{isCPIO, "070701"},
	{isCPIO, "070702"},
	{"7z", "7z\xbc\xaf\x27\x1c"},
	{"rar", "Rar!\x1a\x07"},
	{"lzip", "LZIP\x01"},
	{"lz4 of old", "\x02\x21\x4c\x18"},
	{"compress", "\x1f\x9d\x90"},
}

// firstBytes are those of all magics. Most files begin with none of them.
const firstBytes = "P\x1f\x28\xfd\x04!\xed07RL\x02"

// zipNames are suffixes of zip archives that may begin with a program which
// unpacks or runs them.
var zipNames = []string{".jar", ".war", ".ear", ".pyz", ".pex"}

// lzmaNames are suffixes of files in lzma's old form, which has no magic.
var lzmaNames = []string{".lzma", ".tlz"}

func formOf(head []byte, name string) form {
	if len(head) == 0 {
		return file
	}
	for _, m := range magics {
		if strings.IndexByte(firstBytes, head[0]) < 0 {
			break
		}
		if !bytes.HasPrefix(head, []byte(m.magic)) {
			continue
		}
		if m.form == isCPIO && !isCPIOHeader(head) {
			return file
		}
		return m.form
	}
	switch {
	case isTarHeader(head):
		return isTar
	case isBzip2Header(head):
		return isBzip2
	case len(head) > 0 && head[0] == 0x5d && slices.Contains(lzmaNames, strings.ToLower(path.Ext(name))):
		return "lzma"
	case bytes.HasPrefix(head, []byte("#!")) && (slices.Contains(zipNames, strings.ToLower(path.Ext(name))) || bytes.Contains(head, []byte("PK\x03\x04"))):
		return isZip
	}
	return file
}

// isBzip2Header tells a file of bzip2 by its first block, or by the end of one
// without any: three letters alone are found in texts.
func isBzip2Header(head []byte) bool {
	return len(head) >= 10 && bytes.HasPrefix(head, []byte("BZh")) && (string(head[4:10]) == "1AY&SY" || string(head[4:10]) == "\x17rE8P\x90")
}

// Packed reports whether a file by its name and its first bytes is an archive
// or packed, so that its text cannot be seen. What cannot be read of it is in
// the gaps.
func Packed(head []byte, name string) bool { return formOf(head, name) != file }
