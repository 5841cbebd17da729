// Package kubernetes checks Kubernetes manifests: pods and the workloads that
// make them, access rules, network policies and what else decides how safely
// an image runs. Each finding stands at the field that is wrong, or where the
// missing field belongs. Reading files is the work of package manifest; what a
// finding means for the gate is decided elsewhere. Its main function is Lint.
package kubernetes

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// File is a manifest with its path relative to the root of the checkout.
type File = manifest.File

// Options are the settings of a run; the zero value is a good default.
type Options struct {
	// Enable turns on rules that are off by default, by their ids.
	Enable []string
	// Disable turns rules off, by their ids.
	Disable []string
	// Registries are the registries, or registry/path prefixes, from which
	// images may come. Without any, k8s-image-registry does not run.
	Registries []string
	// KubeVersion is the cluster's version as major.minor, such as "1.34";
	// empty means the newest that is known.
	KubeVersion string
	// PodSecurity keeps the rules of the Pod Security Standards exactly to a
	// level of them, as KubeVersion's admission controller would; empty runs
	// the rules of both levels and, where Portcullis is stricter, its own.
	PodSecurity Level
	// Helm are the settings of charts among the files. A chart without any is
	// rendered with its own values.
	Helm []HelmSettings
	// Own are the user's own rules.
	Own []OwnRule
	// OwnOnly leaves out all other rules.
	OwnOnly bool
	// KeepObjects asks for Result.Plain.
	KeepObjects bool
	// Today is the date against which expiring ignores are held. The zero
	// value lets no ignore expire.
	Today time.Time
	// RequireReason makes ignores without a reason findings.
	RequireReason bool
	// NoIgnores lets no comment and no annotation silence anything.
	NoIgnores bool
	// Read, if it is there, returns the content of a file beside those that are
	// linted: what a kustomization takes into a ConfigMap has any name. It is
	// given paths like those of files, and refuses what is no part of the
	// repository.
	Read func(name string) ([]byte, error)
	// Others are files that nobody lints and that templates of charts may ask
	// for: all others of the charts' directories.
	Others []ChartFile
	// Limits bound what one file may cost.
	Limits manifest.Limits
	// Findings bounds the findings of all files together; what is beyond it is
	// counted in a failure. Default 200,000, which take some 1 GB of memory.
	Findings int
}

// Result is what Lint found, and what it looked at.
type Result struct {
	// Findings in the order of files and positions. Ignored ones are there
	// with the status Waived.
	Findings []finding.Finding
	// Failures are rules that broke down and a run that was stopped.
	Failures []outcome.Failure
	// Files says for each file what became of it, in the given order.
	Files []FileResult
	// Images are all images that the manifests name, in the order of their
	// positions.
	Images []Image
	// Vulnerable has a finding of ImageVulnerableRule for each place that names
	// an image, in the order of Findings. They are for who scans the image: one
	// is true where its ImageFact names an image with vulnerabilities.
	Vulnerable []finding.Finding
	// Plain are all objects as plain values, for rules that users write; only
	// with Options.KeepObjects. What charts and kustomizations make is among
	// them, and lists are taken apart.
	Plain []PlainObject
	// Documents, Objects and Unreadable are sums over Files. Other counts
	// documents that are no Kubernetes objects, Unknown the objects of kinds
	// about which no rule knows anything and in which no pod was found.
	Documents  int
	Objects    int
	Unreadable int
	Other      int
	Unknown    int
}

// PlainObject is one object with the place at which it begins.
type PlainObject struct {
	Location finding.Location
	Value    map[string]any
}

// FileResult counts what was in one file. A file with Unreadable above zero
// was not examined in full.
type FileResult struct {
	Path       string
	Documents  int
	Objects    int
	Unreadable int
	Other      int
	Unknown    int
}

// Rules returns all rules in the order of their families.
func Rules() []rules.Rule {
	all := allRules()
	out := make([]rules.Rule, len(all))
	for i, r := range all {
		out[i] = r.Rule
	}
	return out
}

// Lint checks the manifests together: relations between objects are looked
// for across all files. Files that make up a Helm chart are rendered, and
// findings point into its templates and values. Give it all files that Wanted
// asks for.
func Lint(ctx context.Context, files []File, opts Options) Result {
	opts.Findings = cmp.Or(opts.Findings, 200_000)
	l := linter{opts: opts, set: newSet(opts), rendered: make(map[string]rendering), ownFailed: make(map[string]bool)}
	order := make(map[string]int, len(files))
	for i, f := range files {
		order[f.Path] = i
	}
	l.sources(ctx, files)
	l.set.index()
	for _, r := range l.set.rules() {
		if ctx.Err() != nil {
			break
		}
		if r.runs(opts) {
			l.run(r)
		}
	}
	if err := ctx.Err(); err != nil {
		l.result.Failures = append(l.result.Failures, outcome.Failure{
			Stage: stage, Message: fmt.Sprintf("the check of manifests was stopped: %v", err), Code: exit.NotExamined,
		})
	}
	if l.dropped > 0 {
		l.result.Failures = append(l.result.Failures, outcome.Failure{
			Stage: stage, Code: exit.NotExamined,
			Message: fmt.Sprintf("the manifests hold %d more findings than the %d that are listed at most", l.dropped, opts.Findings),
			Hint:    "check parts of the directory in runs of their own",
		})
	}
	return l.finish(order)
}

