package gitlab

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report/document"
)

// schemaVersion is that of the security report schemas that the reports keep,
// https://gitlab.com/gitlab-org/security-products/security-report-schemas
const schemaVersion = "15.2.4"

// namespace makes the version 5 UUIDs of vulnerabilities (RFC 9562, 5.5) from
// fingerprints. It never changes: GitLab tells vulnerabilities apart by id.
var namespace = uuid.MustParse("7f0c1f0a-6a0e-5d43-9d0b-5a4a1f6a2a51")

type securityReport struct {
	Version         string          `json:"version"`
	Scan            scan            `json:"scan"`
	Vulnerabilities []vulnerability `json:"vulnerabilities"`
}

type scan struct {
	Analyzer  scanner   `json:"analyzer"`
	Scanner   scanner   `json:"scanner"`
	Type      string    `json:"type"`
	StartTime string    `json:"start_time"`
	EndTime   string    `json:"end_time"`
	Status    string    `json:"status"`
	Messages  []message `json:"messages,omitempty"`
}

type scanner struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	URL     string `json:"url"`
	Version string `json:"version"`
	Vendor  vendor `json:"vendor"`
}

type vendor struct {
	Name string `json:"name"`
}

type message struct {
	Level string `json:"level"`
	Value string `json:"value"`
}

type vulnerability struct {
	ID          string       `json:"id"`
	Name        string       `json:"name"`
	Description string       `json:"description,omitempty"`
	Severity    string       `json:"severity"`
	Solution    string       `json:"solution,omitempty"`
	Identifiers []identifier `json:"identifiers"`
	Links       []link       `json:"links,omitempty"`
	CVSS        []cvss       `json:"cvss_vectors,omitempty"`
	Location    any          `json:"location"`
}

type identifier struct {
	Type  string `json:"type"`
	Name  string `json:"name"`
	Value string `json:"value"`
	URL   string `json:"url,omitempty"`
}

type link struct {
	URL string `json:"url"`
}

type cvss struct {
	Vendor string `json:"vendor"`
	Vector string `json:"vector"`
}

type dependency struct {
	Package struct {
		Name string `json:"name"`
	} `json:"package"`
	Version string `json:"version"`
}

type containerLocation struct {
	Image           string     `json:"image"`
	OperatingSystem string     `json:"operating_system"`
	Dependency      dependency `json:"dependency"`
}

type fileLocation struct {
	File       string      `json:"file"`
	StartLine  int         `json:"start_line,omitempty"`
	EndLine    int         `json:"end_line,omitempty"`
	Dependency *dependency `json:"dependency,omitempty"`
}

type secretLocation struct {
	fileLocation
	Commit commit `json:"commit"`
}

type commit struct {
	SHA string `json:"sha"`
}

// noCommit stands for the commit that brought a secret in, which the schema
// demands: the files were examined as they are, not their history.
const noCommit = "0000000"

// ofPackage reports whether a finding is about a package that should be another
// version, or none: a vulnerable one, or one that was published to do harm.
func ofPackage(f finding.Finding) bool {
	return (f.Kind == finding.Vulnerability || f.Kind == finding.Malware) && f.Package != nil
}

// ContainerScanning writes the vulnerabilities of the image's packages, and
// the packages that are malware. The image is named without tag, so that a new
// tag is not a new vulnerability.
func ContainerScanning(_ context.Context, w io.Writer, o outcome.Outcome, opts document.Options) error {
	system := operatingSystem(o)
	image := cmp.Or(neutralise.Line(document.ImageName(o)), "unknown")
	return writeSecurity(w, o, opts, "container_scanning", func(f finding.Finding) (any, string) {
		if !ofPackage(f) {
			return nil, ""
		}
		l := containerLocation{Image: image, OperatingSystem: system, Dependency: dependencyOf(f.Package)}
		return l, l.Dependency.Package.Name
	})
}

