package origin

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
)

const small = `FROM debian:12-slim
ARG VERSION=1
ENV APP_VERSION=$VERSION MODE=prod
RUN apt-get update
RUN apt-get install -y curl
WORKDIR /srv
COPY --chown=10001 app.py lib ./
USER 10001
CMD ["python3", "app.py"]
`

func TestADockerfileThatDiffersClaimsNothingAndSaysWhy(t *testing.T) {
	changed := func(old, new string) string { return strings.Replace(small, old, new, 1) }
	tests := []struct{ name, text, why string }{
		{"the end of another command", changed("RUN apt-get install -y curl", "RUN install -y curl"), "line 5 (RUN)"},
		{"another package", changed("curl", "wget"), "line 5 (RUN)"},
		{"one package more", changed("-y curl", "-y curl git"), "line 5 (RUN)"},
		{"commands in another order", changed("RUN apt-get update\nRUN apt-get install -y curl", "RUN apt-get install -y curl\nRUN apt-get update"), "line 5 (RUN)"},
		{"instructions in another order", changed("WORKDIR /srv\nCOPY --chown=10001 app.py lib ./", "COPY --chown=10001 app.py lib ./\nWORKDIR /srv"), "line 7 (WORKDIR)"},
		{"another user", changed("USER 10001", "USER 10002"), "line 8 (USER)"},
		{"another value", changed("MODE=prod", "MODE=production"), "line 3 (ENV)"},
		{"another folder", changed("/srv", "/srv2"), "line 6 (WORKDIR)"},
		{"an instruction more", small + "EXPOSE 80\n", "line 10 (EXPOSE)"},
		{"an instruction less", changed("USER 10001\n", ""), "line 7 (COPY)"},
		{"from scratch", changed("debian:12-slim", "scratch"), "starts from scratch"},
		{"a foreign file", "FROM alpine\nRUN apk add git\n", "line 2 (RUN)"},
		{"nothing but a base", "FROM debian:12-slim\n", "no instruction besides FROM"},
	}
	for _, builder := range []string{byBuildKit, byClassic, byBuildah, byKaniko} {
		image := record(builder, fileAt("Dockerfile", small), debianBase)
		if own := New(image, []*dockerfile.File{fileAt("Dockerfile", small)}, nil); own.alignment == nil {
			t.Fatalf("%s: the file itself does not match: %s", builder, own.Describe())
		}
		for _, tt := range tests {
			if builder == byKaniko && !strings.Contains(tt.why, "RUN") {
				continue // kaniko records the instructions that make files only
			}
			t.Run(builder+": "+tt.name, func(t *testing.T) {
				tracer := New(image, []*dockerfile.File{fileAt("Dockerfile", tt.text)}, nil)
				got := tracer.Trace(vulnerable("deb/curl@1", "/var/lib/dpkg/status", "line 5"))
				if len(got.Locations) != 1 || got.Origin != "" {
					t.Errorf("claims %s for the %s", show(got.Locations[0]), got.Origin)
				}
				if d := tracer.Describe(); !strings.Contains(d, "no Dockerfile matches") || !strings.Contains(d, tt.why) {
					t.Errorf("described as %q, which does not say %q", d, tt.why)
				}
			})
		}
	}
}

func TestOneLayerForTheWholeBuildNeedsSettingsThatAgree(t *testing.T) {
	image := record(byBuildahWhole, fileAt("Dockerfile", small), debianBase)
	for name, tt := range map[string]struct{ old, new, why string }{
		"another command": {`"app.py"]`, `"other.py"]`, "line 9 (CMD)"},
		"another user":    {"USER 10001", "USER 0", "line 8 (USER)"},
		"another base":    {"debian:12-slim", "alpine:3.20", "base image"},
	} {
		tracer := New(image, []*dockerfile.File{fileAt("Dockerfile", strings.Replace(small, tt.old, tt.new, 1))}, nil)
		if tracer.alignment != nil || !strings.Contains(tracer.Describe(), tt.why) {
			t.Errorf("%s: described as %q", name, tracer.Describe())
		}
	}
	bare := fileAt("Dockerfile", "FROM debian:12-slim\nRUN apt-get install -y curl\n")
	if tracer := New(image, []*dockerfile.File{bare}, nil); tracer.alignment != nil {
		t.Error("a file without any setting was taken for the right one")
	}
}

