package origin

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/lockfile"
)

// shopDockerfile has an instruction of each sort that brings packages in.
const shopDockerfile = `ARG NODE=20
FROM golang:1.22 AS build
WORKDIR /src
COPY server/go.mod server/go.sum ./
COPY server/ .
RUN go build -trimpath -o /out/server .

FROM node:${NODE}-slim AS deps
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev

FROM debian:12-slim
ARG TOOLS="jq \
    tini"
ENV LANG=C.UTF-8 EXTRA="git ruby"
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        curl=7.88.1-10 \
        python3-pip \
    && apt-get install -y $TOOLS && apt-get install -y ${EXTRA} \
    && rm -rf /var/lib/apt/lists/*
RUN <<EOF
set -e
pip install gunicorn==19.9.0
gem install rack -v 2.0.1
EOF
WORKDIR /app
COPY requirements.txt .
RUN pip install -r requirements.txt
COPY --from=deps /app/node_modules ./node_modules
COPY --from=build /out/server /usr/local/bin/server
COPY vendor-bin/tool /usr/local/bin/
COPY --from=busybox:1.36 /bin/busybox /bin/busybox
RUN npm install -g pm2@4.5.0
COPY jars/*.jar /srv/
USER 10001
CMD ["server"]
`

// shopCheckout is the repository around it.
var shopCheckout = fstest.MapFS{
	"services/shop/package-lock.json": text(`{
  "packages": {
    "node_modules/lodash": { "version": "4.17.20" },
    "node_modules/a/node_modules/lodash": { "version": "4.17.20" },
    "node_modules/@babel/core": { "version": "7.12.3" }
  }
}`),
	"services/other/package-lock.json": text(`{"packages": {"node_modules/lodash": {"version": "4.17.20"}}}`),
	"services/shop/requirements.txt":   text("Jinja2==2.11.2\nPyYAML==5.3\n"),
	"services/other/requirements.txt":  text("jinja2==2.11.2\nwerkzeug==2.0.0\n"),
	"services/shop/server/go.mod":      text("module example.com/shop\n\nrequire golang.org/x/net v0.7.0\n"),
	"tools/Cargo.lock":                 text("[[package]]\nname = \"smallvec\"\nversion = \"0.6.9\"\nsource = \"registry+x\"\n"),
	"services/shop/pom.xml":            text("<project><dependencies><dependency>\n<groupId>org.apache.logging.log4j</groupId>\n<artifactId>log4j-core</artifactId>\n<version>2.14.1</version>\n</dependency></dependencies></project>"),
	"a/composer.lock":                  text(`{"packages":[{"name":"x/y","version":"1.0"}]}`),
	"b/composer.lock":                  text(`{"packages":[{"name":"x/y","version":"1.0"}]}`),
}

func text(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }

func locksOf(t testing.TB, tree fstest.MapFS) *lockfile.Set {
	t.Helper()
	set, err := lockfile.Find(t.Context(), tree, lockfile.Limits{})
	if err != nil || len(set.Unread) > 0 {
		t.Fatal(err, set.Unread)
	}
	return set
}

// vulnerable makes a finding about type/name@version at a path of a layer;
// name<source names a source package.
func vulnerable(pkg, path, layer string) finding.Finding {
	typ, rest, _ := strings.Cut(pkg, "/")
	at := strings.LastIndexByte(rest, '@')
	p := &finding.Package{Type: typ, Name: rest[:at], Version: rest[at+1:], PURL: "pkg:" + typ + "/" + rest}
	if i := strings.LastIndexByte(p.Name, '/'); typ == "maven" && i >= 0 {
		p.Name = p.Name[i+1:]
	}
	if name, source, ok := strings.Cut(p.Name, "<"); ok {
		p.Name, p.Source, p.PURL = name, source, ""
	}
	return finding.Finding{
		Kind: finding.Vulnerability, Package: p,
		Locations: []finding.Location{{Space: finding.InImage, Path: path, Layer: layer}},
	}
}

// originOf is the evidence about the place.
func originOf(f finding.Finding) string {
	for _, e := range f.Evidence {
		if e.Name == Fact {
			return e.Value
		}
	}
	return ""
}

func confidenceOf(f finding.Finding) string {
	c, _, _ := strings.Cut(originOf(f), ":")
	return c
}

func fileAt(name, content string) *dockerfile.File {
	return dockerfile.Parse(name, []byte(content), dockerfile.Options{})
}