// DependencyScanning writes the vulnerabilities whose lock file lies in the
// repository, at that file.
func DependencyScanning(_ context.Context, w io.Writer, o outcome.Outcome, opts document.Options) error {
	return writeSecurity(w, o, opts, "dependency_scanning", func(f finding.Finding) (any, string) {
		if !ofPackage(f) || !lockFile(f.Locations[0]) {
			return nil, ""
		}
		d := dependencyOf(f.Package)
		l := fileLocation{File: f.Locations[0].Path, Dependency: &d}
		return l, l.File + "\x00" + d.Package.Name
	})
}

// lockFile reports whether a place is a file that lists dependencies: a place
// in the repository that is no Dockerfile and no manifest.
func lockFile(l finding.Location) bool {
	name := strings.ToLower(l.Path[strings.LastIndexByte(l.Path, '/')+1:])
	return l.Space == finding.Repository && !strings.Contains(name, "dockerfile") && !strings.Contains(name, "containerfile") &&
		(!strings.HasSuffix(name, ".yaml") || name == "pnpm-lock.yaml") && !strings.HasSuffix(name, ".yml")
}

// SAST writes what Dockerfile and Kubernetes rules found, but for secrets.
func SAST(_ context.Context, w io.Writer, o outcome.Outcome, opts document.Options) error {
	return writeSecurity(w, o, opts, "sast", func(f finding.Finding) (any, string) {
		l := f.Locations[0]
		if (f.Kind != finding.Dockerfile && f.Kind != finding.Kubernetes) || ofSecret(f) || l.Space != finding.Repository {
			return nil, ""
		}
		at := fileLocation{File: l.Path, StartLine: max(l.Line, 1), EndLine: max(l.EndLine, l.Line, 1)}
		return at, fmt.Sprintf("%s\x00%d", at.File, at.StartLine)
	})
}

// SecretDetection writes the secrets: those that stand in Dockerfiles and
// manifests, and those of the image that are led back to a line of the
// repository. The others have no file that GitLab could show; the exit code,
// JUnit, JSON and HTML tell of them. The text of a secret is never written.
func SecretDetection(_ context.Context, w io.Writer, o outcome.Outcome, opts document.Options) error {
	return writeSecurity(w, o, opts, "secret_detection", func(f finding.Finding) (any, string) {
		l := f.Locations[0]
		if !ofSecret(f) || l.Space != finding.Repository {
			return nil, ""
		}
		at := secretLocation{fileLocation{File: l.Path, StartLine: max(l.Line, 1), EndLine: max(l.EndLine, l.Line, 1)}, commit{noCommit}}
		return at, fmt.Sprintf("%s\x00%d", at.File, at.StartLine)
	})
}

// ofSecret reports whether a finding is about a secret, in the image or where a
// person wrote it.
func ofSecret(f finding.Finding) bool { return f.Kind == finding.Secret || f.Sensitive }

// writeSecurity writes one security report; locate returns nil for findings
// that are not its business, and otherwise the place and a key for it. GitLab
// keeps one vulnerability for each identifier and place, so that further ones
// are left out here.
func writeSecurity(w io.Writer, o outcome.Outcome, opts document.Options, kind string, locate func(finding.Finding) (any, string)) error {
	r := securityReport{Version: schemaVersion, Scan: scanOf(o, kind), Vulnerabilities: []vulnerability{}}
	seen := make(map[string]bool)
	for _, f := range document.Sorted(o.Findings) {
		if !reported(f) || !opts.Shown(f) {
			continue
		}
		location, key := locate(f)
		if location == nil {
			continue
		}
		if key = f.RuleID + "\x00" + key; seen[key] {
			continue
		}
		seen[key] = true
		v := vulnerabilityOf(f)
		v.Location = location
		r.Vulnerabilities = append(r.Vulnerabilities, v)
	}
	return writeJSON(w, r)
}