func TestTwoFilesThatMatchEquallyWellClaimNothing(t *testing.T) {
	image := record(byBuildKit, fileAt("Dockerfile", small), debianBase)
	tracer := New(image, []*dockerfile.File{fileAt("a/Dockerfile", small), fileAt("b/Dockerfile", small)}, nil)
	got := tracer.Trace(vulnerable("deb/curl@1", "/x", "line 5"))
	if len(got.Locations) != 1 || !strings.Contains(tracer.Describe(), "equally well") {
		t.Errorf("claims %s; %s", show(got.Locations[0]), tracer.Describe())
	}
	// The one that accounts for more of the history wins.
	shorter := strings.Replace(small, "ARG VERSION=1\nENV APP_VERSION=$VERSION MODE=prod\n", "", 1)
	tracer = New(image, []*dockerfile.File{fileAt("a/Dockerfile", shorter), fileAt("b/Dockerfile", small)}, nil)
	if got := show(tracer.Trace(vulnerable("deb/curl@1", "/x", "line 5")).Locations[0]); got != "b/Dockerfile:5:24-28" {
		t.Errorf("got %s", got)
	}
}

func TestBuildArgumentsThatNobodyKnowsDoNotHideTheDockerfile(t *testing.T) {
	built := dockerfile.Parse("Dockerfile", []byte(small), dockerfile.Options{BuildArgs: map[string]string{"VERSION": "2.7 beta"}})
	for _, builder := range []string{byBuildKit, byClassic} {
		tracer := New(record(builder, built, debianBase), []*dockerfile.File{fileAt("Dockerfile", small)}, nil)
		if tracer.alignment == nil {
			t.Errorf("%s: %s", builder, tracer.Describe())
		}
	}
}

func TestAnImageOnAnotherBaseKeepsItsLines(t *testing.T) {
	rebased := []inventory.History{{CreatedBy: "ADD other.tar / # buildkit"}, {CreatedBy: "RUN /bin/sh -c upgrade # buildkit"}, {CreatedBy: "ENV A=b", EmptyLayer: true}}
	tracer := New(record(byBuildKit, fileAt("Dockerfile", small), rebased), []*dockerfile.File{fileAt("Dockerfile", small)}, nil)
	if got := show(tracer.Trace(vulnerable("deb/curl@1", "/x", "line 5")).Locations[0]); got != "Dockerfile:5:24-28" {
		t.Errorf("got %s", got)
	}
}

func TestTargetsAndTriggersAndStagesAreFollowed(t *testing.T) {
	const text = "ARG BASE=debian:12-slim\nFROM ${BASE} AS base\nONBUILD RUN apt-get install -y tini\nRUN apt-get install -y curl\n" +
		"FROM base AS prod\nCMD [\"a\"]\nFROM prod AS debug\nRUN apt-get install -y gdb\n"
	for target, tests := range map[string]map[string]string{
		"prod":  {"base": "2:6-13", "line 3": "3:32-36", "line 4": "4:24-28"},
		"debug": {"base": "2:6-13", "line 3": "3:32-36", "line 4": "4:24-28", "line 8": "8:24-27"},
	} {
		packages := map[string]string{"base": "libc6", "line 3": "tini", "line 4": "curl", "line 8": "gdb"}
		file := dockerfile.Parse("Dockerfile", []byte(text), dockerfile.Options{Target: target})
		for _, builder := range []string{byBuildKit, byClassic, byKaniko} {
			tracer := New(record(builder, file, debianBase), []*dockerfile.File{file}, nil)
			for layer, want := range tests {
				got := tracer.Trace(vulnerable("deb/"+packages[layer]+"@1", "/x", layer))
				if show(got.Locations[0]) != "Dockerfile:"+want {
					t.Errorf("%s, %s, %s: got %s, want %s; %s", target, builder, layer, show(got.Locations[0]), want, tracer.Describe())
				}
			}
		}
	}
}