// origins are findings of different origins with the line that a person has to
// change. whole selects the builders that make one layer of the whole build.
var origins = []struct {
	name             string
	pkg, path, layer string
	want, confidence string
	whole            bool
}{
	{"a package of the base image", "deb/libc6@2.36", "/var/lib/dpkg/status", "base", "services/shop/Dockerfile:13:6-20", Exact, false},
	{"an application package of the base image", "pypi/jinja2@2.11.2", "/opt/x/METADATA", "base", "services/shop/Dockerfile:13:6-20", Exact, false},
	{"a package with a version behind &&", "deb/curl@7.88.1-10", "/var/lib/dpkg/status", "line 17", "services/shop/Dockerfile:19:9-13", Exact, false},
	{"a package on a later line", "deb/python3-pip@23", "/var/lib/dpkg/status", "line 17", "services/shop/Dockerfile:20:9-20", Exact, false},
	{"a package of the list in an ARG", "deb/jq@1.6", "/var/lib/dpkg/status", "line 17", "services/shop/Dockerfile:14:12-14", Exact, false},
	{"one on the second line of that list", "deb/tini@0.19", "/var/lib/dpkg/status", "line 17", "services/shop/Dockerfile:15:5-9", Exact, false},
	{"a package of the list in an ENV", "deb/git@2.39", "/var/lib/dpkg/status", "line 17", "services/shop/Dockerfile:16:25-28", Exact, false},
	{"a package of the same source as a named one", "deb/libcurl4<curl@7.88.1-10", "/var/lib/dpkg/status", "line 17", "services/shop/Dockerfile:19:9-13", Likely, false},
	{"a dependency that nobody names", "deb/libssl3@3.0", "/var/lib/dpkg/status", "line 17", "services/shop/Dockerfile:17:1-21", Exact, false},
	{"a package named in a here-document", "pypi/gunicorn@19.9.0", "/usr/local/lib/python3.11/site-packages/g/METADATA", "line 23", "services/shop/Dockerfile:25:13-21", Exact, false},
	{"a gem named in a here-document", "gem/rack@2.0.1", "/var/lib/gems/rack.gemspec", "line 23", "services/shop/Dockerfile:26:13-17", Exact, false},
	{"a dependency of what a here-document installs", "pypi/packaging@20.0", "/usr/local/lib/python3.11/site-packages/p/METADATA", "line 23", "services/shop/Dockerfile:23:1-10", Exact, false},
	{"a Python package of the requirements, though another service has it too", "pypi/jinja2@2.11.2", "/usr/local/lib/python3.11/site-packages/j/METADATA", "line 30", "services/shop/requirements.txt:1:1-15", Exact, false},
	{"its name in another spelling", "pypi/pyyaml@5.3", "/usr/local/lib/python3.11/site-packages/y/METADATA", "line 30", "services/shop/requirements.txt:2:1-12", Exact, false},
	{"a Python package that only another service locks", "pypi/werkzeug@2.0.0", "/usr/local/lib/python3.11/site-packages/w/METADATA", "line 30", "services/shop/Dockerfile:30:1-36", Exact, false},
	{"another version than the locked one", "pypi/pyyaml@5.4", "/usr/local/lib/python3.11/site-packages/y/METADATA", "line 30", "services/shop/Dockerfile:30:1-36", Exact, false},
	{"a node package through a stage, though another service has it too", "npm/lodash@4.17.20", "/app/node_modules/lodash/package.json", "line 31", "services/shop/package-lock.json:3:6-25", Exact, false},
	{"the nested one of two entries", "npm/lodash@4.17.20", "/app/node_modules/a/node_modules/lodash/package.json", "line 31", "services/shop/package-lock.json:4:6-40", Exact, false},
	{"a node package with a scope", "npm/@babel/core@7.12.3", "/app/node_modules/@babel/core/package.json", "line 31", "services/shop/package-lock.json:5:6-30", Exact, false},
	{"a node package that is not locked leads to npm ci", "npm/extra@1.0.0", "/app/node_modules/extra/package.json", "line 31", "services/shop/Dockerfile:11:1-22", Exact, false},
	{"a Go module of a binary from a stage", "golang/golang.org/x/net@v0.7.0", "/usr/local/bin/server", "line 32", "services/shop/server/go.mod:3:9-32", Exact, false},
	{"a Go module that is not in go.mod leads to go build", "golang/golang.org/x/text@v0.3.0", "/usr/local/bin/server", "line 32", "services/shop/Dockerfile:6:1-40", Exact, false},
	{"Go's standard library leads to the compiler's image", "golang/stdlib@1.22.0", "/usr/local/bin/server", "line 32", "services/shop/Dockerfile:2:6-17", Likely, false},
	{"a crate of a binary built elsewhere, locked once", "cargo/smallvec@0.6.9", "/usr/local/bin/tool", "line 33", "tools/Cargo.lock:2:1-18", Likely, false},
	{"a crate that is not locked leads to COPY", "cargo/rand@0.1.0", "/usr/local/bin/tool", "line 33", "services/shop/Dockerfile:33:1-37", Exact, false},
	{"what is copied from another image leads to its name", "generic/busybox@1.36", "/bin/busybox", "line 34", "services/shop/Dockerfile:34:13-25", Exact, false},
	{"a global node package leads to its name", "npm/pm2@4.5.0", "/usr/local/lib/node_modules/pm2/package.json", "line 35", "services/shop/Dockerfile:35:20-23", Exact, false},
	{"its dependency to the command, not to a lock file", "npm/lodash@4.17.20", "/usr/local/lib/node_modules/pm2/node_modules/lodash/package.json", "line 35", "services/shop/Dockerfile:35:1-29", Exact, false},
	{"an archive copied in, locked once", "maven/org.apache.logging.log4j/log4j-core@2.14.1", "/srv/shop.jar", "line 36", "services/shop/pom.xml:3:13-23", Likely, false},
	{"a package that two lock files have leads to COPY", "composer/x/y@1.0", "/srv/vendor/installed.json", "line 36", "services/shop/Dockerfile:36:1-22", Exact, false},
	{"one layer of all: the command that names the package", "deb/curl@7.88.1-10", "/var/lib/dpkg/status", "merged", "services/shop/Dockerfile:19:9-13", Likely, true},
	{"one layer of all: the requirements that the only pip -r reads", "pypi/gunicorn@19.9.0", "/usr/lib/x/METADATA", "merged", "services/shop/Dockerfile:25:13-21", Likely, true},
	{"one layer of all: what nothing names has the file only", "deb/libssl3@3.0", "/var/lib/dpkg/status", "merged", "services/shop/Dockerfile:0:0-0", Likely, true},
	{"one layer of all: an archive by its folder and lock file", "maven/org.apache.logging.log4j/log4j-core@2.14.1", "/srv/shop.jar", "merged", "services/shop/pom.xml:3:13-23", Likely, true},
	{"one layer of all: the base image stays apart", "deb/libc6@2.36", "/var/lib/dpkg/status", "base", "services/shop/Dockerfile:13:6-20", Exact, true},
}

