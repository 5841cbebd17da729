package architecture

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/licensecheck"
)

// permitted are the licences under which modules may be linked into a binary
// that is given away under Apache-2.0: permissive ones, and the MPL, whose
// demands end at its own files, which stay unchanged.
var permitted = []string{
	"Apache-2.0", "MIT", "MIT-0", "BSD-1-Clause", "BSD-2-Clause", "BSD-2-Clause-Views", "BSD-3-Clause", "ISC", "Zlib",
	"MPL-2.0", "MPL-2.0-no-copyleft-exception", "Unlicense", "CC0-1.0", "0BSD", "BSL-1.0", "PostgreSQL", "Python-2.0",
	"CC-BY-4.0", "CC-BY-3.0", "CC-BY-SA-4.0", "OFL-1.1", "Unicode-DFS-2016", "Unicode-DFS-2015", "blessing",
}

// judgedByHand are modules whose licence text no scanner knows, with what was
// read in it.
var judgedByHand = map[string]string{
	"github.com/xi2/xz":            "public domain, said in its LICENSE",
	"github.com/spdx/tools-golang": "Apache-2.0 or GPL-2.0-or-later, as the user chooses: Apache-2.0",
}

// licenceFile are the names of files that hold a module's licence.
var licenceFile = regexp.MustCompile(`^(?i)(un)?licen[cs]e([-._].*)?$|^copying([-._].*)?$`)

// linkedModules are the modules of the packages in the binary, with their
// directories.
func linkedModules(t *testing.T) map[string]string {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=Module", module+"cmd/portcullis")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	modules := make(map[string]string)
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			Module *struct {
				Path, Dir string
				Main      bool
			}
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return modules
		} else if err != nil {
			t.Fatal(err)
		}
		if p.Module != nil && !p.Module.Main {
			modules[p.Module.Path] = p.Module.Dir
		}
	}
}

// licences are the ids of all licences in the files of a module's root.
func licences(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, e := range entries {
		if e.IsDir() || !licenceFile.MatchString(e.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range licensecheck.Scan(text).Match {
			if !m.IsURL {
				ids = append(ids, m.ID)
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func TestEveryLinkedModuleHasAPermissiveLicence(t *testing.T) {
	modules := linkedModules(t)
	if len(modules) < 100 {
		t.Fatalf("only %d modules were found", len(modules))
	}
	for name, dir := range modules {
		if judgedByHand[name] != "" {
			continue
		}
		ids := licences(t, dir)
		if len(ids) == 0 {
			t.Errorf("%s: no licence is recognised: read it, and say what it is in judgedByHand", name)
		}
		for _, id := range ids {
			if !slices.Contains(permitted, id) {
				t.Errorf("%s: licence %s is not among the permitted ones", name, id)
			}
		}
	}
	for name := range judgedByHand {
		if modules[name] == "" {
			t.Errorf("judgedByHand names %s, which is not linked any more", name)
		}
	}
}
