package vex

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/package-url/packageurl-go"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
)

// ErrNothingToState says that no finding was ruled out by the gate's own
// evidence, so that there is nothing to write: OpenVEX knows no document
// without statements.
var ErrNothingToState = errors.New("no finding is ruled out by evidence of the gate")

// Evidence is what a document is written from.
type Evidence struct {
	// Findings of one target. Only those that the gate itself ruled out are
	// stated; what waivers or other VEX files say is theirs to say.
	Findings []finding.Finding
	// Image is the product; nil for an SBOM or root file system, whose
	// packages are then the products.
	Image *inventory.Image
	// Author answers for the statements, such as a team's address.
	Author string
	// Tool is the name and version of the program.
	Tool string
	// Now is the time of the statements.
	Now time.Time
}

type openVEXOut struct {
	Context    string                `json:"@context"`
	ID         string                `json:"@id"`
	Author     string                `json:"author"`
	Timestamp  string                `json:"timestamp"`
	Version    int                   `json:"version"`
	Tooling    string                `json:"tooling,omitempty"`
	Statements []openVEXStatementOut `json:"statements"`
}

type openVEXStatementOut struct {
	Vulnerability   openVEXVulnerabilityOut `json:"vulnerability"`
	Timestamp       string                  `json:"timestamp"`
	Products        []openVEXComponentOut   `json:"products"`
	Status          string                  `json:"status"`
	Justification   string                  `json:"justification,omitempty"`
	ImpactStatement string                  `json:"impact_statement,omitempty"`
}

type openVEXVulnerabilityOut struct {
	Name    string   `json:"name"`
	Aliases []string `json:"aliases,omitempty"`
}

type openVEXComponentOut struct {
	ID            string                `json:"@id"`
	Identifiers   map[string]string     `json:"identifiers,omitempty"`
	Hashes        map[string]string     `json:"hashes,omitempty"`
	Subcomponents []openVEXComponentOut `json:"subcomponents,omitempty"`
}

// Write writes an OpenVEX 0.2 document with a not_affected statement of each
// finding that the gate ruled out itself. The same evidence gives the same
// bytes. Without such findings it writes nothing and returns
// ErrNothingToState.
func Write(w io.Writer, e Evidence) error {
	if strings.TrimSpace(e.Author) == "" {
		return errors.New("write OpenVEX: no author is given: somebody has to answer for the statements")
	}
	now := e.Now.UTC().Format(time.RFC3339)
	doc := openVEXOut{
		Context: "https://openvex.dev/ns/v0.2.0", Author: e.Author, Timestamp: now, Version: 1, Tooling: e.Tool,
		Statements: e.statements(now),
	}
	if len(doc.Statements) == 0 {
		return ErrNothingToState
	}
	id, err := json.Marshal(doc)
	if err != nil {
		return fmt.Errorf("write OpenVEX: %w", err)
	}
	sum := sha256.Sum256(id)
	doc.ID = "https://github.com/portcullis-ci/portcullis/vex/" + hex.EncodeToString(sum[:])
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return fmt.Errorf("write OpenVEX: %w", err)
	}
	_, err = w.Write(neutralise.JSON(b.Bytes()))
	return err
}

// claim is what one statement says; packages that share it are stated at once.
type claim struct{ id, justification, reason string }

func (e Evidence) statements(now string) []openVEXStatementOut {
	packages := make(map[claim]map[string]bool)
	aliases := make(map[claim][]string)
	for _, f := range e.Findings {
		if !ownEvidence(f) {
			continue
		}
		c := claim{f.RuleID, f.Justification, f.StatusReason}
		if packages[c] == nil {
			packages[c] = make(map[string]bool)
		}
		packages[c][f.Package.PURL] = true
		aliases[c] = append(aliases[c], f.Aliases...)
	}
	var out []openVEXStatementOut
	for c, purls := range packages {
		slices.Sort(aliases[c])
		out = append(out, openVEXStatementOut{
			Vulnerability: openVEXVulnerabilityOut{Name: c.id, Aliases: slices.Compact(aliases[c])},
			Timestamp:     now, Products: e.products(slices.Sorted(maps.Keys(purls))),
			Status: string(NotAffected), Justification: c.justification, ImpactStatement: c.reason,
		})
	}
	slices.SortFunc(out, func(a, b openVEXStatementOut) int {
		return cmp.Or(cmp.Compare(a.Vulnerability.Name, b.Vulnerability.Name), cmp.Compare(a.Justification, b.Justification),
			cmp.Compare(a.ImpactStatement, b.ImpactStatement))
	})
	return out
}

// ownEvidence reports whether the gate itself ruled the finding out, about a
// package that can be named. A statement needs a justification or a reason.
func ownEvidence(f finding.Finding) bool {
	return f.Kind == finding.Vulnerability && f.Status == finding.NotAffected && f.StatusSource == "" &&
		f.Package != nil && strings.HasPrefix(f.Package.PURL, "pkg:") && f.StatusReason != ""
}

// products are the image with the packages in it, or the packages themselves
// where nothing names the image exactly enough: a statement about a repository
// would hold for all of its tags to come.
func (e Evidence) products(purls []string) []openVEXComponentOut {
	var components []openVEXComponentOut
	for _, p := range purls {
		components = append(components, openVEXComponentOut{ID: p, Identifiers: map[string]string{"purl": p}})
	}
	img := e.Image
	switch {
	case img == nil || img.Digest == "" && img.ID == "":
		return components
	case img.Digest == "":
		return []openVEXComponentOut{{
			ID: img.ID, Hashes: map[string]string{"sha-256": strings.TrimPrefix(img.ID, "sha256:")}, Subcomponents: components,
		}}
	}
	qualifiers := packageurl.Qualifiers{}
	if strings.Contains(img.Name, "/") {
		qualifiers = packageurl.Qualifiers{{Key: "repository_url", Value: img.Name}}
	}
	purl := packageurl.NewPackageURL(packageurl.TypeOCI, "", strings.ToLower(path.Base(img.Name)), img.Digest, qualifiers, "").ToString()
	return []openVEXComponentOut{{ID: purl, Identifiers: map[string]string{"purl": purl}, Subcomponents: components}}
}
