// Package edit makes the changes that findings propose to the files they are
// about, of whatever kind, and shows them. It reads and writes no file. The
// main function is Fix.
package edit

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// Apply returns content with the edits made. Nothing else changes: line endings
// and the byte order mark stay as they are, and new lines end as the first one
// does. Edits that overlap or lie outside the content are an error; several
// insertions at one place are made in the given order.
func Apply(content []byte, edits []finding.Edit) ([]byte, error) {
	spans, err := locate(content, edits)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(spans, func(a, b change) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end))
	})
	var out []byte
	at := 0
	carriage := bytes.HasSuffix(firstLine(content), []byte("\r\n"))
	for _, s := range spans {
		if s.start < at {
			return nil, errors.New("edits overlap")
		}
		out = append(out, content[at:s.start]...)
		if carriage && !strings.Contains(s.text, "\r") {
			s.text = strings.ReplaceAll(s.text, "\n", "\r\n")
		}
		out = append(out, s.text...)
		at = s.end
	}
	return append(out, content[at:]...), nil
}

func firstLine(content []byte) []byte {
	return content[:bytes.IndexByte(content, '\n')+1]
}

// change is an edit in byte offsets.
type change struct {
	start, end int
	text       string
}

func locate(content []byte, edits []finding.Edit) ([]change, error) {
	starts := []int{0}
	for i, b := range content {
		if b == '\n' {
			starts = append(starts, i+1)
		}
	}
	offset := func(line, column int) (int, error) {
		if line < 1 || line > len(starts) || column < 1 {
			return 0, fmt.Errorf("position %d:%d is outside the file", line, column)
		}
		at, end := starts[line-1], len(content)
		if line < len(starts) {
			end = starts[line]
		}
		if line == 1 && len(content) >= 3 && string(content[:3]) == "\ufeff" {
			at += 3
		}
		for ; column > 1; column-- {
			if at >= end {
				return 0, fmt.Errorf("position %d:%d is outside the file", line, column)
			}
			_, width := utf8.DecodeRune(content[at:])
			at += width
		}
		return at, nil
	}
	out := make([]change, 0, len(edits))
	for _, e := range edits {
		start, err := offset(e.Line, e.Column)
		if err != nil {
			return nil, err
		}
		end, err := offset(e.EndLine, e.EndColumn)
		if err != nil {
			return nil, err
		}
		if end < start {
			return nil, fmt.Errorf("the edit at %d:%d ends before it starts", e.Line, e.Column)
		}
		out = append(out, change{start, end, e.NewText})
	}
	return out, nil
}

// Fix makes the edits of all open findings in the file of the given path, and
// returns the new content and how many findings it mended. A finding whose
// edits overlap with those of an earlier one is left for the next round. A file
// that is not UTF-8 text, by whose characters places are counted, stays as it
// is.
func Fix(path string, content []byte, findings []finding.Finding) ([]byte, int, error) {
	if bytes.IndexByte(content, 0) >= 0 {
		return content, 0, nil
	}
	var all []finding.Edit
	fixed := 0
	for _, f := range findings {
		edits := slices.DeleteFunc(slices.Clone(f.Fix.Edits), func(e finding.Edit) bool { return e.Path != path })
		if f.Status != finding.Open || len(edits) == 0 {
			continue
		}
		together, ok := join(all, edits)
		if !ok {
			continue
		}
		if _, err := Apply(content, together); err != nil {
			continue
		}
		all = together
		fixed++
	}
	out, err := Apply(content, all)
	if err != nil {
		return nil, 0, fmt.Errorf("fix %s: %w", path, err)
	}
	return out, fixed, nil
}

// join adds edits to others. One that is there already is made once, and what
// two of them insert into a new map at one place becomes one map. It reports
// false where they cannot be made together.
func join(others, edits []finding.Edit) ([]finding.Edit, bool) {
	all := slices.Clone(others)
	for _, e := range edits {
		if slices.Contains(others, e) {
			continue
		}
		i := slices.IndexFunc(others, func(o finding.Edit) bool {
			return inserts(o) && inserts(e) && o.Line == e.Line && o.Column == e.Column && keyOf(o.NewText) != "" && keyOf(o.NewText) == keyOf(e.NewText)
		})
		if i < 0 {
			all = append(all, e)
			continue
		}
		merged, ok := mergeFields(all[i].NewText, e.NewText)
		if !ok {
			return nil, false
		}
		all[i].NewText = merged
	}
	return all, true
}

func inserts(e finding.Edit) bool { return e.Line == e.EndLine && e.Column == e.EndColumn }

// Diff shows the change of a file as a unified diff; empty when there is none.
func Diff(path string, before, after []byte) []byte {
	return diff.Diff("a/"+path, before, "b/"+path, after)
}