func TestFindingsOfDifferentOriginsLeadToTheirLines(t *testing.T) {
	file := fileAt("services/shop/Dockerfile", shopDockerfile)
	locks := locksOf(t, shopCheckout)
	builders := map[string]bool{
		byBuildKit: false, byClassic: false, byBuildah: false, byKaniko: false,
		bySquash: true, byKanikoSingle: true, byBuildahWhole: true,
	}
	for builder, whole := range builders {
		image := record(builder, file, debianBase)
		tracer := NewWith(image, Options{Dockerfiles: []*dockerfile.File{file}, Locks: locks})
		for _, tt := range origins {
			if tt.whole != whole {
				continue
			}
			t.Run(builder+": "+tt.name, func(t *testing.T) {
				got := tracer.Trace(vulnerable(tt.pkg, tt.path, tt.layer))
				if place := show(got.Locations[0]); place != tt.want || confidenceOf(got) != tt.confidence {
					t.Errorf("got  %s (%s)\nwant %s (%s)\n%s", place, originOf(got), tt.want, tt.confidence, tracer.Describe())
				}
				wantOrigin := finding.FromBuild
				if tt.layer == "base" {
					wantOrigin = finding.FromBaseImage
				}
				if got.Origin != wantOrigin {
					t.Errorf("origin %q, want %q", got.Origin, wantOrigin)
				}
			})
		}
	}
}

func TestAMaliciousPackageLeadsToTheLineOfTheLockFile(t *testing.T) {
	file := fileAt("services/shop/Dockerfile", shopDockerfile)
	tracer := NewWith(record(byBuildKit, file, debianBase), Options{Dockerfiles: []*dockerfile.File{file}, Locks: locksOf(t, shopCheckout)})
	f := vulnerable("npm/lodash@4.17.20", "/app/node_modules/lodash/package.json", "line 31")
	f.Kind = finding.Malware
	if place := show(tracer.Trace(f).Locations[0]); place != "services/shop/package-lock.json:3:6-25" {
		t.Errorf("leads to %s", place)
	}
	// What is wrong with a file itself is no matter of a lock file.
	f.Package = nil
	if place := show(tracer.Trace(f).Locations[0]); !strings.HasPrefix(place, "services/shop/Dockerfile:") {
		t.Errorf("a file leads to %s", place)
	}
}
