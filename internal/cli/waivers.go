package cli

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
	"github.com/portcullis-ci/portcullis/internal/triage/waiver"
)

func (p Program) waiversCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "waivers",
		Short: "Work with the file of reviewed exceptions",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.waiversImportCommand())
	return cmd
}

func (p Program) waiversImportCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Draft waivers from the ignore file of another tool",
		Long: `Draft waivers from .trivyignore, .trivyignore.yaml, grype's configuration or
.snyk, on standard output. Owner and reason that the other file does not name
are left for you to fill in; until then the drafts are not in force. What cannot
be carried over is told on standard error.`,
		Example: "  portcullis waivers import .trivyignore > " + waiver.FileName,
		Args:    exactlyOne("one ignore file"),
		RunE:    func(_ *cobra.Command, args []string) error { return p.waiversImport(args[0], format) },
	}
	cmd.Flags().StringVar(&format, "format", "", "format of a file with a name of its own: "+strings.Join(waiver.Formats(), ", ")+" (default: by the name)")
	return cmd
}

func (p Program) waiversImport(path, named string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return &exit.Error{Code: exit.Usage, Doing: "read the ignore file", Err: err}
	}
	format := waiver.Format(named)
	if named == "" {
		format, err = waiver.FormatOf(path)
	} else if !slices.Contains(waiver.Formats(), named) {
		err = fmt.Errorf("--format is %q: expected %s", named, strings.Join(waiver.Formats(), ", "))
	}
	if err != nil {
		return &exit.Error{Code: exit.Usage, Err: err}
	}
	imported, err := waiver.Import(format, path, content, p.Clock())
	if err != nil {
		return &exit.Error{Code: exit.Usage, Doing: "import " + path, Err: err}
	}
	for _, note := range imported.Notes {
		p.printf("%s\n", neutralise.Log(note))
	}
	return waiver.Write(p.Stdout, imported.Waivers)
}
