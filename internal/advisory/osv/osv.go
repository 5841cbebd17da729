// Package osv reads advisories in the Open Source Vulnerability format,
// https://ossf.github.io/osv-schema/. Records come from the network: decoding
// is bounded and checks what later stages rely on. It is not for matching and
// does not keep what matching and reports do not need.
package osv

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// MaxRecordSize bounds one record as JSON, in bytes. The largest real ones
// (rpm advisories over hundreds of packages, enumerated versions) have less
// than 2 MiB.
const MaxRecordSize = 16 << 20

// Bounds on parts of a record; real records stay far below them.
const (
	maxName   = 1024
	maxIDs    = 10_000
	maxTitle  = 80
	maxEvents = 100_000
)

// ErrInvalid is wrapped by errors about records that break the format.
var ErrInvalid = errors.New("not a valid OSV record")

// Record is one advisory.
type Record struct {
	ID        string    `json:"id"`
	Modified  time.Time `json:"modified"`
	Published time.Time `json:"published"`
	// Withdrawn is set when the publisher took the advisory back.
	Withdrawn *time.Time `json:"withdrawn"`
	// Aliases are ids of the same flaw in other databases.
	Aliases []string `json:"aliases"`
	// Upstream are ids of flaws that the advisory takes over or bundles.
	Upstream []string `json:"upstream"`
	// Related are ids that are only worth a look, except with AlmaLinux.
	Related  []string   `json:"related"`
	Summary  Excerpt    `json:"summary"`
	Details  Excerpt    `json:"details"`
	Severity []Severity `json:"severity"`
	Affected []Affected `json:"affected"`
	// Specific is the part of database_specific that is understood.
	Specific DatabaseSpecific `json:"database_specific"`
}

// Severity is one rating: a CVSS vector or a distribution's own word.
type Severity struct {
	// Type is CVSS_V2, CVSS_V3, CVSS_V4 or the name of a distribution.
	Type  string `json:"type"`
	Score string `json:"score"`
}

// Affected says which versions of one package are affected.
type Affected struct {
	Package   Package           `json:"package"`
	Severity  []Severity        `json:"severity"`
	Ranges    []Range           `json:"ranges"`
	Versions  []string          `json:"versions"`
	Ecosystem EcosystemSpecific `json:"ecosystem_specific"`
	Database  AffectedDatabase  `json:"database_specific"`
}

// Package names a package in an ecosystem,
// https://ossf.github.io/osv-schema/#affectedpackage-field.
type Package struct {
	Ecosystem string `json:"ecosystem"`
	Name      string `json:"name"`
}

// Range is a list of events along the order of versions.
type Range struct {
	// Type is SEMVER, ECOSYSTEM or GIT.
	Type   string  `json:"type"`
	Events []Event `json:"events"`
}

// Event is one point of a range; exactly one field is set.
type Event struct {
	Introduced   string `json:"introduced,omitempty"`
	Fixed        string `json:"fixed,omitempty"`
	LastAffected string `json:"last_affected,omitempty"`
	Limit        string `json:"limit,omitempty"`
}

// DatabaseSpecific holds the publisher's own fields of a whole record.
type DatabaseSpecific struct {
	// Severity is the publisher's word: Important, MODERATE, high …
	Severity Text `json:"severity"`
}

// EcosystemSpecific holds the ecosystem's own fields of one affected package.
type EcosystemSpecific struct {
	// Urgency is Debian's word.
	Urgency Text `json:"urgency"`
	// Status and Note are Ubuntu's words about the fix.
	Status Text `json:"status"`
	Note   Text `json:"note"`
	// FixState is Red Hat's word about the fix.
	FixState Text `json:"fix_state"`
	// Module is the rpm module stream, name:stream; RPMModule is how some
	// distributions call it.
	Module    Text `json:"module"`
	RPMModule Text `json:"rpmmod"`
	// Imports are the vulnerable packages and symbols of a Go module.
	Imports []Import `json:"imports"`
	// Informational is RustSec's mark for notices that are not flaws.
	Informational Text `json:"informational"`
}

// AffectedDatabase holds the publisher's own fields of one affected package.
type AffectedDatabase struct {
	Informational Text `json:"informational"`
	Severity      Text `json:"severity"`
	// FixState is set by this program's own readers of native feeds.
	FixState Text `json:"fix_state"`
}

// Import is a vulnerable Go package, https://go.dev/doc/security/vuln/database.
type Import struct {
	Path    string   `json:"path"`
	Symbols []string `json:"symbols"`
	GOOS    []string `json:"goos"`
	GOARCH  []string `json:"goarch"`
}

// Text is a string where publishers differ about the type: anything else than
// a JSON string counts as absent.
type Text string

