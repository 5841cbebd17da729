package vex

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/triage/match"
)

// The types below are the part of CycloneDX 1.4 to 1.7 that matters here.
// https://cyclonedx.org/docs/1.6/json/#vulnerabilities

type cdxBOM struct {
	Metadata struct {
		Timestamp string        `json:"timestamp"`
		Component *cdxComponent `json:"component"`
		Authors   []struct {
			Name string `json:"name"`
		} `json:"authors"`
		Supplier struct {
			Name string `json:"name"`
		} `json:"supplier"`
	} `json:"metadata"`
	Components      []cdxComponent     `json:"components"`
	Vulnerabilities []cdxVulnerability `json:"vulnerabilities"`
}

type cdxComponent struct {
	BOMRef     string         `json:"bom-ref"`
	Name       string         `json:"name"`
	Version    string         `json:"version"`
	PURL       string         `json:"purl"`
	Components []cdxComponent `json:"components"`
}

type cdxVulnerability struct {
	ID         string `json:"id"`
	References []struct {
		ID string `json:"id"`
	} `json:"references"`
	Published string `json:"published"`
	Updated   string `json:"updated"`
	Analysis  *struct {
		State         string `json:"state"`
		Justification string `json:"justification"`
		Detail        string `json:"detail"`
		FirstIssued   string `json:"firstIssued"`
		LastUpdated   string `json:"lastUpdated"`
	} `json:"analysis"`
	Affects []cdxAffects `json:"affects"`
}

type cdxAffects struct {
	Ref      string       `json:"ref"`
	Versions []cdxVersion `json:"versions"`
}

type cdxVersion struct {
	Version string `json:"version"`
	Range   string `json:"range"`
	Status  string `json:"status"`
}

// cdxStates are the states of an analysis.
var cdxStates = map[string]Status{
	"not_affected": NotAffected, "false_positive": NotAffected,
	"resolved": Fixed, "resolved_with_pedigree": Fixed,
	"exploitable": Affected, "in_triage": UnderInvestigation,
}

// cdxVersionStates say what holds for a version that is listed apart, whatever
// the analysis says. Without a state of its own, the analysis is about it.
var cdxVersionStates = map[string]Status{"affected": Affected, "unaffected": NotAffected, "unknown": UnderInvestigation}

// cdxJustifications are the labels that have a counterpart in OpenVEX. The
// others stay in the words of the reason.
var cdxJustifications = map[string]string{
	"code_not_present":                "vulnerable_code_not_present",
	"code_not_reachable":              "vulnerable_code_not_in_execute_path",
	"protected_by_compiler":           "inline_mitigations_already_exist",
	"protected_at_runtime":            "inline_mitigations_already_exist",
	"protected_at_perimeter":          "inline_mitigations_already_exist",
	"protected_by_mitigating_control": "inline_mitigations_already_exist",
}

func (d *Document) decodeCycloneDX(content []byte) error {
	var bom cdxBOM
	if err := json.Unmarshal(content, &bom); err != nil {
		return fmt.Errorf("read CycloneDX: %w", err)
	}
	d.Author = bom.Metadata.Supplier.Name
	if len(bom.Metadata.Authors) > 0 {
		d.Author = first(bom.Metadata.Authors[0].Name, d.Author)
	}
	c := cdxReader{Document: d, purls: make(map[string]string)}
	c.collect(bom.Components)
	if m := bom.Metadata.Component; m != nil {
		c.component, c.product, c.productRef = m, cdxNames(*m), m.BOMRef
		c.collect(m.Components)
	}
	for i, v := range bom.Vulnerabilities {
		if err := c.vulnerability(v, bom.Metadata.Timestamp); err != nil {
			return fmt.Errorf("vulnerability %d (%.80s): %w", i+1, v.ID, err)
		}
	}
	return nil
}

// cdxReader resolves references between the parts of a BOM.
type cdxReader struct {
	*Document
	purls      map[string]string // bom-ref → package URL
	product    []string
	productRef string
	component  *cdxComponent // that of product
}

func (c cdxReader) collect(components []cdxComponent) {
	for _, x := range components {
		if x.BOMRef != "" {
			c.purls[x.BOMRef] = x.PURL
		}
		c.collect(x.Components)
	}
}

// cdxNames are the names of the product that the BOM is about: its package
// URL, or else its name. A version that is given must be the image's, as
// digest or as tag.
func cdxNames(m cdxComponent) []string {
	name := m.Name
	switch {
	case m.PURL != "":
		return []string{withVersion(m.PURL, m.Version)}
	case name == "":
		return nil
	case strings.HasPrefix(m.Version, "sha256:"):
		name, _, _ = strings.Cut(name, "@")
		return []string{name + "@" + m.Version}
	case m.Version == "" || strings.HasSuffix(name, ":"+m.Version):
		return []string{name}
	default:
		return []string{name + ":" + m.Version}
	}
}

