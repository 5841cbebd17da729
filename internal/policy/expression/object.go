package expression

import (
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/ext"
)

// The variables of a condition on Kubernetes objects. One that speaks of a pod
// or a container is evaluated for each of an object's.
const (
	Object    = "object"
	Objects   = "objects"
	Pod       = "pod"
	Container = "container"
	// Value is what stands at the field that the rule points at.
	Value = "value"
)

// objectEnvironment declares the variables of conditions on objects.
var objectEnvironment = sync.OnceValues(func() (*cel.Env, error) {
	object := cel.MapType(cel.StringType, cel.DynType)
	return cel.NewEnv(
		cel.OptionalTypes(),
		ext.Strings(ext.StringsVersion(4)),
		ext.Sets(),
		ext.Lists(),
		cel.ParserExpressionSizeLimit(maxText),
		cel.ParserRecursionLimit(maxDepth),
		cel.Variable(Object, object),
		cel.Variable(Objects, cel.ListType(object)),
		cel.Variable(Pod, object),
		cel.Variable(Container, object),
		cel.Variable(Value, cel.DynType),
	)
})

// CompileObject reads a condition on a Kubernetes object. The error is an
// *Error, or several joined.
func CompileObject(text string) (*Program, error) {
	return compile(objectEnvironment, nil, text)
}

// Meter bounds what all evaluations of one condition may cost together.
type Meter struct{ left budget }

// NewMeter returns a full meter for a condition that is evaluated for many
// objects: each may cost as much as one evaluation elsewhere, and all together
// ten times what a condition on findings may.
func NewMeter() *Meter { return &Meter{left: 10 * totalCost} }

// RunMetered evaluates the condition once, on the meter's account.
func (p *Program) RunMetered(inputs Inputs, m *Meter) (bool, error) {
	return p.run(inputs, &m.left)
}