func scanOf(o outcome.Outcome, kind string) scan {
	us := scanner{
		ID: "portcullis", Name: "Portcullis", URL: document.InformationURI,
		Version: cmp.Or(o.Tool.Version, "unknown"), Vendor: vendor{Name: "Portcullis"},
	}
	s := scan{Analyzer: us, Scanner: us, Type: kind, StartTime: clock(o.Started), EndTime: clock(o.Finished), Status: "success"}
	for _, f := range o.Failures {
		s.Status = "failure"
		s.Messages = append(s.Messages, message{"fatal", short(f.Message)})
	}
	if n := o.Coverage.NotAssessed(); n > 0 && kind == "container_scanning" {
		s.Messages = append(s.Messages, message{"warn", fmt.Sprintf("%d of %d packages could not be assessed for vulnerabilities", n, o.Coverage.Packages)})
	}
	return s
}

// clock is the schema's own form of a time: UTC without a zone.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05") }

func operatingSystem(o outcome.Outcome) string {
	if o.Distro == nil || o.Distro.ID == "" {
		return "unknown"
	}
	return neutralise.Line(strings.TrimSuffix(o.Distro.ID+":"+o.Distro.Version, ":"))
}

func dependencyOf(p *finding.Package) dependency {
	var d dependency
	d.Package.Name = cmp.Or(short(p.Name), "unknown")
	d.Version = short(p.Version)
	return d
}

func vulnerabilityOf(f finding.Finding) vulnerability {
	v := vulnerability{
		ID:          uuid.NewSHA1(namespace, []byte(f.Fingerprint)).String(),
		Name:        neutralise.Short(name(f), 250),
		Description: neutralise.MarkdownSpans(neutralise.Cut(f.Message, 10_000)),
		Severity:    severity(f.Severity),
		Solution:    neutralise.Cut(neutralise.MarkdownSpans(neutralise.Cut(solution(f), 2000)), 6900),
		Identifiers: identifiers(f),
		CVSS:        vectors(f),
	}
	for _, ref := range f.References {
		if clean, ok := neutralise.URL(ref); ok {
			v.Links = append(v.Links, link{clean})
		}
	}
	return v
}

func name(f finding.Finding) string {
	if f.Package != nil {
		return f.RuleID + " in " + f.Package.Name + ": " + f.Title
	}
	return f.Title
}

func solution(f finding.Finding) string {
	if f.Fix.Text != "" || f.Package == nil || f.Fix.Version == "" {
		return f.Fix.Text
	}
	return "Upgrade " + f.Package.Name + " to " + f.Fix.Version + "."
}

func severity(s finding.Severity) string {
	name := s.String()
	return strings.ToUpper(name[:1]) + name[1:]
}

// Ids with a page of their own, whose types GitLab knows.
var (
	cve  = regexp.MustCompile(`^CVE-[0-9]{4}-[0-9]{4,}$`)
	ghsa = regexp.MustCompile(`^GHSA(-[0-9a-z]{4}){3}$`)
)

// identifiers are the rule or advisory itself, then its aliases. Types are
// those that GitLab knows.
func identifiers(f finding.Finding) []identifier {
	var out []identifier
	for _, id := range append([]string{f.RuleID}, f.Aliases...) {
		clean := short(id)
		if clean == "" || len(out) == 20 {
			continue
		}
		x := identifier{Type: "portcullis", Name: clean, Value: clean}
		switch {
		case cve.MatchString(clean):
			x.Type, x.URL = "cve", "https://nvd.nist.gov/vuln/detail/"+clean
		case ghsa.MatchString(clean):
			x.Type, x.URL = "ghsa", "https://github.com/advisories/"+clean
		case f.Kind == finding.Vulnerability:
			x.Type = "osv"
		}
		out = append(out, x)
	}
	return out
}

// vector matches CVSS 3.x and 4.0 vectors as the schema takes them.
var vector = regexp.MustCompile(`^CVSS:(3\.[01](/[A-Z]{1,3}:[A-Z]){6,}|4\.0/AV:[A-Za-z:/]+)$`)

func vectors(f finding.Finding) []cvss {
	if !vector.MatchString(f.Vector) {
		return nil
	}
	return []cvss{{Vendor: cmp.Or(neutralise.Line(f.RatedBy()), "unknown"), Vector: f.Vector}}
}

// short bounds names and versions, which are longer only in images made to
// hurt.
func short(s string) string { return neutralise.Short(s, 1000) }
