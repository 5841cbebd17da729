package credential

import (
	"bytes"
	"fmt"

	"github.com/portcullis-ci/portcullis/internal/wordsearch"
)

const (
	// keepBefore and keepAfter are how much of a file is seen around a keyword
	// when the file is larger than one piece: names and key ids before, private
	// keys and service account files behind.
	keepBefore = 1 << 10
	keepAfter  = maxKey
	// piece is how much of a file is looked at in one go. Almost all files are
	// smaller.
	piece = 256 << 10
)

// Limits of what is looked at of one file.
const (
	// MaxText is for texts. Larger ones are dumps and logs, for which the
	// first part has to speak.
	MaxText = 64 << 20
	// MaxBinary is for everything else.
	MaxBinary = 512 << 20
)

// Scanner looks for credentials in the contents of files as they stream past.
// It keeps one piece of a file at a time and is used for many files, one after
// the other, without allocating for each.
type Scanner struct {
	engine *engine
	search search
	buf    []byte
	// done is up to where in buf keywords have been looked at, base the offset
	// in the file at which buf begins.
	done int
	base int64
	// line counts the line ends before counted, an offset in the file.
	line    int
	counted int64
	limit   int64
	cut     bool
	path    string
	folder  folder
	wide    wide
	found   []Match
	// told is set while the keywords of the file are told, told and not yet looked
	// at are those in keywords.
	told     bool
	keywords []told
}

// told is a keyword, by its index, and where in the file it begins.
type told struct {
	keyword int
	at      int64
}

// NewScanner makes a scanner.
func NewScanner() *Scanner {
	return &Scanner{engine: theEngine(), buf: make([]byte, 0, piece+keepBefore+keepAfter)}
}

// Begin starts a file. The head is the first part of its content, which is
// given again to Write.
func (s *Scanner) Begin(path string, head []byte) {
	s.wide, s.path = wideOf(head), path
	s.search = search{place: s.folder.place(path, s.wide.peek(head)), found: s.search.found[:0]}
	s.buf, s.found = s.buf[:0], s.found[:0]
	s.done, s.base, s.line, s.counted, s.cut = 0, 0, 1, 0, false
	s.told, s.keywords = false, s.keywords[:0]
	s.limit = MaxText
	if s.search.place.text == binaryText {
		s.limit = MaxBinary
	}
}

// BinaryWords are the keywords in binaries, see Scanner.Tell.
func BinaryWords() []wordsearch.Word { return wordsOf(theEngine().binary.keywords) }

// Tell says that Found will be called for the keywords if the current file is a
// binary, so that the scanner need not look for them.
func (s *Scanner) Tell() { s.told = s.search.place.text == binaryText && !s.wide.on }

// Found takes the place of one of BinaryWords in the current file. All those that
// end in a part of the file are told before that part is written.
func (s *Scanner) Found(word int, at int64) {
	if s.told && !s.cut {
		s.keywords = append(s.keywords, told{word, at})
	}
}

// Write takes the next part of the file.
func (s *Scanner) Write(data []byte) {
	data = s.wide.narrow(data)
	for len(data) > 0 {
		if s.base+int64(len(s.buf)) >= s.limit {
			s.cut = true
			return
		}
		room := cap(s.buf) - len(s.buf)
		n := min(room, len(data))
		s.buf = append(s.buf, data[:n]...)
		data = data[n:]
		if n == room {
			s.look(len(s.buf) - keepAfter)
			s.shift()
		}
	}
}

// End ends the file and returns what was found, in the order of places, and
// whether the file was larger than the limit. The slice is valid until the
// next Begin.
func (s *Scanner) End() (found []Match, cut bool) {
	s.look(len(s.buf))
	if s.base == 0 && len(s.found) == 0 {
		if k, ok := keyFile(s.buf); ok {
			m := keyMatch(k)
			m.Line, m.Redacted = 1, fmt.Sprintf("… (a file of %d bytes)", len(s.buf))
			s.search.found = s.search.found[:0]
			s.search.add(m, 0, len(s.buf))
			s.found = append(s.found, s.search.found...)
		}
		if !s.search.place.trial {
			s.addNamedFile()
		}
	}
	s.found = distinct(s.found)
	return s.found, s.cut
}

// Holds reports whether the scanner will hold all of the current file, which has
// so many bytes, at its end.
func (s *Scanner) Holds(size int64) bool { return !s.wide.on && size < int64(cap(s.buf)) }

// Content is what the scanner holds of the current file, until the next one
// begins.
func (s *Scanner) Content() []byte { return s.buf }

// PassedOver reports whether the file holds what looks like a password in a URL
// and was not found for one, since the file is a test, a text, or that of a
// published package. It may be one all the same, and is not to be spread.
func (s *Scanner) PassedOver() bool { return s.search.passedOver }

func (s *Scanner) addNamedFile() {
	s.search.found = s.search.found[:0]
	for _, m := range namedFile(s.path, s.buf) {
		m.Line = s.lineAt(int(m.Offset))
		s.search.add(m, int(m.Offset), m.Length)
	}
	s.found = append(s.found, s.search.found...)
}

// look looks at the keywords up to a place in the buffer.
func (s *Scanner) look(to int) {
	if to <= s.done {
		return
	}
	s.search.data = s.buf
	s.search.found = s.search.found[:0]
	if s.told {
		s.takeTold(to)
	} else {
		s.search.run(s.engine, s.done, to)
	}
	for _, m := range distinct(s.search.found) {
		m.Line = s.lineAt(int(m.Offset))
		m.Offset += s.base
		if len(s.found) < maxMatches {
			s.found = append(s.found, m)
		}
	}
	s.done = to
}

// takeTold looks at the keywords that were told up to a place in the buffer.
func (s *Scanner) takeTold(to int) {
	left := s.keywords[:0]
	for _, k := range s.keywords {
		if k.at-s.base >= int64(to) {
			left = append(left, k)
			continue
		}
		s.engine.actions[s.engine.binary.keywords[k.keyword].action].run(&s.search, int(k.at-s.base))
	}
	s.keywords = left
}

// lineAt counts lines up to a place in the buffer. Places come in order.
func (s *Scanner) lineAt(at int) int {
	from := int(s.counted - s.base)
	if at > from {
		s.line += bytes.Count(s.buf[from:at], []byte{'\n'})
		s.counted = s.base + int64(at)
		return s.line
	}
	return s.line - bytes.Count(s.buf[at:from], []byte{'\n'})
}

// shift drops what has been looked at, but for what may stand before the next
// keyword.
func (s *Scanner) shift() {
	drop := s.done - keepBefore
	if drop <= 0 {
		return
	}
	if from := int(s.counted - s.base); from < drop {
		s.line += bytes.Count(s.buf[from:drop], []byte{'\n'})
		s.counted = s.base + int64(drop)
	}
	n := copy(s.buf, s.buf[drop:])
	s.buf = s.buf[:n]
	s.base += int64(drop)
	s.done -= drop
	s.search.covered.from = max(0, s.search.covered.from-drop)
	s.search.covered.to = max(0, s.search.covered.to-drop)
}
