package chart

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/manifest"
)

// files makes the files of a chart out of path, content pairs.
func files(pairs ...string) []manifest.File {
	var out []manifest.File
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, manifest.File{Path: "charts/web/" + pairs[i], Content: []byte(pairs[i+1])})
	}
	return out
}

const description = "apiVersion: v2\nname: web\nversion: 1.2.3\nappVersion: \"4.5\"\n"

func render(t *testing.T, s Settings, pairs ...string) (map[string]string, []Problem) {
	t.Helper()
	if !strings.HasPrefix(pairs[0], "Chart.yaml") {
		pairs = append([]string{"Chart.yaml", description}, pairs...)
	}
	rendered, problems := Render(context.Background(), "charts/web", files(pairs...), s)
	out := make(map[string]string)
	for _, r := range rendered {
		out[strings.TrimPrefix(r.Path, "charts/web/")] = string(r.Content)
	}
	return out, problems
}

// checkTraced checks that the second rendering comes to the text of the first.
func checkTraced(t *testing.T, pairs ...string) {
	t.Helper()
	rendered, _ := Render(context.Background(), "charts/web", files(append([]string{"Chart.yaml", description}, pairs...)...), Settings{})
	rendered[0].trace.run()
	for name, err := range rendered[0].trace.untraced {
		t.Errorf("the values of %s are not traced: %v", name, err)
	}
}

