package origin

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
)

// recording is what a real builder wrote: testdata/recorded/README.md.
type recording struct {
	Builder string
	Base    []string
	// Marks are files by the diff id of the layer that holds them.
	Marks map[string][]string
	Image struct {
		Config struct {
			User, StopSignal            string
			Env, Cmd, Entrypoint, Shell []string
			Labels                      map[string]string
		}
		History []struct {
			CreatedBy  string `json:"created_by"`
			Comment    string
			Author     string
			EmptyLayer bool `json:"empty_layer"`
		}
		RootFS struct {
			DiffIDs []string `json:"diff_ids"`
		}
	}
}

func readRecording(t *testing.T, name string) recording {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "recorded", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var r recording
	if err := json.Unmarshal(content, &r); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return r
}

// image is what the gate makes of such a configuration.
func (r recording) image() *inventory.Image {
	c := r.Image.Config
	image := &inventory.Image{Name: "shop/web", Config: inventory.Config{
		User: c.User, Env: c.Env, Cmd: c.Cmd, Entrypoint: c.Entrypoint, Shell: c.Shell, StopSignal: c.StopSignal, Labels: c.Labels,
	}}
	var entries []int
	for i, h := range r.Image.History {
		image.History = append(image.History, inventory.History{CreatedBy: h.CreatedBy, Comment: h.Comment, Author: h.Author, EmptyLayer: h.EmptyLayer})
		if !h.EmptyLayer {
			entries = append(entries, i)
		}
	}
	for i, id := range r.Image.RootFS.DiffIDs {
		image.Layers = append(image.Layers, inventory.Layer{DiffID: id, History: entries[i]})
	}
	return image
}

// recordedFile reads the Dockerfile that was built.
func recordedFile(t *testing.T, name string) *dockerfile.File {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "recorded", name))
	if err != nil {
		t.Fatal(err)
	}
	return dockerfile.Parse("web/Dockerfile", content, dockerfile.Options{})
}

func TestImagesOfRealBuildersLeadToTheLinesThatMadeTheirFiles(t *testing.T) {
	each := map[string]string{
		"/marks/line-13": "13 exact", "/marks/line-14": "14 exact", "/marks/line-17": "17 likely", "/marks/line-18": "18 exact",
		"/srv/app/app.py": "20 exact", "/marks/line-21": "21 exact", "/bin/busybox": "9 exact",
	}
	// One layer for all: what only a copy to the root folder can have brought
	// has the file without a line.
	merged := map[string]string{
		"/marks/line-13": "13 likely", "/marks/line-14": "14 likely", "/marks/line-17": "0 likely", "/marks/line-18": "18 likely",
		"/srv/app/app.py": "20 likely", "/marks/line-21": "21 likely", "/bin/busybox": "9 exact",
	}
	tests := map[string]map[string]string{
		"buildkit": each, "buildkit-args": each, "buildkit-docker20": each, "classic": each, "classic-args": each,
		"buildah-layers": each, "buildah-layers-args": each, "kaniko": each,
		"squash": merged, "buildah": merged, "kaniko-single": merged, "buildah-commit": merged,
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			r := readRecording(t, name)
			tracer := New(r.image(), []*dockerfile.File{recordedFile(t, "Dockerfile")}, nil)
			if diff := cmp.Diff(want, recordedLines(tracer, r)); diff != "" {
				t.Errorf("%s: %s\n%s", r.Builder, tracer.Describe(), diff)
			}
		})
	}
}

// recordedLines traces a finding in each marked file, and one of the base image.
func recordedLines(tracer *Tracer, r recording) map[string]string {
	got := map[string]string{}
	trace := func(path, layer string) {
		f := tracer.Trace(finding.Finding{Kind: finding.Secret, Locations: []finding.Location{{Space: finding.InImage, Path: path, Layer: layer}}})
		place := "-"
		if l := f.Locations[0]; l.Space == finding.Repository {
			_, place, _ = strings.Cut(show(l), ":")
			place, _, _ = strings.Cut(place, ":")
		}
		got[path] = place + " " + confidenceOf(f)
	}
	for layer, paths := range r.Marks {
		for _, path := range paths {
			trace(path, layer)
		}
	}
	trace("/bin/busybox", r.Base[0])
	return got
}

