// Package ecosystem holds one table: for each package ecosystem and each
// distribution its OSV name, package URL type, version comparison, name
// normalisation and releases. Builder and matcher both read it, so that what
// one files the other finds. It is not for looking anything up in a database.
package ecosystem

import (
	"regexp"
	"strings"
)

// Ecosystem is one entry of the table.
type Ecosystem struct {
	// Name is the OSV ecosystem without suffix,
	// https://ossf.github.io/osv-schema/#defined-ecosystems. Distributions that
	// OSV does not know have the name that our own feeds use.
	Name string
	// PURLTypes are the package URL types of its packages.
	PURLTypes []string
	// Scheme compares its versions.
	Scheme *Scheme
	// Native are prefixes of the ids of the ecosystem's own advisories about
	// single flaws. Where they and others (another database, or a bundle of the
	// same distribution) describe one flaw of one package differently, these
	// are right.
	Native []string
	// Distribution is set for operating systems.
	Distribution *Distribution
	// fold makes names that the registry holds for equal equal; nil for none.
	fold func(string) string
}

// Fold returns the form of a package name under which advisories are filed.
func (e *Ecosystem) Fold(name string) string {
	if e.fold == nil {
		return name
	}
	return e.fold(name)
}

// IsNative reports whether the advisory id is one of the ecosystem's own.
func (e *Ecosystem) IsNative(id string) bool {
	for _, prefix := range e.Native {
		if strings.HasPrefix(id, prefix) {
			return true
		}
	}
	return false
}

// Place is where an OSV ecosystem string such as "Ubuntu:Pro:22.04:LTS" files
// a record.
type Place struct {
	Ecosystem *Ecosystem
	// Release is the distribution's release in the table's own form ("22.04",
	// "v3.19", "9"), empty for other ecosystems.
	Release string
	// Variant is what else the string says: "Pro", a Red Hat repository, the
	// address of a foreign registry. The matcher decides which ones count.
	Variant string
	// support names the product whose support dates hold, where it is another
	// one than the release whose advisories are used (CentOS Linux).
	support string
}

// Locate splits an OSV ecosystem string. It reports false for ecosystems and
// releases that are not in the table.
func Locate(osvName string) (Place, bool) {
	base, suffix, _ := strings.Cut(osvName, ":")
	e, ok := byName[base]
	if !ok {
		return Place{}, false
	}
	if e.Distribution == nil {
		return Place{Ecosystem: e, Variant: suffix}, true
	}
	release, variant, ok := e.Distribution.split(suffix)
	return Place{Ecosystem: e, Release: release, Variant: variant}, ok
}

// Shard is the name of the shard of a release of an ecosystem: lower case
// letters, digits, dots and dashes.
func (p Place) Shard() string {
	name := slug(p.Ecosystem.Name)
	if p.Release != "" {
		name += "-" + slug(p.Release)
	}
	return name
}

// OSVName is the OSV ecosystem string of the place without its variant.
func (p Place) OSVName() string {
	if p.Release == "" {
		return p.Ecosystem.Name
	}
	return p.Ecosystem.Name + ":" + p.Release
}

var notSlug = regexp.MustCompile(`[^a-z0-9.]+`)

func slug(s string) string {
	return strings.Trim(notSlug.ReplaceAllString(strings.ToLower(s), "-"), "-.")
}

// ByName finds the entry with the OSV name, without suffix.
func ByName(name string) (*Ecosystem, bool) {
	e, ok := byName[name]
	return e, ok
}

// ByPURLType finds the language or application ecosystem of a package URL
// type. Types of operating system packages (deb, rpm, apk …) are not found:
// their ecosystem is that of the distribution.
func ByPURLType(purlType string) (*Ecosystem, bool) {
	e, ok := byPURLType[strings.ToLower(purlType)]
	return e, ok
}

// All returns the table in a fixed order. The caller must not change it.
func All() []*Ecosystem { return table }

var byName, byPURLType = index(table)

func index(entries []*Ecosystem) (names, purls map[string]*Ecosystem) {
	names, purls = make(map[string]*Ecosystem), make(map[string]*Ecosystem)
	for _, e := range entries {
		names[e.Name] = e
		if e.Distribution != nil {
			continue
		}
		for _, t := range e.PURLTypes {
			purls[t] = e
		}
	}
	return names, purls
}

var (
	pep503    = regexp.MustCompile(`[-_.]+`)
	urlScheme = regexp.MustCompile(`^https?://`)
)

// foldPyPI follows PEP 503, https://peps.python.org/pep-0503/#normalized-names.
func foldPyPI(name string) string {
	return strings.ToLower(pep503.ReplaceAllString(name, "-"))
}

// foldURL drops what SwiftURL names sometimes carry: scheme and ".git".
func foldURL(name string) string {
	return strings.ToLower(strings.TrimSuffix(urlScheme.ReplaceAllString(name, ""), ".git"))
}
