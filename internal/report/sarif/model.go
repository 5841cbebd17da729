package sarif

import (
	"strings"
	"unicode/utf16"

	gosarif "github.com/owenrumney/go-sarif/v2/sarif"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
)

// This file is the only one that builds values of go-sarif, because several of
// its constructors make documents that the schema or the hosts refuse: a help
// with Markdown only has no text, slices of a literal encode as null, and its
// file writer leaves the tail of a longer file in place.

const schemaURI = "https://json.schemastore.org/sarif-2.1.0.json"

type (
	report = gosarif.Report
	run    = gosarif.Run
	result = gosarif.Result
	rule   = gosarif.ReportingDescriptor
)

// newReport wraps runs; there is at least one, or the file would mean nothing.
func newReport(runs []*run) *report {
	return &report{Version: string(gosarif.Version210), Schema: schemaURI, Runs: runs}
}

// newRun returns a run whose rules and results are arrays even when empty.
func newRun(id, name, version, uri string) *run {
	driver := &gosarif.ToolComponent{Name: name, InformationURI: &uri, Rules: []*rule{}}
	if v, ok := semanticVersion(version); ok {
		driver.SemanticVersion = &v
	}
	if version != "" {
		driver.Version = &version
	}
	return &run{
		Tool:              gosarif.Tool{Driver: driver},
		Results:           []*result{},
		AutomationDetails: &gosarif.RunAutomationDetails{ID: &id},
		ColumnKind:        "unicodeCodePoints",
	}
}

func message(text, markdown string) *gosarif.MultiformatMessageString {
	m := &gosarif.MultiformatMessageString{Text: &text}
	if markdown != "" {
		m.Markdown = &markdown
	}
	return m
}

func notification(level, text string) *gosarif.Notification {
	return &gosarif.Notification{Level: level, Message: gosarif.NewTextMessage(text)}
}

func location(uri string, r region) *gosarif.Location {
	return gosarif.NewLocationWithPhysicalLocation(gosarif.NewPhysicalLocation().
		WithArtifactLocation(gosarif.NewSimpleArtifactLocation(uri)).
		WithRegion(gosarif.NewRegion().WithStartLine(r.line).WithStartColumn(r.column).
			WithEndLine(r.line).WithEndColumn(r.endColumn)))
}

// fixOf turns the edits of one finding into a fix that viewers can apply, nil
// when there are none.
func fixOf(f finding.Finding) []*gosarif.Fix {
	if len(f.Fix.Edits) == 0 {
		return nil
	}
	var changes []*gosarif.ArtifactChange
	byPath := make(map[string]*gosarif.ArtifactChange)
	for _, e := range f.Fix.Edits {
		change := byPath[e.Path]
		if change == nil {
			change = &gosarif.ArtifactChange{ArtifactLocation: *gosarif.NewSimpleArtifactLocation(escapePath(cleanPath(e.Path)))}
			byPath[e.Path] = change
			changes = append(changes, change)
		}
		text := e.NewText
		change.Replacements = append(change.Replacements, &gosarif.Replacement{
			DeletedRegion:   *gosarif.NewRegion().WithStartLine(e.Line).WithStartColumn(e.Column).WithEndLine(e.EndLine).WithEndColumn(e.EndColumn),
			InsertedContent: &gosarif.ArtifactContent{Text: &text},
		})
	}
	return []*gosarif.Fix{{Description: gosarif.NewTextMessage(plainText(orElse(f.Fix.Text, f.Title))), ArtifactChanges: changes}}
}

// cutText shortens text to at most limit UTF-16 units, the measure of the
// hosts.
func cutText(s string, limit int) string {
	units := 0
	for i, r := range s {
		n := utf16.RuneLen(r)
		if n < 0 {
			n = 1
		}
		if units+n > limit-1 && len(s)-i > len(string(r)) {
			return s[:i] + "…"
		}
		units += n
	}
	return s
}

// plainText makes text safe for SARIF's plain messages, in which
// "[text](target)" is a link.
func plainText(s string) string {
	return strings.ReplaceAll(neutralise.Line(s), "](", "] (")
}
