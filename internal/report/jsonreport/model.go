package jsonreport

import "time"

// The types below are the report's data transfer objects. They are apart from
// the outcome's types so that a refactoring never changes the interface.

type reportDTO struct {
	Schema        string         `json:"$schema"`
	SchemaVersion string         `json:"schemaVersion"`
	Tool          toolDTO        `json:"tool"`
	Started       *time.Time     `json:"started,omitempty"`
	Finished      *time.Time     `json:"finished,omitempty"`
	Result        string         `json:"result"`
	ExitCode      int            `json:"exitCode"`
	Summary       summaryDTO     `json:"summary"`
	Targets       []targetDTO    `json:"targets"`
	Image         *imageDTO      `json:"image,omitempty"`
	Distro        *distroDTO     `json:"distribution,omitempty"`
	Packages      map[string]int `json:"packages"`
	Verdict       []clauseDTO    `json:"policy"`
	Changes       []changeDTO    `json:"changes"`
	Unresolved    []string       `json:"unresolved"`
	PackageURLs   []string       `json:"packageUrls,omitempty"`
	Findings      []findingDTO   `json:"findings"`
	Baseline      *baselineDTO   `json:"baseline,omitempty"`
	Coverage      coverageDTO    `json:"coverage"`
	Database      *databaseDTO   `json:"database,omitempty"`
	Failures      []failureDTO   `json:"failures"`
	Timings       []timingDTO    `json:"timings"`
}

type toolDTO struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

type summaryDTO struct {
	Total      int            `json:"total"`
	Open       int            `json:"open"`
	Fixable    int            `json:"fixable"`
	Failing    int            `json:"failing"`
	BySeverity map[string]int `json:"openBySeverity"`
	ByStatus   map[string]int `json:"byStatus"`
}

type targetDTO struct {
	Kind     string `json:"kind"`
	Name     string `json:"name"`
	Detail   string `json:"detail,omitempty"`
	Examined bool   `json:"examined"`
}

type imageDTO struct {
	Name        string `json:"name"`
	Reference   string `json:"reference"`
	Source      string `json:"source"`
	Digest      string `json:"digest,omitempty"`
	IndexDigest string `json:"indexDigest,omitempty"`
	ID          string `json:"id,omitempty"`
	Platform    string `json:"platform,omitempty"`
	// Platforms are the images that were examined together.
	Platforms []platformDTO `json:"platforms,omitempty"`
	Created   *time.Time    `json:"created,omitempty"`
	Layers    []layerDTO    `json:"layers"`
}

type platformDTO struct {
	Name   string `json:"name"`
	Digest string `json:"digest,omitempty"`
	ID     string `json:"id,omitempty"`
}

type layerDTO struct {
	DiffID    string `json:"diffId"`
	CreatedBy string `json:"createdBy,omitempty"`
}

type distroDTO struct {
	ID       string `json:"id"`
	Version  string `json:"version,omitempty"`
	Codename string `json:"codename,omitempty"`
	Name     string `json:"name,omitempty"`
}

type clauseDTO struct {
	Name     string   `json:"name"`
	Demand   string   `json:"demand"`
	Broken   bool     `json:"broken"`
	Reason   string   `json:"reason,omitempty"`
	Findings []string `json:"findings"`
	Warned   bool     `json:"warned,omitempty"`
	Subjects []string `json:"subjects,omitempty"`
}

type changeDTO struct {
	Kind     string       `json:"kind"`
	Subject  string       `json:"subject"`
	Text     string       `json:"text"`
	Location *locationDTO `json:"location,omitempty"`
	Upgrades []upgradeDTO `json:"upgrades,omitempty"`
	Edits    []editDTO    `json:"edits,omitempty"`
	Findings []string     `json:"findings"`
}

type upgradeDTO struct {
	Package  string   `json:"package"`
	From     string   `json:"from"`
	To       string   `json:"to,omitempty"`
	Versions []string `json:"versions,omitempty"`
}

type riskDTO struct {
	EPSS           float64 `json:"epss,omitempty"`
	Percentile     float64 `json:"percentile,omitempty"`
	KnownExploited string  `json:"knownExploited,omitempty"`
	Ransomware     bool    `json:"ransomware,omitempty"`
}

