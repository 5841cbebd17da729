package imageconfig

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/credential"
)

func checkHistory(p *pass) {
	if p.image() == nil {
		return
	}
	now := p.configured()
	for i, h := range p.image().History {
		entry, step := "history entry "+strconv.Itoa(i), instruction(h.CreatedBy)
		if found, metadata := inMetadata(step); metadata {
			for _, c := range found {
				// The rest is in the configuration, which other rules judge.
				if !now[c.value] {
					p.reportSecret(c.Match, entry, c.name, i)
				}
			}
		} else {
			p.checkStep(step, entry, i)
		}
		for _, text := range []string{h.Comment, h.Author} {
			if c, ok := credential.OfText(text); ok {
				p.reportSecret(c, "comment of "+entry, c.Kind, i)
			}
		}
	}
}

// checkStep judges a step that runs something or copies files.
func (p *pass) checkStep(step, entry string, history int) {
	args, rest := buildArguments(step)
	var known []valued
	for _, a := range args {
		for _, c := range ofPair(a[0], a[1]) {
			known = append(known, c)
			p.reportSecret(c.Match, "build argument "+a[0]+" in "+entry, a[0], history)
		}
	}
	reported := len(known)
	for _, c := range inCommand([]string{rest}) {
		known = addNew(known, c)
	}
	if len(known) == reported {
		for _, c := range credential.InScript(rest) {
			known = addNew(known, valued{c, cmp.Or(c.Name, c.Kind), rest[c.Offset : int(c.Offset)+c.Length]})
		}
	}
	for _, c := range known[reported:] {
		p.reportSecret(c.Match, "command in "+entry, c.name, history)
	}
}

// configured are the values of the secrets in the configuration, about which
// there are findings of other rules.
func (p *pass) configured() map[string]bool {
	values := map[string]bool{}
	add := func(found []valued) {
		for _, c := range found {
			values[c.value] = true
		}
	}
	for _, v := range p.image().Config.Env {
		name, value, _ := strings.Cut(v, "=")
		add(ofPair(name, value))
	}
	for name, value := range p.image().Config.Labels {
		add(ofPair(name, value))
	}
	for _, field := range p.commandFields() {
		add(inCommand(field.words))
	}
	return values
}

// inMetadata returns the secrets of a step that sets a part of the
// configuration, and whether the step is one. What a later step sets anew stays
// readable in the history.
func inMetadata(step string) (found []valued, metadata bool) {
	keyword, rest, _ := strings.Cut(step, " ")
	rest = strings.TrimSpace(rest)
	switch strings.ToUpper(keyword) {
	case "ENV", "LABEL":
		for _, pair := range pairs(rest) {
			found = append(found, ofPair(pair[0], pair[1])...)
		}
		return found, true
	case "CMD", "ENTRYPOINT", "HEALTHCHECK", "SHELL", "ONBUILD":
		return inCommand(listedWords(rest)), true
	}
	return nil, false
}

// pairName is a blank and the name of a pair, which may be in quotes, up to its
// value. The blank tells it from a value with an equals sign in it, such as the
// padding of base64.
var pairName = regexp.MustCompile(` (?:([A-Za-z0-9_][A-Za-z0-9_./-]*)|"([^"=]+)")=`)

// pairs reads what ENV and LABEL set. Most builders record values without
// quotes, so that a blank may belong to one: it ends where the next name begins.
func pairs(text string) (out [][2]string) {
	open := map[byte]bool{} // Quotes that nothing ends in the rest of the text.
	text = " " + text
	for text != "" {
		at := pairName.FindStringSubmatchIndex(text)
		if at == nil || len(out) == 0 && at[0] > 0 {
			break
		}
		name := text[max(at[2], at[4]):max(at[3], at[5])]
		text = text[at[1]:]
		value := ""
		if text != "" && !open[text[0]] {
			value = quotedValue(text)
			open[text[0]] = value == ""
		}
		if value == "" {
			value = text
			if next := pairName.FindStringIndex(text); next != nil {
				value = text[:next[0]]
			}
		}
		out, text = append(out, [2]string{name, value}), text[len(value):]
	}
	if name, value, ok := strings.Cut(strings.TrimPrefix(text, " "), " "); ok && len(out) == 0 {
		out = append(out, [2]string{name, value}) // ENV NAME value
	}
	return out
}

// quotedValue is the value in quotes that a text begins with and behind which
// it ends or a blank stands; "" where it begins with none.
func quotedValue(text string) string {
	if text[0] != '"' && text[0] != '\'' {
		return ""
	}
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\':
			i++
		case text[i] == text[0] && (i+1 == len(text) || text[i+1] == ' '):
			return text[:i+1]
		}
	}
	return ""
}

// listedWords are the words of a command as builders record it: a list in
// brackets of words in quotes (["a" "b"], &{["CMD" "a"] "5s" …}), or a line.
func listedWords(text string) (words []string) {
	list, ok := strings.CutPrefix(strings.TrimPrefix(text, "&{"), "[")
	if !ok {
		return []string{text}
	}
	for {
		list = strings.TrimLeft(list, ", ")
		word, err := strconv.QuotedPrefix(list)
		if err != nil {
			break
		}
		list = list[len(word):]
		if plain, err := strconv.Unquote(word); err == nil {
			word = plain
		}
		words = append(words, word)
	}
	if len(words) == 0 { // SHELL [/bin/sh -c]
		words = strings.Fields(strings.TrimSuffix(list, "]"))
	}
	return words
}

// buildArguments reads the arguments that builders record before a command:
// "RUN |2 A=b C=d e /bin/sh -c make". Values are not quoted there, so that a
// blank may belong to a value: a value ends where the next name begins.
func buildArguments(step string) (args [][2]string, rest string) {
	body := strings.TrimPrefix(step, "RUN ")
	if arg, ok := strings.CutPrefix(body, "ARG "); ok {
		if name, value, ok := strings.Cut(arg, "="); ok {
			return [][2]string{{name, value}}, ""
		}
		return nil, ""
	}
	count, list, ok := strings.Cut(strings.TrimPrefix(body, "|"), " ")
	n, err := strconv.Atoi(count)
	if !ok || err != nil || !strings.HasPrefix(body, "|") {
		return nil, body
	}
	words := strings.Split(list, " ")
	begin := 0 // Of the last argument, which is joined once: there may be many words.
	end := func(i int) {
		if len(args) > 0 {
			last := &args[len(args)-1]
			last[1] = strings.TrimPrefix(strings.Join(words[begin:i], " "), last[0]+"=")
		}
	}
	for i, word := range words {
		name := strings.TrimSuffix(word, "=")
		m := assignment.FindStringSubmatch(word)
		if m != nil {
			name = m[1]
		}
		switch {
		case len(args) < n && (m != nil || name != word):
			end(i)
			args, begin = append(args, [2]string{name, ""}), i
		case len(args) == 0 || len(args) == n && strings.HasPrefix(word, "/"):
			end(i)
			return args, strings.Join(words[i:], " ")
		}
	}
	end(len(words))
	return args, ""
}