// UnmarshalJSON takes a JSON string of at most 1,024 bytes.
func (t *Text) UnmarshalJSON(data []byte) error {
	var s string
	if len(data) > 0 && data[0] == '"' && len(data) <= maxName {
		if err := json.Unmarshal(data, &s); err != nil {
			return err
		}
	}
	*t = Text(s)
	return nil
}

// Excerpt is the beginning of a longer text: its first line, at most 80
// characters.
type Excerpt string

// UnmarshalJSON keeps the first line of a JSON string.
func (e *Excerpt) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	*e = Excerpt(firstLine(s))
	return nil
}

// firstLine returns the first line with content, without Markdown heading
// marks and control characters, cut at a word after at most maxTitle runes.
func firstLine(s string) string {
	for line := range strings.Lines(s) {
		line = strings.TrimSpace(strings.TrimLeft(line, "# "))
		if line == "" {
			continue
		}
		line = strings.Map(func(r rune) rune {
			if unicode.IsControl(r) || r == utf8.RuneError {
				return ' '
			}
			return r
		}, line)
		return cut(strings.Join(strings.Fields(line), " "))
	}
	return ""
}

func cut(s string) string {
	if utf8.RuneCountInString(s) <= maxTitle {
		return s
	}
	s = string([]rune(s)[:maxTitle-1])
	if i := strings.LastIndexByte(s, ' '); i > maxTitle/2 {
		s = s[:i]
	}
	return s + "…"
}

// Shorten makes an excerpt of a longer text.
func Shorten(s string) Excerpt { return Excerpt(firstLine(s)) }

// Decode reads one record and checks it. The error wraps ErrInvalid.
func Decode(data []byte) (Record, error) {
	if len(data) > MaxRecordSize {
		return Record{}, fmt.Errorf("%w: %d bytes are more than the limit of %d", ErrInvalid, len(data), MaxRecordSize)
	}
	var r Record
	if err := json.Unmarshal(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), &r); err != nil {
		return Record{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return Check(r)
}

// Check tidies and checks a record that was made of something else than OSV.
// The error wraps ErrInvalid.
func Check(r Record) (Record, error) {
	for _, list := range []*[]string{&r.Aliases, &r.Upstream, &r.Related} {
		*list = tidy(*list)
	}
	if err := r.validate(); err != nil {
		return Record{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return r, nil
}

// tidy drops blanks around ids and empty ones, which real records have.
func tidy(ids []string) []string {
	kept := ids[:0]
	for _, id := range ids {
		if id = strings.TrimSpace(id); id != "" {
			kept = append(kept, id)
		}
	}
	return kept
}

func (r Record) validate() error {
	if err := checkID(r.ID); err != nil {
		return fmt.Errorf("id %q: %w", r.ID, err)
	}
	for _, list := range [][]string{r.Aliases, r.Upstream, r.Related} {
		if len(list) > maxIDs {
			return fmt.Errorf("%s: %d ids in one list are more than the limit of %d", r.ID, len(list), maxIDs)
		}
		for _, id := range list {
			if err := checkID(id); err != nil {
				return fmt.Errorf("%s: id %q: %w", r.ID, id, err)
			}
		}
	}
	for _, a := range r.Affected {
		if err := a.validate(); err != nil {
			return fmt.Errorf("%s: package %q: %w", r.ID, a.Package.Name, err)
		}
	}
	return nil
}

// checkID admits what can stand in a file name, a link and a report.
func checkID(id string) error {
	if id == "" || len(id) > maxName {
		return fmt.Errorf("has %d bytes, expected 1 to %d", len(id), maxName)
	}
	for _, c := range id {
		if !unicode.IsGraphic(c) || unicode.IsSpace(c) || strings.ContainsRune(`"'<>\`+"`", c) {
			return fmt.Errorf("has the character %q", c)
		}
	}
	return nil
}

func (a Affected) validate() error {
	if len(a.Package.Name) > maxName || len(a.Package.Ecosystem) > maxName {
		return fmt.Errorf("name or ecosystem is longer than %d bytes", maxName)
	}
	for _, g := range a.Ranges {
		if len(g.Events) > maxEvents {
			return fmt.Errorf("%d events in one range are more than the limit of %d", len(g.Events), maxEvents)
		}
		for _, e := range g.Events {
			if e.fields() != 1 && g.Type != "GIT" {
				return fmt.Errorf("an event of a range has %d fields instead of one", e.fields())
			}
		}
	}
	return nil
}

func (e Event) fields() int {
	n := 0
	for _, s := range []string{e.Introduced, e.Fixed, e.LastAffected, e.Limit} {
		if s != "" {
			n++
		}
	}
	return n
}

// Title is the record's summary, or the beginning of its details.
func (r Record) Title() string {
	if r.Summary != "" {
		return string(r.Summary)
	}
	return string(r.Details)
}
