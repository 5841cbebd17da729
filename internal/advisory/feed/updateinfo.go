package feed

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/portcullis-ci/portcullis/internal/advisory/osv"
)

// update is one advisory of a repository's updateinfo.xml, the file from which
// dnf and yum learn of updates; Amazon, Oracle and Fedora publish their
// advisories in it. https://rpm-software-management.github.io/createrepo_c/
type update struct {
	Type     string      `xml:"type,attr"`
	ID       string      `xml:"id"`
	Title    string      `xml:"title"`
	Severity string      `xml:"severity"`
	Issued   updateStamp `xml:"issued"`
	Updated  updateStamp `xml:"updated"`
	Links    []struct {
		ID   string `xml:"id,attr"`
		Type string `xml:"type,attr"`
	} `xml:"references>reference"`
	Packages []struct {
		Name    string `xml:"name,attr"`
		Epoch   string `xml:"epoch,attr"`
		Version string `xml:"version,attr"`
		Release string `xml:"release,attr"`
		Arch    string `xml:"arch,attr"`
	} `xml:"pkglist>collection>package"`
}

type updateStamp struct {
	Date string `xml:"date,attr"`
}

func (s updateStamp) time() time.Time {
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, strings.TrimSpace(s.Date)); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// UpdateInfo reads an updateinfo.xml and hands over a record for each security
// advisory. The error wraps osv.ErrInvalid.
func UpdateInfo(in io.Reader, emit func(osv.Record) error) error {
	d := xml.NewDecoder(in)
	seen := false
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("%w: updateinfo: %w", osv.ErrInvalid, err)
		}
		start, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		if start.Name.Local == "updates" {
			seen = true
			continue
		}
		var u update
		if err := d.DecodeElement(&u, &start); err != nil {
			return fmt.Errorf("%w: updateinfo: %w", osv.ErrInvalid, err)
		}
		if !seen || start.Name.Local != "update" || u.Type != "security" {
			continue
		}
		r, err := u.record()
		if err != nil {
			return err
		}
		if err := emit(r); err != nil {
			return err
		}
	}
	if !seen {
		return fmt.Errorf("%w: updateinfo: no list of updates", osv.ErrInvalid)
	}
	return nil
}

func (u update) record() (osv.Record, error) {
	r := osv.Record{ID: strings.TrimSpace(u.ID), Summary: osv.Shorten(u.Title), Published: u.Issued.time(), Modified: u.Updated.time()}
	r.Specific.Severity = osv.Text(u.Severity)
	for _, l := range u.Links {
		if strings.EqualFold(l.Type, "cve") {
			r.Upstream = append(r.Upstream, l.ID)
		}
	}
	type fix struct{ name, evr string }
	done := make(map[fix]bool)
	for _, p := range u.Packages {
		if p.Arch == "src" {
			continue
		}
		ecosystem, err := ecosystemOf(r.ID, p.Release)
		if err != nil {
			return r, err
		}
		f := fix{p.Name, p.Version + "-" + p.Release}
		if p.Epoch != "" && p.Epoch != "0" {
			f.evr = p.Epoch + ":" + f.evr
		}
		if done[f] {
			continue
		}
		done[f] = true
		r.Affected = append(r.Affected, osv.Affected{
			Package: osv.Package{Ecosystem: ecosystem, Name: p.Name},
			Ranges:  []osv.Range{{Type: "ECOSYSTEM", Events: []osv.Event{{Introduced: "0"}, {Fixed: f.evr}}}},
		})
	}
	return osv.Check(r)
}

var (
	elRelease     = regexp.MustCompile(`[.+]el([0-9]+)`)
	fedoraRelease = regexp.MustCompile(`\.fc([0-9]+)`)
)

// ecosystemOf tells the distribution by the advisory's id and its release by
// the id or the package's dist tag.
func ecosystemOf(id, release string) (string, error) {
	tagged := func(name string, tag *regexp.Regexp) (string, error) {
		if m := tag.FindStringSubmatch(release); m != nil {
			return name + ":" + m[1], nil
		}
		return "", fmt.Errorf("%w: updateinfo: %s: package release %q names no release of %s", osv.ErrInvalid, id, release, name)
	}
	switch {
	case strings.HasPrefix(id, "ALAS2023"):
		return "Amazon Linux:2023", nil
	case strings.HasPrefix(id, "ALAS2"):
		return "Amazon Linux:2", nil
	case strings.HasPrefix(id, "ALAS-"):
		return "Amazon Linux:2018.03", nil
	case strings.HasPrefix(id, "ELSA-"):
		return tagged("Oracle Linux", elRelease)
	case strings.HasPrefix(id, "RLSA-"):
		return tagged("Rocky Linux", elRelease)
	case strings.HasPrefix(id, "FEDORA-"):
		return tagged("Fedora", fedoraRelease)
	default:
		return "", fmt.Errorf("%w: updateinfo: publisher of %q is not known", osv.ErrInvalid, id)
	}
}
