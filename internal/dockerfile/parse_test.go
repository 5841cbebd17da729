package dockerfile

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func parse(t *testing.T, text string) *File {
	t.Helper()
	return Parse("Dockerfile", []byte(text), Options{})
}

// at names the place of a span: line:column and the text under it.
func at(f *File, s Span) string {
	line, col := f.Position(s.Start)
	return itoa(line) + ":" + itoa(col) + " " + f.Content[s.Start:s.End]
}

func kinds(f *File) []ProblemKind {
	var out []ProblemKind
	for _, p := range f.Problems {
		out = append(out, p.Kind)
	}
	return out
}

func TestProblems(t *testing.T) {
	long := "FROM alpine:3.20\nRUN echo " + strings.Repeat("x", 70_000) + "\nUSER 1\n"
	tests := []struct {
		name, text string
		want       []ProblemKind
	}{
		{"a plain file has none", "FROM alpine:3.20\nRUN true\n", nil},
		{"an empty file holds no instruction", "", []ProblemKind{NoInstructions}},
		{"comments alone are no instruction", "# hello\n\n# escape=x\n", []ProblemKind{NoInstructions}},
		{"no FROM at all", "ARG A=1\n", []ProblemKind{NoStage}},
		{"an instruction before FROM", "RUN true\nFROM scratch\n", []ProblemKind{BeforeFrom}},
		{"an unknown instruction", "FROM scratch\nRUM true\n", []ProblemKind{UnknownInstruction}},
		{"two faults are both found", "FROM scratch\nENV\nCOPY a\nUSER 1\n", []ProblemKind{BadInstruction, BadInstruction}},
		{"a newer flag is only unknown", "FROM scratch\nCOPY --hologram=1 a b\n", []ProblemKind{UnknownFlag}},
		{"a newer flag behind ONBUILD", "FROM scratch\nONBUILD COPY --hologram a b\n", []ProblemKind{UnknownFlag}},
		{"chained ONBUILD", "FROM scratch\nONBUILD ONBUILD RUN true\n", []ProblemKind{BadTrigger}},
		{"ONBUILD FROM", "FROM scratch\nONBUILD FROM x\n", []ProblemKind{BadTrigger}},
		{"a here-document without end", "FROM scratch\nRUN <<EOF\ntrue\n", []ProblemKind{EndlessHeredoc}},
		{"a bad escape directive", "# escape=x\nFROM scratch\n", []ProblemKind{BadDirective}},
		{"the same directive twice", "# syntax=a\n# syntax=b\nFROM scratch\n", []ProblemKind{BadDirective}},
		{"UTF-16", "\xff\xfeF\x00", []ProblemKind{BadEncoding}},
		{"Latin-1", "FROM scratch\n# caf\xe9\n", []ProblemKind{BadEncoding}},
		{"a line beyond the builder's limit", long, []ProblemKind{BadInstruction}},
		{"an array over several lines without continuation", "FROM scratch\nENTRYPOINT [\n\"a\"\n]\n", []ProblemKind{UnknownInstruction, UnknownInstruction}},
		{
			"values that double", "FROM scratch\nENV A=" + strings.Repeat("x", 999) + "\n" + strings.Repeat("ENV A=$A$A\n", 40),
			[]ProblemKind{Limit},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, kinds(parse(t, tt.text))); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheRestIsReadAfterAFault(t *testing.T) {
	f := parse(t, "FROM debian AS a\nENV broken\nRUN <<X\nno end\nUSER app\nFROM a\n")
	if got := len(f.Stages); got != 2 {
		t.Fatalf("stages = %d, want 2", got)
	}
	if u := f.Final().User(); u == nil || u.Args[0].Raw != "app" {
		t.Errorf("user of the final stage = %v, want app", u)
	}
}

func TestPlacesAreThoseOfTheFile(t *testing.T) {
	text := "# syntax=docker/dockerfile:1\nFROM debian\nRUN apt-get update && \\\n" +
		"    # why\n    apt-get install -y \\\n      wörld curl\nCOPY --from=x --chown=1:2 [\"a b\", \"c\"]\nENV A=1 \\\n    B='2 3'\n" +
		"ONBUILD RUN echo hi\nCOPY --link a \\\n b /\n"
	f := parse(t, text)
	if len(f.Problems) != 0 {
		t.Fatalf("problems: %v", f.Problems)
	}
	in := f.Instructions
	run := in[1]
	i := strings.Index(run.Body.S, "curl")
	got := []string{
		at(f, run.Body.Span(i, i+4)),
		at(f, in[2].Flags[1].ValueSpan),
		at(f, in[2].Args[0].Span),
		at(f, in[3].Pairs[1].ValueSpan),
		at(f, in[4].Trigger.KeywordSpan),
		at(f, in[5].Args[1].Span),
		at(f, f.Comments[1].Span),
	}
	want := []string{
		"6:13 curl", "7:23 1:2", "7:29 a b", "9:7 '2 3'", "10:9 RUN", "12:2 b", "4:5 # why",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
	if run.Line != 3 || run.EndLine != 6 {
		t.Errorf("RUN on lines %d to %d, want 3 to 6", run.Line, run.EndLine)
	}
}

func TestHeredocs(t *testing.T) {
	f := parse(t, "FROM debian\nRUN <<EOF bash\necho 1\nEOF\nCOPY <<-\"A\" <<B /x/\n\tone\n\tA\ntwo\nB\nONBUILD RUN <<C\nhi\nC\nUSER 1\n")
	var got []string
	for _, in := range f.Instructions {
		for _, h := range in.Heredocs {
			got = append(got, itoa(h.Line)+" "+h.Name+" "+h.Content)
		}
	}
	want := []string{"3 EOF echo 1\n", "6 A \tone\n", "8 B two\n", "11 C hi\n"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("here-documents (-want +got):\n%s", diff)
	}
	if n := len(f.Instructions[3].Trigger.Heredocs); n != 1 {
		t.Errorf("trigger has %d here-documents, want 1", n)
	}
	if len(f.Problems) != 0 || f.Final().User() == nil {
		t.Errorf("problems %v, user %v", f.Problems, f.Final().User())
	}
}

func TestEscapeDirectiveAndCarriageReturns(t *testing.T) {
	f := parse(t, "\ufeff# escape=`\r\nFROM mcr.microsoft.com/windows/nanoserver:ltsc2022\r\nRUN dir `\r\n  c:\\\r\nWORKDIR c:\\app\r\n")
	if len(f.Problems) != 0 {
		t.Fatalf("problems: %v", f.Problems)
	}
	if got := f.Instructions[1].Body.S; got != `dir   c:\` {
		t.Errorf("body = %q", got)
	}
	if got := f.Instructions[2].Args[0].Value.Text; got != `c:\app` {
		t.Errorf("workdir = %q", got)
	}
}

func TestTheFrontendIsWhatTheBuilderTakesForOne(t *testing.T) {
	for text, want := range map[string]string{
		"# syntax=docker/dockerfile:1\nFROM a\n":            "docker/dockerfile:1 1:10-1:29",
		"#!/bin/x\n#syntax = r.example/f -opt\nFROM a\n":    "r.example/f 2:11-2:22",
		"// syntax=r.example/f\nFROM a\n":                   "r.example/f 1:11-1:22",
		"{\"syntax\": \"r.example/f\"}":                     "r.example/f 1:13-1:24",
		"# escape=`\n# SYNTAX=r.example/f\nFROM a\n":        "r.example/f 2:10-2:21",
		"FROM a\n# syntax=r.example/f\n":                    " 1:1-1:1",
		"# a comment first\n# syntax=r.example/f\nFROM a\n": " 1:1-1:1",
	} {
		f := Parse("Dockerfile", []byte(text), Options{})
		line, column := f.Position(f.FrontendSpan.Start)
		endLine, endColumn := f.Position(f.FrontendSpan.End)
		if got := fmt.Sprintf("%s %d:%d-%d:%d", f.Frontend, line, column, endLine, endColumn); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestJointsAreWherePiecesMeet(t *testing.T) {
	f := Parse("Dockerfile", []byte("FROM a\nRUN ab\\\ncd \\\n# no\n  ef\n"), Options{})
	text := f.Instructions[1].Text
	var got []string
	for _, i := range text.Joints() {
		got = append(got, text.S[:i]+"|"+text.S[i:])
	}
	if want := []string{"RUN ab|cd   ef", "RUN abcd |  ef"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if joints := TextAt("abc", Span{0, 3}).Joints(); joints != nil {
		t.Errorf("one piece: %v", joints)
	}
}
