package html

import (
	"fmt"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report/document"
)

// row is a finding for the script of the page. Keys are short because thousands
// of findings repeat them.
type row struct {
	ID        string      `json:"id"`
	Severity  string      `json:"sev"`
	Kind      string      `json:"kind"`
	Status    string      `json:"status"`
	Fails     bool        `json:"fails,omitempty"`
	Title     string      `json:"title"`
	Message   string      `json:"msg"`
	Package   string      `json:"pkg,omitempty"`
	Version   string      `json:"ver,omitempty"`
	PURL      string      `json:"purl,omitempty"`
	Fixed     string      `json:"fixed,omitempty"`
	FixState  string      `json:"fix,omitempty"`
	FixText   string      `json:"fixText,omitempty"`
	Fixable   bool        `json:"fixable,omitempty"`
	Where     string      `json:"where"`
	File      string      `json:"file,omitempty"`
	Line      int         `json:"line,omitempty"`
	Layer     int         `json:"layer,omitempty"`
	Places    []string    `json:"places,omitempty"`
	Aliases   []string    `json:"aliases,omitempty"`
	Facts     [][2]string `json:"facts,omitempty"`
	Links     []string    `json:"links,omitempty"`
	Source    string      `json:"source,omitempty"`
	Score     string      `json:"score,omitempty"`
	Reason    string      `json:"reason,omitempty"`
	Object    string      `json:"object,omitempty"`
	Print     string      `json:"print"`
	Risk      string      `json:"risk,omitempty"`
	Exploited bool        `json:"exploited,omitempty"`
	New       bool        `json:"new,omitempty"`
	Origin    string      `json:"origin,omitempty"`
	Baseline  string      `json:"baseline,omitempty"`
}

type layer struct {
	Number int    `json:"n"`
	Digest string `json:"digest"`
	Step   string `json:"step"`
}

func layers(o outcome.Outcome) []layer {
	all := []layer{}
	if o.Image != nil {
		for i, l := range o.Image.Layers {
			_, step := document.LayerOf(o.Image, l.DiffID)
			all = append(all, layer{Number: i + 1, Digest: neutralise.Line(l.DiffID), Step: neutralise.Short(step, 2000)})
		}
	}
	return all
}

func rowOf(f finding.Finding, fails bool, o outcome.Outcome) row {
	r := row{
		ID: short(f.RuleID), Severity: f.Severity.String(), Kind: string(f.Kind), Status: string(f.Status), Fails: fails,
		Title: short(f.Title), Message: neutralise.Short(f.Message, 4000),
		Fixed: short(f.Fix.Version), FixState: string(f.Fix.State), FixText: short(f.Fix.Text),
		Fixable: f.Fix.Available(), Source: short(f.SeveritySource),
		Reason: short(reasonWords(f)), Object: short(f.Object), Print: f.Fingerprint,
	}
	r.Risk, r.Exploited, r.Origin = document.RiskWords(f), document.Exploited(f), string(f.Origin)
	if f.Baseline.State != "" {
		r.New = f.Baseline.State == finding.BaselineNew
		r.Baseline = strings.TrimSuffix(short(string(f.Baseline.State)+": "+f.Baseline.Reason), ": ")
	}
	if f.Score > 0 {
		r.Score = strings.TrimSpace(fmt.Sprintf("%.1f %s", f.Score, short(f.Vector)))
	}
	if p := f.Package; p != nil {
		r.Package, r.Version, r.PURL = short(p.Name), short(p.Version), short(p.PURL)
	}
	for i, l := range f.Locations {
		place := placeWords(l, o)
		if i == 0 {
			r.Where = place
		} else if len(r.Places) < 20 {
			r.Places = append(r.Places, place)
		}
		if l.Space == finding.Repository && r.File == "" {
			r.File, r.Line = short(l.Path), l.Line
		}
		if n, _ := document.LayerOf(o.Image, l.Layer); n > 0 && r.Layer == 0 {
			r.Layer = n
		}
	}
	for _, a := range f.Aliases {
		r.Aliases = append(r.Aliases, short(a))
	}
	for _, fact := range f.Evidence {
		r.Facts = append(r.Facts, [2]string{short(fact.Name), short(fact.Value)})
	}
	for _, ref := range f.References {
		if clean, ok := neutralise.URL(ref); ok && len(r.Links) < 20 {
			r.Links = append(r.Links, clean)
		}
	}
	return r
}

// maxText bounds each text of a row but the message: what is longer was made to
// hurt.
const maxText = 1000

func short(s string) string { return neutralise.Short(s, maxText) }

func placeWords(l finding.Location, o outcome.Outcome) string {
	path := short(l.Path)
	if l.Space == finding.Repository {
		if l.Line > 0 {
			return fmt.Sprintf("%s:%d", path, l.Line)
		}
		return path
	}
	if n, _ := document.LayerOf(o.Image, l.Layer); n > 0 {
		return fmt.Sprintf("layer %d: %s", n, path)
	}
	return "image: " + path
}

// reasonWords say why a finding does not count, and where that is written.
func reasonWords(f finding.Finding) string {
	if f.StatusSource == "" {
		return f.StatusReason
	}
	return strings.TrimSpace(f.StatusReason + " (" + f.StatusSource + ")")
}
