// Package lockfile reads the files in which package managers write down what
// they install, and says for each package the exact place of its entry, so
// that a finding can be shown where a person changes the version. It reads
// text only: it resolves no ranges, asks no registry and runs nothing. Its
// main type is Entry.
package lockfile

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/portcullis-ci/portcullis/internal/recovered"
)

// Entry is one package of one version with the place that names it.
type Entry struct {
	// Type is the package URL type: npm, pypi, golang, cargo, gem, composer,
	// nuget, maven, pub, hex, conan.
	Type string
	// Name is the full name as the ecosystem writes it: @scope/name for npm,
	// vendor/name for composer, group:artifact for maven, the module path for
	// golang.
	Name string
	// Version is as written, without an operator in front.
	Version string
	// Path is where the package manager puts the package, relative to the lock
	// file's folder, where the file says so (npm from version 2 on), or "".
	Path string
	// Line, Column, EndLine and EndColumn are a place on one line that holds
	// the name; they count from 1, columns in code points, the end exclusive.
	Line, Column, EndLine, EndColumn int
}

// MaxSize is the largest file that is read, in bytes. The largest lock files in
// use have some ten megabytes.
const MaxSize = 32 << 20

// MaxEntries bounds the entries of one file; the largest in use have some ten
// thousand.
const MaxEntries = 200_000

// ErrTooLarge says that a file is beyond MaxSize or MaxEntries.
var ErrTooLarge = errors.New("the lock file is too large to be read")

// ErrNotText says that a file is not UTF-8 text.
var ErrNotText = errors.New("the lock file is not UTF-8 text")

// ProjectFile is the name of the format of .NET's project files, which have
// names of their own.
const ProjectFile = "project file"

// Format is a kind of lock file.
type Format struct {
	// Name is the usual file name, such as package-lock.json, or ProjectFile.
	Name string
	// Type is the package URL type of its entries.
	Type  string
	match func(name, dir string) bool
	parse func(*document) error
}

// formats are all kinds that are read.
var formats = []Format{
	{"package-lock.json", "npm", named("package-lock.json"), parseNPM},
	{"npm-shrinkwrap.json", "npm", named("npm-shrinkwrap.json"), parseNPM},
	{"yarn.lock", "npm", named("yarn.lock"), parseYarn},
	{"pnpm-lock.yaml", "npm", named("pnpm-lock.yaml"), parsePNPM},
	{"bun.lock", "npm", named("bun.lock"), parseBun},
	{"deno.lock", "npm", named("deno.lock"), parseDeno},
	{"go.mod", "golang", named("go.mod"), parseGoMod},
	{"go.work", "golang", named("go.work"), parseGoWork},
	{"requirements.txt", "pypi", isRequirements, parseRequirements},
	{"poetry.lock", "pypi", named("poetry.lock"), parsePoetry},
	{"pdm.lock", "pypi", named("pdm.lock"), parsePoetry},
	{"uv.lock", "pypi", named("uv.lock"), parseUV},
	{"Pipfile.lock", "pypi", named("Pipfile.lock"), parsePipfile},
	{"Cargo.lock", "cargo", named("Cargo.lock"), parseCargo},
	{"Gemfile.lock", "gem", named("Gemfile.lock", "gems.locked"), parseGemfile},
	{"composer.lock", "composer", named("composer.lock"), parseComposer},
	{"pom.xml", "maven", named("pom.xml"), parsePOM},
	{"gradle.lockfile", "maven", named("gradle.lockfile", "buildscript-gradle.lockfile"), parseGradle},
	{"packages.lock.json", "nuget", named("packages.lock.json"), parseNuGet},
	{ProjectFile, "nuget", isProjectFile, parseProjectFile},
	{"conan.lock", "conan", named("conan.lock"), parseConan},
	{"pubspec.lock", "pub", named("pubspec.lock"), parsePubspec},
	{"mix.lock", "hex", named("mix.lock"), parseMix},
}

func named(names ...string) func(string, string) bool {
	return func(name, _ string) bool {
		for _, n := range names {
			if n == name {
				return true
			}
		}
		return false
	}
}

var requirementsName = regexp.MustCompile(`^(?:.*[-_.])?(?:requirements|constraints)(?:[-_.].*)?\.txt$`)

func isRequirements(name, dir string) bool {
	return requirementsName.MatchString(name) || dir == "requirements" && strings.HasSuffix(name, ".txt")
}

