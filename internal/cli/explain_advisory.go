package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/detect/vulnerability"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/gate"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
)

// explainAdvisory prints what the database says of an advisory: which packages
// are affected in which versions, who says so and how bad it is.
func (p Program) explainAdvisory(ctx context.Context, id, dir string) error {
	db, err := gate.OpenDatabase(dir)
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, shard := range db.Manifest().Shards {
		if shard.Kind != advisory.ShardAdvisories {
			continue
		}
		if err := explainShard(ctx, &b, db, shard, id); err != nil {
			return err
		}
	}
	if b.Len() == 0 {
		return &exit.Error{
			Code: exit.Usage, Doing: fmt.Sprintf("the database in %s has nothing about %q", dir, neutralise.Line(id)),
			Hint: "`portcullis db status` lists the ecosystems that it holds",
		}
	}
	if link := vulnerability.Link(id); link != "" {
		fmt.Fprintf(&b, "\n%s\n", link)
	}
	_, err = io.WriteString(p.Stdout, b.String())
	return err
}

// explainShard prints the entries of one shard that are about the id.
func explainShard(ctx context.Context, b *strings.Builder, db *advisory.Database, shard advisory.Shard, id string) error {
	advisories, err := db.Shard(ctx, shard.Name)
	if err != nil {
		return &exit.Error{Code: exit.DataMissing, Err: err}
	}
	for i := range advisories.Len() {
		pkg, err := advisories.Package(i)
		if err != nil {
			return &exit.Error{Code: exit.DataMissing, Doing: "read shard " + shard.Name, Err: err}
		}
		for _, entry := range pkg.Entries {
			if isAbout(entry.Advisory, id) {
				writeEntry(b, shard.Ecosystem, pkg.Name, entry)
			}
		}
	}
	return nil
}

// isAbout reports whether an advisory has the id, in any letter case, as its
// own, as that of a flaw or as one of the flaw's other ids.
func isAbout(a *advisory.Advisory, id string) bool {
	if strings.EqualFold(a.ID, id) {
		return true
	}
	return slices.ContainsFunc(a.Vulnerabilities, func(v advisory.Vulnerability) bool {
		return strings.EqualFold(v.ID, id) ||
			slices.ContainsFunc(v.Aliases, func(alias string) bool { return strings.EqualFold(alias, id) })
	})
}

// writeEntry prints one affected package of an advisory.
func writeEntry(b *strings.Builder, ecosystem, name string, e advisory.Entry) {
	line := func(key, value string) {
		if value != "" {
			fmt.Fprintf(b, "  %-10s %s\n", key, neutralise.Line(value))
		}
	}
	a := e.Advisory
	fmt.Fprintf(b, "%s · %s\n", neutralise.Line(name), neutralise.Line(ecosystem))
	line("advisory", a.ID)
	line("title", a.Title)
	var ids []string
	ratings := slices.Concat(e.Ratings, a.Ratings)
	for _, v := range a.Vulnerabilities {
		ids = append(ids, append([]string{v.ID}, v.Aliases...)...)
		ratings = append(ratings, v.Ratings...)
	}
	line("ids", strings.Join(ids, ", "))
	for _, r := range ratings {
		line("severity", strings.TrimSpace(r.Word+" "+r.Vector)+" ("+r.Source+")")
	}
	for _, r := range e.Ranges {
		line("affected", rangeInWords(r))
	}
	if len(e.Versions) > 0 {
		line("versions", strings.Join(e.Versions, ", "))
	}
	line("module", e.Module)
	line("fix", strings.TrimSpace(string(e.FixState)+" "+e.Note))
}

// rangeInWords shows the events of a range in their order.
func rangeInWords(r advisory.Range) string {
	var words []string
	for _, e := range r.Events {
		words = append(words, fmt.Sprintf("%s %s", e.Kind, e.Version))
	}
	return strings.Join(words, ", ")
}
