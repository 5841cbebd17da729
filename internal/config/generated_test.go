package config

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write generated files anew")

const (
	beginKeys = "<!-- keys: made from the table in internal/config; go test ./internal/config -update -->\n"
	endKeys   = "<!-- keys end -->\n"
)

func TestTheSchemaInDocsIsFresh(t *testing.T) {
	fresh(t, filepath.Join("..", "..", "docs", "schema", "portcullis.schema.json"), func([]byte) []byte { return Schema() })
}

func TestTheReferenceInDocsIsFresh(t *testing.T) {
	fresh(t, filepath.Join("..", "..", "docs", "configuration.md"), func(page []byte) []byte {
		head, rest, ok := bytes.Cut(page, []byte(beginKeys))
		_, tail, okEnd := bytes.Cut(rest, []byte(endKeys))
		if !ok || !okEnd {
			t.Fatal("the marks of the generated part are missing")
		}
		return []byte(string(head) + beginKeys + "\n" + Reference() + endKeys + string(tail))
	})
}

func fresh(t *testing.T, path string, made func([]byte) []byte) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil && !*update {
		t.Fatal(err)
	}
	want := made(got)
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is not what the table says; run go test ./internal/config -update (-table +file):\n%s", path, diff)
	}
}

// compiled is the schema, compiled once.
var compiled = sync.OnceValues(func() (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("schema.json", doc); err != nil {
		return nil, err
	}
	return compiler.Compile("schema.json")
})

// validate holds a file against the schema.
func validate(t *testing.T, content []byte) error {
	t.Helper()
	schema, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	var file any
	if err := yaml.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(instance)
}

func TestTheStarterDecodesToTheDefaults(t *testing.T) {
	got, err := Decode("f", Starter())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Default(), got, cmpopts.IgnoreFields(Config{}, "Sources")); diff != "" {
		t.Errorf("(-default +starter):\n%s", diff)
	}
	if err := validate(t, Starter()); err != nil {
		t.Errorf("the schema refuses it: %v", err)
	}
	for line := range strings.Lines(string(Starter())) {
		if len(line) > 130 && !strings.Contains(line, SchemaID) {
			t.Errorf("a line of %d bytes: %s", len(line), line)
		}
	}
}

// everyExample is a file with the example of every key.
func everyExample(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, f := range keys() {
		if f.fields == nil {
			b.WriteString(f.name + ": " + f.example + "\n")
			continue
		}
		b.WriteString(f.name + ":\n")
		for _, sub := range f.fields {
			b.WriteString("  " + sub.name + ": " + sub.example + "\n")
		}
	}
	return b.String()
}

func TestEveryExampleIsReadAndShownAsItIs(t *testing.T) {
	first, err := Decode("f", []byte(everyExample(t)))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range Settings(first) {
		if s.Value == "" || s.Source.Kind != FromFile {
			t.Errorf("%s is %q from %s", s.Key, s.Value, s.Source)
		}
	}
	if err := validate(t, []byte(everyExample(t))); err != nil {
		t.Errorf("the schema refuses the examples: %v", err)
	}
	shown := Show(first)
	second, err := Decode("f", []byte(shown))
	if err != nil {
		t.Fatalf("%v\n%s", err, shown)
	}
	ignore := cmp.Options{cmpopts.IgnoreFields(Config{}, "Sources"), cmpopts.IgnoreFields(RuleSetting{}, "Source"), cmpopts.SortSlices(func(a, b RuleSetting) bool { return a.Name < b.Name })}
	if diff := cmp.Diff(first, second, ignore); diff != "" {
		t.Errorf("shown and read again (-first +second):\n%s", diff)
	}
}

func TestEveryKeyIsDescribed(t *testing.T) {
	var check func(prefix string, fields []field[Config])
	check = func(prefix string, fields []field[Config]) {
		for _, f := range fields {
			if f.doc == "" || f.fields == nil && (f.example == "" || f.schema == nil) {
				t.Errorf("%s%s lacks its text, example or schema", prefix, f.name)
			}
			check(prefix+f.name+".", f.fields)
		}
	}
	check("", topKeys())
}

func TestTheSchemaRefusesWhatDecodingRefuses(t *testing.T) {
	for _, content := range []string{
		"fail_on: high\n", "fail-on: severe\n", "only-fixed: 3\n", "coverage: {minimum: 101}\n", "coverage: {allow: [no-database]}\n",
		"db: {max-age: 7}\n", "counts: {grave: 1}\n", "counts: {high: -1}\n", "kinds: {secrets: {}}\n", "rules: {PC-DF001: loud}\n",
		"lint: {kubernetes-version: v1}\n", "exempt: [{packages: [a]}]\n", "profiles: {pr: {include: x}}\n", "epss: 2\n", "deny: [{name: a}]\n",
	} {
		if _, err := Decode("f", []byte(content)); err == nil {
			t.Errorf("decoding accepts %q", content)
		}
		if err := validate(t, []byte(content)); err == nil {
			t.Errorf("the schema accepts %q", content)
		}
	}
}

func TestEveryKeyRefusesWhatItCannotBe(t *testing.T) {
	refuse := func(path, content string) {
		t.Helper()
		_, err := Decode("f", []byte(content))
		if err == nil || !strings.HasPrefix(err.Error(), "f:") {
			t.Errorf("%s: %q gives %v", path, content, err)
		}
		if err := validate(t, []byte(content)); err == nil {
			t.Errorf("%s: the schema accepts %q", path, content)
		}
	}
	for _, f := range topKeys() {
		refuse(f.name, f.name+": [[1]]\n")
		for _, sub := range f.fields {
			refuse(f.name+"."+sub.name, f.name+":\n  "+sub.name+": [[1]]\n")
		}
	}
}
