package origin

import (
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
)

// claims are the places in the repository that a tracer gives findings in each
// layer of an image.
func claims(tracer *Tracer, image *inventory.Image) []string {
	var out []string
	for _, l := range image.Layers {
		f := tracer.Trace(vulnerable("deb/unheard-of@1", "/var/lib/dpkg/status", l.DiffID))
		if f.Locations[0].Space == finding.Repository {
			out = append(out, l.DiffID+" is "+show(f.Locations[0])+" ("+originOf(f)+")")
		}
	}
	return out
}

func TestADockerfileOfSettingsAloneDoesNotTakeTheImageOfAnother(t *testing.T) {
	const built = "FROM debian:12-slim\nRUN apt-get install -y curl\nVOLUME /data\nEXPOSE 8080/tcp 9090/udp\nSTOPSIGNAL SIGTERM\n" +
		"HEALTHCHECK --interval=30s CMD curl -f http://localhost/\nSHELL [\"/bin/bash\", \"-c\"]\nENTRYPOINT [\"/usr/bin/app\"]\nCMD [\"--port\", \"80\"]\n"
	for name, last := range map[string]string{
		"another command":               "CMD [\"--port\", \"81\"]",
		"a command that begins alike":   "CMD [\"--port\", \"80\", \"-v\"]",
		"a command that ends alike":     "CMD [\"80\"]",
		"another entry point":           "ENTRYPOINT [\"/usr/bin/other\"]\nCMD [\"--port\", \"80\"]",
		"another health check":          "HEALTHCHECK CMD curl -f http://localhost:81/\nSHELL [\"/bin/bash\", \"-c\"]\nENTRYPOINT [\"/usr/bin/app\"]\nCMD [\"--port\", \"80\"]",
		"no health check":               "HEALTHCHECK NONE\nSHELL [\"/bin/bash\", \"-c\"]\nENTRYPOINT [\"/usr/bin/app\"]\nCMD [\"--port\", \"80\"]",
		"another shell":                 "SHELL [\"/bin/ash\", \"-c\"]\nENTRYPOINT [\"/usr/bin/app\"]\nCMD [\"--port\", \"80\"]",
		"a command of the shell's form": "CMD --port 81",
	} {
		for _, builder := range []string{byBuildKit, byClassic, byBuildah} {
			image := record(builder, fileAt("Dockerfile", built), debianBase)
			tracer := New(image, []*dockerfile.File{fileAt("other/Dockerfile", "FROM alpine:3.20\n"+last+"\n")}, nil)
			if got := claims(tracer, image); len(got) > 0 {
				t.Errorf("%s, %s: %s", builder, name, strings.Join(got, "; "))
			}
		}
	}
	for _, change := range [][2]string{
		{"VOLUME /data", "VOLUME /data2"}, {"8080/tcp", "8081/tcp"}, {" 9090/udp", ""}, {"9090/udp", "9090"}, {"SIGTERM", "SIGKILL"},
	} {
		for _, builder := range []string{byBuildKit, byClassic, byBuildah} {
			image := record(builder, fileAt("Dockerfile", built), debianBase)
			tracer := New(image, []*dockerfile.File{fileAt("Dockerfile", strings.Replace(built, change[0], change[1], 1))}, nil)
			if got := claims(tracer, image); len(got) > 0 {
				t.Errorf("%s, %q for %q: %s", builder, change[1], change[0], strings.Join(got, "; "))
			}
		}
	}
	for _, builder := range []string{byBuildKit, byClassic, byBuildah, byKaniko} {
		image := record(builder, fileAt("Dockerfile", built), debianBase)
		if own := New(image, []*dockerfile.File{fileAt("Dockerfile", built)}, nil); own.alignment == nil {
			t.Errorf("%s: the file itself does not match: %s", builder, own.Describe())
		}
	}
}

func TestWhereSettingsAloneAgreeTheBaseImageIsOnlyLikely(t *testing.T) {
	file := fileAt("Dockerfile", "FROM debian:12-slim\nUSER 10001\nCMD [\"a\"]\n")
	image := record(byBuildKit, file, debianBase)
	for name, tt := range map[string]struct {
		label string
		opt   Options
		want  string
	}{
		"nothing else tells":       {"", Options{}, Likely},
		"the labels name the base": {"docker.io/library/debian:12-slim", Options{}, Exact},
		"the labels name another":  {"docker.io/library/alpine:3.20", Options{}, Likely},
		"its layers are known":     {"", Options{BaseLayers: []string{"base"}}, Exact},
	} {
		image.Config.Labels = map[string]string{"org.opencontainers.image.base.name": tt.label}
		tt.opt.Dockerfiles = []*dockerfile.File{file}
		got := NewWith(image, tt.opt).Trace(vulnerable("deb/libc6@1", "/x", "base"))
		if show(got.Locations[0]) != "Dockerfile:1:6-20" || confidenceOf(got) != tt.want {
			t.Errorf("%s: got %s, %s", name, show(got.Locations[0]), originOf(got))
		}
	}
}

