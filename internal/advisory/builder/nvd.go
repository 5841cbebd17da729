package builder

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/advisory/cvss"
)

// maxNVD bounds one inflated feed file; a year has some 200 MB.
const maxNVD = 2 << 30

const nvdSource = "NVD"

// nvdFeed holds the vectors of the National Vulnerability Database by CVE.
type nvdFeed struct {
	vectors map[string]string
	date    time.Time
}

// nvdItem is one entry of a feed file in the form of the CVE API 2.0,
// https://nvd.nist.gov/developers/vulnerabilities.
type nvdItem struct {
	CVE struct {
		ID      string `json:"id"`
		Status  string `json:"vulnStatus"`
		Metrics struct {
			V40 []nvdMetric `json:"cvssMetricV40"`
			V31 []nvdMetric `json:"cvssMetricV31"`
			V30 []nvdMetric `json:"cvssMetricV30"`
			V2  []nvdMetric `json:"cvssMetricV2"`
		} `json:"metrics"`
	} `json:"cve"`
}

type nvdMetric struct {
	Type string `json:"type"`
	Data struct {
		Vector string `json:"vectorString"`
	} `json:"cvssData"`
}

// read adds a feed file (nvdcve-2.0-YEAR.json, or .gz), entry by entry.
func (f *nvdFeed) read(path string) error {
	in, closeFile, err := openMaybePacked(path)
	if err != nil {
		return err
	}
	defer closeFile()
	if err := f.decode(io.LimitReader(in, maxNVD)); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

func (f *nvdFeed) decode(in io.Reader) error {
	d := json.NewDecoder(in)
	if err := expect(d, json.Delim('{')); err != nil {
		return err
	}
	found := false
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		switch key {
		case "timestamp":
			var text string
			if err := d.Decode(&text); err != nil {
				return err
			}
			if t, err := time.Parse("2006-01-02T15:04:05.000", text); err == nil && t.After(f.date) {
				f.date = t
			}
		case "vulnerabilities":
			found = true
			if err := f.decodeItems(d); err != nil {
				return err
			}
		default:
			var skipped json.RawMessage
			if err := d.Decode(&skipped); err != nil {
				return err
			}
		}
	}
	if !found {
		return fmt.Errorf("no list of vulnerabilities in it")
	}
	return expect(d, json.Delim('}'))
}

func (f *nvdFeed) decodeItems(d *json.Decoder) error {
	if err := expect(d, json.Delim('[')); err != nil {
		return err
	}
	for d.More() {
		var item nvdItem
		if err := d.Decode(&item); err != nil {
			return err
		}
		if v := item.vector(); v != "" {
			if f.vectors == nil {
				f.vectors = make(map[string]string)
			}
			f.vectors[item.CVE.ID] = v
		}
	}
	return expect(d, json.Delim(']'))
}

// vector is the best vector of an entry: the newest version, and NVD's own
// (primary) before others'. Rejected entries have none.
func (i nvdItem) vector() string {
	if strings.EqualFold(i.CVE.Status, "Rejected") {
		return ""
	}
	m := i.CVE.Metrics
	for _, list := range [][]nvdMetric{m.V40, m.V31, m.V30, m.V2} {
		for _, primary := range []bool{true, false} {
			for _, metric := range list {
				if (metric.Type == "Primary") != primary {
					continue
				}
				if _, err := cvss.Parse(metric.Data.Vector); err == nil {
					return metric.Data.Vector
				}
			}
		}
	}
	return ""
}

func expect(d *json.Decoder, want json.Delim) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	if t != want {
		return fmt.Errorf("found %v, expected %v", t, want)
	}
	return nil
}

func (f *nvdFeed) source(now time.Time) advisory.Source {
	return advisory.Source{
		Name: nvdSource, Licence: "public domain", Redistributable: true,
		Records: len(f.vectors), Date: latest(time.Time{}, f.date, now),
	}
}
