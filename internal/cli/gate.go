package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/portcullis-ci/portcullis/internal/clamav"
	"github.com/portcullis-ci/portcullis/internal/config"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/gate"
	"github.com/portcullis-ci/portcullis/internal/inventory/syftcatalog"
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
  oci-archive:FILE             an OCI layout in a tar file, :TAG or @DIGEST after it
  docker-archive:FILE          what docker save writes, :NAME or @ID after it
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
	boms, err := p.sbomOutputs(f.sbomOut, f.sbomFormat)
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
