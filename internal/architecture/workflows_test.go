package architecture

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// workflow is what the test has to know of a file in .github/workflows.
type workflow struct {
	Permissions map[string]string `yaml:"permissions"`
	Jobs        map[string]struct {
		Permissions map[string]string `yaml:"permissions"`
		Steps       []struct {
			Name string         `yaml:"name"`
			Uses string         `yaml:"uses"`
			Run  string         `yaml:"run"`
			With map[string]any `yaml:"with"`
		} `yaml:"steps"`
	} `yaml:"jobs"`
}

var pinned = regexp.MustCompile(`^(\./|[^@]+@[0-9a-f]{40}$)`)

// Workflows hold credentials: what they run is pinned, what they may do is
// little, and what outsiders can write is never part of a script.
func TestWorkflowsGiveNothingAway(t *testing.T) {
	files, err := filepath.Glob("../../.github/workflows/*.yml")
	if err != nil || len(files) < 3 {
		t.Fatalf("workflows %q, %v", files, err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var w workflow
		if err := yaml.Unmarshal(data, &w); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		name := filepath.Base(path)
		if len(w.Permissions) != 1 || w.Permissions["contents"] != "read" {
			t.Errorf("%s: the workflow's permissions are %v, want contents: read; more is for single jobs", name, w.Permissions)
		}
		for job, j := range w.Jobs {
			for i, s := range j.Steps {
				if s.Uses != "" && !pinned.MatchString(s.Uses) {
					t.Errorf("%s, %s, step %d: %s is not pinned to a commit", name, job, i+1, s.Uses)
				}
				if strings.HasPrefix(s.Uses, "actions/checkout@") && s.With["persist-credentials"] != false {
					t.Errorf("%s, %s: checkout leaves credentials behind", name, job)
				}
				if strings.Contains(s.Run, "${{") {
					t.Errorf("%s, %s, step %d: an expression inside run: pass it through env", name, job, i+1)
				}
			}
		}
	}
}
