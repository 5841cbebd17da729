package architecture

import (
	"os/exec"
	"path"
	"strings"
	"testing"
)

const module = "github.com/portcullis-ci/portcullis/"

// ban forbids packages to depend on others, directly or through anything.
type ban struct {
	reason string
	// from and to are path.Match patterns of import paths; within the module
	// without its prefix. A trailing /... includes everything below.
	from   []string
	to     []string
	except []string
}

var bans = []ban{
	{
		reason: "leaves are the vocabulary of everybody and must build in no time",
		from:   []string{"internal/finding", "internal/exit", "internal/wordsearch", "internal/atomicfile", "internal/slowbody", "internal/recovered"},
		to:     []string{"internal/..."},
	},
	{
		reason: "rules need only the vocabulary of findings",
		from:   []string{"internal/rules"},
		to:     []string{"internal/..."},
		except: []string{"internal/finding"},
	},
	{
		reason: "an outcome is plain data",
		from:   []string{"internal/outcome"},
		to:     []string{"internal/..."},
		except: []string{"internal/finding", "internal/inventory", "internal/exit"},
	},
	{
		reason: "detectors, policy and reports are tested without linking syft",
		from: []string{
			"internal/inventory", "internal/detect/...", "internal/policy", "internal/report/...", "internal/origin", "internal/triage/...",
			"internal/advisory/...", "internal/config", "internal/ci/...", "internal/target", "internal/layers",
		},
		to: []string{"github.com/anchore/syft/...", "internal/inventory/syftcatalog"},
	},
	{
		reason: "a detector that needs another one shows a model that belongs to neither",
		from:   []string{"internal/detect/vulnerability"},
		to:     []string{"internal/detect/dockerfile", "internal/detect/kubernetes", "internal/detect/imageconfig"},
	},
	{
		reason: "a detector that needs another one shows a model that belongs to neither",
		from:   []string{"internal/detect/dockerfile"},
		to:     []string{"internal/detect/vulnerability", "internal/detect/kubernetes", "internal/detect/imageconfig"},
	},
	{
		reason: "a detector that needs another one shows a model that belongs to neither",
		from:   []string{"internal/detect/kubernetes"},
		to:     []string{"internal/detect/vulnerability", "internal/detect/dockerfile", "internal/detect/imageconfig"},
	},
	{
		reason: "a detector that needs another one shows a model that belongs to neither",
		from:   []string{"internal/detect/secret"},
		to:     []string{"internal/detect/vulnerability", "internal/detect/dockerfile", "internal/detect/kubernetes", "internal/detect/imageconfig"},
	},
	{
		reason: "what a credential looks like is shared by all detectors and must not know any",
		from:   []string{"internal/credential"},
		to:     []string{"internal/..."},
		except: []string{"internal/finding", "internal/wordsearch"},
	},
	{
		reason: "asking a daemon is apart from what is asked and what the answer means",
		from:   []string{"internal/clamav"},
		to:     []string{"internal/..."},
		except: []string{"internal/neutralise"},
	},
	{
		reason: "a report tells what was found and never looks for itself",
		from:   []string{"internal/report/...", "internal/ci/...", "internal/policy"},
		to:     []string{"internal/detect/...", "internal/gate", "internal/target", "internal/layers", "internal/advisory/..."},
	},
	{
		reason: "triage judges what it is given and is tested without what gives it",
		from:   []string{"internal/triage/..."},
		to:     []string{"internal/detect/...", "internal/gate", "internal/target", "internal/layers", "internal/report/...", "internal/policy"},
	},
	{
		reason: "it changes the process that imports it, and so that of tests",
		from:   []string{"internal/..."},
		to:     []string{"internal/collector"},
		except: []string{"internal/collector"},
	},
	{
		reason: "the command line is the top",
		from:   []string{"internal/..."},
		to:     []string{"internal/cli"},
		except: []string{"internal/cli"},
	},
}

// dependencies returns what each package of the module depends on, tests left
// out.
func dependencies(t *testing.T) map[string][]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Deps}} {{.}}{{end}}`, module+"internal/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	deps := make(map[string][]string)
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		deps[strings.TrimPrefix(words[0], module)] = words[1:]
	}
	return deps
}

func matches(patterns []string, importPath string) bool {
	for _, p := range patterns {
		if prefix, below := strings.CutSuffix(p, "/..."); below {
			if importPath == prefix || strings.HasPrefix(importPath, prefix+"/") {
				return true
			}
		} else if ok, err := path.Match(p, importPath); err == nil && ok {
			return true
		}
	}
	return false
}

func TestDependenciesPointOneWay(t *testing.T) {
	deps := dependencies(t)
	for _, b := range bans {
		found := false
		for pkg, imports := range deps {
			if !matches(b.from, pkg) || matches(b.except, pkg) {
				continue
			}
			found = true
			for _, imported := range imports {
				imported, own := strings.CutPrefix(imported, module)
				if !own && strings.HasPrefix(imported, "internal/") {
					continue // the standard library's
				}
				if imported != pkg && matches(b.to, imported) && !matches(b.except, imported) {
					t.Errorf("%s depends on %s: %s", pkg, imported, b.reason)
				}
			}
		}
		if !found {
			t.Errorf("the ban on %v matches no package: it has been renamed?", b.from)
		}
	}
}
