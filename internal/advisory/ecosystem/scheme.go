package ecosystem

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/google/osv-scalibr/semantic"
)

// ErrUnreadable is wrapped by errors about a version that its ecosystem's
// rules do not allow. Such a version cannot be compared: a comparison would
// give an answer, and a wrong one.
var ErrUnreadable = errors.New("version is not in the ecosystem's form")

// maxVersionLength bounds what is handed to the comparators, whose running
// time grows with it. The longest real version seen is below 100 bytes.
const maxVersionLength = 256

// Scheme compares the versions of one or more ecosystems.
type Scheme struct {
	// Name says in one or two words whose rules these are; shown as evidence.
	Name string
	// valid is the published grammar of a version.
	valid *regexp.Regexp
	parse func(string) (semantic.Version, error)
	// clean brings an installed version into the form that advisories use; nil
	// where both are the same.
	clean func(string) string
	// cleanBound does the same for versions in advisories.
	cleanBound func(string) string
	// placeholder is a version that stands for "not known", or "".
	placeholder string
	// memo holds bounds that were read before; nil for none. See Remember.
	memo map[string]bound
}

type bound struct {
	version Version
	err     error
}

// Remember returns a copy of the scheme that reads each bound once: advisories
// about one release name the same versions over and over. The copy is for one
// goroutine.
func (s *Scheme) Remember() *Scheme {
	c := *s
	c.memo = make(map[string]bound)
	return &c
}

// Version is a version that can be compared with others of its scheme.
type Version struct {
	text string
	v    semantic.Version
}

// String returns the version as it was compared.
func (v Version) String() string { return v.text }

// Parse reads the version of an installed package. It checks the version
// against the grammar first and returns an error that wraps ErrUnreadable.
func (s *Scheme) Parse(raw string) (Version, error) {
	text := strings.TrimSpace(raw)
	if s.clean != nil {
		text = s.clean(text)
	}
	if len(text) > maxVersionLength || !s.valid.MatchString(text) || text == s.placeholder {
		return Version{}, fmt.Errorf("%q as %s version: %w", raw, s.Name, ErrUnreadable)
	}
	return s.finish(text)
}

// Bound reads a version named by an advisory. Advisories are less strict than
// package managers ("1.2" for a SemVer range), so that only what the
// comparator itself refuses is an error. The bound "0" of OSV is the caller's.
func (s *Scheme) Bound(raw string) (Version, error) {
	if known, ok := s.memo[raw]; ok {
		return known.version, known.err
	}
	v, err := s.readBound(raw)
	if s.memo != nil {
		s.memo[raw] = bound{v, err}
	}
	return v, err
}

func (s *Scheme) readBound(raw string) (Version, error) {
	text := strings.TrimSpace(raw)
	if s.cleanBound != nil {
		text = s.cleanBound(text)
	}
	if text == "" || len(text) > maxVersionLength || !strings.ContainsAny(text, "0123456789") {
		return Version{}, fmt.Errorf("%q as bound of a %s range: %w", raw, s.Name, ErrUnreadable)
	}
	return s.finish(text)
}

func (s *Scheme) finish(text string) (Version, error) {
	v, err := s.parse(text)
	if err != nil {
		return Version{}, fmt.Errorf("%q as %s version: %w: %w", text, s.Name, ErrUnreadable, err)
	}
	return Version{text: text, v: v}, nil
}

// Compare returns a negative number when v is older than w, zero when they are
// equal, and a positive number when v is newer. Both must be of one scheme.
func (v Version) Compare(w Version) int {
	n, err := v.v.Compare(w.v)
	if err != nil {
		// Only versions of two schemes come here: a mistake in this program.
		panic(fmt.Sprintf("compare versions %q and %q: %v", v.text, w.text, err))
	}
	return n
}

func total[V semantic.Version](parse func(string) V) func(string) (semantic.Version, error) {
	return func(s string) (semantic.Version, error) { return parse(s), nil }
}

func partial[V semantic.Version](parse func(string) (V, error)) func(string) (semantic.Version, error) {
	return func(s string) (semantic.Version, error) { return parse(s) }
}