// vulnerability keeps what the analysis says. One without analysis states
// nothing: it is a finding of the tool that made the BOM.
func (c cdxReader) vulnerability(v cdxVulnerability, documentTime string) error {
	if v.Analysis == nil || v.Analysis.State == "" {
		return nil
	}
	if v.ID == "" {
		return errors.New("it has an analysis but no id")
	}
	status, ok := cdxStates[v.Analysis.State]
	if !ok {
		return fmt.Errorf("analysis.state %.80q is unknown", v.Analysis.State)
	}
	base := Statement{
		IDs: []string{v.ID}, Status: status, Justification: cdxJustifications[v.Analysis.Justification],
		Detail: first(v.Analysis.Detail), Source: fmt.Sprintf("%s vulnerability %s", c.Name, v.ID),
	}
	if v.Analysis.Justification != "" && base.Justification == "" {
		base.Detail = strings.TrimSuffix(v.Analysis.Justification+": "+base.Detail, ": ")
	}
	for _, r := range v.References {
		if r.ID != "" {
			base.IDs = append(base.IDs, r.ID)
		}
	}
	var err error
	base.Time, err = parseTime("its time", first(v.Analysis.LastUpdated, v.Analysis.FirstIssued, v.Updated, documentTime, v.Published))
	if err != nil {
		return err
	}
	if len(v.Affects) == 0 {
		return c.wholeProduct(base)
	}
	for _, a := range v.Affects {
		if err := c.affects(base, a); err != nil {
			return err
		}
	}
	return nil
}

func (c cdxReader) wholeProduct(s Statement) error {
	if len(c.product) == 0 {
		c.note("%s: it names neither a component nor a product; it is not applied", s.Source)
		return nil
	}
	s.Products = []Product{{Names: c.product}}
	return c.add(s)
}

// affects keeps the statement for the product or one component, or for each
// version of it that is listed.
func (c cdxReader) affects(s Statement, a cdxAffects) error {
	isProduct := a.Ref != "" && a.Ref == c.productRef
	purl, ok := c.resolve(a.Ref)
	switch {
	case isProduct && len(a.Versions) == 0:
		return c.wholeProduct(s)
	case isProduct:
		return c.versions(s, a, func(version string) Product {
			m := *c.component
			m.Version = version
			return Product{Names: cdxNames(m)}
		})
	case !ok:
		c.note("%s: component %.80q has no package URL; it is not applied", s.Source, a.Ref)
		return nil
	case len(a.Versions) == 0:
		s.Products = []Product{{Names: c.product, Components: []Component{{PURL: purl}}}}
		return c.add(s)
	}
	return c.versions(s, a, func(version string) Product {
		return Product{Names: c.product, Components: []Component{{PURL: purl, Version: version}}}
	})
}

// versions keeps what is said of each version.
func (c cdxReader) versions(s Statement, a cdxAffects, product func(version string) Product) error {
	for _, v := range a.Versions {
		status, ok := cdxVersionStates[v.Status]
		switch {
		case !ok && v.Status != "":
			return fmt.Errorf("status %.40q of version %.80q is unknown", v.Status, first(v.Version, v.Range))
		case v.Version == "":
			c.note("%s: the range %.80q of component %.80q is not evaluated; it is not applied", s.Source, v.Range, a.Ref)
			continue
		}
		one := s
		if ok {
			one.Status, one.Justification = status, ""
		}
		one.Products = []Product{product(v.Version)}
		if len(one.Products[0].Names)+len(one.Products[0].Components) == 0 {
			return c.wholeProduct(one)
		}
		if err := c.add(one); err != nil {
			return err
		}
	}
	return nil
}

// resolve finds the package URL behind a reference: a bom-ref of this file, a
// BOM-Link with one behind the #, or a package URL itself. syft adds a
// qualifier to the latter, which no package has.
func (c cdxReader) resolve(ref string) (match.PURL, bool) {
	text, ok := c.purls[ref]
	if !ok && strings.HasPrefix(ref, "urn:cdx:") {
		_, ref, _ = strings.Cut(ref, "#")
		// A package URL that was not encoded again keeps its own encoding.
		if decoded, err := url.PathUnescape(ref); err == nil && !strings.HasPrefix(ref, "pkg:") {
			ref = decoded
		}
		text, ok = c.purls[ref]
	}
	if !ok || text == "" {
		text = ref
	}
	if !strings.HasPrefix(text, "pkg:") {
		return match.PURL{}, false
	}
	p, err := match.ParsePURL(text)
	if err != nil {
		return match.PURL{}, false
	}
	return p.Without("package-id"), true
}
