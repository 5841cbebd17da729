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

// CSAF turns a VEX document of Red Hat into records of what is not fixed: OSV
// has the advisories with fixes, and nothing about flaws without. Products
// other than the enterprise Linux itself are left out. The error wraps
// osv.ErrInvalid.
func CSAF(data []byte) ([]osv.Record, error) {
	var doc csafDocument
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("%w: CSAF: %w", osv.ErrInvalid, err)
	}
	if !strings.Contains(doc.Document.Publisher.Namespace, "redhat.com") {
		return nil, fmt.Errorf("%w: CSAF: publisher %q is not known", osv.ErrInvalid, doc.Document.Publisher.Namespace)
	}
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
	if err := collectCPEs(doc.Tree.Branches, ecosystems, 0); err != nil {
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

func collectCPEs(branches []csafBranch, into map[string]string, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("%w: CSAF: product tree is nested deeper than %d", osv.ErrInvalid, maxDepth)
	}
	for _, b := range branches {
		// cpe:/o:redhat:enterprise_linux:9 or cpe:/a:redhat:enterprise_linux:9::appstream
		parts := strings.SplitN(b.Product.Helper.CPE, ":", 4)
		if len(parts) == 4 && parts[2] == "redhat" && strings.HasPrefix(parts[3], "enterprise_linux:") {
			into[b.Product.ID] = "Red Hat:" + parts[3]
		}
		if err := collectCPEs(b.Branches, into, depth+1); err != nil {
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

func (doc csafDocument) record(v csafVulnerability, products map[string]csafProduct) osv.Record {
	r := osv.Record{
		ID: "REDHAT-" + v.CVE, Upstream: []string{v.CVE}, Summary: doc.Document.Title,
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
