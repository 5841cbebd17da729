package dockerfile

import (
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
	"github.com/portcullis-ci/portcullis/internal/shellscript"
)

const posixShell = "https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html"

func wiki(code string) string { return "https://www.shellcheck.net/wiki/" + code }

// scriptRules are those of ShellCheck's findings that matter most in RUN,
// found without ShellCheck.
var scriptRules = []Rule{
	{
		Rule: rules.Rule{
			ID: "PC-DF501", Aliases: []string{"SC1072", "SC1073"}, Severity: finding.Medium,
			Title:        "Shell code that cannot be parsed",
			Why:          "The shell will refuse it too, and no rule about shell code could look at this step.",
			Fix:          "Mend the code as the message says; name the shell with SHELL where it is not a Bourne-like one.",
			WhenToIgnore: "The code is for a shell with another syntax.",
			References:   []string{posixShell},
			Bad:          onDebian + "RUN if true; then echo a\n" + nonRoot,
			Good:         onDebian + "RUN if true; then echo a; fi\n" + nonRoot,
		},
		Run: func(p *Pass, run *Run) {
			reportSyntax(p, run, run.Script)
		},
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF502", Aliases: []string{"SC2086"}, Severity: finding.Info,
			Title:        "Variable without quotes",
			Why:          "The shell splits an unquoted value at blanks and takes *, ? and [ in it for patterns.",
			Fix:          "Put it into double quotes: `\"$NAME\"`.",
			WhenToIgnore: "The value is a list that shall be split.",
			References:   []string{wiki("SC2086")},
			Bad:          onDebian + "ARG TARGET\nRUN mkdir $TARGET\n" + nonRoot,
			Good:         onDebian + "ARG TARGET\nRUN mkdir \"$TARGET\"\n" + nonRoot,
		},
		Command: checkUnquoted,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF503", Aliases: []string{"SC2046"}, Severity: finding.Info,
			Title:        "Command substitution without quotes",
			Why:          "The shell splits the output at blanks and takes *, ? and [ in it for patterns.",
			Fix:          "Put it into double quotes: `\"$(command)\"`.",
			WhenToIgnore: "The output is a list that shall be split.",
			References:   []string{wiki("SC2046")},
			Bad:          onDebian + "RUN mkdir $(cat name)\n" + nonRoot,
			Good:         onDebian + "RUN mkdir \"$(cat name)\"\n" + nonRoot,
		},
		Command: checkUnquotedSubst,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF504", Aliases: []string{"SC2153", "SC2154"}, Severity: finding.Info,
			Title:        "Shell variable that is never assigned",
			Why:          "Nothing in this step, and no ARG or ENV, gives the variable a value; often its name is misspelt.",
			Fix:          "Correct the name, or assign the variable.",
			WhenToIgnore: "The base image sets the variable.",
			References:   []string{wiki("SC2154"), wiki("SC2153")},
			Bad:          onDebian + "RUN version=1.2 && echo \"$verison\"\n" + nonRoot,
			Good:         onDebian + "RUN version=1.2 && echo \"$version\"\n" + nonRoot,
		},
		Run: checkUnassigned,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF505", Aliases: []string{"SC2164"}, Severity: finding.Info,
			Title:        "cd that may fail unnoticed",
			Why:          "When cd fails, the commands after it run in the wrong directory.",
			Fix:          "Join them with `&&`, or begin with `set -e`.",
			WhenToIgnore: "The commands work in any directory.",
			References:   []string{wiki("SC2164")},
			Bad:          onDebian + "RUN cd /srv; make\n" + nonRoot,
			Good:         onDebian + "RUN cd /srv && make\n" + nonRoot,
		},
		Run: checkUnguardedCd,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF506", Aliases: bashisms(), Severity: finding.Medium,
			Title:        "Bash syntax under sh",
			Why:          "The step is run by /bin/sh, which on Debian, Ubuntu and Alpine is not Bash and does not know this.",
			Fix:          "Set Bash for the steps: `SHELL [\"/bin/bash\", \"-c\"]`, or write it the portable way.",
			WhenToIgnore: "/bin/sh of the base image is Bash.",
			References:   []string{wiki("SC3010"), posixShell},
			Bad:          onDebian + "RUN if [[ -f /srv/app ]]; then rm /srv/app; fi\n" + nonRoot,
			Good:         onDebian + "RUN if [ -f /srv/app ]; then rm /srv/app; fi\n" + nonRoot,
		},
		Run: checkBashisms,
	},
}

func reportSyntax(p *Pass, run *Run, s *shellscript.Script) {
	if s.Err != nil {
		at := run.span(shellscript.Range{Start: s.ErrOffset, End: s.ErrOffset + 1})
		p.Reportf(run.In, at, "syntax "+s.Err.Error(), "This shell code cannot be parsed: %s.", quote(s.Err.Error()))
	}
	for _, n := range s.Nested {
		reportSyntax(p, run, n)
	}
}

// listName are names of variables that hold several words on purpose.
var listName = regexp.MustCompile(`(?i)(?:flags|opts|options|args|deps|pkgs?|packages|list|modules|extensions|libs|files|params|s)$`)

