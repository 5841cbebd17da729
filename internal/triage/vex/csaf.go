package vex

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/triage/match"
)

// The types below are the part of CSAF 2.0 that matters here.
// https://docs.oasis-open.org/csaf/csaf/v2.0/os/csaf-v2.0-os.html

type csafFile struct {
	Document struct {
		Category  string `json:"category"`
		Publisher struct {
			Name string `json:"name"`
		} `json:"publisher"`
		Tracking struct {
			CurrentReleaseDate string `json:"current_release_date"`
		} `json:"tracking"`
	} `json:"document"`
	ProductTree struct {
		Branches         []csafBranch  `json:"branches"`
		FullProductNames []csafProduct `json:"full_product_names"`
		ProductGroups    []struct {
			GroupID    string   `json:"group_id"`
			ProductIDs []string `json:"product_ids"`
		} `json:"product_groups"`
		Relationships []struct {
			Category  string      `json:"category"`
			Reference string      `json:"product_reference"`
			RelatesTo string      `json:"relates_to_product_reference"`
			Product   csafProduct `json:"full_product_name"`
		} `json:"relationships"`
	} `json:"product_tree"`
	Vulnerabilities []csafVulnerability `json:"vulnerabilities"`
}

type csafBranch struct {
	Category string       `json:"category"`
	Name     string       `json:"name"`
	Branches []csafBranch `json:"branches"`
	Product  *csafProduct `json:"product"`
}

type csafProduct struct {
	ID     string `json:"product_id"`
	Name   string `json:"name"`
	Helper struct {
		PURL   string   `json:"purl"`
		PURLs  []string `json:"purls"` // CSAF 2.1
		Hashes []struct {
			FileHashes []struct {
				Algorithm string `json:"algorithm"`
				Value     string `json:"value"`
			} `json:"file_hashes"`
		} `json:"hashes"`
	} `json:"product_identification_helper"`
}

type csafVulnerability struct {
	CVE string `json:"cve"`
	IDs []struct {
		Text string `json:"text"`
	} `json:"ids"`
	ProductStatus map[string][]string `json:"product_status"`
	Flags         []csafRemark        `json:"flags"`
	Threats       []csafRemark        `json:"threats"`
	Remediations  []csafRemark        `json:"remediations"`
}

// csafRemark is a flag, threat or remediation for some products; without
// products it is for all.
type csafRemark struct {
	Label      string   `json:"label"`
	Category   string   `json:"category"`
	Details    string   `json:"details"`
	ProductIDs []string `json:"product_ids"`
	GroupIDs   []string `json:"group_ids"`
}

// csafStatuses are the groups of products that state something, in the order
// in which they are read.
var csafStatuses = []struct {
	group  string
	status Status
}{
	{"known_not_affected", NotAffected},
	{"fixed", Fixed},
	{"first_fixed", Fixed},
	{"known_affected", Affected},
	{"first_affected", Affected},
	{"last_affected", Affected},
	{"under_investigation", UnderInvestigation},
}

// csafReader resolves product ids.
type csafReader struct {
	*Document
	products  map[string]csafProduct
	relations map[string][2]string // product id → component id, platform id
	groups    map[string][]string
	// inexact says of products what keeps their version from being known, where
	// no identifier names it.
	inexact map[string]string
}

func (d *Document) decodeCSAF(content []byte) error {
	var file csafFile
	if err := json.Unmarshal(content, &file); err != nil {
		return fmt.Errorf("read CSAF: %w", err)
	}
	doc := file.Document
	if doc.Category != "csaf_vex" {
		return fmt.Errorf("document.category is %.80q: only the profile csaf_vex is read", doc.Category)
	}
	if doc.Publisher.Name == "" {
		return errors.New("document.publisher.name is missing: a statement of nobody excuses nothing")
	}
	released, err := parseTime("document.tracking.current_release_date", doc.Tracking.CurrentReleaseDate)
	if err != nil || released.IsZero() {
		return errors.Join(err, errors.New("document.tracking.current_release_date is needed: the latest statement counts"))
	}
	d.Author = doc.Publisher.Name
	r := csafReader{Document: d, products: make(map[string]csafProduct), relations: make(map[string][2]string), groups: make(map[string][]string), inexact: make(map[string]string)}
	r.branches(file.ProductTree.Branches, nil)
	for _, p := range file.ProductTree.FullProductNames {
		r.products[p.ID] = p
	}
	for _, g := range file.ProductTree.ProductGroups {
		r.groups[g.GroupID] = g.ProductIDs
	}
	for _, rel := range file.ProductTree.Relationships {
		r.relations[rel.Product.ID] = [2]string{rel.Reference, rel.RelatesTo}
		r.products[rel.Product.ID] = rel.Product
	}
	for i, v := range file.Vulnerabilities {
		base := Statement{Time: released, IDs: v.ids()}
		if len(base.IDs) == 0 {
			return fmt.Errorf("vulnerability %d has neither cve nor ids", i+1)
		}
		if err := r.vulnerability(v, base); err != nil {
			return err
		}
	}
	return nil
}

// branches collects products. Which version a product is may only be said by the
// branch that it hangs on, or by one above; these are given from the top down.
func (r csafReader) branches(list []csafBranch, above []csafBranch) {
	for _, b := range list {
		versions := above
		if b.Category == "product_version_range" || b.Category == "product_version" {
			versions = append(slices.Clip(above), b)
		}
		if b.Product != nil {
			r.products[b.Product.ID] = r.ofVersion(*b.Product, versions)
		}
		r.branches(b.Branches, versions)
	}
}

