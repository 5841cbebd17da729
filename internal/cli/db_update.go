package cli

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portcullis-ci/portcullis/internal/advisory/download"
	"github.com/portcullis-ci/portcullis/internal/advisory/mirror"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
)

// dbUpdateFlags are the flags of db update.
type dbUpdateFlags struct {
	database string
	mirrors  []string
	insecure bool
}

func (p Program) dbUpdateCommand() *cobra.Command {
	var f dbUpdateFlags
	cmd := &cobra.Command{
		Use:   "update --mirror URL… --db DIR",
		Short: "Bring an advisory database up to date from web servers that hold one",
		Long: `Bring an advisory database up to date from web servers that hold one as
db build writes it: manifest.json and its files. Mirrors are asked in their
order; what one fails to deliver is asked of the next. Nothing is replaced
before the new database is whole and verified, and an older one never replaces
a newer one.`,
		Example: "  portcullis db update --mirror https://mirror.example/advisories/ --db db/",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return p.dbUpdate(cmd.Context(), &f) },
	}
	cmd.Flags().StringArrayVar(&f.mirrors, "mirror", nil, "address of a database (repeatable, best first)")
	cmd.Flags().BoolVar(&f.insecure, "insecure", false, "allow plain HTTP to mirrors that are not on this machine")
	p.databaseFlag(cmd, &f.database)
	return cmd
}

func (p Program) dbUpdate(ctx context.Context, f *dbUpdateFlags) error {
	if f.database == "" || len(f.mirrors) == 0 {
		return &exit.Error{Code: exit.Usage, Doing: "db update needs mirrors and a place: --mirror URL… --db DIR"}
	}
	for _, m := range f.mirrors {
		if !strings.HasPrefix(m, "https://") && !strings.HasPrefix(m, "http://") {
			return &exit.Error{Code: exit.Usage, Doing: fmt.Sprintf("--mirror %q is no https or http address", download.Redact(m))}
		}
	}
	client := &download.Client{Insecure: f.insecure}
	if p.Transport != nil {
		client.HTTP = &http.Client{Transport: p.Transport}
	}
	mirrors := mirror.Mirrors{
		Client: client, URLs: f.mirrors,
		Report: func(url string, err error) {
			p.printf("portcullis: %s: %s; asking the next mirror\n", neutralise.Log(download.Redact(url)), neutralise.Log(err.Error()))
		},
	}
	result, err := mirrors.Pull(ctx, f.database, nil)
	if err != nil {
		return &exit.Error{Code: exit.DataMissing, Err: err, Hint: "nothing was changed in " + f.database}
	}
	word := "is up to date"
	if result.Changed {
		word = "updated"
	}
	records, size := totals(result.Manifest)
	_, err = fmt.Fprintf(p.Stdout, "%s from %s: %d records in %d shards, %s, built on %s\n", word, neutralise.Line(download.Redact(result.URL)),
		records, len(result.Manifest.Shards), bytesInWords(size), result.Manifest.Built.Format("2006-01-02"))
	return err
}
