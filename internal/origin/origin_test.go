package origin

import (
	"fmt"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
)

const shop = `FROM golang:1.22 AS build
RUN go build -o /out/app .

FROM debian:12-slim
ENV LANG=C.UTF-8
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        curl=7.88.1-10 \
        libssl3
WORKDIR /srv
COPY --from=build /out/app /usr/local/bin/app
COPY node_modules ./node_modules/
USER 10001
CMD ["app"]
`

// buildkit, classic and kaniko are the same build as three builders record it.
var (
	buildkit = []string{
		"ADD rootfs.tar.xz / # buildkit", `CMD ["bash"]`,
		"ENV LANG=C.UTF-8",
		"RUN /bin/sh -c apt-get update     && apt-get install -y --no-install-recommends         curl=7.88.1-10         libssl3 # buildkit",
		"WORKDIR /srv",
		"COPY /out/app /usr/local/bin/app # buildkit",
		"COPY node_modules ./node_modules/ # buildkit",
		"USER 10001", `CMD ["app"]`,
	}
	classic = []string{
		"/bin/sh -c #(nop) ADD file:0123 in / ", `/bin/sh -c #(nop)  CMD ["bash"]`,
		"/bin/sh -c #(nop)  ENV LANG=C.UTF-8",
		"/bin/sh -c apt-get update     && apt-get install -y --no-install-recommends         curl=7.88.1-10         libssl3",
		"/bin/sh -c #(nop) WORKDIR /srv",
		"/bin/sh -c #(nop) COPY file:4567 in /usr/local/bin/app ",
		"/bin/sh -c #(nop) COPY dir:89ab in ./node_modules/ ",
		"/bin/sh -c #(nop)  USER 10001", `/bin/sh -c #(nop)  CMD ["app"]`,
	}
	kaniko = []string{
		"ADD rootfs.tar.xz / # buildkit", `CMD ["bash"]`,
		"ENV LANG=C.UTF-8",
		"RUN apt-get update     && apt-get install -y --no-install-recommends         curl=7.88.1-10         libssl3",
		"WORKDIR /srv",
		"COPY --from=build /out/app /usr/local/bin/app",
		"COPY node_modules ./node_modules/",
		"USER 10001", `CMD ["app"]`,
	}
)

// image makes an image with the given history. Entries that change files get
// a layer, whose diff id is "sha256:" and the entry's index.
func image(history []string) *inventory.Image {
	img := &inventory.Image{Name: "registry.example/shop/web"}
	for i, h := range history {
		keyword := readStep(inventory.History{CreatedBy: h}).keyword
		empty := !strings.Contains("RUN COPY ADD WORKDIR", keyword)
		img.History = append(img.History, inventory.History{CreatedBy: h, EmptyLayer: empty})
		if !empty {
			img.Layers = append(img.Layers, inventory.Layer{DiffID: fmt.Sprintf("sha256:%d", i), History: i})
		}
	}
	return img
}

func parse(text string) []*dockerfile.File {
	return []*dockerfile.File{dockerfile.Parse("Dockerfile", []byte(text), dockerfile.Options{})}
}

func inLayer(pkg string, entry int) finding.Finding {
	return finding.Finding{
		Kind: finding.Vulnerability, Package: &finding.Package{Name: pkg},
		Locations: []finding.Location{{Space: finding.InImage, Path: "/x", Layer: fmt.Sprintf("sha256:%d", entry)}},
	}
}

func show(l finding.Location) string {
	return fmt.Sprintf("%s:%d:%d-%d", l.Path, l.Line, l.Column, l.EndColumn)
}

func TestTraceLeadsToTheInstructionThatBroughtTheFindingIn(t *testing.T) {
	tests := []struct {
		name  string
		f     finding.Finding
		place string
		note  string
	}{
		{"what the base image brought leads to the image in FROM", inLayer("libc6", 0), "Dockerfile:4:6-20", "layer 1 of 5 (ADD)"},
		{"a package that the command names leads to its name", inLayer("curl", 3), "Dockerfile:8:9-13", "layer 2 of 5 (RUN)"},
		{"a name on a later line too", inLayer("libssl3", 3), "Dockerfile:9:9-16", "layer 2 of 5 (RUN)"},
		{"a dependency leads to the instruction", inLayer("libcurl4", 3), "Dockerfile:6:1-21", "layer 2 of 5 (RUN)"},
		{"half of a word is no name", inLayer("ssl3", 3), "Dockerfile:6:1-21", "layer 2 of 5 (RUN)"},
		{"a copied binary leads to COPY", inLayer("stdlib", 5), "Dockerfile:11:1-46", "layer 4 of 5 (COPY)"},
		{"copied packages lead to their COPY", inLayer("lodash", 6), "Dockerfile:12:1-34", "layer 5 of 5 (COPY)"},
	}
	for builder, history := range map[string][]string{"buildkit": buildkit, "classic": classic, "kaniko": kaniko} {
		tracer := New(image(history), parse(shop), nil)
		for _, tt := range tests {
			t.Run(builder+": "+tt.name, func(t *testing.T) {
				got := tracer.Trace(tt.f)
				if place := show(got.Locations[0]); place != tt.place {
					t.Errorf("got %s, want %s", place, tt.place)
				}
				last := got.Locations[len(got.Locations)-1]
				if last.Space != finding.InImage || last.Note != tt.note {
					t.Errorf("the place in the image is %+v, want the note %q", last, tt.note)
				}
				if tt.f.Locations[0].Note != "" {
					t.Error("the finding that was given has changed")
				}
			})
		}
	}
}