// The schemes. Each grammar is the one that the ecosystem publishes, widened
// only where its own tools accept more.
var (
	// deb-version(7): [epoch:]upstream[-revision]; upstream starts with a digit.
	debian = &Scheme{
		Name: "Debian", parse: partial(semantic.ParseDebianVersion),
		valid: regexp.MustCompile(`^([0-9]+:)?[0-9][A-Za-z0-9.+~:-]*$`),
	}
	// rpm-version(7): [epoch:]version[-release]; alphanumerics and . _ + ~ ^.
	rpm = &Scheme{
		Name: "RPM", parse: total(semantic.ParseRedHatVersion),
		valid: regexp.MustCompile(`^([0-9]+:)?[A-Za-z0-9._+~^]*[0-9][A-Za-z0-9._+~^]*(-[A-Za-z0-9._+~^]+)*$`),
	}
	// apk-package(5): number{.number}{letter}{_suffix{number}}{~hash}{-r#}.
	alpine = &Scheme{
		Name: "Alpine", parse: partial(semantic.ParseAlpineVersion),
		valid: regexp.MustCompile(`^[0-9]+(\.[0-9]+)*[a-z]?(_(alpha|beta|pre|rc|cvs|svn|git|hg|p)[0-9]*)*(~[0-9a-f]+)?(-r[0-9]+)?$`),
	}
	// https://semver.org, and a leading v or = as npm strips it.
	semver = &Scheme{
		Name: "SemVer", parse: total(semantic.ParseSemverVersion), clean: trimV, cleanBound: trimV,
		valid: regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`),
	}
	// SemVer with fewer or more numbers, for registries that take any.
	looseSemver = &Scheme{
		Name: "SemVer-like", parse: total(semantic.ParseSemverVersion), clean: trimV, cleanBound: trimV,
		valid: regexp.MustCompile(`^[0-9]+(\.[0-9]+)*([-.][0-9A-Za-z][0-9A-Za-z.-]*)?(\+[0-9A-Za-z.-]+)?$`),
	}
	// https://go.dev/ref/mod#versions; the standard library's go1.22rc1 is
	// written 1.22.0-rc.1 in the vulnerability database.
	golang = &Scheme{
		Name: "Go", parse: total(semantic.ParseSemverVersion), clean: cleanGo, cleanBound: cleanGo,
		// What the toolchain records for a module replaced by a directory: it
		// would compare as older than every fix.
		placeholder: "0.0.0-00010101000000-000000000000",
		valid:       regexp.MustCompile(`^[0-9]+(\.[0-9]+){0,2}(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`),
	}
	// https://packaging.python.org/en/latest/specifications/version-specifiers/
	pypi = &Scheme{
		Name: "PEP 440", parse: partial(semantic.ParsePyPIVersion), clean: strings.ToLower, cleanBound: strings.ToLower,
		valid: regexp.MustCompile(`^v?([0-9]+!)?[0-9]+(\.[0-9]+)*([-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?[0-9]*)?(-[0-9]+|[-_.]?(post|rev|r)[-_.]?[0-9]*)?([-_.]?dev[-_.]?[0-9]*)?(\+[a-z0-9]+([-_.][a-z0-9]+)*)?$`),
	}
	// https://maven.apache.org/pom.html#version-order-specification
	maven = &Scheme{
		Name: "Maven", parse: total(semantic.ParseMavenVersion),
		valid: regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]*$`),
	}
	// Gem::Version::VERSION_PATTERN.
	rubygems = &Scheme{
		Name: "RubyGems", parse: total(semantic.ParseRubyGemsVersion), clean: trimGemPlatform,
		valid: regexp.MustCompile(`^[0-9]+(\.[0-9A-Za-z]+)*(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$`),
	}
	// https://learn.microsoft.com/nuget/concepts/package-versioning
	nuget = &Scheme{
		Name: "NuGet", parse: total(semantic.ParseNuGetVersion), clean: trimV, cleanBound: trimV,
		valid: regexp.MustCompile(`^[0-9]+(\.[0-9]+){0,3}(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`),
	}
	// https://getcomposer.org/doc/articles/versions.md; branches (dev-main) are
	// not versions.
	packagist = &Scheme{
		Name: "Composer", parse: total(semantic.ParsePackagistVersion), clean: trimV, cleanBound: trimV,
		valid: regexp.MustCompile(`(?i)^[0-9]+(\.[0-9]+){0,3}([._-]?(stable|beta|b|rc|alpha|a|patch|pl|p)([.-]?[0-9]+)*)?([.-]?dev)?(\+[0-9A-Za-z.-]+)?$`),
	}
	// https://dart.dev/tools/pub/versioning
	pub = &Scheme{
		Name: "Pub", parse: parsePub, clean: trimV, cleanBound: trimV,
		valid: regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`),
	}
	// https://pvp.haskell.org
	hackage = &Scheme{
		Name: "Haskell PVP", parse: partial(semantic.ParseHackageVersion),
		valid: regexp.MustCompile(`^[0-9]+(\.[0-9]+)*$`),
	}
	// https://cran.r-project.org/doc/manuals/r-release/R-exts.html#The-DESCRIPTION-file
	cran = &Scheme{
		Name: "CRAN", parse: partial(semantic.ParseCRANVersion),
		valid: regexp.MustCompile(`^[0-9]+([.-][0-9]+)*$`),
	}
	// Bitnami appends its own revision (1.2.3-4), which SemVer would read as a
	// pre-release; advisories name upstream versions.
	bitnami = &Scheme{
		Name: "Bitnami", parse: total(semantic.ParseSemverVersion), clean: trimBitnamiRevision, cleanBound: trimV,
		valid: regexp.MustCompile(`^[0-9]+(\.[0-9]+)*([-.][0-9A-Za-z][0-9A-Za-z.-]*)?(\+[0-9A-Za-z.-]+)?$`),
	}
	// Conan takes any string; most recipes follow upstream, where 1.1.1k comes
	// after 1.1.1. RubyGems' rules compare any number of parts, and read what
	// follows a dash as a pre-release.
	conan = &Scheme{
		Name: "Conan", parse: total(semantic.ParseRubyGemsVersion), clean: cleanConan, cleanBound: cleanConan,
		valid: looseSemver.valid,
	}
)

// trimV drops what people write before a SemVer number.
func trimV(s string) string {
	return strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(s, "="), "v"), "V")
}

var (
	goPrerelease   = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+){1,2})(rc|beta)([0-9]+)$`)
	gemPlatform    = regexp.MustCompile(`-(x86_64|x86|x64|aarch64|arm64|arm|i[3-6]86|universal|java|jruby|mswin[0-9]*|mingw[0-9]*|ppc64le|s390x|riscv64)([-.].*)?$`)
	bitnamiTail    = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)*)-[0-9]+$`)
	letteredNumber = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)*)([a-z])$`)
)

