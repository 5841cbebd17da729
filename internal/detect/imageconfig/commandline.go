package imageconfig

import (
	"regexp"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/credential"
)

// option is an option of a command line that gives a secret: --password=x,
// -p x is too short to tell.
var option = regexp.MustCompile(`^--?([A-Za-z][A-Za-z0-9_-]*)(?:=(.*))?$`)

// assignment is NAME=value before or inside a command.
var assignment = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]*)=(.+)$`)

// valued is a credential with its value, which is for comparing only, and the
// name that it is told by.
type valued struct {
	credential.Match
	name, value string
}

// addNew adds a credential unless its value, or one around it that is as bad, is
// among the last of them: what is said twice stands close together.
func addNew(all []valued, c valued) []valued {
	const last = 100
	for _, known := range all[max(0, len(all)-last):] {
		if known.Severity.AtLeast(c.Severity) && strings.Contains(known.value, c.value) {
			return all
		}
	}
	return append(all, c)
}

// inText returns the credentials that a text holds by their form, each told by
// its kind.
func inText(text string) (found []valued) {
	for _, c := range credential.InText(text) {
		found = addNew(found, valued{c, c.Kind, text[c.Offset : int(c.Offset)+c.Length]})
	}
	return found
}

// ofPair returns the credentials in a value with a name.
func ofPair(name, value string) []valued {
	c, ok := credential.OfPair(name, value)
	if !ok {
		return nil
	}
	found := inText(credential.Unquote(value))
	if c.Class == credential.NamedValue || len(found) == 0 {
		return []valued{{c, name, credential.Unquote(value)}}
	}
	for i := range found {
		found[i].name, found[i].Name = name, name
	}
	return found
}

// inCommand looks for the credentials in the words of a command line.
func inCommand(words []string) (found []valued) {
	for i, word := range words {
		parts := splitCommand(word)
		for _, part := range parts {
			for _, c := range inText(part) {
				found = addNew(found, c)
			}
		}
		if len(parts) == 1 && i+1 < len(words) {
			parts = append(parts, words[i+1])
		}
		for _, c := range inOptions(parts) {
			found = addNew(found, c)
		}
	}
	return found
}

// inOptions looks for options and assignments that are named like a secret.
func inOptions(words []string) (found []valued) {
	for i, word := range words {
		name, value := "", ""
		if m := assignment.FindStringSubmatch(word); m != nil {
			name, value = m[1], m[2]
		} else if m := option.FindStringSubmatch(word); m != nil {
			name, value = m[1], m[2]
			if value == "" && !strings.Contains(word, "=") && i+1 < len(words) && !strings.HasPrefix(words[i+1], "-") {
				value = words[i+1]
			}
		}
		found = append(found, ofPair(name, value)...)
	}
	return found
}

// splitCommand cuts a command line at blanks and operators outside quotes.
// What is left of quotes is cut off the ends of words.
func splitCommand(s string) []string {
	var words []string
	var word strings.Builder
	quote := rune(0)
	flush := func() {
		if word.Len() > 0 {
			words = append(words, word.String())
			word.Reset()
		}
	}
	for _, r := range s {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			} else {
				word.WriteRune(r)
			}
		case r == '"' || r == '\'':
			quote = r
		case r == ' ' || r == '\t' || r == '\n' || r == ';' || r == '|' || r == '&' || r == '(' || r == ')':
			flush()
		default:
			word.WriteRune(r)
		}
	}
	flush()
	return words
}
