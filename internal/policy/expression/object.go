package expression

import (
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
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

// Shared makes of all objects, as plain data, the value of the variable Objects
// for many evaluations. Its parts remember their size, which is measured
// against the limit of memory: measured anew for each of n objects, it would
// take time that grows with the square of n.
func Shared(objects []map[string]any) any {
	list := make([]ref.Val, len(objects))
	for i, o := range objects {
		list[i] = shared(o)
	}
	return types.NewRefValList(types.DefaultTypeAdapter, list)
}

func shared(value any) ref.Val {
	switch v := value.(type) {
	case map[string]any:
		fields := make(map[ref.Val]ref.Val, len(v))
		for key, field := range v {
			fields[types.String(key)] = shared(field)
		}
		return types.NewRefValMap(types.DefaultTypeAdapter, fields)
	case []any:
		items := make([]ref.Val, len(v))
		for i, item := range v {
			items[i] = shared(item)
		}
		return types.NewRefValList(types.DefaultTypeAdapter, items)
	}
	return types.DefaultTypeAdapter.NativeToValue(value)
}

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
