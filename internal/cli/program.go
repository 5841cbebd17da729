// Package cli is the command line: it turns arguments, environment and
// configuration into requests for package gate and shows what comes back. It
// holds no judgement of its own. One file a command.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/agext/levenshtein"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/portcullis-ci/portcullis/internal/credential"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
	"github.com/portcullis-ci/portcullis/internal/supervise"
)

// Program is everything that a run takes from the world outside. Nothing
// below reads globals, the clock, the environment or the network behind its
// back, so tests run the whole program in process.
type Program struct {
	// Args are the arguments without the program's name.
	Args   []string
	Getenv func(string) string
	// Environ lists the environment as NAME=VALUE, in which names that nothing
	// reads are looked for; nil for none.
	Environ func() []string
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
	Clock   func() time.Time
	// Past is a time that is past wherever the program runs: a clock that shows
	// an earlier one is wrong. It is nil where the clock is right.
	Past func() (time.Time, error)
	// Transport carries all network traffic; nil for a default with time
	// limits.
	Transport http.RoundTripper
	// LimitMemory bounds the memory of the process in bytes; nil where that
	// cannot be done, or must not because the process does other things too.
	LimitMemory func(bytes int64) error
	// Crash is empty, or says how an earlier process that did this work was
	// ended: then nothing is examined and that is all there is to report.
	Crash string
}

// Supervised reports whether the command reads what an attacker may have made
// to end the process that reads it, so that the work belongs into a child
// process.
func (p Program) Supervised() bool {
	if len(p.Args) == 0 || slices.Contains(p.Args, "--help") || slices.Contains(p.Args, "-h") {
		return false
	}
	return p.Args[0] == "gate" || p.Args[0] == "sbom"
}

// Lints reports whether the command checks files of a checkout alone.
func (p Program) Lints() bool { return len(p.Args) > 0 && p.Args[0] == "lint" }

// crashed is the error for a Crash.
func (p Program) crashed() error {
	return &exit.Error{
		Code: exit.NotExamined, Doing: "the examination was cut off: " + p.Crash,
		Hint: "raise --max-memory if memory ran out, and the limit of processes (ulimit -u) if no thread could be made; otherwise please report this with what was examined",
	}
}

// Main runs the program and returns its exit code. It is the one place that
// prints errors and that turns an interrupt or a panic into a code.
func (p Program) Main(ctx context.Context) exit.Code {
	if strings.HasPrefix(p.Crash, supervise.Told) {
		// No fault to report, and nobody waits for reports: as after an interrupt
		// that the process itself could answer.
		p.printf("portcullis: interrupted, %s; nothing was decided\n", p.Crash)
		return exit.NotExamined
	}
	ctx, stop := signal.NotifyContext(ctx, endings()...)
	defer stop()
	// A second signal ends what does not heed the first. One key may send it twice:
	// from the terminal, and passed on by the supervisor.
	context.AfterFunc(ctx, func() { time.AfterFunc(time.Second, stop) })
	// A reader of our output that is gone is an error to report, and no reason
	// to end without a code.
	signal.Ignore(syscall.SIGPIPE)
	if p.Stdin != nil {
		p.Stdin = untilCancelled(ctx, p.Stdin)
	}
	done := make(chan exit.Code, 1)
	go func() { done <- p.run(ctx) }()
	select {
	case code := <-done:
		return code
	case <-ctx.Done():
	}
	select {
	case code := <-done:
		return code
	case <-time.After(patience):
		// What cannot be interrupted, such as waiting for somebody to write to a
		// named pipe, is left behind. Files that were being written are whole or
		// not there.
		return p.explain(ctx, ctx.Err())
	}
}

// patience is how long an interrupted run may take to end: less than the
// supervisor's.
const patience = 5 * time.Second

// endings are the signals that end a run in an orderly way. One that was ignored
// at the start, as by nohup, stays so.
func endings() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// run runs the command that the arguments name.
func (p Program) run(ctx context.Context) (code exit.Code) {
	defer func() {
		if r := recover(); r != nil {
			p.printf("portcullis: internal error: %v\nThis is a fault in portcullis %s; please report it with the following:\n%s\n",
				r, Version().Version, debug.Stack())
			code = exit.NotExamined
		}
	}()
	var result exit.Code
	root := p.command(&result)
	p.warnOfVariables(root)
	root.SetArgs(p.Args)
	if err := root.ExecuteContext(ctx); err != nil {
		return p.explain(ctx, err)
	}
	return result
}