func TestAFileThatWasChangedSpeaksAgainstAShorterOneThatStillAgrees(t *testing.T) {
	const built = "FROM python:3.12\nRUN pip install flask==1.0\nCOPY . .\nCMD [\"app\"]\n"
	changed := fileAt("a/Dockerfile", strings.Replace(built, "1.0", "2.0", 1))
	shorter := fileAt("b/Dockerfile", "FROM alpine:3.20\nCOPY . .\nCMD [\"app\"]\n")
	image := record(byBuildKit, fileAt("a/Dockerfile", built), debianBase)
	tracer := New(image, []*dockerfile.File{changed, shorter}, nil)
	if got := claims(tracer, image); len(got) > 0 || !strings.Contains(tracer.Describe(), "a/Dockerfile agrees as far") {
		t.Errorf("claims %v; %s", got, tracer.Describe())
	}
	// An image of the shorter file, whose base image is known.
	own := record(byBuildKit, shorter, []inventory.History{{CreatedBy: "ADD x /"}, {CreatedBy: "RUN /bin/sh -c other # buildkit"}})
	own.Layers[0].DiffID, own.Layers[1].DiffID = "sha256:0", "sha256:1"
	tracer = NewWith(own, Options{Dockerfiles: []*dockerfile.File{changed, shorter}, BaseLayers: []string{"sha256:0", "sha256:1"}})
	if got := show(tracer.Trace(vulnerable("deb/x@1", "/x", "sha256:1")).Locations[0]); got != "b/Dockerfile:1:6-17" {
		t.Errorf("got %s; %s", got, tracer.Describe())
	}
	// A file that is merely longer was not changed.
	longer := fileAt("c/Dockerfile", "FROM python:3.12\nWORKDIR /app\nCOPY . .\nCMD [\"app\"]\n")
	plain := record(byBuildKit, shorter, debianBase)
	if got := claims(New(plain, []*dockerfile.File{longer, shorter}, nil), plain); len(got) != 2 || !strings.Contains(got[0], "b/Dockerfile:1:") {
		t.Errorf("got %v", got)
	}
}

func TestACommitOnTopOfTheBuildIsNotTakenForTheBuild(t *testing.T) {
	file := fileAt("Dockerfile", "FROM debian:12-slim\nRUN apt-get install -y curl\nUSER 10001\nCMD [\"a\"]\n")
	for _, h := range []inventory.History{
		{CreatedBy: "/bin/sh"}, {CreatedBy: "bash", Comment: "by hand"}, {CreatedBy: "crane append"},
	} {
		image := record(byBuildKit, file, debianBase)
		image.History = append(image.History, h)
		image.Layers = append(image.Layers, inventory.Layer{DiffID: "commit", History: len(image.History) - 1})
		if got := claims(New(image, []*dockerfile.File{file}, nil), image); len(got) > 0 {
			t.Errorf("%q: %s", h.CreatedBy, strings.Join(got, "; "))
		}
	}
}

func TestTheStageThatWasBuiltIsFoundWithoutItsName(t *testing.T) {
	const text = "FROM debian:12-slim AS base\nRUN apt-get install -y curl\nFROM base AS api\nCMD [\"api\"]\nFROM base AS worker\nCMD [\"worker\"]\n" +
		"FROM golang:1.22 AS tools\nRUN go install example.com/lint@latest\nFROM api\n"
	for target, want := range map[string]string{
		"api": "Dockerfile:2:1-28", "worker": "Dockerfile:2:1-28", "tools": "Dockerfile:8:1-39", "": "Dockerfile:2:1-28",
	} {
		built := dockerfile.Parse("Dockerfile", []byte(text), dockerfile.Options{Target: target})
		image := record(byBuildKit, built, debianBase)
		tracer := New(image, []*dockerfile.File{fileAt("Dockerfile", text)}, nil)
		got := tracer.Trace(vulnerable("deb/unheard-of@1", "/x", image.Layers[1].DiffID))
		if show(got.Locations[0]) != want {
			t.Errorf("%q: got %s; %s", target, show(got.Locations[0]), tracer.Describe())
		}
		if named := strings.Contains(tracer.Describe(), "stage"); named != (target == "worker" || target == "tools") {
			t.Errorf("%q is described as %q", target, tracer.Describe())
		}
		// A target that was given is the only one that counts.
		other := dockerfile.Parse("Dockerfile", []byte(text), dockerfile.Options{Target: "tools"})
		if got := claims(New(image, []*dockerfile.File{other}, nil), image); target != "tools" && len(got) > 0 {
			t.Errorf("%q, given tools: %v", target, got)
		}
	}
	// Two stages that agree equally well, neither of them the last.
	const twins = "FROM debian:12 AS a\nRUN x\nFROM alpine:3.20 AS b\nRUN x\nFROM scratch\nCOPY --from=a /x /x\n"
	image := record(byBuildKit, dockerfile.Parse("Dockerfile", []byte(twins), dockerfile.Options{Target: "b"}), debianBase)
	if got := claims(New(image, []*dockerfile.File{fileAt("Dockerfile", twins)}, nil), image); len(got) > 0 {
		t.Errorf("one of two equal stages is claimed: %v", got)
	}
}