// The expected texts are what `helm template` of Helm 3 prints for the same
// templates.
func TestTemplatesRenderAsInHelm(t *testing.T) {
	tests := []struct{ name, template, values, want string }{
		{"a value", "a: {{ .Values.a }}", "a: 1", "a: 1"},
		{"a missing value is nothing", "a: {{ .Values.b }}", "a: 1", "a: "},
		{"a default", "a: {{ .Values.b | default \"x\" | quote }}", "", "a: \"x\""},
		{"YAML of a map, sorted and indented", "m:\n  {{- toYaml .Values.m | nindent 2 }}", "m: {b: 1, a: [x, z]}", "m:\n  a:\n  - x\n  - z\n  b: 1"},
		{"release and chart", "{{ .Release.Name }}-{{ .Chart.Name }}-{{ .Chart.Version }}-{{ .Chart.AppVersion }}", "", "release-name-web-1.2.3-4.5"},
		{"a definition", "{{ define \"x\" }}<{{ . }}>{{ end }}{{ include \"x\" .Values.a | upper }}", "a: b", "<B>"},
		{"a text from the values as a template", "{{ tpl .Values.t . }}", "t: \"{{ .Values.a }}!\"\na: b", "b!"},
		{"a loop", "{{ range $i, $e := .Values.l }}{{ $i }}{{ $e }}{{ end }}", "l: [a, b]", "0a1b"},
		{"a condition", "{{ if and .Values.use (not .Values.skip) }}yes{{ else }}no{{ end }}", "use: true", "yes"},
		{"capabilities", "{{ .Capabilities.APIVersions.Has \"apps/v1/Deployment\" }} {{ .Capabilities.KubeVersion.Minor }}", "", "true 37"},
		{"no cluster to look into", "{{ if lookup \"v1\" \"Secret\" \"a\" \"b\" }}there{{ else }}none{{ end }}", "", "none"},
		{"a large number stays one", "{{ .Values.big | int }} {{ .Values.big | int64 }}", "big: 1000000", "1000000 1000000"},
		{"the template's own name", "{{ .Template.Name }} {{ .Template.BasePath }}", "", "web/templates/a.yaml web/templates"},
		{"values as a plain map", "{{ dig \"a\" \"b\" \"none\" .Values.AsMap }}", "a: {b: x}", "x"},
		{"a table of the values", "{{ (.Values.Table \"a.b\").c }}", "a: {b: {c: x}}", "x"},
		{"values as text", "{{ .Values.YAML }}", "a: {b: x}", "a:\n  b: x\n"},
		{"TOML", "{{ toToml .Values }}{{ (fromToml \"a = 2\").a }}", "a: {b: x}", "[a]\n  b = \"x\"\n2"},
		{"YAML with indented lists", "{{ toYamlPretty .Values }}", "a: [x]", "a:\n  - x"},
		{"no network to look into", "{{ getHostByName \"localhost\" }}.", "", "."},
		{"the environment is out of reach", "{{ .Values.a }}", "a: x", "x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, problems := render(t, Settings{}, "values.yaml", tt.values, "templates/a.yaml", tt.template)
			if len(problems) > 0 {
				t.Fatalf("problems: %v", problems)
			}
			checkTraced(t, "values.yaml", tt.values, "templates/a.yaml", tt.template)
			if diff := cmp.Diff(tt.want, got["templates/a.yaml"]); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestValuesAreLaidOverEachOther(t *testing.T) {
	settings := Settings{
		Values: []manifest.File{{Path: "prod.yaml", Content: []byte("image: {tag: prod}\nredis: {port: 2}\ngone: null\n")}},
		Set:    []string{"image.pull=Always", "replicas=3", "use=true"},
	}
	got, problems := render(t, settings,
		"Chart.yaml", description+"dependencies:\n  - {name: redis, condition: redis.enabled}\n  - {name: mail, condition: mail.enabled}\n  - {name: log, tags: [extra]}\n",
		"values.yaml", "image: {name: web, tag: dev}\ngone: here\nglobal: {zone: eu}\nredis: {enabled: true}\nmail: {enabled: false}\ntags: {extra: false}\n",
		"templates/a.yaml", "{{ .Values.image.name }} {{ .Values.image.tag }} {{ .Values.image.pull }} {{ .Values.replicas }} {{ .Values.use }} {{ .Values.gone }} {{ .Values.redis.port }}",
		"charts/redis/Chart.yaml", "name: redis\nversion: 1\n", "charts/redis/values.yaml", "port: 1\nhost: r\n",
		"charts/redis/templates/r.yaml", "{{ .Values.port }} {{ .Values.host }} {{ .Values.global.zone }} {{ .Chart.Name }}",
		"charts/mail/Chart.yaml", "name: mail\nversion: 1\n", "charts/mail/templates/m.yaml", "mail",
		"charts/log/Chart.yaml", "name: log\nversion: 1\n", "charts/log/templates/l.yaml", "log",
	)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	want := map[string]string{"templates/a.yaml": "web prod Always 3 true  2", "charts/redis/templates/r.yaml": "2 r eu redis"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A template may change the values for those that come after it: Helm renders
// the deepest first, and names from the end of the alphabet.
func TestTemplatesAreRenderedInTheOrderOfHelm(t *testing.T) {
	got, problems := render(t, Settings{}, "values.yaml", "a: own\nlist: []\n",
		"templates/a.yaml", "{{ .Values.a }} {{ .Values.sub.a }}",
		"templates/deep/b.yaml", "{{ .Values.a }}",
		"templates/zzz_first.yaml", "{{ $_ := set $ \"Values\" (mergeOverwrite $.Values (dict \"a\" \"changed\")) }}",
		"charts/sub/Chart.yaml", "name: sub\nversion: 1\n", "charts/sub/values.yaml", "a: below\n",
		"charts/sub/templates/a.yaml", "{{ .Values.a }}{{ $_ := set .Values \"a\" \"seen above\" }}", "charts/sub/templates/0.yaml", "{{ .Values.a }}",
	)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	want := map[string]string{
		"templates/a.yaml": "changed seen above", "templates/deep/b.yaml": "own", "templates/zzz_first.yaml": "",
		"charts/sub/templates/a.yaml": "below", "charts/sub/templates/0.yaml": "seen above",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEveryPlaceIsTracedBack(t *testing.T) {
	template := "kind: Pod\nmetadata:\n  name: {{ .Values.name }}\nspec:\n{{- if .Values.use }}\n  {{- include \"web.sc\" . | nindent 2 }}\n{{- end }}\n{{- range .Values.list }}\n  - privileged: true # {{ . }}\n{{- end }}\n{{ template \"web.tail\" . }}\n"
	rendered, problems := Render(context.Background(), "charts/web", files("Chart.yaml", description, "values.yaml", "name: é\nuse: true\nlist: [a, b]\n",
		"templates/pod.yaml", template, "templates/_helpers.tpl", "{{ define \"web.sc\" }}hostPID: true{{ end }}\n{{ define \"web.tail\" }}tail: here{{ end }}"), Settings{})
	if len(problems) > 0 || len(rendered) != 1 {
		t.Fatalf("%v %v", rendered, problems)
	}
	text := string(rendered[0].Content)
	for _, tt := range []struct {
		text  string
		path  string
		place string
	}{
		{"kind: Pod", "templates/pod.yaml", "1:1-10"},
		{"name: é", "templates/pod.yaml", "3:3-9"},
		{"é", "templates/pod.yaml", "3:9-27"},
		{"hostPID: true", "templates/pod.yaml", "6:3-40"},
		{"privileged: true # b", "templates/pod.yaml", "9:5-24"},
		{"tail: here", "templates/_helpers.tpl", "2:24-34"},
	} {
		offset := strings.Index(text, tt.text)
		if offset < 0 {
			t.Fatalf("%q is not in the output:\n%s", tt.text, text)
		}
		start := strings.LastIndex(text[:offset], "\n") + 1
		column := len([]rune(text[start:offset])) + 1
		span := manifest.Span{Line: strings.Count(text[:offset], "\n") + 1, Column: column, EndColumn: column + len([]rune(tt.text))}
		source, ok := rendered[0].Locate(span)
		place := fmt.Sprintf("%d:%d-%d", source.Span.Line, source.Span.Column, source.Span.EndColumn)
		if !ok || source.Path != "charts/web/"+tt.path || place != tt.place {
			t.Errorf("%q comes from %s %s, want %s %s", tt.text, source.Path, place, tt.path, tt.place)
		}
	}
}

func TestWhatDoesNotRenderIsAProblemAtItsLine(t *testing.T) {
	tests := []struct{ name, template, message string }{
		{"a required value", "a: 1\nb: {{ required \"the name is needed\" .Values.name }}", "the name is needed"},
		{"a failure on purpose", "a: 1\n{{ fail \"not like this\" }}", "not like this"},
		{"a syntax error", "a: 1\n{{ if }}", "missing value for if"},
		{"an unknown function", "a: 1\n{{ env \"HOME\" }}", "function \"env\" not defined"},
		{"a template that is not there", "a: 1\n{{ include \"nothing\" . }}", "nothing"},
		{"a map that holds itself", "a: 1\n{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ toJson $d }}", "more than a chart may"},
		{"a map that holds itself, printed", "a: 1\n{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ printf \"%v\" $d }}", "more than a chart may"},
		{"a map that holds itself, written out", "a: 1\n{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ $d }}", "more than a chart may"},
		{"a list that repeats itself, written out", "a: 1\n{{ $d := list 1 }}{{ range until 40 }}{{ $d = list $d $d }}{{ end }}{{ $d }}", "more than a chart may"},
		{"a list that repeats itself, written out by a text", "a: 1\n{{ $d := list 1 }}{{ range until 40 }}{{ $d = list $d $d }}{{ end }}{{ tpl \"{{ . }}\" $d }}", "more than a chart may"},
		{"a list that repeats itself, sorted", "a: 1\n{{ $d := list 1 }}{{ range until 40 }}{{ $d = list $d $d }}{{ end }}{{ sortAlpha $d }}", "more than a chart may"},
		{"a map that repeats itself", "a: 1\n{{ $d := dict }}{{ range until 40 }}{{ $d = dict \"a\" $d \"b\" $d }}{{ end }}{{ toYaml $d }}", "more than a chart may"},
		{"a loop without end", "a: 1\n{{ range until 300000000 }}{{ end }}", "more than a chart may"},
		{"a loop over a number", "a: 1\n{{ range 300000000 }}{{ end }}", "more than a chart may"},
		{"loops inside of loops in a text", "a: 1\n{{ tpl \"{{ range until 1000000 }}{{ range until 1000000 }}{{ end }}{{ end }}\" . }}", "more than a chart may"},
		{"a text that doubles", "a: 1\n{{ $s := \"xxxxxxxx\" }}{{ range until 60 }}{{ $s = printf \"%s%s\" $s $s }}{{ end }}", "more than a chart may"},
		{"a list that doubles", "a: 1\n{{ $s := list 1 2 3 }}{{ range until 60 }}{{ $s = concat $s $s }}{{ end }}", "more than a chart may"},
		{"a long text", "a: 1\n{{ repeat 2000000000 \"x\" }}", "more than a chart may"},
		{"an inclusion of itself", "a: 1\n{{ define \"x\" }}{{ include \"x\" . }}{{ end }}{{ include \"x\" . }}", "includes itself without end"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, problems := render(t, Settings{}, "templates/bad.yaml", tt.template, "templates/good.yaml", "fine: true")
			if len(problems) != 1 || !strings.Contains(problems[0].Message, tt.message) || problems[0].Path != "charts/web/templates/bad.yaml" || problems[0].Line != 2 {
				t.Errorf("problems: %+v, want line 2 and %q", problems, tt.message)
			}
			if got["templates/good.yaml"] != "fine: true" {
				t.Error("the good template was lost")
			}
		})
	}
}

func TestMissingDependenciesAreReported(t *testing.T) {
	for name, tt := range map[string]struct {
		files []string
		want  []string
	}{
		"one with everything": {
			[]string{"Chart.yaml", description + "dependencies:\n  - name: redis\n    version: 1.x\n    repository: https://charts.example\n"},
			[]string{"charts/web/Chart.yaml:6: the chart web depends on redis 1.x from https://charts.example, which is not in charts/web/charts, so what it brings was not examined; run `helm dependency build charts/web` before the check"},
		},
		"the one of two that is not there": {
			[]string{
				"Chart.yaml", description + "dependencies:\n- name: redis\n- name: mail\n  condition: mail.enabled\n- name: log\n", "values.yaml", "mail: {enabled: false}",
				"charts/redis/Chart.yaml", "name: redis\nversion: 1\n",
			},
			[]string{"charts/web/Chart.yaml:9: the chart web depends on log, which is not in charts/web/charts, so what it brings was not examined; run `helm dependency build charts/web` before the check"},
		},
		"that of a subchart": {
			[]string{"Chart.yaml", description, "charts/redis/Chart.yaml", "name: redis\nversion: 1\ndependencies: [{name: common, version: 2.0.0}]\n"},
			[]string{"charts/web/charts/redis/Chart.yaml:3: the chart redis depends on common 2.0.0, which is not in charts/web/charts/redis/charts, so what it brings was not examined; run `helm dependency build charts/web/charts/redis` before the check"},
		},
		"in the list of a first version": {
			[]string{"Chart.yaml", description, "requirements.yaml", "dependencies:\n- name: redis\n"},
			[]string{"charts/web/requirements.yaml:2: the chart web depends on redis, which is not in charts/web/charts, so what it brings was not examined; run `helm dependency build charts/web` before the check"},
		},
		"under a second name": {
			[]string{"Chart.yaml", description + "dependencies:\n- {name: redis, alias: a}\n- {name: redis, alias: b}\n", "values.yaml", "a: {x: 1}"},
			[]string{
				"charts/web/Chart.yaml:6: the chart web depends on redis, which is not in charts/web/charts, so what it brings was not examined; run `helm dependency build charts/web` before the check",
				"charts/web/Chart.yaml:7: the chart web depends on redis, which is not in charts/web/charts, so what it brings was not examined; run `helm dependency build charts/web` before the check",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := render(t, Settings{}, append(tt.files, "templates/a.yaml", "a: 1")...)
			var got []string
			for _, p := range problems {
				got = append(got, fmt.Sprintf("%s:%d: %s", p.Path, p.Line, p.Message))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Helm renders whatever lies in templates/, and applies what comes of it.
func TestTemplatesAreRenderedWhateverTheirNamesEndIn(t *testing.T) {
	got, problems := render(t, Settings{},
		"templates/a.yaml", "a", "templates/b.yaml.gotmpl", "b: {{ .Release.Name }}", "templates/c", "c", "templates/deep/d.txt", "d",
		"templates/NOTES.txt", "{{ fail \"not for the cluster\" }}", "templates/deep/NOTES.txt", "n", "templates/deep/MORE-NOTES.txt", "n",
		"templates/_helpers.tpl", "h", "templates/_part.yaml", "p", "templates/.hidden", "h", "other/e.yaml", "e",
		"charts/lib/Chart.yaml", "name: lib\nversion: 1\ntype: library\n", "charts/lib/templates/f.conf", "f",
		"charts/sub/Chart.yaml", "name: sub\nversion: 1\n", "charts/sub/templates/g.sh", "g", "charts/sub/templates/NOTES.txt", "n")
	want := map[string]string{"templates/a.yaml": "a", "templates/b.yaml.gotmpl": "b: release-name", "templates/c": "c", "templates/deep/d.txt": "d", "charts/sub/templates/g.sh": "g"}
	if diff := cmp.Diff(want, got); diff != "" || len(problems) > 0 {
		t.Errorf("%v (-want +got):\n%s", problems, diff)
	}
}

// packed makes a packed chart out of name, content pairs.
func packed(t testing.TB, pairs ...string) string {
	t.Helper()
	archive := tarOf(t, pairs...)
	return gzipped(t, archive)
}

// gzipped packs what a chart is made of.
func gzipped(t testing.TB, content []byte) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// tarOf makes the archive of name, content pairs.
func tarOf(t testing.TB, pairs ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := 0; i < len(pairs); i += 2 {
		header := &tar.Header{Name: pairs[i], Size: int64(len(pairs[i+1])), Mode: 0o644, Typeflag: tar.TypeReg}
		if err := w.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(pairs[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// sparseTar is an archive of a few bytes whose one file, kept in the form that GNU
// tar has for holes (https://www.gnu.org/software/tar/manual/html_node/PAX-1.html),
// has 1 TB of them.
func sparseTar() []byte {
	record := func(name, value string) string { return fmt.Sprintf("%d %s=%s\n", len(name)+len(value)+5, name, value) }
	records := record("GNU.sparse.major", "1") + record("GNU.sparse.minor", "0") + record("GNU.sparse.name", "chart/x") + record("GNU.sparse.realsize", "1099511627776")
	member := func(name string, kind byte, size int, content string) []byte {
		block := make([]byte, 1024)
		copy(block, name)
		copy(block[100:], fmt.Sprintf("0000644\x000000000\x000000000\x00%011o\x0000000000000\x00        %c", size, kind))
		copy(block[257:], "ustar\x0000")
		sum := 0
		for _, b := range block[:512] {
			sum += int(b)
		}
		copy(block[148:], fmt.Sprintf("%06o\x00 ", sum))
		copy(block[512:], content)
		return block
	}
	return slices.Concat(member("pax", 'x', len(records), records), member("chart/GNUSparseFile.0/x", '0', 512, "0\n"), make([]byte, 1024))
}

func TestPackedSubchartsAreRendered(t *testing.T) {
	archive := packed(t, "redis/Chart.yaml", "name: redis\nversion: 1\n", "redis/values.yaml", "port: 1\n", "redis/templates/a.yaml", "port: {{ .Values.port }}", "../../escape.yaml", "x")
	got, problems := render(t, Settings{}, "values.yaml", "redis: {port: 2}", "charts/redis-1.tgz", archive)
	if diff := cmp.Diff(map[string]string{"charts/redis-1.tgz/templates/a.yaml": "port: 2"}, got); diff != "" || len(problems) > 0 {
		t.Errorf("problems %v (-want +got):\n%s", problems, diff)
	}
	for name, bad := range map[string]string{
		"what is no archive": "text", "an archive that is cut off": archive[:len(archive)/2],
		"an archive that is too large": packed(t, "a/b", strings.Repeat("x", maxUnpacked+1)),
		// Its first file ends where the limit is, as if nothing followed.
		"an archive that goes on behind the limit": packed(t, "a/b", strings.Repeat("x", maxUnpacked-512), "a/c", "x"),
		"an archive of holes":                      gzipped(t, sparseTar()),
	} {
		if _, problems := render(t, Settings{}, "values.yaml", "a: 1", "charts/bad.tgz", bad); len(problems) == 0 || !strings.Contains(problems[0].Message, "packed chart cannot be read") {
			t.Errorf("%s: problems %v", name, problems)
		}
	}
}

// What stays is what Helm loads from the same directory.
func TestWhatAChartIgnoresIsNotRendered(t *testing.T) {
	for name, tt := range map[string]struct {
		ignore string
		want   string
		broken bool
	}{
		"nothing":                  {"", "templates/a.yaml templates/old/b.yaml", false},
		"a comment and a blank":    {"# templates/a.yaml\n\n", "templates/a.yaml templates/old/b.yaml", false},
		"a path":                   {"templates/a.yaml\n", "templates/old/b.yaml", false},
		"a path from the top":      {"/templates/a.yaml\n", "templates/old/b.yaml", false},
		"a name anywhere":          {"b.yaml\n", "templates/a.yaml", false},
		"a pattern":                {"a*\n", "templates/old/b.yaml", false},
		"a directory":              {"old/\n", "templates/a.yaml", false},
		"a file is no directory":   {"a.yaml/\n", "templates/a.yaml templates/old/b.yaml", false},
		"a byte order mark":        {"\ufefftemplates/a.yaml\r\n", "templates/old/b.yaml", false},
		"two stars are no pattern": {"**/a.yaml\n", "templates/a.yaml templates/old/b.yaml", true},
	} {
		t.Run(name, func(t *testing.T) {
			got, problems := render(t, Settings{}, "templates/a.yaml", "a", "templates/old/b.yaml", "b", "templates/.hidden.yaml", "c", ".helmignore", tt.ignore)
			if (len(problems) == 1) != tt.broken {
				t.Errorf("problems: %v", problems)
			}
			if names := strings.Join(sortedKeys(got), " "); names != tt.want {
				t.Errorf("rendered %q, want %q", names, tt.want)
			}
		})
	}
	_, problems := render(t, Settings{}, "templates/a.yaml", "{{ .Files.Get \"secret.txt\" | required \"ignored\" }}", "secret.txt", "x", ".helmignore", "*.txt\n")
	if len(problems) != 1 || !strings.Contains(problems[0].Message, "ignored") {
		t.Errorf("an ignored file can be read: %v", problems)
	}
}

func TestSetValuesAreReadAsHelmDoes(t *testing.T) {
	for set, want := range map[string]string{
		"a=1":                 "a: 1",
		"a=1,b=x":             "a: 1\nb: x",
		"a.b.c=true":          "a:\n  b:\n    c: true",
		"a={x,y}":             "a:\n- x\n- \"y\"",
		"a[0].b=1,a[1].b=2":   "a:\n- b: 1\n- b: 2",
		`a=one\,two`:          "a: one,two",
		`a."b"=1`:             "a:\n  '\"b\"': 1",
		`l.example\.com/x=on`: "l:\n  example.com/x: \"on\"",
		"a=null":              "a: null",
		"a=0123":              "a: \"0123\"",
		"a=":                  "a: \"\"",
	} {
		got, problems := render(t, Settings{Set: []string{set}}, "templates/a.yaml", "{{ toYaml .Values }}")
		if len(problems) > 0 || got["templates/a.yaml"] != want {
			t.Errorf("%s: %q, want %q, %v", set, got["templates/a.yaml"], want, problems)
		}
	}
	for _, set := range []string{"a", "=1", "a[99999999999]=1", "a[-1]=x"} {
		if _, problems := render(t, Settings{Set: []string{set}}, "templates/a.yaml", ""); len(problems) != 1 {
			t.Errorf("%s: problems %v, want one", set, problems)
		}
	}
	// What is set may be a password.
	for _, set := range []string{"a=q7wZr2Lk9x,foo", "q7wZr2Lk9x", "a[-1]=q7wZr2Lk9x", "a=1,q7wZr2Lk9x"} {
		_, problems := render(t, Settings{Set: []string{set}}, "templates/a.yaml", "")
		if len(problems) != 1 || strings.Contains(fmt.Sprint(problems), "q7wZr2Lk9x") {
			t.Errorf("%s: problems %v", set, problems)
		}
	}
}

func FuzzRender(f *testing.F) {
	f.Add("a: {{ .Values.a }}\n{{- range .Values.l }}\n- {{ . | quote }}\n{{- end }}", "a: 1\nl: [x]")
	f.Add("{{ define \"x\" }}{{ tpl .Values.a . }}{{ end }}{{ include \"x\" . | nindent 4 }}", "a: \"{{ .Values.b }}\"")
	f.Add("m:\n  {{- toYaml .Values.m | nindent 2 }}\n{{ with .Values.l }}a: {{ first . }}{{ else }}b: 1{{ end }}", "m: {a: [x], b: &b 1}\nl: []")
	f.Add("{{ $d := dict \"v\" .Values \"s\" (omit .Values.m \"a\") }}{{ $_ := set $d \"x\" $d }}a: {{ default (index .Values.l 0) $d.s.b }}", "m: {a: 1, b: \"\"}\nl: [x]")
	f.Fuzz(func(t *testing.T, template, values string) {
		rendered, _ := Render(context.Background(), "c", []manifest.File{
			{Path: "c/Chart.yaml", Content: []byte("name: c\nversion: 1\n")},
			{Path: "c/values.yaml", Content: []byte(values)},
			{Path: "c/templates/a.yaml", Content: []byte(template)},
		}, Settings{})
		lines, valueLines := strings.Count(template, "\n")+1, strings.Count(values, "\n")+1
		for _, r := range rendered {
			for line := range strings.Count(string(r.Content), "\n") + 1 {
				source, ok := r.Locate(manifest.Span{Line: line + 1, Column: 1, EndColumn: 2})
				if ok && (source.Path != "c/templates/a.yaml" || source.Span.Line < 1 || source.Span.Line > lines) {
					t.Fatalf("line %d comes from %+v", line+1, source)
				}
			}
			for _, place := range somePlaces(r.Content) {
				for _, d := range r.Decisions(place) {
					if d.Path != "c/values.yaml" || d.Span.Line < 1 || d.Span.Line > valueLines || d.Span.Column < 1 {
						t.Fatalf("%s comes from %+v", place.Path(), d)
					}
				}
			}
		}
	})
}

// FuzzUnpack holds that a packed chart is an error, or files below its own path
// and within the limits.
func FuzzUnpack(f *testing.F) {
	f.Add(tarOf(f, "redis/Chart.yaml", "name: redis\n", "redis/templates/a.yaml", "a: 1", "../../escape.yaml", "x", "/abs/x", "y"))
	f.Add(tarOf(f, "a/b", ""))
	f.Add(sparseTar())
	f.Fuzz(func(t *testing.T, archive []byte) {
		const at = "charts/redis-1.tgz"
		files, err := unpack(manifest.File{Path: at, Content: []byte(gzipped(t, archive))})
		if err != nil && files != nil {
			t.Errorf("files in spite of %v", err)
		}
		size := 0
		for _, file := range files {
			size += len(file.Content)
			if !strings.HasPrefix(file.Path, at+"/") {
				t.Errorf("%q lies outside of the archive", file.Path)
			}
		}
		if size > maxUnpacked || len(files) > maxEntries {
			t.Errorf("%d files with %d bytes", len(files), size)
		}
	})
}

// somePlaces returns places in a text, and some that are missing there.
func somePlaces(content []byte) []*manifest.Place {
	var all []*manifest.Place
	var walk func(*manifest.Place)
	walk = func(at *manifest.Place) {
		if len(all) > 100 {
			return
		}
		all = append(all, at, at.At("a"), at.At("b", "c"))
		for _, inner := range append(at.Items(), at.Fields()...) {
			walk(inner)
		}
	}
	for _, doc := range manifest.Parse(manifest.File{Content: content, Chart: true}, manifest.Limits{}) {
		if doc.Root != nil {
			walk(manifest.NewPlace(doc.Root))
		}
	}
	return all
}
