// Package secret finds credentials in the files of all layers of an image,
// those that later layers delete or replace included. An Inspector records
// what each layer holds while it streams past; Check makes findings of the
// records. What a credential looks like is the business of package
// credential; image configuration, Dockerfiles and manifests have detectors of
// their own.
package secret

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/layers"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// Options are what a caller knows about the image.
type Options struct {
	// Target is the stable name of what is examined.
	Target string
	// Layers are the diff ids of the layers, from the bottom up.
	Layers []string
	// Now tells which tokens have ended.
	Now time.Time
	// Unchanged reports whether a file is as a package of the operating system
	// installed it: its content is the package's, which everybody has. It is not
	// asked where the layer's own package database says so. Nil for no.
	Unchanged func(Content) bool
	// Owned reports whether a package of the operating system owns a file: that
	// what is packed in it was not searched is then no gap. Nil for no.
	Owned func(path string) bool
}

// Result is what Check came to.
type Result struct {
	Findings []finding.Finding
	// Unreadable are files that were not searched, or not to their end.
	Unreadable []inventory.Unreadable
	// Files and Bytes were searched, those in the Archives included, after
	// inflating.
	Files    int
	Bytes    int64
	Archives int
	// Unchanged is the number of matches left out since the package manager
	// put their file there.
	Unchanged int
}

// place is where a secret was found.
type place struct {
	layer int
	located
	hidden bool
}

// Check makes findings of what the Inspector recorded.
func Check(in *layers.Inspections, opts Options) (Result, error) {
	c := check{in: in, opts: opts, rules: map[string]rules.Rule{}, groups: map[string][]place{}}
	for _, r := range Rules() {
		c.rules[r.ID] = r
	}
	for i := range in.Layers {
		if err := c.layer(i); err != nil {
			return Result{}, err
		}
	}
	for _, key := range c.order {
		c.result.Findings = append(c.result.Findings, c.finding(c.groups[key]))
	}
	c.result.Findings = finding.Distinguish(c.result.Findings)
	return c.result, nil
}

type check struct {
	in     *layers.Inspections
	opts   Options
	rules  map[string]rules.Rule
	order  []string
	groups map[string][]place
	result Result
}

func (c *check) layer(i int) error {
	raw := c.in.Result(inspectorName, i)
	if len(raw) == 0 {
		return nil
	}
	var r record
	if err := json.Unmarshal(raw, &r); err != nil {
		return fmt.Errorf("read what was found in layer %d: %w", i+1, err)
	}
	c.result.Files += r.Files
	c.result.Bytes += r.Bytes
	c.result.Archives += r.Archives
	c.gaps(i, r)
	if r.More > 0 {
		c.result.Unreadable = append(c.result.Unreadable, inventory.Unreadable{
			Path: r.Matches[len(r.Matches)-1].Path, Reason: fmt.Sprintf("layer %d holds %d more secrets than the %d that are listed", i+1, r.More, len(r.Matches)),
		})
	}
	sums := make(map[string]contentSums, len(r.Sums))
	for _, s := range r.Sums {
		if before, twice := sums[s.Path]; twice { // An archive may hold a path twice.
			s.Recorded = s.Recorded && before.Recorded
		}
		sums[s.Path] = s
	}
	for _, m := range r.Matches {
		p := place{layer: i, located: m, hidden: !c.in.Visible(i, m.Path)}
		if c.unchanged(Content{Path: m.Path, Layer: c.diffID(i), Hidden: p.hidden, Recorded: sums[m.Path].Recorded, sums: sums[m.Path]}) {
			c.result.Unchanged++
			continue
		}
		key := strings.Join([]string{m.full(), string(m.Class), m.Kind, m.Name, m.Fingerprint}, "\x00")
		if c.groups[key] == nil {
			c.order = append(c.order, key)
		}
		c.groups[key] = append(c.groups[key], p)
	}
	return nil
}

