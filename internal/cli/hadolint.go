package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/config"
	"github.com/portcullis-ci/portcullis/internal/detect/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
	"github.com/portcullis-ci/portcullis/internal/policy"
)

// hadolint reads the configuration that hadolint would read, so that a team
// can switch from it without writing its exceptions anew. One that cannot be
// read is an error: linting on without it would forbid what the team allows.
// What a file of the checkout excuses, the policy about ignore comments judges.
func (p Program) hadolint(s session, failOn *finding.Severity) (dockerfile.Hadolint, error) {
	if s.config.Lint.NoHadolint {
		return dockerfile.Hadolint{}, nil
	}
	for _, path := range dockerfile.HadolintPaths(s.root.Working, p.Getenv("XDG_CONFIG_HOME"), p.Getenv("HOME")) {
		content, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return dockerfile.Hadolint{}, &exit.Error{Code: exit.Usage, Doing: "read hadolint's configuration", Err: err}
		}
		h, err := dockerfile.ParseHadolint(path, content)
		if err != nil {
			return h, err
		}
		if len(h.Unknown) > 0 {
			p.printf("%s: keys without a meaning here: %s\n", path, neutralise.Log(strings.Join(h.Unknown, ", ")))
		}
		if rel, err := filepath.Rel(s.root.Dir, path); err == nil && filepath.IsLocal(rel) {
			h = p.acceptHadolint(h, s, failOn)
		}
		return p.hadolintVariables(h)
	}
	return p.hadolintVariables(dockerfile.Hadolint{})
}

// acceptHadolint leaves of a file of the checkout what the configuration lets
// count, and tells what it does not.
func (p Program) acceptHadolint(h dockerfile.Hadolint, s session, failOn *finding.Severity) dockerfile.Hadolint {
	h, void := h.Accept(inlineIgnores(s.config.Lint), failOn)
	if len(void) > 0 {
		why := "is " + string(s.config.Lint.InlineIgnores)
		if s.config.Lint.InlineIgnores == config.IgnoresNeedReason {
			why += " and no comment at them gives one"
		}
		p.printf("portcullis: %s: without effect, since lint.inline-ignores %s: %s\n",
			s.root.Name(h.Path), why, neutralise.Log(strings.Join(void, ", ")))
	}
	return h
}

// inlineIgnores is the policy about ignore comments.
func inlineIgnores(lint config.Lint) dockerfile.InlineIgnores {
	return dockerfile.InlineIgnores{
		Disallow:      lint.InlineIgnores == config.IgnoresForbidden,
		RequireReason: lint.InlineIgnores == config.IgnoresNeedReason,
	}
}

// hadolintThreshold takes over the severity from which hadolint would fail, for
// Dockerfiles alone, where nobody has said anything to portcullis about it. A
// number of findings that may be there is such a word, too: a threshold of the
// kind's own would take its findings out of the general numbers.
func hadolintThreshold(h dockerfile.Hadolint, c config.Config, p *policy.Policy) error {
	demands := p.Kinds[finding.Dockerfile]
	switch {
	case h.FailureThreshold == "" && !h.NoFail:
		return nil // hadolint's own default would fail on style
	case demands.OwnFailOn, demands.Counts != nil, len(p.Counts) > 0, c.Given("fail-on"):
		return nil
	}
	severity, fails, err := h.Threshold()
	if err != nil {
		return &exit.Error{Code: exit.Usage, Doing: "read hadolint's configuration", Err: err}
	}
	demands.OwnFailOn, demands.FailOn = true, nil
	if fails {
		demands.FailOn = &severity
	}
	kinds := maps.Clone(p.Kinds)
	if kinds == nil {
		kinds = make(map[finding.Kind]policy.KindDemands)
	}
	kinds[finding.Dockerfile] = demands
	p.Kinds = kinds
	return nil
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
