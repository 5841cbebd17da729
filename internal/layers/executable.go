package layers

import (
	"bytes"
	"strings"

	"github.com/gabriel-vasile/mimetype"

	"github.com/portcullis-ci/portcullis/internal/wordsearch"
)

// executableMagics are the first bytes of ELF, PE (MZ) and Mach-O files of
// both byte orders and widths and fat ones.
var executableMagics = [][]byte{
	[]byte("\x7fELF"), []byte("MZ"),
	{0xfe, 0xed, 0xfa, 0xce},
	{0xfe, 0xed, 0xfa, 0xcf},
	{0xce, 0xfa, 0xed, 0xfe},
	{0xcf, 0xfa, 0xed, 0xfe},
	{0xca, 0xfe, 0xba, 0xbe},
	{0xca, 0xfe, 0xba, 0xbf},
}

// executableType returns the MIME type of an executable by its first bytes,
// and "" for everything else. Nobody asks for other types.
func executableType(head []byte) string {
	for _, magic := range executableMagics {
		if !bytes.HasPrefix(head, magic) {
			continue
		}
		t, _, _ := strings.Cut(mimetype.Detect(head).String(), ";")
		switch t {
		case "application/x-java-applet", "application/octet-stream", "text/plain":
			return ""
		}
		return t
	}
	return ""
}

// Signature is a byte string that tells what is in an executable.
type Signature struct {
	// Bytes are at least two. The longer they are, the faster is the search.
	Bytes []byte
	// Within is the number of bytes from the beginning among which it counts;
	// 0 for all of them.
	Within int64
}

// signs are the signatures in a form that is fast to look for.
type signs struct {
	signatures []Signature
	// finder looks for those that count anywhere, which are anywhere by its
	// indexes.
	finder   *wordsearch.Finder
	anywhere []int
	// within is the largest Within.
	within int64
}

func newSigns(signatures []Signature) *signs {
	if len(signatures) == 0 {
		return nil
	}
	s := &signs{signatures: signatures}
	var words [][]byte
	for n, signature := range signatures {
		if signature.Within > 0 {
			s.within = max(s.within, signature.Within)
			continue
		}
		words, s.anywhere = append(words, signature.Bytes), append(s.anywhere, n)
	}
	if len(words) > 0 {
		s.finder = wordsearch.New(wordsearch.Words(words))
	}
	return s
}

// signSearch looks for signatures in one executable while it streams past.
type signSearch struct {
	*signs
	stream wordsearch.Stream
	hit    func(word, at int)
	// head is what the signatures with a limit are looked for in.
	head []byte
	set  uint32
}

func (s *signSearch) begin(of *signs) {
	if s.hit == nil {
		s.hit = func(word, _ int) { s.set |= 1 << s.anywhere[word] }
	}
	s.signs, s.head, s.set = of, s.head[:0], 0
	if of.finder != nil {
		s.stream.Reset(of.finder, s.hit)
	}
}

func (s *signSearch) write(data []byte) {
	if s.finder != nil {
		s.stream.Write(data)
	}
	if missing := s.within - int64(len(s.head)); missing > 0 {
		s.head = append(s.head, data[:min(int64(len(data)), missing)]...)
	}
}

// found returns the signatures that occurred, see Entry.Signs.
func (s *signSearch) found() uint32 {
	for n, signature := range s.signatures {
		if signature.Within > 0 && bytes.Contains(s.head[:min(int64(len(s.head)), signature.Within)], signature.Bytes) {
			s.set |= 1 << n
		}
	}
	return s.set
}
