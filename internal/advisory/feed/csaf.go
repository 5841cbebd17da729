package feed

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/portcullis-ci/portcullis/internal/advisory/osv"
)

// csafDocument is the part of a VEX document in the Common Security Advisory
// Framework 2.0 that is read,
// https://docs.oasis-open.org/csaf/csaf/v2.0/csaf-v2.0.html.
type csafDocument struct {
	Document struct {
		Category string      `json:"category"`
		Title    osv.Excerpt `json:"title"`
		Severity struct {
			Text string `json:"text"`
		} `json:"aggregate_severity"`
		Publisher struct {
			Namespace string `json:"namespace"`
		} `json:"publisher"`
		Tracking struct {
			Current time.Time `json:"current_release_date"`
			Initial time.Time `json:"initial_release_date"`
		} `json:"tracking"`
	} `json:"document"`
	Tree struct {
		Branches      []csafBranch `json:"branches"`
		Relationships []struct {
			Product struct {
				ID string `json:"product_id"`
			} `json:"full_product_name"`
			Component string `json:"product_reference"`
			Platform  string `json:"relates_to_product_reference"`
		} `json:"relationships"`
	} `json:"product_tree"`
	Vulnerabilities []csafVulnerability `json:"vulnerabilities"`
	by              csafPublisher
}

type csafBranch struct {
	Branches []csafBranch `json:"branches"`
	Product  struct {
		ID     string `json:"product_id"`
		Helper struct {
			CPE string `json:"cpe"`
		} `json:"product_identification_helper"`
	} `json:"product"`
}

type csafVulnerability struct {
	CVE    string `json:"cve"`
	Status struct {
		Recommended        []string `json:"recommended"`
		Affected           []string `json:"known_affected"`
		UnderInvestigation []string `json:"under_investigation"`
	} `json:"product_status"`
	Remediations []struct {
		Category string   `json:"category"`
		Details  string   `json:"details"`
		Products []string `json:"product_ids"`
	} `json:"remediations"`
	Scores []struct {
		CVSS struct {
			Vector string `json:"vectorString"`
		} `json:"cvss_v3"`
	} `json:"scores"`
	Threats []struct {
		Category string `json:"category"`
		Details  string `json:"details"`
	} `json:"threats"`
}

// IsCSAF reports whether a JSON document is one of the framework, by its keys.
func IsCSAF(keys map[string]json.RawMessage) bool {
	return keys["document"] != nil && keys["vulnerabilities"] != nil && keys["id"] == nil
}

// maxDepth bounds the nesting of a product tree; real ones have four levels.
const maxDepth = 32

// csafPublisher is what is particular to one vendor's documents.
type csafPublisher struct {
	// domain is part of the publisher's namespace.
	domain string
	// prefix makes the id of a record from that of the flaw.
	prefix string
	// ecosystem names the OSV ecosystem of a product by its name and CPE, or ""
	// for products that are left out.
	ecosystem func(product, cpe string) string
	// fixes is set where the documents are also the source of fixed versions.
	fixes bool
}

var csafPublishers = []csafPublisher{
	// OSV has Red Hat's advisories with fixes, and nothing about flaws without.
	{domain: "redhat.com", prefix: "REDHAT-", ecosystem: redHatProduct},
	// https://www.suse.com/support/security/csaf/
	{domain: "suse.com", prefix: "SUSE-", ecosystem: suseProduct, fixes: true},
}

// redHatProduct reads cpe:/o:redhat:enterprise_linux:9 and
// cpe:/a:redhat:enterprise_linux:9::appstream; products other than the
// enterprise Linux and its extended support are left out.
func redHatProduct(_, cpe string) string {
	parts := strings.SplitN(cpe, ":", 4)
	if len(parts) != 4 || parts[2] != "redhat" {
		return ""
	}
	for _, product := range []string{"enterprise_linux:", "rhel_eus:", "rhel_aus:", "rhel_tus:", "rhel_e4s:", "rhel_els:"} {
		if strings.HasPrefix(parts[3], product) {
			return "Red Hat:" + parts[3]
		}
	}
	return ""
}

// suseProduct: products are called as in PRETTY_NAME of os-release.
func suseProduct(product, cpe string) string {
	if name, ok := strings.CutPrefix(product, "SUSE Linux Enterprise "); ok && strings.HasPrefix(cpe, "cpe:/o:suse:") {
		return "SUSE:Linux Enterprise " + name
	}
	if name, ok := strings.CutPrefix(product, "openSUSE "); ok && strings.HasPrefix(cpe, "cpe:/o:opensuse:") {
		return "openSUSE:" + name
	}
	return ""
}