// stage names this detector in failures.
const stage = "kubernetes"

// linter is the state of one run.
type linter struct {
	opts   Options
	set    *set
	result Result
	// found are the findings by the file that they are in.
	found []finding.Finding
	seen  map[reported]bool
	// texts are those that findings share.
	texts map[string]string
	// dropped is the number of findings beyond Options.Findings.
	dropped int
	// ignores are those of all files; names the rules by all of their names.
	ignores []ignore
	names   map[string][]string
	// ownFailed are the user's rules whose condition had no value.
	ownFailed map[string]bool
	// rendered are the texts that were made of charts, by their paths.
	rendered map[string]rendering
}

// read parses one file and adds its objects to the set.
func (l *linter) read(f File) {
	l.readDocuments(f, manifest.Parse(f, l.opts.Limits))
}

func (l *linter) readDocuments(f File, docs []manifest.Document) {
	counts := FileResult{Path: f.Path}
	var all []*manifest.Object
	var ours []manifest.Document
	foreign := sync.OnceValue(func() bool { return foreignFile(f, docs) })
	for i := range docs {
		doc := &docs[i]
		counts.Documents++
		objects, other, problems := manifest.Objects(doc)
		problems = append(slices.Clone(doc.Problems), problems...)
		if other {
			// What other tools make of their own files is not ours to judge.
			problems = slices.DeleteFunc(problems, func(p manifest.Problem) bool { return p.Duplicate })
		}
		if len(problems) == 0 && other || len(problems) == 1 && problems[0].Syntax && foreign() {
			counts.Other++
			continue
		}
		ours = append(ours, *doc)
		if len(problems) > 0 {
			counts.Unreadable++
		}
		for _, p := range problems {
			if p.Fatal && templated(f.Content) {
				p.Message += "; the file holds template expressions, so render it first, or leave it out by lint.exclude"
			}
			l.unreadable(f.Path, objects, p)
		}
		counts.Objects += len(objects)
		all = append(all, objects...)
		for _, o := range objects {
			if !l.set.add(o) {
				counts.Unknown++
			}
		}
	}
	// Comments in the files of other tools are for these.
	l.readIgnores(f, ours, all)
	l.count(counts)
}

// count adds the counts of one file to the sums.
func (l *linter) count(c FileResult) {
	l.result.Files = append(l.result.Files, c)
	l.result.Documents += c.Documents
	l.result.Objects += c.Objects
	l.result.Unreadable += c.Unreadable
	l.result.Other += c.Other
	l.result.Unknown += c.Unknown
}

// foreignFile reports whether what is no YAML in a file is none of ours:
// nothing in the file is a Kubernetes object or speaks of one. Repositories
// hold templates of many tools under the same file names.
func foreignFile(f File, docs []manifest.Document) bool {
	if bytes.Contains(f.Content, []byte("apiVersion")) || bytes.Contains(f.Content, []byte("kind")) || bytes.IndexByte(f.Content, 0) >= 0 {
		return false
	}
	return !slices.ContainsFunc(docs, func(d manifest.Document) bool {
		objects, _, _ := manifest.Objects(&d)
		return len(objects) > 0
	})
}

// run applies one rule to all that it looks at.
func (l *linter) run(r rule) {
	l.seen = make(map[reported]bool)
	for _, o := range l.set.objects {
		if r.object != nil {
			l.guard(&r, o, func(p *pass) { r.object(p, o) })
		}
	}
	for _, pod := range l.set.pods {
		if r.pod != nil {
			l.guard(&r, pod.Object, func(p *pass) { r.pod(p, pod) })
		}
		if r.container == nil {
			continue
		}
		for i := range pod.Containers {
			c := &pod.Containers[i]
			l.guard(&r, pod.Object, func(p *pass) {
				p.container = c
				r.container(p, c)
			})
		}
	}
	if r.set != nil {
		l.guard(&r, nil, r.set)
	}
}

// guard runs one check; a panic becomes a failure of the run, which goes on
// with the next check.
func (l *linter) guard(r *rule, o *manifest.Object, check func(*pass)) {
	defer func() {
		if cause := recover(); cause != nil {
			l.result.Failures = append(l.result.Failures, breakdown(r, o, cause))
		}
	}()
	check(&pass{linter: l, rule: r, object: o, set: l.set})
}

func breakdown(r *rule, o *manifest.Object, cause any) outcome.Failure {
	f := outcome.Failure{
		Stage:   stage,
		Message: fmt.Sprintf("rule %s broke down: %v", r.ID, cause),
		Hint:    "please report this with the manifest; until it is mended the rule can be disabled",
		Code:    exit.NotExamined,
	}
	if o != nil {
		f.Target = o.File
		f.Message = fmt.Sprintf("rule %s broke down on %s: %v", r.ID, o.ID(), cause)
	}
	return f
}
