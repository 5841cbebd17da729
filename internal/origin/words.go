package origin

import (
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/lockfile"
	"github.com/portcullis-ci/portcullis/internal/shellscript"
)

// installer is a program that installs packages named on its command line.
type installer struct {
	// types are the package URL types of what it installs.
	types []string
	// verbs are the subcommands that install.
	verbs []string
}

var (
	debTypes = []string{"deb"}
	rpmTypes = []string{"rpm"}
	pypi     = []string{"pypi"}
	npm      = []string{"npm"}
	install  = []string{"install"}
)

var installers = map[string]installer{
	"apt-get": {debTypes, install}, "apt": {debTypes, install}, "aptitude": {debTypes, install},
	"apk": {[]string{"apk"}, []string{"add"}},
	"yum": {rpmTypes, install}, "dnf": {rpmTypes, install}, "microdnf": {rpmTypes, install}, "tdnf": {rpmTypes, install}, "dnf5": {rpmTypes, install},
	"zypper": {rpmTypes, []string{"install", "in"}},
	"pip":    {pypi, install}, "pip3": {pypi, install}, "pipx": {pypi, install}, "uv": {pypi, []string{"install", "add"}},
	"poetry": {pypi, []string{"add"}}, "pipenv": {pypi, install},
	"npm": {npm, []string{"install", "i", "add"}}, "pnpm": {npm, []string{"install", "i", "add"}}, "yarn": {npm, []string{"add"}},
	"bun": {npm, []string{"add"}},
	"gem": {[]string{"gem"}, install}, "go": {[]string{"golang"}, []string{"install", "get"}},
	"cargo": {[]string{"cargo"}, install}, "composer": {[]string{"composer"}, []string{"require"}},
}

// script is the shell code of a RUN with the way back into the file.
type script struct {
	*shellscript.Script
	text dockerfile.Text
}

// scripts keeps what was parsed: thousands of findings ask for the same few
// instructions.
type scripts map[*dockerfile.Instruction]script

func (known scripts) of(in *dockerfile.Instruction) script {
	s, ok := known[in]
	if !ok {
		s = scriptOf(in)
		known[in] = s
	}
	return s
}

func scriptOf(in *dockerfile.Instruction) script {
	lookup := func(name string) (string, bool) {
		v, ok := in.Lookup(name)
		return v.Text, ok && v.Known && !v.Unset
	}
	content := in.File().Content
	switch {
	case in.Exec:
		base := in.Body.Offset(0)
		text := dockerfile.TextAt(content, dockerfile.Span{Start: base, End: in.Span.End})
		var args []shellscript.Arg
		for _, a := range in.Args {
			at := shellscript.Range{Start: a.Span.Start - base, End: a.Span.End - base}
			args = append(args, shellscript.Arg{Text: a.Raw, Known: true, Quoted: true, At: at})
		}
		return script{shellscript.FromWords(text.S, args, lookup), text}
	case len(in.Heredocs) > 0 && strings.HasPrefix(strings.TrimSpace(in.Body.S), "<<"):
		text := dockerfile.TextAt(content, in.Heredocs[0].Span)
		return script{shellscript.Parse(text.S, lookup), text}
	}
	return script{shellscript.Parse(in.Body.S, lookup), in.Body}
}

func (s script) span(at shellscript.Range) dockerfile.Span {
	n := len(s.text.S)
	return s.text.Span(min(max(at.Start, 0), n), min(max(at.End, 0), n))
}

// installed are the words with which a command names packages of a type; of
// any type when that is empty.
func installed(c *shellscript.Command, typ string) []shellscript.Arg {
	name, args := c.Name, c.Args
	if strings.HasPrefix(name, "python") && len(args) > 2 && args[0].Text == "-m" {
		name, args = args[1].Text, args[2:]
	}
	if name == "uv" && len(args) > 0 && args[0].Text == "pip" {
		args = args[1:]
	}
	if name == "yarn" && len(args) > 0 && args[0].Text == "global" {
		args = args[1:]
	}
	inst, ok := installers[name]
	if !ok || typ != "" && !slices.Contains(inst.types, typ) {
		return nil
	}
	_, operands := optionsOf(name).split(args)
	verb := slices.IndexFunc(operands, func(a shellscript.Arg) bool { return slices.Contains(inst.verbs, a.Text) })
	if verb < 0 {
		return nil
	}
	return operands[verb+1:]
}

// rpmArchitectures may stand behind a package's name.
var rpmArchitectures = []string{"x86_64", "aarch64", "noarch", "i686", "ppc64le", "s390x"}

// names reports whether a word of an installer names the package: curl,
// curl=7.88, curl:arm64, curl/bookworm, requests[security]==2.19, lodash@4,
// old@npm:lodash@4, curl-7.61 and curl.x86_64 for rpm, and a path below the
// module for Go.
func names(word, typ, name string) bool {
	if name == "" || word == "" {
		return false
	}
	if typ == "golang" {
		word, _, _ = strings.Cut(word, "@")
		return word == name || strings.HasPrefix(word, name+"/")
	}
	switch typ {
	case "rpm":
		rest, ok := strings.CutPrefix(word, name)
		if ok && len(rest) > 1 && (rest[0] == '-' && unicode.IsDigit(rune(rest[1])) || rest[0] == '.' && slices.Contains(rpmArchitectures, rest[1:])) {
			return true
		}
	case "deb":
		word, _, _ = strings.Cut(word, "/")
	case "npm":
		if _, alias, ok := strings.Cut(word, "@npm:"); ok && alias != "" {
			word = alias
		}
	}
	if word == "" {
		return false
	}
	cut := strings.IndexAny(word[1:], "=@<>~!:[;")
	if cut >= 0 {
		word = word[:cut+1]
	}
	return lockfile.FoldName(typ, strings.TrimSpace(word)) == lockfile.FoldName(typ, name)
}

