package syftcatalog

import (
	"path"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// glob is a pattern of syft's catalogers without alternatives in braces.
type glob struct {
	pattern string
	// base is the pattern of the last path component. When it has no meta
	// characters, name is that component; when it is a star and a literal with
	// one dot, ext is that literal (".jar").
	base string
	name string
	ext  string
	// head and tail are what a last component begins and ends with, as far as
	// the pattern says so without meta characters.
	head, tail string
	// anywhere is set for patterns of the form **/base: the directory does not
	// matter.
	anywhere bool
	// dir is the longest literal of a component of the directory part, or "". It
	// stands in every path that matches, which is quick to look for.
	dir string
	// start is what a path that matches begins with, as far as the pattern says so.
	start string
	// fixed is the whole directory part where it has no meta characters, or "".
	fixed string
	// parent is the name that the directory of a match must have, where the
	// pattern says it without meta characters, or "".
	parent string
}

const metaCharacters = `*?[{\`

// compileGlob expands the alternatives of a pattern and takes each apart.
func compileGlob(pattern string) []glob {
	var out []glob
	for _, p := range expandBraces(pattern) {
		if !strings.HasPrefix(p, "/") && !strings.HasPrefix(p, "**") {
			p = "/" + p
		}
		g := glob{pattern: p, base: path.Base(p), start: p}
		if i := strings.IndexAny(p, metaCharacters); i >= 0 {
			// A directory matches what is anywhere below it, too.
			g.start = strings.TrimSuffix(p[:i], "/")
		}
		g.anywhere = p == "**/"+g.base && g.base != "**"
		if dir := path.Dir(p); !strings.ContainsAny(dir, metaCharacters) && g.base != "**" {
			g.fixed = dir
		}
		if parent := path.Base(path.Dir(p)); g.base != "**" && !strings.ContainsAny(parent, metaCharacters) &&
			parent != "/" && parent != "." && parent != ".." {
			g.parent = parent
		}
		for part := range strings.SplitSeq(path.Dir(p), "/") {
			for _, literal := range literals(part) {
				if len(literal) > len(g.dir) {
					g.dir = literal
				}
			}
		}
		if !strings.ContainsAny(g.base, metaCharacters) {
			g.name = g.base
		} else if rest, ok := strings.CutPrefix(g.base, "*"); ok && strings.HasPrefix(rest, ".") &&
			!strings.ContainsAny(rest, metaCharacters) && strings.Count(rest, ".") == 1 {
			g.ext = rest
		}
		g.head = g.base
		if i := strings.IndexAny(g.base, metaCharacters); i >= 0 {
			g.head = g.base[:i]
		}
		// A closing bracket ends what is no literal either.
		g.tail = g.base[strings.LastIndexAny(g.base, metaCharacters+"]}")+1:]
		out = append(out, g)
	}
	return out
}

// literals are what stands in a component of a path that matches the pattern.
func literals(pattern string) []string {
	if strings.ContainsAny(pattern, `[]{}\`) {
		return nil
	}
	return strings.FieldsFunc(pattern, func(r rune) bool { return r == '*' || r == '?' })
}

// wholeTree reports whether the last component says nothing about a file.
func (g *glob) wholeTree() bool { return g.base == "**" || g.base == "*" }

// matchBase reports whether a file of that name can match.
func (g *glob) matchBase(name string) bool {
	switch {
	case g.name != "":
		return name == g.name
	case g.ext != "":
		return strings.HasSuffix(name, g.ext)
	case g.wholeTree():
		return true
	case !strings.HasPrefix(name, g.head) || !strings.HasSuffix(name, g.tail):
		return false
	default:
		ok, err := doublestar.Match(g.base, name)
		return err == nil && ok
	}
}

// match reports whether a path matches.
func (g *glob) match(p string) bool {
	if g.anywhere {
		return g.matchBase(path.Base(p))
	}
	if !strings.HasPrefix(p, g.start) || g.parent != "" && !isIn(p, g.parent) || !strings.Contains(p, g.dir) {
		return false
	}
	ok, err := doublestar.Match(g.pattern, p)
	return err == nil && ok
}

// isIn reports whether the directory that a path is in has the name.
func isIn(p, name string) bool {
	end := strings.LastIndexByte(p, '/')
	start := end - len(name)
	return start > 0 && p[start-1] == '/' && p[start:end] == name
}

// maxAlternatives bounds the expansion of braces; syft's patterns have at most
// a dozen.
const maxAlternatives = 1000

// expandBraces writes out the alternatives of a pattern: a{b,c{d,e}} becomes
// ab, acd and ace. A pattern with unbalanced braces stays as it is.
func expandBraces(p string) []string {
	start := strings.IndexByte(p, '{')
	if start < 0 || strings.ContainsRune(p, '\\') {
		return []string{p}
	}
	depth, last := 0, start+1
	var alternatives []string
	for i := start; i < len(p); i++ {
		switch p[i] {
		case '{':
			depth++
		case ',':
			if depth == 1 {
				alternatives = append(alternatives, p[last:i])
				last = i + 1
			}
		case '}':
			depth--
			if depth > 0 {
				continue
			}
			alternatives = append(alternatives, p[last:i])
			var out []string
			for _, a := range alternatives {
				out = append(out, expandBraces(p[:start]+a+p[i+1:])...)
				if len(out) > maxAlternatives {
					return []string{p}
				}
			}
			return out
		}
	}
	return []string{p}
}
