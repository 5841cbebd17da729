package ecosystem

import (
	"regexp"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/inventory"
)

// NameOrder says which of a package's names advisories use.
type NameOrder int

// The orders of names.
const (
	// SourceName: advisories name source packages and their versions.
	SourceName NameOrder = iota
	// BinaryThenSource: some of the advisories name binary packages, some
	// source packages; the binary name is tried first.
	BinaryThenSource
)

// Distribution is what is particular to an operating system.
type Distribution struct {
	// IDs are the values of ID in os-release(5).
	IDs []string
	// Names says which of a package's names advisories use.
	Names NameOrder
	// TracksUnfixed is true where the vendor also lists what is not fixed yet,
	// so that its silence about a package means something.
	TracksUnfixed bool
	// Modular is true where rpm module streams exist: an advisory for one
	// stream says nothing about another one.
	Modular bool
	// Vendors are words of which the packager recorded in an rpm holds one; a
	// package by anyone else comes from a foreign repository.
	Vendors []string
	release func(inventory.Distro) (string, bool)
	split   func(suffix string) (release, variant string, ok bool)
	// accepts reports whether entries of a variant are about the system; nil
	// for all of them.
	accepts func(d inventory.Distro, variant string) bool
}

// Accepts reports whether entries of a variant of the release are about the
// given system: products of one release may have fixes of their own.
func (d *Distribution) Accepts(system inventory.Distro, variant string) bool {
	return d.accepts == nil || d.accepts(system, variant)
}

// OwnVendor reports whether the packager is the distribution itself. A package
// that does not name its packager is taken for the distribution's own.
func (d *Distribution) OwnVendor(vendor string) bool {
	if vendor == "" || len(d.Vendors) == 0 {
		return true
	}
	lower := strings.ToLower(vendor)
	return slices.ContainsFunc(d.Vendors, func(v string) bool {
		return strings.Contains(lower, strings.ToLower(v))
	})
}

// ByDistro finds the ecosystem and release of an operating system. It reports
// false for systems and releases that the table cannot name: their packages
// cannot be assessed, and no other release may stand in for them.
func ByDistro(d inventory.Distro) (Place, bool) {
	id := strings.ToLower(d.ID)
	for _, e := range table {
		if e.Distribution == nil || !slices.Contains(e.Distribution.IDs, id) {
			continue
		}
		release, ok := e.Distribution.release(d)
		p := Place{Ecosystem: e, Release: release}
		if id == "centos" {
			p.support = "CentOS:" + release
		}
		return p, ok
	}
	return Place{}, false
}

func rolling(id string, names NameOrder) *Distribution {
	return &Distribution{IDs: []string{id}, Names: names, release: rollingRelease, split: rollingSuffix}
}

func rollingRelease(inventory.Distro) (string, bool) { return "", true }

func rollingSuffix(suffix string) (string, string, bool) { return "", suffix, true }

// plainSuffix is the rule of most distributions: the suffix is the release. An
// entry without one cannot be assigned to any.
func plainSuffix(suffix string) (string, string, bool) { return suffix, "", suffix != "" }

var ubuntuVersion = regexp.MustCompile(`^[0-9]{2}\.[0-9]{2}$`)

// ubuntuSuffix reads "22.04:LTS", "23.10", "Pro:22.04:LTS" and
// "Pro:FIPS-updates:22.04:LTS".
func ubuntuSuffix(suffix string) (string, string, bool) {
	var release string
	var variant []string
	for part := range strings.SplitSeq(suffix, ":") {
		switch {
		case ubuntuVersion.MatchString(part):
			release = part
		case part != "LTS":
			variant = append(variant, part)
		}
	}
	return release, strings.Join(variant, ":"), release != ""
}

// redHatSuffix reads the CPE parts that OSV uses: "enterprise_linux:9::appstream"
// is release 9, repository appstream. Extended support ("rhel_eus:9.2::baseos")
// has fixed versions of its own for the flaws that are fixed there, and so a
// release of its own, 9.2 EUS. Other products (OpenShift …) are not filed.
func redHatSuffix(suffix string) (string, string, bool) {
	parts := strings.Split(suffix, ":")
	if len(parts) < 2 || parts[1] == "" {
		return "", "", false
	}
	variant := strings.Trim(strings.Join(parts[2:], ":"), ":")
	if parts[0] == "enterprise_linux" {
		major, _, _ := strings.Cut(parts[1], ".")
		return major, variant, true
	}
	if kind, ok := strings.CutPrefix(parts[0], "rhel_"); ok && slices.Contains(extendedSupport, kind) {
		return parts[1] + " " + strings.ToUpper(kind), variant, true
	}
	return "", "", false
}

// extendedSupport are Red Hat's kinds of support for a minor release beyond the
// next one, and of a major release beyond its end.
// https://access.redhat.com/support/policy/updates/errata
var extendedSupport = []string{"eus", "aus", "tus", "e4s", "els"}

// contentSet reads rhel-9-for-x86_64-baseos-eus-rpms,
// rhel-9.2-for-x86_64-appstream-e4s-rpms,
// rhel-8-for-x86_64-baseos-eus-rpms__8_DOT_4 and rhel-7-server-els-rpms.
var contentSet = regexp.MustCompile(`^rhel-([0-9.]+)-.*-(eus|aus|tus|e4s|els)-rpms(?:__([0-9]+)_DOT_([0-9]+))?$`)

