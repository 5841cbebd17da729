package sarif

import (
	"strconv"
	"unicode/utf16"
)

const (
	hashWindow = 100
	hashBase   = 37
	endOfFile  = 65535
)

// lineHashes returns for each line of a file, from index 1, the value that
// GitHub's upload step computes as primaryLocationLineHash: a rolling hash
// (base 37, modulo 2^64) of the hundred UTF-16 units from the start of the
// line on, blanks and tabs left out and each line end taken as one LF, with
// ":n" to tell equal hashes in one file apart. The algorithm is that of
// https://github.com/github/codeql-action/blob/main/src/fingerprints.ts
func lineHashes(text string) []string {
	h := lineHasher{seen: make(map[uint64]int), top: 1, atStart: true, hashes: []string{""}}
	for range hashWindow {
		h.top *= hashBase
	}
	for _, unit := range utf16.Encode([]rune(text)) {
		h.feed(unit)
	}
	h.feed(endOfFile)
	for range hashWindow {
		h.flush()
		h.push(0)
	}
	return h.hashes
}

type lineHasher struct {
	window  [hashWindow]uint64
	starts  [hashWindow]int // the line that starts at a place of the window
	index   int
	hash    uint64
	top     uint64 // hashBase to the power of hashWindow
	line    int
	atStart bool
	afterCR bool
	seen    map[uint64]int
	hashes  []string
}

func (h *lineHasher) feed(unit uint16) {
	if unit == ' ' || unit == '\t' || (h.afterCR && unit == '\n') {
		h.afterCR = false
		return
	}
	h.afterCR = unit == '\r'
	if h.afterCR {
		unit = '\n'
	}
	h.flush()
	if h.atStart {
		h.atStart = false
		h.line++
		h.starts[h.index] = h.line
		h.hashes = append(h.hashes, "")
	}
	if unit == '\n' {
		h.atStart = true
	}
	h.push(uint64(unit))
}

// flush notes the hash of the line that started a full window ago.
func (h *lineHasher) flush() {
	line := h.starts[h.index]
	if line == 0 {
		return
	}
	h.seen[h.hash]++
	h.hashes[line] = strconv.FormatUint(h.hash, 16) + ":" + strconv.Itoa(h.seen[h.hash])
	h.starts[h.index] = 0
}

func (h *lineHasher) push(unit uint64) {
	old := h.window[h.index]
	h.window[h.index] = unit
	h.hash = hashBase*h.hash + unit - h.top*old
	h.index = (h.index + 1) % hashWindow
}
