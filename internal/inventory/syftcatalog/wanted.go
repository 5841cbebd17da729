package syftcatalog

import (
	"path"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/layers"
)

// selector keeps what catalogers may ask for. What it misses is read in a
// second pass, so that it decides about speed, not about results; except for
// the signatures, see resolver.executables.
var selector = layers.Selector{Keep: wanted.keep, Signatures: signatures, Parts: executableParts{}}

// wishes is a set of globs in a form that is fast to ask.
type wishes struct {
	names map[string]bool
	exts  map[string]bool
	// others are tried one by one.
	others []glob
}

// wantedGlobs are the paths and patterns of what is kept.
var wantedGlobs = slices.Concat(catalogerGlobs, furtherGlobs, systemFiles, credentialFiles, contentSetFiles)

var wanted = compileWishes(wantedGlobs)

// furtherGlobs are files that catalogers reach from others: lists and
// copyright files of dpkg, licences, side files of Python packages, release
// files.
var furtherGlobs = []string{
	"**/var/lib/dpkg/**", "**/copyright", "**/LICEN[CS]E*", "**/licen[cs]e*", "**/COPYING*", "**/*.dist-info/*", "**/*.egg-info/*",
	// Debian's name of the program node, to which completions link as well.
	"**/nodejs",
	"/etc/debian_version", "/etc/*-release", "/usr/lib/*-release",
}

func compileWishes(patterns []string) wishes {
	w := wishes{names: map[string]bool{}, exts: map[string]bool{}}
	for _, p := range patterns {
		for _, g := range compileGlob(p) {
			switch {
			case g.name != "":
				// The directory may be reached through a link: the name decides.
				w.names[g.name] = true
			case g.anywhere && g.ext != "":
				w.exts[g.ext] = true
			default:
				w.others = append(w.others, g)
			}
		}
	}
	return w
}

func (w wishes) keep(p string, _ uint32, _ int64) bool {
	name := path.Base(p)
	if w.names[name] || w.exts[path.Ext(name)] || w.names[program(name)] {
		return true
	}
	for _, g := range w.others {
		if g.matchBase(name) && (g.anywhere || g.match(p)) {
			return true
		}
	}
	return false
}

// program cuts version and target off the name of a program: a glob matches the
// links ruby and gcc, but the contents are those of ruby3.1 and
// x86_64-linux-gnu-gcc-12.
func program(name string) string {
	name = strings.TrimRight(name, "0123456789.-")
	return name[strings.LastIndexByte(name, '-')+1:]
}
