package feed

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/portcullis-ci/portcullis/internal/advisory/osv"
)

// openVEX is a document of https://security-metadata.canonical.com/vex/, one
// for each flaw, https://documentation.ubuntu.com/security/security-updates/vex/.
// Some have the header's fields in an object of its own.
type openVEX struct {
	Author   string `json:"author"`
	Metadata struct {
		Author string `json:"author"`
	} `json:"metadata"`
	Statements []vexStatement `json:"statements"`
}

type vexStatement struct {
	Vulnerability struct {
		Name        string      `json:"name"`
		Description osv.Excerpt `json:"description"`
	} `json:"vulnerability"`
	Products []struct {
		ID string `json:"@id"`
	} `json:"products"`
	Status string `json:"status"`
	Notes  string `json:"status_notes"`
	Action string `json:"action_statement"`
}

// IsOpenVEX reports whether a JSON document is an OpenVEX document, by its keys.
func IsOpenVEX(keys map[string]json.RawMessage) bool {
	header := keys["@context"]
	if header == nil {
		header = keys["metadata"]
	}
	return keys["statements"] != nil && strings.Contains(string(header), "openvex")
}

// ubuntuReleases are the releases by their codenames, https://wiki.ubuntu.com/Releases.
var ubuntuReleases = map[string]string{
	"trusty": "14.04", "xenial": "16.04", "bionic": "18.04", "focal": "20.04", "jammy": "22.04", "noble": "24.04", "resolute": "26.04",
	"impish": "21.10", "kinetic": "22.10", "lunar": "23.04", "mantic": "23.10", "oracular": "24.10", "plucky": "25.04", "questing": "25.10", "stonking": "26.10",
}

// UbuntuVEX turns a VEX document of Ubuntu into records: with the fixes, what
// is not fixed and why. The error wraps osv.ErrInvalid.
func UbuntuVEX(data []byte) ([]osv.Record, error) {
	var doc openVEX
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("%w: OpenVEX: %w", osv.ErrInvalid, err)
	}
	if !strings.Contains(doc.Author+doc.Metadata.Author, "Canonical") {
		return nil, fmt.Errorf("%w: OpenVEX: author %q is not known", osv.ErrInvalid, doc.Author+doc.Metadata.Author)
	}
	byID := make(map[string]*osv.Record)
	for _, s := range doc.Statements {
		id := s.Vulnerability.Name
		if s.Status == "not_affected" {
			continue
		}
		r := byID[id]
		if r == nil {
			r = &osv.Record{ID: "UBUNTU-" + id, Upstream: []string{id}, Summary: s.Vulnerability.Description}
			byID[id] = r
		}
		affected, err := s.affected()
		if err != nil {
			return nil, err
		}
		r.Affected = append(r.Affected, affected...)
		if m := vexPriority.FindStringSubmatch(s.Notes + " " + s.Action); m != nil {
			r.Severity = []osv.Severity{{Type: "Ubuntu", Score: strings.ToLower(m[1])}}
		}
	}
	return checked(byID)
}

// vexPriority finds the priority, which OpenVEX has no field for.
var vexPriority = regexp.MustCompile(`as of (Critical|High|Medium|Low|Negligible) priority`)

// affected lists the products of a statement. Where source packages are among
// them the binaries repeat what is said of those.
func (s vexStatement) affected() ([]osv.Affected, error) {
	var sources, others []osv.Affected
	for _, product := range s.Products {
		purl, err := packageurl.FromString(product.ID)
		if err != nil {
			return nil, fmt.Errorf("%w: OpenVEX: product %q: %w", osv.ErrInvalid, product.ID, err)
		}
		qualifiers := purl.Qualifiers.Map()
		ecosystem := ubuntuEcosystem(qualifiers["distro"])
		if purl.Type != "deb" || purl.Name == "" || ecosystem == "" {
			return nil, fmt.Errorf("%w: OpenVEX: product %q names no package of a release", osv.ErrInvalid, product.ID)
		}
		a := osv.Affected{Package: osv.Package{Ecosystem: ecosystem, Name: purl.Name}}
		events := []osv.Event{{Introduced: "0"}}
		status, err := s.word()
		if err != nil {
			return nil, err
		}
		if status == "released" && purl.Version != "" {
			events = append(events, osv.Event{Fixed: purl.Version})
		}
		a.Ecosystem.Status = osv.Text(status)
		a.Ranges = []osv.Range{{Type: "ECOSYSTEM", Events: events}}
		if qualifiers["arch"] == "source" {
			sources = append(sources, a)
		} else {
			others = append(others, a)
		}
	}
	if len(sources) > 0 {
		return slices.Clip(sources), nil
	}
	return slices.Clip(others), nil
}

// ubuntuEcosystem reads the qualifier distro: noble, or esm-infra/xenial for
// what only subscribers of Ubuntu Pro get. Releases that are not known keep
// their codename, so that they are counted as not supported.
func ubuntuEcosystem(distro string) string {
	pocket, codename, pro := strings.Cut(distro, "/")
	if !pro {
		codename = pocket
	}
	if codename == "" {
		return ""
	}
	release, known := ubuntuReleases[codename]
	if !known {
		release = codename
	}
	switch {
	case pro && strings.HasPrefix(pocket, "esm-"):
		return "Ubuntu:Pro:" + release
	case pro:
		return "Ubuntu:Pro:" + pocket + ":" + release
	default:
		return "Ubuntu:" + release
	}
}

// word is the tracker's status behind that of OpenVEX.
func (s vexStatement) word() (string, error) {
	switch {
	case s.Status == "fixed":
		return "released", nil
	case s.Status == "affected" && strings.Contains(s.Action, "not fix"):
		return "ignored", nil
	case s.Status == "affected":
		return "needed", nil
	case s.Status == "under_investigation" && strings.Contains(s.Notes, "deferred"):
		return "deferred", nil
	case s.Status == "under_investigation":
		return "needs-triage", nil
	default:
		return "", fmt.Errorf("%w: OpenVEX: status %q is not known", osv.ErrInvalid, s.Status)
	}
}
