// Package expression compiles and runs the conditions that users write in CEL
// (https://cel.dev) over findings, packages, the image and manifests. An
// expression sees copies of plain data: it reads no file, no clock and no
// network, cannot loop without end, and its cost is limited. What a condition
// means for the verdict is package policy's business.
package expression

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/ext"

	"github.com/portcullis-ci/portcullis/internal/recovered"
)

const (
	// maxText bounds an expression in code points, maxDepth its nesting.
	maxText  = 8192
	maxDepth = 64
	// itemCost is what one evaluation may cost and totalCost what all of one
	// expression may, in CEL's units of roughly one simple operation each: a
	// condition on a finding costs tens, one over all findings of a large
	// image some hundred thousand; three millions take most of a second.
	itemCost  = 1_000_000
	totalCost = 3_000_000
	// itemMemory is how many elements the values of one evaluation may have.
	itemMemory = 10_000_000
	// maxValueDepth is how deep values may lie in one another to be measured:
	// more than manifests can, whose depth package manifest bounds.
	maxValueDepth = 400
)

// The variables that make an expression run once for each item.
const (
	EachFinding  = "finding"
	EachPackage  = "pkg"
	EachManifest = "manifest"
)

// Program is a compiled expression.
type Program struct {
	program cel.Program
	// each is the variable of the item, or "" for one evaluation in all.
	each string
	// uses are the variables of the expression, sorted.
	uses []string
}

// Each returns the variable for whose every value the expression runs; empty
// when it runs once.
func (p *Program) Each() string { return p.each }

// Uses reports whether the expression has the variable.
func (p *Program) Uses(variable string) bool { return slices.Contains(p.uses, variable) }

// Error is a fault in an expression's text.
type Error struct {
	// Line and Column are its place in the text, from 1.
	Line, Column int
	Message      string
}

// Error returns the place in the expression and what is wrong there.
func (e *Error) Error() string {
	return fmt.Sprintf("expression, line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// environment declares the variables and their types once.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	view := func(name string) *cel.Type { return cel.ObjectType("expression." + name) }
	manifest := cel.MapType(cel.StringType, cel.DynType)
	return cel.NewEnv(
		ext.NativeTypes(ext.ParseStructTags(true), reflect.TypeFor[Finding](), reflect.TypeFor[Package](),
			reflect.TypeFor[Image](), reflect.TypeFor[Distribution]()),
		cel.OptionalTypes(),
		ext.Strings(ext.StringsVersion(4)),
		cel.ParserExpressionSizeLimit(maxText),
		cel.ParserRecursionLimit(maxDepth),
		cel.Variable(EachFinding, view("Finding")),
		cel.Variable(EachPackage, view("Package")),
		cel.Variable(EachManifest, manifest),
		cel.Variable("findings", cel.ListType(view("Finding"))),
		cel.Variable("packages", cel.ListType(view("Package"))),
		cel.Variable("manifests", cel.ListType(manifest)),
		cel.Variable("image", view("Image")),
		cel.Variable("distribution", view("Distribution")),
		cel.Variable("now", cel.TimestampType),
	)
})

// Compile reads an expression and checks its types. The error is an *Error, or
// several joined.
func Compile(text string) (*Program, error) {
	return compile(environment, []string{EachFinding, EachPackage, EachManifest}, text)
}

// compile checks an expression in an environment, of whose variables each
// names those that make it run once for each item.
func compile(environment func() (*cel.Env, error), each []string, text string) (p *Program, err error) {
	defer recovered.As(&err, "compile the expression")
	if strings.TrimSpace(text) == "" {
		return nil, &Error{Line: 1, Column: 1, Message: "is empty"}
	}
	env, err := environment()
	if err != nil {
		return nil, fmt.Errorf("set up expressions: %w", err)
	}
	checked, issues := env.Compile(text)
	if issues.Err() != nil {
		return nil, placed(issues)
	}
	if !checked.OutputType().IsExactType(cel.BoolType) {
		return nil, &Error{Line: 1, Column: 1, Message: fmt.Sprintf(
			"gives %s, where true or false is needed; compare it with something", checked.OutputType())}
	}
	p = &Program{uses: variables(checked.NativeRep())}
	for _, name := range each {
		if p.Uses(name) && p.each != "" {
			return nil, &Error{Line: 1, Column: 1, Message: fmt.Sprintf("uses %s and %s, but runs for each of one only", p.each, name)}
		}
		if p.Uses(name) {
			p.each = name
		}
	}
	options := []cel.ProgramOption{
		cel.CostLimit(itemCost), cel.MemoryLimit(itemMemory),
		cel.MemoryTracking(types.MemoryTrackerSizeCalculator(
			types.NewSizeCalculator(types.SizeCalculatorMaxDepth(maxValueDepth), types.SizeCalculatorMaxTraversal(itemMemory)))),
	}
	p.program, err = env.Program(checked, options...)
	if err != nil {
		return nil, &Error{Line: 1, Column: 1, Message: err.Error()}
	}
	return p, nil
}

// placed turns the compiler's issues into errors with places.
func placed(issues *cel.Issues) error {
	var errs []error
	for _, e := range issues.Errors() {
		line, column := 1, 1
		if e.Location != nil && e.Location.Line() > 0 {
			line, column = e.Location.Line(), max(e.Location.Column()+1, 1)
		}
		errs = append(errs, &Error{Line: line, Column: column, Message: e.Message})
	}
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

// variables are the declared variables that a checked expression refers to.
func variables(checked *ast.AST) []string {
	var names []string
	for _, ref := range checked.ReferenceMap() {
		if ref.Name != "" && len(ref.OverloadIDs) == 0 {
			names = append(names, ref.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Inputs are the values of the variables, by their names.
type Inputs map[string]any

// budget is what is left of an expression's cost.
type budget uint64

// Run evaluates the expression once. The error says why it has no value.
func (p *Program) Run(inputs Inputs) (bool, error) {
	left := budget(totalCost)
	return p.run(map[string]any(inputs), &left)
}

// RunEach evaluates the expression once for each of n items and returns the
// indexes of those for which it is true.
func (p *Program) RunEach(inputs Inputs, n int, item func(i int) any) ([]int, error) {
	left := budget(totalCost)
	values := make(map[string]any, len(inputs)+1)
	for name, v := range inputs {
		values[name] = v
	}
	var hits []int
	for i := range n {
		values[p.each] = item(i)
		hit, err := p.run(values, &left)
		if err != nil {
			return hits, err
		}
		if hit {
			hits = append(hits, i)
		}
	}
	return hits, nil
}

var errCost = errors.New("costs too much: make it simpler, or split it")

func (p *Program) run(values map[string]any, left *budget) (hit bool, err error) {
	defer recovered.As(&err, "evaluate the expression")
	out, details, err := p.program.Eval(values)
	if err != nil {
		if strings.Contains(err.Error(), "limit exceeded") {
			return false, errCost
		}
		return false, err
	}
	if cost := details.ActualCost(); cost != nil {
		if budget(*cost) > *left {
			return false, errCost
		}
		*left -= budget(*cost)
	}
	hit, ok := out.Value().(bool)
	if !ok {
		return false, fmt.Errorf("gives %s, where true or false is needed", out.Type().TypeName())
	}
	return hit, nil
}
