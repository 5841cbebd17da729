package syftcatalog

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/anchore/syft/syft/pkg"
	"github.com/package-url/packageurl-go"

	"github.com/portcullis-ci/portcullis/internal/credential"
	"github.com/portcullis-ci/portcullis/internal/inventory"
)

// listed is what an SBOM file says of packages that syft's model has no place
// for.
type listed struct {
	// sources are the source packages by the package URLs of what was built from
	// them.
	sources map[string]inventory.Source
	// purls are those of all components, in their order.
	purls []string
}

// component is one of a CycloneDX file. Trivy gives the source package in
// properties (https://trivy.dev/latest/docs/supply-chain/sbom/).
type component struct {
	PURL       string
	Properties []struct{ Name, Value string }
	Components []component
}

// spdxPackage is one of an SPDX file. Trivy gives the source package as source
// information
// (https://spdx.github.io/spdx-spec/v2.3/package-information/#712-source-information-field).
type spdxPackage struct {
	SourceInfo   string
	ExternalRefs []struct{ ReferenceType, ReferenceLocator string }
}

// builtFrom begins the source information of a package in Trivy's SPDX files.
const builtFrom = "built package from: "

// readListed reads an SBOM file that was decoded already.
func readListed(raw []byte) (listed, error) {
	var doc struct {
		Components []component
		Packages   []spdxPackage
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return listed{}, fmt.Errorf("read components: %w", err)
	}
	l := listed{sources: map[string]inventory.Source{}}
	l.components(doc.Components)
	for _, p := range doc.Packages {
		name, version, _ := strings.Cut(strings.TrimPrefix(p.SourceInfo, builtFrom), " ")
		for _, ref := range p.ExternalRefs {
			if ref.ReferenceType != "purl" {
				continue
			}
			l.purls = append(l.purls, ref.ReferenceLocator)
			if strings.HasPrefix(p.SourceInfo, builtFrom) && name != "" {
				l.sources[ref.ReferenceLocator] = inventory.Source{Name: name, Version: version}
			}
		}
	}
	if len(l.purls) > maxPackages {
		return listed{}, fmt.Errorf("%d components, more than the limit of %d", len(l.purls), maxPackages)
	}
	return l, nil
}

// components adds those of a list and what is in them.
func (l *listed) components(list []component) {
	for _, c := range list {
		if c.PURL != "" {
			l.purls = append(l.purls, c.PURL)
			if s := c.source(); s.Name != "" {
				l.sources[c.PURL] = s
			}
		}
		l.components(c.Components)
	}
}

// source is what the component was built from, as Trivy says it.
func (c component) source() inventory.Source {
	said := map[string]string{}
	for _, p := range c.Properties {
		if name, ok := strings.CutPrefix(p.Name, "aquasecurity:trivy:Src"); ok {
			said[name] = p.Value
		}
	}
	version := said["Version"]
	if version != "" && said["Release"] != "" {
		version += "-" + said["Release"]
	}
	if epoch := said["Epoch"]; version != "" && epoch != "" && epoch != "0" {
		version = epoch + ":" + version
	}
	return inventory.Source{Name: said["Name"], Version: version}
}

// complete adds to the inventory of an SBOM file what syft's decoders leave out:
// source packages, and components of types that they do not take for packages.
func (l listed) complete(inv *inventory.Inventory) {
	known := make(map[string]bool, len(inv.Packages))
	for i := range inv.Packages {
		p := &inv.Packages[i]
		known[canonical(p.PURL)] = true
		if s, ok := l.sources[p.PURL]; ok && p.Source == nil {
			p.Source = sourceOf(*p, s.Name, s.Version)
		}
	}
	for _, purl := range l.purls {
		key := canonical(credential.Withhold(purl))
		if known[key] || key == "" {
			continue
		}
		known[key] = true
		if p, ok := packageOf(purl); ok {
			if s, ok := l.sources[purl]; ok && p.Source == nil {
				p.Source = sourceOf(p, s.Name, s.Version)
			}
			inv.Packages = append(inv.Packages, p)
		}
	}
	inv.SourcesUnknown = noSources(inv.Packages)
	slices.SortFunc(inv.Packages, comparePackages)
}

// canonical is a package URL as it is compared with others, without qualifiers,
// which decoders change; "" for what is none.
func canonical(purl string) string {
	p, err := packageurl.FromString(purl)
	if err != nil {
		return ""
	}
	return strings.ToLower(strings.Join([]string{p.Type, p.Namespace, p.Name, p.Version}, "\x00"))
}

// packageOf makes a package of its URL alone. Images are none: they are what
// SBOMs are about.
func packageOf(purl string) (inventory.Package, bool) {
	parsed, err := packageurl.FromString(purl)
	if err != nil || parsed.Name == "" || parsed.Type == packageurl.TypeOCI || parsed.Type == packageurl.TypeDocker {
		return inventory.Package{}, false
	}
	version := parsed.Version
	if epoch := parsed.Qualifiers.Map()["epoch"]; parsed.Type == packageurl.TypeDebian && epoch != "" && epoch != "0" {
		version = epoch + ":" + version
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(purl))
	out := convertPackage(pkg.Package{Name: parsed.Name, Version: version, PURL: purl})
	out.ID = fmt.Sprintf("%016x", h.Sum64())
	return out, true
}

// fewPackages is how many packages of a system may all have a source package of
// their own name: smaller images do.
const fewPackages = 10

// noSources reports whether an SBOM names no source package of any package of
// Debian's or Alpine's, though in a list so long some have another name. Then it
// does not tell them.
func noSources(packages []inventory.Package) bool {
	n := 0
	for _, p := range packages {
		if p.Type != "deb" && p.Type != "apk" {
			continue
		}
		if p.Source != nil {
			return false
		}
		n++
	}
	return n > fewPackages
}
