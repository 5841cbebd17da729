package lockfile

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// lookups are for each fixture packages that it holds, and packages that it does
// not: another version, another package of a like name, the project itself, what
// comes from elsewhere than a registry, what an alias is called, what only the
// build needs.
var lookups = map[string]struct{ has, not string }{
	"npm1/package-lock.json": {
		"npm:@babel/core@7.12.3 npm:debug@4.3.1 npm:debug@2.6.9 npm:lodash@3.10.1",
		"npm:shop@1.0.0 npm:debug@4.3.2 npm:core@7.12.3 npm:old-lodash@3.10.1 npm:local@file:../local pypi:debug@2.6.9",
	},
	"npm2/npm-shrinkwrap.json": {"npm:lodash@4.17.20", "npm:lodash@4.17.2 npm:lodash.merge@4.17.20 npm:Lodash@4.17.20"},
	"npm3/package-lock.json": {
		"npm:@babel/core@7.12.3 npm:debug@4.3.1 npm:lodash@4.17.20 npm:minimist@0.2.1",
		"npm:shop@1.0.0 npm:old@0.2.1 npm:web@2.0.0 npm:debug@2.6.9 npm:core@7.12.3",
	},
	"yarn1/yarn.lock":      {"npm:lodash@4.17.20 npm:minimist@0.2.1", "npm:lodash@4.17.21 npm:old@0.2.1 npm:js-tokens@4.0.0"},
	"yarn2/yarn.lock":      {"npm:lodash@4.17.20 npm:typescript@4.0.5", "npm:shop@0.0.0-use.local npm:tslib@2.0.0 npm:typescript@4.0.0"},
	"pnpm5/pnpm-lock.yaml": {"npm:@babel/core@7.12.3 npm:react-dom@17.0.2", "npm:react@17.0.2 npm:core@7.12.3 npm:react-dom@17.0.2_react"},
	"pnpm6/pnpm-lock.yaml": {"npm:@babel/core@7.12.3 npm:react-dom@17.0.2", "npm:react@17.0.2 npm:@babel/core@7.12.4"},
	"pnpm9/pnpm-lock.yaml": {"npm:@babel/core@7.12.3 npm:lodash@4.17.20", "npm:lodash@4.17.0 npm:lodash@^4.17.0"},
	"bun/bun.lock": {
		"npm:@babel/core@7.12.3 npm:debug@4.3.1 npm:lodash@4.17.20 npm:minimist@0.2.1",
		"npm:old@0.2.1 npm:web@workspace:packages/web npm:fork@1a2b3c npm:ms@2.1.2 npm:shop@1 npm:@babel/core/debug@4.3.1",
	},
	"deno4/deno.lock": {"npm:lodash@4.17.20 npm:react-dom@17.0.2", "npm:@std/assert@1.0.11 npm:react@17.0.2 npm:lodash@4.17.0"},
	"deno3/deno.lock": {"npm:lodash@4.17.20", "npm:lodash@4.17.0 npm:npm:lodash@4.17.20"},
	"go/go.mod": {
		"golang:golang.org/x/net@v0.7.0 golang:golang.org/x/net@0.7.0 golang:github.com/new/lib@v1.2.0 golang:golang.org/x/text@v0.3.0",
		"golang:example.com/shop@v1.0.0 golang:github.com/old/lib@v1.0.0 golang:example.com/local@v0.0.0 golang:golang.org/x/net@v0.7.1 golang:golang.org/x@v0.7.0",
	},
	"gowork/go.work": {
		"golang:golang.org/x/net@v0.7.0 golang:example.com/new@v1.2.0",
		"golang:example.com/old@v1.0.0 golang:example.com/local@v1.0.0 golang:golang.org/x/net@v0.8.0",
	},
	"pip/requirements-dev.txt": {
		"pypi:django@3.2.1 pypi:requests@2.19.0 pypi:pyyaml@5.3", "pypi:flask@1.0 pypi:numpy@1 pypi:numpy@1.* pypi:django@3.2 pypi:requests-oauthlib@2.19.0",
	},
	"pdm/pdm.lock":           {"pypi:jinja2@2.11.2", "pypi:markupsafe@0.23 pypi:shop-core@0.1.0 pypi:jinja2@2.11"},
	"poetry/poetry.lock":     {"pypi:Jinja2@2.11.2 pypi:MarkupSafe@1.1.1", "pypi:markupsafe@0.23 pypi:jinja@2.11.2"},
	"pipenv/Pipfile.lock":    {"pypi:requests@2.19.0 pypi:pytest@6.0.0", "pypi:local@. pypi:requests@==2.19.0 pypi:requests@2.19"},
	"uv/uv.lock":             {"pypi:requests@2.19.0", "pypi:shop@0.1.0 pypi:requests@2.19.1"},
	"cargo/Cargo.lock":       {"cargo:smallvec@0.6.9", "cargo:shop@0.1.0 cargo:smallvec@0.6.10"},
	"ruby/Gemfile.lock":      {"gem:nokogiri@1.13.0 gem:rack@2.0.1", "gem:shop@1.0.0 gem:racc@1.4 gem:rack@2.0 gem:nokogiri@1.13.1"},
	"composer/composer.lock": {"composer:symfony/http-kernel@5.4.1 composer:phpunit/phpunit@9.5.0", "composer:php@7.2.5 composer:http-kernel@5.4.1 composer:symfony/http-kernel@5.4.10"},
	"maven/pom.xml": {
		"maven:com.fasterxml.jackson.core:jackson-databind@2.9.8 maven:log4j-core@2.14.1",
		"maven:com.example:shop@1.0.0 maven:a:b@1 maven:com.example:managed@1.0.0 maven:com.example:core@1.0.0 maven:log4j-api@2.14.1",
	},
	"gradle/gradle.lockfile":   {"maven:org.apache.logging.log4j:log4j-core@2.14.1", "maven:org.apache.logging.log4j:log4j-core@2.14 maven:log4j:log4j-core@2.14.1"},
	"nuget/packages.lock.json": {"nuget:newtonsoft.json@12.0.1", "nuget:shop.core@1.0.0 nuget:Newtonsoft.Json@12.0.10 nuget:Newtonsoft.Json.Bson@12.0.1"},
	"dotnet/Shop.csproj": {
		"nuget:Newtonsoft.Json@12.0.1 nuget:serilog@2.10.0 nuget:System.Net.Http@4.3.0",
		"nuget:Floating@1.0.0 nuget:Floating@1.* nuget:Ranged@1.0 nuget:Property@1 nuget:Central@all nuget:Serilog@all nuget:../Core/Core.csproj@1.0.0",
	},
	"dotnetcentral/Directory.Packages.props": {"nuget:Newtonsoft.Json@12.0.1", "nuget:Newtonsoft.Json@12.0.2"},
	"dotnetold/packages.config":              {"nuget:Newtonsoft.Json@12.0.1", "nuget:Newtonsoft.Json@net472"},
	"conan1/conan.lock":                      {"conan:zlib@1.2.11", "conan:cmake@3.20.0 conan:zlib@1.2.1"},
	"conan2/conan.lock":                      {"conan:zlib@1.2.11 conan:mytool@1.0.0 conan:plain@2.0", "conan:cmake@3.25.3 conan:zlib@1.2.12"},
	"pub/pubspec.lock":                       {"pub:http@0.13.0", "pub:flutter@0.0.0 pub:http@0.13.1"},
	"mix/mix.lock":                           {"hex:phoenix@1.6.0", "hex:fork@cccc hex:plug@1.10 hex:phoenix@1.6"},
}