type findingDTO struct {
	ID             string        `json:"id"`
	Rule           string        `json:"rule"`
	Aliases        []string      `json:"aliases"`
	Kind           string        `json:"kind"`
	Severity       string        `json:"severity"`
	SeveritySource string        `json:"severitySource,omitempty"`
	Score          *float64      `json:"score,omitempty"`
	Vector         string        `json:"vector,omitempty"`
	Title          string        `json:"title"`
	Message        string        `json:"message"`
	Target         string        `json:"target"`
	Object         string        `json:"object,omitempty"`
	Package        string        `json:"package,omitempty"`
	Version        string        `json:"version,omitempty"`
	PackageType    string        `json:"packageType,omitempty"`
	PURL           string        `json:"purl,omitempty"`
	SourcePackage  string        `json:"sourcePackage,omitempty"`
	Locations      []locationDTO `json:"locations"`
	Evidence       []factDTO     `json:"evidence"`
	Origin         string        `json:"origin,omitempty"`
	Risk           *riskDTO      `json:"risk,omitempty"`
	Fix            *fixDTO       `json:"fix,omitempty"`
	References     []string      `json:"references"`
	Fingerprint    string        `json:"fingerprint"`
	Status         string        `json:"status"`
	StatusReason   string        `json:"statusReason,omitempty"`
	StatusSource   string        `json:"statusSource,omitempty"`
	StatusUntil    string        `json:"statusUntil,omitempty"`
	Justification  string        `json:"justification,omitempty"`
	Baseline       *comparedDTO  `json:"baseline,omitempty"`
	FailsGate      bool          `json:"failsGate"`
}

type comparedDTO struct {
	State  string `json:"state"`
	Cause  string `json:"cause,omitempty"`
	Reason string `json:"reason,omitempty"`
}

type baselineDTO struct {
	Source      string     `json:"source"`
	Taken       *time.Time `json:"taken,omitempty"`
	Notes       []string   `json:"notes"`
	New         int        `json:"new"`
	Known       int        `json:"known"`
	Fixed       []goneDTO  `json:"fixed"`
	NotExamined int        `json:"notExamined"`
}

type goneDTO struct {
	ID          string `json:"id"`
	Kind        string `json:"kind"`
	Severity    string `json:"severity"`
	Title       string `json:"title"`
	Target      string `json:"target"`
	PURL        string `json:"purl,omitempty"`
	Fingerprint string `json:"fingerprint"`
	Cause       string `json:"cause"`
	Reason      string `json:"reason,omitempty"`
}

type locationDTO struct {
	Space     string `json:"space"`
	Path      string `json:"path"`
	Line      int    `json:"line,omitempty"`
	Column    int    `json:"column,omitempty"`
	EndLine   int    `json:"endLine,omitempty"`
	EndColumn int    `json:"endColumn,omitempty"`
	Layer     string `json:"layer,omitempty"`
	Note      string `json:"note,omitempty"`
}

type factDTO struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type fixDTO struct {
	State   string    `json:"state,omitempty"`
	Version string    `json:"version,omitempty"`
	Text    string    `json:"text,omitempty"`
	Edits   []editDTO `json:"edits,omitempty"`
}

type editDTO struct {
	Path      string `json:"path"`
	Line      int    `json:"line"`
	Column    int    `json:"column"`
	EndLine   int    `json:"endLine"`
	EndColumn int    `json:"endColumn"`
	NewText   string `json:"newText"`
}

type coverageDTO struct {
	Packages   int             `json:"packages"`
	Assessed   int             `json:"assessed"`
	Gaps       []gapDTO        `json:"gaps"`
	Unreadable []unreadableDTO `json:"unreadable"`
}

type gapDTO struct {
	Reason   string   `json:"reason"`
	Detail   string   `json:"detail,omitempty"`
	Packages []string `json:"packages"`
}

type unreadableDTO struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

type databaseDTO struct {
	Location string      `json:"location"`
	Digest   string      `json:"digest,omitempty"`
	Built    *time.Time  `json:"built,omitempty"`
	Sources  []sourceDTO `json:"sources"`
}

type sourceDTO struct {
	Name    string     `json:"name"`
	Date    *time.Time `json:"date,omitempty"`
	Records int        `json:"records"`
	Licence string     `json:"licence,omitempty"`
}

type failureDTO struct {
	Stage    string `json:"stage"`
	Target   string `json:"target,omitempty"`
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`
	ExitCode int    `json:"exitCode"`
}

type timingDTO struct {
	Stage        string `json:"stage"`
	Milliseconds int64  `json:"milliseconds"`
}
