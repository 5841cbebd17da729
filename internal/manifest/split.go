package manifest

import (
	"bytes"
	"encoding/json"
	"io"
)

// chunk is the text of one document, cut out of the file before anything is
// parsed, so that a broken document takes no other with it.
type chunk struct {
	// text is the document with its `---` line, directives blanked out.
	text []byte
	// line is the line of the file at which text starts, and column the number of
	// characters before it in that line.
	line   int
	column int
}

// split cuts a file into documents: JSON values one after the other, or YAML
// documents. A line that begins with `---` or `...` and goes on with white
// space ends a document wherever it stands (YAML 1.2.2 section 9.1.2 forbids
// such lines inside scalars). So does one with a comment right behind the
// dashes, for kubectl. In what a chart was rendered to, every line that begins
// with `---` does, as Helm sees it: templates often trim the line end away.
func split(content []byte, chart bool) []chunk {
	trimmed := bytes.TrimLeft(content, " \t\r\n")
	if len(trimmed) > 0 && trimmed[0] == '{' {
		if chunks, ok := splitJSON(content); ok {
			return chunks
		}
	}
	return splitYAML(content, chart)
}

// Texts cuts a file into the texts of its documents, as Parse does, for what is
// read by other means. Blank documents are left out.
func Texts(content []byte) [][]byte {
	chunks := split(content, false)
	texts := make([][]byte, len(chunks))
	for i, c := range chunks {
		texts[i] = c.text
	}
	return texts
}

func splitJSON(content []byte) ([]chunk, bool) {
	var chunks []chunk
	decoder := json.NewDecoder(bytes.NewReader(content))
	line, counted := 1, 0
	for {
		var value json.RawMessage
		err := decoder.Decode(&value)
		if err == io.EOF {
			return chunks, true
		}
		if err != nil {
			return nil, false
		}
		end := int(decoder.InputOffset())
		start := end - len(value)
		line += bytes.Count(content[counted:start], []byte{'\n'})
		counted = start
		// The text starts at its line's start, so that columns are right.
		from := bytes.LastIndexByte(content[:start], '\n') + 1
		text := make([]byte, end-from)
		copy(text, content[from:end])
		blank(text[:start-from])
		chunks = append(chunks, chunk{text: text, line: line})
	}
}

func splitYAML(content []byte, chart bool) []chunk {
	var chunks []chunk
	start, startLine, startColumn, line := 0, 1, 0, 1
	// head is true while only directives, comments and blank lines were seen.
	head := true
	add := func(end int) {
		text := content[start:end]
		if !blankYAML(text) {
			chunks = append(chunks, chunk{text: withoutDirectives(text), line: startLine, column: startColumn})
		}
		start, startLine, startColumn, head = end, line, 0, true
	}
	for i := 0; i < len(content); {
		next := len(content)
		if n := bytes.IndexByte(content[i:], '\n'); n >= 0 {
			next = i + n + 1
		}
		text := content[i:next]
		switch {
		case marker(text, "---") && !(chart && mergedMarker(text) > 0):
			if !head {
				add(i)
			}
			head = false
		case bytes.HasPrefix(text, []byte("---#")) || chart && mergedMarker(text) > 0:
			add(i)
			n := mergedMarker(text)
			start, startColumn, head = i+n, n, false
		case marker(text, "..."):
			add(i)
			// The marker itself belongs to no document.
			start, startLine = next, line+1
		case len(bytes.TrimSpace(text)) > 0 && text[0] != '%' && bytes.TrimSpace(text)[0] != '#':
			head = false
		}
		i = next
		line++
	}
	add(len(content))
	return chunks
}

// mergedMarker returns the length of the dashes and spaces at the start of a
// line on which something else follows, 0 for any other line.
func mergedMarker(line []byte) int {
	rest, ok := bytes.CutPrefix(line, []byte("---"))
	if !ok {
		return 0
	}
	rest = bytes.TrimLeft(rest, " \t")
	if after := bytes.TrimSpace(rest); len(after) == 0 || after[0] == '#' && !bytes.HasPrefix(line, []byte("---#")) {
		return 0
	}
	return len(line) - len(rest)
}

func marker(line []byte, mark string) bool {
	if !bytes.HasPrefix(line, []byte(mark)) {
		return false
	}
	return len(line) == len(mark) || bytes.IndexByte([]byte(" \t\r\n"), line[len(mark)]) >= 0
}

// blankYAML reports whether a document holds nothing but markers and comments.
func blankYAML(text []byte) bool {
	for len(text) > 0 {
		line := text
		if n := bytes.IndexByte(text, '\n'); n >= 0 {
			line, text = text[:n], text[n+1:]
		} else {
			text = nil
		}
		if marker(line, "---") {
			line = line[3:]
		}
		line = bytes.TrimSpace(line)
		if len(line) > 0 && line[0] != '#' && line[0] != '%' {
			return false
		}
	}
	return true
}

// withoutDirectives blanks `%YAML` lines at the head of a document: readers
// differ about versions that they do not know, and none changes a meaning.
func withoutDirectives(text []byte) []byte {
	if !bytes.Contains(text, []byte("%YAML")) {
		return text
	}
	out := bytes.Clone(text)
	for i := 0; i < len(out); {
		n := bytes.IndexByte(out[i:], '\n')
		if n < 0 || marker(out[i:], "---") {
			break
		}
		if bytes.HasPrefix(out[i:], []byte("%YAML")) {
			blank(out[i : i+n])
		}
		i += n + 1
	}
	return out
}

// blank overwrites with spaces, all but line ends.
func blank(text []byte) {
	for i, c := range text {
		if c != '\n' && c != '\r' {
			text[i] = ' '
		}
	}
}
