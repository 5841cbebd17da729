package shellscript

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// show renders commands as name(arg,arg); an unknown argument gets a question
// mark, and the offset of the name stands in front.
func show(s *Script) []string {
	var out []string
	for _, c := range s.Commands {
		var args []string
		for _, a := range c.Args {
			text := a.Text
			if !a.Known {
				text = "?" + text
			}
			args = append(args, text)
		}
		out = append(out, fmt.Sprintf("%d:%s(%s)", c.At.Start, c.Name, strings.Join(args, ",")))
	}
	return out
}

func TestCommands(t *testing.T) {
	env := map[string]string{"PKGS": "curl git", "V": "1.2"}
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	tests := []struct {
		name, source string
		want         []string
	}{
		{"a chain", "a 1 && b 2 || c", []string{"0:a(1)", "7:b(2)", "14:c()"}},
		{"a path is cut to its name", "/usr/bin/apt-get update", []string{"0:apt-get(update)"}},
		{"quotes are taken off", `echo "a b"'c'\d`, []string{"0:echo(a bcd)"}},
		{"a list in a variable becomes words", "apk add $PKGS x", []string{"0:apk(add,curl,git,x)"}},
		{"a quoted list stays one word", `apk add "$PKGS"`, []string{"0:apk(add,curl git)"}},
		{"a version in a variable", "apk add x=$V", []string{"0:apk(add,x=1.2)"}},
		{"what is not known stays as written", "apk add $X y=${Z}", []string{"0:apk(add,?$X,?y=${Z})"}},
		{"assignments of the script", "P='a b'; apk add $P", []string{"0:()", "9:apk(add,a,b)"}},
		{"a loop variable is not known", "for p in a b; do apk add $p; done", []string{"17:apk(add,?$p)"}},
		{"sudo and env", "sudo -u x env A=1 pip install y", []string{
			"0:sudo(-u,x,env,A=1,pip,install,y)", "10:env(A=1,pip,install,y)", "18:pip(install,y)",
		}},
		{"command -v only asks", "command -v curl", []string{"0:command(-v,curl)"}},
		{"xargs", "ls | xargs -n 1 rm -f", []string{"0:ls()", "5:xargs(-n,1,rm,-f)", "16:rm(-f)"}},
		{"sh -c", "bash -ec 'cd /x; make'", []string{"0:bash(-ec,cd /x; make)", "10:cd(/x)", "17:make()"}},
		{"bash -o pipefail -c", `bash -o pipefail -c "a | b"`, []string{"0:bash(-o,pipefail,-c,a | b)", "21:a()", "25:b()"}},
		{"a here-document fed to a shell", "sh <<E\nfoo\nE\n", []string{"0:sh()", "7:foo()"}},
		{"a here-document fed to cat is data", "cat <<E > f\nfoo\nE\n", []string{"0:cat()"}},
		{"substitutions", `echo "$(wget x)"`, []string{"0:echo(?$(wget x))", "8:wget(x)"}},
		{"conditions and functions", "if a; then b; elif c; then d; else e; fi; f() { g; }", []string{
			"3:a()", "11:b()", "19:c()", "27:d()", "35:e()", "48:g()",
		}},
		{"find -exec", `find . -exec chmod 777 {} \;`, []string{"0:find(.,-exec,chmod,777,{},;)", "13:chmod(777,{})"}},
		{"export", "export A=b; c", []string{"0:export()", "12:c()"}},
		{"a subshell with a redirection", "(a; b) > x", []string{"1:a()", "4:b()"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := Parse(tt.source, lookup)
			if s.Err != nil {
				t.Fatal(s.Err)
			}
			if diff := cmp.Diff(tt.want, show(s)); diff != "" {
				t.Errorf("commands (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPipelines(t *testing.T) {
	s := Parse("a | b |& c && d", nil)
	if len(s.Pipelines) != 1 || len(s.Pipelines[0].Elements) != 3 {
		t.Fatalf("pipelines = %+v", s.Pipelines)
	}
	if got := s.Pipelines[0].Pipes; got[0].Start != 2 || got[1] != (Range{6, 8}) {
		t.Errorf("pipes at %v", got)
	}
}

func TestFaultsAreReported(t *testing.T) {
	if s := Parse("if true", nil); s.Err == nil {
		t.Error("an unfinished if is accepted")
	}
	for _, deep := range []string{"(", "{ ", "$(", "if ", "while ", "time ", "${a:-", "<("} {
		if s := Parse(strings.Repeat(deep, 200_000), nil); !errors.Is(s.Err, ErrTooDeep) {
			t.Errorf("200,000 times %q: %v", deep, s.Err)
		}
	}
	if s := Parse("echo $(("+strings.Repeat("-", 1<<20)+"1))", nil); !errors.Is(s.Err, ErrTooLarge) {
		t.Errorf("a megabyte of arithmetic: %v", s.Err)
	}
}

func TestLongScriptsAreRead(t *testing.T) {
	for _, glue := range []string{" && ", " | ", "; ", "\n"} {
		s := Parse(strings.Repeat("a b"+glue, 100_000)+"c", nil)
		if s.Err != nil || len(s.Commands) != 100_001 {
			t.Errorf("joined by %q: %d commands, %v", glue, len(s.Commands), s.Err)
		}
	}
}

// FuzzParse: every place lies inside the source, and what a command is said to
// be named is what stands there.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"sudo -E bash -c 'a | b' && eval \"$(c)\"", "P=$(x); for i in $P; do y \"${i%.*}\"; done <<E\nz\nE\n",
		"env -i A=b nice -n 3 timeout 5 find . -exec rm {} +", "if ! a; then b; fi | (c; d) >f 2>&1", "bash <<'E'\nq\nE\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		s := Parse(source, func(string) (string, bool) { return "x y", true })
		for _, c := range s.Commands {
			for _, r := range []Range{c.At, c.Whole} {
				if r.Start < 0 || r.End < r.Start || r.End > len(source) {
					t.Fatalf("%q at %v in %d bytes", c.Name, r, len(source))
				}
			}
			for _, a := range c.Args {
				if a.At.Start < 0 || a.At.End < a.At.Start || a.At.End > len(source) {
					t.Fatalf("argument %q at %v in %d bytes", a.Text, a.At, len(source))
				}
			}
		}
	})
}