// CSAF turns a VEX document of Red Hat or SUSE into records, of Red Hat's only
// what is not fixed. The error wraps osv.ErrInvalid.
func CSAF(data []byte) ([]osv.Record, error) {
	var doc csafDocument
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("%w: CSAF: %w", osv.ErrInvalid, err)
	}
	namespace := doc.Document.Publisher.Namespace
	i := slices.IndexFunc(csafPublishers, func(p csafPublisher) bool { return strings.Contains(namespace, p.domain) })
	if i < 0 {
		return nil, fmt.Errorf("%w: CSAF: publisher %q is not known", osv.ErrInvalid, namespace)
	}
	doc.by = csafPublishers[i]
	products, err := doc.products()
	if err != nil {
		return nil, err
	}
	var records []osv.Record
	for _, v := range doc.Vulnerabilities {
		r, err := osv.Check(doc.record(v, products))
		if err != nil {
			return nil, err
		}
		if len(r.Affected) > 0 {
			records = append(records, r)
		}
	}
	return records, nil
}

// csafProduct is a component of a platform.
type csafProduct struct{ ecosystem, name, module string }

// products resolves product ids to package and ecosystem.
func (doc csafDocument) products() (map[string]csafProduct, error) {
	ecosystems := make(map[string]string)
	if err := doc.by.collectProducts(doc.Tree.Branches, ecosystems, 0); err != nil {
		return nil, err
	}
	products := make(map[string]csafProduct)
	for _, r := range doc.Tree.Relationships {
		if e := ecosystems[r.Platform]; e != "" {
			module, name := splitComponent(r.Component)
			products[r.Product.ID] = csafProduct{e, name, module}
		}
	}
	return products, nil
}

func (p csafPublisher) collectProducts(branches []csafBranch, into map[string]string, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("%w: CSAF: product tree is nested deeper than %d", osv.ErrInvalid, maxDepth)
	}
	for _, b := range branches {
		if e := p.ecosystem(b.Product.ID, b.Product.Helper.CPE); e != "" {
			into[b.Product.ID] = e
		}
		if err := p.collectProducts(b.Branches, into, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// splitComponent reads "nodejs:16/nodejs" as stream and package.
func splitComponent(component string) (module, name string) {
	if m, n, ok := strings.Cut(component, "/"); ok && strings.Contains(m, ":") {
		return m, n
	}
	return "", component
}

// splitNVR takes libcurl-devel-8.0.1-150400.5.62.1 apart. Neither version nor
// release of an rpm holds a dash.
func splitNVR(nvr string) (name, version string) {
	release := strings.LastIndexByte(nvr, '-')
	if release <= 0 {
		return nvr, ""
	}
	at := strings.LastIndexByte(nvr[:release], '-')
	if at <= 0 {
		return nvr, ""
	}
	return nvr[:at], nvr[at+1:]
}

func (doc csafDocument) record(v csafVulnerability, products map[string]csafProduct) osv.Record {
	r := osv.Record{
		ID: doc.by.prefix + v.CVE, Upstream: []string{v.CVE}, Summary: doc.Document.Title,
		Published: doc.Document.Tracking.Initial, Modified: doc.Document.Tracking.Current,
	}
	r.Specific.Severity = osv.Text(doc.Document.Severity.Text)
	for _, t := range v.Threats {
		if t.Category == "impact" {
			r.Specific.Severity = osv.Text(t.Details)
		}
	}
	for _, s := range v.Scores {
		if s.CVSS.Vector != "" && len(r.Severity) == 0 {
			r.Severity = []osv.Severity{{Type: "CVSS_V3", Score: s.CVSS.Vector}}
		}
	}
	if doc.by.fixes {
		for _, id := range v.Status.Recommended {
			if p, ok := products[id]; ok {
				name, version := splitNVR(p.name)
				if version == "" {
					continue
				}
				r.Affected = append(r.Affected, osv.Affected{
					Package: osv.Package{Ecosystem: p.ecosystem, Name: name},
					Ranges:  []osv.Range{{Type: "ECOSYSTEM", Events: []osv.Event{{Introduced: "0"}, {Fixed: version}}}},
				})
			}
		}
	}
	add := func(ids []string, state func(id string) string) {
		for _, id := range ids {
			p, ok := products[id]
			if !ok {
				continue
			}
			a := osv.Affected{
				Package: osv.Package{Ecosystem: p.ecosystem, Name: p.name},
				Ranges:  []osv.Range{{Type: "ECOSYSTEM", Events: []osv.Event{{Introduced: "0"}}}},
			}
			a.Ecosystem.FixState, a.Ecosystem.Module = osv.Text(state(id)), osv.Text(p.module)
			r.Affected = append(r.Affected, a)
		}
	}
	add(v.Status.Affected, v.state)
	add(v.Status.UnderInvestigation, func(string) string { return "Under investigation" })
	return r
}

// state is the vendor's word about the fix of one product.
func (v csafVulnerability) state(product string) string {
	for _, r := range v.Remediations {
		if (r.Category == "no_fix_planned" || r.Category == "none_available") && slices.Contains(r.Products, product) {
			return r.Details
		}
	}
	return "Affected"
}
