package syftcatalog

import (
	"os"
	"slices"
	"strings"
	"testing"
)

func TestVersionsAreTakenOutOfYarnsReferences(t *testing.T) {
	for _, tt := range []struct {
		reference, version string
		fetched            bool
	}{
		{"npm:4.17.20", "4.17.20", true},
		{"npm:1.0.0-rc.1::__archiveUrl=https%3A%2F%2Fnpm.example%2Fa.tgz", "1.0.0-rc.1", true},
		{"virtual:0460f86c#npm:17.0.2", "17.0.2", true},
		{"virtual:0460f86c#workspace:packages/a", "", false},
		{"patch:typescript@npm%3A4.9.5#optional!builtin<compat/typescript>::version=4.9.5&hash=289587", "4.9.5", true},
		{"patch:@a/b@npm%3A1.2.3#./.yarn/patches/b.patch", "1.2.3", true},
		{"patch:b@https%3A//x.example/b.tgz#./b.patch", "", true},
		{"https://github.com/a/b.git#commit=0123", "", true},
		{"workspace:.", "", false},
		{"link:../a", "", false},
		{"portal:../a", "", false},
		{"", "", true},
	} {
		version, fetched := versionOfReference(tt.reference)
		if version != tt.version || fetched != tt.fetched {
			t.Errorf("%s: version %q, fetched %t; want %q, %t", tt.reference, version, fetched, tt.version, tt.fetched)
		}
	}
}

func TestYarnsListOfPackagesIsReadInEachOfItsForms(t *testing.T) {
	inScript, err := os.ReadFile("testdata/pnp.cjs")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile("testdata/pnp.data.json")
	if err != nil {
		t.Fatal(err)
	}
	for form, content := range map[string]string{
		"a script":                         string(inScript),
		"a script with Windows' line ends": strings.ReplaceAll(string(inScript), "\n", "\r\n"),
		"a script of Yarn 3":               "function $$SETUP_STATE(h, b) {\n  return h(JSON.parse(" + string(inScript[strings.IndexByte(string(inScript), '\''):]) + ", {basePath: b});",
		"a literal in a script":            "return hydrateRuntimeState(" + string(data) + ", {basePath: b});",
		"data":                             string(data),
	} {
		packages, err := plugNPlayPackages([]byte(content))
		if err != nil || len(packages) != 20 {
			t.Errorf("%s: %d packages, %v", form, len(packages), err)
		}
		for _, want := range []string{"lodash@4.17.20", "@babel/code-frame@7.12.11", "minimist@1.2.5", "react-dom@17.0.2", "typescript@4.9.5"} {
			name, version, _ := strings.Cut(want[1:], "@")
			if !slices.ContainsFunc(packages, func(p plugNPlayPackage) bool { return p.name == want[:1]+name && p.version == version }) {
				t.Errorf("%s: %s is missing in %v", form, want, packages)
			}
		}
		if slices.ContainsFunc(packages, func(p plugNPlayPackage) bool { return p.name == "app" || p.name == "old" }) {
			t.Errorf("%s: the application itself or an alias is listed: %v", form, packages)
		}
	}
}

func TestWhatIsNoListOfYarnIsAnError(t *testing.T) {
	for _, content := range []string{
		"", "module.exports = {}", `"__info"`, `'{"__info"`, `{"__info": [], "packageRegistryData": 7}`, `{"__info": [], "packageRegistryData": [["a"`,
		`{"__info": [], "packageRegistryData": [["a", [[1, {}]]]]}`, `{"__info": [], "packageRegistryData": [[1, []]]}`, `'{"__info": \`,
	} {
		if packages, err := plugNPlayPackages([]byte(content)); err == nil {
			t.Errorf("%q gives %v and no error", content, packages)
		}
	}
	if packages, err := plugNPlayPackages([]byte(`{"__info": [], "packageRegistryData": []}`)); err != nil || len(packages) > 0 {
		t.Errorf("an empty list gives %v, %v", packages, err)
	}
}

func FuzzPlugNPlay(f *testing.F) {
	f.Add([]byte(`{"__info": [], "packageRegistryData": [[null, [[null, {}]]], ["a", [["npm:1", {}], ["virtual:0#patch:a@npm%3A1#~/x::version=1", {}]]]]}`))
	f.Add([]byte("JSON.parse('{\\\n\"__info\": [\"it\\'s\"], \"packageRegistryData\": []}')"))
	f.Fuzz(func(t *testing.T, content []byte) {
		packages, err := plugNPlayPackages(content)
		for _, p := range packages {
			if p.name == "" {
				t.Errorf("a package without a name: %v, %v", p, err)
			}
		}
	})
}
