package manifest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"unicode/utf16"
	"unicode/utf8"
)

var (
	errEncoding = errors.New("the file is neither UTF-8 nor UTF-16 text")
	errUTF32    = errors.New("the file is UTF-32 text, which the API server's tools do not read; save it as UTF-8")
)

// toUTF8 removes a byte order mark and converts UTF-16, with or without one,
// as the YAML specification 1.2.2 section 5.2 prescribes.
func toUTF8(content []byte) ([]byte, error) {
	switch {
	case bytes.HasPrefix(content, []byte{0xEF, 0xBB, 0xBF}):
		content = content[3:]
	case bytes.HasPrefix(content, []byte{0, 0, 0xFE, 0xFF}), bytes.HasPrefix(content, []byte{0xFF, 0xFE, 0, 0}):
		return nil, errUTF32
	case bytes.HasPrefix(content, []byte{0xFE, 0xFF}):
		return fromUTF16(content[2:], binary.BigEndian)
	case bytes.HasPrefix(content, []byte{0xFF, 0xFE}):
		return fromUTF16(content[2:], binary.LittleEndian)
	case len(content) >= 2 && content[0] == 0 && content[1] != 0:
		return fromUTF16(content, binary.BigEndian)
	case len(content) >= 2 && content[0] != 0 && content[1] == 0:
		return fromUTF16(content, binary.LittleEndian)
	}
	if !utf8.Valid(content) {
		return nil, errEncoding
	}
	return content, nil
}

func fromUTF16(content []byte, order binary.ByteOrder) ([]byte, error) {
	if len(content)%2 != 0 {
		return nil, errEncoding
	}
	out := make([]byte, 0, len(content))
	for i := 0; i < len(content); i += 2 {
		r := rune(order.Uint16(content[i:]))
		if utf16.IsSurrogate(r) {
			if i+4 > len(content) {
				return nil, errEncoding
			}
			r = utf16.DecodeRune(r, rune(order.Uint16(content[i+2:])))
			if r == utf8.RuneError {
				return nil, errEncoding
			}
			i += 2
		}
		out = utf8.AppendRune(out, r)
	}
	return out, nil
}
