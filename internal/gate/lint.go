package gate

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	dockerfilerules "github.com/portcullis-ci/portcullis/internal/detect/dockerfile"
	kubernetesrules "github.com/portcullis-ci/portcullis/internal/detect/kubernetes"
	"github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/origin"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/repository"
)

// Names of the files that a directory is searched for.
var (
	dockerfilePatterns = []string{"Dockerfile", "Dockerfile.*", "*.Dockerfile", "*.dockerfile", "Containerfile", "Containerfile.*"}
	manifestPatterns   = []string{"*.yaml", "*.yml", "*.json"}
)

// stdinPath is the path that stands for standard input.
const stdinPath = "-"

// namedImage is an image that a manifest names.
type namedImage = origin.ImageUse

// lintDockerfiles judges the Dockerfiles.
func (r run) lintDockerfiles(ctx context.Context) part {
	p := part{}
	named := r.read(&p, outcome.TargetDockerfile, r.Dockerfiles, dockerfilePatterns)
	p.dockerfiles = append(named, r.search(&p, outcome.TargetDockerfile, dockerfilePatterns)...)
	if len(p.dockerfiles) == 0 {
		return p
	}
	files := make([]dockerfilerules.File, len(p.dockerfiles))
	for i, f := range p.dockerfiles {
		files[i] = dockerfilerules.File{Path: f.Name, Content: f.Content, Context: r.buildContext(f)}
		r.noteDockerfile(&p, f)
	}
	result := dockerfilerules.Lint(ctx, files, r.DockerfileRules)
	p.findings, p.failures = result.Findings, append(p.failures, result.Failures...)
	return p
}

// noteDockerfile records a Dockerfile as a target. One that could not be read
// as a whole is a failure, whatever the severity of the finding about it.
func (r run) noteDockerfile(p *part, f repository.File) {
	parsed := r.parse(f)
	t := outcome.Target{
		Kind: outcome.TargetDockerfile, Name: f.Name, Examined: true,
		Detail: count(len(parsed.Instructions), "instruction", "instructions"),
	}
	for _, problem := range parsed.Problems {
		if problem.Blind() {
			t.Examined = false
			p.failures = append(p.failures, outcome.Failure{
				Stage: "dockerfile", Target: f.Name, Code: exit.NotExamined,
				Message: fmt.Sprintf("%s could not be examined as a whole: %s", f.Name, problem.Message),
				Hint:    "correct the file; what could be read was examined",
			})
			break
		}
	}
	p.targets = append(p.targets, t)
}

// parse reads a Dockerfile with the build arguments and stage of the request.
func (r run) parse(f repository.File) *dockerfile.File {
	return dockerfile.Parse(f.Name, f.Content, dockerfile.Options{
		BuildArgs: r.DockerfileRules.BuildArgs, Target: r.DockerfileRules.Target,
	})
}

// buildContext looks for the ignore file that a builder would use: the one
// named after the Dockerfile, else that of the folder of the Dockerfile or of
// the working directory, which are what builds are given as their context.
// https://docs.docker.com/build/concepts/context/#dockerignore-files
func (r run) buildContext(f repository.File) *dockerfilerules.Context {
	if f.Path == "" {
		return nil // standard input: nothing is known of the context
	}
	folder := filepath.Dir(f.Path)
	for _, candidate := range []string{
		f.Path + ".dockerignore", filepath.Join(folder, ".dockerignore"), filepath.Join(r.Repository.Working, ".dockerignore"),
	} {
		if ignore, err := r.Repository.Read(candidate); err == nil {
			return &dockerfilerules.Context{IgnoreFile: ignore.Name, Ignore: ignore.Content}
		}
	}
	return &dockerfilerules.Context{}
}

