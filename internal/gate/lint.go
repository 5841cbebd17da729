package gate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	dockerfilerules "github.com/portcullis-ci/portcullis/internal/detect/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/detect/dockerfile/discover"
	kubernetesrules "github.com/portcullis-ci/portcullis/internal/detect/kubernetes"
	"github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/lockfile"
	"github.com/portcullis-ci/portcullis/internal/origin"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/policy"
	"github.com/portcullis-ci/portcullis/internal/repository"
)

// stdinPath is the path that stands for standard input.
const stdinPath = "-"

// namedImage is an image that a manifest names.
type namedImage = origin.ImageUse

// lintDockerfiles judges the Dockerfiles.
func (r run) lintDockerfiles(ctx context.Context) part {
	p := part{}
	r.discover(ctx, &p, r.Dockerfiles, discover.Options{Exclude: r.Exclude, Stdin: r.Stdin})
	r.discover(ctx, &p, r.Search, discover.Options{Exclude: r.Exclude, AllowNone: true})
	var unread map[string]int
	if len(p.dockerfiles) > 0 {
		result := dockerfilerules.Lint(ctx, p.dockerfiles, r.DockerfileRules)
		p.findings, p.failures, unread = result.Findings, append(p.failures, result.Failures...), result.Unread
	}
	for _, f := range p.dockerfiles {
		r.noteDockerfile(&p, f, unread[f.Path])
	}
	return p
}

// discover adds the Dockerfiles that the given paths stand for to the part.
// What cannot be read is a target that was not examined, with a failure.
func (r run) discover(ctx context.Context, p *part, paths []string, opts discover.Options) {
	for _, given := range paths {
		// No link leads from the checkout that the path is in to elsewhere.
		root, name := r.Repository.Dir, stdinPath
		if given != stdinPath {
			root, name = r.Repository.Part(given)
		}
		named := func(inside string) string { return r.Repository.Name(filepath.Join(root, filepath.FromSlash(inside))) }
		opts.Dir = root
		opts.Shown = func(inside string) string {
			if inside == name {
				return given
			}
			return named(inside)
		}
		result := discover.Find(ctx, os.DirFS(root), []string{name}, opts)
		if len(result.Failures) > 0 {
			p.targets = append(p.targets, outcome.Target{
				Kind: outcome.TargetDockerfile, Name: r.Repository.Name(given), Detail: "not examined",
			})
		}
		for _, s := range result.Skipped {
			r.Progress.Note("left alone: %s, %s", named(s.Path), s.Reason)
		}
		for _, f := range result.Failures {
			if root != r.Repository.Dir {
				f.Target = named(f.Target)
			}
			p.failures = append(p.failures, f)
		}
		for _, f := range result.Files {
			if root != r.Repository.Dir {
				f.Path = named(f.Path)
				if f.Context != nil && f.Context.IgnoreFile != "" {
					context := *f.Context
					context.IgnoreFile = named(context.IgnoreFile)
					f.Context = &context
				}
			}
			if !slices.ContainsFunc(p.dockerfiles, func(known dockerfilerules.File) bool { return sameBuild(known, f) }) {
				p.dockerfiles = append(p.dockerfiles, f)
			}
		}
	}
}

// sameBuild reports whether two finds are one file that is built in one way.
func sameBuild(a, b dockerfilerules.File) bool {
	return a.Path == b.Path && a.Target == b.Target && maps.Equal(a.BuildArgs, b.BuildArgs)
}

// noteDockerfile records a Dockerfile as a target, with the number of steps in
// shells that no rule reads. That one could not be read as a whole is a failure
// that the linter reports.
func (r run) noteDockerfile(p *part, f dockerfilerules.File, unread int) {
	parsed := r.parse(f)
	detail := count(len(parsed.Instructions), "instruction", "instructions")
	if unread > 0 {
		detail += fmt.Sprintf(", %d in a shell that no rule reads", unread)
	}
	p.targets = append(p.targets, outcome.Target{
		Kind: outcome.TargetDockerfile, Name: f.Path,
		Examined: !slices.ContainsFunc(parsed.Problems, dockerfile.Problem.Blind), Detail: detail,
	})
}