// wordParts calls f for the unquoted parts of a command's words.
func wordParts(c *shellscript.Command, f func(syntax.WordPart)) {
	for _, a := range c.Args {
		if a.Word() == nil {
			continue
		}
		for _, part := range a.Word().Parts {
			f(part)
		}
	}
}

func checkUnquoted(p *Pass, run *Run, c *shellscript.Command) {
	if c.Via != nil && c.Via.Script == c.Script || c.Name == "" && len(c.Args) == 0 {
		return // the words are those of the wrapper, which is looked at itself
	}
	wordParts(c, func(part syntax.WordPart) {
		e, ok := part.(*syntax.ParamExp)
		if !ok || e.Param == nil || e.Length || e.Excl || !syntax.ValidName(e.Param.Value) || listName.MatchString(e.Param.Value) {
			return
		}
		if e.Exp != nil && (e.Exp.Op == syntax.AlternateUnset || e.Exp.Op == syntax.AlternateUnsetOrNull) {
			return // ${X:+--flag "$X"} makes words on purpose
		}
		if v, known := run.In.Lookup(e.Param.Value); known && v.Known && !v.Unset && !strings.ContainsAny(v.Text, "*?[") {
			return // its value is known: one word, or a list in plain sight
		}
		if numeric(run, e.Param.Value) {
			return
		}
		p.Reportf(run.In, run.span(c.Script.Range(e)), "$"+e.Param.Value, "%s stands without quotes; write %s.", quote("$"+e.Param.Value), quote(`"$`+e.Param.Value+`"`))
	})
}

// numeric reports a variable of the script to which only plain words without
// blanks are assigned.
func numeric(run *Run, name string) bool {
	if run.plain == nil {
		run.plain = make(map[string]bool)
		for _, c := range run.Script.Commands {
			for _, a := range c.Assigns {
				before, seen := run.plain[a.Name]
				run.plain[a.Name] = (before || !seen) && plainText(a.Value)
			}
		}
	}
	return run.plain[name]
}

// plainText reports a value that stays one word without quotes: known text
// without patterns, an exit code, a number.
func plainText(v shellscript.Arg) bool {
	switch v.Text {
	case "$?", "$#", "$$", "$!":
		return true
	}
	return v.Known && !strings.ContainsAny(v.Text, "*?[") || strings.HasPrefix(v.Text, "$((")
}

// oneWord are commands whose output is one word.
var oneWord = set("nproc", "id", "whoami", "uname", "arch", "hostname", "dpkg", "getconf", "xcode-select", "lsb_release", "mktemp", "date", "rpm")

func checkUnquotedSubst(p *Pass, run *Run, c *shellscript.Command) {
	if c.Via != nil && c.Via.Script == c.Script {
		return
	}
	wordParts(c, func(part syntax.WordPart) {
		e, ok := part.(*syntax.CmdSubst)
		if !ok {
			return
		}
		at := run.span(c.Script.Range(e))
		if inner := run.within(c.Script.Range(e)); len(inner) > 0 && oneWord[inner[0].Name] {
			return
		}
		p.Reportf(run.In, at, p.source(at), "The output of %s is split into words; put it into double quotes.", quote(p.source(at)))
	})
}

// shellVariables are set by the shell itself, or by the user's login.
var shellVariables = set("PATH", "HOME", "PWD", "OLDPWD", "IFS", "PS1", "PS2", "PS4", "UID", "EUID", "PPID", "RANDOM", "SECONDS", "LINENO",
	"HOSTNAME", "HOSTTYPE", "OSTYPE", "MACHTYPE", "SHELL", "SHLVL", "USER", "LOGNAME", "TERM", "LANG", "OPTARG", "OPTIND", "OPTERR", "REPLY",
	"BASH", "BASHPID", "BASH_SOURCE", "BASH_VERSION", "BASH_REMATCH", "PIPESTATUS", "FUNCNAME", "TMPDIR", "COLUMNS", "LINES", "EDITOR")

// namers are commands that assign to variables which they are given by name.
var namers = set("read", "getopts", "mapfile", "readarray", "let", "printf", "unset", "eval", "source", ".", "local", "declare", "typeset", "export", "readonly", "set", "test", "[")

func checkUnassigned(p *Pass, run *Run) {
	s := run.Script
	if s.File == nil {
		return
	}
	names := assignedNames(s)
	for _, c := range s.Commands {
		switch c.Name {
		case "eval", "source", ".":
			return // may assign anything
		}
	}
	seen := make(map[string]bool)
	s.Walk(func(in *shellscript.Script, n syntax.Node) bool {
		e, ok := n.(*syntax.ParamExp)
		if !ok || e.Param == nil {
			return true
		}
		name := e.Param.Value
		if seen[name] || names[name] || !syntax.ValidName(name) || shellVariables[name] || fromElsewhere[name] || handlesUnset(e) {
			return true
		}
		if _, defined := run.In.Lookup(name); defined {
			return true
		}
		near := misspelt(p, run, name, names)
		if near == "" && (isUpper(name) || strings.HasSuffix(name, "_proxy")) {
			return true // upper-case names may come from the base image
		}
		seen[name] = true
		hint := "assign it, or declare it as ARG or ENV"
		if near != "" {
			hint = "perhaps " + quote("$"+near) + " is meant"
		}
		p.Reportf(run.In, run.span(in.Range(e)), "$"+name, "%s is never assigned in this step, and no ARG or ENV defines it; %s.", quote("$"+name), hint)
		return true
	})
}