func TestKnownLayersTellTheBaseImage(t *testing.T) {
	image := record(byBuildKit, fileAt("Dockerfile", small), []inventory.History{{CreatedBy: "ADD x /"}, {CreatedBy: "RUN onbuild trigger"}})
	image.Layers[0].DiffID, image.Layers[1].DiffID = "sha256:base", "sha256:trigger"
	files := []*dockerfile.File{fileAt("Dockerfile", small)}
	tests := []struct {
		name, layer string
		opt         Options
		place, note string
		origin      finding.Origin
	}{
		{"with the Dockerfile", "sha256:base", Options{Dockerfiles: files, BaseLayers: []string{"sha256:base"}}, "Dockerfile:1:6-20", baseNote, finding.FromBaseImage},
		{"a trigger of the base image", "sha256:trigger", Options{Dockerfiles: files, BaseLayers: []string{"sha256:base"}}, "Dockerfile:1:6-20", "trigger of the base image", finding.FromBuild},
		{"without one", "sha256:base", Options{BaseLayers: []string{"sha256:base"}}, "/x:0:0-0", "layer 1 of 6 (ADD)", finding.FromBaseImage},
		{"above them", "line 5", Options{BaseLayers: []string{"sha256:base"}}, "/x:0:0-0", "layer 4 of 6 (RUN)", ""},
		{"layers of another image", "sha256:base", Options{BaseLayers: []string{"sha256:other"}}, "/x:0:0-0", "layer 1 of 6 (ADD)", ""},
	}
	for _, tt := range tests {
		got := NewWith(image, tt.opt).Trace(vulnerable("deb/libc6@1", "/x", tt.layer))
		if show(got.Locations[0]) != tt.place || got.Locations[0].Note != tt.note || got.Origin != tt.origin {
			t.Errorf("%s: got %s %q %q", tt.name, show(got.Locations[0]), got.Locations[0].Note, got.Origin)
		}
	}
}

func TestBuildersWithoutADockerfileAreNamed(t *testing.T) {
	locks := locksOf(t, fstest.MapFS{"go.mod": text("module m\n\nrequire golang.org/x/net v0.7.0\n")})
	for name, h := range map[string]inventory.History{
		"ko":    {Author: "ko", CreatedBy: "ko build ko://example.com/app", Comment: "go build output, at /ko-app/app"},
		"Jib":   {Author: "Jib", CreatedBy: "jib-maven-plugin:3.3.1", Comment: "dependencies"},
		"Bazel": {Author: "Bazel", CreatedBy: "bazel build ..."},
		"apko":  {Author: "apko", CreatedBy: "apko", Comment: "This is an apko single-layer image"},
	} {
		image := &inventory.Image{
			Name: "web", History: append(debianBase[:2:2], h),
			Layers: []inventory.Layer{{DiffID: "base"}, {DiffID: "app", History: 2}},
		}
		tracer := NewWith(image, Options{Dockerfiles: []*dockerfile.File{fileAt("Dockerfile", small)}, Locks: locks})
		if d := tracer.Describe(); !strings.Contains(d, "built by "+name+" without a Dockerfile") {
			t.Errorf("%s: %s", name, d)
		}
		got := tracer.Trace(vulnerable("golang/golang.org/x/net@v0.7.0", "/ko-app/app", "app"))
		if show(got.Locations[0]) != "go.mod:3:9-32" || confidenceOf(got) != Likely {
			t.Errorf("%s: got %s, %s", name, show(got.Locations[0]), originOf(got))
		}
	}
	image := &inventory.Image{Config: inventory.Config{Labels: map[string]string{"io.buildpacks.build.metadata": "{}"}}}
	if d := New(image, nil, nil).Describe(); !strings.Contains(d, "Buildpacks") {
		t.Error(d)
	}
}

