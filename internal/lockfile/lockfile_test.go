package lockfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

const fixtures = "../../testdata/lockfiles"

func show(entries []Entry) []string {
	var out []string
	for _, e := range entries {
		out = append(out, fmt.Sprintf("%s %s %s at %d:%d-%d", e.Type, e.Name, e.Version, e.Line, e.Column, e.EndColumn))
	}
	return out
}

func TestEachKindOfLockFileIsReadWithItsPlaces(t *testing.T) {
	tests := map[string][]string{
		"npm1/package-lock.json": {
			"npm @babel/core 7.12.3 at 7:6-17", "npm debug 4.3.1 at 12:10-15",
			"npm debug 2.6.9 at 18:6-11", "npm lodash 3.10.1 at 20:33-50",
		},
		"npm2/npm-shrinkwrap.json": {"npm lodash 4.17.20 at 6:6-25"},
		"npm3/package-lock.json": {
			"npm @babel/core 7.12.3 at 10:6-30", "npm debug 4.3.1 at 13:6-49",
			"npm lodash 4.17.20 at 14:6-25", "npm minimist 0.2.1 at 18:36-44",
		},
		"yarn1/yarn.lock": {
			"npm @babel/code-frame 7.10.4 at 5:2-26", "npm lodash 4.17.20 at 11:1-16", "npm minimist 0.2.1 at 15:2-25",
		},
		"yarn2/yarn.lock": {"npm lodash 4.17.20 at 5:2-21", "npm typescript 4.0.5 at 12:2-64"},
		"pnpm5/pnpm-lock.yaml": {
			"npm @babel/core 7.12.3 at 8:3-22", "npm lodash 4.17.20 at 12:3-18", "npm react-dom 17.0.2 at 15:3-33",
		},
		"pnpm6/pnpm-lock.yaml": {"npm @babel/core 7.12.3 at 5:3-22", "npm react-dom 17.0.2 at 8:3-34"},
		"pnpm9/pnpm-lock.yaml": {"npm @babel/core 7.12.3 at 13:4-22", "npm lodash 4.17.20 at 16:3-17"},
		"go/go.mod": {
			"golang github.com/new/lib v1.2.0 at 14:31-56", "golang golang.org/x/net v0.7.0 at 5:9-32",
			"golang github.com/gorilla/mux v1.8.0 at 8:2-31", "golang golang.org/x/text v0.3.0 at 9:2-26",
		},
		"pip/requirements-dev.txt": {
			"pypi Django 3.2.1 at 3:1-14", "pypi requests 2.19.0 at 5:1-29", "pypi PyYAML 5.3 at 8:3-15",
		},
		"poetry/poetry.lock":       {"pypi jinja2 2.11.2 at 4:1-16", "pypi markupsafe 1.1.1 at 13:1-20"},
		"pdm/pdm.lock":             {"pypi jinja2 2.11.2 at 7:1-16"},
		"pipenv/Pipfile.lock":      {"pypi requests 2.19.0 at 4:10-18", "pypi pytest 6.0.0 at 12:10-16"},
		"uv/uv.lock":               {"pypi requests 2.19.0 at 13:1-18"},
		"cargo/Cargo.lock":         {"cargo smallvec 0.6.9 at 12:1-18"},
		"ruby/Gemfile.lock":        {"gem nokogiri 1.13.0 at 9:5-35", "gem rack 2.0.1 at 11:5-17"},
		"composer/composer.lock":   {"composer symfony/http-kernel v5.4.1 at 5:22-41", "composer phpunit/phpunit 9.5.0 at 11:20-35"},
		"maven/pom.xml":            {"maven com.fasterxml.jackson.core:jackson-databind 2.9.8 at 12:19-35", "maven org.apache.logging.log4j:log4j-core 2.14.1 at 23:19-29"},
		"gradle/gradle.lockfile":   {"maven org.apache.logging.log4j:log4j-core 2.14.1 at 2:1-43"},
		"nuget/packages.lock.json": {"nuget Newtonsoft.Json 12.0.1 at 5:8-23"},
		"pub/pubspec.lock":         {"pub http 0.13.0 at 2:3-7"},
		"mix/mix.lock":             {"hex phoenix 1.6.0 at 2:22-37"},
		"bun/bun.lock": {
			"npm @babel/core 7.12.3 at 12:22-40", "npm debug 4.3.1 at 14:28-39", "npm lodash 4.17.20 at 18:17-31", "npm minimist 0.2.1 at 20:14-28",
		},
		"deno4/deno.lock": {
			"npm @babel/core 7.12.3 at 11:6-24", "npm lodash 4.17.20 at 12:6-20", "npm react-dom 17.0.2 at 13:6-35",
		},
		"deno3/deno.lock":   {"npm lodash 4.17.20 at 6:8-22"},
		"conan2/conan.lock": {"conan zlib 1.2.11 at 4:10-21", "conan mytool 1.0.0 at 5:10-22", "conan plain 2.0 at 6:10-19"},
		"conan1/conan.lock": {"conan zlib 1.2.11 at 5:22-33"},
		"gowork/go.work":    {"golang golang.org/x/net v0.7.0 at 8:29-52", "golang example.com/new v1.2.0 at 11:28-50"},
		"dotnet/Shop.csproj": {
			"nuget Newtonsoft.Json 12.0.1 at 3:32-47", "nuget Serilog 2.10.0 at 4:32-39", "nuget System.Net.Http 4.3.0 at 8:50-65",
		},
		"dotnetcentral/Directory.Packages.props": {"nuget Newtonsoft.Json 12.0.1 at 6:30-45"},
		"dotnetold/packages.config":              {"nuget Newtonsoft.Json 12.0.1 at 3:16-31"},
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			content, err := os.ReadFile(filepath.Join(fixtures, name))
			if err != nil {
				t.Fatal(err)
			}
			got, err := Parse(name, content)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, show(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			checkPlaces(t, string(content), got)
			// Windows line ends change nothing.
			crlf, err := Parse(name, []byte(strings.ReplaceAll(string(content), "\n", "\r\n")))
			if diff := cmp.Diff(got, crlf); diff != "" || err != nil {
				t.Errorf("with carriage returns: %v (-lf +crlf)\n%s", err, diff)
			}
		})
	}
}

