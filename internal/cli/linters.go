package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"

	"github.com/spf13/pflag"

	"github.com/portcullis-ci/portcullis/internal/config"
	"github.com/portcullis-ci/portcullis/internal/detect/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/detect/kubernetes"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/gate"
	"github.com/portcullis-ci/portcullis/internal/policy"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// linterFlags are the flags of commands that lint.
type linterFlags struct {
	buildArgs  []string
	stage      string
	helmValues []string
	helmSet    []string
	shellcheck string
	resolve    bool
	insecure   bool
}

func (f *linterFlags) register(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.buildArgs, "build-arg", nil, "NAME=VALUE that the Dockerfile was built with (repeatable)")
	flags.StringVar(&f.stage, "target", "", "stage of the Dockerfile that makes the image (default: the one that agrees with the image, or else the last)")
	flags.StringArrayVar(&f.helmValues, "helm-values", nil, "values file with which charts among the manifests are rendered (repeatable)")
	flags.StringArrayVar(&f.helmSet, "helm-set", nil, "NAME=VALUE with which charts among the manifests are rendered (repeatable)")
	flags.StringVar(&f.shellcheck, "shellcheck", "", "have ShellCheck look at shell code in place of the own rules: the program, or alone for the one on PATH")
	flags.Lookup("shellcheck").NoOptDefVal = "shellcheck"
	flags.BoolVar(&f.resolve, "resolve-base-images", false, "ask registries for the digests and users of base images, which makes the fix of unpinned ones possible")
}

// steerLinters fills in what the linters are to do differently from their
// defaults: the configuration file's word counts over hadolint's file, and the
// command line's over both.
func (p Program) steerLinters(ctx context.Context, req *gate.Request, s session, f linterFlags) error {
	buildArgs, err := buildArguments(f.buildArgs)
	if err != nil {
		return err
	}
	catalogue, err := Catalogue()
	if err != nil {
		return err
	}
	lint := s.config.Lint
	args := maps.Clone(lint.BuildArgs)
	if args == nil {
		args = make(map[string]string)
	}
	maps.Copy(args, buildArgs)
	docker := dockerfile.Options{BuildArgs: args, Target: f.stage, KnownRule: func(name string) bool {
		_, ok := catalogue.Find(name)
		return ok
	}}
	hadolint, err := p.hadolint(s, req.Policy.FailOn)
	if err != nil {
		return err
	}
	docker = hadolint.Apply(docker)
	if err := hadolintThreshold(hadolint, s.config, &req.Policy); err != nil {
		return err
	}
	if f.shellcheck != "" {
		program, err := exec.LookPath(f.shellcheck)
		if err != nil {
			return &exit.Error{Code: exit.Usage, Doing: "--shellcheck", Err: err, Hint: "install ShellCheck, or leave the flag out for the rules that come with portcullis"}
		}
		docker.ShellCheck = dockerfile.ShellCheckCommand(program)
	}
	if f.resolve {
		bases := p.baseImages(ctx, f.insecure)
		docker.Digest, docker.BaseUser = bases.digest, bases.user
	}
	if len(lint.TrustedRegistries) > 0 {
		docker.TrustedRegistries = lint.TrustedRegistries
	}
	if len(lint.LabelSchema) > 0 {
		docker.LabelSchema, docker.StrictLabels = lint.LabelSchema, lint.StrictLabels
	}
	inline := inlineIgnores(lint)
	docker.Inline.Disallow = docker.Inline.Disallow || inline.Disallow
	docker.Inline.RequireReason = docker.Inline.RequireReason || inline.RequireReason
	req.DockerfileRules = docker
	req.KubernetesRules = kubernetes.Options{
		Registries: lint.TrustedRegistries, KubeVersion: lint.KubernetesVersion, Today: p.Clock(),
		RequireReason: inline.RequireReason, NoIgnores: inline.Disallow,
		PodSecurity: kubernetes.Level(lint.PodSecurity),
	}
	req.KeepSeverities = lint.KeepSeverities
	req.HelmValues, req.HelmSet, req.Exclude = f.helmValues, f.helmSet, lint.Exclude
	if err := ownRuleNames(req.Policy, catalogue); err != nil {
		return err
	}
	return settleRules(req, s.config.Rules, catalogue)
}

