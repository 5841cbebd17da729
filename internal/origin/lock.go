package origin

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/lockfile"
	"github.com/portcullis-ci/portcullis/internal/shellscript"
)

// applicationTypes are the package URL types that lock files have.
var applicationTypes = []string{"npm", "pypi", "golang", "cargo", "gem", "composer", "nuget", "maven", "pub", "hex", "conan"}

// Application reports whether a finding is about a package that a lock file may
// hold. Without any such finding no checkout needs to be searched.
func Application(f finding.Finding) bool {
	return (f.Kind == finding.Vulnerability || f.Kind == finding.Malware) && f.Package != nil && slices.Contains(applicationTypes, f.Package.Type)
}

// locked is what the lock files say about a package.
type locked struct {
	hit   lockfile.Hit
	found bool
	exact bool
	// why says what tells, or why nothing does; empty when no file has it.
	why string
}

// lookup returns the entries for a package, by the full name of its URL.
func lookup(set *lockfile.Set, p *finding.Package) []lockfile.Hit {
	name := p.Name
	if u, err := packageurl.FromString(p.PURL); err == nil && u.Namespace != "" {
		sep := "/"
		if u.Type == "maven" {
			sep = ":"
		}
		name = u.Namespace + sep + u.Name
		if u.Type == "conan" {
			name = u.Name // the namespace is the user who packed it
		}
	}
	hits := set.Lookup(p.Type, name, p.Version)
	if p.Type == "maven" && len(hits) == 0 && (name == p.Name || strings.HasPrefix(name, p.Name+":")) {
		// The archive did not tell its group.
		hits = set.Lookup(p.Type, p.Name, p.Version)
	}
	return hits
}

// lockedFirst leaves project files of .NET out where a lock file has the package.
func lockedFirst(hits []lockfile.Hit) []lockfile.Hit {
	project := func(h lockfile.Hit) bool { return h.File.Format.Name == lockfile.ProjectFile }
	if i := slices.IndexFunc(hits, func(h lockfile.Hit) bool { return !project(h) }); i < 0 {
		return hits
	}
	return slices.DeleteFunc(slices.Clone(hits), project)
}

// findLocked says which lock file's line a package comes from. in is the
// instruction that installed or copied it in, nil when no Dockerfile tells.
func (t *Tracer) findLocked(f finding.Finding, in *dockerfile.Instruction) locked {
	if !Application(f) {
		return locked{}
	}
	hits := lockedFirst(lookup(t.opt.Locks, f.Package))
	if len(hits) == 0 {
		return locked{}
	}
	if global(f.Locations) {
		return locked{why: "it is installed for the whole system, not from a lock file"}
	}
	if in != nil {
		return t.lockedFor(f, in, hits)
	}
	return t.only(f, hits)
}

// only claims the one lock file of the repository that has the package.
func (t *Tracer) only(f finding.Finding, hits []lockfile.Hit) locked {
	files := filesOf(hits)
	switch {
	case len(files) > 1:
		return locked{why: "it is in more than one lock file: " + strings.Join(files[:min(len(files), 4)], ", ")}
	case len(t.opt.Locks.Unread) > 0:
		return locked{why: "not every lock file could be read: " + t.opt.Locks.Unread[0].Path}
	}
	if why := t.stranger(f, hits[0].File); why != "" {
		return locked{why: why}
	}
	return locked{hit: bestEntry(f, hits), found: true, why: "the only lock file of the repository that has it"}
}

