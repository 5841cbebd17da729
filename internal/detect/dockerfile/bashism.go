package dockerfile

import (
	"regexp"
	"slices"

	"mvdan.cc/sh/v3/syntax"

	"github.com/portcullis-ci/portcullis/internal/shellscript"
)

// bashism is a piece of Bash's syntax: ShellCheck's number for it, its name,
// and whether BusyBox's ash knows it too.
type bashism struct {
	code, what string
	ash        bool
}

var (
	doubleBracket = bashism{"SC3010", "[[ ]]", true}
	arrays        = bashism{"SC3030", "an array", false}
	processSubst  = bashism{"SC3001", "process substitution", false}
	hereString    = bashism{"SC3011", "<<<", false}
	bothStreams   = bashism{"SC3020", "&>", true}
	ansiQuote     = bashism{"SC3003", "$'…'", true}
	arithmetic    = bashism{"SC3006", "(( ))", false}
	replacement   = bashism{"SC3060", "${name/a/b}", true}
	substring     = bashism{"SC3057", "${name:0:1}", true}
	indirection   = bashism{"SC3053", "${!name}", false}
	caseChange    = bashism{"SC3059", "${name^^}", false}
	functionWord  = bashism{"SC2112", "the word function", true}
	braces        = bashism{"SC3009", "brace expansion", false}
	sourceWord    = bashism{"SC3046", "source", true}
	randomWord    = bashism{"SC3028", "$RANDOM", true}
	pipeBoth      = bashism{"SC3020", "|&", false}
	cLoop         = bashism{"SC3005", "for (( ))", false}
	pipefailSet   = bashism{"SC3040", "set -o pipefail", true}
	echoEscapes   = bashism{"SC3037", "echo -e", true}
)

// bashisms are ShellCheck's numbers for what the rule finds.
func bashisms() []string {
	var out []string
	for _, b := range []bashism{
		doubleBracket, arrays, processSubst, hereString, bothStreams, ansiQuote, arithmetic, replacement, substring, indirection, caseChange,
		functionWord, braces, sourceWord, randomWord, cLoop, pipefailSet, echoEscapes,
	} {
		out = append(out, b.code)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// bashAsSh are distributions whose /bin/sh is Bash.
var bashAsSh = regexp.MustCompile(`(?i)fedora|centos|rockylinux|almalinux|redhat|\bubi\d|ubi-|amazonlinux|oraclelinux|opensuse|suse|archlinux|photon|mariner|azurelinux|\bol\d|nixos|eurolinux|rhel`)

var ashAsSh = regexp.MustCompile(`(?i)alpine|busybox`)

func checkBashisms(p *Pass, run *Run) {
	if run.Shell != "sh" && run.Shell != "dash" && run.Shell != "ash" || run.Script.File == nil || run.In.Stage == nil || len(run.In.Shell) > 1 && run.Shell != "sh" && run.Shell != "dash" {
		return
	}
	image := run.In.Stage.Root().Base.Value.Text
	if bashAsSh.MatchString(image) {
		return
	}
	if p.shared.relinked == nil {
		p.shared.relinked = firstRuns(p, replacesSh)
	}
	if before(p.shared.relinked, run.In, run.In.Index) {
		return
	}
	ash := ashAsSh.MatchString(image)
	run.Script.Walk(func(s *shellscript.Script, n syntax.Node) bool {
		b := bashismAt(n)
		if word, found := wordBashism(n); b.code == "" && found.code != "" {
			n, b = word, found
		}
		if b.code == "" || ash && b.ash {
			return true
		}
		at := run.span(s.Range(n))
		p.Reportf(run.In, at, b.what, "%s is Bash syntax (%s), but this step is run by sh; use `SHELL [\"/bin/bash\", \"-c\"]`, or write it the portable way.", quote(b.what), b.code)
		return false
	})
}

// replacesSh reports whether the step puts another shell in the place of
// /bin/sh.
func replacesSh(r *Run) bool {
	return slices.ContainsFunc(r.Script.Commands, func(c *shellscript.Command) bool {
		return c.Name == "ln" && hasText(c.Args, "/bin/sh") || c.Name == "dpkg-reconfigure" && hasText(c.Args, "dash")
	})
}

func hasText(list []shellscript.Arg, text string) bool {
	return slices.ContainsFunc(list, func(a shellscript.Arg) bool { return a.Text == text })
}

func bashismAt(n syntax.Node) bashism {
	switch n := n.(type) {
	case *syntax.TestClause:
		return doubleBracket
	case *syntax.ArrayExpr:
		return arrays
	case *syntax.ProcSubst:
		return processSubst
	case *syntax.ArithmCmd:
		return arithmetic
	case *syntax.CStyleLoop:
		return cLoop
	case *syntax.SglQuoted:
		if n.Dollar {
			return ansiQuote
		}
	case *syntax.Redirect:
		switch n.Op {
		case syntax.WordHdoc:
			return hereString
		case syntax.RdrAll, syntax.AppAll:
			return bothStreams
		}
	case *syntax.FuncDecl:
		if n.RsrvWord {
			return functionWord
		}
	case *syntax.BinaryCmd:
		if n.Op == syntax.PipeAll {
			return pipeBoth
		}
	case *syntax.ParamExp:
		return paramBashism(n)
	case *syntax.CallExpr:
		if len(n.Args) > 1 && n.Args[0].Lit() == "source" {
			return sourceWord
		}
	}
	return bashism{}
}

// wordBashism looks at the words of a command.
func wordBashism(n syntax.Node) (syntax.Node, bashism) {
	call, ok := n.(*syntax.CallExpr)
	if !ok || len(call.Args) < 2 {
		return nil, bashism{}
	}
	name := call.Args[0].Lit()
	for i, w := range call.Args {
		lit := w.Lit()
		switch {
		case name == "set" && lit == "pipefail":
			return w, pipefailSet
		case name == "echo" && i == 1 && (lit == "-e" || lit == "-ne" || lit == "-en"):
			return w, echoEscapes
		case hasBraces(w):
			return w, braces
		}
	}
	return nil, bashism{}
}

// hasBraces reports a brace expansion with alternatives; a lone {} is none.
func hasBraces(w *syntax.Word) bool {
	split := &syntax.Word{Parts: slices.Clone(w.Parts)}
	return syntax.SplitBraces(split) && slices.ContainsFunc(split.Parts, func(p syntax.WordPart) bool {
		b, ok := p.(*syntax.BraceExp)
		return ok && len(b.Elems) > 1
	})
}

func paramBashism(n *syntax.ParamExp) bashism {
	switch {
	case n.Index != nil:
		return arrays
	case n.Repl != nil:
		return replacement
	case n.Slice != nil:
		return substring
	case n.Excl || n.Names != 0:
		return indirection
	case n.Exp != nil && (n.Exp.Op == syntax.UpperFirst || n.Exp.Op == syntax.UpperAll || n.Exp.Op == syntax.LowerFirst || n.Exp.Op == syntax.LowerAll):
		return caseChange
	case n.Param != nil && n.Param.Value == "RANDOM":
		return randomWord
	}
	return bashism{}
}