// ofVersion adds the version of the innermost branch that says one to the
// identifiers that have none.
func (r csafReader) ofVersion(p csafProduct, branches []csafBranch) csafProduct {
	texts := append([]string{p.Helper.PURL}, p.Helper.PURLs...)
	var purls []match.PURL
	exact := false
	for _, text := range texts {
		if purl, err := match.ParsePURL(text); err == nil {
			purls = append(purls, purl)
			exact = exact || purl.Version() != ""
		}
	}
	named := false
	for _, b := range slices.Backward(branches) {
		name := strings.TrimSpace(b.Name)
		usual := startsAsVersion.MatchString(name)
		switch {
		case b.Category == "product_version_range":
			if !exact {
				r.inexact[p.ID] = fmt.Sprintf("is the range %.80q, which is not evaluated", b.Name)
			}
			return p
		case slices.ContainsFunc(purls, func(purl match.PURL) bool { return namesPackage(name, purl) }):
			named = true
			continue
		case named && !usual:
			// This may be the release of what the package is a part of.
			continue
		case name == "" && !exact:
			r.inexact[p.ID] = "is of a version without a name"
			return p
		}
		if len(purls) > 0 && !exact && !usual {
			r.note("product %.120q has a package URL without version on the version branch %.80q, which names another package or is an unusual version; it is taken for the version", p.ID, b.Name)
		}
		for i := range texts {
			texts[i] = withVersion(texts[i], name)
		}
		p.Helper.PURL, p.Helper.PURLs = texts[0], texts[1:]
		return p
	}
	return p
}

func (v csafVulnerability) ids() []string {
	var ids []string
	if v.CVE != "" {
		ids = append(ids, v.CVE)
	}
	for _, id := range v.IDs {
		if id.Text != "" {
			ids = append(ids, id.Text)
		}
	}
	return ids
}

// vulnerability makes a statement of each product in each group.
func (r csafReader) vulnerability(v csafVulnerability, base Statement) error {
	flags := r.remarks(v.Flags, func(c csafRemark) string {
		if slices.Contains(justifications, c.Label) {
			return c.Label
		}
		return ""
	})
	impacts := r.remarks(v.Threats, func(c csafRemark) string {
		if c.Category == "impact" {
			return c.Details
		}
		return ""
	})
	actions := r.remarks(v.Remediations, func(c csafRemark) string { return c.Details })
	for _, s := range csafStatuses {
		for _, id := range v.ProductStatus[s.group] {
			out := base
			out.Status, out.Source = s.status, fmt.Sprintf("%s %s product %s", r.Name, base.IDs[0], id)
			switch s.status {
			case NotAffected:
				out.Justification, out.Detail = flags.of(id), impacts.of(id)
			case Affected:
				out.Detail = actions.of(id)
			}
			if why, inexact := r.notExact(id); inexact {
				r.note("product %.120q %s; statements about it are not applied", id, why)
				continue
			}
			product, ok := r.product(id)
			if !ok {
				r.note("product %.120q is known by no package URL, digest or name; statements about it are not applied", id)
				continue
			}
			out.Products = []Product{product}
			if err := r.add(out); err != nil {
				return err
			}
		}
	}
	return nil
}

// remarkTexts are texts by product id, with that for all products under "".
type remarkTexts map[string]string

func (t remarkTexts) of(id string) string { return first(t[id], t[""]) }

func (r csafReader) remarks(list []csafRemark, text func(csafRemark) string) remarkTexts {
	texts := make(remarkTexts)
	for _, remark := range list {
		ids := slices.Clone(remark.ProductIDs)
		for _, g := range remark.GroupIDs {
			ids = append(ids, r.groups[g]...)
		}
		if len(remark.ProductIDs)+len(remark.GroupIDs) == 0 {
			ids = []string{""}
		}
		for _, id := range ids {
			texts[id] = first(texts[id], text(remark))
		}
	}
	return texts
}

// notExact returns what keeps the version of a product, or of a part of it, from
// being known.
func (r csafReader) notExact(id string) (why string, ok bool) {
	relation := r.relations[id]
	for _, part := range []string{id, relation[0], relation[1]} {
		if why, ok = r.inexact[part]; ok {
			return why, true
		}
	}
	return "", false
}

// product is what a product id stands for: a component in a product, or a
// product or package by itself.
func (r csafReader) product(id string) (Product, bool) {
	relation, ok := r.relations[id]
	if !ok {
		names := r.names(id)
		return Product{Names: names}, len(names) > 0
	}
	p := Product{Names: r.names(relation[1])}
	for _, name := range r.names(relation[0]) {
		if purl, err := match.ParsePURL(name); err == nil {
			p.Components = append(p.Components, Component{PURL: purl})
		}
	}
	return p, len(p.Names) > 0 && len(p.Components) > 0
}

// names are the identifiers of a product; its name counts only where there is
// nothing more exact.
func (r csafReader) names(id string) []string {
	p, ok := r.products[id]
	if !ok {
		return nil
	}
	var names []string
	for _, name := range append([]string{p.Helper.PURL}, p.Helper.PURLs...) {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, h := range p.Helper.Hashes {
		for _, f := range h.FileHashes {
			if name := hashName(f.Algorithm, f.Value); name != "" {
				names = append(names, name)
			}
		}
	}
	if len(names) == 0 && p.Name != "" {
		names = []string{p.Name}
	}
	return narrowed(names)
}
