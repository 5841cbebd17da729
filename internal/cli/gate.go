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

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/portcullis-ci/portcullis/internal/ci"
	"github.com/portcullis-ci/portcullis/internal/clamav"
	"github.com/portcullis-ci/portcullis/internal/config"
	"github.com/portcullis-ci/portcullis/internal/credential"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/gate"
	"github.com/portcullis-ci/portcullis/internal/inventory/syftcatalog"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/progress"
	"github.com/portcullis-ci/portcullis/internal/report"
	"github.com/portcullis-ci/portcullis/internal/report/document"
	"github.com/portcullis-ci/portcullis/internal/repository"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// imageFlags are the flags of commands that open an image.
type imageFlags struct {
	platform string
	insecure bool
	offline  bool
	authHost []string
}

// register adds the flags; all says that the command looks at every platform
// where it is asked to.
func (f *imageFlags) register(flags *pflag.FlagSet, all bool) {
	each := ""
	if all {
		each = ", or all for each"
	}
	flags.StringVar(&f.platform, "platform", "", "platform of a multi-platform image, such as linux/arm64"+each+" (default: this machine's)")
	flags.BoolVar(&f.insecure, "insecure", false, "allow plain HTTP to registries and mirrors")
	flags.BoolVar(&f.offline, "offline", false, "forbid every network access")
	flags.StringArrayVar(&f.authHost, "registry-auth-host", nil, "further host that may be given the registry's credentials, where its tokens come from elsewhere (repeatable)")
}

func (f imageFlags) request(reference string) target.Request {
	return target.Request{Reference: reference, Platform: f.platform, Insecure: f.insecure, Offline: f.offline, AuthHosts: f.authHost}
}

// policyFlags are the flags that choose and override the configuration.
type policyFlags struct {
	config  string
	profile string
	asOf    string
}

// overrides are the flags that stand for keys of the configuration file.
var overrides = []struct{ flag, key, usage string }{
	{"fail-on", "fail-on", "lowest severity that fails the gate: none, info, low, medium, high, critical (default high)"},
	{"only-fixed", "only-fixed", "only findings that can be fixed fail the gate; all are reported"},
	{"pass-fix-states", "pass-fix-states", "fix states of findings that do not fail the gate, such as wont-fix,deferred; all are reported"},
	{"only-new", "only-new", "findings that the baseline has do not fail the gate"},
	{"warn-exit", "warn-exit", "end with exit code 3 when the policy holds and a clause warns"},
	{"unknown-severity", "unknown-severity", "findings of unknown severity: fail or pass (default fail)"},
	{"db", "db.path", databaseUsage},
	{"db-max-age", "db.max-age", "how old the database's data may be: 7d, 36h, any (default 7d)"},
}

// lintOverrides are those of them that lint takes.
var lintOverrides = []string{"fail-on"}

func (f *policyFlags) register(flags *pflag.FlagSet, only ...string) {
	flags.StringVar(&f.config, "config", "", "configuration file (default: "+config.FileName+" here or above, up to the repository's root)")
	flags.StringVar(&f.profile, "profile", "", "profile of the configuration file")
	flags.StringVar(&f.asOf, "as-of", "", "judge as of this time, such as 2026-11-23: ages, waivers, ends of life (default: now)")
	if flags.Lookup("offline") == nil {
		flags.Bool("offline", false, "forbid every network access")
	}
	for _, o := range overrides {
		if len(only) > 0 && !slices.Contains(only, o.flag) {
			continue
		}
		flags.String(o.flag, "", o.usage)
		if strings.HasPrefix(o.flag, "only-") || o.flag == "warn-exit" {
			flags.Lookup(o.flag).NoOptDefVal = "true"
		}
	}
}

// effective reads the configuration file and lays the given flags over it.
func (f policyFlags) effective(ctx context.Context, p Program, dir string, flags *pflag.FlagSet, fromEnvironment map[string]string) (config.Config, error) {
	c, err := config.LoadProfile(ctx, config.Request{
		Dir: dir, Path: f.config, Profile: f.profile, Fetch: p.fetchPolicy(isSet(flags, "offline"), isSet(flags, "insecure")),
	})
	if err != nil {
		return c, err
	}
	var errs []error
	for _, o := range overrides {
		flag := flags.Lookup(o.flag)
		if flag == nil || !flag.Changed {
			continue
		}
		source := config.Source{Kind: config.FromFlag, Name: "--" + o.flag}
		if variable, ok := fromEnvironment[o.flag]; ok {
			source = config.Source{Kind: config.FromEnvironment, Name: variable}
		}
		errs = append(errs, config.Set(&c, o.key, flag.Value.String(), source))
	}
	if err := errors.Join(errs...); err != nil {
		return c, &exit.Error{Code: exit.Usage, Err: err}
	}
	return c, nil
}

