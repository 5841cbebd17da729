// Package match decides whether a package or an image is the one that a
// waiver, a VEX statement or a baseline means. It knows names, package URLs,
// version ranges and image references; it decides nothing about findings.
package match

import (
	"fmt"
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// maxPURLLength bounds a package URL in bytes. The longest real ones, of Maven
// and rpm, are below 400.
const maxPURLLength = 2048

// PURL is a package URL as a pattern: what it leaves out may be anything.
type PURL struct {
	text string
	url  packageurl.PackageURL
}

// ParsePURL reads a package URL, https://github.com/package-url/purl-spec.
func ParsePURL(text string) (PURL, error) {
	if len(text) > maxPURLLength {
		return PURL{}, fmt.Errorf("package url of %d bytes is longer than %d", len(text), maxPURLLength)
	}
	u, err := packageurl.FromString(text)
	if err != nil {
		return PURL{}, fmt.Errorf("package url %q: %w", text, err)
	}
	if u.Name == "" {
		return PURL{}, fmt.Errorf("package url %q names no package", text)
	}
	return PURL{text: text, url: u}, nil
}

// String returns the package URL as it was written.
func (p PURL) String() string { return p.text }

// Type is the package URL type.
func (p PURL) Type() string { return p.url.Type }

// Name is the package's name, without its namespace.
func (p PURL) Name() string { return p.url.Name }

// Version is the version that the pattern demands, or "".
func (p PURL) Version() string { return p.url.Version }

// WithVersion returns the pattern with the version in place of its own.
func (p PURL) WithVersion(version string) PURL {
	p.url.Version = version
	p.text = p.url.ToString()
	return p
}

// IsOf reports whether both are of one package, whatever their versions,
// qualifiers and subpaths.
func (p PURL) IsOf(other PURL) bool {
	a, b := p.url, other.url
	return strings.EqualFold(a.Type, b.Type) && a.Namespace == b.Namespace && a.Name == b.Name
}

// Covers reports whether other is what p means: type, namespace and name are
// equal, and so are the version, each qualifier and the subpath that p has.
// These are the matching rules of OpenVEX,
// https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md#product-data-structure
func (p PURL) Covers(other PURL) bool {
	a, b := p.url, other.url
	switch {
	case !p.IsOf(other):
		return false
	case a.Version != "" && a.Version != b.Version:
		return false
	case a.Subpath != "" && a.Subpath != b.Subpath:
		return false
	}
	have := b.Qualifiers.Map()
	for name, value := range a.Qualifiers.Map() {
		if have[name] != value {
			return false
		}
	}
	return true
}

// CoversPackage reports whether p means the package. A package without a
// readable package URL is meant by none.
func (p PURL) CoversPackage(pkg *finding.Package) bool {
	if pkg == nil || pkg.PURL == "" {
		return false
	}
	other, err := ParsePURL(pkg.PURL)
	return err == nil && p.Covers(other)
}

// Without returns the pattern without a qualifier.
func (p PURL) Without(qualifier string) PURL {
	kept := make(packageurl.Qualifiers, 0, len(p.url.Qualifiers))
	for _, q := range p.url.Qualifiers {
		if q.Key != qualifier {
			kept = append(kept, q)
		}
	}
	p.url.Qualifiers = kept
	return p
}
