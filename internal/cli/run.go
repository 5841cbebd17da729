package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/portcullis-ci/portcullis/internal/ci"
	"github.com/portcullis-ci/portcullis/internal/config"
	"github.com/portcullis-ci/portcullis/internal/credential"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/gate"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/progress"
	"github.com/portcullis-ci/portcullis/internal/report"
	"github.com/portcullis-ci/portcullis/internal/report/document"
	"github.com/portcullis-ci/portcullis/internal/repository"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// session is what a command that runs the pipeline has prepared.
type session struct {
	config config.Config
	root   repository.Root
	// files is the root of what is examined, which may lie outside of root.
	files   repository.Root
	outputs []output
	flags   reportFlags
	// offline forbids every network access.
	offline bool
	vexOut  vexOutFlags
	cache   cacheFlags
	// host is what the environment says about talking to the CI host.
	host ci.Settings
	// stdoutTaken is set when a report, an SBOM or a diff goes to standard output,
	// which others read: then nothing else does.
	stdoutTaken bool
}

// cover has the files that are examined named from a root that holds them all.
func (s *session) cover(paths []string) {
	s.files = s.root.Covering(slices.DeleteFunc(paths, func(path string) bool { return path == stdinPath || path == "" }))
}

// showsTable reports whether the run shows the table for people.
func (s session) showsTable() bool { return !s.flags.quiet && !s.stdoutTaken }

// prepare checks everything that can be wrong with the request before the
// first byte of a target is read. It takes the flags' own structs, not copies:
// what the environment gives arrives in them.
func (p Program) prepare(ctx context.Context, pf *policyFlags, rf *reportFlags, flags *pflag.FlagSet) (session, error) {
	fromEnvironment, err := p.flagsFromEnvironment(flags)
	if err != nil {
		return session{}, err
	}
	working, err := os.Getwd()
	if err != nil {
		return session{}, &exit.Error{Code: exit.Usage, Doing: "find the working directory", Err: err}
	}
	root, err := repository.FindRoot(working)
	if err != nil {
		return session{}, &exit.Error{Code: exit.Usage, Err: err}
	}
	c, err := pf.effective(ctx, p, working, flags, fromEnvironment)
	if err != nil {
		return session{}, err
	}
	outputs, err := rf.outputs()
	if err != nil {
		return session{}, err
	}
	return session{config: c, root: root, files: root, outputs: outputs, flags: *rf}, nil
}

// runAndReport runs the pipeline and writes SBOMs and reports. A report that
// cannot be written makes the run fail, whatever the verdict.
func (p Program) runAndReport(ctx context.Context, s session, req gate.Request, boms []sbomOutput) (exit.Code, error) {
	var display *progress.Display
	if !s.flags.quiet {
		display = progress.New(p.Stderr, p.isTerminal(p.Stderr), p.Clock)
	}
	if s.files.Dir != s.root.Dir {
		display.Note("names of files are relative to %s", s.files.Dir)
	}
	result, err := gate.Run(ctx, req, gate.Environment{
		Repository: s.files, Stdin: p.Stdin, Clock: p.Clock, Progress: display,
		Cache: s.cache.openCache(p, display), Build: buildIdentity(),
		Target: target.Environment{
			Getenv: p.Getenv, HTTP: p.Transport,
			Announce: func(message string) { display.Note("%s", message) },
		},
	})
	display.Close()
	if err != nil {
		return exit.CodeOf(err), err
	}
	// Without any SBOM, the target could not be examined: the outcome says so and
	// fails. What cannot be written does not keep the rest from the reader.
	boms, unwritten := writeSBOMs(documents(boms, result.SBOMs), p.Stdout, p.Clock())
	unwritten = errors.Join(unwritten, p.writeVEX(s.vexOut, result.Outcome))
	if unwritten != nil {
		result.Outcome = withoutReport(result.Outcome, unwritten)
	}
	if err := errors.Join(unwritten, p.report(ctx, s, result.Outcome, boms)); err != nil {
		return exit.NotExamined, unreported(err)
	}
	if !s.showsTable() {
		p.sayWhy(result.Outcome)
	}
	return result.Outcome.ExitCode, nil
}

// unreported is the error of a run of which something could not be written after
// all. Whatever the cause, the code is the one that the other reports name.
func unreported(err error) error {
	return &exit.Error{Code: exit.NotExamined, Err: err, Hint: exit.HintOf(err)}
}

// withoutReport is the outcome of a run of which something could not be
// written: a gate without its report must not pass.
func withoutReport(o outcome.Outcome, err error) outcome.Outcome {
	o.Failures = append(slices.Clip(o.Failures), outcome.Failure{
		Stage: outcome.StageReport, Message: credential.Withhold(err.Error()), Hint: exit.HintOf(err), Code: exit.NotExamined,
	})
	o.ExitCode = exit.NotExamined
	if o.Verdict.Result == outcome.Pass {
		o.Verdict.Result = outcome.Incomplete
	}
	return o
}

// sayWhy names in a line each what makes a run fail that shows no table: an
// exit code alone leaves people to guess.
func (p Program) sayWhy(o outcome.Outcome) {
	if o.ExitCode == exit.Passed || o.ExitCode == exit.Warned {
		return
	}
	for _, f := range o.Failures {
		p.printf("portcullis: %s\n", neutralise.Log(f.Message))
		if f.Hint != "" {
			p.printf("  hint: %s\n", neutralise.Log(f.Hint))
		}
	}
	for _, c := range o.Verdict.Clauses {
		if c.Broken {
			p.printf("portcullis: policy broken: %s: %s\n", neutralise.Log(c.Name), neutralise.Log(cmp.Or(c.Reason, c.Demand)))
		}
	}
}

