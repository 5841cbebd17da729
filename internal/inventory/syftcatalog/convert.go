package syftcatalog

import (
	"cmp"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/anchore/syft/syft/artifact"
	"github.com/anchore/syft/syft/file"
	"github.com/anchore/syft/syft/linux"
	"github.com/anchore/syft/syft/pkg"
	"github.com/anchore/syft/syft/sbom"
	"github.com/package-url/packageurl-go"

	"github.com/portcullis-ci/portcullis/internal/credential"
	"github.com/portcullis-ci/portcullis/internal/inventory"
)

// packagesOf are the packages of a model. To ask for them makes copies, which
// takes long; syft made some already for the relations that say that the image
// contains them.
func packagesOf(model *sbom.SBOM) []pkg.Package {
	count := model.Artifacts.Packages.PackageCount()
	packages, seen := make([]pkg.Package, 0, count), make(map[artifact.ID]bool, count)
	for _, r := range model.Relationships {
		p, ok := r.To.(pkg.Package)
		if _, nested := r.From.(pkg.Package); ok && !nested && r.Type == artifact.ContainsRelationship && !seen[p.ID()] {
			seen[p.ID()] = true
			packages = append(packages, p)
		}
	}
	if len(packages) == count {
		return packages
	}
	packages = packages[:0]
	for p := range model.Artifacts.Packages.Enumerate() {
		packages = append(packages, p)
	}
	return packages
}

// convert turns syft's model, whose packages are given, into plain data.
func convert(model *sbom.SBOM, packages []pkg.Package) inventory.Inventory {
	inv := inventory.Inventory{Distro: distro(model.Artifacts.LinuxDistribution)}
	owners := ownersOf(model)
	seen := map[string]bool{}
	for _, p := range packages {
		c := convertPackage(p)
		if seen[c.ID] {
			continue
		}
		seen[c.ID] = true
		c.Owner = owners[c.ID]
		inv.Packages = append(inv.Packages, c)
	}
	for i := range inv.Packages {
		if !seen[inv.Packages[i].Owner] {
			inv.Packages[i].Owner = ""
		}
	}
	slices.SortFunc(inv.Packages, comparePackages)
	for at, reasons := range model.Artifacts.Unknowns {
		inv.Unreadable = append(inv.Unreadable, inventory.Unreadable{Path: at.RealPath, Reason: reason(reasons)})
	}
	sortUnreadable(inv.Unreadable)
	return inv
}

// scratchPath is the directory that syft unpacks an archive's files into. Its
// name is another one in each run.
var scratchPath = regexp.MustCompile(`[^"\s]*[/\\]syft-cataloger-[0-9]+[/\\](archive-contents-[0-9]+[/\\])?`)

// reason joins what syft says of one file, the same in each run.
func reason(said []string) string {
	said = slices.Clone(said)
	for i := range said {
		said[i] = scratchPath.ReplaceAllString(said[i], "")
	}
	slices.Sort(said)
	return strings.Join(slices.Compact(said), "; ")
}

// withoutRepeats drops packages that an SBOM lists again with nothing to tell
// them apart: no path, no layer, no other source.
func withoutRepeats(inv inventory.Inventory) inventory.Inventory {
	kept := map[string]string{}
	distinct := inv.Packages[:0]
	for _, p := range inv.Packages {
		if n := len(distinct); n > 0 {
			again := p
			again.ID = distinct[n-1].ID
			if reflect.DeepEqual(again, distinct[n-1]) {
				kept[p.ID] = again.ID
				continue
			}
		}
		distinct = append(distinct, p)
	}
	for i, p := range distinct {
		if owner, dropped := kept[p.Owner]; dropped {
			distinct[i].Owner = owner
		}
	}
	inv.Packages = distinct
	return inv
}

// noVendor is what rpm shows for a package that nobody put a vendor into: every
// distribution does.
const noVendor = "(none)"

// nameNoVendor marks the rpm packages of an image that have no vendor. Those of
// an SBOM may have lost it.
func nameNoVendor(packages []inventory.Package) {
	for i := range packages {
		if p := &packages[i]; p.Type == "rpm" && p.Vendor == "" && p.Name != "gpg-pubkey" {
			p.Vendor = noVendor
		}
	}
}

func sortUnreadable(list []inventory.Unreadable) {
	slices.SortFunc(list, func(a, b inventory.Unreadable) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Reason, b.Reason))
	})
}

// comparePackages is the order of Inventory.Packages.
func comparePackages(a, b inventory.Package) int {
	return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version),
		cmp.Compare(firstPath(a), firstPath(b)), cmp.Compare(a.ID, b.ID))
}

func firstPath(p inventory.Package) string {
	if len(p.Places) == 0 {
		return ""
	}
	return p.Places[0].Path
}

func distro(r *linux.Release) *inventory.Distro {
	if r == nil || (r.ID == "" && r.Name == "") {
		return nil
	}
	id, version := unquoted(r.ID), unquoted(r.VersionID)
	if id == "debian" {
		// syft puts the point release of /etc/debian_version here; the release
		// that VERSION_ID and all advisories name is the part before it.
		version, _, _ = strings.Cut(version, ".")
	}
	return &inventory.Distro{
		ID: id, IDLike: r.IDLike, Name: unquoted(r.Name), PrettyName: unquoted(r.PrettyName),
		Version: version, Codename: unquoted(r.VersionCodename), CPE: r.CPEName,
	}
}

