package baseline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/recovered"
)

// maxSize bounds a report in bytes; one with a hundred thousand findings has
// about 100 MB.
const maxSize = 256 << 20

// maxText bounds texts of a baseline that reach a report again, in bytes.
const maxText = 4096

// The types below are the part of the JSON report that a comparison needs.

type reportIn struct {
	SchemaVersion string     `json:"schemaVersion"`
	Tool          toolIn     `json:"tool"`
	Started       *time.Time `json:"started"`
	Result        string     `json:"result"`
	Targets       []struct {
		Name     string `json:"name"`
		Examined bool   `json:"examined"`
	} `json:"targets"`
	Image *struct {
		Name string `json:"name"`
		ID   string `json:"id"`
	} `json:"image"`
	PackageURLs []string     `json:"packageUrls"`
	Findings    *[]findingIn `json:"findings"`
	Coverage    struct {
		Gaps []struct {
			Packages []string `json:"packages"`
		} `json:"gaps"`
	} `json:"coverage"`
	Database *struct {
		Digest string     `json:"digest"`
		Built  *time.Time `json:"built"`
	} `json:"database"`
	Failures []json.RawMessage `json:"failures"`
}

type toolIn struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

type findingIn struct {
	ID          string   `json:"id"`
	Aliases     []string `json:"aliases"`
	Kind        string   `json:"kind"`
	Severity    string   `json:"severity"`
	Title       string   `json:"title"`
	Target      string   `json:"target"`
	Package     string   `json:"package"`
	Version     string   `json:"version"`
	PURL        string   `json:"purl"`
	Fingerprint string   `json:"fingerprint"`
	Status      string   `json:"status"`
	Locations   []struct {
		Space string `json:"space"`
		Path  string `json:"path"`
	} `json:"locations"`
}

var (
	schemaVersion      = regexp.MustCompile(`^1\.\d+\.\d+$`)
	fingerprintPattern = regexp.MustCompile(`^[0-9a-f]{32}$`)
)

var (
	kinds = []finding.Kind{
		finding.Vulnerability, finding.Secret, finding.Malware, finding.ImageConfig, finding.Dockerfile, finding.Kubernetes, finding.Coverage, finding.Waiver,
	}
	statuses = []finding.Status{finding.Open, finding.Waived, finding.NotAffected, finding.Inherited, finding.Known}
)

// Decode reads a JSON report of portcullis. It trusts nothing in it: whatever
// is missing or odd is an error that names the place.
func Decode(name string, content []byte) (Report, error) {
	return decodeWith(json.Unmarshal, name, content)
}

// decodeWith is Decode with a parser of JSON.
func decodeWith(unmarshal func([]byte, any) error, name string, content []byte) (report Report, err error) {
	defer recovered.As(&err, name)
	if len(content) > maxSize {
		return Report{}, fmt.Errorf("%s: %d bytes, at most %d are read", name, len(content), maxSize)
	}
	var in reportIn
	if err := unmarshal(bytes.TrimPrefix(content, []byte("\xef\xbb\xbf")), &in); err != nil {
		return Report{}, fmt.Errorf("%s: read the report: %w", name, err)
	}
	if err := in.validate(); err != nil {
		return Report{}, fmt.Errorf("%s: %w", name, err)
	}
	r := Report{Source: name, Incomplete: in.Result == string(outcome.Incomplete), Identity: in.identity()}
	if in.Started != nil {
		r.Taken = *in.Started
	}
	for i, f := range *in.Findings {
		e, err := f.entry()
		if err != nil {
			return Report{}, fmt.Errorf("%s: finding %d: %w", name, i+1, err)
		}
		r.Findings = append(r.Findings, e)
	}
	r.normalise()
	return r, nil
}

func (in reportIn) validate() error {
	switch {
	case in.SchemaVersion == "" || in.Findings == nil:
		return errors.New("is no JSON report of portcullis: write one with the format json")
	case !schemaVersion.MatchString(in.SchemaVersion):
		return fmt.Errorf("schemaVersion is %.40q: this program reads versions 1.x; make the baseline anew", in.SchemaVersion)
	case in.Tool.Name != "portcullis":
		return fmt.Errorf("tool.name is %.40q: only reports of portcullis can be a baseline", in.Tool.Name)
	case !slices.Contains([]string{string(outcome.Pass), string(outcome.Fail), string(outcome.Incomplete)}, in.Result):
		return fmt.Errorf("result is %.40q: expected pass, fail or incomplete", in.Result)
	}
	return nil
}

func (in reportIn) identity() Identity {
	id := Identity{Tool: in.Tool.Version, Failed: len(in.Failures) > 0, packages: newPackageSet(in.PackageURLs)}
	if in.Image != nil {
		id.ImageName, id.ImageID = in.Image.Name, in.Image.ID
	}
	if in.Database != nil {
		id.DatabaseDigest = in.Database.Digest
		if in.Database.Built != nil {
			id.DatabaseBuilt = *in.Database.Built
		}
	}
	for _, t := range in.Targets {
		if t.Examined {
			id.Targets = append(id.Targets, t.Name)
		}
	}
	for _, g := range in.Coverage.Gaps {
		id.Unassessed = append(id.Unassessed, g.Packages...)
	}
	return id
}

// entry checks one finding.
func (f findingIn) entry() (Entry, error) {
	severity, err := finding.ParseSeverity(f.Severity)
	switch {
	case err != nil:
		return Entry{}, err
	case f.ID == "" || f.Title == "":
		return Entry{}, errors.New("id or title is missing")
	case !fingerprintPattern.MatchString(f.Fingerprint):
		return Entry{}, fmt.Errorf("fingerprint %.80q is not 32 hexadecimal digits", f.Fingerprint)
	case !slices.Contains(kinds, finding.Kind(f.Kind)):
		return Entry{}, fmt.Errorf("kind %.80q is unknown", f.Kind)
	case !slices.Contains(statuses, finding.Status(f.Status)):
		return Entry{}, fmt.Errorf("status %.80q is unknown", f.Status)
	}
	for _, text := range []string{f.ID, f.Title, f.Target, f.Package, f.Version, f.PURL} {
		if len(text) > maxText {
			return Entry{}, fmt.Errorf("a text of %d bytes is longer than %d: %.40q", len(text), maxText, text)
		}
	}
	e := Entry{
		Fingerprint: f.Fingerprint, RuleID: f.ID, Aliases: f.Aliases, Kind: finding.Kind(f.Kind), Severity: severity,
		Title: f.Title, Target: f.Target, Status: finding.Status(f.Status), Package: f.Package, Version: f.Version, PURL: f.PURL,
	}
	for _, l := range f.Locations {
		if l.Space != string(finding.InImage) {
			continue
		}
		if e.Path == "" {
			e.Path = strings.Clone(l.Path)
		}
		if e.Kind == finding.ImageConfig {
			e.Files = append(e.Files, strings.Clone(l.Path))
		}
	}
	return e, nil
}