func TestOfSeveralCommandsThatFillAFolderNoneIsClaimedForCertain(t *testing.T) {
	const text = "FROM node:20 AS deps\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm ci\nRUN npm install left-pad@1.0.0\n" +
		"FROM node:20\nCOPY --from=deps /app/node_modules /app/node_modules\nCMD [\"node\"]\n"
	file := fileAt("Dockerfile", text)
	image := record(byBuildKit, file, debianBase)
	tracer := New(image, []*dockerfile.File{file}, nil)
	for pkg, want := range map[string]string{
		"npm/left-pad@1.0.0": "Dockerfile:5:17-25 exact",
		"npm/lodash@4.17.20": "Dockerfile:7:1-53 likely",
		"npm/@scope/x@1.0.0": "Dockerfile:7:1-53 likely",
	} {
		name := strings.TrimPrefix(pkg[:strings.LastIndexByte(pkg, '@')], "npm/")
		got := tracer.Trace(vulnerable(pkg, "/app/node_modules/"+name+"/package.json", "line 7"))
		if place := show(got.Locations[0]) + " " + confidenceOf(got); place != want {
			t.Errorf("%s: got %s, want %s; %s", pkg, place, want, originOf(got))
		}
	}
}

func TestTheManifestThatNamesTheTagIsPreferred(t *testing.T) {
	at := func(path string) finding.Location {
		return finding.Location{Space: finding.Repository, Path: path, Line: 5, Column: 3, EndLine: 5, EndColumn: 9}
	}
	uses := []ImageUse{{"shop/web:1.0", at("old.yaml")}, {"shop/web:2.0", at("new.yaml")}, {"shop/web@sha256:" + strings.Repeat("a", 64), at("digest.yaml")}}
	for name, tt := range map[string]struct{ reference, digest, want, confidence string }{
		"the tag":             {"docker.io/shop/web:2.0", "", "new.yaml", Exact},
		"the digest":          {"shop/web:3.0", "sha256:" + strings.Repeat("a", 64), "digest.yaml", Exact},
		"only the repository": {"shop/web:3.0", "sha256:" + strings.Repeat("b", 64), "old.yaml", Likely},
		"an archive":          {"", "", "old.yaml", Likely},
	} {
		img := &inventory.Image{Name: "shop/web", Reference: tt.reference, Digest: tt.digest, Layers: []inventory.Layer{{DiffID: "x", History: -1}}}
		got := New(img, nil, uses).Trace(vulnerable("deb/x@1", "/x", "x"))
		if got.Locations[0].Path != tt.want || confidenceOf(got) != tt.confidence {
			t.Errorf("%s: got %s, %s", name, got.Locations[0].Path, originOf(got))
		}
	}
}

func TestLineEndsOfWindowsAndOddInstructionsLeadToTheirLines(t *testing.T) {
	const text = "ARG TAG=12-slim\nFROM --platform=$BUILDPLATFORM golang:1.22 AS one\nRUN go build -o /out/a .\n" +
		"FROM one AS two\nCOPY --from=one /out/a /mid/a\n" +
		"FROM debian:${TAG}\nADD https://example.com/tool.tgz /opt/\nCOPY --link --from=two /mid/a /usr/bin/a\n" +
		"RUN <<EOF\nset -e\napt-get install -y curl\nEOF\nCMD [\"a\"]\n"
	for name, content := range map[string]string{"lf": text, "crlf": strings.ReplaceAll(text, "\n", "\r\n")} {
		file := fileAt("Dockerfile", content)
		image := record(byBuildKit, fileAt("Dockerfile", text), debianBase)
		tracer := New(image, []*dockerfile.File{file}, nil)
		for layer, want := range map[string]struct{ pkg, path, line string }{
			"base":   {"deb/libc6@1", "/var/lib/dpkg/status", "6:6-19"},
			"line 7": {"generic/tool@1", "/opt/tool.tgz", "7:1-39"},
			"line 8": {"golang/example.com/x@v1", "/usr/bin/a", "3:1-25"},
			"line 9": {"deb/curl@1", "/var/lib/dpkg/status", "11:20-24"},
		} {
			got := tracer.Trace(vulnerable(want.pkg, want.path, layer))
			if show(got.Locations[0]) != "Dockerfile:"+want.line {
				t.Errorf("%s, %s: got %s, want %s; %s; %s", name, layer, show(got.Locations[0]), want.line, originOf(got), tracer.Describe())
			}
		}
	}
}
