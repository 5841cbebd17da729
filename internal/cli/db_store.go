package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/advisory/store"
	"github.com/portcullis-ci/portcullis/internal/advisory/supply"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/gate"
	"github.com/portcullis-ci/portcullis/internal/report"
)

// databaseFlag adds --db to a command that reads a database.
func (p Program) databaseFlag(cmd *cobra.Command, database *string) {
	p.textFromEnvironment(cmd, database, databaseUsage)
}

// installFlag adds --db to a command that installs a database.
func (p Program) installFlag(cmd *cobra.Command, database *string) {
	p.textFromEnvironment(cmd, database, "directory to install the database in (default: that of the cache)")
}

func (p Program) textFromEnvironment(cmd *cobra.Command, database *string, usage string) {
	cmd.Flags().StringVar(database, "db", "", usage)
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if _, err := p.flagsFromEnvironment(cmd.Flags()); err != nil {
			return err
		}
		return run(cmd, args)
	}
}

func (p Program) dbVerifyCommand() *cobra.Command {
	var database string
	cmd := &cobra.Command{
		Use:     "verify",
		Short:   "Read every file of an advisory database whole and compare it with its digest",
		Example: "  portcullis db verify --db db/",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return p.dbVerify(cmd.Context(), database) },
	}
	p.databaseFlag(cmd, &database)
	return cmd
}

// dbVerify prints the state of every shard; a damaged one is an error.
func (p Program) dbVerify(ctx context.Context, dir string) (err error) {
	db, err := p.openDatabase(ctx, dir, imageFlags{}, supply.Everything())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	states, err := store.Verify(ctx, db.Database)
	if err != nil {
		return &exit.Error{Code: exit.DataMissing, Err: err}
	}
	var damaged []error
	for _, s := range states {
		word := "in order"
		switch {
		case s.Err != nil:
			word = "DAMAGED"
			damaged = append(damaged, s.Err)
		case !s.Present:
			word = "not here"
		}
		if _, err := fmt.Fprintf(p.Stdout, "%-24s %s\n", s.Shard.Name, word); err != nil {
			return err
		}
	}
	if len(damaged) > 0 {
		return &exit.Error{Code: exit.DataMissing, Err: errors.Join(damaged...), Hint: "build or import the database anew"}
	}
	return nil
}

func (p Program) dbExportCommand() *cobra.Command {
	var database string
	cmd := &cobra.Command{
		Use:     "export FILE",
		Short:   "Pack an advisory database into one file, for machines without a network",
		Example: "  portcullis db export advisories.tar --db db/",
		Args:    exactlyOne("one file to write, or - for standard output"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.dbExport(cmd.Context(), database, args[0])
		},
	}
	p.databaseFlag(cmd, &database)
	return cmd
}

func (p Program) dbExport(ctx context.Context, dir, path string) (err error) {
	db, err := p.openDatabase(ctx, dir, imageFlags{}, supply.Everything())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var reading error
	write := func(w io.Writer) error {
		reading = store.Export(ctx, db.Database, w)
		return reading
	}
	if path == stdoutPath {
		return write(p.Stdout)
	}
	err = report.WholeFile(path, "export the database", write)
	if errors.Is(reading, advisory.ErrCorrupt) || errors.Is(reading, advisory.ErrMissing) {
		return gate.MissingData(reading)
	}
	return err
}

func (p Program) dbImportCommand() *cobra.Command {
	var database string
	cmd := &cobra.Command{
		Use:     "import FILE",
		Short:   "Install an advisory database that db export packed",
		Example: "  portcullis db import advisories.tar",
		Args:    exactlyOne("one file to read, or - for standard input"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.dbImport(cmd.Context(), database, args[0])
		},
	}
	p.installFlag(cmd, &database)
	return cmd
}

func (p Program) dbImport(ctx context.Context, dir, path string) error {
	dir, err := p.installInto(dir)
	if err != nil {
		return err
	}
	in := p.Stdin
	if path != stdoutPath {
		f, err := os.Open(path)
		if err != nil {
			return &exit.Error{Code: exit.Usage, Doing: "import the database", Err: err}
		}
		defer func() { _ = f.Close() }() // opened for reading: nothing is lost
		in = f
	}
	m, err := store.Import(ctx, in, dir)
	if err != nil {
		unchanged := "nothing was changed in " + dir
		hint := storageHint(err, dir, "--db", unchanged)
		if hint == unchanged {
			hint = "export it anew; " + unchanged
		}
		if errors.Is(err, advisory.ErrForeign) {
			hint = "the file must come from `portcullis db export`"
		}
		return &exit.Error{Code: exit.DataMissing, Doing: "import " + path, Err: err, Hint: hint}
	}
	records, size := totals(m)
	_, err = fmt.Fprintf(p.Stdout, "%d records in %d shards, %s, built on %s\n",
		records, len(m.Shards), bytesInWords(size), m.Built.Format("2006-01-02"))
	return err
}