func TestHereDocumentsOfARealBuildLeadToTheirLines(t *testing.T) {
	r := readRecording(t, "buildkit-heredoc")
	tracer := New(r.image(), []*dockerfile.File{recordedFile(t, "Dockerfile.heredoc")}, nil)
	want := map[string]string{
		"/marks/line-4": "4 exact", "/marks/line-8": "8 exact", "/marks/line-9": "9 exact", "/marks/line-12": "12 exact",
		"/bin/busybox": "2 exact",
	}
	if diff := cmp.Diff(want, recordedLines(tracer, r)); diff != "" {
		t.Errorf("%s\n%s", tracer.Describe(), diff)
	}
}

// The base image was made without a Dockerfile, as those of Wolfi are.
func TestADockerfileOnAnImageOfApkoLeadsToItsLines(t *testing.T) {
	r := readRecording(t, "apko-base")
	tracer := New(r.image(), []*dockerfile.File{recordedFile(t, "Dockerfile.apko")}, nil)
	want := map[string]string{"/srv/a.txt": "2 exact", "/root/.ssh/id_rsa": "3 exact", "/bin/busybox": "1 exact"}
	if diff := cmp.Diff(want, recordedLines(tracer, r)); diff != "" {
		t.Errorf("%s\n%s", tracer.Describe(), diff)
	}
}

func TestSettingsOfARealBuildLeadToTheirLines(t *testing.T) {
	// One layer for all changes nothing about settings: each has its own entry.
	for _, name := range []string{"buildkit", "classic", "buildah-layers", "buildah", "squash"} {
		r := readRecording(t, name)
		tracer := New(r.image(), []*dockerfile.File{recordedFile(t, "Dockerfile")}, nil)
		for i, h := range r.Image.History {
			for text, line := range map[string]string{"USER 10001": "24:", "MODE=prod": "11:", "echo ready": "28:"} {
				if !strings.Contains(h.CreatedBy, text) {
					continue
				}
				got := tracer.Trace(finding.Finding{
					Kind: finding.ImageConfig, Evidence: []finding.Fact{{Name: HistoryFact, Value: strconv.Itoa(i)}},
					Locations: []finding.Location{{Space: finding.InImage, Path: "/config.json"}},
				})
				if !strings.HasPrefix(show(got.Locations[0]), "web/Dockerfile:"+line) {
					t.Errorf("%s: %s leads to %s", name, text, show(got.Locations[0]))
				}
			}
		}
	}
}

func TestARealBuildOfAnotherDockerfileClaimsNothing(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("testdata", "recorded", "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{"touch /marks/line-13", "touch /marks/line-13b"},
		{"RUN touch /marks/line-13\n", ""},
		{"/srv/app\n", "/srv/app2\n"},
	} {
		other := dockerfile.Parse("web/Dockerfile", []byte(strings.Replace(string(content), change[0], change[1], 1)), dockerfile.Options{})
		for _, name := range []string{"buildkit", "buildkit-args", "buildkit-docker20", "classic", "classic-args", "squash", "buildah-layers", "buildah"} {
			r := readRecording(t, name)
			for path, place := range recordedLines(New(r.image(), []*dockerfile.File{other}, nil), r) {
				if !strings.HasPrefix(place, "-") {
					t.Errorf("%s without %q: %s leads to line %s", name, change[0], path, place)
				}
			}
		}
	}
}

func TestImagesThatHideTheirBuildClaimNoLine(t *testing.T) {
	// buildah --squash and crane flatten keep no layer of the base image apart,
	// ko, apko, umoci and crane append read no Dockerfile, and in a container that
	// buildah commits other commands ran: what is where cannot be told.
	for name, why := range map[string]string{
		"buildah-squash": "no Dockerfile matches", "buildah-commit-history": "changed by hand", "ko": "built by ko without a Dockerfile",
		"apko": "built by apko without a Dockerfile", "apko-layers": "built by apko without a Dockerfile",
		"umoci": "no Dockerfile matches", "crane-append": "no Dockerfile matches", "crane-flatten": "no Dockerfile matches",
	} {
		r := readRecording(t, name)
		tracer := New(r.image(), []*dockerfile.File{recordedFile(t, "Dockerfile")}, nil)
		for path, place := range recordedLines(tracer, r) {
			if !strings.HasPrefix(place, "-") {
				t.Errorf("%s: %s leads to line %s", name, path, place)
			}
		}
		if !strings.Contains(tracer.Describe(), why) {
			t.Errorf("%s is described as %q", name, tracer.Describe())
		}
	}
}
