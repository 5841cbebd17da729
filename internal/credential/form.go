package credential

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// form is the shape of a token: literal texts and runs of characters of a
// class. It matches at one place, greedily and without going back, in a time
// that grows with the token alone.
type form []part

// part is a literal, or a run of min to max characters of a set.
type part struct {
	literal  string
	set      *charset
	min, max int
}

// charset is a set of bytes.
type charset [256 / 64]uint64

func (s *charset) has(c byte) bool { return s[c>>6]&(1<<(c&63)) != 0 }

func (s *charset) size() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// list is the set's members; nil, which stands for all bytes, remains nil.
func (s *charset) list() (out []byte) {
	if s == nil {
		return nil
	}
	for c := range 256 {
		if s.has(byte(c)) {
			out = append(out, byte(c))
		}
	}
	return out
}

func newCharset(ranges string) *charset {
	s := &charset{}
	for i := 0; i < len(ranges); i += 2 {
		for c := int(ranges[i]); c <= int(ranges[i+1]); c++ {
			s[c>>6] |= 1 << (c & 63)
		}
	}
	return s
}

// charsets are the classes that forms are written with.
var charsets = map[byte]*charset{
	'w': newCharset("azAZ09"),
	's': newCharset("azAZ09__--"),
	't': newCharset("azAZ09__--..==~~"),
	'b': newCharset("azAZ09++//"),
	'l': newCharset("az09"),
	'u': newCharset("AZ09"),
	'n': newCharset("AZ27"),
	'h': newCharset("af09"),
	'H': newCharset("afAF09"),
	'x': newCharset("azAZ"),
	'd': newCharset("09"),
}

// parseForm reads a form: text stands for itself, {w36} for 36 characters of
// the class w, {s20,300} for 20 to 300.
func parseForm(s string) form {
	var f form
	for s != "" {
		literal, rest, run := strings.Cut(s, "{")
		if literal != "" {
			f = append(f, part{literal: literal})
		}
		if !run {
			break
		}
		spec, after, ok := strings.Cut(rest, "}")
		least, most, ranged := strings.Cut(spec[1:], ",")
		if !ranged {
			most = least
		}
		lo, err1 := strconv.Atoi(least)
		hi, err2 := strconv.Atoi(most)
		if !ok || err1 != nil || err2 != nil || charsets[spec[0]] == nil {
			panic(fmt.Sprintf("credential: bad form %q", s))
		}
		f = append(f, part{set: charsets[spec[0]], min: lo, max: hi})
		s = after
	}
	return f
}

// match returns the length of the token at the start of data, or 0. A run that
// goes on beyond its greatest length is no token.
func (f form) match(data []byte) int {
	at := 0
	for i, p := range f {
		if p.set == nil {
			if len(data)-at < len(p.literal) || string(data[at:at+len(p.literal)]) != p.literal {
				return 0
			}
			at += len(p.literal)
			continue
		}
		n := 0
		for n < p.max && at+n < len(data) && p.set.has(data[at+n]) {
			n++
		}
		if n < p.min {
			return 0
		}
		at += n
		if i == len(f)-1 && at < len(data) && (p.set.has(data[at]) || isWord(data[at])) {
			return 0
		}
	}
	return at
}

// prefix is the literal at the start.
func (f form) prefix() string { return f[0].literal }

// after is what may follow the prefix.
func (f form) after() *charset {
	if len(f) > 1 && f[1].min > 0 {
		return f[1].set
	}
	return nil
}

// alphabet is the size of the largest set of the form.
func (f form) alphabet() int {
	n := 0
	for _, p := range f {
		if p.set != nil {
			n = max(n, p.set.size())
		}
	}
	return n
}

func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}