// reportCrash writes the reports of a run whose process was ended.
func (p Program) reportCrash(ctx context.Context, s session, req gate.Request) (exit.Code, error) {
	o := gate.Unfinished(req, p.crashed(), p.Clock())
	if err := p.report(ctx, s, o, nil); err != nil {
		return exit.NotExamined, unreported(err)
	}
	if !s.showsTable() {
		p.sayWhy(o)
	}
	return o.ExitCode, nil
}

// report writes the outcome in every format that was asked for, and to the CI
// host that the run is on.
func (p Program) report(ctx context.Context, s session, o outcome.Outcome, boms []sbomOutput) error {
	opts := report.Options{
		Root: s.files.FS(), Color: p.colour(p.Stdout), Width: p.width(p.Stdout),
		All: s.flags.all, Category: s.flags.category, Links: ci.Links(p.Getenv), Command: commandLine(p.Args),
		Cuts: &document.Cuts{},
	}
	catalogue, err := Catalogue()
	if err != nil {
		return err
	}
	opts.Catalogue = catalogue
	if s.flags.reportSeverity != "" {
		if opts.MinSeverity, err = finding.ParseSeverity(s.flags.reportSeverity); err != nil {
			return &exit.Error{Code: exit.Usage, Doing: "--report-severity", Err: err}
		}
	}
	files := make(map[string]string)
	var documents []string
	for _, b := range boms {
		documents = append(documents, b.path)
	}
	files["sbom"] = strings.Join(documents, "\n")
	written, o, unwritten := p.writeReports(ctx, s.outputs, o, opts)
	for _, out := range written {
		if out.path != stdoutPath {
			files[out.format.Name] = out.path
		}
	}
	publication := ci.Request{Getenv: p.Getenv, Log: p.Stdout, Outcome: o, Options: opts, Files: files, Settings: &s.host}
	if s.stdoutTaken {
		// Runners read commands from both streams.
		publication.Log = p.Stderr
	}
	if !s.offline {
		publication.HTTP = &http.Client{Transport: p.Transport, Timeout: commentTimeout}
	}
	if err := ci.Publish(ctx, publication); err != nil {
		unwritten, o = errors.Join(unwritten, err), withoutReport(o, err)
	}
	if unwritten == nil {
		return nil
	}
	// What is there already says that the run passed, or not why it did not.
	written = slices.DeleteFunc(written, func(out output) bool { return out.path == stdoutPath })
	_, _, err = p.writeReports(ctx, written, o, opts)
	return errors.Join(unwritten, err)
}

// writeReports writes the outcome to each output. It returns those that were
// written, and the outcome, which says if others were not. The summary comes after
// those whose cuts it names, and standard output last: only it cannot be written
// again.
func (p Program) writeReports(ctx context.Context, outputs []output, o outcome.Outcome, opts report.Options) ([]output, outcome.Outcome, error) {
	var written []output
	var err error
	outputs = slices.Clone(outputs)
	last := func(out output) int {
		switch {
		case out.path == stdoutPath:
			return 2
		case out.format.Name == "markdown":
			return 1
		}
		return 0
	}
	slices.SortStableFunc(outputs, func(a, b output) int { return last(a) - last(b) })
	for _, out := range outputs {
		if failed := report.WriteFile(ctx, out.path, p.Stdout, out.format, o, opts); failed != nil {
			err, o = errors.Join(err, failed), withoutReport(o, failed)
			continue
		}
		written = append(written, out)
	}
	return written, o, err
}

// commentTimeout bounds the writing of a comment, which the environment has to
// ask for: a gate must not wait for a host's interface.
const commentTimeout = 30 * time.Second

// mayBeSecret are flags whose values do not belong into a report.
var mayBeSecret = []string{"--build-arg", "--helm-set"}

// ofReports are flags that say where reports go, which a person who repeats the
// run elsewhere does not need.
var ofReports = []string{"--output", "--sbom-out", "--sbom-format", "--vex-out", "--vex-author", "--quiet"}

// commandLine is the command that repeats the run, for summaries. Words with
// other characters than those of names and paths are quoted for a shell.
func commandLine(args []string) string {
	words := []string{"portcullis"}
	left := func(name string) bool {
		return slices.Contains(mayBeSecret, name) || slices.Contains(ofReports, name)
	}
	for i, arg := range args {
		name, _, _ := strings.Cut(arg, "=")
		if left(name) || i > 0 && args[i-1] != "--quiet" && left(args[i-1]) {
			continue
		}
		if strings.IndexFunc(arg, unquotable) >= 0 || arg == "" {
			arg = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
		words = append(words, arg)
	}
	return strings.Join(words, " ")
}

func unquotable(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=@,+", r))
}

func tool() outcome.Tool { return outcome.Tool{Name: "portcullis", Version: Version().Version} }

// buildArguments reads NAME=VALUE pairs.
func buildArguments(given []string) (map[string]string, error) {
	args := make(map[string]string, len(given))
	for _, g := range given {
		name, value, found := strings.Cut(g, "=")
		if !found || name == "" {
			return nil, &exit.Error{Code: exit.Usage, Doing: fmt.Sprintf("--build-arg %q: expected NAME=VALUE", name)}
		}
		args[name] = value
	}
	return args, nil
}