// gaps lists what was not searched.
func (c *check) gaps(layer int, r record) {
	var kept []inventory.Unread
	for _, g := range r.Gaps {
		if g.Large || c.opts.Owned == nil || !c.opts.Owned(g.Path) {
			kept = append(kept, inventory.Unread{Path: g.Path, Member: g.Member, Reason: g.Reason})
		}
	}
	c.result.Unreadable = append(c.result.Unreadable, inventory.ListUnread(kept, "searched for secrets")...)
	if r.MoreGaps > 0 {
		c.result.Unreadable = append(c.result.Unreadable, inventory.Unreadable{
			Path: "/", Reason: fmt.Sprintf("layer %d holds %d more files that were not searched for secrets than are listed", layer+1, r.MoreGaps),
		})
	}
}

func (c *check) unchanged(file Content) bool {
	return ofPackages(file.Path) && (file.Recorded || c.opts.Unchanged != nil && c.opts.Unchanged(file))
}

func (c *check) diffID(layer int) string {
	if layer < len(c.opts.Layers) {
		return c.opts.Layers[layer]
	}
	return ""
}

// maxPlaces bounds the locations of one finding.
const maxPlaces = 20

// finding makes one finding of a secret and all places of a file that hold it.
// What is in the final file system comes first.
func (c *check) finding(places []place) finding.Finding {
	slices.SortStableFunc(places, func(a, b place) int {
		if a.hidden != b.hidden {
			if a.hidden {
				return 1
			}
			return -1
		}
		return 0
	})
	p := places[0]
	rule := c.rules[ruleOf[p.Class]]
	f := finding.Finding{
		RuleID: rule.ID, Kind: finding.Secret, Severity: p.Severity, SeveritySource: "portcullis",
		Title: title(rule, p.located), Message: c.message(p), Target: c.opts.Target, Object: p.Name, Sensitive: true,
		Fix: finding.Fix{Text: rule.Fix}, References: rule.References, Status: finding.Open,
		Evidence: []finding.Fact{{Name: "kind", Value: p.Kind}, {Name: "redacted", Value: p.Redacted}},
		// The value's own fingerprint makes a replaced secret a new problem.
		Fingerprint: finding.Fingerprint(finding.Secret, rule.ID, c.opts.Target, p.full(), p.Kind, p.Name, p.Fingerprint),
	}
	if p.Fingerprint != "" {
		f.Evidence = append(f.Evidence, finding.Fact{Name: "fingerprint", Value: p.Fingerprint})
	}
	f.Evidence = append(f.Evidence, p.Facts...)
	if p.Expires > 0 {
		end := time.Unix(p.Expires, 0).UTC()
		f.Evidence = append(f.Evidence, finding.Fact{Name: "expires", Value: end.Format(time.RFC3339)})
		if !c.opts.Now.IsZero() && end.Before(c.opts.Now) {
			f.Severity = min(f.Severity, finding.Low)
		}
	}
	for _, at := range places[:min(len(places), maxPlaces)] {
		l := finding.Location{Space: finding.InImage, Path: at.Path, Line: at.Line, Layer: c.diffID(at.layer)}
		var notes []string
		if at.Packed { // The line is none of the file itself.
			l.Line = 0
			notes = append(notes, at.inside())
		}
		if at.hidden {
			notes = append(notes, hiddenNote)
		}
		l.Note = strings.Join(notes, "; ")
		f.Locations = append(f.Locations, l)
	}
	return f
}

// inside says where in an archive or packed file a match is.
func (l located) inside() string {
	if l.Member == "" {
		return fmt.Sprintf("line %d of what is packed in it", l.Line)
	}
	return fmt.Sprintf("in %s, line %d", l.Member, l.Line)
}

// hiddenNote marks places that the final file system does not show.
const hiddenNote = "deleted or replaced by a later layer"

func title(rule rules.Rule, m located) string {
	if rule.ID == "secret-token" || rule.ID == "secret-private-key" {
		return strings.ToUpper(m.Kind[:1]) + m.Kind[1:] + " in a file of the image"
	}
	return rule.Title
}

func (c *check) message(p place) string {
	what := p.Described()
	if p.Name != "" {
		what = "the " + p.Kind + ", " + p.Name
	}
	text := fmt.Sprintf("%s holds %s (%s)", p.full(), what, p.Redacted)
	if p.hidden {
		text += fmt.Sprintf("; a later layer deletes or replaces the file, but layer %d of %d still brings it to everybody who pulls the image", p.layer+1, c.in.Layers)
	}
	return text
}