func handlesUnset(e *syntax.ParamExp) bool {
	if e.Exp == nil {
		return false
	}
	switch e.Exp.Op {
	case syntax.DefaultUnset, syntax.DefaultUnsetOrNull, syntax.AlternateUnset, syntax.AlternateUnsetOrNull,
		syntax.AssignUnset, syntax.AssignUnsetOrNull, syntax.ErrorUnset, syntax.ErrorUnsetOrNull:
		return true
	}
	return false
}

// assignedNames are all variables that the script may give a value.
func assignedNames(s *shellscript.Script) map[string]bool {
	names := make(map[string]bool)
	for _, c := range s.Commands {
		for _, a := range c.Assigns {
			names[a.Name] = true
		}
		if namers[c.Name] {
			for _, a := range c.Args {
				name, _, _ := strings.Cut(a.Text, "=")
				names[name] = true
			}
		}
	}
	s.Walk(func(_ *shellscript.Script, n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.WordIter:
			names[n.Name.Value] = true
		case *syntax.Assign:
			if n.Name != nil {
				names[n.Name.Value] = true
			}
		case *syntax.ParamExp:
			if n.Exp != nil && n.Param != nil && (n.Exp.Op == syntax.AssignUnset || n.Exp.Op == syntax.AssignUnsetOrNull) {
				names[n.Param.Value] = true
			}
		case *syntax.ArithmCmd, *syntax.LetClause, *syntax.CStyleLoop, *syntax.ArithmExp:
			syntax.Walk(n, func(m syntax.Node) bool {
				if w, ok := m.(*syntax.Word); ok && w != nil && w.Lit() != "" {
					names[w.Lit()] = true
				}
				return true
			})
		}
		return true
	})
	return names
}

// misspelt is a defined variable from which the name differs by one letter, or
// by two that changed places.
func misspelt(p *Pass, run *Run, name string, names map[string]bool) string {
	if len(name) < 5 {
		return ""
	}
	candidates := make([]string, 0, len(names))
	for n := range names {
		candidates = append(candidates, n)
	}
	slices.Sort(candidates)
	for _, c := range candidates {
		if nearly(name, c) {
			return c
		}
	}
	for _, c := range p.variableNames() {
		if nearly(name, c) {
			if _, ok := run.In.Lookup(c); ok {
				return c
			}
		}
	}
	return ""
}

// maxNames bounds the names that a misspelt one is compared with.
const maxNames = 500

// variableNames are the names that ARG and ENV define anywhere in the file.
func (p *Pass) variableNames() []string {
	if p.shared.names != nil {
		return p.shared.names
	}
	names := []string{}
	for _, in := range p.File.Instructions {
		if in.Keyword == "ARG" || in.Keyword == "ENV" {
			for _, pair := range in.Pairs {
				if len(names) < maxNames && !slices.Contains(names, pair.Key) {
					names = append(names, pair.Key)
				}
			}
		}
	}
	p.shared.names = names
	return names
}

// nearly reports whether two names differ by one letter put in, left out or
// changed, or by two neighbours that changed places; digits do not count, since
// they number things.
func nearly(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 || a == b {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	digit := func(s string, i int) bool { return i < len(s) && s[i] >= '0' && s[i] <= '9' }
	if digit(a, i) || digit(b, i) {
		return false
	}
	if len(a) < len(b) {
		return a[i:] == b[i+1:] && i > 0 && b[i] != 'S' && b[i] != 's' && b[i] != '_'
	}
	if a[i+1:] == b[i+1:] {
		return i > 0
	}
	return i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}

func checkUnguardedCd(p *Pass, run *Run) {
	if errexit(run.In.Shell) {
		return
	}
	commands := run.Script.Commands
	for i, c := range commands {
		if c.Name == "set" && slices.ContainsFunc(c.Args, func(a shellscript.Arg) bool {
			return strings.HasPrefix(a.Text, "-") && !strings.HasPrefix(a.Text, "--") && strings.Contains(a.Text, "e") || a.Text == "errexit"
		}) {
			return
		}
		if (c.Name == "cd" || c.Name == "pushd") && !c.Guarded && i+1 < len(commands) && len(c.Args) > 0 && c.Via == nil {
			p.Reportf(run.In, run.span(c.Whole), p.source(run.span(c.Whole)), "When %s fails, the commands after it run in the wrong directory; join them with `&&`.",
				quote(p.source(run.span(c.Whole))))
		}
	}
}

func errexit(shell []string) bool {
	return slices.ContainsFunc(shell, func(w string) bool {
		return strings.HasPrefix(w, "-") && !strings.HasPrefix(w, "--") && strings.Contains(w, "e")
	})
}
