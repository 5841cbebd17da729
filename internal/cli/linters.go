package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/portcullis-ci/portcullis/internal/detect/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/gate"
)

// linterFlags are the flags of commands that lint.
type linterFlags struct {
	buildArgs  []string
	stage      string
	helmValues []string
	helmSet    []string
}

func (f *linterFlags) register(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.buildArgs, "build-arg", nil, "NAME=VALUE that the Dockerfile was built with (repeatable)")
	flags.StringVar(&f.stage, "target", "", "stage of the Dockerfile that makes the image (default: the last)")
	flags.StringArrayVar(&f.helmValues, "helm-values", nil, "values file with which charts among the manifests are rendered (repeatable)")
	flags.StringArrayVar(&f.helmSet, "helm-set", nil, "NAME=VALUE with which charts among the manifests are rendered (repeatable)")
}

// steerLinters fills in what the linters are to do differently from their
// defaults.
func (p Program) steerLinters(req *gate.Request, s session, f linterFlags) error {
	buildArgs, err := buildArguments(f.buildArgs)
	if err != nil {
		return err
	}
	catalogue, err := Catalogue()
	if err != nil {
		return err
	}
	known := func(name string) bool {
		_, ok := catalogue.Find(name)
		return ok
	}
	req.KubernetesRules.Today = p.Clock()
	req.HelmValues, req.HelmSet = f.helmValues, f.helmSet
	req.DockerfileRules = dockerfile.Options{BuildArgs: buildArgs, Target: f.stage, KnownRule: known}
	hadolint, found, err := p.hadolint(s.root.Working)
	if err != nil {
		return err
	}
	if found {
		req.DockerfileRules = hadolint.Apply(req.DockerfileRules)
	}
	return nil
}

// hadolint reads the configuration that hadolint would read, so that a team
// can switch from it without writing its exceptions anew. One that cannot be
// read is an error: linting on without it would forbid what the team allows.
func (p Program) hadolint(working string) (dockerfile.Hadolint, bool, error) {
	for _, path := range dockerfile.HadolintPaths(working, p.Getenv("XDG_CONFIG_HOME"), p.Getenv("HOME")) {
		content, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return dockerfile.Hadolint{}, false, &exit.Error{Code: exit.Usage, Doing: "read hadolint's configuration", Err: err}
		}
		h, err := dockerfile.ParseHadolint(path, content)
		if err != nil {
			return h, false, err
		}
		if len(h.Unknown) > 0 {
			p.printf("%s: keys without a meaning here: %s\n", path, strings.Join(h.Unknown, ", "))
		}
		h, err = p.hadolintVariables(h)
		return h, true, err
	}
	h, err := p.hadolintVariables(dockerfile.Hadolint{})
	return h, true, err
}

// hadolintNames are hadolint's environment variables.
var hadolintNames = []string{
	"HADOLINT_IGNORE", "HADOLINT_OVERRIDE_ERROR", "HADOLINT_OVERRIDE_WARNING", "HADOLINT_OVERRIDE_INFO", "HADOLINT_OVERRIDE_STYLE",
	"HADOLINT_TRUSTED_REGISTRIES", "HADOLINT_FAILURE_THRESHOLD", "HADOLINT_STRICT_LABELS", "HADOLINT_DISABLE_IGNORE_PRAGMA",
	"HADOLINT_NOFAIL", "HADOLINT_REQUIRE_LABELS",
}

// hadolintVariables lays hadolint's environment variables over its file.
func (p Program) hadolintVariables(h dockerfile.Hadolint) (dockerfile.Hadolint, error) {
	var environ []string
	for _, name := range hadolintNames {
		if value := p.Getenv(name); value != "" {
			environ = append(environ, fmt.Sprintf("%s=%s", name, value))
		}
	}
	return dockerfile.HadolintEnv(h, environ)
}
