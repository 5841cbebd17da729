package inventory

import (
	"net/url"
	"strings"
)

// distroIDs are the ids in os-release of the distributions whose namespace in
// package URLs is another.
var distroIDs = map[string]string{
	"redhat": "rhel", "oracle": "ol", "amazon": "amzn", "opensuse": "opensuse-leap", "rockylinux": "rocky", "alma": "almalinux",
}

// DistroOfPURLs is the distribution that the package URLs of deb, rpm and apk
// packages name by their qualifier distro, such as distro=debian-12.5 or
// distro=bookworm. It is for lists of packages that do not name their
// distribution; nil where the packages name none or several.
// https://github.com/package-url/purl-spec/blob/main/types-doc/deb-definition.md
func DistroOfPURLs(packages []Package) *Distro {
	var found *Distro
	for _, p := range packages {
		d, ok := distroOfPURL(p.PURL)
		switch {
		case !ok:
		case found == nil:
			found = &d
		case found.ID != d.ID || found.Version != d.Version || found.Codename != d.Codename:
			return nil
		}
	}
	return found
}

func distroOfPURL(purl string) (d Distro, ok bool) {
	bare, query, _ := strings.Cut(purl, "?")
	parts := strings.Split(bare, "/")
	if len(parts) != 3 || parts[0] != "pkg:deb" && parts[0] != "pkg:rpm" && parts[0] != "pkg:apk" {
		return Distro{}, false
	}
	query, _, _ = strings.Cut(query, "#")
	values, err := url.ParseQuery(query)
	if err != nil || values.Get("distro") == "" {
		return Distro{}, false
	}
	text := strings.ToLower(values.Get("distro"))
	// The id may have a dash in it: opensuse-leap-15.5.
	if i := strings.LastIndexByte(text, '-'); i > 0 && i+1 < len(text) && text[i+1] >= '0' && text[i+1] <= '9' {
		d.ID, d.Version = text[:i], text[i+1:]
		if known, other := distroIDs[d.ID]; other {
			d.ID = known
		}
		if d.ID == "debian" {
			// Advisories name the release, not its point releases.
			d.Version, _, _ = strings.Cut(d.Version, ".")
		}
		return d, true
	}
	d.ID, d.Codename = strings.ToLower(parts[1]), text
	if known, other := distroIDs[d.ID]; other {
		d.ID = known
	}
	return d, true
}
