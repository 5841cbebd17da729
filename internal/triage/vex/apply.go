package vex

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/triage/match"
)

// FactName is the name of the evidence that tells what a statement says about
// a finding that it leaves open.
const FactName = "VEX"

// Use says how much of a document was of use.
type Use struct {
	// Document is its name.
	Document string
	// Statements is how many it has, Matched how many are about a finding.
	Statements int
	Matched    int
	// Notes are the document's own.
	Notes []string
}

// Apply returns the findings as the statements leave them, in their order, and
// the use of each document. A finding that is not_affected or fixed by the
// statement that counts gets the status NotAffected; one that is affected or
// under_investigation stays open with the statement as evidence. Of several
// statements about a finding the latest counts, and of equally late ones the
// one that rules out least. Only open findings about vulnerabilities change.
// The order of documents and findings does not matter.
func Apply(findings []finding.Finding, documents []Document, images []*inventory.Image) ([]finding.Finding, []Use) {
	a := applier{images: make(map[string]match.Image), byID: make(map[string][]candidate)}
	for _, img := range images {
		if img != nil {
			a.images[img.Name] = match.ImageOf(img)
		}
	}
	uses := make([]Use, len(documents))
	for i := range documents {
		uses[i] = Use{Document: documents[i].Name, Statements: len(documents[i].Statements), Notes: documents[i].Notes}
		a.index(&documents[i], &uses[i])
	}
	out := slices.Clone(findings)
	matched := make(map[*Statement]bool)
	for i, f := range out {
		if f.Kind != finding.Vulnerability {
			continue
		}
		candidates := a.about(f)
		for _, c := range candidates {
			if !matched[c.statement] {
				matched[c.statement] = true
				c.use.Matched++
			}
		}
		if len(candidates) > 0 && f.Status == finding.Open {
			out[i] = decide(f, slices.MinFunc(candidates, compare))
		}
	}
	return out, uses
}

// candidate is a statement with the document that it stands in.
type candidate struct {
	statement *Statement
	author    string
	use       *Use
}

type applier struct {
	images map[string]match.Image
	byID   map[string][]candidate
}

func (a applier) index(d *Document, use *Use) {
	for i := range d.Statements {
		s := &d.Statements[i]
		for _, id := range s.IDs {
			id = strings.ToLower(id)
			a.byID[id] = append(a.byID[id], candidate{s, d.Author, use})
		}
	}
}

// about returns the statements about the finding.
func (a applier) about(f finding.Finding) []candidate {
	image, ok := a.images[f.Target]
	if !ok {
		image = match.NamedImage(f.Target)
	}
	var list []candidate
	seen := make(map[*Statement]bool)
	for _, id := range append([]string{f.RuleID}, f.Aliases...) {
		for _, c := range a.byID[strings.ToLower(id)] {
			if !seen[c.statement] && c.statement.isOfFlaw(f, id) && c.statement.isAbout(f, image) {
				seen[c.statement] = true
				list = append(list, c)
			}
		}
	}
	return list
}

// isOfFlaw reports whether an id that both have means that they speak of one flaw.
// To share the further id of a notice is not enough: a distribution's notice is
// about many flaws, of which the statement is about one.
func (s Statement) isOfFlaw(f finding.Finding, shared string) bool {
	is := func(id string) bool { return strings.EqualFold(id, shared) }
	return is(f.RuleID) || is(s.IDs[0]) || oneFlaw.MatchString(shared)
}

// oneFlaw are the ids that are given to flaws and not to notices about them.
var oneFlaw = regexp.MustCompile(`(?i)^(CVE|GHSA)-`)

func (s Statement) isAbout(f finding.Finding, image match.Image) bool {
	return slices.ContainsFunc(s.Products, func(p Product) bool {
		named, exact := p.names(f, image)
		if !named {
			return false
		}
		if len(p.Components) == 0 {
			return exact || s.Status != Fixed
		}
		return slices.ContainsFunc(p.Components, func(c Component) bool {
			return c.covers(f.Package) && (exact || c.exact() || s.Status != Fixed)
		})
	})
}

// names reports whether the product is the image or, where the statement has
// no components, the package itself; and whether it says which version. That a
// flaw is fixed says nothing without: it was not fixed in all versions.
func (p Product) names(f finding.Finding, image match.Image) (named, exact bool) {
	if p.Names == nil {
		return true, false
	}
	for _, name := range p.Names {
		purl, err := match.ParsePURL(name)
		isPURL := err == nil
		switch {
		case image.IsNamedBy(name):
			named = true
			exact = exact || !isPURL && match.IsExact(name) || isPURL && purl.Version() != ""
		case isPURL && len(p.Components) == 0 && purl.CoversPackage(f.Package):
			named = true
			exact = exact || purl.Version() != ""
		}
	}
	return named, exact
}

func (c Component) covers(p *finding.Package) bool {
	return c.PURL.CoversPackage(p) && (c.Version == "" || c.Version == p.Version)
}

func (c Component) exact() bool { return c.Version != "" || c.PURL.Version() != "" }

// caution orders statuses by how little they rule out.
var caution = map[Status]int{Affected: 0, UnderInvestigation: 1, Fixed: 2, NotAffected: 3}

// compare puts the statement that counts first.
func compare(a, b candidate) int {
	return cmp.Or(
		b.statement.Time.Compare(a.statement.Time),
		cmp.Compare(caution[a.statement.Status], caution[b.statement.Status]),
		cmp.Compare(a.statement.Source, b.statement.Source),
		cmp.Compare(a.statement.Justification, b.statement.Justification),
		cmp.Compare(a.statement.Detail, b.statement.Detail),
		cmp.Compare(a.author, b.author),
	)
}

// decide returns the finding as the statement leaves it.
func decide(f finding.Finding, c candidate) finding.Finding {
	s := c.statement
	if s.Status == NotAffected || s.Status == Fixed {
		f.Status, f.StatusReason = finding.NotAffected, c.words()
		f.StatusSource, f.Justification = s.Source, s.Justification
		return f
	}
	fact := finding.Fact{Name: FactName, Value: c.words()}
	if !slices.Contains(f.Evidence, fact) {
		f.Evidence = append(slices.Clone(f.Evidence), fact)
	}
	return f
}

// words say what the statement says: "not_affected by ACME,
// vulnerable_code_not_present: the parser is not built (acme.json statement
// 2)".
func (c candidate) words() string {
	words := string(c.statement.Status)
	if c.author != "" {
		words = fmt.Sprintf("%s by %s", words, c.author)
	}
	if c.statement.Justification != "" {
		words += ", " + c.statement.Justification
	}
	if c.statement.Detail != "" {
		words += ": " + c.statement.Detail
	}
	return words + " (" + c.statement.Source + ")"
}
