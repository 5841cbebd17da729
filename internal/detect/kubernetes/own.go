package kubernetes

import (
	"fmt"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/policy"
	"github.com/portcullis-ci/portcullis/internal/policy/expression"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// OwnRule is a rule that users write: a condition in CEL that describes what
// must not be.
type OwnRule struct {
	// ID names the rule in findings, ignores and settings.
	ID string
	// Kinds are the kinds of objects that it is about, as Kind or Group/Kind;
	// none stands for all.
	Kinds []string
	// Condition is true for what breaks the rule. Where it speaks of a pod or a
	// container, not of both, it is asked for each of the object's, and Field is
	// below that.
	Condition *expression.Program
	// Field is where the finding points, and what the condition knows as value,
	// asked for each place that it leads to; an empty path is the object, pod or
	// container itself.
	Field    manifest.Path
	Message  string
	Severity finding.Severity
}

// CompileOwn makes rules for the linter of those that the policy holds. The
// configuration has checked them, so an error is a fault of the program.
func CompileOwn(written []policy.ManifestRule) ([]OwnRule, error) {
	var out []OwnRule
	for _, w := range written {
		o := OwnRule{ID: w.ID, Kinds: w.Kinds, Message: w.Message, Severity: w.Severity}
		var err error
		if o.Condition, err = expression.CompileObject(w.Text); err != nil {
			return nil, fmt.Errorf("rule %s: %w", w.ID, err)
		}
		if w.Field != "" {
			if o.Field, err = manifest.ParsePath(w.Field); err != nil {
				return nil, fmt.Errorf("rule %s: %w", w.ID, err)
			}
		}
		out = append(out, o)
	}
	return out, nil
}

// rule makes a rule like all others of the user's.
func (o OwnRule) rule() rule {
	r := rule{Rule: rules.Rule{
		ID: o.ID, Kind: finding.Kubernetes, Title: strings.TrimSuffix(o.Message, "."), Severity: o.Severity, Language: "yaml",
	}}
	meter := expression.NewMeter()
	judge := func(p *pass, object *manifest.Object, at *manifest.Place, variable string) {
		if !o.about(object) {
			return
		}
		p.own(o, meter, object, at, variable)
	}
	switch {
	case o.Condition.Uses(expression.Container):
		r.container = func(p *pass, c *manifest.Container) { judge(p, c.Pod.Object, c.Place, expression.Container) }
	case o.Condition.Uses(expression.Pod):
		r.pod = func(p *pass, pod *manifest.Pod) { judge(p, pod.Object, pod.Template, expression.Pod) }
	default:
		r.object = func(p *pass, object *manifest.Object) { judge(p, object, object.Root, expression.Object) }
	}
	return r
}

// about reports whether the rule is about objects of this kind.
func (o OwnRule) about(object *manifest.Object) bool {
	if len(o.Kinds) == 0 {
		return true
	}
	return slices.ContainsFunc(o.Kinds, func(kind string) bool {
		group, name, grouped := cutLast(kind, "/")
		return kind == "*" || !grouped && kind == object.Kind || grouped && name == object.Kind && group == object.Group()
	})
}

func cutLast(text, sep string) (before, after string, found bool) {
	i := strings.LastIndex(text, sep)
	if i < 0 {
		return "", text, false
	}
	return text[:i], text[i+len(sep):], true
}

// own asks a user's condition about one thing, at each place of its field. A
// condition without a value is a failure of the run: what it would have said
// is not known. One is enough, the others would say the same.
func (p *pass) own(o OwnRule, meter *expression.Meter, object *manifest.Object, at *manifest.Place, variable string) {
	if p.linter.ownFailed[o.ID] {
		return
	}
	inputs := expression.Inputs{expression.Object: p.set.plainOf(object)}
	if variable != expression.Object {
		inputs[variable] = at.Node.Plain()
	}
	if o.Condition.Uses(expression.Objects) {
		inputs[expression.Objects] = p.set.plainAll()
	}
	for _, place := range o.Field.Places(at) {
		inputs[expression.Value] = nil
		if place.Node != nil {
			inputs[expression.Value] = place.Node.Plain()
		}
		broken, err := o.Condition.RunMetered(inputs, meter)
		if err != nil {
			p.linter.ownFailed[o.ID] = true
			p.linter.result.Failures = append(p.linter.result.Failures, outcome.Failure{
				Stage: stage, Target: object.File, Code: exit.NotExamined,
				Message: fmt.Sprintf("rule %s has no value for %s: %v", o.ID, object.ID(), err),
				Hint:    "ask for what may be missing with has(object.spec), or with object[?'spec'][?'replicas'].orValue(0)",
			})
			return
		}
		if broken {
			if o.Field.Empty() && variable == expression.Object {
				place = at.At("metadata", "name")
			}
			p.report(place, "%s", o.Message)
		}
	}
}

// plainOf is an object as plain values; it is made once.
func (s *set) plainOf(o *manifest.Object) map[string]any {
	if value, known := s.plainValues[o]; known {
		return value
	}
	value, _ := o.Root.Node.Plain().(map[string]any)
	if s.plainValues == nil {
		s.plainValues = make(map[*manifest.Object]map[string]any)
	}
	s.plainValues[o] = value
	return value
}

// plainAll is all objects as the value of a variable; it is made once.
func (s *set) plainAll() any {
	if s.plainObjects != nil {
		return s.plainObjects
	}
	all := make([]map[string]any, len(s.objects))
	for i, o := range s.objects {
		all[i] = s.plainOf(o)
	}
	s.plainObjects = expression.Shared(all)
	return s.plainObjects
}