// checkPlaces holds entries to what their places promise.
func checkPlaces(t *testing.T, content string, entries []Entry) {
	t.Helper()
	lines := strings.Split(content, "\n")
	for _, e := range entries {
		if e.Line < 1 || e.Line > len(lines) || e.EndLine != e.Line {
			t.Fatalf("%+v is not on one of the %d lines", e, len(lines))
		}
		line := lines[e.Line-1]
		if e.Line == 1 {
			line = strings.TrimPrefix(line, "\ufeff")
		}
		runes := []rune(line)
		if e.Column < 1 || e.EndColumn <= e.Column || e.EndColumn-1 > len(runes) {
			t.Fatalf("%+v is outside of its line of %d characters", e, len(runes))
		}
		place := string(runes[e.Column-1 : e.EndColumn-1])
		if !strings.Contains(strings.ToLower(place), strings.ToLower(ShortName(e))) {
			t.Fatalf("the place %q of %+v does not hold the name", place, e)
		}
	}
}

func TestColumnsCountCharacters(t *testing.T) {
	got, err := Parse("package-lock.json", []byte("\ufeff{\"name\":\"bücher\",\"packages\":{\"node_modules/ärger\":{\"version\":\"1\"}}}"))
	if diff := cmp.Diff([]string{"npm ärger 1 at 1:31-49"}, show(got)); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}

