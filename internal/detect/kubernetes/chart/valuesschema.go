package chart

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// schemaFile is the JSON schema that a chart's values have to satisfy.
// https://helm.sh/docs/topics/charts/#schema-files
const schemaFile = "values.schema.json"

// maxSchemaSteps bounds how often a schema is applied to a value: schemas may
// refer to themselves twice at each level.
const maxSchemaSteps = 200_000

// Refusal is what a chart's own schema says about its values. Helm refuses to
// render such a chart.
type Refusal struct {
	// Schema is the file of the schema.
	Schema string
	// Values is the chart's own values file, whether or not it exists, and Own
	// the keys of the value in it. Keys are those in the values of the outermost
	// chart. Both are empty where the schema itself is wrong.
	Values    string
	Own, Keys []string
	Message   string
}

// checkValues holds the values of a chart and its subcharts against their
// schemas. Keys lead from the outermost values to those of this chart.
func (t *tree) checkValues(keys []string) []Refusal {
	var refusals []Refusal
	if t.schema != nil {
		file := path.Join(t.dir, schemaFile)
		found, err := violations(t.schema, t.values)
		if err != nil {
			refusals = append(refusals, Refusal{Schema: file, Message: "the values are not checked against this schema: " + err.Error()})
		}
		for _, v := range found {
			v.Schema, v.Values = file, path.Join(t.dir, "values.yaml")
			v.Keys = slices.Concat(keys, v.Own)
			refusals = append(refusals, v)
		}
	}
	for _, sub := range t.subs {
		refusals = append(refusals, sub.checkValues(slices.Concat(keys, []string{sub.alias}))...)
	}
	return refusals
}

// violations holds values against a schema. Nothing outside of the schema is
// loaded for it.
func violations(schema []byte, values map[string]any) (found []Refusal, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the validator gave up: %v", r)
		}
	}()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		return nil, fmt.Errorf("it is no JSON: %w", err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(noLoader{})
	const name = "file:///" + schemaFile
	if err := compiler.AddResource(name, doc); err != nil {
		return nil, fmt.Errorf("it cannot be used: %w", err)
	}
	compiled, err := compiler.Compile(name)
	var unloaded *jsonschema.LoadURLError
	switch {
	case errors.As(err, &unloaded):
		return nil, fmt.Errorf("it refers to %s, which is not loaded: a check reads the files of the chart alone", unloaded.URL)
	case err != nil:
		return nil, fmt.Errorf("it is no valid schema: %w", err)
	}
	steps := maxSchemaSteps
	if !within(compiled, any(values), &steps) {
		return nil, errors.New("it is applied to them too often")
	}
	var invalid *jsonschema.ValidationError
	switch err := compiled.Validate(values); {
	case errors.As(err, &invalid):
		return refusalsOf(invalid, nil), nil
	case err != nil:
		return nil, fmt.Errorf("validate: %w", err)
	}
	return nil, nil
}

// noLoader loads nothing: no network and no file.
type noLoader struct{}

func (noLoader) Load(string) (any, error) { return nil, errors.New("not loaded") }

// within reports whether a schema can be applied to a value in the given number
// of steps.
func within(s *jsonschema.Schema, value any, steps *int) bool {
	if s == nil {
		return true
	}
	if *steps--; *steps < 0 {
		return false
	}
	same := slices.Concat([]*jsonschema.Schema{s.Ref, s.RecursiveRef, s.Not, s.If, s.Then, s.Else}, s.AllOf, s.AnyOf, s.OneOf)
	if s.DynamicRef != nil {
		same = append(same, s.DynamicRef.Ref)
	}
	for _, sub := range s.DependentSchemas {
		same = append(same, sub)
	}
	for _, dependency := range s.Dependencies {
		if sub, ok := dependency.(*jsonschema.Schema); ok {
			same = append(same, sub)
		}
	}
	for _, sub := range same {
		if !within(sub, value, steps) {
			return false
		}
	}
	switch v := value.(type) {
	case map[string]any:
		return withinMap(s, v, steps)
	case []any:
		return withinList(s, v, steps)
	}
	return true
}

