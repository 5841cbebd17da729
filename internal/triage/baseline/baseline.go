// Package baseline compares a run with an earlier one: which findings are new,
// which were known and which are gone, and whether the code changed or the
// advisory data learned. The earlier run is a saved JSON report or a second
// run over another image. It also tells what an image has inherited from its
// base image. It decides nothing about the gate and runs nothing itself.
package baseline

import (
	"slices"
	"strings"
	"time"

	"github.com/package-url/packageurl-go"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/outcome"
)

// Report is what an earlier run came to, as far as a comparison needs it.
type Report struct {
	// Source is the name of the report's file, or the image reference.
	Source string
	// Taken is when the run started.
	Taken time.Time
	// Incomplete says that the run could not examine everything: what it lacks
	// may have been there.
	Incomplete bool
	Identity
	// Findings in the order of their fingerprints, each once.
	Findings []Entry
}

// Identity says what a run looked at, with which program and data.
type Identity struct {
	// Tool is the version of portcullis.
	Tool string
	// ImageName is the stable name; ImageID the digest of the configuration,
	// which is equal for equal images. Empty when there was no image.
	ImageName string
	ImageID   string
	// DatabaseDigest is empty when vulnerabilities were not looked for.
	DatabaseDigest string
	DatabaseBuilt  time.Time
	// Targets are the names of what was examined.
	Targets []string
	// Unassessed are the packages, as "name version", that could not be
	// assessed for vulnerabilities.
	Unassessed []string
	// Failed says that something went wrong in the run.
	Failed bool

	packages packageSet
}

// Entry is one finding of the earlier run.
type Entry struct {
	Fingerprint string
	RuleID      string
	Aliases     []string
	Kind        finding.Kind
	Severity    finding.Severity
	Title       string
	Target      string
	Status      finding.Status
	// Package is empty for findings that are not about one.
	Package, Version, PURL string
	// Path is the finding's first place inside the image, or empty.
	Path string
	// Files are all places of a finding about the image's files, which may be
	// about many: one more of them is news. Nil for other kinds.
	Files []string
}

// IdentityOf takes what an outcome says about the run. Findings and verdict
// may still be missing from the outcome.
func IdentityOf(o outcome.Outcome) Identity {
	id := Identity{
		Tool: o.Tool.Version, DatabaseDigest: o.Database.Digest, DatabaseBuilt: o.Database.Built,
		Failed: len(o.Failures) > 0, packages: newPackageSet(o.PackageURLs),
	}
	if o.Image != nil {
		id.ImageName, id.ImageID = o.Image.Name, o.Image.ID
	}
	for _, t := range o.Targets {
		if t.Examined {
			id.Targets = append(id.Targets, t.Name)
		}
	}
	for _, g := range o.Coverage.Gaps {
		id.Unassessed = append(id.Unassessed, g.Packages...)
	}
	return id
}

// FromOutcome makes a baseline of another run, such as one over the image that
// is in production. That run must have used the same Name for its target:
// fingerprints hold it.
func FromOutcome(source string, o outcome.Outcome) Report {
	r := Report{Source: source, Taken: o.Started, Identity: IdentityOf(o)}
	r.Incomplete = o.Verdict.Result == outcome.Incomplete || r.Failed
	for _, f := range o.Findings {
		r.Findings = append(r.Findings, entryOf(f))
	}
	r.normalise()
	return r
}

func entryOf(f finding.Finding) Entry {
	e := Entry{
		Fingerprint: f.Fingerprint, RuleID: f.RuleID, Aliases: f.Aliases, Kind: f.Kind, Severity: f.Severity,
		Title: f.Title, Target: f.Target, Status: f.Status, Path: pathInImage(f),
	}
	if f.Kind == finding.ImageConfig {
		e.Files = pathsInImage(f)
	}
	if p := f.Package; p != nil {
		e.Package, e.Version, e.PURL = p.Name, p.Version, p.PURL
	}
	return e
}

func pathInImage(f finding.Finding) string {
	for _, l := range f.Locations {
		if l.Space == finding.InImage {
			return l.Path
		}
	}
	return ""
}

func pathsInImage(f finding.Finding) []string {
	var paths []string
	for _, l := range f.Locations {
		if l.Space == finding.InImage {
			paths = append(paths, l.Path)
		}
	}
	return paths
}

// added returns the first file of a finding that the entry does not have.
func (e *Entry) added(f finding.Finding) string {
	if e == nil || f.Kind != finding.ImageConfig || e.Files == nil {
		return ""
	}
	paths := pathsInImage(f)
	if i := slices.IndexFunc(paths, func(p string) bool { return !slices.Contains(e.Files, p) }); i >= 0 {
		return paths[i]
	}
	return ""
}

// normalise drops findings about waivers, which speak of the day of the run,
// and brings the others into order. Of two with one fingerprint the one stays
// that was not excused, so that a baseline never excuses less than it shows.
func (r *Report) normalise() {
	r.Findings = slices.DeleteFunc(r.Findings, func(e Entry) bool { return e.Kind == finding.Waiver })
	slices.SortStableFunc(r.Findings, func(a, b Entry) int {
		if n := strings.Compare(a.Fingerprint, b.Fingerprint); n != 0 {
			return n
		}
		return boolInt(a.excused()) - boolInt(b.excused())
	})
	r.Findings = slices.CompactFunc(r.Findings, func(a, b Entry) bool { return a.Fingerprint == b.Fingerprint })
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// excused reports whether somebody had excused the finding in the earlier run.
// Then the excuse counted and not the finding: when it ends, as a waiver does,
// the finding must count again.
func (e Entry) excused() bool { return e.Status != finding.Open && e.Status != finding.Known }

// packageSet is the versions of each package; nil when unknown.
type packageSet map[string][]string

func newPackageSet(purls []string) packageSet {
	if purls == nil {
		return nil
	}
	set := make(packageSet)
	for _, text := range purls {
		if name, version, ok := packageKey(text); ok {
			set[name] = append(set[name], version)
		}
	}
	for name := range set {
		slices.Sort(set[name])
		set[name] = slices.Compact(set[name])
	}
	return set
}

// packageKey splits a package URL into what names the package and its version.
// Qualifiers are left out: they hold the distribution's release.
func packageKey(text string) (name, version string, ok bool) {
	u, err := packageurl.FromString(text)
	if err != nil || u.Name == "" {
		return "", "", false
	}
	return strings.ToLower(u.Type) + "/" + u.Namespace + "/" + u.Name, u.Version, true
}