// ownRuleNames refuses rules of the user's own that have the name of another.
func ownRuleNames(p policy.Policy, catalogue rules.Catalogue) error {
	for _, own := range p.ManifestRules {
		if r, taken := catalogue.Find(own.ID); taken {
			return &exit.Error{
				Code: exit.Usage, Doing: fmt.Sprintf("read the configuration: lint.kubernetes-rules: the id %q is that of the rule %s", own.ID, r.ID),
				Hint: "give the rule another id",
			}
		}
	}
	return nil
}

// settleRules turns what the configuration says about rules into the request:
// first about whole standards and sets, then about single rules, which counts
// more, also than hadolint's word about them. A name that neither has is an error with its place.
func settleRules(req *gate.Request, settings []config.RuleSetting, catalogue rules.Catalogue) error {
	req.Rules = make(map[string]gate.RuleSetting)
	var single []config.RuleSetting
	for _, setting := range settings {
		mapped := catalogue.Mapped(setting.Name)
		if _, isRule := catalogue.Find(setting.Name); isRule || len(mapped) == 0 {
			single = append(single, setting)
			continue
		}
		for _, r := range mapped {
			settleMapped(req, r, setting)
		}
	}
	var errs []error
	for _, setting := range single {
		r, ok := catalogue.Find(setting.Name)
		if !ok && slices.ContainsFunc(req.Policy.ManifestRules, func(own policy.ManifestRule) bool { return own.ID == setting.Name }) {
			r, ok = rules.Rule{ID: setting.Name}, true
		}
		if !ok {
			errs = append(errs, fmt.Errorf("%s: no rule is called %q; %s", setting.Source, setting.Name, nearRules(catalogue, setting.Name)))
			continue
		}
		switch setting.Mode {
		case config.RuleOff:
			req.Rules[r.ID] = gate.RuleSetting{Off: true}
		case config.RuleSeverity:
			req.Rules[r.ID] = gate.RuleSetting{Severity: &setting.Severity}
		case config.RuleOn:
			delete(req.Rules, r.ID)
		}
		if setting.Mode != config.RuleOff {
			req.DockerfileRules.Insist = append(req.DockerfileRules.Insist, r.ID)
		}
		enable(req, r, setting.Mode)
	}
	if err := errors.Join(errs...); err != nil {
		return &exit.Error{Code: exit.Usage, Doing: "read the configuration", Err: err}
	}
	return nil
}

// settleMapped applies what is said about a standard or set to one of its
// rules. A severity is the least that it gets: a standard does not make a rule
// milder than it is.
func settleMapped(req *gate.Request, r rules.Rule, setting config.RuleSetting) {
	before := req.Rules[r.ID]
	switch {
	case setting.Mode == config.RuleOff:
		req.Rules[r.ID] = gate.RuleSetting{Off: true}
	case setting.Mode == config.RuleOn:
		delete(req.Rules, r.ID)
	case before.Least == nil || setting.Severity.AtLeast(*before.Least):
		req.Rules[r.ID] = gate.RuleSetting{Least: &setting.Severity}
	}
	enable(req, r, setting.Mode)
}

// enable has a rule run that is off by default.
func enable(req *gate.Request, r rules.Rule, mode config.RuleMode) {
	if mode == config.RuleOff || !r.Off {
		return
	}
	req.DockerfileRules.Enable = append(req.DockerfileRules.Enable, r.ID)
	req.KubernetesRules.Enable = append(req.KubernetesRules.Enable, r.ID)
	req.ImageRules = append(req.ImageRules, r.ID)
}
