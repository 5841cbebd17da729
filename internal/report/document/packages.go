package document

import (
	"cmp"
	"slices"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// Entry is one line of a place: a finding of its own, or all vulnerabilities
// of one package.
type Entry struct {
	// Package is set for a group of a package's vulnerabilities.
	Package *finding.Package
	// Findings in report order; more than one only with Package.
	Findings []finding.Finding
}

// Worst is the severity of the entry's worst finding.
func (e Entry) Worst() finding.Severity { return e.Findings[0].Severity }

// Fix describes the fixes of an entry's findings.
type Fix struct {
	// Versions are the distinct fixed versions in the order of the findings.
	Versions []string
	// Unfixed is the number of findings without a fixed version.
	Unfixed int
}

// Fix collects the fixed versions of the entry. Which of them is the highest
// is for the ecosystem's version order to say, which reports do not know.
func (e Entry) Fix() Fix {
	var fix Fix
	for _, f := range e.Findings {
		if f.Fix.Version == "" {
			fix.Unfixed++
		} else if !slices.Contains(fix.Versions, f.Fix.Version) {
			fix.Versions = append(fix.Versions, f.Fix.Version)
		}
	}
	return fix
}

// Entries groups the findings of a place: the vulnerabilities of one package
// and version become one entry. The worst entry comes first, then the one with
// the most findings.
func Entries(findings []finding.Finding) []Entry {
	type key struct{ name, version, kind string }
	index := make(map[key]int)
	var entries []Entry
	for _, f := range findings {
		if f.Package == nil || f.Kind != finding.Vulnerability {
			entries = append(entries, Entry{Findings: []finding.Finding{f}})
			continue
		}
		k := key{f.Package.Name, f.Package.Version, f.Package.Type}
		at, known := index[k]
		if !known {
			at = len(entries)
			index[k] = at
			entries = append(entries, Entry{Package: f.Package})
		}
		entries[at].Findings = append(entries[at].Findings, f)
	}
	for _, e := range entries {
		slices.SortStableFunc(e.Findings, func(a, b finding.Finding) int {
			return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(b.Score, a.Score))
		})
	}
	slices.SortStableFunc(entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(b.Worst(), a.Worst()), cmp.Compare(len(b.Findings), len(a.Findings)))
	})
	return entries
}