// parse reads a Dockerfile with the build arguments and stage of the request,
// over which those of its own build are laid.
func (r run) parse(f dockerfilerules.File) *dockerfile.File {
	args := maps.Clone(r.DockerfileRules.BuildArgs)
	if args == nil {
		args = make(map[string]string)
	}
	maps.Copy(args, f.BuildArgs)
	return dockerfile.Parse(f.Path, f.Content, dockerfile.Options{
		BuildArgs: args, Target: cmp.Or(f.Target, r.DockerfileRules.Target),
	})
}

// lintManifests judges the Kubernetes manifests.
func (r run) lintManifests(ctx context.Context) part {
	p := part{}
	named := r.read(&p, r.Manifests)
	searched := r.search(&p)
	files := kubernetesFiles(named, searched)
	if len(files) == 0 {
		return p
	}
	opts := r.KubernetesRules
	var err error
	if opts.Helm, err = r.helmSettings(files); err != nil {
		p.failures = append(p.failures, failure("manifests", "", err))
	}
	if opts.Own, err = kubernetesrules.CompileOwn(r.Policy.ManifestRules); err != nil {
		p.failures = append(p.failures, failure("manifests", "", err))
	}
	opts.KeepObjects = len(r.Policy.Deny)+len(r.Policy.Warn) > 0
	opts.Read, opts.Others = r.Repository.ReadInside, p.chartFiles
	result := kubernetesrules.Lint(ctx, files, opts)
	p.findings, p.failures = result.Findings, append(p.failures, result.Failures...)
	for _, o := range result.Plain {
		p.manifests = append(p.manifests, policy.Manifest{Path: o.Location.Path, Line: o.Location.Line, Object: o.Value})
	}
	p.uses, p.vulnerable = result.Images, result.Vulnerable
	for _, image := range result.Images {
		p.images = append(p.images, namedImage{Image: image.Reference, Location: image.Location})
	}
	for _, f := range result.Files {
		if f.Objects > 0 || f.Unreadable > 0 || len(r.Search) == 0 {
			p.targets = append(p.targets, outcome.Target{
				Kind: outcome.TargetManifest, Name: f.Path, Examined: f.Unreadable == 0, Detail: counted(f),
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
	if result.Objects == 0 && len(result.Findings) == 0 && len(searched) == 0 && !r.OtherFiles {
		p.failures = append(p.failures, outcome.Failure{
			Stage: "manifests", Target: strings.Join(r.Manifests, " "), Code: exit.NotExamined,
			Message: count(len(files), "file holds", "files hold") + " no Kubernetes object",
			Hint:    "name the folder that holds the manifests; render charts and overlays first",
		})
	}
	return p
}

// counted says what was in a file of manifests, and what of it no rule knows.
func counted(f kubernetesrules.FileResult) string {
	text := count(f.Objects, "object", "objects")
	if f.Unknown > 0 {
		text += fmt.Sprintf(", %d of a kind that no rule knows", f.Unknown)
	}
	if f.Other > 0 {
		text += ", " + count(f.Other, "other document", "other documents")
	}
	return text
}

// helmSettings gives each chart among the files the values of the request.
func (r run) helmSettings(files []kubernetesrules.File) ([]kubernetesrules.HelmSettings, error) {
	if len(r.HelmValues)+len(r.HelmSet) == 0 {
		return nil, nil
	}
	var values []kubernetesrules.File
	for _, given := range r.HelmValues {
		f, err := r.Repository.Read(given)
		if err != nil {
			return nil, &exit.Error{Code: exit.NotExamined, Doing: "read the values file " + given, Err: err}
		}
		values = append(values, kubernetesrules.File{Path: f.Name, Content: f.Content})
	}
	var settings []kubernetesrules.HelmSettings
	for _, f := range files {
		if path.Base(f.Path) == "Chart.yaml" {
			settings = append(settings, kubernetesrules.HelmSettings{Chart: path.Dir(f.Path), Values: values, Set: r.HelmSet})
		}
	}
	return settings, nil
}

// nothingFound is the failure of a search that met nothing to judge.
func nothingFound(paths []string) outcome.Failure {
	return outcome.Failure{
		Stage: "target", Target: strings.Join(paths, " "), Code: exit.NotExamined,
		Message: "no Dockerfile and no Kubernetes object was found",
		Hint:    "name the files, or the folder that holds them",
	}
}

// trace leads the findings of the image to the user's lines and notes at the
// image's target what they were led to.
func (r run) trace(ctx context.Context, all part, baseLayers []string) []finding.Finding {
	if all.image == nil || len(all.platformImages) > 0 {
		return all.findings
	}
	return r.traceImage(ctx, all.image, all, baseLayers)
}

// tracePlatforms traces the findings of an image's platforms, each by its own
// history, and joins them.
func (r run) tracePlatforms(ctx context.Context, parts []part, stage stages) []part {
	var files part
	for _, p := range parts {
		files.dockerfiles, files.images = append(files.dockerfiles, p.dockerfiles...), append(files.images, p.images...)
	}
	out := slices.Clone(parts)
	for i, p := range out {
		for j, one := range p.platforms {
			files.findings = one.findings
			files.inventory = one.inventory
			stage("origin", func() { p.platforms[j].findings = r.traceImage(ctx, one.image, files, nil) })
		}
		out[i] = p.joinPlatforms()
	}
	return out
}

// traceImage leads the findings of all that are about the image to the
// Dockerfiles, lock files and manifests of all.
func (r run) traceImage(ctx context.Context, img *inventory.Image, all part, baseLayers []string) []finding.Finding {
	var files []*dockerfile.File
	ignored := make(map[string]*dockerfile.IgnoreFile)
	for _, f := range all.dockerfiles {
		files = append(files, r.parse(f))
		r.readIgnored(f.Path, ignored)
	}
	var packages []inventory.Package
	if all.inventory != nil {
		packages = all.inventory.Packages
	}
	tracer := origin.NewWith(img, origin.Options{
		Dockerfiles: files, Uses: all.images, Locks: r.locks(ctx, all.findings), Working: r.Repository.WorkingName(),
		BaseLayers: baseLayers, Packages: packages, Ignored: ignored,
	})
	r.Progress.Note("image %s: %s", img.Name, tracer.Describe())
	traced := slices.Clone(all.findings)
	for i, f := range traced {
		switch f.Kind {
		case finding.Vulnerability, finding.ImageConfig, finding.Secret, finding.Malware:
			traced[i] = tracer.Trace(f)
		}
	}
	return traced
}

// readIgnored adds the ignore files of a Dockerfile's build. One that cannot be
// read is noted; the builder would refuse it.
func (r run) readIgnored(file string, ignored map[string]*dockerfile.IgnoreFile) {
	for _, name := range origin.IgnoreFiles(file, r.Repository.WorkingName()) {
		if _, known := ignored[name]; known {
			continue
		}
		folder, inside := r.Repository.Part(filepath.Join(r.Repository.Dir, filepath.FromSlash(name)))
		f, err := openIgnored(folder, inside, name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			r.Progress.Note("ignore file %s not used: %v", name, err)
		}
		ignored[name] = f
	}
}

func openIgnored(folder, inside, name string) (*dockerfile.IgnoreFile, error) {
	f, err := os.OpenInRoot(folder, filepath.FromSlash(inside))
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // opened for reading: nothing is lost
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	content, err := repository.ReadAll(f)
	if err != nil {
		return nil, err
	}
	return dockerfile.ReadIgnoreFile(name, content)
}

// locks are the lock files of the checkout, where a finding may come from one.
// What could not be read is noted; it only makes places less certain.
func (r run) locks(ctx context.Context, findings []finding.Finding) *lockfile.Set {
	if !slices.ContainsFunc(findings, origin.Application) {
		return nil
	}
	set, err := lockfile.Find(ctx, r.Repository.FS(), lockfile.Limits{})
	if err != nil {
		return nil // the context has ended, and the run with it
	}
	for _, u := range set.Unread {
		r.Progress.Note("lock file not read: %s: %v", u.Path, u.Err)
	}
	return set
}
