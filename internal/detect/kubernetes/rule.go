package kubernetes

import (
	"fmt"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/credential"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// rule is a description with its check. One of the functions is set; rules
// with none are reported by the reading itself.
type rule struct {
	rules.Rule
	object    func(*pass, *manifest.Object)
	pod       func(*pass, *manifest.Pod)
	container func(*pass, *manifest.Container)
	set       func(*pass)
}

// allRules joins the families.
func allRules() []rule {
	families := [][]rule{
		readingRules, schemaRules, privilegeRules, hostRules, capabilityRules, identityRules,
		profileRules, hostShareRules, imageRules, resourceRules, secretRules, rbacRules, grantRules,
		networkRules, exposureRules, meshRules, clusterRules, cloudRules, ecsRules, relationRules, reliabilityRules,
		ignoreRules,
	}
	all := slices.Concat(families...)
	for i := range all {
		all[i] = all[i].complete()
	}
	return all
}

// complete fills in what all rules have in common.
func (r rule) complete() rule {
	r.Kind = finding.Kubernetes
	r.Since = "0.1"
	if r.Language == "" {
		r.Language = "yaml"
	}
	r.Aliases = slices.Sorted(slices.Values(r.Aliases))
	return r
}

// runs reports whether the options let the rule run.
func (r rule) runs(opts Options) bool {
	if slices.Contains(opts.Disable, r.ID) || !r.inStandard(opts) {
		return false
	}
	if r.ID == imageRegistry.ID && len(opts.Registries) > 0 {
		return true
	}
	return !r.Off || slices.Contains(opts.Enable, r.ID)
}

// pass is what a check gets: the set that it may look around in, and where to
// report.
type pass struct {
	linter    *linter
	rule      *rule
	set       *set
	object    *manifest.Object
	container *manifest.Container
}

// report adds a finding at a place, with the rule's own severity.
func (p *pass) report(at *manifest.Place, format string, args ...any) {
	p.add(problem{object: p.object, at: at, severity: p.rule.Severity, message: fmt.Sprintf(format, args...)})
}

// reportSecret adds a finding about a secret value: another value in its place
// is another problem.
func (p *pass) reportSecret(at *manifest.Place, value, format string, args ...any) {
	p.add(problem{object: p.object, at: at, severity: p.rule.Severity, message: fmt.Sprintf(format, args...), secret: credential.FingerprintOf(value)})
}

// reportAs adds a finding with another severity than the rule's own.
func (p *pass) reportAs(severity finding.Severity, at *manifest.Place, format string, args ...any) {
	p.add(problem{object: p.object, at: at, severity: severity, message: fmt.Sprintf(format, args...)})
}

// problem is a finding in the making.
type problem struct {
	object   *manifest.Object
	at       *manifest.Place
	severity finding.Severity
	message  string
	// secret is the fingerprint of the secret that it is about, if that has one.
	secret string
	// evidence is added to the field's path.
	evidence []finding.Fact
	// also are further places that have to do with it.
	also []related
}

// related is a further place.
type related struct {
	object *manifest.Object
	at     *manifest.Place
	note   string
}

func (p *pass) add(pr problem) {
	path := pr.at.Path()
	container := ""
	if p.container != nil && within(path, p.container.Place.Path()) {
		container = p.container.Name
		if container == "" {
			container = p.container.Place.Path()
		}
	}
	// A field of the pod that is wrong for each of its containers is wrong
	// once. Objects that share a name are told apart by their document.
	span := pr.at.Span()
	key := reported{pr.object, container, path, span.Line, span.Column}
	if p.linter.seen[key] {
		return
	}
	p.linter.seen[key] = true
	if most := p.linter.opts.Findings; most > 0 && len(p.linter.found) >= most {
		p.linter.dropped++
		return
	}
	f := p.rule.finding(pr.object.File, span, withoutName(pr.message))
	f.Severity = pr.severity
	id := p.linter.shared(pr.object.ID())
	f.Object = id
	if container != "" {
		f.Object = p.linter.shared(id + ", container " + container)
	}
	f.Evidence = append([]finding.Fact{{Name: "field", Value: p.linter.shared(path)}}, pr.evidence...)
	// What a chart or kustomization made cannot be changed where it stands.
	if _, rendered := p.linter.rendered[pr.object.File]; !rendered {
		f.Fix.Edits = edits(f.RuleID, pr.object.File, pr.at)
	}
	for _, r := range pr.also {
		f.Locations = append(f.Locations, location(r.object.File, r.at.Span(), r.note))
	}
	p.linter.decided(&f, pr.object.File, pr.at)
	parts := []string{pr.object.File, id, container, path}
	if pr.secret != "" {
		parts = append(parts, pr.secret)
	}
	f.Fingerprint = finding.Fingerprint(f.Kind, f.RuleID, parts...)
	p.linter.found = append(p.linter.found, f)
}

// reported is what a rule reports once.
type reported struct {
	object          *manifest.Object
	container, path string
	line, column    int
}

// shared returns the text itself or an equal one of another finding: names of
// objects and fields are repeated in many.
func (l *linter) shared(text string) string {
	known, ok := l.texts[text]
	if !ok {
		if l.texts == nil {
			l.texts = make(map[string]string)
		}
		known = text
		l.texts[text] = text
	}
	return known
}

var unnamed = strings.NewReplacer(`Container "" `, "The container ", `container "" `, "the container ")

// withoutName words a message about a container that has no name, as that of a
// Knative Service may.
func withoutName(message string) string { return unnamed.Replace(message) }

// within reports whether a path lies at or below another.
func within(path, outer string) bool {
	return path == outer || strings.HasPrefix(path, outer+".") || strings.HasPrefix(path, outer+"[")
}

// finding fills in what follows from the rule alone.
func (r rule) finding(path string, span manifest.Span, message string) finding.Finding {
	return finding.Finding{
		RuleID: r.ID, Aliases: r.Aliases, Kind: r.Kind,
		Severity: r.Severity, SeveritySource: "portcullis",
		Title: r.Title, Message: message, Target: path,
		Locations:  []finding.Location{location(path, span, "")},
		Fix:        finding.Fix{Text: r.Fix},
		References: r.References,
		Sensitive:  r.Sensitive,
		Status:     finding.Open,
	}
}

func location(path string, span manifest.Span, note string) finding.Location {
	l := finding.Location{Space: finding.Repository, Path: path, Line: span.Line, Column: span.Column, Note: note}
	if span.Column > 0 {
		l.EndLine, l.EndColumn = span.Line, max(span.EndColumn, span.Column)
	}
	return l
}
