package origin

import (
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
)

// kinds are for each kind of lock file a package that the fixture locks, the
// command that installs from it and where the package then lies.
var kinds = []struct{ fixture, pkg, command, path string }{
	{"npm1/package-lock.json", "npm/lodash@3.10.1", "npm ci", "/app/node_modules/old-lodash/package.json"},
	{"npm2/npm-shrinkwrap.json", "npm/lodash@4.17.20", "npm ci", "/app/node_modules/lodash/package.json"},
	{"npm3/package-lock.json", "npm/lodash@4.17.20", "npm ci", "/app/node_modules/lodash/package.json"},
	{"yarn1/yarn.lock", "npm/lodash@4.17.20", "yarn install --frozen-lockfile", "/app/node_modules/lodash/package.json"},
	{"yarn2/yarn.lock", "npm/lodash@4.17.20", "yarn", "/app/node_modules/lodash/package.json"},
	{"pnpm9/pnpm-lock.yaml", "npm/lodash@4.17.20", "pnpm install --frozen-lockfile", "/app/node_modules/.pnpm/lodash@4.17.20/node_modules/lodash/package.json"},
	{"bun/bun.lock", "npm/lodash@4.17.20", "bun install --frozen-lockfile", "/app/node_modules/lodash/package.json"},
	{"deno4/deno.lock", "npm/lodash@4.17.20", "deno install --frozen", "/app/node_modules/.deno/lodash@4.17.20/node_modules/lodash/package.json"},
	{"go/go.mod", "golang/golang.org/x/net@v0.7.0", "go build -o /usr/bin/shop .", "/usr/bin/shop"},
	{"gowork/go.work", "golang/golang.org/x/net@v0.7.0", "go build -o /usr/bin/shop ./api", "/usr/bin/shop"},
	{"poetry/poetry.lock", "pypi/jinja2@2.11.2", "poetry install --no-root", "/usr/local/lib/python3.12/site-packages/j/METADATA"},
	{"pdm/pdm.lock", "pypi/jinja2@2.11.2", "pdm sync", "/usr/local/lib/python3.12/site-packages/j/METADATA"},
	{"uv/uv.lock", "pypi/requests@2.19.0", "uv sync --frozen", "/app/.venv/lib/python3.12/site-packages/r/METADATA"},
	{"pipenv/Pipfile.lock", "pypi/requests@2.19.0", "pipenv sync", "/usr/local/lib/python3.12/site-packages/r/METADATA"},
	{"pip/requirements-dev.txt", "pypi/requests@2.19.0", "pip install -r requirements-dev.txt", "/usr/local/lib/python3.12/site-packages/r/METADATA"},
	{"cargo/Cargo.lock", "cargo/smallvec@0.6.9", "cargo build --release", "/app/target/release/shop"},
	{"ruby/Gemfile.lock", "gem/rack@2.0.1", "bundle install", "/usr/local/bundle/specifications/rack-2.0.1.gemspec"},
	{"composer/composer.lock", "composer/symfony/http-kernel@5.4.1", "composer install --no-dev", "/app/vendor/composer/installed.json"},
	{"maven/pom.xml", "maven/org.apache.logging.log4j/log4j-core@2.14.1", "mvn -q package", "/app/target/shop.jar"},
	{"gradle/gradle.lockfile", "maven/org.apache.logging.log4j/log4j-core@2.14.1", "./gradlew build", "/app/build/libs/shop.jar"},
	{"nuget/packages.lock.json", "nuget/Newtonsoft.Json@12.0.1", "dotnet publish -c Release", "/app/bin/shop.deps.json"},
	{"dotnet/Shop.csproj", "nuget/Newtonsoft.Json@12.0.1", "dotnet publish -c Release", "/app/bin/shop.deps.json"},
	{"dotnetcentral/Directory.Packages.props", "nuget/Newtonsoft.Json@12.0.1", "dotnet restore", "/app/bin/shop.deps.json"},
	{"conan2/conan.lock", "conan/zlib@1.2.11", "conan install . --lockfile=conan.lock", "/root/.conan2/p/zlib/conaninfo.txt"},
}

