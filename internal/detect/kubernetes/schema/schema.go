// Package schema knows the fields of the kinds that Kubernetes itself serves:
// their names and types, offline, from a table that is made of the published
// Go types. It tells a misspelt field, which silently disarms every check for
// it, from one that is only absent. It knows neither which fields are required
// nor which values are allowed. Its main type is Type.
package schema

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"

	"github.com/portcullis-ci/portcullis/internal/manifest"
)

//go:embed fields.txt
var table string

// Sort is what a value may be.
type Sort byte

// The sorts, by the letters that the table uses.
const (
	Any         Sort = '*'
	String      Sort = 's'
	Bool        Sort = 'b'
	Int         Sort = 'i'
	Number      Sort = 'n'
	Quantity    Sort = 'q'
	IntOrString Sort = 'x'
	Object      Sort = 'o'
	List        Sort = 'l'
	Map         Sort = 'm'
)

// Type is the type of a value.
type Type struct {
	Sort Sort
	// Elem is the type of the items of a List or of the values of a Map.
	Elem *Type
	// Fields are those of an Object.
	Fields map[string]*Type
}

// types is the parsed table.
type types struct {
	kinds map[string]*Type
	pod   *Type
}

// load parses the table once, when it is first needed: it never changes.
var load = sync.OnceValue(func() types { return parse(table) })

// Lookup returns the type of a kind, or nil when Kubernetes does not serve it.
func Lookup(apiVersion, kind string) *Type { return load().kinds[apiVersion+" "+kind] }

// PodSpec returns the type of a pod's spec.
func PodSpec() *Type { return load().pod }

// parse reads the table. Its lines are `t NUMBER field:type field:type …` for
// types and `k VERSION KIND NUMBER` for kinds.
func parse(text string) types {
	var all []*Type
	result := types{kinds: make(map[string]*Type)}
	get := func(number string) *Type {
		n, err := strconv.Atoi(number)
		if err != nil || n < 0 {
			return &Type{Sort: Any}
		}
		for len(all) <= n {
			all = append(all, &Type{Sort: Object, Fields: make(map[string]*Type)})
		}
		return all[n]
	}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		switch {
		case len(words) >= 2 && words[0] == "t":
			t := get(words[1])
			for _, field := range words[2:] {
				name, code, _ := strings.Cut(field, ":")
				t.Fields[name] = decode(code, get)
			}
		case len(words) == 4 && words[0] == "k":
			result.kinds[words[1]+" "+words[2]] = get(words[3])
		}
	}
	if pod := result.kinds["v1 Pod"]; pod != nil {
		result.pod = pod.Fields["spec"]
	}
	return result
}

// decode reads a type: a letter, `[` or `{` with the type of the elements, or
// the number of an object.
func decode(code string, get func(string) *Type) *Type {
	switch {
	case code == "":
		return &Type{Sort: Any}
	case code[0] == '[':
		return &Type{Sort: List, Elem: decode(code[1:], get)}
	case code[0] == '{':
		return &Type{Sort: Map, Elem: decode(code[1:], get)}
	case code[0] >= '0' && code[0] <= '9':
		return get(code)
	default:
		return &Type{Sort: Sort(code[0])}
	}
}

// Mismatch is a place that is not as the schema wants it.
type Mismatch struct {
	Place *manifest.Place
	// Unknown is true for a field that does not exist; Closest is then the
	// field that was probably meant, or empty.
	Unknown bool
	Closest string
	// Want says in words what the value must be, where it is of a wrong type.
	Want string
}

// Check compares a value with a type and calls report for each mismatch.
func Check(at *manifest.Place, t *Type, report func(Mismatch)) {
	if !at.Exists() || t == nil || t.Sort == Any {
		return
	}
	if want := t.refuses(at.Node.Kind); want != "" {
		report(Mismatch{Place: at, Want: want})
		return
	}
	switch t.Sort {
	case Object:
		for _, f := range at.Fields() {
			field, known := t.Fields[f.Name()]
			if !known {
				report(Mismatch{Place: f, Unknown: true, Closest: closest(f.Name(), t.Fields)})
				continue
			}
			Check(f, field, report)
		}
	case Map:
		for _, f := range at.Fields() {
			Check(f, t.Elem, report)
		}
	case List:
		for _, i := range at.Items() {
			Check(i, t.Elem, report)
		}
	}
}

// refuses returns what a value must be, if it may not be of a kind.
func (t *Type) refuses(kind manifest.Kind) string {
	number := kind == manifest.Int || kind == manifest.Float
	ok, want := true, ""
	switch t.Sort {
	case String:
		ok, want = kind == manifest.String, "a string"
	case Bool:
		ok, want = kind == manifest.Bool, "true or false"
	case Int:
		ok, want = kind == manifest.Int, "an integer"
	case Number:
		ok, want = number, "a number"
	case Quantity:
		ok, want = number || kind == manifest.String, "an amount such as 100m or 1Gi"
	case IntOrString:
		ok, want = kind == manifest.Int || kind == manifest.String, "an integer or a string"
	case Object, Map:
		ok, want = kind == manifest.Map, "a map"
	case List:
		ok, want = kind == manifest.List, "a list"
	}
	if ok {
		return ""
	}
	return want
}

// closest returns the field whose name differs least from a name, if it
// differs little.
func closest(name string, fields map[string]*Type) string {
	best, least := "", max(1, len(name)/4)+1
	for field := range fields {
		if d := distance(strings.ToLower(name), strings.ToLower(field)); d < least || d == least && best != "" && field < best {
			best, least = field, d
		}
	}
	return best
}

// distance is the number of letters to insert, delete or replace (Levenshtein).
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