// cleanGo strips the v of modules, the go of the standard library, what the
// toolchain appends after a blank ("go1.22.5 X:boringcrypto"), vendor suffixes
// of the toolchain (go1.22.5-1.el9 by Red Hat) and "+incompatible", which are
// build metadata; and rewrites go1.22rc1 as 1.22.0-rc.1.
func cleanGo(s string) string {
	s, _, _ = strings.Cut(s, " ")
	standard := strings.HasPrefix(s, "go")
	s = strings.TrimPrefix(strings.TrimPrefix(s, "go"), "v")
	s = strings.TrimSuffix(s, "+incompatible")
	if !standard {
		return s
	}
	s, _, _ = strings.Cut(s, "-")
	m := goPrerelease.FindStringSubmatch(s)
	if m == nil {
		return s
	}
	if strings.Count(m[1], ".") == 1 {
		m[1] += ".0"
	}
	return m[1] + "-" + m[2] + "." + m[3]
}

// parsePub parses a version so that the numbers in its build (1.0.0+11) compare
// as numbers, as pub does; the comparator takes them as text.
func parsePub(s string) (semantic.Version, error) {
	version, build, found := strings.Cut(s, "+")
	if !found {
		return semantic.ParsePubVersion(s), nil
	}
	parts := strings.Split(build, ".")
	for i, part := range parts {
		if _, err := strconv.ParseUint(part, 10, 64); err == nil {
			parts[i] = fmt.Sprintf("%020s", part)
		}
	}
	return semantic.ParsePubVersion(version + "+" + strings.Join(parts, ".")), nil
}

// trimGemPlatform drops the platform that Gemfile.lock appends to a version.
func trimGemPlatform(s string) string { return gemPlatform.ReplaceAllString(s, "") }

func trimBitnamiRevision(s string) string {
	s = trimV(s)
	if m := bitnamiTail.FindStringSubmatch(s); m != nil {
		return m[1]
	}
	return s
}

// cleanConan drops build metadata and writes a trailing letter as one more
// number, so that the order is 1.1.1 < 1.1.1a < 1.1.1k.
func cleanConan(s string) string {
	s, _, _ = strings.Cut(trimV(s), "+")
	m := letteredNumber.FindStringSubmatch(s)
	if m == nil {
		return s
	}
	return m[1] + "." + strconv.Itoa(int(m[2][0]-'a'+1))
}
