package origin

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/portcullis-ci/portcullis/internal/dockerfile"
)

func TestALockFileThatTheBuildDoesNotSeeIsNotClaimed(t *testing.T) {
	const build = "FROM node:20\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD [\"a\"]\n"
	tests := map[string]struct {
		path, text, working string
		ignore              map[string]string
		want                string
	}{
		"no ignore file":                     {"Dockerfile", build, ".", nil, "package-lock.json exact"},
		"one that leaves it out":             {"Dockerfile", build, ".", map[string]string{".dockerignore": "package-lock.json\n"}, "Dockerfile exact"},
		"one that leaves out all":            {"Dockerfile", build, ".", map[string]string{".dockerignore": "*\n!package.json\n"}, "Dockerfile exact"},
		"one with an exception for it":       {"Dockerfile", build, ".", map[string]string{".dockerignore": "*\n!package*.json\n"}, "package-lock.json exact"},
		"one for another file":               {"Dockerfile", build, ".", map[string]string{".dockerignore": "node_modules\n*.md\n"}, "package-lock.json exact"},
		"the Dockerfile's own goes first":    {"Dockerfile", build, ".", map[string]string{".dockerignore": "package-lock.json\n", "Dockerfile.dockerignore": "*.md\n"}, "package-lock.json exact"},
		"the Dockerfile's own leaves it out": {"Dockerfile", build, ".", map[string]string{"Dockerfile.dockerignore": "**/*lock*\n"}, "Dockerfile exact"},
		"one of another folder":              {"docker/Dockerfile", build, ".", map[string]string{"docker/.dockerignore": "package-lock.json\n"}, "package-lock.json exact"},
		"one of the root for a file in a folder": {
			"docker/Dockerfile", build, ".", map[string]string{".dockerignore": "package-lock.json\n"}, "docker/Dockerfile exact",
		},
		"a bind mount sees no more": {
			"Dockerfile", "FROM node:20\nWORKDIR /app\nRUN --mount=type=bind,source=package-lock.json,target=/app/package-lock.json npm ci\nCMD [\"a\"]\n", ".",
			map[string]string{".dockerignore": "package-lock.json\n"},
			"Dockerfile exact",
		},
		"in a build stage": {
			"Dockerfile", "FROM node:20 AS deps\nWORKDIR /app\nCOPY . .\nRUN ./install.sh\nFROM node:20\nCOPY --from=deps /app/node_modules /app/node_modules\n", ".",
			map[string]string{".dockerignore": "*lock*\n"},
			"Dockerfile exact",
		},
		"what was installed outside of the build needs no lock file in it": {
			"Dockerfile", "FROM node:20\nCOPY node_modules /app/node_modules\nCMD [\"a\"]\n", ".", map[string]string{".dockerignore": "package-lock.json\n"}, "package-lock.json likely",
		},
	}
	for name, tt := range tests {
		file := fileAt(tt.path, tt.text)
		ignored := make(map[string]*dockerfile.IgnoreFile)
		for p, content := range tt.ignore {
			f, err := dockerfile.ReadIgnoreFile(p, []byte(content))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(IgnoreFiles(tt.path, tt.working), p) {
				t.Errorf("%s: %s is not asked for", name, p)
			}
			ignored[p] = f
		}
		image := record(byBuildKit, file, debianBase)
		tracer := NewWith(image, Options{Dockerfiles: []*dockerfile.File{file}, Locks: locksOf(t, lodashIn("package-lock.json")), Working: tt.working, Ignored: ignored})
		got := tracer.Trace(vulnerable("npm/lodash@4.17.20", "/app/node_modules/lodash/package.json", image.Layers[len(image.Layers)-1].DiffID))
		if where := got.Locations[0].Path + " " + confidenceOf(got); where != tt.want {
			t.Errorf("%s: got %s, want %s; %s", name, where, tt.want, originOf(got))
		}
		if says := strings.Contains(originOf(got), "keeps package-lock.json out of the build"); says != strings.HasSuffix(tt.want, "Dockerfile exact") {
			t.Errorf("%s: the evidence is %s", name, originOf(got))
		}
	}
}

func TestACopyOfAFolderDoesNotBringWhatTheBuildDoesNotSee(t *testing.T) {
	const build = "FROM node:20 AS deps\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci\nCOPY . .\nFROM node:20\nCOPY --from=deps /app /app\nCMD [\"a\"]\n"
	file := fileAt("Dockerfile", build)
	image := record(byBuildKit, file, debianBase)
	for content, want := range map[string]string{"node_modules\n": "Dockerfile:4:1-11 exact", "*.md\n": "Dockerfile:7:1-27 likely"} {
		ignore, err := dockerfile.ReadIgnoreFile(".dockerignore", []byte(content))
		if err != nil {
			t.Fatal(err)
		}
		tracer := NewWith(image, Options{
			Dockerfiles: []*dockerfile.File{file}, Locks: locksOf(t, fstest.MapFS{}), Working: ".",
			Ignored: map[string]*dockerfile.IgnoreFile{".dockerignore": ignore},
		})
		got := tracer.Trace(vulnerable("npm/lodash@4.17.20", "/app/node_modules/lodash/package.json", image.Layers[len(image.Layers)-1].DiffID))
		if place := show(got.Locations[0]) + " " + confidenceOf(got); place != want {
			t.Errorf("%q: got %s, want %s; %s", content, place, want, originOf(got))
		}
	}
}
