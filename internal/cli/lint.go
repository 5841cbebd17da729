package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/gate"
	"github.com/portcullis-ci/portcullis/internal/repository"
)

// lintFlags are the flags of the lint command.
type lintFlags struct {
	fix        bool
	diff       bool
	otherFiles bool
	linterFlags
	policyFlags
	triageFlags
	reportFlags
}

func (p Program) lintCommand(result *exit.Code) *cobra.Command {
	var f lintFlags
	cmd := &cobra.Command{
		Use:   "lint PATH…",
		Short: "Lint Dockerfiles and Kubernetes manifests",
		Long: `Lint Dockerfiles and Kubernetes manifests by the rules of the gate, without an
image. A directory is searched for both; a file is taken for a manifest when
its name ends in .yaml, .yml or .json, and for a Dockerfile otherwise. What
comes through standard input (-) is taken for what it looks like.`,
		Example: `  portcullis lint .
  portcullis lint Dockerfile k8s/ --fail-on medium --output sarif=lint.sarif`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError(cmd, fmt.Errorf("expected at least one file or directory"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			code, err := p.lint(cmd.Context(), &f, cmd.Flags(), args)
			*result = code
			return err
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	f.linterFlags.register(flags)
	flags.BoolVar(&f.linterFlags.insecure, "insecure", false, "allow plain HTTP to registries of base images")
	flags.BoolVar(&f.fix, "fix", false, "make the mechanical changes that findings propose, then judge what is left")
	flags.BoolVar(&f.diff, "diff", false, "show those changes on standard output and make none")
	flags.BoolVar(&f.otherFiles, "ignore-other-files", false, "leave YAML and JSON files that hold no Kubernetes object alone, even if nothing else was named")
	f.policyFlags.register(flags, lintOverrides...)
	f.triageFlags.register(flags)
	f.reportFlags.register(flags)
	return cmd
}

// lint runs the pipeline on the files and directories alone.
func (p Program) lint(ctx context.Context, f *lintFlags, flags *pflag.FlagSet, paths []string) (exit.Code, error) {
	s, err := p.prepare(ctx, &f.policyFlags, &f.reportFlags, flags)
	if err != nil {
		return exit.Usage, err
	}
	// Only now: a flag may have come from the environment.
	if p, err = p.asOf(f.policyFlags); err != nil {
		return exit.CodeOf(err), err
	}
	if err := p.settle(&s, nil, f.diff); err != nil {
		return exit.Usage, err
	}
	req := gate.Request{Policy: s.config.Policy, Tool: tool(), OtherFiles: f.otherFiles}
	if err := p.steerLinters(ctx, &req, s, f.linterFlags); err != nil {
		return exit.Usage, err
	}
	if req.Triage, err = p.triage(ctx, s, f.triageFlags, nil); err != nil {
		return exit.Usage, err
	}
	if err := readsStdinOnce(paths...); err != nil {
		return exit.Usage, err
	}
	s.cover(slices.Clone(paths))
	stdinIsManifest, err := p.peekStdin(paths)
	if err != nil {
		return exit.CodeOf(err), err
	}
	for _, path := range paths {
		info, statErr := os.Stat(s.root.Path(path))
		switch {
		case path == "":
			return exit.Usage, &exit.Error{Code: exit.Usage, Doing: "one of the paths is empty"}
		case statErr == nil && info.IsDir():
			req.Search = append(req.Search, path)
		case path == stdinPath && stdinIsManifest, isManifestName(path):
			req.Manifests = append(req.Manifests, path)
		default:
			req.Dockerfiles = append(req.Dockerfiles, path)
		}
	}
	if f.fix && f.diff {
		return exit.Usage, &exit.Error{Code: exit.Usage, Doing: "--fix and --diff together", Hint: "--diff shows the changes and makes none; --fix makes them"}
	}
	if f.fix || f.diff {
		if slices.Contains(paths, stdinPath) {
			return exit.Usage, &exit.Error{Code: exit.Usage, Doing: "standard input cannot be fixed", Hint: "name the file"}
		}
		if err := p.fix(ctx, s, req, f.diff); err != nil {
			return exit.CodeOf(err), err
		}
	}
	return p.runAndReport(ctx, s, req, nil)
}

func isManifestName(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}

// manifestLine begins a line that manifests have and Dockerfiles have not.
var manifestLine = regexp.MustCompile(`(?m)^[\s{\[\x{FEFF}-]*["']?(apiVersion|kind|containerDefinitions|taskDefinition)["']?\s*:`)

// peekStdin reads standard input, where it is one of the paths, puts it back
// and reports whether it holds manifests.
func (p *Program) peekStdin(paths []string) (bool, error) {
	if !slices.Contains(paths, stdinPath) || p.Stdin == nil {
		return false, nil
	}
	content, err := repository.ReadAll(p.Stdin)
	if err != nil {
		return false, &exit.Error{Code: exit.NotExamined, Doing: "read standard input", Err: err}
	}
	p.Stdin = bytes.NewReader(content)
	return manifestLine.Match(content) || bytes.HasPrefix(bytes.TrimSpace(content), []byte("{")), nil
}
