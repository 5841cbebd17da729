package origin

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/inventory"
)

// realistic are Dockerfiles as people write them. Each line below a file is a
// package, its path in the image, the layer and what is expected: the first
// place and the confidence.
var realistic = map[string]struct {
	file string
	want [][4]string
}{
	"a stage by its number": {
		"FROM golang:1.22\nWORKDIR /src\nCOPY . .\nRUN CGO_ENABLED=0 go build -o /bin/app ./cmd/app\nFROM gcr.io/distroless/static\nCOPY --from=0 /bin/app /\nENTRYPOINT [\"/app\"]\n",
		[][4]string{
			{"golang/x.org/y@v1", "/app", "line 6", "4:1-49 exact"},
			{"golang/stdlib@1.22.0", "/app", "line 6", "1:6-17 likely"},
			{"deb/tzdata@1", "/var/lib/dpkg/status.d/tzdata", "base", "5:6-30 exact"},
		},
	},
	"a stage with the name of an image": {
		"FROM alpine:3.20 AS alpine\nRUN apk add --no-cache curl\nFROM debian:12\nCOPY --from=alpine /usr/bin/curl /usr/bin/curl\nCMD [\"a\"]\n",
		[][4]string{{"generic/curl@8", "/usr/bin/curl", "line 4", "4:1-47 exact"}},
	},
	"an image and a stage of the same name that comes later": {
		"FROM debian:12 AS first\nCOPY --from=tools /bin/x /bin/x\nFROM debian:12 AS tools\nRUN make\nFROM first\nCMD [\"a\"]\n",
		[][4]string{{"generic/x@1", "/bin/x", "line 2", "2:13-18 exact"}},
	},
	"copies of copies": {
		"FROM golang:1.22 AS build\nRUN go build -o /out/app .\nFROM scratch AS collect\nCOPY --from=build /out/ /all/\nFROM alpine:3.20\nCOPY --from=collect /all/app /usr/local/bin/server\nCMD [\"server\"]\n",
		[][4]string{{"golang/x.org/y@v1", "/usr/local/bin/server", "line 6", "2:1-27 exact"}},
	},
	"a stage on a stage": {
		"FROM python:3.12-slim AS base\nRUN apt-get update && apt-get install -y libpq5\nFROM base AS dev\nRUN pip install debugpy==1.8\nFROM base\nRUN pip install flask==1.0\nCMD [\"a\"]\n",
		[][4]string{
			{"deb/libpq5@15", "/var/lib/dpkg/status", "line 2", "2:42-48 exact"},
			{"pypi/flask@1.0", "/usr/lib/python3/site-packages/f/METADATA", "line 6", "6:17-22 exact"},
			{"pypi/pip@24", "/usr/local/lib/python3.12/site-packages/pip/METADATA", "base", "1:6-22 exact"},
		},
	},
	"from scratch with everything copied": {
		"FROM alpine:3.20 AS certs\nRUN apk add --no-cache ca-certificates\nFROM rust:1.80 AS build\nWORKDIR /w\nCOPY . .\nRUN cargo build --release\n" +
			"FROM scratch\nCOPY --from=certs /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/\nCOPY --from=build /w/target/release/app /app\nUSER 1000\n",
		[][4]string{
			{"cargo/smallvec@0.6", "/app", "line 9", "6:1-26 exact"},
			{"generic/certs@1", "/etc/ssl/certs/ca-certificates.crt", "line 8", "8:1-69 exact"},
		},
	},
	"mounts": {
		"FROM golang:1.22 AS build\nRUN --mount=type=cache,target=/root/.cache --mount=type=bind,target=/src go build -o /out/a /src\n" +
			"FROM debian:12\nRUN --mount=type=cache,target=/var/cache/apt,sharing=locked \\\n  apt-get update \\\n  && apt-get install -y --no-install-recommends \\\n    # for the health check\n    curl\n" +
			"RUN --mount=type=bind,from=build,source=/out,target=/mnt cp /mnt/a /usr/local/bin/a\nCMD [\"a\"]\n",
		[][4]string{
			{"deb/curl@8", "/var/lib/dpkg/status", "line 4", "8:5-9 exact"},
			{"deb/libssl3@3", "/var/lib/dpkg/status", "line 4", "4:1-62 exact"},
			{"golang/x.org/y@v1", "/usr/local/bin/a", "line 9", "9:1-84 exact"},
		},
	},
	"remote files and here-documents": {
		"# syntax=docker/dockerfile:1\nFROM debian:12\nADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://example.org/tool.tar.gz /opt/\n" +
			"COPY <<EOF /etc/app.conf\nkey=value\nEOF\nRUN <<-EOF\n\tapt-get update\n\tapt-get install -y jq\nEOF\nCMD [\"a\"]\n",
		[][4]string{
			{"generic/tool@1", "/opt/tool.tar.gz", "line 3", "3:1-125 exact"},
			{"generic/conf@1", "/etc/app.conf", "line 4", "4:1-25 exact"},
			{"deb/jq@1", "/var/lib/dpkg/status", "line 7", "9:21-23 exact"},
		},
	},
	"lower case, an escape of its own and odd blanks": {
		"# escape=`\nfrom debian:12 as x\nrun apt-get update && `\n    apt-get install -y `\n    curl\ncmd [\"a\"]\n",
		[][4]string{{"deb/curl@8", "/var/lib/dpkg/status", "line 3", "5:5-9 exact"}},
	},
	"the same command twice": {
		"FROM debian:12\nRUN apt-get update\nRUN apt-get install -y git\nRUN apt-get update\nRUN apt-get install -y git curl\nCMD [\"a\"]\n",
		[][4]string{
			{"deb/git@2", "/var/lib/dpkg/status", "line 3", "3:24-27 exact"},
			{"deb/git@2", "/var/lib/dpkg/status", "line 5", "5:24-27 exact"},
		},
	},
	"a list of packages in a file": {
		"FROM debian:12\nCOPY packages.txt /tmp/\nRUN apt-get update && xargs -a /tmp/packages.txt apt-get install -y curl\nRUN apt-get install -y $(cat /tmp/packages.txt)\nCMD [\"a\"]\n",
		[][4]string{
			{"deb/git@2", "/var/lib/dpkg/status", "line 3", "3:1-73 exact"},
			{"deb/curl@8", "/var/lib/dpkg/status", "line 3", "3:69-73 exact"},
			{"deb/git@2", "/var/lib/dpkg/status", "line 4", "4:1-48 exact"},
		},
	},
	"packages that are built and dropped": {
		"FROM alpine:3.20\nRUN apk add --no-cache --virtual .build-deps gcc musl-dev \\\n && pip install --no-cache-dir -t /deps cffi==1.16 \\\n && apk del .build-deps\nCMD [\"a\"]\n",
		[][4]string{
			{"pypi/cffi@1.16", "/deps/cffi/METADATA", "line 2", "3:41-45 exact"},
			{"apk/gcc@13", "/lib/apk/db/installed", "line 2", "2:46-49 exact"},
		},
	},
	"a wheel that another stage made": {
		"FROM python:3.12 AS wheels\nCOPY requirements.txt .\nRUN pip wheel -w /wheels -r requirements.txt\nFROM python:3.12-slim\nCOPY --from=wheels /wheels /wheels\nRUN pip install --no-index --find-links=/wheels /wheels/*\nCMD [\"a\"]\n",
		[][4]string{{"pypi/jinja2@2", "/usr/local/lib/python3.12/site-packages/j/METADATA", "line 6", "6:1-58 exact"}},
	},
	"a virtual environment that another stage made": {
		"FROM python:3.12 AS build\nRUN python -m venv /venv\nCOPY requirements.txt .\nRUN /venv/bin/pip install -r requirements.txt\nFROM python:3.12-slim\nCOPY --from=build /venv /venv\nCMD [\"a\"]\n",
		[][4]string{{"pypi/jinja2@2", "/venv/lib/python3.12/site-packages/j/METADATA", "line 6", "4:1-46 exact"}},
	},
	"an environment that is set in the variables": {
		"FROM python:3.12 AS build\nENV VIRTUAL_ENV=/opt/venv\nRUN python -m venv $VIRTUAL_ENV\nENV PATH=\"$VIRTUAL_ENV/bin:$PATH\"\nRUN pip install flask==1.0 jinja2\nFROM python:3.12-slim\nCOPY --from=build /opt/venv /opt/venv\nCMD [\"a\"]\n",
		[][4]string{
			{"pypi/flask@1.0", "/opt/venv/lib/python3.12/site-packages/f/METADATA", "line 7", "5:17-22 exact"},
			{"pypi/werkzeug@1.0", "/opt/venv/lib/python3.12/site-packages/w/METADATA", "line 7", "5:1-34 exact"},
		},
	},
	"an environment that the script activates": {
		"FROM python:3.12 AS build\nRUN python -m venv /opt/venv && . /opt/venv/bin/activate && pip install flask==1.0\nRUN ./patch.sh\nFROM python:3.12-slim\nCOPY --from=build /opt/venv /opt/venv\nCMD [\"a\"]\n",
		[][4]string{{"pypi/werkzeug@1.0", "/opt/venv/lib/python3.12/site-packages/w/METADATA", "line 5", "5:1-38 likely"}},
	},
	"packages under a prefix": {
		"FROM python:3.12 AS build\nCOPY requirements.txt .\nRUN pip install --no-cache-dir --prefix=/install -r requirements.txt\nFROM python:3.12-slim\nCOPY --from=build /install /usr/local\nCMD [\"a\"]\n",
		[][4]string{{"pypi/jinja2@2", "/usr/local/lib/python3.12/site-packages/j/METADATA", "line 5", "3:1-69 exact"}},
	},
	"a stage that is copied whole": {
		"FROM alpine:3.20 AS work\nRUN apk add --no-cache curl\nRUN apk add --no-cache git jq\nFROM scratch\nCOPY --from=work / /\nCMD [\"a\"]\n",
		[][4]string{
			{"apk/curl@8", "/lib/apk/db/installed", "line 5", "2:24-28 exact"},
			{"apk/musl@1", "/lib/apk/db/installed", "line 5", "5:1-21 exact"},
		},
	},
	"an archive that Maven made": {
		"FROM maven:3.9 AS build\nWORKDIR /b\nCOPY pom.xml .\nRUN mvn dependency:go-offline\nCOPY src src\nRUN mvn -q package\nFROM eclipse-temurin:21\nCOPY --from=build /b/target/*.jar /app.jar\nCMD [\"a\"]\n",
		[][4]string{{"maven/org.x/y@1", "/app.jar", "line 8", "8:1-43 exact"}},
	},
	"an archive that Maven made, by its name": {
		"FROM maven:3.9 AS build\nWORKDIR /b\nCOPY . .\nRUN ./mvnw -q -f api/pom.xml package\nFROM eclipse-temurin:21\nCOPY --from=build /b/api/target/api.jar /app.jar\nCMD [\"a\"]\n",
		[][4]string{{"maven/org.x/y@1", "/app.jar", "line 6", "4:1-37 exact"}},
	},
	"a folder that two commands fill": {
		"FROM composer:2 AS vendor\nWORKDIR /app\nCOPY composer.json composer.lock ./\nRUN composer install --no-dev\nCOPY . .\nRUN composer dump-autoload\nFROM php:8\nCOPY --from=vendor /app /var/www\nCMD [\"a\"]\n",
		[][4]string{{"composer/a/b@1", "/var/www/vendor/composer/installed.json", "line 8", "8:1-33 likely"}},
	},
	"ownership and links": {
		"FROM node:20 AS deps\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm ci --omit=dev && npm cache clean --force\nFROM node:20-slim\nWORKDIR /app\nCOPY --link --chown=node:node --from=deps /app/node_modules ./node_modules\nCOPY --chown=node:node . .\nUSER node\nCMD [\"node\"]\n",
		[][4]string{
			{"npm/a@1", "/app/node_modules/a/package.json", "line 7", "4:1-49 exact"},
			{"npm/b@1", "/app/lib/node_modules/b/package.json", "line 8", "8:1-27 exact"},
		},
	},
	"a trigger of a stage of the file": {
		"FROM node:20 AS parent\nWORKDIR /app\nONBUILD COPY . /app\nONBUILD RUN npm install left-pad\nFROM parent\nRUN npm install is-odd\nCMD [\"a\"]\n",
		[][4]string{
			{"npm/left-pad@1", "/app/node_modules/left-pad/package.json", "line 4", "4:25-33 exact"},
			{"npm/is-odd@1", "/app/node_modules/is-odd/package.json", "line 6", "6:17-23 exact"},
		},
	},
	"a choice of stages by an argument": {
		"ARG KIND=full\nFROM debian:12 AS full\nRUN apt-get install -y vim\nFROM debian:12-slim AS small\nRUN apt-get install -y nano\nFROM ${KIND} AS chosen\nRUN apt-get install -y git\nCMD [\"a\"]\n",
		[][4]string{
			{"deb/vim@9", "/var/lib/dpkg/status", "line 3", "3:24-27 exact"},
			{"deb/git@2", "/var/lib/dpkg/status", "line 7", "7:24-27 exact"},
			{"deb/libc6@2", "/var/lib/dpkg/status", "base", "2:6-15 exact"},
		},
	},
	"an SDK and a runtime": {
		"FROM mcr.microsoft.com/dotnet/sdk:8.0 AS build\nWORKDIR /s\nCOPY . .\nRUN dotnet publish -c Release -o /app\nFROM mcr.microsoft.com/dotnet/aspnet:8.0\nWORKDIR /app\nCOPY --from=build /app .\nENTRYPOINT [\"dotnet\", \"a.dll\"]\n",
		[][4]string{
			{"nuget/X@1", "/app/a.deps.json", "line 7", "7:1-25 exact"},
			{"nuget/Y@1", "/usr/share/dotnet/y.deps.json", "base", "5:6-41 exact"},
		},
	},
	"a program of an image without a stage": {
		"FROM debian:12\nCOPY --from=ghcr.io/astral-sh/uv:0.4 /uv /uvx /bin/\nRUN uv pip install --system --no-cache flask==1.0\nCMD [\"a\"]\n",
		[][4]string{
			{"cargo/a@1", "/bin/uv", "line 2", "2:13-37 exact"},
			{"pypi/flask@1.0", "/usr/lib/python3/site-packages/f/METADATA", "line 3", "3:40-45 exact"},
		},
	},
}

