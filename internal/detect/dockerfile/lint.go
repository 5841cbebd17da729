package dockerfile

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"

	df "github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/outcome"
)

// File is one Dockerfile to lint.
type File struct {
	// Path is the stable name in findings: relative to the repository's root,
	// with forward slashes.
	Path    string
	Content []byte
	// BuildArgs and Target are what a build of this file is given, such as by
	// a Compose file; they are laid over those of Options.
	BuildArgs map[string]string
	Target    string
	// NamedContexts are build contexts that --from may name besides stages.
	NamedContexts []string
	// Context says what is known of the build context; nil when nothing is.
	Context *Context
}

// Context is the build context as far as the rules need it.
type Context struct {
	// IgnoreFile is the path of the ignore file that the builder would use;
	// empty when there is none.
	IgnoreFile string
	// Ignore is its content.
	Ignore []byte
}

// Options steer the linter.
type Options struct {
	// BuildArgs are the values of --build-arg.
	BuildArgs map[string]string
	// Target is the stage to build, by default the last one.
	Target string
	// Enable names rules that are off by default, by id or alias.
	Enable []string
	// Ignore names rules, by id or alias, whose findings are waived, with the
	// reason.
	Ignore map[string]string
	// Insist names rules, by id or alias, that Ignore does not concern.
	Insist []string
	// Severity sets the severity of rules, by id or alias.
	Severity map[string]Level
	// Inline is the policy about ignore comments.
	Inline InlineIgnores
	// KnownRule tells whether a rule of another detector has the name, so that
	// an ignore comment that names it is no mistake.
	KnownRule func(name string) bool
	// TrustedRegistries are the registries that images may come from, with * at
	// the start or end; empty means all. Names without a registry are docker.io.
	TrustedRegistries []string
	// LabelSchema maps labels that images must have to the type of their value:
	// text, url, semver, hash, rfc3339, spdx or email. StrictLabels forbids
	// all others.
	LabelSchema  map[string]string
	StrictLabels bool
	// ShellCheck has all shell code looked at by ShellCheck, in place of the
	// rules of this package that do a part of its work. Nil for not.
	ShellCheck ShellChecker
	// BaseUser tells the user that an image is configured with. It reports
	// false when that is not known.
	BaseUser func(image string) (user string, known bool)
	// Digest tells the digest (sha256:…) that an image reference has now. It
	// reports false when that is not known. It makes the fix of an unpinned
	// base image possible.
	Digest func(image string) (digest string, known bool)
}

// Level is a severity and who said so.
type Level struct {
	Severity finding.Severity
	Source   string
	// OnlyRaise leaves alone what is as severe or more severe.
	OnlyRaise bool
}

// Result is what came of linting.
type Result struct {
	// Findings in the order of files and places.
	Findings []finding.Finding
	// Failures are files that could not be examined in full, and rules that
	// broke down.
	Failures []outcome.Failure
	// Unread counts, for files by their paths, the build steps in shells that no
	// rule reads, such as PowerShell.
	Unread map[string]int
}

// Lint checks the files with all rules. A rule that breaks down is a failure;
// the other rules go on. When ctx ends, the files not yet done are failures.
func Lint(ctx context.Context, files []File, opts Options) Result {
	l := newLinter(opts)
	results := make([]Result, len(files))
	var wg sync.WaitGroup
	next := make(chan int)
	for range min(runtime.GOMAXPROCS(0), len(files)) {
		wg.Go(func() {
			for i := range next {
				results[i] = l.file(ctx, files[i])
			}
		})
	}
	for i := range files {
		next <- i
	}
	close(next)
	wg.Wait()
	out := Result{Unread: make(map[string]int)}
	total := 0
	for _, r := range results {
		total += len(r.Findings)
	}
	if len(results) == 1 {
		return results[0]
	}
	out.Findings = make([]finding.Finding, 0, total)
	for _, r := range results {
		out.Findings = append(out.Findings, r.Findings...)
		out.Failures = append(out.Failures, r.Failures...)
		for path, n := range r.Unread {
			out.Unread[path] = max(out.Unread[path], n)
		}
	}
	if repeated(files) {
		out.Findings = unique(out.Findings)
	}
	return out
}

// repeated reports whether a file is there several times.
func repeated(files []File) bool {
	paths := make(map[string]bool, len(files))
	for _, f := range files {
		if paths[f.Path] {
			return true
		}
		paths[f.Path] = true
	}
	return false
}

