package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/agext/levenshtein"
	"github.com/spf13/cobra"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// explainFlags are the flags of the explain command.
type explainFlags struct {
	database string
	image    string
	sbom     string
	imageFlags
}

func (p Program) explainCommand() *cobra.Command {
	var f explainFlags
	cmd := &cobra.Command{
		Use:   "explain RULE|ADVISORY",
		Short: "Tell what a rule or an advisory is about",
		Long: `Tell what a rule checks, why, and what to do; by its own id or by the id that
another tool uses for the same check. Advisories are looked up in the database by
any of their ids: what is affected, who says so and how bad it is. With --image
or --sbom besides, why it applies to the packages there or does not.`,
		Example: `  portcullis explain DL3002
  portcullis explain cis-5.2
  portcullis explain CVE-2023-38545 --db db/
  portcullis explain CVE-2023-38545 --db db/ --image registry.example/shop/web:1.2`,
		Args: exactlyOne("one rule or advisory id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := p.flagsFromEnvironment(cmd.Flags()); err != nil {
				return err
			}
			if f.image != "" && f.sbom != "" {
				return &exit.Error{Code: exit.Usage, Doing: "more than one thing to compare with: --image and --sbom", Hint: "name one of them"}
			}
			return p.explainID(cmd.Context(), &f, args[0])
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.database, "db", "", databaseUsage)
	flags.StringVar(&f.image, "image", "", "image whose packages are compared with the advisory")
	flags.StringVar(&f.sbom, "sbom", "", "SBOM whose packages are compared with the advisory")
	f.register(flags, false)
	return cmd
}

// explainID prints the page of a rule, or what the database says of an
// advisory.
func (p Program) explainID(ctx context.Context, f *explainFlags, id string) error {
	catalogue, err := Catalogue()
	if err != nil {
		return err
	}
	if r, ok := catalogue.Find(id); ok {
		_, err := io.WriteString(p.Stdout, rules.Page(r))
		return err
	}
	if mapped := catalogue.Mapped(id); len(mapped) > 0 {
		return p.explainMapped(mapped)
	}
	if f.database != "" || looksLikeAdvisory(id) {
		return p.explainAdvisory(ctx, f, id)
	}
	return &exit.Error{
		Code: exit.Usage, Doing: fmt.Sprintf("no rule is called %q", neutralise.Line(id)),
		Hint: nearRules(catalogue, id),
	}
}

// explainMapped lists the rules that map to a standard, or are of a set.
func (p Program) explainMapped(mapped []rules.Rule) error {
	w := tabwriter.NewWriter(p.Stdout, 0, 0, 2, ' ', 0)
	for _, r := range mapped {
		fmt.Fprintf(w, "%s\t%s\t%s\n", r.ID, r.Severity, r.Title)
	}
	return w.Flush()
}

// nearRules suggests what may have been meant.
func nearRules(c rules.Catalogue, id string) string {
	names := make([]string, 0, len(c.All()))
	for _, r := range c.All() {
		names = append(names, r.ID)
	}
	similarity := func(name string) float64 {
		return levenshtein.Similarity(strings.ToLower(name), strings.ToLower(id), nil)
	}
	nearest := slices.MaxFunc(names, func(a, b string) int { return cmp.Compare(similarity(a), similarity(b)) })
	if similarity(nearest) < 0.5 {
		return "all rules are in docs/rules"
	}
	return fmt.Sprintf("did you mean %s? All rules are in docs/rules", nearest)
}

func looksLikeAdvisory(id string) bool {
	for _, prefix := range []string{"CVE-", "GHSA-", "GO-", "PYSEC-", "DSA-", "DLA-", "ALSA-", "RHSA-", "USN-", "RUSTSEC-", "MAL-", "OSV-"} {
		if strings.HasPrefix(strings.ToUpper(id), prefix) {
			return true
		}
	}
	return false
}
