package edit

import (
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

func TestFaultyEditsAreRefused(t *testing.T) {
	content := []byte("ab\ncd\n")
	for name, edits := range map[string][]finding.Edit{
		"outside":          {{Line: 9, Column: 1, EndLine: 9, EndColumn: 1}},
		"beyond the line":  {{Line: 1, Column: 1, EndLine: 1, EndColumn: 9}},
		"the wrong way":    {{Line: 2, Column: 1, EndLine: 1, EndColumn: 1}},
		"over one another": {{Line: 1, Column: 1, EndLine: 1, EndColumn: 3}, {Line: 1, Column: 2, EndLine: 2, EndColumn: 1}},
		"before the first": {{Line: 1, Column: 0, EndLine: 1, EndColumn: 1}},
	} {
		if _, err := Apply(content, edits); err == nil {
			t.Errorf("edits %s are accepted", name)
		}
	}
}

func TestDiff(t *testing.T) {
	got := string(Diff("x/Dockerfile", []byte("FROM a\nADD b /c\n"), []byte("FROM a\nCOPY b /c\n")))
	for _, line := range []string{"--- a/x/Dockerfile", "+++ b/x/Dockerfile", "-ADD b /c", "+COPY b /c"} {
		if !strings.Contains(got, line+"\n") {
			t.Errorf("the diff lacks %q:\n%s", line, got)
		}
	}
	if len(Diff("x", []byte("a\n"), []byte("a\n"))) != 0 {
		t.Error("equal files differ")
	}
}

func at(line, column int, text string) finding.Finding {
	return finding.Finding{Status: finding.Open, Fix: finding.Fix{Edits: []finding.Edit{
		{Path: "a", Line: line, Column: column, EndLine: line, EndColumn: column, NewText: text},
	}}}
}

func TestFindingsAreFixedTogether(t *testing.T) {
	waived := at(1, 1, "x: 1\n")
	waived.Status = finding.Waived
	elsewhere := at(1, 1, "x: 1\n")
	elsewhere.Fix.Edits[0].Path = "b"
	for _, tt := range []struct {
		name, content, want string
		findings            []finding.Finding
		fixed               int
	}{
		{"new maps of one key become one", "- name: a\n", "- sc:\n    a: 1\n    b: 2\n    c: 3\n  name: a\n", []finding.Finding{
			at(1, 3, "sc:\n    a: 1\n  "), at(1, 3, "sc:\n    b: 2\n  "), at(1, 3, "sc:\n    c: 3\n  "),
		}, 3},
		{"in flow style too", "{name: a}\n", "{sc: {a: 1, b: 2}, name: a}\n", []finding.Finding{at(1, 2, "sc: {a: 1}, "), at(1, 2, "sc: {b: 2}, ")}, 2},
		{"in JSON too", "{\"name\": 1}\n", "{\"sc\": {\"a\": 1, \"b\": 2}, \"name\": 1}\n", []finding.Finding{at(1, 2, "\"sc\": {\"a\": 1}, "), at(1, 2, "\"sc\": {\"b\": 2}, ")}, 2},
		{"maps in maps", "name: a\n", "sc:\n  p:\n    a: 1\n    b: 2\nname: a\n", []finding.Finding{at(1, 1, "sc:\n  p:\n    a: 1\n"), at(1, 1, "sc:\n  p:\n    b: 2\n")}, 2},
		{"maps in maps in flow style", "{n: a}\n", "{sc: {p: {a: 1, b: 2}}, n: a}\n", []finding.Finding{at(1, 2, "sc: {p: {a: 1}}, "), at(1, 2, "sc: {p: {b: 2}}, ")}, 2},
		{"different keys stand beside one another", "name: a\n", "x: 1\ny: 2\nname: a\n", []finding.Finding{at(1, 1, "x: 1\n"), at(1, 1, "y: 2\n")}, 2},
		{"the same change is made once", "name: a\n", "x: 1\nname: a\n", []finding.Finding{at(1, 1, "x: 1\n"), at(1, 1, "x: 1\n")}, 2},
		{"what contradicts waits for the next round", "name: a\n", "x: 1\nname: a\n", []finding.Finding{at(1, 1, "x: 1\n"), at(1, 1, "x: 2\n")}, 1},
		{"so does a map where there is a value", "name: a\n", "x: 1\nname: a\n", []finding.Finding{at(1, 1, "x: 1\n"), at(1, 1, "x:\n  y: 1\n")}, 1},
		{"text that is no field is put one after the other", "RUN a\n", "RUN -x -y a\n", []finding.Finding{at(1, 5, "-x "), at(1, 5, "-y ")}, 2},
		{"new lines end as the others", "a: 1\r\nb: 2\r\n", "x: 1\r\na: 1\r\nb: 2\r\n", []finding.Finding{at(1, 1, "x: 1\n")}, 1},
		{"a byte order mark stays in front", "\ufeffa: 1\n", "\ufeffx: 1\na: 1\n", []finding.Finding{at(1, 1, "x: 1\n")}, 1},
		{"a missing last line end stays missing", "a: 1", "x: 1\na: 1", []finding.Finding{at(1, 1, "x: 1\n")}, 1},
		{"what is waived stays", "a: 1\n", "a: 1\n", []finding.Finding{waived}, 0},
		{"another file stays", "a: 1\n", "a: 1\n", []finding.Finding{elsewhere}, 0},
		{"UTF-16 stays", "\xff\xfea\x00\n\x00", "\xff\xfea\x00\n\x00", []finding.Finding{at(1, 1, "x: 1\n")}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, fixed, err := Fix("a", []byte(tt.content), tt.findings)
			if err != nil || string(got) != tt.want || fixed != tt.fixed {
				t.Errorf("%d fixed, %v:\n%q, want\n%q", fixed, err, got, tt.want)
			}
		})
	}
}
