package builder

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/advisory/ecosystem"
	"github.com/portcullis-ci/portcullis/internal/inventory"
)

// maxEndOfLife bounds a file of dates, in bytes. All products of endoflife.date
// have some 3 MB.
const maxEndOfLife = 64 << 20

// endOfLifePrefix begins the names of endoflife.date's files; the product
// follows.
const endOfLifePrefix = "endoflife-"

// The sources of dates of end of life.
const (
	distroInfoSource = "distro-info-data"
	endOfLifeSource  = "endoflife.date"
)

var endOfLifeLicences = map[string]string{distroInfoSource: "ISC", endOfLifeSource: "MIT"}

// supportEnds gathers dates of end of life by release.
type supportEnds struct {
	best map[string]datedEnd
	// fetched is when the oldest of the files was obtained; zero when nothing
	// says so.
	fetched time.Time
}

// datedEnd is a date with when its source wrote it, which may be unknown.
type datedEnd struct {
	advisory.SupportEnd
	written time.Time
}

// products are the distributions of endoflife.date by their names there, with
// what os-release(5) calls them: by that the matcher names the release, too.
var products = map[string]inventory.Distro{
	"almalinux": {ID: "almalinux"}, "alpine-linux": {ID: "alpine"}, "amazon-linux": {ID: "amzn"}, "azure-linux": {ID: "azurelinux"},
	"centos": {ID: "centos", Name: "CentOS Linux"}, "debian": {ID: "debian"}, "fedora": {ID: "fedora"}, "mageia": {ID: "mageia"},
	"opensuse": {ID: "opensuse-leap"}, "oracle-linux": {ID: "ol"}, "rhel": {ID: "rhel"}, "rocky-linux": {ID: "rocky"},
	"sles": {ID: "sles"}, "ubuntu": {ID: "ubuntu"},
}

// releaseOf names a release of a product as the matcher does.
func releaseOf(product, version string) (string, bool) {
	d, ok := products[product]
	if !ok || version == "" {
		return "", false
	}
	d.Version = version
	switch product {
	case "opensuse":
		d.PrettyName = "openSUSE Leap " + version
	case "sles":
		// Service packs have been minor releases since 16.
		if major, pack, ok := strings.Cut(version, "."); ok && len(major) == 2 && major < "16" {
			version = major + " SP" + pack
		}
		d.PrettyName = "SUSE Linux Enterprise Server " + version
	}
	place, ok := ecosystem.ByDistro(d)
	return place.SupportName(), ok && place.Release != ""
}

// add takes a date unless a better one is known: the distribution's own goes
// first, then the one that was written last, then the later day.
func (s *supportEnds) add(product, version string, day time.Time, source string, written time.Time) (used bool) {
	release, ok := releaseOf(product, version)
	if !ok || day.IsZero() {
		return false
	}
	e := datedEnd{advisory.SupportEnd{Release: release, Day: day, Source: source}, written}
	if old, known := s.best[release]; !known || e.before(old) {
		if s.best == nil {
			s.best = make(map[string]datedEnd)
		}
		s.best[release] = e
	}
	return true
}

func (e datedEnd) before(other datedEnd) bool {
	switch {
	case e.Source != other.Source:
		return e.Source == distroInfoSource
	case !e.written.Equal(other.written):
		return e.written.After(other.written)
	default:
		return e.Day.After(other.Day)
	}
}

var errNoEnds = errors.New("no date of end of life of a known distribution in it")