func TestRealisticDockerfilesLeadToTheRightLine(t *testing.T) {
	for name, tt := range realistic {
		for _, builder := range []string{byBuildKit, byClassic, byBuildah, byKaniko} {
			if builder == byKaniko && strings.Contains(tt.file, "COPY <<") {
				continue // kaniko cannot build it
			}
			file := fileAt("Dockerfile", tt.file)
			base := debianBase
			if file.Final().Root().Base.Value.Text == "scratch" {
				base = nil
			}
			image := record(builder, file, base)
			tracer := New(image, []*dockerfile.File{file}, nil)
			for _, w := range tt.want {
				got := tracer.Trace(vulnerable(w[0], w[1], w[2]))
				if place := strings.TrimPrefix(show(got.Locations[0]), "Dockerfile:") + " " + confidenceOf(got); place != w[3] {
					t.Errorf("%s, %s, %s in %s:\n got %s, want %s\n %s; %s", name, builder, w[0], w[2], place, w[3], originOf(got), tracer.Describe())
				}
			}
		}
	}
}

func TestImagesThatWereMadeAnewFromTheBuildsFilesClaimNoLine(t *testing.T) {
	file := fileAt("Dockerfile", "FROM debian:12-slim\nRUN apt-get install -y curl\nCOPY app /srv/app\nENV A=b\nUSER 10001\nCMD [\"a\"]\n")
	built := record(byBuildKit, file, debianBase).History
	settings := built[len(built)-3:]
	for name, history := range map[string][]inventory.History{
		"imported from an archive": {{Comment: "Imported from -"}},
		"flattened":                {{CreatedBy: "crane flatten sha256:0123"}},
		"squashed to one layer":    append(slices.Clone(debianBase), inventory.History{CreatedBy: "", Comment: "squashed"}),
		"squashed with settings":   append([]inventory.History{{CreatedBy: ""}}, settings...),
		"made smaller":             append(slices.Clone(settings), inventory.History{CreatedBy: "COPY dir:0123456789abcdef in / "}),
		"without a history":        nil,
	} {
		image := &inventory.Image{Name: "shop/web", History: history}
		for i, h := range history {
			if !h.EmptyLayer {
				image.Layers = append(image.Layers, inventory.Layer{DiffID: fmt.Sprint("layer ", i), History: i})
			}
		}
		if len(image.Layers) == 0 {
			image.Layers = []inventory.Layer{{DiffID: "layer", History: -1}}
		}
		tracer := New(image, []*dockerfile.File{file}, nil)
		for _, claim := range claims(tracer, image) {
			if !strings.Contains(claim, Likely) || !strings.Contains(claim, "Dockerfile:1:") {
				t.Errorf("%s: %s; %s", name, claim, tracer.Describe())
			}
		}
	}
}

