package syftcatalog

import (
	"path"
	"strings"
)

// globSet is a set of patterns. It is asked for each file of an image, so that it
// tries only those that the name of the file makes possible.
type globSet struct {
	// names are the patterns whose last component is a name, exts those where it
	// is anything with an extension.
	names, exts map[string][]glob
	// heads are those of the others by the first byte of what the last component
	// begins with, tails by the last byte of what it ends with.
	heads, tails [256][]glob
	// trees say nothing about either.
	trees []glob
}

func newGlobSet(globs []glob) globSet {
	s := globSet{names: make(map[string][]glob), exts: make(map[string][]glob)}
	for _, g := range globs {
		switch {
		case g.name != "":
			s.names[g.name] = append(s.names[g.name], g)
		case g.ext != "":
			s.exts[g.ext] = append(s.exts[g.ext], g)
		case g.head != "":
			s.heads[g.head[0]] = append(s.heads[g.head[0]], g)
		case g.tail != "":
			last := g.tail[len(g.tail)-1]
			s.tails[last] = append(s.tails[last], g)
		default:
			s.trees = append(s.trees, g)
		}
	}
	return s
}

// match reports whether a path matches one of the patterns.
func (s *globSet) match(p string) bool {
	name := p[strings.LastIndexByte(p, '/')+1:]
	if name == "" {
		return false
	}
	for _, candidates := range [...][]glob{s.names[name], s.exts[path.Ext(name)], s.heads[name[0]], s.tails[name[len(name)-1]], s.trees} {
		for i := range candidates {
			if g := &candidates[i]; g.matchBase(name) && (g.anywhere || g.match(p)) {
				return true
			}
		}
	}
	return false
}
