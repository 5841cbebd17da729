package feed

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/portcullis-ci/portcullis/internal/advisory/osv"
)

// ovalDefinition is one advisory of
// https://linux.oracle.com/security/oval/com.oracle.elsa-all.xml.bz2. What it
// tests is repeated in words in the comments of its criteria, in the same form
// since 2007; they are read instead of the tests.
type ovalDefinition struct {
	Class    string `xml:"class,attr"`
	Metadata struct {
		Title      string `xml:"title"`
		References []struct {
			Source string `xml:"source,attr"`
			ID     string `xml:"ref_id,attr"`
		} `xml:"reference"`
		Advisory struct {
			Severity string `xml:"severity"`
			Issued   struct {
				Date string `xml:"date,attr"`
			} `xml:"issued"`
			CVEs []string `xml:"cve"`
		} `xml:"advisory"`
	} `xml:"metadata"`
	Criteria ovalCriteria `xml:"criteria"`
}

type ovalCriteria struct {
	Criteria   []ovalCriteria `xml:"criteria"`
	Criterions []struct {
		Comment string `xml:"comment,attr"`
	} `xml:"criterion"`
}

// OracleOVAL reads Oracle's OVAL definitions and hands over a record for each
// advisory. The error wraps osv.ErrInvalid.
func OracleOVAL(in io.Reader, emit func(osv.Record) error) error {
	d := xml.NewDecoder(in)
	seen := false
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("%w: Oracle OVAL: %w", osv.ErrInvalid, err)
		}
		start, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		switch start.Name.Local {
		case "oval_definitions", "definitions":
			seen = true
			continue
		case "definition":
		default:
			if !seen {
				continue
			}
			if err := d.Skip(); err != nil {
				return fmt.Errorf("%w: Oracle OVAL: %w", osv.ErrInvalid, err)
			}
			continue
		}
		var def ovalDefinition
		if err := d.DecodeElement(&def, &start); err != nil {
			return fmt.Errorf("%w: Oracle OVAL: %w", osv.ErrInvalid, err)
		}
		if !seen || def.Class != "patch" {
			continue
		}
		r, err := def.record()
		if err != nil {
			return err
		}
		if err := emit(r); err != nil {
			return err
		}
	}
	if !seen {
		return fmt.Errorf("%w: Oracle OVAL: no definitions", osv.ErrInvalid)
	}
	return nil
}

func (def ovalDefinition) record() (osv.Record, error) {
	id, title, _ := strings.Cut(def.Metadata.Title, ":")
	r := osv.Record{ID: strings.TrimSpace(id), Summary: osv.Shorten(title)}
	for _, ref := range def.Metadata.References {
		if strings.EqualFold(ref.Source, "elsa") && ref.ID != "" {
			r.ID = ref.ID
		}
	}
	if !strings.HasPrefix(r.ID, "ELSA-") && !strings.HasPrefix(r.ID, "ELBA-") {
		return r, fmt.Errorf("%w: Oracle OVAL: publisher of %q is not known", osv.ErrInvalid, r.ID)
	}
	r.Specific.Severity = osv.Text(def.Metadata.Advisory.Severity)
	if t, err := time.Parse(time.DateOnly, def.Metadata.Advisory.Issued.Date); err == nil {
		r.Published, r.Modified = t, t
	}
	for _, cve := range def.Metadata.Advisory.CVEs {
		r.Upstream = append(r.Upstream, strings.TrimSpace(cve))
	}
	w := ovalWalk{record: &r, seen: make(map[string]bool)}
	w.walk(def.Criteria, "", "")
	if len(r.Affected) == 0 && w.unplaced != "" {
		return r, fmt.Errorf("%w: Oracle OVAL: %s: %q names no release", osv.ErrInvalid, r.ID, w.unplaced)
	}
	return osv.Check(r)
}

type ovalWalk struct {
	record   *osv.Record
	seen     map[string]bool
	unplaced string
}

// walk reads the criteria from the outside in: release and module stream hold
// for all that is below them.
func (w *ovalWalk) walk(c ovalCriteria, release, module string) {
	for _, t := range c.Criterions {
		if r, ok := between(t.Comment, "Oracle Linux ", " is installed"); ok {
			release = r
		}
		if m, ok := between(t.Comment, "Module ", " is enabled"); ok {
			module = m
		}
	}
	for _, t := range c.Criterions {
		name, version, ok := strings.Cut(t.Comment, " is earlier than ")
		if !ok {
			continue
		}
		w.add(name, strings.TrimPrefix(strings.TrimSpace(version), "0:"), release, module)
	}
	for _, below := range c.Criteria {
		w.walk(below, release, module)
	}
}

// add takes one fixed version over. Builds for Ksplice and FIPS have versions
// of their own that say nothing about the plain package.
func (w *ovalWalk) add(name, version, release, module string) {
	if version == "0" || strings.Contains(version, ".ksplice") || strings.HasSuffix(version, "_fips") {
		return
	}
	if release == "" {
		if m := elRelease.FindStringSubmatch(version); m != nil {
			release = m[1]
		} else {
			w.unplaced = name + " " + version
			return
		}
	}
	key := strings.Join([]string{name, version, release, module}, " ")
	if w.seen[key] {
		return // once for each architecture
	}
	w.seen[key] = true
	a := osv.Affected{
		Package: osv.Package{Ecosystem: "Oracle Linux:" + release, Name: name},
		Ranges:  []osv.Range{{Type: "ECOSYSTEM", Events: []osv.Event{{Introduced: "0"}, {Fixed: version}}}},
	}
	a.Ecosystem.Module = osv.Text(module)
	w.record.Affected = append(w.record.Affected, a)
}

func between(s, prefix, suffix string) (string, bool) {
	rest, ok := strings.CutPrefix(s, prefix)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(rest, suffix)
}