// lintManifests judges the Kubernetes manifests.
func (r run) lintManifests(ctx context.Context) part {
	p := part{}
	read := r.read(&p, outcome.TargetManifest, r.Manifests, manifestPatterns)
	searched := r.search(&p, outcome.TargetManifest, manifestPatterns)
	read = append(read, searched...)
	if len(read) == 0 {
		return p
	}
	files := make([]kubernetesrules.File, len(read))
	for i, f := range read {
		files[i] = kubernetesrules.File{Path: f.Name, Content: f.Content}
	}
	result := kubernetesrules.Lint(ctx, files, r.KubernetesRules)
	p.findings, p.failures = result.Findings, append(p.failures, result.Failures...)
	for _, image := range result.Images {
		p.images = append(p.images, namedImage{Image: image.Reference, Location: image.Location})
	}
	for _, f := range result.Files {
		if f.Objects > 0 || f.Unreadable > 0 || len(r.Search) == 0 {
			p.targets = append(p.targets, outcome.Target{
				Kind: outcome.TargetManifest, Name: f.Path, Examined: f.Unreadable == 0, Detail: count(f.Objects, "object", "objects"),
			})
		}
		if f.Unreadable > 0 {
			p.failures = append(p.failures, outcome.Failure{
				Stage: "manifests", Target: f.Path, Code: exit.NotExamined,
				Message: fmt.Sprintf("%s in %s could not be read", count(f.Unreadable, "place", "places"), f.Path),
				Hint:    "the findings of rule k8s-unreadable say where and why",
			})
		}
	}
	if result.Objects == 0 && len(result.Findings) == 0 && len(searched) == 0 {
		p.failures = append(p.failures, outcome.Failure{
			Stage: "manifests", Target: strings.Join(r.Manifests, " "), Code: exit.NotExamined,
			Message: count(len(read), "file holds", "files hold") + " no Kubernetes object",
			Hint:    "name the folder that holds the manifests; render charts and overlays first",
		})
	}
	return p
}

// nothingFound is the failure of a search that met nothing to judge.
func nothingFound(paths []string) outcome.Failure {
	return outcome.Failure{
		Stage: "target", Target: strings.Join(paths, " "), Code: exit.NotExamined,
		Message: "no Dockerfile and no Kubernetes object was found",
		Hint:    "name the files, or the folder that holds them",
	}
}

// errNoFile says that a directory holds nothing of the wanted kind.
var errNoFile = errors.New("no file of this kind is in the directory")

// read returns the files that the given paths stand for. What cannot be read
// becomes a failure in p; the rest is examined all the same.
func (r run) read(p *part, kind outcome.TargetKind, paths, patterns []string) []repository.File {
	var files []repository.File
	seen := make(map[string]bool)
	for _, given := range paths {
		found, err := r.readPath(given, patterns)
		if err != nil {
			p.targets = append(p.targets, outcome.Target{Kind: kind, Name: r.Repository.Name(given), Detail: "not examined"})
			p.failures = append(p.failures, failure("target", r.Repository.Name(given), &exit.Error{
				Code: exit.NotExamined, Doing: fmt.Sprintf("read the %s %s", kind, given), Err: err,
				Hint: fmt.Sprintf("paths are relative to %s", r.Repository.Working),
			}))
		}
		for _, f := range found {
			if !seen[f.Name] {
				seen[f.Name] = true
				files = append(files, f)
			}
		}
	}
	return files
}

// search returns the files of the wanted kind in the directories that the
// request wants searched.
func (r run) search(p *part, kind outcome.TargetKind, patterns []string) []repository.File {
	var paths []string
	for _, dir := range r.Search {
		found, err := r.Repository.Files(dir, patterns...)
		if err != nil {
			p.failures = append(p.failures, failure("target", r.Repository.Name(dir), fmt.Errorf("search %s: %w", dir, err)))
		}
		paths = append(paths, found...)
	}
	return r.read(p, kind, paths, patterns)
}

// readPath returns the files below one path, and the error of the first that
// cannot be read beside those that can.
func (r run) readPath(given string, patterns []string) ([]repository.File, error) {
	if given == stdinPath {
		content, err := repository.ReadAll(r.Stdin)
		return []repository.File{{Name: "stdin", Content: content}}, err
	}
	paths, err := r.Repository.Files(given, patterns...)
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, errNoFile
	}
	var files []repository.File
	var errs []error
	for _, path := range paths {
		f, err := r.Repository.Read(path)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", r.Repository.Name(path), err))
			continue
		}
		files = append(files, f)
	}
	return files, errors.Join(errs...)
}

// trace leads the findings of the image to the user's lines and notes at the
// image's target what they were led to.
func (r run) trace(all part) []finding.Finding {
	if all.inventory == nil || all.inventory.Image == nil {
		return all.findings
	}
	var files []*dockerfile.File
	for _, f := range all.dockerfiles {
		files = append(files, r.parse(f))
	}
	tracer := origin.New(all.inventory.Image, files, all.images)
	r.Progress.Note("image %s: %s", all.inventory.Image.Name, tracer.Describe())
	traced := slices.Clone(all.findings)
	for i, f := range traced {
		switch f.Kind {
		case finding.Vulnerability, finding.ImageConfig, finding.Secret:
			traced[i] = tracer.Trace(f)
		}
	}
	return traced
}