func TestEachKindOfLockFileHasWhatItLocksAndNothingElse(t *testing.T) {
	names, err := filepath.Glob(fixtures + "/*/*")
	if err != nil || len(names) != len(lookups) {
		t.Fatalf("%d fixtures, %d tested, %v", len(names), len(lookups), err)
	}
	tested := map[string]bool{}
	for name, tt := range lookups {
		t.Run(name, func(t *testing.T) {
			content, err := os.ReadFile(filepath.Join(fixtures, name))
			if err != nil {
				t.Fatal(err)
			}
			entries, err := Parse(name, content)
			format, _ := FormatOf(name)
			tested[format.Name] = true
			set := NewSet(File{Path: name, Format: format, Entries: entries})
			for wanted, list := range map[bool]string{true: tt.has, false: tt.not} {
				for word := range strings.FieldsSeq(list) {
					typ, pkg, _ := strings.Cut(word, ":")
					at := strings.LastIndexByte(pkg, '@')
					if got := len(set.Lookup(typ, pkg[:at], pkg[at+1:])) > 0; got != wanted || err != nil {
						t.Errorf("%s: found %v, want %v (%v)", word, got, wanted, err)
					}
				}
			}
		})
	}
	for _, f := range formats {
		if !tested[f.Name] {
			t.Errorf("%s has no case", f.Name)
		}
	}
}

func TestWhatAPOMDoesNotPutIntoTheProductIsNoEntry(t *testing.T) {
	const dependency = "<dependency><groupId>g</groupId><artifactId>%s</artifactId><version>1</version>%s</dependency>"
	deps := func(name, more string) string {
		return "<dependencies>" + fmt.Sprintf(dependency, name, more) + "</dependencies>"
	}
	text := "<project>" + deps("plain", "") + deps("compiled", "<scope>compile</scope>") + deps("run", "<scope>runtime</scope>") +
		deps("tested", "<scope>test</scope>") + deps("given", "<scope>provided</scope>") +
		"<dependencyManagement>" + deps("managed", "") + deps("bom", "<type>pom</type><scope>import</scope>") + "</dependencyManagement>" +
		"<build><plugins><plugin><artifactId>p</artifactId>" + deps("plugged", "") + "</plugin></plugins></build>" +
		"<profiles><profile>" + deps("profiled", "") + "</profile></profiles></project>"
	entries, err := Parse("pom.xml", []byte(text))
	var got []string
	for _, e := range entries {
		got = append(got, strings.TrimPrefix(e.Name, "g:"))
	}
	if want := []string{"plain", "compiled", "run", "managed", "profiled"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, want %v, %v", got, want, err)
	}
}