// lockedFor narrows the lock files to those that the build has put where the
// instruction works.
func (t *Tracer) lockedFor(f finding.Finding, in *dockerfile.Instruction, hits []lockfile.Hit) locked {
	use := usesOf(in, f.Package.Type)
	if use.named {
		return locked{why: "the command installs packages by name, not from a lock file"}
	}
	folder, placed := expectedFolder(f, in, use)
	var covered, positioned []lockfile.Hit
	unseen := ""
	for _, h := range hits {
		places, ignoredBy := t.placesOf(h.File.Path, in)
		at := slices.DeleteFunc(places, func(p string) bool { return !use.reads(h.File, p) })
		if len(at) == 0 && ignoredBy != "" {
			unseen = ignoredBy + " keeps " + h.File.Path + " out of the build"
		}
		if len(at) > 0 {
			covered = append(covered, h)
		}
		if slices.ContainsFunc(at, func(p string) bool { return path.Dir(p) == folder }) {
			positioned = append(positioned, h)
		}
	}
	switch {
	case placed && len(filesOf(positioned)) == 1 && !t.outside(positioned[0].File, in):
		return locked{bestEntry(f, positioned), true, !t.astray(f, in, folder), "the lock file that the build puts into " + folder}
	case placed && len(filesOf(positioned)) > 1:
		return locked{why: "it is in more than one lock file: " + strings.Join(filesOf(positioned), ", ")}
	case len(filesOf(covered)) == 1 && !placed && !t.outside(covered[0].File, in):
		if why := t.stranger(f, covered[0].File); why != "" {
			return locked{why: why}
		}
		return locked{bestEntry(f, covered), true, false, "the only lock file with it that the build copies"}
	case len(covered) > 0:
		return locked{why: "no lock file with it is known to be in the folder that the build installs from"}
	case unseen != "" && (in.Keyword == "RUN" || len(in.StageRefs()) > 0):
		return locked{why: unseen}
	case in.Keyword == "RUN":
		return locked{why: "the build copies no lock file that has it"}
	}
	return t.only(f, hits)
}

// astray reports that a package of a program which installs into the folder of
// its lock file lies elsewhere, in the layer of the command itself.
func (t *Tracer) astray(f finding.Finding, in *dockerfile.Instruction, folder string) bool {
	beside := f.Package.Type == "npm" || f.Package.Type == "composer"
	return beside && t.alignment != nil && in.Keyword == "RUN" && slices.Contains(t.alignment.steps, in) && !inside(f.Locations[0].Path, folder)
}

// outside reports that a lock file lies outside of the Dockerfile's folder, while
// that has a file of the same kind: without knowing the build's context, it
// cannot be told which of them is meant.
func (t *Tracer) outside(file *lockfile.File, in *dockerfile.Instruction) bool {
	folder := path.Dir(in.File().Path)
	return !inside(file.Path, folder) && slices.ContainsFunc(t.opt.Locks.Files, func(other lockfile.File) bool {
		return other.Format.Name == file.Format.Name && inside(other.Path, folder)
	})
}

func filesOf(hits []lockfile.Hit) []string {
	var out []string
	for _, h := range hits {
		if !slices.Contains(out, h.File.Path) {
			out = append(out, h.File.Path)
		}
	}
	return out
}

// bestEntry is the entry for the very folder of the package, else the first.
func bestEntry(f finding.Finding, hits []lockfile.Hit) lockfile.Hit {
	for _, h := range hits {
		for _, l := range f.Locations {
			if h.Entry.Path != "" && strings.Contains(l.Path+"/", "/"+h.Entry.Path+"/") &&
				strings.Count(l.Path, "node_modules/") == strings.Count(h.Entry.Path, "node_modules/") {
				return h
			}
		}
	}
	return hits[0]
}

// global reports that a package lies where only system-wide installations lie.
func global(locations []finding.Location) bool {
	for _, l := range locations {
		for _, folder := range []string{"/usr/lib/node_modules/", "/usr/local/lib/node_modules/", "/usr/lib/python3/dist-packages/", "/usr/share/"} {
			if strings.HasPrefix(l.Path, folder) {
				return true
			}
		}
	}
	return false
}

// uses is what a RUN takes its packages from.
type uses struct {
	// kinds are the kinds of lock files that it reads, files the names of those
	// that the command line holds; both are empty for any.
	kinds, files []string
	// named is true when all packages stand on the command line.
	named bool
	// folder is where the command looks for its lock file, relative to the
	// working directory; told is false when that is not certain.
	folder string
	told   bool
	// reading is true when a command reads lock files.
	reading bool
}

// reads reports whether the command reads a lock file that lies at a path.
func (u uses) reads(f *lockfile.File, at string) bool {
	return len(u.kinds)+len(u.files) == 0 || slices.Contains(u.kinds, f.Format.Name) || slices.Contains(u.files, path.Base(at))
}