func TestEachKindOfLockFileIsClaimedForItsOwnProjectOnly(t *testing.T) {
	for _, tt := range kinds {
		content, err := os.ReadFile(filepath.Join("../../testdata/lockfiles", tt.fixture))
		if err != nil {
			t.Fatal(err)
		}
		name := path.Base(tt.fixture)
		lock := text(string(content))
		other := "services/shop/Dockerfile:4:"
		for _, c := range []struct {
			title, copied string
			tree          fstest.MapFS
			want          string
		}{
			{"its own", "COPY . .", fstest.MapFS{"services/shop/" + name: lock}, "services/shop/" + name + ":"},
			{"its own by name", "COPY " + name + " ./", fstest.MapFS{"services/shop/" + name: lock}, "services/shop/" + name + ":"},
			{"its own beside another project's", "COPY " + name + " ./", fstest.MapFS{"services/shop/" + name: lock, "services/other/" + name: lock}, "services/shop/" + name + ":"},
			{"another project's", "COPY " + name + " ./", fstest.MapFS{"services/other/" + name: lock}, other},
			{"another project's with all copied", "COPY . .", fstest.MapFS{"services/shop/" + name: without(tt.fixture, content), "services/other/" + name: lock}, other},
			{"one above the project's own", "COPY " + name + " ./", fstest.MapFS{"services/shop/" + name: without(tt.fixture, content), name: lock}, other},
		} {
			t.Run(tt.fixture+": "+c.title, func(t *testing.T) {
				file := fileAt("services/shop/Dockerfile", "FROM base:1\nWORKDIR /app\n"+c.copied+"\nRUN "+tt.command+"\n")
				tracer := NewWith(record(byBuildKit, file, debianBase), Options{Dockerfiles: []*dockerfile.File{file}, Locks: locksOf(t, c.tree)})
				got := tracer.Trace(vulnerable(tt.pkg, tt.path, "line 4"))
				if place := show(got.Locations[0]); !strings.HasPrefix(place, c.want) {
					t.Errorf("got %s, want %s; %s", place, c.want, originOf(got))
				}
				// What stands in no lock file, and another version of what does.
				for _, change := range [][2]string{{"@", "@9"}, {"/", "/un"}} {
					pkg := strings.Replace(tt.pkg, change[0], change[1], 1)
					if place := show(tracer.Trace(vulnerable(pkg, tt.path, "line 4")).Locations[0]); !strings.HasPrefix(place, other) {
						t.Errorf("%s leads to %s", pkg, place)
					}
				}
			})
		}
	}
}

// without is the fixture with other versions of all packages.
func without(fixture string, content []byte) *fstest.MapFile {
	replace := strings.NewReplacer("4.17.20", "4.17.90", "3.10.1", "3.10.9", "2.11.2", "2.11.9", "2.19.0", "2.19.9", "0.7.0", "0.7.9",
		"0.6.9", "0.6.99", "2.0.1", "2.0.9", "5.4.1", "5.4.9", "2.14.1", "2.14.9", "12.0.1", "12.0.9", "1.2.11", "1.2.99")
	return text(replace.Replace(string(content)))
}

func TestALockFileOfWhichLittleIsInTheImageIsOfAnotherProject(t *testing.T) {
	locks := locksOf(t, fstest.MapFS{"docs/package-lock.json": text(`{"packages":{"node_modules/lodash":{"version":"4.17.20"},
		"node_modules/a":{"version":"1"},"node_modules/b":{"version":"1"},"node_modules/c":{"version":"1"},"node_modules/d":{"version":"1"}}}`)})
	image := &inventory.Image{Name: "web", Layers: []inventory.Layer{{DiffID: "x", History: -1}}}
	packages := func(names ...string) []inventory.Package {
		var out []inventory.Package
		for _, n := range append(names, "lodash@4.17.20") {
			name, version, _ := strings.Cut(n, "@")
			out = append(out, inventory.Package{Name: name, Version: version, Type: "npm", PURL: "pkg:npm/" + n, Places: []inventory.Place{{Path: "/app/node_modules/" + name + "/package.json"}}})
		}
		return out
	}
	for name, tt := range map[string]struct {
		packages []inventory.Package
		found    bool
	}{
		"nothing beside it is known":           {nil, true},
		"too little beside it":                 {packages("x@1", "y@1"), true},
		"others beside it":                     {packages("x@1", "y@1", "z@1", "v@1", "w@1"), false},
		"the same names in other versions":     {packages("a@2", "b@2", "c@2", "d@2"), false},
		"most of the lock file":                {packages("a@1", "b@1", "c@1", "x@1", "y@1", "z@1", "v@1", "w@1"), true},
		"half of what is there":                {packages("a@1", "x@1", "y@1"), true},
		"the same packages in another project": {append(packages("x@1", "y@1", "z@1", "v@1"), inventory.Package{Name: "a", Version: "1", Type: "npm", PURL: "pkg:npm/a@1", Places: []inventory.Place{{Path: "/other/node_modules/a/package.json"}}}), false},
	} {
		got := NewWith(image, Options{Locks: locks, Packages: tt.packages}).Trace(vulnerable("npm/lodash@4.17.20", "/app/node_modules/lodash/package.json", "x"))
		if found := got.Locations[0].Space == finding.Repository; found != tt.found {
			t.Errorf("%s: claimed %v, want %v; %s", name, found, tt.found, originOf(got))
		}
	}
}
