package chart

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// others makes files that templates may ask for out of path, content pairs.
func others(pairs ...string) []Other {
	var out []Other
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, Other{Path: "charts/web/" + pairs[i], Read: func() ([]byte, error) { return []byte(pairs[i+1]), nil }})
	}
	return out
}

// The expected texts are what `helm template` of Helm v4.2.3 makes of them.
func TestTemplatesSeeAllFilesOfTheChart(t *testing.T) {
	all := others("files/run.sh", "#!/bin/sh\necho a\n", "files/deep/b.lua", "return 1\n", "LICENSE", "free", "Chart.lock", "locked",
		"files/secret.bak", "no", "charts/redis/conf/r.ini", "[r]\n", "charts/redis/other.prov", "p", "charts/redis.prov", "signed")
	for _, tt := range []struct{ name, template, want string }{
		{"a file by its name", `{{ .Files.Get "files/run.sh" }}`, "#!/bin/sh\necho a\n"},
		{"a name is taken as it is", `<{{ .Files.Get "./files/run.sh" }}>`, "<>"},
		{"the lines of a file", `{{ range .Files.Lines "files/run.sh" }}<{{ . }}>{{ end }}`, "<#!/bin/sh><echo a>"},
		{"files by a pattern, as a ConfigMap", `{{ (.Files.Glob "files/*").AsConfig }}`, "run.sh: |\n  #!/bin/sh\n  echo a"},
		{"files of all directories", `{{ range $name, $_ := .Files.Glob "files/**" }}{{ $name }} {{ end }}`, "files/deep/b.lua files/run.sh "},
		{"files as a Secret", `{{ (.Files.Glob "**.{lua,ini}").AsSecrets }}`, "b.lua: cmV0dXJuIDEK"},
		{"no file", `{{ (.Files.Glob "none/*").AsConfig }}`, "{}"},
		{"what the chart ignores", `<{{ .Files.Get "files/secret.bak" }}>`, "<>"},
		{"what Helm keeps for itself", `<{{ .Files.Get "Chart.lock" }}{{ .Files.Get "values.yaml" }}{{ .Files.Get "charts/redis/conf/r.ini" }}>`, "<>"},
		{"a signature", `{{ .Files.Get "charts/redis.prov" }}`, "signed"},
		{"a text that is a template", `{{ tpl "{{ .Files.Get \"LICENSE\" }}" . }}`, "free"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, problems := render(t, Settings{Others: all}, "templates/a.yaml", tt.template, ".helmignore", "*.bak\n",
				"charts/redis/Chart.yaml", "name: redis\nversion: 1.0.0\n", "charts/redis/templates/r.yaml", `{{ .Files.Get "conf/r.ini" }}`)
			if len(problems) > 0 || got["templates/a.yaml"] != tt.want || got["charts/redis/templates/r.yaml"] != "[r]\n" {
				t.Errorf("%q, want %q; problems %v", got, tt.want, problems)
			}
		})
	}
}

func TestAFileThatIsNotReadIsAProblemOfTheTemplateThatAsksForIt(t *testing.T) {
	link := Other{Path: "charts/web/files/link", Read: func() ([]byte, error) { return nil, errors.New("is a symbolic link, which is not followed") }}
	large := Other{Path: "charts/web/files/large", Read: func() ([]byte, error) { return make([]byte, maxOther+1), nil }}
	for template, want := range map[string]string{
		`{{ .Files.Get "files/link" }}`:                  "the file files/link is a symbolic link, which is not followed",
		`{{ .Files.GetBytes "files/large" }}`:            "the file files/large is over the limit of 5 MiB",
		`{{ (.Files.Glob "files/*").AsConfig }}`:         "the file files/large is over the limit of 5 MiB",
		`{{ range .Files.Lines "files/link" }}{{ end }}`: "the file files/link is a symbolic link",
		`{{ .Files.AsSecrets }}`:                         "the file files/large is over the limit",
	} {
		got, problems := render(t, Settings{Others: []Other{link, large}}, "templates/a.yaml", "a: 1\n"+template, "templates/b.yaml", `{{ .Files.Get "files/none" }}fine`)
		if len(problems) != 1 || problems[0].Line != 2 || !strings.Contains(problems[0].Message, want) || got["templates/b.yaml"] != "fine" {
			t.Errorf("%s: problems %+v, want %q", template, problems, want)
		}
	}
	var many []Other
	for i := range 10 {
		many = append(many, Other{Path: fmt.Sprintf("charts/web/files/%d", i), Read: func() ([]byte, error) { return make([]byte, 4<<20), nil }})
	}
	_, problems := render(t, Settings{Others: many}, "templates/a.yaml", `{{ len (.Files.Get "files/7") }}`, "templates/b.yaml", `{{ .Files.Get "files/8" }}`)
	if len(problems) != 1 || problems[0].Path != "charts/web/templates/b.yaml" || !strings.Contains(problems[0].Message, "over the limit of 32 MiB") {
		t.Errorf("all together: %+v", problems)
	}
}

func TestFilesThatNoTemplateAsksForAreNotRead(t *testing.T) {
	other := Other{Path: "charts/web/x", Read: func() ([]byte, error) {
		t.Error("it was read")
		return nil, nil
	}}
	render(t, Settings{Others: []Other{other}}, "templates/a.yaml", "a: 1")
	elsewhere := Other{Path: "charts/webs/x", Read: other.Read}
	render(t, Settings{Others: []Other{elsewhere}}, "templates/a.yaml", `{{ .Files.Get "x" }}`)
}

// The expected names are those that Helm v4.2.3 finds.
func TestPatternsOfFilesMatchAsInHelm(t *testing.T) {
	names := []string{"a.yaml", "b.json", "conf/a.yaml", "conf/deep/c.yaml", "conf/x[1].txt"}
	for pattern, want := range map[string][]string{
		"*": {"a.yaml", "b.json"}, "*.yaml": {"a.yaml"}, "**": names, "**.yaml": {"a.yaml", "conf/a.yaml", "conf/deep/c.yaml"},
		"conf/*": {"conf/a.yaml", "conf/x[1].txt"}, "conf/**": {"conf/a.yaml", "conf/deep/c.yaml", "conf/x[1].txt"},
		"conf/**/*.yaml": {"conf/deep/c.yaml"}, "?.{yaml,json}": {"a.yaml", "b.json"}, "[a-b].json": {"b.json"}, "[!a].*": {"b.json"},
		`conf/x\[1\].txt`: {"conf/x[1].txt"}, "conf": nil, "": nil, "a+yaml": nil, "a,b": nil,
	} {
		matches := compileGlob(pattern)
		var got []string
		for _, name := range names {
			if matches(name) {
				got = append(got, name)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", pattern, diff)
		}
	}
	if all := compileGlob("["); !slices.ContainsFunc(names, all) {
		t.Error("a pattern that is none matches nothing")
	}
}