// unique drops what was found again in a file that is linted several times,
// with other build arguments.
func unique(findings []finding.Finding) []finding.Finding {
	type key struct {
		fingerprint string
		at          finding.Location
	}
	seen := make(map[key]bool, len(findings))
	return slices.DeleteFunc(findings, func(f finding.Finding) bool {
		k := key{f.Fingerprint, f.Locations[0]}
		again := seen[k]
		seen[k] = true
		return again
	})
}

// linter is the set of rules to run with their options.
type linter struct {
	opts    Options
	rules   []Rule
	all     []Rule
	ignored map[string]string // reason by rule id
	levels  map[string]Level  // by rule id
}

func newLinter(opts Options) *linter {
	l := &linter{opts: opts, all: allRules(), ignored: make(map[string]string), levels: make(map[string]Level)}
	for _, r := range l.all {
		if r.Off && !named(r, opts.Enable) || opts.ShellCheck != nil && native[r.ID] {
			continue
		}
		l.rules = append(l.rules, r)
		insisted := named(r, opts.Insist)
		for _, name := range slices.Sorted(maps.Keys(opts.Ignore)) {
			if !insisted && named(r, []string{name}) {
				l.ignored[r.ID] = opts.Ignore[name]
			}
		}
		// Of two names of one rule the more severe counts, as it does in hadolint.
		for name, level := range opts.Severity {
			before, again := l.levels[r.ID]
			if named(r, []string{name}) && (!again || level.Severity > before.Severity) {
				l.levels[r.ID] = level
			}
		}
	}
	return l
}

// named reports whether the list holds the rule's id or one of its aliases.
func named(r Rule, list []string) bool {
	for _, name := range list {
		if strings.EqualFold(name, r.ID) || slices.ContainsFunc(r.Aliases, func(a string) bool { return strings.EqualFold(a, name) }) {
			return true
		}
	}
	return false
}

// file lints one file.
func (l *linter) file(ctx context.Context, in File) (res Result) {
	if ctx.Err() != nil {
		return Result{Failures: []outcome.Failure{notExamined(in.Path, "the run was stopped before it", "")}}
	}
	defer func() {
		if p := recover(); p != nil {
			res.Failures = append(res.Failures, brokeDown(in.Path, "reading", p))
		}
	}()
	args := make(map[string]string, len(l.opts.BuildArgs)+len(in.BuildArgs))
	for _, m := range []map[string]string{l.opts.BuildArgs, in.BuildArgs} {
		for k, v := range m {
			args[k] = v
		}
	}
	f := df.Parse(in.Path, in.Content, df.Options{BuildArgs: args, Target: cmp.Or(in.Target, l.opts.Target)})
	sh := &shared{runs: runsOf(f, l.opts.Inline), ignores: ignoresOf(f, l.opts.Inline), rules: l.rules, all: l.all}
	for _, p := range f.Problems {
		if p.Blind() {
			res.Failures = append(res.Failures, blind(f, p))
		}
	}
	if target := cmp.Or(in.Target, l.opts.Target); target != "" && f.Final() == nil {
		res.Failures = append(res.Failures, notExamined(in.Path, "it has no stage "+target, "name one of its stages as the target"))
	}
	pass := func(i int, last bool) []*Report {
		p := &Pass{File: f, Input: in, Opts: &l.opts, rule: &l.rules[i], shared: sh}
		if failure := p.run(last); failure != nil {
			res.Failures = append(res.Failures, *failure)
		}
		return p.found
	}
	var reports []*Report
	for i := range l.rules {
		reports = append(reports, pass(i, false)...)
	}
	if l.opts.ShellCheck != nil {
		more, failure := l.shellCheck(ctx, in.Path, sh)
		if failure != nil {
			res.Failures = append(res.Failures, *failure)
		}
		reports = append(reports, more...)
	}
	res.Failures = append(res.Failures, brokenScripts(in.Path, sh.runs)...)
	res.Unread = map[string]int{in.Path: unread(sh.runs)}
	sh.runs = nil // the syntax trees are the largest part; findings do not need them
	res.Findings = l.finish(f, reports, indexIgnores(sh.ignores))
	var about []*Report
	for i := range l.rules {
		if l.rules[i].Last != nil {
			about = append(about, pass(i, true)...)
		}
	}
	if len(about) > 0 {
		res.Findings = append(res.Findings, l.finish(f, about, nil)...)
		slices.SortStableFunc(res.Findings, comparePlace)
	}
	return res
}

func comparePlace(a, b finding.Finding) int {
	return cmp.Or(cmp.Compare(a.Locations[0].Line, b.Locations[0].Line), cmp.Compare(a.Locations[0].Column, b.Locations[0].Column),
		cmp.Compare(a.RuleID, b.RuleID))
}

