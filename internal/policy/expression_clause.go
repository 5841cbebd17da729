package policy

import (
	"fmt"
	"maps"
	"slices"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/policy/expression"
)

// expressionClauses judge by the user's own conditions, in their order.
func (p Policy) expressionClauses(s scope) []judged {
	if len(p.Deny)+len(p.Warn) == 0 {
		return nil
	}
	e := newExpressionInput(s)
	var clauses []judged
	for _, x := range p.Deny {
		clauses = append(clauses, e.judge("deny."+x.Name, x, Fails))
	}
	for _, x := range p.Warn {
		clauses = append(clauses, e.judge("warn."+x.Name, x, Warns))
	}
	return clauses
}

// expressionInput is what expressions see: the findings that count, and
// everything else that was examined.
type expressionInput struct {
	scope
	findings []expression.Finding
	packages []expression.Package
	values   expression.Inputs
}

func newExpressionInput(s scope) expressionInput {
	e := expressionInput{scope: s, findings: []expression.Finding{}, packages: []expression.Package{}}
	for _, f := range s.counted {
		e.findings = append(e.findings, expression.FindingOf(f, OriginOf(f)))
	}
	for _, p := range s.Packages {
		e.packages = append(e.packages, expression.PackageOf(p))
	}
	manifests := []map[string]any{}
	for _, m := range s.Manifests {
		manifests = append(manifests, m.Object)
	}
	e.values = expression.Inputs{
		"findings": e.findings, "packages": e.packages, "manifests": manifests,
		"image": expression.ImageOf(s.Image), "distribution": distribution(s.Input), "now": s.Now,
	}
	return e
}

func distribution(in Input) expression.Distribution {
	if in.Distro == nil {
		return expression.Distribution{}
	}
	return expression.Distribution{ID: in.Distro.ID, Version: in.Distro.Version}
}

// judge evaluates one condition. One that has no value breaks its clause and
// leaves the verdict incomplete: what it would have said is not known.
func (e expressionInput) judge(name string, x Expression, effect Effect) judged {
	c := outcome.Clause{Name: name, Demand: x.Message}
	if c.Demand == "" {
		c.Demand = "not: " + x.Text
	}
	program, err := expression.Compile(x.Text)
	if err != nil {
		return unevaluated(c, effect, err)
	}
	if absent := e.absent(program); absent != "" {
		if slices.Contains(e.Missing, absent) {
			return e.needs(judged{clause: c}, absent)
		}
		c.Demand += " (no " + absent + " examined)"
		return judged{clause: c}
	}
	if program.Uses("image") {
		c, err = e.evaluateImages(c, program)
	} else {
		c, err = e.evaluate(c, program)
	}
	if err != nil {
		return unevaluated(c, effect, err)
	}
	return withEffect(c, effect)
}

// evaluateImages evaluates a condition on the image for each of its platforms.
// The clause is broken by the first for which the condition is met.
func (e expressionInput) evaluateImages(c outcome.Clause, p *expression.Program) (outcome.Clause, error) {
	if len(e.Platforms) == 0 {
		return e.evaluate(c, p)
	}
	for _, img := range e.Platforms {
		one := e
		one.values = maps.Clone(e.values)
		one.values["image"] = expression.ImageOf(img)
		judged, err := one.evaluate(c, p)
		if judged.Broken {
			judged.Reason += " (" + img.Platform + ")"
		}
		if err != nil || judged.Broken {
			return judged, err
		}
	}
	return c, nil
}

// unevaluated is the clause of a condition without a value.
func unevaluated(c outcome.Clause, effect Effect, err error) judged {
	c.Broken, c.Reason = true, "the expression could not be evaluated: "+err.Error()
	c.Findings, c.Subjects = nil, nil
	if effect == Warns {
		return warning(c)
	}
	return judged{clause: c, code: exit.NotExamined}
}

// absent names what the expression is about and this run has not examined.
func (e expressionInput) absent(p *expression.Program) string {
	switch {
	case !e.InventoryExamined && (p.Uses("packages") || p.Uses(expression.EachPackage)):
		return NoPackages
	case e.Image == nil && p.Uses("image"):
		return NoImage
	case slices.Contains(e.Missing, NoPackages) && (p.Uses("packages") || p.Uses(expression.EachPackage)):
		return NoPackages
	case slices.Contains(e.Missing, NoImage) && p.Uses("image"):
		return NoImage
	case slices.Contains(e.Missing, NoManifests) && (p.Uses("manifests") || p.Uses(expression.EachManifest)):
		return NoManifests
	default:
		return ""
	}
}

// evaluate runs the program over what it is about and fills the clause in.
func (e expressionInput) evaluate(c outcome.Clause, p *expression.Program) (outcome.Clause, error) {
	switch p.Each() {
	case expression.EachFinding:
		hits, err := p.RunEach(e.values, len(e.findings), func(i int) any { return e.findings[i] })
		hit := make(map[string]bool)
		for _, i := range hits {
			hit[e.counted[i].Fingerprint] = true
		}
		return broken(c, e.counted, func(f finding.Finding) bool { return hit[f.Fingerprint] }), err
	case expression.EachPackage:
		hits, err := p.RunEach(e.values, len(e.packages), func(i int) any { return e.packages[i] })
		var names []string
		for _, i := range hits {
			names = append(names, packageName(e.Packages[i]))
		}
		return subjects(c, names), err
	case expression.EachManifest:
		hits, err := p.RunEach(e.values, len(e.Manifests), func(i int) any { return e.Manifests[i].Object })
		if len(hits) > 0 {
			c.Broken, c.Reason = true, plural(len(hits), "object breaks it", "objects break it")
		}
		for _, i := range hits {
			c.Subjects = append(c.Subjects, fmt.Sprintf("%s:%d", e.Manifests[i].Path, e.Manifests[i].Line))
		}
		return c, err
	default:
		hit, err := p.Run(e.values)
		if hit {
			c.Broken, c.Reason = true, "its condition is met: "+c.Demand
		}
		return c, err
	}
}
