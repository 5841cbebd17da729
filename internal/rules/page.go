package rules

import (
	"fmt"
	"path"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// Page returns the rule's section of the reference pages, which is also what
// `portcullis explain` prints: Markdown with a heading of level two.
func Page(r Rule) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n**%s**\n\n", r.ID, r.Title)
	fmt.Fprintf(&b, "Severity %s%s", r.Severity, offNote(r))
	if len(r.Aliases) > 0 {
		fmt.Fprintf(&b, " · also known as %s", strings.Join(r.Aliases, ", "))
	}
	fmt.Fprintf(&b, " · since %s\n\n%s\n\n", r.Since, strings.TrimSpace(r.Why))
	if len(r.Tags) > 0 {
		fmt.Fprintf(&b, "Maps to %s.\n\n", strings.Join(mappings(r), ", "))
	}
	fmt.Fprintf(&b, "**What to do.** %s\n\n", strings.TrimSpace(r.Fix))
	if r.WhenToIgnore != "" {
		fmt.Fprintf(&b, "**When to ignore it.** %s\n\n", strings.TrimSpace(r.WhenToIgnore))
	}
	fmt.Fprintf(&b, "Instead of\n\n%s\nwrite\n\n%s", fence(r.Language, r.Bad), fence(r.Language, r.Good))
	if len(r.References) > 0 {
		b.WriteString("\n")
		for _, ref := range r.References {
			fmt.Fprintf(&b, "- <%s>\n", ref)
		}
	}
	return b.String()
}

// mappings are the names under which a configuration finds the rule's tags.
func mappings(r Rule) []string {
	names := make([]string, 0, len(r.Tags))
	for _, tag := range r.Tags {
		names = append(names, path.Base(tag))
	}
	return names
}

func offNote(r Rule) string {
	if r.Off {
		return " (off unless configured)"
	}
	return ""
}

// fence wraps an example in a code fence that is longer than any run of
// backticks in it.
func fence(language, example string) string {
	ticks := "```"
	for strings.Contains(example, ticks) {
		ticks += "`"
	}
	return ticks + language + "\n" + strings.TrimRight(example, "\n") + "\n" + ticks + "\n"
}

// pageTitles head the reference pages, one for each kind of finding that has
// rules.
var pageTitles = map[finding.Kind]string{
	finding.Dockerfile:  "Dockerfile rules",
	finding.Kubernetes:  "Kubernetes rules",
	finding.ImageConfig: "Image rules",
	finding.Secret:      "Secret rules",
	finding.Malware:     "Malware rules",
	finding.Coverage:    "Coverage rules",
	finding.Waiver:      "Waiver rules",
}

// Pages returns the reference pages by kind: a list of all rules, then their
// sections in the order of their ids.
func Pages(c Catalogue) map[finding.Kind]string {
	pages := make(map[finding.Kind]string)
	for kind, title := range pageTitles {
		var list, sections strings.Builder
		for _, r := range c.All() {
			if r.Kind != kind {
				continue
			}
			fmt.Fprintf(&list, "| [%s](#%s) | %s%s | %s | %s |\n", r.ID, strings.ToLower(r.ID), r.Severity, offNote(r),
				strings.ReplaceAll(r.Title, "|", `\|`), strings.Join(r.Aliases, ", "))
			sections.WriteString("\n" + Page(r))
		}
		if sections.Len() == 0 {
			continue
		}
		pages[kind] = fmt.Sprintf("# %s\n\nThis page is made from the rules themselves by `make generate`.\n\n"+
			"| Rule | Severity | What it finds | Known elsewhere as |\n|---|---|---|---|\n%s%s", title, list.String(), sections.String())
	}
	return pages
}