// Extended returns the release of extended support from which the system's
// packages come by the image's own records, and whether they name one. Its
// advisories go before those of the place itself.
func (p Place) Extended(d inventory.Distro) (Place, bool) {
	if p.Ecosystem.Name != "Red Hat" {
		return Place{}, false
	}
	for _, set := range d.ContentSets {
		m := contentSet.FindStringSubmatch(set)
		if m == nil {
			continue
		}
		release := d.Version
		switch {
		case m[3] != "":
			release = m[3] + "." + m[4]
		case strings.Contains(m[1], "."):
			release = m[1]
		case m[2] == "els":
			release = p.Release
		}
		return Place{Ecosystem: p.Ecosystem, Release: release + " " + strings.ToUpper(m[2])}, true
	}
	return Place{}, false
}

// debianCodenames are the releases whose os-release has no VERSION_ID while
// they are testing or unstable, with the number that they will get.
// https://www.debian.org/releases/
var debianCodenames = map[string]string{
	"stretch": "9", "buster": "10", "bullseye": "11", "bookworm": "12", "trixie": "13", "forky": "14", "duke": "15",
}

func debianRelease(d inventory.Distro) (string, bool) {
	if major, _, _ := strings.Cut(d.Version, "."); major != "" {
		return major, true
	}
	release, ok := debianCodenames[strings.ToLower(d.Codename)]
	return release, ok
}

func versionID(d inventory.Distro) (string, bool) { return d.Version, d.Version != "" }

func majorVersion(d inventory.Distro) (string, bool) {
	major, _, _ := strings.Cut(d.Version, ".")
	return major, major != ""
}

var alpineNumber = regexp.MustCompile(`^([0-9]+\.[0-9]+)(\.[0-9]+)*(_rc[0-9]+)?$`)

// alpineRelease reads "3.19.1" as v3.19, and so a candidate of the release, which
// has its repositories. Pre-releases such as 3.21.0_alpha20240923 are what edge
// calls itself.
func alpineRelease(d inventory.Distro) (string, bool) {
	if m := alpineNumber.FindStringSubmatch(d.Version); m != nil {
		return "v" + m[1], true
	}
	if strings.Contains(d.Version, "_") || strings.Contains(strings.ToLower(d.PrettyName), "edge") {
		return "edge", true
	}
	return "", false
}

// redHatRelease reads Red Hat's releases, and CentOS Linux, which was built
// from the same sources. CentOS Stream runs ahead of them with other versions
// and has no advisories.
func redHatRelease(d inventory.Distro) (string, bool) {
	if strings.EqualFold(d.ID, "centos") && strings.Contains(strings.ToLower(d.Name+" "+d.PrettyName), "stream") {
		return "", false
	}
	return majorVersion(d)
}

// almaRelease reads AlmaLinux' releases. AlmaLinux Kitten runs ahead of them as
// CentOS Stream does, under the same ID.
func almaRelease(d inventory.Distro) (string, bool) {
	if strings.Contains(strings.ToLower(d.Name+" "+d.PrettyName), "kitten") {
		return "", false
	}
	return majorVersion(d)
}

var suseProduct = regexp.MustCompile(`^(.+) ([0-9]+(?: SP[0-9]+)?)$`)

// suseSuffix reads "Linux Enterprise Module for Basesystem 15 SP5": all products
// of one service pack are one release, the product is the variant. Products
// under a contract (…-LTSS) and others without a service pack stand alone.
func suseSuffix(suffix string) (string, string, bool) {
	if m := suseProduct.FindStringSubmatch(suffix); m != nil {
		return m[2], m[1], true
	}
	return suffix, "", suffix != ""
}

// suseRelease: OSV names SUSE's products as PRETTY_NAME does, without "SUSE ".
func suseRelease(d inventory.Distro) (string, bool) {
	release, _, ok := suseSuffix(strings.TrimPrefix(d.PrettyName, "SUSE "))
	return release, ok
}

// suseAccepts: most packages of a server come from modules, which are filed as
// products of their own.
func suseAccepts(d inventory.Distro, variant string) bool {
	_, own, _ := suseSuffix(strings.TrimPrefix(d.PrettyName, "SUSE "))
	return variant == own || strings.HasPrefix(variant, "Linux Enterprise Module for ")
}

func ubuntuAccepts(_ inventory.Distro, variant string) bool { return variant == "" || variant == "Pro" }

func openSUSERelease(d inventory.Distro) (string, bool) {
	name := strings.TrimPrefix(d.PrettyName, "openSUSE ")
	return name, name != ""
}

var openEulerPretty = regexp.MustCompile(`^([0-9]{2}\.[0-9]{2})(?: \((.+)\))?$`)

// openEulerRelease turns "openEuler 22.03 (LTS-SP3)" into 22.03-LTS-SP3.
func openEulerRelease(d inventory.Distro) (string, bool) {
	m := openEulerPretty.FindStringSubmatch(strings.TrimPrefix(d.PrettyName, "openEuler "))
	if m == nil {
		return "", false
	}
	if m[2] == "" {
		return m[1], true
	}
	return m[1] + "-" + m[2], true
}
