package syftcatalog

import (
	"path"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/layers"
)

// selector keeps what catalogers may ask for. What it misses is read in a
// second pass, so that it decides about speed, not about results; except for
// the signatures, see resolver.FilesByMIMEType.
var selector = layers.Selector{Keep: wanted.keep, Signatures: signatures}

// signatures are what the catalogers that read executables look for: Go build
// information, cargo-auditable's section, ELF package notes, GraalVM's SBOM,
// UPX-packed files (which syft unpacks), and the marker of a .NET single-file
// bundle.
var signatures = [][]byte{
	[]byte("\xff Go buildinf:"),
	[]byte(".dep-v0"),
	[]byte(".note.package"),
	[]byte("__svm_version_info"),
	[]byte("UPX!"),
	{
		0x8b, 0x12, 0x02, 0xb9, 0x6a, 0x61, 0x20, 0x38, 0x72, 0x7b, 0x93, 0x02, 0x14, 0xd7, 0xa0, 0x32,
		0x13, 0xf5, 0xb9, 0xe6, 0xef, 0xae, 0x33, 0x18, 0xee, 0x3b, 0x2d, 0xce, 0x24, 0xb3, 0x6a, 0xae,
	},
}

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