// run calls the rule's functions and catches what breaks down in them.
func (p *Pass) run(last bool) (failure *outcome.Failure) {
	defer func() {
		if v := recover(); v != nil {
			f := brokeDown(p.File.Path, "rule "+p.rule.ID, v)
			failure = &f
		}
	}()
	if last {
		p.rule.Last(p)
		return nil
	}
	if p.rule.File != nil {
		p.rule.File(p)
	}
	if check := p.rule.Instruction; check != nil {
		for _, in := range p.File.Instructions {
			if in.Problem != nil {
				continue
			}
			check(p, in)
			if in.Trigger != nil {
				check(p, in.Trigger)
			}
		}
	}
	for _, run := range p.shared.runs {
		if p.rule.Run != nil {
			p.rule.Run(p, run)
		}
		if p.rule.Command != nil {
			for _, c := range run.Script.Commands {
				p.rule.Command(p, run, c)
			}
		}
	}
	return nil
}

func notExamined(path, why, hint string) outcome.Failure {
	return outcome.Failure{
		Stage: "dockerfile", Target: path, Message: "lint " + path + ": " + why, Hint: hint, Code: exit.NotExamined,
	}
}

// brokeDown is the failure of a panic. The value of the panic may hold text of
// the file, so only its first line is kept.
func brokeDown(path, what string, v any) outcome.Failure {
	msg, _, _ := strings.Cut(fmt.Sprint(v), "\n")
	return notExamined(path, what+" broke down: "+msg, "this is a defect of portcullis; please report it with the file")
}

func blind(f *df.File, p df.Problem) outcome.Failure {
	line, _ := f.Position(p.Span.Start)
	return notExamined(f.Path, fmt.Sprintf("line %d: %s", line, p.Message), "mend the file; until then nothing can be said about it")
}

// finish turns the reports of one file into findings in the order of their
// places.
func (l *linter) finish(f *df.File, reports []*Report, ignores ignoreIndex) []finding.Finding {
	slices.SortStableFunc(reports, func(a, b *Report) int {
		return cmp.Or(cmp.Compare(a.At.Start, b.At.Start), cmp.Compare(a.rule.ID, b.rule.ID), cmp.Compare(a.Key, b.Key))
	})
	// A command behind a wrapper shares words with it; one place is one finding.
	reports = slices.CompactFunc(reports, func(a, b *Report) bool {
		return a.At == b.At && a.rule.ID == b.rule.ID && a.Key == b.Key
	})
	out := make([]finding.Finding, 0, len(reports))
	for _, r := range reports {
		out = append(out, l.waive(l.finding(f, r), r, ignores))
	}
	return finding.Distinguish(out)
}

func (l *linter) finding(f *df.File, r *Report) finding.Finding {
	out := finding.Finding{
		RuleID: r.rule.ID, Aliases: r.rule.sorted, Kind: r.rule.Kind,
		Severity: cmp.Or(r.Severity, r.rule.Severity), SeveritySource: "portcullis",
		Title: r.rule.Title, Message: r.Message, Target: f.Path,
		Locations: []finding.Location{location(f, r.At)}, Evidence: r.Evidence,
		Fix: finding.Fix{Text: cmp.Or(r.FixText, r.rule.Fix)}, References: r.rule.References, Sensitive: r.rule.Sensitive,
		Fingerprint: finding.Fingerprint(r.rule.Kind, r.rule.ID, f.Path, collapse(r.Key)), Status: finding.Open,
	}
	if level, ok := l.levels[r.rule.ID]; ok && !(level.OnlyRaise && out.Severity.AtLeast(level.Severity)) {
		out.Severity, out.SeveritySource = level.Severity, level.Source
	}
	if r.In != nil && r.In.Stage != nil {
		out.Object = r.In.Stage.Label()
	}
	for _, e := range r.Edits {
		out.Fix.Edits = append(out.Fix.Edits, edit(f, e))
	}
	return out
}

func collapse(s string) string { return strings.Join(strings.Fields(s), " ") }

// location is the place of a span, cut off at the end of its first line.
func location(f *df.File, s df.Span) finding.Location {
	line, col := f.Position(s.Start)
	end := f.LineSpan(line).End
	if s.End < end {
		end = max(s.End, s.Start)
	}
	_, endCol := f.Position(end)
	return finding.Location{
		Space: finding.Repository, Path: f.Path, Line: line, Column: col, EndLine: line, EndColumn: max(endCol, col),
	}
}

func edit(f *df.File, r Replacement) finding.Edit {
	line, col := f.Position(r.At.Start)
	endLine, endCol := f.Position(r.At.End)
	return finding.Edit{
		Path: f.Path, Line: line, Column: col, EndLine: endLine, EndColumn: endCol, NewText: r.NewText,
	}
}