func TestNamesOfLockFilesAreKnown(t *testing.T) {
	for name, want := range map[string]string{
		"a/requirements.txt": "requirements.txt", "requirements-dev.txt": "requirements.txt", "dev-requirements.txt": "requirements.txt",
		"requirements/base.txt": "requirements.txt", "constraints.txt": "requirements.txt", "a/b/go.mod": "go.mod",
		"README.txt": "", "package.json": "", "myrequirements.txt": "", "lock": "",
	} {
		if f, _ := FormatOf(name); f.Name != want {
			t.Errorf("%s is taken for %q, want %q", name, f.Name, want)
		}
	}
}

func TestNamesAndVersionsCompareAsTheEcosystemDoes(t *testing.T) {
	for _, tt := range []struct{ typ, a, b string }{
		{"pypi", "Zope.Interface", "zope-interface"},
		{"pypi", "a__b", "A-b"},
		{"nuget", "Newtonsoft.Json", "newtonsoft.json"},
		{"composer", "Symfony/Yaml", "symfony/yaml"},
		{"cargo", "serde_json", "serde-json"},
	} {
		if FoldName(tt.typ, tt.a) != FoldName(tt.typ, tt.b) {
			t.Errorf("%s: %s and %s differ", tt.typ, tt.a, tt.b)
		}
	}
	if FoldName("npm", "JSONStream") == FoldName("npm", "jsonstream") {
		t.Error("npm has packages whose names differ in letter case only")
	}
	for _, tt := range []struct{ typ, a, b string }{
		{"golang", "v1.2.3", "1.2.3"}, {"composer", "v5.4.1", "5.4.1"}, {"nuget", "1.0.0+abc", "1.0.0"}, {"gem", "1.13.0-java", "1.13.0"},
	} {
		if FoldVersion(tt.typ, tt.a) != FoldVersion(tt.typ, tt.b) {
			t.Errorf("%s: %s and %s differ", tt.typ, tt.a, tt.b)
		}
	}
	if FoldVersion("npm", "1.0.0-1") == FoldVersion("npm", "1.0.0") {
		t.Error("a prerelease of npm is not its release")
	}
}

func TestBrokenFilesSaySoAndKeepWhatWasRead(t *testing.T) {
	for name, content := range map[string]string{
		"package-lock.json": `{"packages":{"node_modules/a":{"version":"1"},`,
		"composer.lock":     `{"packages":[{"name":"a/b","version":"1"}`,
		"pom.xml":           "<project><dependencies><dependency><groupId>g</groupId><artifactId>a</artifactId><version>1</version></dependency>",
	} {
		got, err := Parse(name, []byte(content))
		if err == nil || len(got) != 1 {
			t.Errorf("%s: %d entries, error %v", name, len(got), err)
		}
	}
	if _, err := Parse("yarn.lock", []byte("\xff")); !errors.Is(err, ErrNotText) {
		t.Errorf("got %v", err)
	}
	if _, err := Parse("yarn.lock", make([]byte, MaxSize+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v", err)
	}
	if _, err := Parse("package-lock.json", []byte(strings.Repeat(`{"a":`, 100_000))); !errors.Is(err, errTooDeep) {
		t.Errorf("got %v", err)
	}
	if _, err := Parse("pom.xml", []byte(strings.Repeat(`<a>`, 100_000))); !errors.Is(err, errTooDeep) {
		t.Errorf("got %v", err)
	}
}

func FuzzPlacesLieInTheFileAndHoldTheName(f *testing.F) {
	names, err := filepath.Glob(fixtures + "/*/*")
	if err != nil || len(names) == 0 {
		f.Fatal("no fixtures", err)
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(filepath.Base(name), content)
	}
	f.Fuzz(func(t *testing.T, name string, content []byte) {
		entries, err := Parse(name, content)
		if !utf8.Valid(content) && (err == nil && len(entries) > 0) {
			t.Fatal("entries from what is no text")
		}
		checkPlaces(t, string(content), entries)
	})
}
