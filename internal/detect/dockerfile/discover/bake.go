package discover

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/portcullis-ci/portcullis/internal/detect/dockerfile"
)

// bakeSchema is what matters of a bake file.
// https://docs.docker.com/build/bake/reference/
var bakeSchema = &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
	{Type: "variable", LabelNames: []string{"name"}},
	{Type: "target", LabelNames: []string{"name"}},
}}

// bakeTarget is a target block. Values that depend on the environment, on
// functions or on a matrix are not known and left out.
type bakeTarget struct {
	spec
	inline   string
	line     int
	inherits []string
}

// readBake reads the targets of a bake file in HCL or JSON.
func readBake(name string, content []byte) ([]build, error) {
	file, diags := parseBake(name, content)
	if diags.HasErrors() {
		return nil, fmt.Errorf("read the bake file: %w", errors.New(diags.Error()))
	}
	body, _, diags := file.Body.PartialContent(bakeSchema)
	if diags.HasErrors() {
		return nil, fmt.Errorf("read the bake file: %w", errors.New(diags.Error()))
	}
	ctx := &hcl.EvalContext{Variables: make(map[string]cty.Value)}
	targets := make(map[string]bakeTarget)
	for _, b := range body.Blocks {
		if b.Type == "variable" {
			attrs, _ := b.Body.JustAttributes()
			if a, ok := attrs["default"]; ok {
				if v, diags := a.Expr.Value(ctx); !diags.HasErrors() {
					ctx.Variables[b.Labels[0]] = v
				}
			}
		}
	}
	for _, b := range body.Blocks {
		if b.Type == "target" {
			targets[b.Labels[0]] = readTarget(b, ctx)
		}
	}
	return bakeBuilds(name, targets), nil
}

func parseBake(name string, content []byte) (*hcl.File, hcl.Diagnostics) {
	if strings.HasSuffix(name, ".json") {
		return hcljson.Parse(content, name)
	}
	return hclsyntax.ParseConfig(content, name, hcl.InitialPos)
}

func readTarget(b *hcl.Block, ctx *hcl.EvalContext) bakeTarget {
	attrs, _ := b.Body.JustAttributes()
	t := bakeTarget{}
	t.args = make(map[string]string)
	for name, a := range attrs {
		v, diags := a.Expr.Value(ctx)
		switch {
		case diags.HasErrors() || !v.IsWhollyKnown():
			t.unresolved(name)
			continue
		case v.IsNull():
			continue
		}
		switch name {
		case "context":
			t.context = text(v)
		case "dockerfile":
			t.dockerfile = text(v)
		case "target":
			t.target = text(v)
		case "dockerfile-inline":
			t.inline, t.line = text(v), a.Expr.Range().Start.Line
		case "inherits":
			each(v, func(_, item cty.Value) { t.inherits = append(t.inherits, text(item)) })
		case "args":
			each(v, func(key, item cty.Value) {
				if !item.IsNull() {
					t.args[text(key)] = text(item)
				}
			})
		case "contexts":
			each(v, func(key, _ cty.Value) { t.contexts = append(t.contexts, text(key)) })
		}
	}
	return t
}

// unresolved marks a path that is not known, as Compose's own `${VAR}` is: the
// default in its place would name another Dockerfile than the one that is built.
func (t *bakeTarget) unresolved(attribute string) {
	switch attribute {
	case "context":
		t.context = "$"
	case "dockerfile":
		t.dockerfile = "$"
	}
}

func each(v cty.Value, f func(key, item cty.Value)) {
	if v.CanIterateElements() {
		for it := v.ElementIterator(); it.Next(); {
			f(it.Element())
		}
	}
}

func text(v cty.Value) string {
	s, err := convert.Convert(v, cty.String)
	if err != nil || s.IsNull() {
		return ""
	}
	return s.AsString()
}

// bakeBuilds resolves inheritance and makes builds of the targets. A target
// that others inherit from is a template unless it says something of its own.
func bakeBuilds(name string, targets map[string]bakeTarget) []build {
	var names []string
	for n := range targets {
		names = append(names, n)
	}
	slices.Sort(names)
	var out []build
	for _, n := range names {
		t := inherit(targets, n, 0)
		if t.inline != "" {
			out = append(out, build{source: name, inline: true, file: dockerfile.File{
				Path: name, Content: []byte(strings.Repeat("\n", t.line) + t.inline), BuildArgs: t.args, Target: t.target,
			}})
			continue
		}
		if strings.HasPrefix(n, "_") || t.dockerfile == "" && t.context == "" && len(t.args) == 0 && t.target == "" {
			continue
		}
		if b, ok := t.build(name); ok {
			out = append(out, b)
		}
	}
	return out
}

// inherit lays a target over those it inherits from, the last one outermost.
func inherit(targets map[string]bakeTarget, name string, depth int) bakeTarget {
	own := targets[name]
	if depth > 20 {
		return own // a loop, which bake itself refuses
	}
	out := bakeTarget{}
	out.args = make(map[string]string)
	for _, parent := range own.inherits {
		out.over(inherit(targets, parent, depth+1))
	}
	out.over(own)
	return out
}

func (t *bakeTarget) over(top bakeTarget) {
	for _, s := range []struct{ to, from *string }{
		{&t.context, &top.context}, {&t.dockerfile, &top.dockerfile}, {&t.target, &top.target}, {&t.inline, &top.inline},
	} {
		if *s.from != "" {
			*s.to = *s.from
		}
	}
	if top.line != 0 {
		t.line = top.line
	}
	for k, v := range top.args {
		t.args[k] = v
	}
	t.contexts = append(t.contexts, top.contexts...)
}
