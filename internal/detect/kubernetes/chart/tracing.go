package chart

import (
	"errors"
	"fmt"
	"reflect"
	"text/template"
	"text/template/parse"

	"github.com/portcullis-ci/portcullis/internal/recovered"
)

// maxReading bounds how many bytes of YAML are read again for one chart.
const maxReading = 8 << 20

// tracing is a second rendering of a chart, which finds out which values
// decide what. It begins when somebody asks. What it cannot follow, or comes to
// another text than the template engine, has no values: a wrong line is worse
// than none.
type tracing struct {
	*ledger
	*engine
	units   []unit
	small   map[string]*template.Template
	calls   template.FuncMap
	names   map[string]any
	keys    map[*parse.ListNode][]indentedKey
	reading int
	passed  []argument
	taken   reflect.Value
	// texts are what the templates wrote, and wanted what they should.
	texts  map[int]*written
	wanted map[int][]byte
	// untraced says why templates have none, by their names.
	untraced map[string]error
	traced   bool
}

// newTracing keeps the values as they are before templates change them.
func newTracing(e *engine) *tracing {
	t := &tracing{
		ledger: newLedger(), units: e.units,
		small: make(map[string]*template.Template), keys: make(map[*parse.ListNode][]indentedKey), reading: maxReading,
		texts: make(map[int]*written), untraced: make(map[string]error), wanted: make(map[int][]byte),
	}
	own := &engine{ctx: e.ctx, root: e.root, settings: e.settings, set: e.set, values: make(map[*tree]map[string]any)}
	t.engine = own
	copies := make(map[any]any)
	var keep func(*tree)
	keep = func(c *tree) {
		t.values[c], _ = deepCopy(c.values, copies).(map[string]any)
		for _, sub := range c.subs {
			keep(sub)
		}
	}
	keep(e.root)
	return t
}

// deepCopy copies values. What is reached on two ways is copied once.
func deepCopy(v any, copies map[any]any) any {
	switch v := v.(type) {
	case map[string]any:
		at := reflect.ValueOf(v).UnsafePointer()
		if known, ok := copies[at]; ok {
			return known
		}
		out := make(map[string]any, len(v))
		copies[at] = out
		for key, value := range v {
			out[key] = deepCopy(value, copies)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = deepCopy(v[i], copies)
		}
		return out
	}
	return v
}

// run renders all templates in the order of the first time.
func (t *tracing) run() {
	if t.traced {
		return
	}
	t.traced = true
	functions := t.functions()
	t.names = map[string]any{}
	for name := range functions {
		t.names[name] = true
	}
	for _, name := range []string{"and", "or", "not", "len", "index", "slice", "call", "eq", "ne", "lt", "le", "gt", "ge"} {
		t.names[name] = true
	}
	t.calls = functions
	t.calls[passedIn] = func(i int) reflect.Value { return t.passed[i].Value }
	t.calls[passedOut] = func(v reflect.Value) string {
		t.taken = v
		return ""
	}
	t.scopes = make(map[*tree]map[string]any)
	if !t.begin() {
		return
	}
	for i, u := range t.units {
		text, err := t.unit(u)
		wanted, rendered := t.wanted[i]
		switch {
		case err != nil:
			t.untraced[u.name] = err
		case rendered && text.text() != string(wanted):
			t.untraced[u.name] = fmt.Errorf("%w: %q not %q", errOther, text.text(), wanted)
		case rendered:
			t.texts[i] = text
		}
	}
	// Only the texts are asked from here on.
	t.ledger, t.small, t.calls, t.scopes, t.wanted, t.keys = nil, nil, nil, nil, nil, nil
}

// begin notes all values and makes what the templates see.
func (t *tracing) begin() (ok bool) {
	defer func() { ok = recover() == nil }()
	t.addScope(t.root)
	var walk func(*tree, []string)
	walk = func(c *tree, keys []string) {
		t.noteValues(reflect.ValueOf(t.values[c]), keys)
		for _, sub := range c.subs {
			walk(sub, append(keys[:len(keys):len(keys)], sub.alias))
		}
	}
	walk(t.root, nil)
	return true
}

// errOther says that the second rendering is not what the first was.
var errOther = errors.New("tracing came to another text")

// unit renders one template. What it breaks down on is not traced.
func (t *tracing) unit(u unit) (out *written, err error) {
	defer recovered.As(&err, "trace the values")
	t.budget = &budget{ctx: t.ctx, output: maxOutput, steps: maxSteps, volume: maxVolume}
	tmpl := t.set.Lookup(u.name)
	if tmpl == nil || tmpl.Tree == nil {
		return nil, errors.New("there is no such template")
	}
	dot := value{Value: reflect.ValueOf(t.scope(u))}
	e := &evaluator{tracing: t, out: &written{}, vars: []variable{{name: "$", value: dot}}}
	e.list(dot, tmpl.Root)
	return e.out, nil
}

// step takes a step from the budget, and write bytes.
func (t *tracing) step() { t.write(0) }

func (t *tracing) write(n int) {
	if err := t.budget.spend(n); err != nil {
		panic(err)
	}
}
