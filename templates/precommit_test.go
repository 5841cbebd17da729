package templates

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestPreCommitHooksTakeTheFilesThatTheyLint(t *testing.T) {
	content, err := os.ReadFile("../.pre-commit-hooks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var hooks []struct{ ID, Name, Entry, Language, Files, Exclude string }
	if err := yaml.Unmarshal(content, &hooks); err != nil {
		t.Fatal(err)
	}
	files := map[string]map[string]bool{
		"portcullis-dockerfile": {
			"Dockerfile": true, "app/Dockerfile": true, "Dockerfile.dev": true, "web.Dockerfile": true, "Containerfile": true,
			"Dockerfile.md": false, "Dockerfile.dockerignore": false, "app/Dockerfile.bak": false, "Dockerfile.orig": false, ".Dockerfile.swp": false,
			"Dockerfile.swp": false, "Dockerfile.txt": false, "Dockerfile.J2": false, "Dockerfile.dev~": false, "Dockerfile.alpine3.20": true,
			"app.md/Dockerfile": true, "Dockerfile.include": true, "Dockerfiles.md": false, "docs/dockerfile.txt": false, "myDockerfile": false,
		},
		"portcullis-kubernetes": {"k8s/web.yaml": true, "deploy/base/web.yml": true, "config.yaml": false, ".gitlab-ci.yml": false},
	}
	for _, hook := range hooks {
		if strings.TrimSuffix(hook.Entry, " --ignore-other-files") != "portcullis lint" || hook.Language != "golang" || hook.Name == "" {
			t.Errorf("hook %+v", hook)
		}
		pattern := regexp.MustCompile(hook.Files)
		excluded := regexp.MustCompile(hook.Exclude)
		for file, want := range files[hook.ID] {
			if taken := pattern.MatchString(file) && (hook.Exclude == "" || !excluded.MatchString(file)); taken != want {
				t.Errorf("%s takes %s: %v", hook.ID, file, !want)
			}
		}
		delete(files, hook.ID)
	}
	if len(files) > 0 {
		t.Errorf("hooks are missing: %v", files)
	}
}
