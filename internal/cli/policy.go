package cli

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/portcullis-ci/portcullis/internal/config"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/policy"
	"github.com/portcullis-ci/portcullis/internal/policy/policytest"
	"github.com/portcullis-ci/portcullis/internal/policy/replay"
)

func (p Program) policyCommand(result *exit.Code) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Test a policy, try it on saved reports, share it",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.policyTestCommand(result), p.policyReplayCommand(result), p.policyPushCommand())
	return cmd
}

// atLeastOne demands arguments, named for the message.
func atLeastOne(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return nil
		}
		return usageError(cmd, &exit.Error{Code: exit.Usage, Doing: "expected " + what})
	}
}

func (p Program) policyTestCommand(result *exit.Code) *cobra.Command {
	var offline bool
	cmd := &cobra.Command{
		Use:     "test FILE…",
		Short:   "Run the unit tests of a policy",
		Example: "  portcullis policy test policy_test.yaml",
		Args:    atLeastOne("at least one file of tests"),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, path := range args {
				report, err := p.policyTest(cmd.Context(), path, offline)
				if err != nil {
					return err
				}
				if report.Failed() > 0 {
					*result = exit.PolicyBroken
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&offline, "offline", false, "forbid every network access")
	return cmd
}

// policyTest runs one file of tests; policies that it names are read relative
// to it.
func (p Program) policyTest(ctx context.Context, path string, offline bool) (policytest.Report, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return policytest.Report{}, &exit.Error{Code: exit.Usage, Doing: "read the policy's tests", Err: err}
	}
	load := func(file, profile string) (policy.Policy, error) {
		if !filepath.IsAbs(file) {
			file = filepath.Join(filepath.Dir(path), file)
		}
		c, err := config.LoadProfile(ctx, config.Request{Dir: filepath.Dir(file), Path: file, Profile: profile, Fetch: p.fetchPolicy(offline, false)})
		return c.Policy, err
	}
	report, err := policytest.Run(path, content, load)
	if err != nil {
		return report, err
	}
	return report, report.Write(p.Stdout)
}

func (p Program) policyReplayCommand(result *exit.Code) *cobra.Command {
	var f policyFlags
	cmd := &cobra.Command{
		Use:   "replay REPORT.json…",
		Short: "Judge saved JSON reports by another policy, and tell what it would have blocked",
		Example: `  portcullis policy replay --config tighter.yaml gate.json
  portcullis policy replay --fail-on medium reports/*.json`,
		Args: atLeastOne("at least one saved JSON report"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := p.prepare(cmd.Context(), &f, &reportFlags{}, cmd.Flags())
			if err != nil {
				return err
			}
			when, err := parseAsOf(f.asOf)
			if err != nil {
				return err
			}
			*result, err = p.policyReplay(s.config.Policy, args, when)
			return err
		},
	}
	f.register(cmd.Flags())
	cmd.Flags().Lookup("as-of").Usage = "judge as of this time, such as 2026-11-23 (default: the end of each saved run)"
	return cmd
}

// parseAsOf reads a day or a time; empty is the zero time.
func parseAsOf(value string) (time.Time, error) {
	if value == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, value); err == nil {
			return t, nil
		}
	}
	return time.Time{}, &exit.Error{Code: exit.Usage, Doing: "--as-of " + value + " is no time such as 2026-11-23 or 2026-11-23T12:00:00Z"}
}

func (p Program) policyReplay(pol policy.Policy, paths []string, asOf time.Time) (exit.Code, error) {
	var results []replay.Result
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return exit.Usage, &exit.Error{Code: exit.Usage, Doing: "read the saved report", Err: err}
		}
		saved, err := replay.Read(path, content)
		if err != nil {
			return exit.Usage, err
		}
		results = append(results, replay.Judge(pol, saved, asOf))
	}
	return replay.Code(results), replay.Write(p.Stdout, results)
}
