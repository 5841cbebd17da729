package vex

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/triage/match"
)

// The types below are the part of OpenVEX 0.2 that matters here; 0.0.1 wrote
// some objects as plain texts.
// https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md

type openVEXDocument struct {
	Context     string             `json:"@context"`
	ID          string             `json:"@id"`
	Author      string             `json:"author"`
	Timestamp   string             `json:"timestamp"`
	LastUpdated string             `json:"last_updated,omitempty"`
	Statements  []openVEXStatement `json:"statements"`
}

type openVEXStatement struct {
	Vulnerability   openVEXVulnerability `json:"vulnerability"`
	Timestamp       string               `json:"timestamp"`
	LastUpdated     string               `json:"last_updated"`
	Products        []openVEXComponent   `json:"products"`
	Subcomponents   []openVEXComponent   `json:"subcomponents"` // 0.0.1
	Status          string               `json:"status"`
	StatusNotes     string               `json:"status_notes"`
	Justification   string               `json:"justification"`
	ImpactStatement string               `json:"impact_statement"`
	ActionStatement string               `json:"action_statement"`
}

type openVEXVulnerability struct {
	ID      string   `json:"@id"`
	Name    string   `json:"name"`
	Aliases []string `json:"aliases"`
}

// UnmarshalJSON also reads the plain text of 0.0.1.
func (v *openVEXVulnerability) UnmarshalJSON(content []byte) error {
	if len(content) > 0 && content[0] == '"' {
		return json.Unmarshal(content, &v.Name)
	}
	type plain openVEXVulnerability
	return json.Unmarshal(content, (*plain)(v))
}

type openVEXComponent struct {
	ID            string             `json:"@id"`
	Identifiers   map[string]string  `json:"identifiers"`
	Hashes        map[string]string  `json:"hashes"`
	Subcomponents []openVEXComponent `json:"subcomponents"`
}

// UnmarshalJSON also reads the plain text of 0.0.1.
func (c *openVEXComponent) UnmarshalJSON(content []byte) error {
	if len(content) > 0 && content[0] == '"' {
		return json.Unmarshal(content, &c.ID)
	}
	type plain openVEXComponent
	return json.Unmarshal(content, (*plain)(c))
}

func (d *Document) decodeOpenVEX(content []byte) error {
	var doc openVEXDocument
	if err := json.Unmarshal(content, &doc); err != nil {
		return fmt.Errorf("read OpenVEX: %w", err)
	}
	switch {
	case !strings.HasPrefix(doc.Context, "https://openvex.dev/ns"):
		return fmt.Errorf("@context is %.80q: expected https://openvex.dev/ns/v0.2.0", doc.Context)
	case doc.Author == "":
		return errors.New("author is missing: a statement of nobody excuses nothing")
	}
	d.Author = doc.Author
	for i, s := range doc.Statements {
		if err := d.addOpenVEX(doc, i+1, s); err != nil {
			return fmt.Errorf("statement %d: %w", i+1, err)
		}
	}
	return nil
}

// addOpenVEX checks a statement as the specification demands and keeps it.
func (d *Document) addOpenVEX(doc openVEXDocument, number int, s openVEXStatement) error {
	out := Statement{
		Status: Status(s.Status), Justification: s.Justification, Source: fmt.Sprintf("%s statement %d", d.Name, number),
		Detail: first(s.ImpactStatement, s.ActionStatement, s.StatusNotes),
	}
	switch out.Status {
	case NotAffected:
		if s.Justification == "" && s.ImpactStatement == "" {
			return errors.New("status is not_affected without justification or impact_statement")
		}
	case Fixed, Affected, UnderInvestigation:
	default:
		return fmt.Errorf("status is %.80q: expected not_affected, affected, fixed or under_investigation", s.Status)
	}
	if s.Justification != "" && !slices.Contains(justifications, s.Justification) {
		return fmt.Errorf("justification is %.80q: expected one of %s", s.Justification, strings.Join(justifications, ", "))
	}
	var err error
	if out.Time, err = parseTime("timestamp", first(s.LastUpdated, s.Timestamp, doc.LastUpdated, doc.Timestamp)); err != nil {
		return err
	}
	if out.Time.IsZero() {
		return errors.New("timestamp is missing, there and in the document: the latest statement counts")
	}
	out.IDs = s.Vulnerability.ids()
	if len(out.IDs) == 0 {
		return errors.New("vulnerability has no name")
	}
	for _, p := range s.Products {
		product := Product{Names: p.names()}
		subcomponents := slices.Concat(p.Subcomponents, s.Subcomponents)
		product.Components = d.openVEXComponents(out.Source, subcomponents)
		if len(product.Names) == 0 || len(product.Components) == 0 && len(subcomponents) > 0 {
			d.note("%s: a product or all of its subcomponents have no package URL, digest or name; it is not applied", out.Source)
			continue
		}
		out.Products = append(out.Products, product)
	}
	if len(s.Products) == 0 {
		return errors.New("it names no product")
	}
	return d.add(out)
}

// ids are the name, the last part of the @id and the aliases.
func (v openVEXVulnerability) ids() []string {
	var ids []string
	for _, id := range append([]string{v.Name, v.ID[strings.LastIndexByte(v.ID, '/')+1:]}, v.Aliases...) {
		if id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// names are all identifiers that an image or package can be known by.
func (c openVEXComponent) names() []string {
	var names []string
	for _, name := range []string{c.ID, c.Identifiers["purl"]} {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for algorithm, value := range c.Hashes {
		if name := hashName(algorithm, value); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return narrowed(names)
}

func (d *Document) openVEXComponents(source string, list []openVEXComponent) []Component {
	var components []Component
	for _, c := range list {
		found := false
		for _, name := range c.names() {
			if p, err := match.ParsePURL(name); err == nil {
				components, found = append(components, Component{PURL: p}), true
			}
		}
		if !found {
			d.note("%s: subcomponent %.80q has no package URL; it is not applied", source, c.ID)
		}
	}
	return components
}
