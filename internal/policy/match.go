package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/outcome"
)

// Match selects findings: all of the conditions that are set must hold, and of
// each list one entry. In patterns, * stands for any text, slashes included.
type Match struct {
	Kinds []finding.Kind
	// Rules are rule or advisory ids, aliases included, in any letter case.
	Rules []string
	// Packages are names or package URLs.
	Packages []string
	// Paths are paths in the image or the repository.
	Paths []string
	// Origin is who brought the finding in; a finding of which that is not
	// known does not match.
	Origin finding.Origin
	// Below is the severity under which findings match; nil for all. Findings
	// of unknown severity are below nothing.
	Below *finding.Severity
}

// Exemption takes findings out of every clause. They stay in the reports.
type Exemption struct {
	Match  Match
	Reason string
}

// Restriction is a stricter threshold for some findings.
type Restriction struct {
	Match  Match
	FailOn finding.Severity
	Reason string
}

// Holds reports whether the finding is selected for something stricter: one of
// its places will do.
func (m Match) Holds(f finding.Finding) bool {
	return m.holds(f) && (len(m.Paths) == 0 || anyLike(m.Paths, pathsOf(f)...))
}

// Spares reports whether the finding is selected for something milder: it counts
// where the finding itself is, since a place that is only related to it, such as
// the manifest that runs the image, is easily added by a change.
func (m Match) Spares(f finding.Finding) bool {
	return m.holds(f) && (len(m.Paths) == 0 || f.LiesIn(func(path string) bool { return anyLike(m.Paths, path) }))
}

// holds looks at everything but the paths.
func (m Match) holds(f finding.Finding) bool {
	switch {
	case len(m.Kinds) > 0 && !slices.Contains(m.Kinds, f.Kind),
		len(m.Rules) > 0 && !slices.ContainsFunc(m.Rules, func(r string) bool { return hasID(f, r) }),
		len(m.Packages) > 0 && (f.Package == nil || !anyLike(m.Packages, f.Package.Name, f.Package.Source, f.Package.PURL)),
		m.Origin != "" && m.Origin != OriginOf(f):
		return false
	case m.Below != nil:
		return f.Severity != finding.Unknown && f.Severity < *m.Below
	default:
		return true
	}
}

// Words describes the selection for a person.
func (m Match) Words() string {
	var parts []string
	add := func(name string, values []string) {
		if len(values) > 0 {
			parts = append(parts, name+" "+strings.Join(values, ", "))
		}
	}
	var kinds []string
	for _, k := range m.Kinds {
		kinds = append(kinds, string(k))
	}
	add("kinds", kinds)
	add("rules", m.Rules)
	add("packages", m.Packages)
	add("paths", m.Paths)
	if m.Origin != "" {
		parts = append(parts, "from the "+string(m.Origin))
	}
	if m.Below != nil {
		parts = append(parts, "below "+m.Below.String())
	}
	return strings.Join(parts, "; ")
}

// baseImageNote is how tracing marks the place of what the base image brought.
const baseImageNote = "base image"

// OriginOf returns who brought a finding in: what the finding says, or else
// what the place says that it was led to; empty when neither tells.
func OriginOf(f finding.Finding) finding.Origin {
	switch {
	case f.Origin != "":
		return f.Origin
	case len(f.Locations) == 0 || f.Locations[0].Space != finding.Repository || f.Locations[0].OfWorkload():
		return ""
	case f.Locations[0].Note == baseImageNote:
		return finding.FromBaseImage
	case f.Kind == finding.Dockerfile || f.Kind == finding.Kubernetes || len(f.Locations) > 1:
		return finding.FromBuild
	default:
		return ""
	}
}

func hasID(f finding.Finding, id string) bool {
	return strings.EqualFold(f.RuleID, id) || slices.ContainsFunc(f.Aliases, func(a string) bool { return strings.EqualFold(a, id) })
}

func pathsOf(f finding.Finding) []string {
	var paths []string
	for _, l := range f.Locations {
		paths = append(paths, l.Path)
	}
	return paths
}

// anyLike reports whether one of the texts fits one of the patterns.
func anyLike(patterns []string, texts ...string) bool {
	for _, text := range texts {
		if text != "" && slices.ContainsFunc(patterns, func(p string) bool { return like(p, text) }) {
			return true
		}
	}
	return false
}

// like reports whether the text fits the pattern, in which * stands for any
// text. It takes time proportional to the product of the lengths at most.
func like(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	rest, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(rest, part)
		if i < 0 {
			return false
		}
		rest = rest[i+len(part):]
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
}

// packageName names a package with its version, as coverage does.
func packageName(p inventory.Package) string { return strings.TrimSpace(p.Name + " " + p.Version) }

// restrictionClause demands that no selected finding reaches the stricter
// threshold. It does not ask whether a fix exists.
func (p Policy) restrictionClause(i int, r Restriction, findings []finding.Finding) judged {
	c := outcome.Clause{
		Name:   fmt.Sprintf("restrict.%d", i+1),
		Demand: join(fmt.Sprintf("no finding of severity %s or worse, nor of unknown severity, in: %s", r.FailOn, r.Match.Words()), " — ", r.Reason),
	}
	return judged{clause: broken(c, findings, func(f finding.Finding) bool {
		return r.Match.Holds(f) && (f.Severity == finding.Unknown || f.Severity.AtLeast(r.FailOn))
	}), code: exit.PolicyBroken}
}

// exemptionClauses hold nothing against anybody: they say in every report what
// the policy leaves out, and why.
func (p Policy) exemptionClauses(s scope) []judged {
	var clauses []judged
	for i, e := range p.Exempt {
		clauses = append(clauses, judged{clause: outcome.Clause{
			Name: fmt.Sprintf("exempt.%d", i+1),
			Demand: fmt.Sprintf("%s exempt: %s — %s",
				plural(len(s.exempt[i]), "finding is", "findings are"), e.Match.Words(), e.Reason),
		}})
	}
	return clauses
}