// read takes the dates of one file.
func (s *supportEnds) read(path string, kind class) error {
	d, err := readFile(path, maxEndOfLife)
	if err != nil {
		return err
	}
	name := strings.ToLower(filepath.Base(path))
	product := strings.TrimSuffix(strings.TrimPrefix(name, endOfLifePrefix), filepath.Ext(name))
	var used int
	if kind == distroInfo {
		used, err = s.readDistroInfo(d, product)
	} else {
		used, err = s.readProducts(d, product)
	}
	if err == nil && used == 0 {
		err = errNoEnds
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	if !d.stamp.IsZero() && (s.fetched.IsZero() || d.stamp.Before(s.fetched)) {
		s.fetched = d.stamp
	}
	return nil
}

// freeColumns end support that needs no contract; eol-esm, eol-elts and
// eol-legacy do.
var freeColumns = []string{"eol", "eol-server", "eol-lts"}

// readDistroInfo reads debian.csv or ubuntu.csv of the package
// distro-info-data, https://salsa.debian.org/debian/distro-info-data. Lines end
// after the last date that is known.
func (s *supportEnds) readDistroInfo(d document, product string) (used int, err error) {
	in := csv.NewReader(bytes.NewReader(d.data))
	in.FieldsPerRecord = -1
	lines, err := in.ReadAll()
	if err != nil {
		return 0, err
	}
	if len(lines) == 0 || !slices.Contains(lines[0], "version") || !slices.Contains(lines[0], "eol") {
		return 0, errors.New("the first line does not name the columns version and eol")
	}
	for n, line := range lines[1:] {
		var version string
		var last time.Time
		for i, value := range line[:min(len(line), len(lines[0]))] {
			switch column := lines[0][i]; {
			case column == "version":
				version = strings.TrimSuffix(value, " LTS")
			case value != "" && slices.Contains(freeColumns, column):
				day, err := time.Parse(time.DateOnly, value)
				if err != nil {
					return 0, fmt.Errorf("record %d: %s: %w", n+2, column, err)
				}
				last = laterOf(last, day)
			}
		}
		if s.add(product, version, last, distroInfoSource, d.stamp) {
			used++
		}
	}
	return used, nil
}

// cycle is a release of endoflife.date: of its API v1, or of the one before,
// where product and dates have other names.
// https://endoflife.date/docs/api/v1/
type cycle struct {
	Name     string     `json:"name"`
	EOL      endingDate `json:"eolFrom"`
	Extended endingDate `json:"eoesFrom"`

	OldName     string     `json:"cycle"`
	OldEOL      endingDate `json:"eol"`
	OldExtended endingDate `json:"extendedSupport"`
}

// endingDate is a day, or zero for null and, in the older API, true and false.
type endingDate struct{ time.Time }

// UnmarshalJSON reads a day. What is neither of the above is an error.
func (e *endingDate) UnmarshalJSON(data []byte) error {
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		return err
	}
	switch v := value.(type) {
	case nil, bool:
		return nil
	case string:
		day, err := time.Parse(time.DateOnly, v)
		e.Time = day
		return err
	default:
		return fmt.Errorf("%s is no date", data)
	}
}

type product struct {
	Name     string  `json:"name"`
	Releases []cycle `json:"releases"`
}

// readProducts reads one product or all of them of API v1, or the product that
// the file is named for of the API before.
func (s *supportEnds) readProducts(d document, named string) (used int, err error) {
	list, written, err := decodeProducts(d.data, named)
	if err != nil {
		return 0, err
	}
	for _, p := range list {
		for _, c := range p.Releases {
			last := laterOf(c.EOL.Time, c.OldEOL.Time)
			if p.Name == "debian" {
				// Its long term support is by volunteers; extended support of
				// all others needs a contract.
				last = laterOf(last, laterOf(c.Extended.Time, c.OldExtended.Time))
			}
			if s.add(p.Name, cmp.Or(c.Name, c.OldName), last, endOfLifeSource, firstSet(written, d.stamp)) {
				used++
			}
		}
	}
	return used, nil
}

func decodeProducts(data []byte, named string) (list []product, written time.Time, err error) {
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) {
		old := product{Name: named}
		err = json.Unmarshal(data, &old.Releases)
		return []product{old}, time.Time{}, err
	}
	var answer struct {
		Generated time.Time       `json:"generated_at"`
		Modified  time.Time       `json:"last_modified"`
		Result    json.RawMessage `json:"result"`
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return nil, time.Time{}, err
	}
	written = firstSet(answer.Generated, answer.Modified).UTC()
	if bytes.HasPrefix(answer.Result, []byte("[")) {
		err = json.Unmarshal(answer.Result, &list)
		return list, written, err
	}
	if len(answer.Result) == 0 {
		return nil, written, errors.New("no result in it")
	}
	var one product
	err = json.Unmarshal(answer.Result, &one)
	return []product{one}, written, err
}

func laterOf(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// shard encodes the dates; no file when there are none.
func (s *supportEnds) shard(packer *advisory.Packer, req Request) (advisory.Shard, []byte, []advisory.Source, error) {
	if len(s.best) == 0 {
		return advisory.Shard{}, nil, nil, nil
	}
	list := make([]advisory.SupportEnd, 0, len(s.best))
	bySource := make(map[string]advisory.Source)
	shard := advisory.Shard{Name: advisory.EndOfLifeShard, Kind: advisory.ShardEndOfLife, Records: len(s.best)}
	for _, e := range s.best {
		list = append(list, e.SupportEnd)
		source := bySource[e.Source]
		source.Name, source.Licence, source.Redistributable = e.Source, endOfLifeLicences[e.Source], true
		source.Records++
		source.Date = latest(source.Date, e.written, req.Now)
		bySource[e.Source] = source
		shard.Date = latest(shard.Date, e.written, req.Now)
	}
	file, size, err := packer.EncodeEndOfLife(list)
	if err != nil {
		return advisory.Shard{}, nil, nil, err
	}
	shard.Sources = slices.Sorted(maps.Keys(bySource))
	shard.Fetched = firstSet(req.Fetched.UTC(), s.fetched.UTC(), shard.Date)
	return describe(shard, file, size), file, slices.Collect(maps.Values(bySource)), nil
}
