// Command vulndb lays the archive of OSV's Go records (Go/all.zip) out as
// govulncheck reads it, so that our own dependencies can be checked where the
// Go vulnerability database cannot be reached.
//
// The layout is that of https://go.dev/doc/security/vuln/database#api.
package main

import (
	"archive/zip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func main() {
	from := flag.String("from", "", "archive of OSV records, one JSON file each")
	out := flag.String("out", "", "directory to write")
	flag.Parse()
	if err := run(*from, *out); err != nil {
		fmt.Fprintln(os.Stderr, "vulndb:", err)
		os.Exit(1)
	}
}

// record is what the index needs of an OSV record.
type record struct {
	ID        string     `json:"id"`
	Modified  time.Time  `json:"modified"`
	Withdrawn *time.Time `json:"withdrawn"`
	Affected  []struct {
		Package struct {
			Name string `json:"name"`
		} `json:"package"`
		Ranges []struct {
			Events []struct {
				Fixed string `json:"fixed"`
			} `json:"events"`
		} `json:"ranges"`
	} `json:"affected"`
}

// module is one entry of index/modules.json.
type module struct {
	Path  string `json:"path"`
	Vulns []vuln `json:"vulns"`
}

type vuln struct {
	ID       string    `json:"id"`
	Modified time.Time `json:"modified"`
	Fixed    string    `json:"fixed,omitempty"`
}

func run(from, out string) error {
	archive, err := zip.OpenReader(from)
	if err != nil {
		return err
	}
	defer func() { _ = archive.Close() }()
	for _, dir := range []string{"index", "ID"} {
		if err := os.MkdirAll(filepath.Join(out, dir), 0o755); err != nil {
			return err
		}
	}
	modules := make(map[string]*module)
	var newest time.Time
	for _, f := range archive.File {
		if !strings.HasPrefix(path.Base(f.Name), "GO-") {
			continue
		}
		r, err := write(f, out)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		if r.Withdrawn != nil {
			continue
		}
		if r.Modified.After(newest) {
			newest = r.Modified
		}
		r.index(modules)
	}
	if len(modules) == 0 {
		return fmt.Errorf("%s holds no record of the Go vulnerability database", from)
	}
	list := make([]*module, 0, len(modules))
	for _, m := range modules {
		slices.SortFunc(m.Vulns, func(a, b vuln) int { return strings.Compare(a.ID, b.ID) })
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b *module) int { return strings.Compare(a.Path, b.Path) })
	if err := writeJSON(filepath.Join(out, "index", "modules.json"), list); err != nil {
		return err
	}
	return writeJSON(filepath.Join(out, "index", "db.json"), map[string]time.Time{"modified": newest})
}

// write copies one record to its place and returns what the index needs of it.
func write(f *zip.File, out string) (record, error) {
	var r record
	in, err := f.Open()
	if err != nil {
		return r, err
	}
	defer func() { _ = in.Close() }()
	data, err := io.ReadAll(in)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, err
	}
	if r.ID != strings.TrimSuffix(path.Base(f.Name), ".json") {
		return r, fmt.Errorf("holds record %q", r.ID)
	}
	return r, os.WriteFile(filepath.Join(out, "ID", r.ID+".json"), data, 0o600)
}

// index enters a record under each module that it is about, with the last
// version that fixed it.
func (r record) index(modules map[string]*module) {
	for _, a := range r.Affected {
		m := modules[a.Package.Name]
		if m == nil {
			m = &module{Path: a.Package.Name}
			modules[a.Package.Name] = m
		}
		fixed := ""
		for _, rng := range a.Ranges {
			for _, e := range rng.Events {
				if e.Fixed != "" {
					fixed = e.Fixed
				}
			}
		}
		if !slices.ContainsFunc(m.Vulns, func(v vuln) bool { return v.ID == r.ID }) {
			m.Vulns = append(m.Vulns, vuln{r.ID, r.Modified, fixed})
		}
	}
}

func writeJSON(name string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o600)
}
