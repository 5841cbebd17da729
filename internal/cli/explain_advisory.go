package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/portcullis-ci/portcullis/internal/advisory/supply"
	"github.com/portcullis-ci/portcullis/internal/detect/vulnerability"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/inventory/syftcatalog"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// explainAdvisory prints what the database says of an advisory and, where an
// image or SBOM is named, why it applies to the packages there or does not.
func (p Program) explainAdvisory(ctx context.Context, f *explainFlags, id string) (err error) {
	db, err := p.openDatabase(ctx, f.database, f.imageFlags, supply.Everything())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	inv, err := p.inventoryToExplain(ctx, f)
	if err != nil {
		return err
	}
	e, err := vulnerability.Explain(ctx, db.Database, id, inv, vulnerability.Options{Now: p.Clock()})
	switch {
	case errors.Is(err, vulnerability.ErrUnknownID):
		return &exit.Error{Code: exit.Usage, Err: err, Hint: "`portcullis db status` lists the ecosystems that the database holds"}
	case err != nil:
		return &exit.Error{Code: exit.DataMissing, Err: err}
	}
	_, err = io.WriteString(p.Stdout, explanation(e, len(inv.Packages)))
	return err
}

// inventoryToExplain takes the inventory of the image or SBOM that is named;
// it is empty when none is.
func (p Program) inventoryToExplain(ctx context.Context, f *explainFlags) (inv inventory.Inventory, err error) {
	var t *target.Target
	switch {
	case f.image != "":
		t, err = target.Open(ctx, f.request(f.image), target.Environment{Getenv: p.Getenv, HTTP: p.Transport})
	case f.sbom != "":
		t, err = target.OpenSBOM(ctx, f.sbom)
	default:
		return inv, nil
	}
	if err != nil {
		return inv, err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	inv, _, err = syftcatalog.Catalog(ctx, t, syftcatalog.Options{ToolVersion: Version().Version})
	return inv, err
}

// explanation shows what is known about an id as text.
func explanation(e vulnerability.Explanation, packages int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s\n", neutralise.Line(e.ID), neutralise.Line(e.Title))
	line := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "  %-10s %s\n", key, neutralise.Line(value))
		}
	}
	line("ids", strings.Join(e.IDs, ", "))
	line("risk", riskInWords(e.Risk))
	for _, s := range e.Statements {
		fmt.Fprintf(&b, "\n%s · %s\n", neutralise.Line(s.Package), neutralise.Line(strings.TrimSpace(s.Ecosystem+" "+s.Variant)))
		line("advisory", s.Advisory+publishedInWords(s.Published))
		line("source", s.Source)
		for _, r := range s.Ratings {
			line("severity", r)
		}
		for _, a := range s.Affected {
			line("affected", a)
		}
		line("module", s.Module)
		line("fix", strings.TrimSpace(string(s.Fix)+" "+s.Note))
		line("link", s.Link)
	}
	if packages > 0 {
		fmt.Fprintf(&b, "\nOf %d packages, %d are concerned:\n", packages, len(e.Packages))
	}
	for _, v := range e.Packages {
		word := "not affected"
		switch {
		case v.Affected:
			word = "AFFECTED"
		case v.Unassessed != "":
			word = "NOT ASSESSED"
		}
		fmt.Fprintf(&b, "\n%s %s: %s\n", neutralise.Line(v.Name), neutralise.Line(v.Version), word)
		line("path", v.Path)
		line("assessed", unassessedInWords(v.Unassessed))
		for _, why := range v.Why {
			line("because", why)
		}
	}
	return b.String()
}

func unassessedInWords(reason string) string {
	if reason == "" {
		return ""
	}
	return "no: " + reason
}

func publishedInWords(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " of " + t.Format(time.DateOnly)
}

func riskInWords(r *finding.Risk) string {
	if r == nil {
		return ""
	}
	words := fmt.Sprintf("EPSS %.4f, percentile %.3f", r.EPSS, r.Percentile)
	if !r.KnownExploited.IsZero() {
		words += ", known to be exploited since " + r.KnownExploited.Format(time.DateOnly)
	}
	return words
}