func TestWhereLockFilesDoNotTellNoneIsClaimed(t *testing.T) {
	lock := text("requests==2.19.0\n")
	const pip = "FROM python:3.12\nCOPY . /app\nWORKDIR /app\nRUN pip install -r requirements.txt\n"
	tests := []struct {
		name, dockerfile string
		tree             fstest.MapFS
		want             string
	}{
		{"the one that is copied and read", pip, fstest.MapFS{"requirements.txt": lock}, "requirements.txt:1:1-17"},
		{"not one that is copied and not read", pip, fstest.MapFS{"docs/requirements.txt": lock}, "Dockerfile:4:1-36"},
		{"not one of another kind", pip, fstest.MapFS{"poetry.lock": text("[[package]]\nname = \"requests\"\nversion = \"2.19.0\"\n")}, "Dockerfile:4:1-36"},
		{"not one that is copied later", "FROM python:3.12\nWORKDIR /app\nRUN ./build.sh\nCOPY . /app\n", fstest.MapFS{"requirements.txt": lock}, "Dockerfile:3:1-15"},
		{"one that is mounted", "FROM python:3.12\nRUN --mount=type=bind,source=requirements.txt,target=/tmp/r.txt pip install -r /tmp/r.txt\n", fstest.MapFS{"requirements.txt": lock}, "requirements.txt:1:1-17"},
		{"not a file of another name", pip, fstest.MapFS{"dev-requirements.txt": lock}, "Dockerfile:4:1-36"},
		{"that of the name beside another", pip, fstest.MapFS{"dev-requirements.txt": lock, "requirements.txt": lock}, "requirements.txt:1:1-17"},
		{"one that a script reads, if it is the only one", "FROM python:3.12\nCOPY . /app\nRUN /app/build.sh\n", fstest.MapFS{"requirements.txt": lock}, "requirements.txt:1:1-17"},
		{"not one of two that a script may read", "FROM python:3.12\nCOPY . /app\nRUN /app/build.sh\n", fstest.MapFS{"requirements.txt": lock, "dev-requirements.txt": lock}, "Dockerfile:3:1-18"},
		{"not where the command names its packages", "FROM python:3.12\nCOPY . /app\nRUN pip install flask\n", fstest.MapFS{"requirements.txt": lock}, "Dockerfile:3:1-22"},
		{"nothing to look at", pip, fstest.MapFS{}, "Dockerfile:4:1-36"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := fileAt("Dockerfile", tt.dockerfile)
			layer := ""
			for _, in := range file.Instructions {
				if in.Keyword == "RUN" {
					layer = fmt.Sprintf("line %d", in.Line)
				}
			}
			tracer := NewWith(record(byBuildKit, file, debianBase), Options{Dockerfiles: []*dockerfile.File{file}, Locks: locksOf(t, tt.tree)})
			got := tracer.Trace(vulnerable("pypi/requests@2.19.0", "/usr/lib/python3/site-packages/r/METADATA", layer))
			if show(got.Locations[0]) != tt.want {
				t.Errorf("got %s, want %s; %s", show(got.Locations[0]), tt.want, originOf(got))
			}
		})
	}
}

func FuzzPlacesLieInTheirFiles(f *testing.F) {
	f.Add(shopDockerfile, "curl", "deb", "/usr/local/bin/server", 3)
	f.Add(small, "requests", "pypi", "/srv/app.py", 1)
	f.Add("FROM a\nRUN \\\n apk add $X\nCOPY --from=0 . .\n", "x", "apk", "/", 0)
	builders := []string{byBuildKit, byClassic, bySquash, byKaniko, byKanikoSingle, byBuildah, byBuildahWhole}
	f.Fuzz(func(t *testing.T, content, name, typ, path string, n int) {
		file := dockerfile.Parse("Dockerfile", []byte(content), dockerfile.Options{})
		if file.Final() == nil || len(stepsOf(file.Final())) == 0 {
			return
		}
		image := record(builders[uint(n)%uint(len(builders))], file, debianBase)
		tracer := New(image, []*dockerfile.File{file}, nil)
		_ = tracer.Describe()
		for _, l := range image.Layers {
			got := tracer.Trace(finding.Finding{
				Kind: finding.Vulnerability, Package: &finding.Package{Name: name, Type: typ, Source: path},
				Locations: []finding.Location{{Space: finding.InImage, Path: path, Layer: l.DiffID}},
			})
			for _, l := range got.Locations {
				checkPlace(t, file, l)
			}
		}
	})
}

// checkPlace holds a location to lie in the file.
func checkPlace(t *testing.T, file *dockerfile.File, l finding.Location) {
	t.Helper()
	if l.Space != finding.Repository || l.Line == 0 {
		return
	}
	span := file.LineSpan(l.Line)
	_, last := file.Position(span.End)
	if l.Line > file.Lines() || l.EndLine != l.Line || l.Column < 1 || l.EndColumn < l.Column || l.EndColumn > last {
		t.Fatalf("%+v is outside of line %d, which ends at %d", l, l.Line, last)
	}
}