// word is a place that names a package.
type word struct {
	span dockerfile.Span
	// exact is false when the word names the source package.
	exact bool
	how   string
}

// findInstalled looks for the package among those that a RUN installs by name.
func findInstalled(in *dockerfile.Instruction, p *finding.Package) (word, bool) {
	return scriptOf(in).installs(in, p)
}

func (s script) installs(in *dockerfile.Instruction, p *finding.Package) (word, bool) {
	for i, name := range []string{p.Name, p.Source} {
		for _, c := range s.Commands {
			for _, arg := range installed(c, p.Type) {
				if !names(arg.Text, p.Type, name) {
					continue
				}
				w := word{span: s.nameSpan(arg, name), exact: i == 0, how: "names " + name}
				if arg.Split || strings.HasPrefix(s.at(arg), "$") {
					if span, ok := variableSpan(in, s, arg, name); ok {
						w.span, w.how = span, "names "+name+" in a variable"
					}
				}
				return w, true
			}
		}
		if s.Err != nil && name != "" {
			if span, ok := findWord(in.Body, name); ok {
				return word{span, false, "has the word " + name}, true
			}
		}
	}
	return word{}, false
}

// at is the text of the script from which an argument comes.
func (s script) at(arg shellscript.Arg) string {
	n := len(s.text.S)
	start, end := min(max(arg.At.Start, 0), n), min(max(arg.At.End, 0), n)
	if start >= end {
		return ""
	}
	return s.text.S[start:end]
}

// nameSpan narrows the place of an argument to the name in it.
func (s script) nameSpan(arg shellscript.Arg, name string) dockerfile.Span {
	if i := strings.Index(s.at(arg), name); i >= 0 {
		return s.span(shellscript.Range{Start: arg.At.Start + i, End: arg.At.Start + i + len(name)})
	}
	return s.span(arg.At)
}

// variableSpan is the name inside the ARG, ENV or assignment whose value the
// argument comes from.
func variableSpan(in *dockerfile.Instruction, s script, arg shellscript.Arg, name string) (dockerfile.Span, bool) {
	for _, ref := range dockerfile.References(s.at(arg), '\\') {
		for _, c := range s.Commands {
			for _, a := range c.Assigns {
				if a.Name != ref.Name {
					continue
				}
				n := len(s.text.S)
				value := s.text.Slice(min(max(a.At.Start, 0), n), min(max(a.At.End, a.At.Start, 0), n))
				if i := strings.IndexByte(value.S, '='); i >= 0 {
					if span, ok := findWord(value.Slice(i+1, len(value.S)), name); ok {
						return span, true
					}
				}
			}
		}
		v, ok := in.Lookup(ref.Name)
		if !ok || v.From == nil {
			continue
		}
		for _, p := range v.From.Pairs {
			if p.Key != ref.Name {
				continue
			}
			if span, ok := findWordIn(v.From.Body, p.ValueSpan, name); ok {
				return span, true
			}
		}
	}
	return dockerfile.Span{}, false
}

// findWordIn looks for a word of the text that lies within a span of the file.
func findWordIn(text dockerfile.Text, within dockerfile.Span, name string) (dockerfile.Span, bool) {
	for from := 0; from < len(text.S); {
		span, ok := findWord(text.Slice(from, len(text.S)), name)
		if !ok {
			break
		}
		if span.Start >= within.Start && span.End <= within.End {
			return span, true
		}
		i := strings.Index(text.S[from:], name)
		from += i + len(name)
	}
	return dockerfile.Span{}, false
}

// findWord looks for a package's name as a word of its own, where it may be
// followed by a version: curl, curl=7.88, curl@8.
func findWord(body dockerfile.Text, name string) (dockerfile.Span, bool) {
	text := body.S
	for from := 0; ; {
		i := strings.Index(text[from:], name)
		if i < 0 || name == "" {
			return dockerfile.Span{}, false
		}
		start, end := from+i, from+i+len(name)
		if startsWord(text, start) && endsName(text, end) {
			return body.Span(start, end), true
		}
		from = end
	}
}

func startsWord(text string, i int) bool {
	return i == 0 || unicode.IsSpace(rune(text[i-1])) || strings.ContainsRune("\"'=", rune(text[i-1]))
}

func endsName(text string, i int) bool {
	return i == len(text) || unicode.IsSpace(rune(text[i])) || strings.ContainsRune(`=@<>~!"';&|:\`, rune(text[i]))
}

// inside reports whether file is the folder or lies below it.
func inside(file, folder string) bool {
	file, folder = path.Clean(file), path.Clean(folder)
	return file == folder || folder == "/" || folder == "." && !strings.HasPrefix(file, "/") && !strings.HasPrefix(file, "..") ||
		strings.HasPrefix(file, folder+"/")
}