// isSet reports whether there is such a flag and it is given.
func isSet(flags *pflag.FlagSet, name string) bool {
	flag := flags.Lookup(name)
	return flag != nil && flag.Value.String() == "true"
}

// gateFlags are all flags of the gate command.
type gateFlags struct {
	image       string
	sbom        string
	rootfs      string
	name        string
	dockerfiles []string
	manifests   []string
	sbomOut     []string
	sbomFormat  []string
	clamd       string
	imageFlags
	linterFlags
	policyFlags
	triageFlags
	limitFlags
	cacheFlags
	vexOut vexOutFlags
	reportFlags
}

func (p Program) gateCommand(result *exit.Code) *cobra.Command {
	var f gateFlags
	cmd := &cobra.Command{
		Use:   "gate",
		Short: "Examine an image, its Dockerfile and its manifests, and decide",
		Long: `Examine an image (or an SBOM, or a root file system) together with the
Dockerfile that it was built from and the manifests that run it, in one run.
Everything that is found is reported; the policy decides what fails.

The image is one of
  registry:shop/web:1.2        from its registry (credentials as docker login left them)
  oci:DIR[:TAG|@DIGEST]        an OCI layout
  oci-archive:FILE             an OCI layout in a tar file
  docker-archive:FILE          what docker save writes
  daemon:shop/web:1.2          from a Docker or Podman daemon's socket
Without a scheme, an existing directory or file is taken for what it holds, and
everything else is looked for in its registry.

Each flag can be given as an environment variable: PORTCULLIS_FAIL_ON stands
for --fail-on. Flags win over the environment, and that over the file.`,
		Example: `  portcullis gate --image registry.example/shop/web:1.2 --dockerfile Dockerfile --manifests k8s/ --db db/
  portcullis gate --image oci:build/image --fail-on critical --only-fixed --output sarif=gate.sarif --output json=gate.json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			code, err := p.gate(cmd.Context(), &f, cmd.Flags())
			*result = code
			return err
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.image, "image", "", "image to examine")
	flags.StringVar(&f.sbom, "sbom", "", "SBOM to examine in place of an image: CycloneDX, SPDX or syft JSON; - for standard input")
	flags.StringVar(&f.rootfs, "rootfs", "", "root file system to examine in place of an image")
	flags.StringVar(&f.name, "name", "", "stable name of the image in findings (default: its repository or file)")
	flags.StringArrayVar(&f.dockerfiles, "dockerfile", nil, "Dockerfile or directory to lint; the image's findings are led back to it (repeatable, - for standard input)")
	flags.StringArrayVar(&f.manifests, "manifests", nil, "Kubernetes manifest or directory to lint (repeatable, - for standard input)")
	f.linterFlags.register(flags)
	flags.StringVar(&f.clamd, "clamd", "", "have a ClamAV daemon examine the files of the image: unix:PATH or tcp:HOST:PORT (default: none is asked)")
	f.imageFlags.register(flags, true)
	f.policyFlags.register(flags)
	f.triageFlags.register(flags)
	f.limitFlags.register(flags)
	f.cacheFlags.register(flags)
	f.vexOut.register(flags)
	flags.StringArrayVar(&f.sbomOut, "sbom-out", nil, "file to write the SBOM to (repeatable)")
	flags.StringArrayVar(&f.sbomFormat, "sbom-format", nil, "format of the SBOM file at the same place: "+sbomFormats()+" (default cyclonedx-json)")
	f.reportFlags.register(flags)
	return cmd
}

func sbomFormats() string {
	var names []string
	for _, f := range syftcatalog.Formats() {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

// gate runs the pipeline and writes the reports.
func (p Program) gate(ctx context.Context, f *gateFlags, flags *pflag.FlagSet) (exit.Code, error) {
	s, err := p.prepare(ctx, &f.policyFlags, &f.reportFlags, flags)
	if err != nil {
		return exit.Usage, err
	}
	// Only now: a flag may have come from the environment.
	if p, err = p.asOf(f.policyFlags); err != nil {
		return exit.CodeOf(err), err
	}
	if err := f.check(); err != nil {
		return exit.Usage, err
	}
	if err := readsStdinOnce(slices.Concat([]string{f.sbom}, f.dockerfiles, f.manifests)...); err != nil {
		return exit.Usage, err
	}
	s.cover(slices.Concat(f.dockerfiles, f.manifests))
	s.offline, s.vexOut, s.cache = f.offline, f.vexOut, f.cacheFlags
	if f.vexOut.path != "" && f.vexOut.author == "" {
		return exit.Usage, &exit.Error{Code: exit.Usage, Doing: "--vex-out needs a --vex-author, who answers for the statements"}
	}
	boms, err := sbomOutputs(f.sbomOut, f.sbomFormat)
	if err != nil {
		return exit.Usage, err
	}
	if len(boms) > 0 && f.image+f.sbom+f.rootfs == "" {
		return exit.Usage, &exit.Error{Code: exit.Usage, Doing: "--sbom-out needs an --image, --rootfs or --sbom to list the packages of"}
	}
	if err := f.eachInAFile(boms); err != nil {
		return exit.Usage, err
	}
	if err := p.settle(&s, boms, false); err != nil {
		return exit.Usage, err
	}
	database, err := p.supplyRequest(s.config.DatabasePath, f.imageFlags)
	if err != nil {
		return exit.Usage, err
	}
	req := gate.Request{
		Image: f.request(f.image), RootFS: f.rootfs, SBOM: f.sbom, Name: f.name,
		Dockerfiles: f.dockerfiles, Manifests: f.manifests,
		Database: database, Policy: s.config.Policy, Tool: tool(), SBOMFormats: formatsOf(boms),
		Limits: f.layers(), Memory: int64(f.memory), Timeout: f.timeout,
	}
	if req.ClamAV, err = f.clamAV(); err != nil {
		return exit.Usage, err
	}
	if p.Crash != "" {
		return p.reportCrash(ctx, s, req)
	}
	if err := p.limitMemory(f.limitFlags); err != nil {
		return exit.NotExamined, err
	}
	f.linterFlags.insecure = f.imageFlags.insecure
	if f.linterFlags.resolve && f.offline {
		return exit.Usage, &exit.Error{Code: exit.Usage, Doing: "--resolve-base-images needs the network, which --offline forbids"}
	}
	if err := p.steerLinters(ctx, &req, s, f.linterFlags); err != nil {
		return exit.Usage, err
	}
	if req.Triage, err = p.triage(ctx, s, f.triageFlags, f.imagesForBaseline()); err != nil {
		return exit.Usage, err
	}
	if b := req.Triage.BaselineImage; b != nil && b.Base && b.Request.Reference == "" && len(f.dockerfiles) == 0 {
		return exit.Usage, &exit.Error{
			Code: exit.Usage, Doing: "--baseline base-image needs a --dockerfile whose FROM names it",
			Hint: "or name the base image: --baseline base-image:REFERENCE",
		}
	}
	return p.runAndReport(ctx, s, req, boms)
}

// eachInAFile refuses SBOMs of several platforms on standard output.
func (f *imageFlags) eachInAFile(boms []sbomOutput) error {
	if f.platform != target.AllPlatforms || !slices.ContainsFunc(boms, func(b sbomOutput) bool { return b.path == stdoutPath }) {
		return nil
	}
	return &exit.Error{
		Code: exit.Usage, Doing: "--platform all with an SBOM to standard output: each platform has an SBOM of its own",
		Hint: "name a file: --sbom-out bom.json",
	}
}

// clamAV is the daemon that is to examine the files; nil for none.
func (f *gateFlags) clamAV() (*clamav.Address, error) {
	if f.clamd == "" {
		return nil, nil
	}
	address, err := clamav.ParseAddress(f.clamd)
	switch {
	case err != nil:
		return nil, &exit.Error{Code: exit.Usage, Doing: "--clamd", Err: err}
	case f.image+f.rootfs == "":
		return nil, &exit.Error{Code: exit.Usage, Doing: "--clamd needs an --image or --rootfs whose files it can examine"}
	case f.offline && !address.Local():
		return nil, &exit.Error{
			Code: exit.Usage, Doing: "--clamd " + address.String() + " is reached over the network, which --offline forbids",
			Hint: "use a unix socket or a loopback address",
		}
	}
	return &address, nil
}

// imagesForBaseline are the flags with which an image to compare with is opened;
// nil where nothing is examined that could be compared with one.
func (f *gateFlags) imagesForBaseline() *imageFlags {
	if f.image+f.sbom+f.rootfs == "" {
		return nil
	}
	return &f.imageFlags
}

// asOf returns the program with the clock that the flags ask for.
func (p Program) asOf(f policyFlags) (Program, error) {
	when, err := parseAsOf(f.asOf)
	switch {
	case err != nil:
		return p, err
	case !when.IsZero():
		p.Clock = func() time.Time { return when }
		return p, nil
	default:
		return p, p.checkClock()
	}
}

// checkClock refuses a clock that cannot be right: before it, waivers that have
// expired hold again, and what has reached its end of life is supported.
func (p Program) checkClock() error {
	if p.Past == nil {
		return nil
	}
	const zones = 24 * time.Hour // A clock may be set to the local time.
	past, err := p.Past()
	if now := p.Clock(); err == nil && now.Before(past.Add(-zones)) {
		err = fmt.Errorf("it shows %s, but there was advisory data of %s already when this program was built", now.UTC().Format(time.RFC3339), past.UTC().Format(time.DateOnly))
	}
	if err == nil {
		return nil
	}
	return &exit.Error{
		Code: exit.NotExamined, Doing: "judge by the clock of this machine", Err: err,
		Hint: "set the clock: waivers, ends of life and the age of data are judged by it; or name the time to judge as of with --as-of",
	}
}

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
