package origin

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/portcullis-ci/portcullis/internal/dockerfile"
)

func TestValuesOfOptionsAreNoPackages(t *testing.T) {
	for command, want := range map[string]string{
		"apt-get install -t curl git":                                                    "git",
		"apt-get -o Acquire::Retries=3 install -y --no-install-recommends git":           "git",
		"apt-get -qqo Debug::x=1 install git":                                            "git",
		"apt-get install --target-release=curl git":                                      "git",
		"apt-get install --target-release curl -- git":                                   "git",
		"apt-get install -tcurl git":                                                     "git",
		"aptitude -y -t curl install git":                                                "git",
		"apk add --virtual .build curl":                                                  "curl",
		"apk add -t git curl":                                                            "curl",
		"apk add --no-cache --repository https://example.org/edge --virtual=git curl jq": "curl jq",
		"apk --no-cache -X git add curl":                                                 "curl",
		"dnf --enablerepo git install -y curl":                                           "curl",
		"dnf install --setopt install_weak_deps=0 --repo git curl":                       "curl",
		"yum -c git install curl":                                                        "curl",
		"microdnf install --enablerepo=git curl":                                         "curl",
		"zypper --non-interactive install --from git curl":                               "curl",
		"zypper -R git in -t package curl":                                               "curl",
		"pip install -r git -c flask jinja2":                                             "jinja2",
		"pip --proxy flask install --index-url flask --target flask jinja2":              "jinja2",
		"python3 -m pip install --no-cache-dir -i flask jinja2==2":                       "jinja2==2",
		"uv pip install --python flask jinja2":                                           "jinja2",
		"pipx install --python flask jinja2":                                             "jinja2",
		"npm install --prefix lodash left-pad":                                           "left-pad",
		"npm --prefix lodash install --registry lodash -w lodash left-pad":               "left-pad",
		"pnpm -C lodash add --filter lodash left-pad":                                    "left-pad",
		"yarn --cwd lodash add left-pad":                                                 "left-pad",
		"yarn global add --prefix lodash left-pad":                                       "left-pad",
		"gem install -v rack --source rack sinatra":                                      "sinatra",
		"gem install rack -v 2.0.1":                                                      "rack",
		"go install -tags example.com/a -ldflags=-s example.com/b@v1":                    "example.com/b@v1",
		"go -C example.com/a install example.com/b@v1":                                   "example.com/b@v1",
		"cargo install --root ripgrep --version ripgrep --locked fd-find":                "fd-find",
		"cargo install --git https://example.com/ripgrep":                                "https://example.com/ripgrep",
		"composer require -d monolog/monolog symfony/yaml:^5":                            "symfony/yaml:^5",
		"poetry add --group flask jinja2":                                                "jinja2",
		"sudo -u root apt-get install -t curl git":                                       "git",
		"apt-get -t curl update":                                                         "",
		"apt-get --unheard-of value install git":                                         "git",
		"apk add --no-cache":                                                             "",
		"dnf install -y 'curl' && echo git":                                              "curl",
		"npm ci --prefix lodash":                                                         "",
		"pip install -r":                                                                 "",
		"sh -c 'apt-get install -t curl git'":                                            "git",
	} {
		in := fileAt("Dockerfile", "FROM x\nRUN "+command+"\n").Final().Instructions[0]
		var got []string
		for _, c := range scriptOf(in).Commands {
			for _, a := range installed(c, "") {
				got = append(got, a.Text)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", command, got, want)
		}
	}
}

func TestWordsOfInstallersNamePackages(t *testing.T) {
	for _, tt := range []struct {
		typ, word, name string
		want            bool
	}{
		{"deb", "curl/bookworm-backports", "curl", true},
		{"deb", "curl:arm64", "curl", true},
		{"deb", "curl-", "curl", false}, // it is removed
		{"deb", "./curl.deb", "curl", false},
		{"deb", "libcurl4", "curl", false},
		{"rpm", "curl.x86_64", "curl", true},
		{"rpm", "curl-7.61.1", "curl", true},
		{"rpm", "curl-devel", "curl", false},
		{"rpm", "curl.rpm", "curl", false},
		{"apk", "curl=~8", "curl", true},
		{"apk", "!curl", "curl", false},
		{"npm", "old@npm:lodash@4", "lodash", true},
		{"npm", "lodash@npm:@scope/other@4", "lodash", false},
		{"npm", "@scope/x@1", "@scope/x", true},
		{"npm", "github/lodash", "lodash", false},
		{"pypi", "Jinja2[i18n]>=2", "jinja2", true},
		{"composer", "symfony/yaml:^5", "symfony/yaml", true},
	} {
		if got := names(tt.word, tt.typ, tt.name); got != tt.want {
			t.Errorf("%s %q names %q: %v", tt.typ, tt.word, tt.name, got)
		}
	}
}

func TestThePlaceOfAPackageIsItsNameAndNotTheValueOfAnOption(t *testing.T) {
	file := fileAt("Dockerfile", "FROM debian:12\nRUN apt-get install -y -t curl git curl\nCMD [\"a\"]\n")
	image := record(byBuildKit, file, debianBase)
	got := New(image, []*dockerfile.File{file}, nil).Trace(vulnerable("deb/curl@1", "/var/lib/dpkg/status", "line 2"))
	if place := show(got.Locations[0]); place != "Dockerfile:2:36-40" {
		t.Errorf("got %s; %s", place, originOf(got))
	}
	// What is only the value of an option is not installed by name.
	file = fileAt("Dockerfile", "FROM debian:12\nRUN apt-get install -y -t curl git\nCMD [\"a\"]\n")
	image = record(byBuildKit, file, debianBase)
	got = New(image, []*dockerfile.File{file}, nil).Trace(vulnerable("deb/curl@1", "/var/lib/dpkg/status", "line 2"))
	if place := show(got.Locations[0]); place != "Dockerfile:2:1-35" || strings.Contains(originOf(got), "names curl") {
		t.Errorf("got %s; %s", place, originOf(got))
	}
}

func TestALockFileIsLookedForWhereTheCommandIsToldToWork(t *testing.T) {
	locks := locksOf(t, lodashIn("web/package-lock.json", "api/package-lock.json"))
	for run, want := range map[string]string{
		"npm ci --prefix web":      "web/package-lock.json",
		"npm --prefix=/app/api ci": "api/package-lock.json",
		"npm -C web ci":            "web/package-lock.json",
		"npm ci":                   "",
		"npm --prefix web ci && npm --prefix api ci": "",
		"npm ci --prefix $WHERE":                     "",
		"cd web && npm ci":                           "",
	} {
		file := fileAt("Dockerfile", "FROM node:20\nARG WHERE\nWORKDIR /app\nCOPY . .\nRUN "+run+"\nCMD [\"a\"]\n")
		image := record(byBuildKit, file, debianBase)
		tracer := NewWith(image, Options{Dockerfiles: []*dockerfile.File{file}, Locks: locks})
		got := tracer.Trace(vulnerable("npm/lodash@4.17.20", "/app/node_modules/lodash/package.json", "line 5"))
		if place := got.Locations[0]; (place.Path != want) && !(want == "" && place.Path == "Dockerfile") {
			t.Errorf("%s: got %s; %s", run, show(place), originOf(got))
		}
	}
}

func TestAnOutputLiesInTheFolderThatTheCommandIsToldToWorkIn(t *testing.T) {
	for run, want := range map[string]bool{
		"go build -C cmd -o x .":          true,
		"go build -C=cmd -o x .":          true,
		"go build -C cmd -o /src/cmd/x .": true,
		"go build -o cmd/x ./cmd":         true,
		"go build -C cmd -o cmd/x .":      false,
		"cd cmd && go build -o x .":       false,
		"go build -o x .":                 false,
	} {
		in := fileAt("Dockerfile", "FROM golang:1.22\nWORKDIR /src\nRUN "+run+"\n").Final().Instructions[1]
		if m := scriptOf(in).runMaker(in, "/src/cmd/x"); (m != nil && m.exact) != want {
			t.Errorf("%s: %+v", run, m)
		}
	}
	in := fileAt("Dockerfile", "FROM node:20\nWORKDIR /src\nRUN npm --prefix web ci\n").Final().Instructions[1]
	if m := scriptOf(in).runMaker(in, "/src/web/node_modules/a/package.json"); m == nil || !m.filler {
		t.Error("node_modules of the prefix are not npm's")
	}
	if m := scriptOf(in).runMaker(in, "/src/node_modules/a/package.json"); m != nil {
		t.Errorf("node_modules beside the prefix are %s", m.how)
	}
}

// lodashIn is a checkout of lock files that all have one package.
func lodashIn(paths ...string) fstest.MapFS {
	out := make(fstest.MapFS)
	for _, p := range paths {
		out[p] = text("{\n  \"packages\": {\n    \"node_modules/lodash\": { \"version\": \"4.17.20\" }\n  }\n}\n")
	}
	return out
}

func TestAPackageThatLiesElsewhereIsOnlyLikelyThatOfTheLockFile(t *testing.T) {
	locks := locksOf(t, lodashIn("package-lock.json"))
	file := fileAt("Dockerfile", "FROM node:20\nWORKDIR /app\nCOPY . .\nRUN npm ci && ./other.sh\nCMD [\"a\"]\n")
	tracer := NewWith(record(byBuildKit, file, debianBase), Options{Dockerfiles: []*dockerfile.File{file}, Locks: locks})
	for path, want := range map[string]string{"/app/node_modules/lodash/package.json": Exact, "/opt/x/node_modules/lodash/package.json": Likely} {
		got := tracer.Trace(vulnerable("npm/lodash@4.17.20", path, "line 4"))
		if got.Locations[0].Path != "package-lock.json" || confidenceOf(got) != want {
			t.Errorf("%s: got %s; %s", path, show(got.Locations[0]), originOf(got))
		}
	}
}
