package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/advisory/builder"
	"github.com/portcullis-ci/portcullis/internal/advisory/supply"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
	"github.com/portcullis-ci/portcullis/internal/progress"
)

func (p Program) dbCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "db",
		Short: "Build and inspect the advisory database",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.dbBuildCommand(), p.dbStatusCommand(), p.dbVerifyCommand(), p.dbExportCommand(), p.dbImportCommand(),
		p.dbPushCommand(), p.dbPullCommand(), p.dbCopyCommand(), p.dbUpdateCommand())
	return cmd
}

// dbBuildFlags are the flags of db build.
type dbBuildFlags struct {
	from []string
	out  string
	// outFlag is the flag that names out; empty for --out.
	outFlag         string
	redistributable bool
	asOf            string
}

func (p Program) dbBuildCommand() *cobra.Command {
	var f dbBuildFlags
	cmd := &cobra.Command{
		Use:   "build --from DIR|ZIP… --out DIR",
		Short: "Compile OSV records into an advisory database",
		Long: `Compile OSV records into an advisory database: one compact file for each
ecosystem or release of a distribution, and a manifest with their digests.
Sources are archives as osv.dev exports them (<ecosystem>/all.zip), single
records, or directories of both; EPSS and KEV lists among them are taken too.
The same sources give the same files.`,
		Example: `  portcullis db build --from osv/ --out db/
  portcullis db build --from Debian/all.zip --from npm/all.zip --out db/`,
		RunE: func(cmd *cobra.Command, args []string) error {
			// Further sources may follow --from without the flag: --from a b c.
			f.from = append(f.from, args...)
			when, err := parseAsOf(f.asOf)
			if err != nil {
				return err
			}
			if !when.IsZero() {
				p.Clock = func() time.Time { return when }
			}
			return p.dbBuild(cmd.Context(), &f)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringArrayVar(&f.from, "from", nil, "source of records: an archive, a record or a directory (repeatable)")
	flags.StringVar(&f.out, "out", "", "directory of the database")
	flags.BoolVar(&f.redistributable, "redistributable", false, "leave out sources whose licence does not allow to pass their data on")
	flags.StringVar(&f.asOf, "as-of", "", "time of the build that is noted, such as 2026-11-23 (default: now)")
	return cmd
}

func (p Program) dbBuild(ctx context.Context, f *dbBuildFlags) error {
	if len(f.from) == 0 || f.out == "" {
		return &exit.Error{
			Code: exit.Usage, Doing: "db build needs sources and a place: --from DIR|ZIP… --out DIR",
			Hint: "osv.dev publishes <ecosystem>/all.zip for every ecosystem",
		}
	}
	if err := forDatabase(f.out, cmp.Or(f.outFlag, "--out")); err != nil {
		return err
	}
	// Most of what is held stays: collecting sooner costs a third more time, and
	// saves a quarter of the memory.
	defer debug.SetGCPercent(debug.SetGCPercent(buildGCPercent))
	display := progress.New(p.Stderr, p.isTerminal(p.Stderr), p.Clock)
	done := display.Start("db build")
	m, err := builder.Build(ctx, builder.Request{
		From: f.from, Out: f.out, Now: p.Clock(), Tool: "portcullis " + Version().Version, Redistributable: f.redistributable,
	})
	if err != nil {
		done("not built")
		display.Close()
		code := exit.DataMissing
		if errors.Is(err, builder.ErrNoInput) {
			code = exit.Usage
		}
		return &exit.Error{Code: code, Err: err, Hint: storageHint(err, f.out, cmp.Or(f.outFlag, "--out"), "nothing was written to "+f.out)}
	}
	records, size := totals(m)
	done(fmt.Sprintf("%d records in %d shards, %s", records, len(m.Shards), bytesInWords(size)))
	for _, reason := range slices.Sorted(maps.Keys(m.Skipped)) {
		display.Note("left out: %d %s", m.Skipped[reason], reason)
	}
	display.Close()
	return nil
}

// buildGCPercent is how much may be allocated between two collections while a
// database is built, in per cent of what is held.
const buildGCPercent = 30

// totals sums up a manifest's shards.
func totals(m advisory.Manifest) (records int, size int64) {
	for _, s := range m.Shards {
		records += s.Records
		size += s.Size
	}
	return records, size
}

func bytesInWords(n int64) string {
	switch {
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	default:
		return fmt.Sprintf("%d KiB", (n+1023)>>10)
	}
}

func (p Program) dbStatusCommand() *cobra.Command {
	var database string
	var f imageFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "status",
		Short:   "Tell what an advisory database holds and how old it is",
		Example: "  portcullis db status\n  portcullis db status --db db/",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.dbStatus(cmd.Context(), database, f, asJSON)
		},
	}
	p.databaseFlag(cmd, &database)
	cmd.Flags().BoolVar(&f.offline, "offline", false, "forbid every network access")
	cmd.Flags().BoolVar(&f.insecure, "insecure", false, "allow plain HTTP to registries and mirrors")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the manifest as JSON")
	return cmd
}

func (p Program) dbStatus(ctx context.Context, text string, f imageFlags, asJSON bool) (err error) {
	db, err := p.openDatabase(ctx, text, f, supply.Need{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if asJSON {
		e := json.NewEncoder(p.Stdout)
		e.SetIndent("", "  ")
		return e.Encode(db.Manifest())
	}
	return writeStatus(p.Stdout, db, p.Clock())
}

// ageInWords shows an age in days, or in hours and minutes below two of them.
func ageInWords(age time.Duration) string {
	if age >= 48*time.Hour {
		return fmt.Sprintf("%d days", int(age/(24*time.Hour)))
	}
	return age.Round(time.Minute).String()
}

// day shows a date; a dash where there is none.
func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format(time.DateOnly)
}

// writeStatus prints the manifest for people.
func writeStatus(w io.Writer, db supply.Supply, now time.Time) error {
	m := db.Manifest()
	records, size := totals(m)
	var b strings.Builder
	fmt.Fprintf(&b, "Database  %s\nDigest    sha256:%s\nBuilt     %s (%s ago) by %s\nHolds     %d records in %d shards, %s\n\n",
		neutralise.Line(db.Name), db.Digest(), m.Built.UTC().Format(time.RFC3339), ageInWords(now.Sub(m.Built)),
		neutralise.Line(m.Tool), records, len(m.Shards), bytesInWords(size))
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SHARD\tRECORDS\tPACKAGES\tUNFIXED\tSIZE\tNEWEST RECORD\tOBTAINED\t")
	for _, s := range m.Shards {
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%s\t%s\t%s\t%s\n", s.Name, s.Records, s.Packages, s.Unfixed, bytesInWords(s.Size),
			day(s.Date), day(m.FetchedOf(s)), m.Freshness(s, now, advisory.DefaultWarnAge, advisory.DefaultMaxAge))
	}
	fmt.Fprintln(table, "\nSOURCE\tRECORDS\tLICENCE\t\t\tNEWEST RECORD")
	for _, s := range m.Sources {
		fmt.Fprintf(table, "%s\t%d\t%s\t\t\t%s\n", neutralise.Line(s.Name), s.Records, neutralise.Line(s.Licence), day(s.Date))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(w, b.String())
	return err
}
