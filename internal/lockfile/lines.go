package lockfile

import (
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/mod/modfile"
)

// parseGoMod reads go.mod: what is required, or what replaces it.
// https://go.dev/ref/mod#go-mod-file
func parseGoMod(d *document) error {
	f, err := modfile.ParseLax("go.mod", []byte(d.text), nil)
	if err != nil {
		return fmt.Errorf("parse go.mod: %w", err)
	}
	// The lax form leaves replacements out; a file that the strict one refuses
	// has none that count.
	if strict, err := modfile.Parse("go.mod", []byte(d.text), nil); err == nil {
		f = strict
	}
	replaced := make(map[string]bool)
	for _, r := range f.Replace {
		replaced[r.Old.Path+"@"+r.Old.Version] = true
		if r.New.Version != "" {
			d.addModule(r.New.Path, r.New.Version, r.Syntax)
		}
	}
	for _, r := range f.Require {
		if !replaced[r.Mod.Path+"@"] && !replaced[r.Mod.Path+"@"+r.Mod.Version] {
			d.addModule(r.Mod.Path, r.Mod.Version, r.Syntax)
		}
	}
	return nil
}

// parseGoWork reads what go.work replaces for all modules of the workspace.
// https://go.dev/ref/mod#go-work-file
func parseGoWork(d *document) error {
	f, err := modfile.ParseWork("go.work", []byte(d.text), nil)
	if err != nil {
		return fmt.Errorf("parse go.work: %w", err)
	}
	for _, r := range f.Replace {
		if r.New.Version != "" {
			d.addModule(r.New.Path, r.New.Version, r.Syntax)
		}
	}
	return nil
}

// addModule enters a module whose place is its path and version on the line.
func (d *document) addModule(path, version string, line *modfile.Line) {
	if line == nil || line.Start.Byte < 0 || line.End.Byte > len(d.text) || line.Start.Byte > line.End.Byte {
		return
	}
	text := d.text[line.Start.Byte:line.End.Byte]
	i := strings.LastIndex(text, path)
	if i < 0 {
		return
	}
	end := i + len(path)
	if j := strings.Index(text[end:], version); j >= 0 {
		end += j + len(version)
	}
	d.add(Entry{Name: path, Version: version}, line.Start.Byte+i, line.Start.Byte+end)
}

// pinned is a requirement of one exact version, with or without extras.
// https://peps.python.org/pep-0508/
var pinned = regexp.MustCompile(`^\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\])?\s*={2,3}\s*([^\s;,#\\]+)`)

// parseRequirements reads requirements files of pip; only exact versions are
// entries. https://pip.pypa.io/en/stable/reference/requirements-file-format/
func parseRequirements(d *document) error {
	for start, line := range d.lines {
		body := strings.TrimPrefix(line, "\ufeff")
		m := pinned.FindStringSubmatchIndex(body)
		if m == nil || strings.HasSuffix(body[m[4]:m[5]], "*") {
			continue
		}
		start += len(line) - len(body)
		d.add(Entry{Name: body[m[2]:m[3]], Version: body[m[4]:m[5]]}, start+m[2], start+m[5])
	}
	return nil
}

var assignment = regexp.MustCompile(`^(name|version|source|path)\s*=\s*(.*?)\s*$`)

// block is one [[package]] of a TOML lock file.
type block struct {
	name, version, source, path string
	start, end                  int
}

// blocks reads [[package]] tables by their lines. The programs that write these
// files put each key on a line of its own.
func (d *document) blocks(done func(block)) {
	var b block
	inside, quoted := false, false
	for start, line := range d.lines {
		if quoted {
			quoted = !strings.Contains(line, `"""`)
			continue
		}
		quoted = strings.Count(line, `"""`) == 1
		if strings.HasPrefix(strings.TrimSpace(line), "[") {
			if inside {
				done(b)
			}
			b, inside = block{}, strings.TrimSpace(line) == "[[package]]"
			continue
		}
		m := assignment.FindStringSubmatchIndex(line)
		if !inside || m == nil {
			continue
		}
		text := line[m[4]:m[5]]
		switch line[m[2]:m[3]] {
		case "name":
			b.name, b.start, b.end = strings.Trim(text, `"'`), start+m[2], start+m[5]
		case "version":
			b.version = strings.Trim(text, `"'`)
		case "source":
			b.source = text
		case "path":
			b.path = text
		}
	}
	if inside {
		done(b)
	}
}

// parsePoetry reads poetry.lock and pdm.lock. What pdm takes from a path is the
// project's own.
func parsePoetry(d *document) error {
	d.blocks(func(b block) {
		if b.path == "" {
			d.add(Entry{Name: b.name, Version: b.version}, b.start, b.end)
		}
	})
	return nil
}

// parseUV reads uv.lock; the project itself and its workspace are left out.
func parseUV(d *document) error {
	d.blocks(func(b block) {
		for _, own := range []string{"virtual", "editable", "directory"} {
			if strings.Contains(b.source, own+" =") {
				return
			}
		}
		d.add(Entry{Name: b.name, Version: b.version}, b.start, b.end)
	})
	return nil
}

// parseCargo reads Cargo.lock; crates of the workspace have no source.
// https://doc.rust-lang.org/cargo/guide/cargo-toml-vs-cargo-lock.html
func parseCargo(d *document) error {
	d.blocks(func(b block) {
		if b.source != "" {
			d.add(Entry{Name: b.name, Version: b.version}, b.start, b.end)
		}
	})
	return nil
}

// spec is a resolved gem: four blanks, name, version in brackets. What is
// indented further is what that gem asks for.
var spec = regexp.MustCompile(`^ {4}([A-Za-z0-9._-]+) \(([^)]+)\)$`)

// parseGemfile reads the sections of Gemfile.lock that hold foreign gems.
func parseGemfile(d *document) error {
	foreign := false
	for start, line := range d.lines {
		if line != "" && line[0] != ' ' {
			foreign = line == "GEM" || line == "GIT"
		}
		if m := spec.FindStringSubmatchIndex(line); foreign && m != nil {
			d.add(Entry{Name: line[m[2]:m[3]], Version: FoldVersion("gem", line[m[4]:m[5]])}, start+m[2], start+m[1])
		}
	}
	return nil
}

var coordinate = regexp.MustCompile(`^([^:=#\s]+:[^:=\s]+):([^:=\s]+)=`)

// parseGradle reads gradle.lockfile: group:artifact:version=configurations.
// https://docs.gradle.org/current/userguide/dependency_locking.html
func parseGradle(d *document) error {
	for start, line := range d.lines {
		if m := coordinate.FindStringSubmatchIndex(line); m != nil {
			d.add(Entry{Name: line[m[2]:m[3]], Version: line[m[4]:m[5]]}, start+m[2], start+m[5])
		}
	}
	return nil
}

var hexPackage = regexp.MustCompile(`^\s*"[^"]+":\s*\{:hex,\s*:"?([a-zA-Z0-9_]+)"?,\s*"([^"]+)"`)

// parseMix reads the packages from Hex in mix.lock, one a line.
func parseMix(d *document) error {
	for start, line := range d.lines {
		if m := hexPackage.FindStringSubmatchIndex(line); m != nil {
			d.add(Entry{Name: line[m[2]:m[3]], Version: line[m[4]:m[5]]}, start+m[2], start+m[5])
		}
	}
	return nil
}
