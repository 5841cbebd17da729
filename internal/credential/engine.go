package credential

import (
	"bytes"
	"encoding/base64"
	"slices"
	"sync"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// action looks at the place where its keyword stands and adds what it finds.
type action struct {
	keyword string
	fold    bool
	// before and after are as in keyword.
	before, after *charset
	// binary actions run in files that are no text as well.
	binary bool
	run    func(*search, int)
}

// engine is the table of all actions with the prefilters that lead to them. It
// is immutable.
type engine struct {
	actions      []action
	text, binary *prefilter
}

// theEngine builds the tables on first use, since most commands need none.
var theEngine = sync.OnceValue(newEngine)

func newEngine() *engine {
	e := &engine{}
	for _, d := range library() {
		for _, prefix := range d.prefixes {
			a := action{keyword: prefix, before: tokenStart, binary: !d.rough, run: d.look}
			if d.proves {
				a.before = nil
			}
			e.add(a)
		}
	}
	for _, f := range append(slices.Clone(formats), awsKey) {
		for _, text := range f.forms {
			shape := parseForm(text)
			look := func(s *search, at int) { s.addForm(f, shape, at) }
			if f.kind == awsKey.kind {
				look = func(s *search, at int) { s.addAWS(shape, at) }
			}
			a := action{keyword: shape.prefix(), before: tokenStart, after: shape.after(), binary: !f.rough, run: look}
			if f.glued {
				a.before = nil
			}
			e.add(a)
		}
	}
	e.add(action{keyword: ".atlasv1.", binary: true, run: func(s *search, at int) {
		s.addForm(format{kind: "Terraform Cloud token", shown: -1}, terraform, at-14)
	}})
	e.add(action{keyword: "T3BlbkFJ", binary: true, run: func(s *search, at int) {
		s.addForm(format{kind: "OpenAI key"}, openAI, at-len("sk-")-20)
	}})
	for digit := '0'; digit <= '9'; digit++ {
		e.add(action{keyword: string(digit) + "Q~", before: charsets['t'], after: charsets['t'], run: func(s *search, at int) {
			s.addForm(format{kind: "Microsoft Entra client secret", shown: -1, check: checkEntra}, azureSecret, at-3)
		}})
	}
	e.addAzureKeys()
	e.add(action{keyword: ":AA", before: charsets['d'], after: charsets['s'], run: (*search).addTelegram})
	for _, head := range []string{"-----BEGIN ", "PuTTY-User-Key-File-"} {
		e.add(action{keyword: head, binary: true, run: (*search).addKey})
	}
	e.add(action{keyword: "LS0tLS1CRUdJTi", run: (*search).addEncodedKey})
	e.add(action{keyword: "://", before: schemeEnd, run: (*search).addURL})
	e.add(action{keyword: "authorization", fold: true, run: (*search).addHeader})
	e.add(action{keyword: "curl ", run: (*search).addUser})
	for _, command := range []string{"mysql", "mariadb", "sshpass"} {
		e.add(action{keyword: command, run: (*search).addPasswordOption})
	}
	for _, word := range []string{"pass", "secret", "token", "apikey", "api_key", "api-key", "accesskey", "privatekey", "credential", "pwd", "bindpw", "rootpw", "_key", "auth"} {
		e.add(action{keyword: word, fold: true, run: (*search).addSetting})
	}
	e.build()
	return e
}

func (e *engine) add(a action) { e.actions = append(e.actions, a) }

func (e *engine) build() {
	var all, binary []keyword
	for i, a := range e.actions {
		k := keyword{text: a.keyword, fold: a.fold, before: a.before, after: a.after, action: i}
		all = append(all, k)
		if a.binary {
			binary = append(binary, k)
		}
	}
	e.text, e.binary = newPrefilter(all), newPrefilter(binary)
}

// maxMatches bounds what is reported of one file; a file with more is a list
// of them, and the first ones say so.
const maxMatches = 64

// search is one run over a piece of a text.
type search struct {
	// data is the text, and place what it is part of.
	data  []byte
	place place
	// tokensOnly leaves out names and their values.
	tokensOnly bool
	// covered is the name of the last setting that was looked at, so that a
	// name with two telling words is read once.
	covered struct{ from, to int }
	found   []Match
	// passedOver is set where a password in a URL is none by its place.
	passedOver bool
}

// run looks at every keyword in data[from:to].
func (s *search) run(e *engine, from, to int) {
	filter := e.text
	if s.place.text == binaryText {
		filter = e.binary
	}
	filter.each(s.data, from, to, func(k, at int) {
		e.actions[filter.keywords[k].action].run(s, at)
	})
}

func (s *search) add(m Match, start, length int) {
	if len(s.found) >= maxMatches {
		return
	}
	m.Offset, m.Length = int64(start), length
	if s.place.trial && (m.Class != Token || m.Kind == jsonWebToken) {
		m.Severity = min(m.Severity, finding.Low) // everybody can make a JSON web token
	}
	if s.place.trial && m.Class == Token && !m.Sure() {
		m.Severity = min(m.Severity, finding.Medium)
	}
	s.found = append(s.found, m)
}

var (
	// tokenStart is what may stand before a token, see starts: no letter, but
	// for the ends of escapes.
	tokenStart = newCharset("\x00/09:@[`{\xffafAFnnrrtt")
	// schemeEnd is what the scheme of a URL may end with.
	schemeEnd = newCharset("azAZ09++--..")
)

// starts reports whether a token may begin at a place: not inside a word. The
// end of an escape (\n, %3D) is no part of a word.
func (s *search) starts(at int) bool {
	if at == 0 {
		return true
	}
	prev := s.data[at-1]
	if !isWord(prev) && (prev != '-' || at < 2 || !isWord(s.data[at-2])) {
		return true
	}
	if at >= 2 && s.data[at-2] == '\\' && bytes.IndexByte([]byte("nrt"), prev) >= 0 {
		return true
	}
	return at >= 3 && s.data[at-3] == '%' && charsets['H'].has(s.data[at-2]) && charsets['H'].has(prev)
}

func (d detector) look(s *search, at int) {
	if !d.proves && !s.starts(at) {
		return
	}
	value, length := d.detect(s.data[at:])
	if d.rough && wrapped(s.data, at, length) {
		return
	}
	if length == 0 || length < d.least || !d.proves && runsOn(s.data, at+length) {
		return
	}
	if !d.proves && madeUp(body(value, d.prefixes), 36) {
		return
	}
	m := Match{Class: Token, Kind: d.kind, Severity: finding.Critical, Redacted: redactToken(d.prefixes[0], value), Fingerprint: fingerprint(value, false)}
	if d.severity != finding.Unknown {
		m.Severity = d.severity
	}
	if d.proves {
		m.Facts = []finding.Fact{{Name: checksumFact, Value: "the token's own checksum holds"}}
	}
	s.add(m, at, length)
}

func (s *search) addForm(f format, shape form, at int) {
	if at < 0 || !f.glued && !s.starts(at) {
		return
	}
	length := shape.match(s.data[at:])
	if length == 0 {
		return
	}
	value := string(s.data[at : at+length])
	if f.rough && wrapped(s.data, at, length) {
		return
	}
	m := Match{Class: Token, Kind: f.kind, Severity: finding.Critical, Redacted: redactToken(shape.prefix(), value), Fingerprint: fingerprint(value, false)}
	if f.shown < 0 {
		m.Redacted = redactToken("", value)
	}
	if f.severity != finding.Unknown {
		m.Severity = f.severity
	}
	if f.check != nil {
		v := f.check(value)
		if v.reject {
			return
		}
		m.Facts, m.Expires = v.facts, v.expires
		if v.severity != finding.Unknown {
			m.Severity = v.severity
		}
	}
	if !m.Sure() && madeUp(value[len(shape.prefix()):], shape.alphabet()) {
		return
	}
	s.add(m, at, length)
}

// addTelegram looks at the token of a Telegram bot: the bot's number, a colon
// and 35 characters of which the first two are AA.
func (s *search) addTelegram(at int) {
	start := at
	for start > 0 && at-start < 11 && charsets['d'].has(s.data[start-1]) {
		start--
	}
	s.addForm(format{kind: "Telegram bot token", shown: -1}, telegram, start)
}

// awsNear is how far from a key id its secret is looked for: settings and code
// name one right after the other.
const awsNear = 400

// addAWS takes a key id with the secret close by, or the id alone.
func (s *search) addAWS(shape form, at int) {
	length := shape.match(s.data[at:])
	if length == 0 || !s.starts(at) {
		return
	}
	id := string(s.data[at : at+length])
	v := checkAWSKey(id)
	if v.reject || madeUp(id[4:], 32) {
		return
	}
	m := Match{Class: Token, Kind: "AWS access key id", Severity: finding.Medium, Redacted: redactToken(id[:4], id), Fingerprint: fingerprint(id, false), Facts: v.facts}
	start := at
	if secret, n := s.awsSecret(at, length); n > 0 {
		m.Kind, m.Severity = "AWS access key", finding.Critical
		m.Fingerprint = fingerprint(id+string(s.data[secret:secret+n]), false)
		start, length = secret, n
	}
	s.add(m, start, length)
}

// awsSecret finds the nearest text of forty characters of base 64 that is as
// varied as chance makes it, and no digest.
func (s *search) awsSecret(id, length int) (at, n int) {
	from, to := max(0, id-awsNear), min(len(s.data), id+length+awsNear)
	best := awsNear + 1
	for i := from; i < to; i++ {
		if !charsets['b'].has(s.data[i]) || i > 0 && (charsets['b'].has(s.data[i-1]) || s.data[i-1] == '_') {
			continue
		}
		if awsSecret.match(s.data[i:]) == 0 {
			continue
		}
		c := classesOf(string(s.data[i : i+40]))
		if c.lower == 0 || c.upper == 0 || c.digits == 0 || madeUp(string(s.data[i:i+40]), 64) {
			continue
		}
		if distance := max(i-id, id-i); distance < best {
			at, n, best = i, 40, distance
		}
	}
	return at, n
}

func (s *search) addKey(at int) {
	k, length, err := privateKeyAt(s.data[at:])
	if err != nil {
		return
	}
	m := keyMatch(k)
	if near := s.data[max(0, at-600):min(len(s.data), at+length+600)]; bytes.Contains(near, []byte(`client_email`)) && bytes.Contains(near, []byte("service_account")) {
		m.Kind, m.Severity = "Google service account key", finding.Critical
	}
	s.add(m, at, length)
}

// addEncodedKey looks into base 64 that begins like PEM: keys in kubeconfig
// files and Secrets.
func (s *search) addEncodedKey(at int) {
	end := at
	for end < len(s.data) && end-at < 2*maxKey && (charsets['b'].has(s.data[end]) || s.data[end] == '=') {
		end++
	}
	plain, err := base64.StdEncoding.DecodeString(string(s.data[at:end]))
	if err != nil {
		return
	}
	if k, _, err := privateKeyAt(plain); err == nil {
		s.add(keyMatch(k), at, end-at)
	}
}

func (s *search) addURL(at int) {
	start, end, documented, ok := urlAt(s.data, at)
	if !ok {
		return
	}
	m, ok := passwordInURL(string(s.data[start:end]), documented)
	if !ok {
		return
	}
	if s.place.trial || (s.place.foreign || s.place.text == proseText) && !random(string(s.data[start:end])) {
		s.passedOver = true
		return
	}
	s.add(m, start, end-start)
}

func (s *search) addSetting(at int) {
	if s.tokensOnly || at >= s.covered.from && at < s.covered.to {
		return
	}
	set, ok := settingAt(s.data, at, s.place)
	if !ok {
		return
	}
	s.covered.from, s.covered.to = set.from, set.start
	if m, ok := judgeSetting(set, s.place); ok {
		s.add(m, set.start, set.end-set.start)
	}
}

// priority orders classes by how much they tell about one place.
var priority = map[Class]int{Token: 3, PrivateKey: 2, URLPassword: 1}

// distinct sorts matches by place and leaves one of those that overlap.
func distinct(found []Match) []Match {
	slices.SortStableFunc(found, func(a, b Match) int {
		if a.Offset != b.Offset {
			return int(a.Offset - b.Offset)
		}
		return priority[b.Class] - priority[a.Class]
	})
	out := found[:0]
	for _, m := range found {
		if n := len(out); n > 0 && m.Offset < out[n-1].Offset+int64(out[n-1].Length) {
			if priority[m.Class] > priority[out[n-1].Class] {
				out[n-1] = m
			}
			continue
		}
		out = append(out, m)
	}
	return out
}