// explain prints an error for a person and returns its exit code.
func (p Program) explain(ctx context.Context, err error) exit.Code {
	if ctx.Err() != nil {
		p.printf("portcullis: interrupted; nothing was decided\n")
		return exit.NotExamined
	}
	// A failure may be several errors joined by newlines; each stays a line.
	for line := range strings.Lines(err.Error()) {
		p.printf("portcullis: %s\n", neutralise.Log(strings.TrimRight(line, "\n")))
	}
	if hint := exit.HintOf(err); hint != "" {
		p.printf("  hint: %s\n", neutralise.Log(hint))
	}
	return exit.CodeOf(err)
}

// printf writes to standard error. If that is closed there is no one to tell,
// and the exit code still speaks.
func (p Program) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(p.Stderr, format, args...)
}

// command builds the tree of commands. Commands that decide something store
// their exit code in result.
func (p Program) command(result *exit.Code) *cobra.Command {
	root := &cobra.Command{
		Use:           "portcullis",
		Short:         "A container security gate for CI/CD",
		Long:          rootHelp,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return refuseEmpty(cmd.Flags())
		},
	}
	root.SuggestionsMinimumDistance = 2
	root.SetOut(p.Stdout)
	root.SetErr(p.Stderr)
	root.SetIn(p.Stdin)
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(
		p.gateCommand(result), p.lintCommand(result), p.sbomCommand(), p.dbCommand(),
		p.explainCommand(), p.configCommand(), p.policyCommand(result), p.waiversCommand(), p.versionCommand(),
	)
	return root
}

const rootHelp = `Portcullis examines a container image, its Dockerfile and its Kubernetes
manifests in one run, reports everything it finds at the line that caused it,
and decides by policy: its exit code says whether the build may go on.

Exit codes: 0 passed, 1 policy broken, 2 usage or configuration, 3 passed with
warnings, 4 not examined, 5 vulnerability data missing or too old.`

// usageError marks an error of the command line.
func usageError(cmd *cobra.Command, err error) error {
	return &exit.Error{
		Code: exit.Usage, Err: err,
		Hint: fmt.Sprintf("run `%s --help` for what it takes", cmd.CommandPath()),
	}
}

// flagError is usageError for a flag, and suggests the one that may have been
// meant.
func flagError(cmd *cobra.Command, err error) error {
	err = plain(err)
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) || len(unknown.GetSpecifiedName()) < 2 {
		return usageError(cmd, err)
	}
	nearest, most := "", 0.5
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if s := levenshtein.Similarity(f.Name, unknown.GetSpecifiedName(), nil); s > most && !f.Hidden {
			nearest, most = f.Name, s
		}
	})
	if nearest != "" {
		err = fmt.Errorf("%w; did you mean --%s?", err, nearest)
	}
	return usageError(cmd, err)
}

// plain words the error about a switch that is neither on nor off.
func plain(err error) error {
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) && invalid.GetFlag().Value.Type() == "bool" {
		return fmt.Errorf("expected true or false, not %q, for --%s", invalid.GetValue(), invalid.GetFlag().Name)
	}
	return err
}

// noArgs refuses arguments; for the root, an unknown command.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasSubCommands() {
		err := fmt.Errorf("unknown command %q", args[0])
		if cmd.HasParent() {
			err = fmt.Errorf("%s has no command %q", cmd.CommandPath(), args[0])
		}
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			err = fmt.Errorf("%w; did you mean %q?", err, near[0])
		}
		return usageError(cmd, err)
	}
	// It may be an address with a password.
	given := credential.Withhold(args[0])
	err := usageError(cmd, fmt.Errorf("%s takes no arguments, but got %q", cmd.Name(), given))
	var e *exit.Error
	if len(args) == 1 && cmd.Flags().Lookup("image") != nil && !cmd.Flags().Changed("image") && errors.As(err, &e) {
		// What most tools of this kind take as an argument.
		e.Hint = fmt.Sprintf("the image is named with a flag: `%s --image %s`", cmd.CommandPath(), given)
	}
	return err
}

// exactlyOne demands one argument, named for the message.
func exactlyOne(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 && args[0] != "" {
			return nil
		}
		if len(args) == 1 {
			return usageError(cmd, fmt.Errorf("expected %s, but it is empty", what))
		}
		return usageError(cmd, fmt.Errorf("expected %s, but got %d arguments", what, len(args)))
	}
}

// isTerminal reports whether w is a terminal that a person looks at.
func (p Program) isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && p.Getenv("CI") == "" && term.IsTerminal(int(f.Fd()))
}

// width returns the number of columns to use on w.
func (p Program) width(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
			return columns
		}
	}
	return 0
}

// colour reports whether w takes colours (https://no-color.org).
func (p Program) colour(w io.Writer) bool {
	return p.isTerminal(w) && p.Getenv("NO_COLOR") == "" && p.Getenv("TERM") != "dumb"
}
