package gate

import (
	"errors"
	"fmt"
	"os"
	"slices"

	kubernetesrules "github.com/portcullis-ci/portcullis/internal/detect/kubernetes"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/repository"
)

// errNoFile says that a directory holds nothing of the wanted kind.
var errNoFile = errors.New("no file of this kind is in the directory")

// kubernetesFiles joins what paths and directories stand for; a file that is
// among several of them counts as named if one of them names it.
func kubernetesFiles(found ...[]kubernetesrules.File) []kubernetesrules.File {
	var files []kubernetesrules.File
	seen := make(map[string]int)
	for _, f := range slices.Concat(found...) {
		if i, again := seen[f.Path]; again {
			files[i].Named = files[i].Named || f.Named
			continue
		}
		seen[f.Path] = len(files)
		files = append(files, f)
	}
	return files
}

// read returns the files that the given paths stand for. What cannot be read
// becomes a failure in p; the rest is examined all the same.
func (r run) read(p *part, paths []string) []kubernetesrules.File {
	var files []kubernetesrules.File
	for _, given := range paths {
		found, err := r.readPath(p, given)
		if err != nil {
			r.notRead(p, given, err)
		}
		files = append(files, found...)
	}
	return kubernetesFiles(files)
}

// notRead records a path that could not be read as not examined.
func (r run) notRead(p *part, given string, err error) {
	p.targets = append(p.targets, outcome.Target{
		Kind: outcome.TargetManifest, Name: r.Repository.Name(given), Detail: "not examined",
	})
	p.failures = append(p.failures, failure("target", r.Repository.Name(given), &exit.Error{
		Code: exit.NotExamined, Doing: "read the manifests " + given, Err: err,
		Hint: fmt.Sprintf("paths are relative to %s", r.Repository.Working),
	}))
}

// search returns the files of the wanted kind in the directories that the
// request wants searched. Links that are not followed are no failure here: a
// checkout has them for many reasons.
func (r run) search(p *part) []kubernetesrules.File {
	var files []kubernetesrules.File
	for _, dir := range r.Search {
		found, links, err := r.Repository.Files(dir)
		if err != nil {
			p.failures = append(p.failures, failure("target", r.Repository.Name(dir), fmt.Errorf("search %s: %w", dir, err)))
		}
		for _, one := range r.manifests(p, found, links) {
			f, err := r.readOne(one)
			if err != nil {
				r.notRead(p, one.Path, err)
				continue
			}
			files = append(files, f)
		}
		for _, l := range leftLinks(links) {
			r.Progress.Note("left alone: %s, %s", r.Repository.Name(l.Path), l.Left)
		}
	}
	return files
}

// readPath returns the files below one path that the user named, and the errors
// of those that cannot be read beside those that can.
func (r run) readPath(p *part, given string) ([]kubernetesrules.File, error) {
	if given == stdinPath {
		content, err := repository.ReadAll(r.Stdin)
		return []kubernetesrules.File{{Path: "stdin", Content: content}}, err
	}
	paths, links, err := r.Repository.Files(given)
	if err != nil {
		return nil, err
	}
	wanted := []repository.Link{{Path: given}}
	named := len(paths) == 1 && paths[0] == given
	if !named {
		wanted = r.manifests(p, paths, links)
	}
	var files []kubernetesrules.File
	var errs []error
	for _, one := range wanted {
		f, err := r.readOne(one)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", r.Repository.Name(one.Path), err))
			continue
		}
		f.Named = named
		files = append(files, f)
	}
	// Whoever applies the directory gets what these lead to.
	for _, l := range leftLinks(links) {
		errs = append(errs, fmt.Errorf("%s is %s", r.Repository.Name(l.Path), l.Left))
	}
	if len(wanted)+len(errs) == 0 {
		return nil, errNoFile
	}
	return files, errors.Join(errs...)
}

// readOne reads a file, or what a link leads to.
func (r run) readOne(l repository.Link) (kubernetesrules.File, error) {
	f, err := r.Repository.Read(l.Path)
	return kubernetesrules.File{Path: f.Name, Content: f.Content, Target: l.Target}, err
}

// leftLinks are the links that have the names of manifests, and are followed
// neither here nor, as those to directories, by kubectl.
func leftLinks(links []repository.Link) []repository.Link {
	return slices.DeleteFunc(slices.Clone(links), func(l repository.Link) bool {
		return l.Left == "" || l.Directory || !kubernetesrules.ManifestName(l.Path)
	})
}

// manifests returns those of the paths that are linted, with links to manifests
// among them. What else lies in charts is noted in the part, for templates that
// ask for it.
func (r run) manifests(p *part, paths []string, links []repository.Link) []repository.Link {
	targets := make(map[string]string)
	for _, l := range links {
		if l.Target != "" && kubernetesrules.Wanted(l.Path) {
			targets[l.Path] = l.Target
			paths = append(slices.Clip(paths), l.Path)
		}
	}
	linted := make(map[string]bool)
	var wanted []repository.Link
	for _, name := range kubernetesrules.WithoutForeign(slices.DeleteFunc(slices.Clone(paths), func(name string) bool { return !kubernetesrules.Wanted(name) })) {
		linted[name] = true
		wanted = append(wanted, repository.Link{Path: name, Target: targets[name]})
	}
	note := func(name string, read func() ([]byte, error)) {
		p.chartFiles = append(p.chartFiles, kubernetesrules.ChartFile{Path: r.Repository.Name(name), Read: read})
	}
	for _, name := range kubernetesrules.InCharts(paths) {
		if !linted[name] && targets[name] == "" {
			note(name, func() ([]byte, error) { return r.readChartFile(name) })
		}
	}
	for _, l := range links {
		if !linted[l.Path] {
			note(l.Path, func() ([]byte, error) { return nil, errLink })
		}
	}
	return wanted
}

// maxChartFile bounds a file that a template of a chart asks for, in bytes, as
// Helm does.
const maxChartFile = 5 << 20

func (r run) readChartFile(name string) ([]byte, error) {
	if info, err := os.Stat(r.Repository.Path(name)); err == nil && info.Size() > maxChartFile {
		return nil, fmt.Errorf("is over the limit of %d MiB", maxChartFile>>20)
	}
	f, err := r.Repository.Read(name)
	return f.Content, err
}

// errLink says why a file of a chart is not read.
var errLink = errors.New("is a symbolic link, which is not followed")