// lockUsers are the lock files that programs install from.
var lockUsers = []struct {
	typ, program string
	verbs, files []string
}{
	{"npm", "npm", []string{"ci", "install", "i", "clean-install"}, []string{"package-lock.json", "npm-shrinkwrap.json"}},
	{"npm", "yarn", []string{"", "install"}, []string{"yarn.lock"}},
	{"npm", "pnpm", []string{"install", "i", "fetch"}, []string{"pnpm-lock.yaml"}},
	{"npm", "bun", []string{"install", "i", "ci"}, []string{"bun.lock"}},
	{"npm", "deno", []string{"install", "cache", "ci"}, []string{"deno.lock"}},
	{"pypi", "poetry", []string{"install", "sync"}, []string{"poetry.lock"}},
	{"pypi", "pdm", []string{"install", "sync"}, []string{"pdm.lock"}},
	{"pypi", "uv", []string{"sync"}, []string{"uv.lock"}},
	{"pypi", "pipenv", []string{"install", "sync"}, []string{"Pipfile.lock"}},
	{"gem", "bundle", []string{"install", ""}, []string{"Gemfile.lock"}},
	{"composer", "composer", []string{"install"}, []string{"composer.lock"}},
	{"golang", "go", []string{"build", "install", "mod"}, []string{"go.mod", "go.work"}},
	{"cargo", "cargo", []string{"build", "install"}, []string{"Cargo.lock"}},
	{"nuget", "dotnet", []string{"restore", "publish", "build"}, []string{"packages.lock.json", lockfile.ProjectFile}},
	{"conan", "conan", []string{"install"}, []string{"conan.lock"}},
	{"maven", "mvn", nil, []string{"pom.xml"}},
	{"maven", "mvnw", nil, []string{"pom.xml"}},
	{"maven", "gradle", nil, []string{"gradle.lockfile"}},
	{"maven", "gradlew", nil, []string{"gradle.lockfile"}},
}

// usesOf reads the commands of a RUN.
func usesOf(in *dockerfile.Instruction, typ string) uses {
	u := uses{}
	if in.Keyword != "RUN" {
		return u
	}
	named, moves := false, false
	for _, c := range scriptOf(in).Commands {
		moves = moves || c.Name == "cd" || c.Name == "pushd"
		if files := requirementFiles(c); typ == "pypi" && len(files) > 0 {
			for _, f := range files {
				u.files = append(u.files, path.Base(f))
				u.readsIn(path.Dir(f), true)
			}
			continue
		}
		if len(installed(c, typ)) > 0 && !ownFolder(c, typ) || flagged(c, "-g", "--global") {
			named = true
			continue
		}
		for _, l := range lockUsers {
			if l.typ == typ && l.program == c.Name && hasVerb(c, l.verbs) {
				u.kinds = append(u.kinds, l.files...)
				folder, told := worksIn(c)
				// dotnet takes the project's file, which lies in any folder.
				u.readsIn(folder, told && typ != "nuget")
			}
		}
	}
	u.named = named && len(u.files)+len(u.kinds) == 0
	u.told = u.told && !moves
	return u
}

// readsIn notes the folder of a lock file. If there are several, it cannot be
// told in which of them the one with a package must be.
func (u *uses) readsIn(folder string, told bool) {
	u.told = told && (!u.reading || u.told && u.folder == folder)
	u.folder, u.reading = folder, true
}

// ownFolder reports that what is installed is the project itself: pip install .
func ownFolder(c *shellscript.Command, typ string) bool {
	return slices.ContainsFunc(installed(c, typ), func(a shellscript.Arg) bool {
		return strings.HasPrefix(a.Text, ".") || strings.HasPrefix(a.Text, "/")
	})
}

func flagged(c *shellscript.Command, flags ...string) bool {
	return slices.ContainsFunc(c.Args, func(a shellscript.Arg) bool { return slices.Contains(flags, a.Text) }) &&
		slices.Contains([]string{"npm", "pnpm", "yarn"}, c.Name)
}

// requirementFiles are the files that pip is told to read.
func requirementFiles(c *shellscript.Command) []string {
	if len(c.Args) == 0 || !strings.HasPrefix(c.Name, "pip") && !strings.HasPrefix(c.Name, "python") && c.Name != "uv" {
		return nil
	}
	var out []string
	for i, a := range c.Args {
		switch {
		case (a.Text == "-r" || a.Text == "--requirement") && i+1 < len(c.Args):
			out = append(out, c.Args[i+1].Text)
		case strings.HasPrefix(a.Text, "--requirement="):
			out = append(out, strings.TrimPrefix(a.Text, "--requirement="))
		case strings.HasPrefix(a.Text, "-r") && len(a.Text) > 2:
			out = append(out, a.Text[2:])
		}
	}
	return out
}

// expectedFolder is the folder of the image or stage in which the lock file of
// a package must have been.
func expectedFolder(f finding.Finding, in *dockerfile.Instruction, use uses) (string, bool) {
	if in.Keyword == "RUN" {
		if !use.told {
			return "", false
		}
		return absolute(in, use.folder)
	}
	if head, _, ok := strings.Cut(f.Locations[0].Path, "/node_modules/"); ok && f.Package.Type == "npm" && len(in.StageRefs()) == 0 {
		return path.Join("/", head), true
	}
	return "", false
}