// FormatOf is the kind of lock file that a path names by its last elements.
func FormatOf(file string) (Format, bool) {
	name, dir := path.Base(file), path.Base(path.Dir(file))
	for _, f := range formats {
		if f.match(name, dir) {
			return f, true
		}
	}
	return Format{}, false
}

// Parse reads the lock file of the given path, whose last element tells the
// kind. It returns what could be read beside the error. A path of no known kind
// has no entries.
func Parse(file string, content []byte) (entries []Entry, err error) {
	defer recovered.As(&err, "read "+file)
	format, ok := FormatOf(file)
	if !ok {
		return nil, nil
	}
	if len(content) > MaxSize {
		return nil, fmt.Errorf("read %s: %w", file, ErrTooLarge)
	}
	if !utf8.Valid(content) {
		return nil, fmt.Errorf("read %s: %w", file, ErrNotText)
	}
	d := &document{text: string(content), typ: format.Type}
	d.starts = append(d.starts, 0)
	for i := range len(d.text) {
		if d.text[i] == '\n' {
			d.starts = append(d.starts, i+1)
		}
	}
	if err := format.parse(d); err != nil {
		return d.entries, fmt.Errorf("read %s: %w", file, err)
	}
	if d.full {
		return d.entries, fmt.Errorf("read %s: %w", file, ErrTooLarge)
	}
	return d.entries, nil
}

// document is a file while it is read.
type document struct {
	text    string
	typ     string
	starts  []int // of lines
	entries []Entry
	full    bool
}

// lines are the lines without their ends, with the offset at which each starts.
func (d *document) lines(yield func(start int, line string) bool) {
	for n, start := range d.starts {
		end := len(d.text)
		if n+1 < len(d.starts) {
			end = d.starts[n+1]
		}
		if !yield(start, strings.TrimRight(d.text[start:end], "\r\n")) {
			return
		}
	}
}

// add enters a package whose place is the range of offsets. An entry without a
// version, or whose place does not name it, is no evidence and left out.
func (d *document) add(e Entry, start, end int) {
	if e.Name == "" || e.Version == "" || start < 0 || end > len(d.text) || start >= end {
		return
	}
	place := d.text[start:end]
	if strings.ContainsAny(place, "\r\n") || !strings.Contains(strings.ToLower(place), strings.ToLower(ShortName(e))) {
		return
	}
	if len(d.entries) >= MaxEntries {
		d.full = true
		return
	}
	e.Type = d.typ
	e.Line, e.Column = d.position(start)
	e.EndLine, e.EndColumn = d.position(end)
	d.entries = append(d.entries, e)
}

// position is the line and column of an offset. A byte order mark at the start
// of the file is no column.
func (d *document) position(offset int) (line, column int) {
	n := sort.SearchInts(d.starts, offset+1) - 1
	head := d.text[d.starts[n]:offset]
	if n == 0 {
		head = strings.TrimPrefix(head, "\ufeff")
	}
	return n + 1, utf8.RuneCountInString(head) + 1
}

// ShortName is the part of the name that stands at the entry's place: the
// artifact of a maven name, and the whole name otherwise.
func ShortName(e Entry) string {
	if e.Type == "maven" || strings.Contains(e.Name, ":") {
		return e.Name[strings.LastIndexByte(e.Name, ':')+1:]
	}
	return e.Name
}

var separators = regexp.MustCompile(`[-_.]+`)

// FoldName is the form of a name by which equal names of an ecosystem compare
// equal: PEP 503 for pypi (https://peps.python.org/pep-0503/#normalized-names),
// lower case for composer, nuget, hex, pub and conan, hyphens for cargo.
func FoldName(typ, name string) string {
	switch typ {
	case "pypi":
		return strings.ToLower(separators.ReplaceAllString(name, "-"))
	case "composer", "nuget", "hex", "pub", "conan":
		return strings.ToLower(name)
	case "cargo":
		return strings.ReplaceAll(name, "_", "-")
	default:
		return name
	}
}

// FoldVersion takes off what an ecosystem writes or leaves out at will: the v
// of Go and Composer versions, and build metadata of NuGet.
func FoldVersion(typ, version string) string {
	version = strings.TrimSpace(version)
	switch typ {
	case "golang", "composer":
		return strings.TrimPrefix(version, "v")
	case "nuget":
		version, _, _ = strings.Cut(strings.ToLower(version), "+")
	case "gem":
		version, _, _ = strings.Cut(version, "-") // the platform
	}
	return version
}
