package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/portcullis-ci/portcullis/internal/config"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/gate"
)

func (p Program) configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Start, check and show the configuration",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.configInitCommand(), p.configValidateCommand(), p.configShowCommand(), p.configSchemaCommand())
	return cmd
}

func (p Program) configInitCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "init",
		Short:   "Write a commented " + config.FileName + " that says what holds by default",
		Example: "  portcullis config init",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			f, err := os.OpenFile(config.FileName, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
			if err != nil {
				return &exit.Error{Code: exit.Usage, Doing: "start a configuration", Err: err, Hint: "a file that is there is not replaced"}
			}
			_, err = f.Write(config.Starter())
			if err = errors.Join(err, f.Close()); err != nil {
				// Half a configuration would hold from now on.
				return fmt.Errorf("write %s: %w", config.FileName, errors.Join(err, os.Remove(config.FileName)))
			}
			return nil
		},
	}
}

// loadForShow reads the configuration as the gate would.
func (p Program) loadForShow(ctx context.Context, f *policyFlags, cmd *cobra.Command) (session, error) {
	s, err := p.prepare(ctx, f, &reportFlags{}, cmd.Flags())
	if err != nil {
		return s, err
	}
	// The names of rules are checked against the catalogue, as in a run.
	return s, p.steerLinters(ctx, &gate.Request{}, s, linterFlags{})
}

func (p Program) configValidateCommand() *cobra.Command {
	var f policyFlags
	cmd := &cobra.Command{
		Use:     "validate",
		Short:   "Check the configuration; all faults are told with their places",
		Example: "  portcullis config validate",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := p.loadForShow(cmd.Context(), &f, cmd)
			if err != nil {
				return err
			}
			if len(s.config.Files) == 0 {
				_, err = fmt.Fprintln(p.Stdout, "there is no configuration file; the defaults hold")
				return err
			}
			for _, file := range s.config.Files {
				if _, err := fmt.Fprintf(p.Stdout, "%s is in order\n", file); err != nil {
					return err
				}
			}
			return nil
		},
	}
	f.register(cmd.Flags())
	return cmd
}

func (p Program) configShowCommand() *cobra.Command {
	var f policyFlags
	cmd := &cobra.Command{
		Use:     "show",
		Short:   "Show the values that hold and where each comes from",
		Example: "  portcullis config show\n  portcullis config show --profile release",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := p.loadForShow(cmd.Context(), &f, cmd)
			if err != nil {
				return err
			}
			_, err = io.WriteString(p.Stdout, config.Show(s.config))
			return err
		},
	}
	f.register(cmd.Flags())
	return cmd
}

func (p Program) configSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON schema of the configuration file, for editors",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := p.Stdout.Write(config.Schema())
			return err
		},
	}
}