// placesOf are the paths to which the build copies a file of the checkout
// before the instruction, or with it. ignoredBy is the ignore file that keeps it
// from being copied.
func (t *Tracer) placesOf(file string, in *dockerfile.Instruction) (out []string, ignoredBy string) {
	sources := []*dockerfile.Instruction{in}
	if in.Keyword == "RUN" && in.Stage != nil {
		sources = append(slices.Clone(before(in.Stage, in)), in) // for its bind mounts
	}
	for _, ref := range in.StageRefs() {
		if in.Keyword != "RUN" && ref.Stage != nil {
			sources = stepsOf(ref.Stage)
		}
	}
	for _, root := range t.contextsOf(in.File()) {
		if !inside(file, root) {
			continue
		}
		rel := file
		if root != "." {
			rel = strings.TrimPrefix(file, root+"/")
		}
		ignored := t.ignored(in.File(), root)
		for _, s := range sources {
			for _, at := range broughtTo(s, rel) {
				switch {
				case ignored.Excludes(rel):
					ignoredBy = ignored.Path
				case !slices.Contains(out, at):
					out = append(out, at)
				}
			}
		}
	}
	return out, ignoredBy
}

// broughtTo are the paths that an instruction gives a file of the context.
func broughtTo(in *dockerfile.Instruction, rel string) []string {
	if in.Keyword == "RUN" {
		return mountedAt(in, rel)
	}
	to, ok := target(in)
	if !ok || in.Keyword != "COPY" && in.Keyword != "ADD" || len(in.StageRefs()) > 0 {
		return nil
	}
	if _, other := in.Flag("from"); other {
		return nil
	}
	var out []string
	last := in.Args[len(in.Args)-1].Value.Text
	for _, src := range in.Args[:len(in.Args)-1] {
		if !src.Value.Known {
			continue
		}
		from := strings.TrimPrefix(path.Clean("/"+src.Value.Text), "/")
		if from == "" {
			from = "."
		}
		into := to
		if path.Base(from) == "node_modules" && path.Base(to) == "node_modules" {
			// What was installed is copied; its lock file lies beside it.
			from, into = path.Dir(from), path.Dir(to)
		}
		switch {
		case from == rel && !strings.HasSuffix(last, "/") && last != "." && len(in.Args) == 2:
			out = append(out, into)
		case from == rel:
			out = append(out, path.Join(into, path.Base(rel)))
		case inside(rel, from):
			out = append(out, path.Join(into, strings.TrimPrefix(strings.TrimPrefix(rel, from), "/")))
		case globMatches(from, rel):
			out = append(out, path.Join(into, path.Base(rel)))
		}
	}
	return out
}

func globMatches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return err == nil && ok
}

// mountedAt is where RUN --mount=type=bind shows a file of the context.
func mountedAt(in *dockerfile.Instruction, rel string) []string {
	var out []string
	for _, fl := range in.Flags {
		if fl.Name != "mount" {
			continue
		}
		fields := make(map[string]string)
		for _, m := range dockerfile.MountFields(fl) {
			fields[m.Key] = m.Value
		}
		src, dst := firstOf(fields, "source", "src"), firstOf(fields, "target", "dst", "destination")
		if kind := fields["type"]; kind != "" && kind != "bind" || fields["from"] != "" || dst == "" {
			continue
		}
		at, ok := absolute(in, dst)
		src = strings.TrimPrefix(path.Clean("/"+src), "/")
		switch {
		case !ok:
		case src == rel:
			out = append(out, at)
		case src == "" || inside(rel, src):
			out = append(out, path.Join(at, strings.TrimPrefix(rel, src)))
		}
	}
	return out
}

func firstOf(fields map[string]string, keys ...string) string {
	for _, k := range keys {
		if v := fields[k]; v != "" {
			return v
		}
	}
	return ""
}

// place is the line of an entry.
func (l locked) place() finding.Location {
	e := l.hit.Entry
	return finding.Location{
		Space: finding.Repository, Path: l.hit.File.Path, Line: e.Line, Column: e.Column, EndLine: e.EndLine, EndColumn: e.EndColumn,
		Note: fmt.Sprintf("locked in %s", path.Base(l.hit.File.Path)),
	}
}