func withinMap(s *jsonschema.Schema, m map[string]any, steps *int) bool {
	for key, value := range m {
		subs := []*jsonschema.Schema{s.Properties[key], s.UnevaluatedProperties, s.PropertyNames}
		if sub, ok := s.AdditionalProperties.(*jsonschema.Schema); ok {
			subs = append(subs, sub)
		}
		for pattern, sub := range s.PatternProperties {
			if pattern.MatchString(key) {
				subs = append(subs, sub)
			}
		}
		for _, sub := range subs {
			if !within(sub, value, steps) {
				return false
			}
		}
	}
	return true
}

func withinList(s *jsonschema.Schema, items []any, steps *int) bool {
	for _, item := range items {
		subs := slices.Concat([]*jsonschema.Schema{s.Items2020, s.UnevaluatedItems, s.Contains}, s.PrefixItems)
		switch more := s.Items.(type) {
		case *jsonschema.Schema:
			subs = append(subs, more)
		case []*jsonschema.Schema:
			subs = append(subs, more...)
		}
		if sub, ok := s.AdditionalItems.(*jsonschema.Schema); ok {
			subs = append(subs, sub)
		}
		for _, sub := range subs {
			if !within(sub, item, steps) {
				return false
			}
		}
	}
	return true
}

// refusalsOf takes the innermost reasons out of a validator's error. Of
// alternatives, none is the one that was meant: they are reported as a whole.
func refusalsOf(e *jsonschema.ValidationError, found []Refusal) []Refusal {
	at := e.InstanceLocation
	switch k := e.ErrorKind.(type) {
	case *kind.Schema, *kind.Group, *kind.AllOf, *kind.Reference:
		for _, cause := range e.Causes {
			found = refusalsOf(cause, found)
		}
		return found
	case *kind.AdditionalProperties:
		for _, property := range k.Properties {
			found = append(found, Refusal{Own: slices.Concat(at, []string{property}), Message: "the schema of the chart knows no value of this name"})
		}
		return found
	default:
		return append(found, Refusal{Own: slices.Clone(at), Message: reason(e.ErrorKind)})
	}
}

// reason says what a value breaks. It does not repeat the value, which may be
// a secret.
func reason(e jsonschema.ErrorKind) string {
	const most = 10
	words := func(list []string) string {
		if len(list) > most {
			list = append(slices.Clone(list[:most]), "…")
		}
		return strings.Join(list, ", ")
	}
	switch k := e.(type) {
	case *kind.Type:
		return fmt.Sprintf("the schema of the chart wants %s here, and this is %s", words(k.Want), k.Got)
	case *kind.Required:
		return "the schema of the chart requires " + words(k.Missing) + " here"
	case *kind.DependentRequired:
		return "the schema of the chart requires " + words(k.Missing) + " here, since " + k.Prop + " is set"
	case *kind.Enum:
		var texts []string
		for _, want := range k.Want {
			texts = append(texts, fmt.Sprint(want))
		}
		return "the schema of the chart allows only " + words(texts) + " here"
	case *kind.Const:
		return "the schema of the chart allows only " + fmt.Sprint(k.Want) + " here"
	case *kind.Pattern:
		return "the schema of the chart wants a value that matches " + k.Want + " here"
	case *kind.AnyOf, *kind.OneOf:
		return "this does not have one of the forms that the schema of the chart allows here"
	case *kind.FalseSchema:
		return "the schema of the chart allows no value here"
	}
	if keywords := e.KeywordPath(); len(keywords) > 0 {
		return "this breaks what the schema of the chart demands with " + strings.Join(keywords, ".")
	}
	return "the schema of the chart does not allow this"
}
