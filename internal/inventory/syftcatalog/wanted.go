package syftcatalog

import (
	"maps"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/layers"
)

// selector keeps what catalogers may ask for. What it misses is read in a
// second pass, so that it decides about speed, not about results; except for
// the signatures, see resolver.executables.
var selector = layers.Selector{Keep: wanted.keep, Signatures: signatures, Parts: executableParts{}}

// wishes are patterns of files that catalogers may ask for.
type wishes struct{ globSet }

// catalogerGlobs are the paths and patterns that syft's catalogers for images ask
// for, each once.
var catalogerGlobs = func() []string {
	all := slices.Concat(slices.Collect(maps.Values(globsOf))...)
	all = append(all, otherGlobs...)
	slices.Sort(all)
	return slices.Compact(all)
}()

// wantedGlobs are the paths and patterns of what is kept.
var wantedGlobs = slices.Concat(catalogerGlobs, ownGlobs, furtherGlobs, systemFiles, credentialFiles, contentSetFiles)

var wanted = compileWishes(wantedGlobs)

// furtherGlobs are files that catalogers reach from others: lists and
// copyright files of dpkg, licences, side files of Python packages, release
// files.
var furtherGlobs = []string{
	"**/*.md5sums", "**/*.conffiles", "**/var/lib/dpkg/diversions", "**/copyright", "**/LICEN[CS]E*", "**/licen[cs]e*", "**/COPYING*", "**/*.dist-info/*", "**/*.egg-info/*",
	// Debian's name of the program node, to which completions link as well.
	"**/nodejs",
	"**/rpm/rpmdb.sqlite-wal",
	"/etc/debian_version", "/etc/*-release", "/usr/lib/*-release",
}

func compileWishes(patterns []string) wishes {
	globs := compileGlobs(patterns...)
	for i := range globs {
		// The directory may be reached through a link: the name decides.
		globs[i].anywhere = globs[i].anywhere || globs[i].name != ""
	}
	return wishes{newGlobSet(globs)}
}

func (w *wishes) keep(p string, _ uint32, _ int64) bool {
	if w.match(p) {
		return true
	}
	name := p[strings.LastIndexByte(p, '/')+1:]
	program := program(name)
	return program != name && len(w.names[program]) > 0
}

// program cuts version and target off the name of a program: a glob matches the
// links ruby and gcc, but the contents are those of ruby3.1 and
// x86_64-linux-gnu-gcc-12.
func program(name string) string {
	end := len(name)
	for end > 0 && (name[end-1] >= '0' && name[end-1] <= '9' || name[end-1] == '.' || name[end-1] == '-') {
		end--
	}
	name = name[:end]
	return name[strings.LastIndexByte(name, '-')+1:]
}
