package builder

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/advisory/download"
)

// Bounds on risk data. EPSS has some 360,000 lines of 30 bytes, KEV 1.3 MB.
const (
	maxEPSS = 512 << 20
	maxKEV  = 64 << 20
)

// riskData is what the input holds besides advisories.
type riskData struct {
	packer    *advisory.Packer
	epss, kev riskFile
	ends      supportEnds
	nvd       nvdFeed
}

// riskFile is an encoded shard of risk data; without a file there was none.
type riskFile struct {
	file    []byte
	size    int64
	records int
	date    time.Time
	// fetched is when it was obtained; zero when nothing says so.
	fetched time.Time
}

// readKEV reads CISA's catalogue as JSON,
// https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities_schema.json.
func (r *riskData) readKEV(path string) error {
	d, err := readFile(path, maxKEV)
	if err != nil {
		return err
	}
	var feed struct {
		DateReleased    time.Time `json:"dateReleased"`
		Vulnerabilities []struct {
			CVE        string `json:"cveID"`
			Added      string `json:"dateAdded"`
			Due        string `json:"dueDate"`
			Ransomware string `json:"knownRansomwareCampaignUse"`
		} `json:"vulnerabilities"`
	}
	if err := json.Unmarshal(d.data, &feed); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	if len(feed.Vulnerabilities) == 0 {
		return fmt.Errorf("read %s: no vulnerabilities in it", path)
	}
	list := make([]advisory.KnownExploited, 0, len(feed.Vulnerabilities))
	for _, v := range feed.Vulnerabilities {
		added, err := time.Parse(time.DateOnly, v.Added)
		if err != nil {
			return fmt.Errorf("read %s: %s: date added: %w", path, v.CVE, err)
		}
		k := advisory.KnownExploited{CVE: v.CVE, Added: added, Ransomware: strings.EqualFold(v.Ransomware, "known")}
		if v.Due != "" {
			if k.Due, err = time.Parse(time.DateOnly, v.Due); err != nil {
				return fmt.Errorf("read %s: %s: due date: %w", path, v.CVE, err)
			}
		}
		list = append(list, k)
	}
	if r.kev.file != nil && !feed.DateReleased.After(r.kev.date) {
		return nil
	}
	file, size, err := r.packer.EncodeKEV(list)
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	r.kev = riskFile{file: file, size: size, records: len(list), date: feed.DateReleased.UTC(), fetched: d.stamp}
	return nil
}

// readEPSS reads FIRST's file of scores, https://www.first.org/epss/data_stats:
// a comment with the date, a line of titles, then cve,epss,percentile.
func (r *riskData) readEPSS(path string) error {
	in, closeFile, err := openMaybePacked(path)
	if err != nil {
		return err
	}
	defer closeFile()
	scores, date, err := parseEPSS(io.LimitReader(in, maxEPSS))
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	if r.epss.file != nil && !date.After(r.epss.date) {
		return nil
	}
	file, size, err := r.packer.EncodeEPSS(scores)
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	r.epss = riskFile{file: file, size: size, records: len(scores), date: date, fetched: download.ReadInfo(path).Fetched}
	return nil
}

func parseEPSS(in io.Reader) ([]advisory.EPSSScore, time.Time, error) {
	var scores []advisory.EPSSScore
	var date time.Time
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if strings.HasPrefix(line, "#") {
			date = epssDate(line)
			continue
		}
		if line == "" || strings.HasPrefix(line, "cve,") {
			continue
		}
		s, err := parseScore(line)
		if err != nil {
			return nil, date, fmt.Errorf("line %d: %w", n, err)
		}
		scores = append(scores, s)
	}
	if err := lines.Err(); err != nil {
		return nil, date, err
	}
	if len(scores) == 0 {
		return nil, date, fmt.Errorf("no scores in it")
	}
	return scores, date, nil
}

func parseScore(line string) (advisory.EPSSScore, error) {
	f := strings.Split(line, ",")
	if len(f) != 3 {
		return advisory.EPSSScore{}, fmt.Errorf("%d fields, expected cve,epss,percentile", len(f))
	}
	score, errS := strconv.ParseFloat(f[1], 64)
	rank, errR := strconv.ParseFloat(f[2], 64)
	if errS != nil || errR != nil || !(score >= 0 && score <= 1 && rank >= 0 && rank <= 1) {
		return advisory.EPSSScore{}, fmt.Errorf("score %q or percentile %q is not a number from 0 to 1", f[1], f[2])
	}
	return advisory.EPSSScore{CVE: strings.Clone(f[0]), Score: score, Percentile: rank}, nil
}

// epssDate reads "#model_version:v2025.03.14,score_date:2026-08-16T12:00:00Z".
func epssDate(comment string) time.Time {
	_, text, _ := strings.Cut(comment, "score_date:")
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05-0700", time.DateOnly} {
		if t, err := time.Parse(layout, strings.TrimSpace(text)); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// The sources of risk data.
const (
	epssSource = "FIRST EPSS"
	kevSource  = "CISA KEV"
)

// shards describes the encoded shards and the sources of risk data.
func (r *riskData) shards(req Request) (shards []advisory.Shard, files [][]byte, sources []advisory.Source, err error) {
	for _, d := range []struct {
		riskFile
		name            string
		kind            advisory.ShardKind
		source, licence string
	}{
		{r.epss, advisory.EPSSShard, advisory.ShardEPSS, epssSource, "free with attribution to FIRST"},
		{r.kev, advisory.KEVShard, advisory.ShardKEV, kevSource, "CC0-1.0"},
	} {
		if d.file == nil {
			continue
		}
		s := advisory.Shard{Name: d.name, Kind: d.kind, Records: d.records, Sources: []string{d.source}}
		s.Date = latest(time.Time{}, d.date, req.Now)
		s.Fetched = firstSet(req.Fetched.UTC(), d.fetched.UTC(), s.Date)
		shards, files = append(shards, describe(s, d.file, d.size)), append(files, d.file)
		sources = append(sources, advisory.Source{
			Name: d.source, Licence: d.licence, Redistributable: true, Records: d.records, Date: s.Date,
		})
	}
	s, file, from, err := r.ends.shard(r.packer, req)
	if err != nil {
		return nil, nil, nil, err
	}
	if file != nil {
		shards, files, sources = append(shards, s), append(files, file), append(sources, from...)
	}
	if len(r.nvd.vectors) > 0 {
		sources = append(sources, r.nvd.source(req.Now))
	}
	return shards, files, sources, nil
}