func TestOfSeveralDockerfilesTheOneThatBuiltTheImageIsFound(t *testing.T) {
	files := []*dockerfile.File{
		fileAt("base.Dockerfile", "FROM debian:12-slim\nRUN apt-get install -y curl\n"),
		fileAt("Dockerfile", "FROM shop/base\nCOPY app /srv/app\nCMD [\"app\"]\n"),
		fileAt("Dockerfile.dev", "FROM shop/base\nRUN apt-get install -y gdb\nCOPY app /srv/app\nCMD [\"app\"]\n"),
		fileAt("test/Dockerfile", "FROM shop/base\nCOPY app /srv/app\nCMD [\"app\", \"--test\"]\n"),
		fileAt("other/Dockerfile", "FROM alpine:3.20\nCMD [\"app\"]\n"),
	}
	base := append(slices.Clone(debianBase), inventory.History{CreatedBy: "RUN /bin/sh -c apt-get install -y curl # buildkit"})
	for i, want := range map[int]string{1: "Dockerfile:2:1-18", 2: "Dockerfile.dev:3:1-18", 3: "test/Dockerfile:2:1-18"} {
		image := record(byBuildKit, files[i], base)
		top := image.Layers[len(image.Layers)-1].DiffID
		tracer := NewWith(image, Options{Dockerfiles: files, BaseLayers: []string{"base", "base"}})
		if got := show(tracer.Trace(vulnerable("generic/app@1", "/srv/app", top)).Locations[0]); got != want {
			t.Errorf("got %s, want %s; %s", got, want, tracer.Describe())
		}
		// Without the base image's layers, Dockerfile.dev may be the right one with
		// a line that was changed since.
		if got := claims(New(image, files, nil), image); i == 1 && len(got) > 0 {
			t.Errorf("claims %v", got)
		}
	}
	image := record(byBuildKit, files[0], debianBase)
	got := New(image, files, nil).Trace(vulnerable("deb/curl@8", "/var/lib/dpkg/status", "line 2"))
	if show(got.Locations[0]) != "base.Dockerfile:2:24-28" {
		t.Errorf("the base image leads to %s", show(got.Locations[0]))
	}
}
