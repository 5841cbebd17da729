package edit

import (
	"regexp"
	"strings"
)

// field is the beginning of what is inserted in front of a field of a YAML or
// JSON map: another field.
var field = regexp.MustCompile(`^("?[A-Za-z][A-Za-z0-9]*"?):[ \n]`)

// keyOf is the key of the field that a text inserts in front of another one,
// and "" if it inserts something else.
func keyOf(text string) string {
	m := field.FindStringSubmatch(text)
	if m == nil || !strings.HasSuffix(text, ", ") && !strings.HasSuffix(strings.TrimRight(text, " "), "\n") {
		return ""
	}
	return m[1]
}

// mergeFields makes one field of two with the same key, each with a map: in
// flow style `key: {a: 1}, `, or in block style over several lines, the last of
// which is the indentation of the key. It reports false where they are no maps,
// or differ in style.
func mergeFields(a, b string) (string, bool) {
	if a == b {
		return a, true
	}
	opener, closer := keyOf(a)+": {", "}, "
	inner, more := unwrap(a, opener, closer), unwrap(b, opener, closer)
	end := ", "
	if inner == "" || more == "" {
		indent := a[strings.LastIndexByte(a, '\n')+1:]
		end = "\n" + indent + "  "
		opener, closer = keyOf(a)+":"+end, "\n"+indent
		inner, more = unwrap(a, opener, closer), unwrap(b, opener, closer)
	}
	if inner == "" || more == "" {
		return "", false
	}
	inner, more = inner+end, more+end
	merged := inner + more
	if keyOf(inner) == keyOf(more) {
		var ok bool
		if merged, ok = mergeFields(inner, more); !ok {
			return "", false
		}
	}
	return opener + strings.TrimSuffix(merged, end) + closer, true
}

// unwrap returns what is between two texts, and "" where it is not.
func unwrap(text, opener, closer string) string {
	inner, ok := strings.CutPrefix(text, opener)
	if !ok || !strings.HasSuffix(inner, closer) {
		return ""
	}
	return strings.TrimSuffix(inner, closer)
}