func TestACopyFromAStageNamesTheStage(t *testing.T) {
	got := New(image(buildkit), parse(shop), nil).Trace(inLayer("stdlib", 5))
	if len(got.Locations) != 3 || show(got.Locations[1]) != "Dockerfile:1:1-5" || got.Locations[1].Note != "copied from stage build" {
		t.Errorf("got %+v", got.Locations)
	}
}

func TestEvidenceOfTheDetectorBeatsTheLayer(t *testing.T) {
	f := finding.Finding{
		Kind: finding.Secret, Locations: []finding.Location{{Space: finding.InImage, Path: "/config.json"}},
		Evidence: []finding.Fact{{Name: HistoryFact, Value: "2"}},
	}
	if got := show(New(image(buildkit), parse(shop), nil).Trace(f).Locations[0]); got != "Dockerfile:5:1-17" {
		t.Errorf("got %s, want the ENV on line 5", got)
	}
}

func TestASettingThatIsMissingBelongsAfterTheLastFrom(t *testing.T) {
	f := finding.Finding{Kind: finding.ImageConfig, Locations: []finding.Location{{Space: finding.InImage, Path: "/config.json"}}}
	if got := show(New(image(buildkit), parse(shop), nil).Trace(f).Locations[0]); got != "Dockerfile:4:1-5" {
		t.Errorf("got %s, want FROM on line 4", got)
	}
}

func TestAForeignDockerfileGivesNoLine(t *testing.T) {
	tests := map[string]string{
		"another command":         strings.Replace(shop, "libssl3", "libssl-dev", 1),
		"an instruction more":     shop + "LABEL a=b\n",
		"an instruction less":     strings.Replace(shop, "USER 10001\n", "", 1),
		"another target":          strings.Replace(shop, "/usr/local/bin/app", "/usr/bin/server", 1),
		"no stage":                "# nothing\n",
		"only a base image":       "FROM debian:12-slim\n",
		"more than the image has": shop + strings.Repeat("ENV A=b\n", 20),
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			tracer := New(image(buildkit), parse(text), nil)
			got := tracer.Trace(inLayer("curl", 3))
			if len(got.Locations) != 1 || got.Locations[0].Space != finding.InImage {
				t.Errorf("got %+v, want only the place in the image", got.Locations)
			}
			if !strings.Contains(tracer.Describe(), "no Dockerfile") {
				t.Errorf("described as %q", tracer.Describe())
			}
		})
	}
}

func TestParentStagesAreFollowed(t *testing.T) {
	text := "FROM alpine:3.20 AS base\nRUN apk add curl\nFROM base\nCOPY app /app\n"
	history := []string{"ADD rootfs / # buildkit", "RUN /bin/sh -c apk add curl # buildkit", "COPY app /app # buildkit"}
	tracer := New(image(history), parse(text), nil)
	for entry, want := range map[int]string{0: "Dockerfile:1:6-17", 1: "Dockerfile:2:1-17", 2: "Dockerfile:4:1-14"} {
		if got := show(tracer.Trace(inLayer("zlib", entry)).Locations[0]); got != want {
			t.Errorf("entry %d: got %s, want %s", entry, got, want)
		}
	}
}

func TestWithoutADockerfileTheManifestThatNamesTheImageIsThePlace(t *testing.T) {
	uses := []ImageUse{
		{"other/web:1", finding.Location{Space: finding.Repository, Path: "k8s/other.yaml", Line: 3}},
		{"registry.example/shop/web:2.1", finding.Location{Space: finding.Repository, Path: "k8s/web.yaml", Line: 12, Column: 16}},
	}
	got := New(image(buildkit), nil, uses).Trace(inLayer("curl", 3))
	if got.Locations[0].Path != "k8s/web.yaml" || got.Locations[0].Line != 12 {
		t.Errorf("got %+v", got.Locations[0])
	}
}

func TestAFindingInTheRepositoryKeepsItsPlace(t *testing.T) {
	f := finding.Finding{Locations: []finding.Location{{Space: finding.Repository, Path: "k8s/web.yaml", Line: 4}}}
	if got := New(image(buildkit), parse(shop), nil).Trace(f); len(got.Locations) != 1 || got.Locations[0].Line != 4 {
		t.Errorf("got %+v", got.Locations)
	}
}

func TestSameRepositoryKnowsShortNames(t *testing.T) {
	same := [][2]string{
		{"nginx", "docker.io/library/nginx"},
		{"nginx:1.27@sha256:00", "index.docker.io/library/nginx"},
		{"shop/web:1", "docker.io/shop/web"},
		{"localhost:5000/web:2", "localhost:5000/web"},
	}
	for _, pair := range same {
		if !SameRepository(pair[0], pair[1]) {
			t.Errorf("%s and %s should be the same", pair[0], pair[1])
		}
	}
	different := [][2]string{{"nginx", "shop/nginx"}, {"registry.example/web", "web"}, {"", ""}, {"web", "web2"}}
	for _, pair := range different {
		if SameRepository(pair[0], pair[1]) {
			t.Errorf("%s and %s should differ", pair[0], pair[1])
		}
	}
}