// unquoted is a value of os-release(5) without single quotes around it, as a shell
// reads it; syft takes the double ones away.
func unquoted(value string) string {
	if inner, ok := strings.CutPrefix(value, "'"); ok {
		if inner, ok = strings.CutSuffix(inner, "'"); ok {
			return inner
		}
	}
	return value
}

// ownersOf maps a package to the operating system package that ships its
// files.
func ownersOf(model *sbom.SBOM) map[string]string {
	owners := map[string]string{}
	for _, r := range model.Relationships {
		if r.Type != artifact.OwnershipByFileOverlapRelationship {
			continue
		}
		owner, child := string(r.From.ID()), string(r.To.ID())
		// Two owners are an oddity; the smaller id makes it the same each time.
		if known, ok := owners[child]; !ok || owner < known {
			owners[child] = owner
		}
	}
	return owners
}

func convertPackage(p pkg.Package) inventory.Package {
	out := inventory.Package{
		ID: string(p.ID()), Name: credential.Withhold(p.Name), Version: credential.Withhold(p.Version), Type: strings.ToLower(string(p.Type)),
		Places: places(p.Locations), Licenses: licences(p.Licenses),
	}
	purl, err := packageurl.FromString(p.PURL)
	if err == nil {
		out.PURL, out.Type = p.PURL, purl.Type
	}
	addMetadata(&out, p, purl)
	// A qualifier may be a URL with the password of a repository in it.
	out.PURL = credential.Withhold(out.PURL)
	return out
}

func places(set file.LocationSet) []inventory.Place {
	var out []inventory.Place
	for _, l := range set.ToSlice() {
		out = append(out, inventory.Place{Path: l.RealPath, Layer: l.FileSystemID})
	}
	slices.SortFunc(out, func(a, b inventory.Place) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Layer, b.Layer))
	})
	return slices.Compact(out)
}

func licences(set pkg.LicenseSet) []string {
	var out []string
	for _, l := range set.ToSlice() {
		if name := cmp.Or(l.SPDXExpression, l.Value); name != "" {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// addMetadata fills what only the package manager knows. An SBOM of another
// tool has no such metadata; there the package URL's qualifiers say some of it.
func addMetadata(out *inventory.Package, p pkg.Package, purl packageurl.PackageURL) {
	qualifiers := purl.Qualifiers.Map()
	out.Architecture = qualifiers["arch"]
	switch m := p.Metadata.(type) {
	case pkg.DpkgDBEntry:
		out.Architecture = m.Architecture
		out.Source = sourceOf(*out, m.Source, m.SourceVersion)
	case pkg.ApkDBEntry:
		out.Architecture = m.Architecture
		out.Source = sourceOf(*out, m.OriginPackage, "")
	case pkg.RpmDBEntry:
		out.Architecture, out.Vendor = m.Arch, m.Vendor
		out.Source = sourceRPM(*out, m.SourceRpm)
		if m.ModularityLabel != nil {
			out.Module = moduleStream(*m.ModularityLabel)
		}
	case pkg.JavaArchive:
		out.GuessedGroup = len(out.Places) > 0 && m.PomProperties == nil && m.PomProject == nil
	}
	if out.Source == nil && qualifiers["upstream"] != "" {
		name, version, _ := strings.Cut(qualifiers["upstream"], "@")
		if strings.HasSuffix(name, ".rpm") {
			out.Source = sourceRPM(*out, name)
		} else {
			out.Source = sourceOf(*out, name, version)
		}
	}
	if out.Module == "" && qualifiers["rpmmod"] != "" {
		out.Module = moduleStream(qualifiers["rpmmod"])
	}
}

// sourceOf names a source package; nil when there is none apart from the
// package itself.
func sourceOf(p inventory.Package, name, version string) *inventory.Source {
	if version == p.Version {
		version = ""
	}
	if name == "" || (name == p.Name && version == "") {
		return nil
	}
	return &inventory.Source{Name: name, Version: version}
}

// sourceRPM names the source package of an rpm by its file name, which has no
// epoch: a version that is the package's own but for the epoch is the same.
func sourceRPM(p inventory.Package, file string) *inventory.Source {
	name, version := splitSourceRPM(file)
	if _, plain, ok := strings.Cut(p.Version, ":"); ok && plain == version {
		version = p.Version
	}
	return sourceOf(p, name, version)
}

// splitSourceRPM takes the file name of a source package apart:
// openssl-3.0.7-16.el9_2.src.rpm is openssl and 3.0.7-16.el9_2.
func splitSourceRPM(file string) (name, version string) {
	base, ok := strings.CutSuffix(file, ".rpm")
	if !ok {
		return "", ""
	}
	if i := strings.LastIndexByte(base, '.'); i > 0 {
		base = base[:i]
	}
	release := strings.LastIndexByte(base, '-')
	if release <= 0 {
		return "", ""
	}
	at := strings.LastIndexByte(base[:release], '-')
	if at <= 0 {
		return "", ""
	}
	return base[:at], base[at+1:]
}

// moduleStream shortens a modularity label to name:stream.
func moduleStream(label string) string {
	parts := strings.SplitN(label, ":", 3)
	if len(parts) < 2 || parts[0] == "" {
		return ""
	}
	return parts[0] + ":" + parts[1]
}
