package chart

import (
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/manifest"
)

// The expected values are those that the loader and engine of Helm v4.2.3 hand
// to a template of the same chart.
func TestNullInValuesMeansWhatItMeansToHelm(t *testing.T) {
	for _, tt := range []struct {
		name, values, subchart, given, want string
	}{
		{"several documents", "a: 1\nb: {c: 1, d: 1}\n---\n# more\nb: {c: 2}\n--- # and more\ne: 3\n", "", "---\nb: {d: 4}\n---\nf: 5\n", `{"a":1,"b":{"c":2,"d":4},"e":3,"f":5}`},
		{"null in a later document", "a: 1\nb: 1\n---\na: null\n", "", "", `{"b":1}`},
		{"a given null in a later document", "a: 1\nb: 1\n", "", "a: 2\n---\na: null\n", `{"b":1}`},
		{"null in a chart's own values", "a: null\nb: 1\n", "", "", `{"b":1}`},
		{"null deep in them", "a: {b: null, c: 1, d: {e: null}}\n", "", "", `{"a":{"c":1,"d":{}}}`},
		{"null in a list stays", "a: [null, 1, {b: null}]\n", "", "", `{"a":[null,1,{"b":null}]}`},
		{"null takes away a default", "a: 1\nb: {c: 1, d: 2}\n", "", "a: null\nb: {c: null}\n", `{"b":{"d":2}}`},
		{"null of what is not there stays", "b: {c: 1}\n", "", "a: null\nb: {x: null}\n", `{"a":null,"b":{"c":1,"x":null}}`},
		{"null over null", "a: null\nb: {c: null}\n", "", "a: null\nb: {c: null}\n", `{"b":{"c":null}}`},
		{"a value over null", "a: null\nb: {c: null}\n", "", "a: 1\nb: {c: {d: null}}\n", `{"a":1,"b":{"c":{"d":null}}}`},
		{"null takes away a map", "a: {b: {c: 1}}\n", "", "a: {b: null}\n", `{"a":{}}`},
		{"a parent's null for a subchart", "redis: {port: null, host: null}\n", "port: 1\nhost: r\n", "", `{"redis":{"global":{},"host":"r","port":1}}`},
		{"a parent's null for a subchart with given values", "redis: {port: null}\n", "port: 1\nhost: r\n", "redis: {x: 1}\n", `{"redis":{"global":{},"host":"r","x":1}}`},
		{"null for a subchart's own value", "a: 1\n", "port: 1\nhost: r\nm: {a: 1, b: 2}\n", "redis: {port: null, m: {a: null}}\n", `{"a":1,"redis":{"global":{},"host":"r","m":{"b":2}}}`},
		{"null of a subchart itself", "a: 1\n", "port: null\nm: {a: null, b: 2}\n", "", `{"a":1,"redis":{"global":{},"m":{"b":2}}}`},
		{"null among the globals", "global: {zone: null, keep: 1}\n", "global: {zone: eu}\nport: 1\n", "", `{"global":{"keep":1},"redis":{"global":{"keep":1,"zone":"eu"},"port":1}}`},
		{"null for the globals", "global: {zone: eu, keep: 1}\n", "global: {zone: us}\nport: 1\n", "global: {zone: null}\n", `{"global":{"keep":1},"redis":{"global":{"keep":1,"zone":"us"},"port":1}}`},
		{"null for a subchart's globals", "a: 1\n", "global: {zone: us, m: {a: 1}}\nport: 1\n", "redis: {global: {zone: null, m: {a: null}}}\n", `{"a":1,"redis":{"global":{"m":{}},"port":1}}`},
	} {
		for listed, dependencies := range map[string]string{"": "", ", listed as a dependency": "dependencies: [{name: redis, version: 1.0.0}]\n"} {
			if listed != "" && tt.subchart == "" {
				continue
			}
			want := tt.want
			if listed != "" && tt.name == "null for the globals" {
				// With a list, Helm computes globals from the defaults first, so
				// that the parent's zone is left.
				want = `{"global":{"keep":1},"redis":{"global":{"keep":1,"zone":"eu"},"port":1}}`
			}
			t.Run(tt.name+listed, func(t *testing.T) {
				files := []string{"Chart.yaml", description + dependencies, "values.yaml", tt.values, "templates/a.yaml", "{{ toJson .Values }}"}
				if tt.subchart != "" {
					files = append(files, "charts/redis/Chart.yaml", "name: redis\nversion: 1.0.0\n", "charts/redis/values.yaml", tt.subchart)
				}
				var s Settings
				if tt.given != "" {
					s.Values = []manifest.File{{Path: "given.yaml", Content: []byte(tt.given)}}
				}
				got, problems := render(t, s, files...)
				if len(problems) > 0 || got["templates/a.yaml"] != want {
					t.Errorf("%s, want %s; problems %v", got["templates/a.yaml"], want, problems)
				}
			})
		}
	}
}

// The expected values are those that Helm v4.2.3 hands to the templates. The
// chart has its dependency under two names, with values of its own for both.
func TestADependencyUnderTwoNamesHasValuesForEach(t *testing.T) {
	got, problems := render(t, Settings{},
		"Chart.yaml", description+"dependencies: [{name: redis, version: 1.0.0, alias: one}, {name: redis, version: 1.0.0, alias: two}]\n",
		"values.yaml", "one: {port: 1, leaf: {x: one}}\ntwo: {port: 2}\nglobal: {zone: eu}\n",
		"templates/a.yaml", "{{ toJson .Values }} {{ range .Chart.Dependencies }}{{ .Name }} {{ .Enabled }} {{ end }}",
		"charts/redis/Chart.yaml", "name: redis\nversion: 1.0.0\ndependencies: [{name: leaf, version: 1.0.0, import-values: [shared]}]\n", "charts/redis/values.yaml", "port: 0\n",
		"charts/redis/charts/leaf/Chart.yaml", "name: leaf\nversion: 1.0.0\n", "charts/redis/charts/leaf/values.yaml", "x: own\nexports: {shared: {z: 1}}\n")
	const want = `{"global":{"zone":"eu"},` +
		`"one":{"global":{"zone":"eu"},"leaf":{"exports":{"shared":{"z":1}},"global":{"zone":"eu"},"x":"one"},"port":1,"z":1},` +
		`"two":{"global":{"zone":"eu"},"leaf":{"exports":{"shared":{"z":1}},"global":{"zone":"eu"},"x":"own"},"port":2,"z":1}} one true two true `
	if len(problems) > 0 || got["templates/a.yaml"] != want {
		t.Errorf("%s, want %s; problems %v", got["templates/a.yaml"], want, problems)
	}
}

// A chart's own null and that of a values file, as templates see them.
func TestADefaultCoversNull(t *testing.T) {
	got, problems := render(t, Settings{}, "values.yaml", "port: null\nname: web\n",
		"templates/a.yaml", "{{ if hasKey .Values \"port\" }}there{{ else }}gone{{ end }} {{ .Values.port | default 80 }}")
	if len(problems) > 0 || strings.TrimSpace(got["templates/a.yaml"]) != "gone 80" {
		t.Errorf("%v, problems %v", got, problems)
	}
}
