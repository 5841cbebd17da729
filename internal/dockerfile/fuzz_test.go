package dockerfile

import (
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// FuzzParse: whatever BuildKit accepts, this package cuts into the same
// instructions with the same text, and every place lies inside the file.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"FROM a\nRUN b \\\n # c\n\n d\n",
		"# escape=`\nFROM a\nRUN b `\n c\n",
		"FROM a\nRUN <<E cat\nx\nE\nCOPY <<-'A' <<B /\n\tA\nB\n",
		"ARG A=1\nFROM x:${A:-2} AS y\nENV B=\"$A\" C='d e'\nONBUILD RUN x\n",
		"FROM a\n\\\nRUN b\\\\\nEXPOSE 1 2\nCMD [\"a\", \"b\"]\nHEALTHCHECK --interval=5s CMD [\"x\"]\n",
		"\ufeffFROM a\r\nENV a b c\r\nLABEL \"a b\"=c\r\n",
		"FROM a\nCOPY --from=b -- c d\nONBUILD ONBUILD RUN <<X\nX\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		file := Parse("Dockerfile", []byte(text), Options{})
		checkPlaces(t, file)
		// As an ignore file it is an error, or has one answer for each path.
		if ignore, err := ReadIgnoreFile(".dockerignore", []byte(text)); err == nil && ignore.Excludes("a") && !ignore.Excludes("./a") {
			t.Errorf("%q leaves out a and not ./a", text)
		}
		if file.Content == "" {
			return
		}
		result, err := parser.Parse(strings.NewReader(text))
		if err != nil {
			return
		}
		if len(result.AST.Children) != len(file.Instructions) {
			t.Fatalf("BuildKit sees %d instructions, this package %d", len(result.AST.Children), len(file.Instructions))
		}
		for i, node := range result.AST.Children {
			in := file.Instructions[i]
			if node.Original != in.Text.S {
				t.Errorf("instruction %d: BuildKit reads %q, this package %q", i, node.Original, in.Text.S)
			}
			if node.EndLine != in.EndLine {
				t.Errorf("instruction %d ends on line %d for BuildKit, on %d here", i, node.EndLine, in.EndLine)
			}
			if len(node.Flags) != len(in.Flags) || len(node.Heredocs) != len(in.Heredocs) {
				t.Errorf("instruction %d: flags %q and %v", i, node.Flags, in.Flags)
			}
		}
	})
}

func checkPlaces(t *testing.T, file *File) {
	t.Helper()
	check := func(what string, s Span) {
		if s.Start < 0 || s.End < s.Start || s.End > len(file.Content) {
			t.Errorf("%s at %v lies outside the file of %d bytes", what, s, len(file.Content))
		}
	}
	for _, p := range file.Problems {
		check("problem", p.Span)
	}
	for _, c := range file.Comments {
		check("comment", c.Span)
	}
	for _, in := range file.Instructions {
		check("instruction", in.Span)
		for i := range in.Text.S {
			if at := in.Text.Offset(i); file.Content[at] != in.Text.S[i] {
				t.Fatalf("byte %d of %q is said to stand at %d", i, in.Text.S, at)
			}
		}
		for _, a := range in.Args {
			check("argument", a.Span)
		}
		for _, p := range in.Pairs {
			check("key", p.KeySpan)
			check("value", p.ValueSpan)
		}
		for _, fl := range in.Flags {
			check("flag", fl.Span)
			check("flag value", fl.ValueSpan)
		}
		for _, ref := range in.StageRefs() {
			check("reference", ref.Span)
		}
	}
}

func TestAPanicOfTheParserLeavesAFileThatCountsAsUnread(t *testing.T) {
	if err := new(File).read(nil); err == nil {
		t.Error("a model made of nothing has no error")
	}
	if p := (Problem{Kind: Limit}); !p.Blind() {
		t.Error("such a file is not called unread")
	}
}
