package workload

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	kubernetesrules "github.com/portcullis-ci/portcullis/internal/detect/kubernetes"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
)

// The names of the evidence that says where the image runs in the open.
const (
	workloadFact = "workload"
	exposureFact = "exposure"
	imageFact    = "named there"
)

// Weigh adds to the vulnerabilities of an image where a manifest runs it with
// power over its node or opens it to the outside, and raises their severities
// by one: a flaw is then easier to reach, or gives more away. Of several
// workloads the one that weighs most counts. Workloads of another version of
// the image count only where none runs this one: it is about to replace that.
// The fingerprints stay, so that a finding is the same before and after. With
// keep, the severities stay as well.
func Weigh(findings []finding.Finding, uses []kubernetesrules.Image, subject inventory.Subject, keep bool) []finding.Finding {
	use, others, ok := worst(uses, subject)
	if !ok {
		return findings
	}
	exposure := strings.Join(use.Exposure(), ", ")
	workload := use.Object + ", container " + use.Container
	if others > 0 {
		workload += fmt.Sprintf(" and %d more", others)
	}
	place := use.Location
	place.Note = finding.RunsHere + ": " + exposure
	weighed := slices.Clone(findings)
	for i, f := range weighed {
		if f.Kind != finding.Vulnerability {
			continue
		}
		if !keep {
			f = f.Raised(exposure + " in " + use.Object)
		}
		f.Evidence = append(slices.Clip(f.Evidence),
			finding.Fact{Name: workloadFact, Value: workload}, finding.Fact{Name: exposureFact, Value: exposure},
			finding.Fact{Name: imageFact, Value: use.Reference + " (" + use.match.String() + ")"})
		if !slices.ContainsFunc(f.Locations, func(l finding.Location) bool {
			return l.Space == place.Space && l.Path == place.Path && l.Line == place.Line
		}) {
			f.Locations = append(slices.Clip(f.Locations), place)
		}
		weighed[i] = f
	}
	return weighed
}

// use is a place that names the image, and how sure that is.
type use struct {
	kubernetesrules.Image
	match
}

// worst returns the place where the image is run that weighs most, and how many
// more make it weigh. The order of uses does not matter.
func worst(all []kubernetesrules.Image, subject inventory.Subject) (most use, others int, ok bool) {
	var surest match
	var uses []use
	for _, image := range all {
		m := matches(image.Reference, subject)
		surest = max(surest, m)
		if m != noMatch && len(image.Exposure()) > 0 {
			uses = append(uses, use{image, m})
		}
	}
	// Where this very image is named, other versions are other images.
	if surest > otherVersion {
		uses = slices.DeleteFunc(uses, func(u use) bool { return u.match == otherVersion })
	}
	if len(uses) == 0 {
		return use{}, 0, false
	}
	return slices.MinFunc(uses, compare), len(uses) - 1, true
}

// compare puts what weighs more first: each power counts for more than all that
// come after it.
func compare(a, b use) int {
	return cmp.Or(
		compareBool(b.Privileged, a.Privileged), compareBool(b.HostPID, a.HostPID), compareBool(b.HostNetwork, a.HostNetwork),
		compareBool(b.ExposedBy != "", a.ExposedBy != ""), cmp.Compare(b.match, a.match),
		cmp.Compare(a.Location.Path, b.Location.Path), cmp.Compare(a.Location.Line, b.Location.Line),
		cmp.Compare(a.Location.Column, b.Location.Column), cmp.Compare(a.Object, b.Object),
		cmp.Compare(a.Container, b.Container), cmp.Compare(a.ExposedBy, b.ExposedBy),
	)
}

// compareBool orders false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// Vulnerable returns those of the places in manifests (findings of
// kubernetesrules.ImageVulnerableRule) that run the examined image, when it
// has open vulnerabilities that are grave and can be fixed. Lines that name
// another version of it are not among them. The findings of the image are
// asked for as triage leaves them, and only where a place needs them.
func Vulnerable(places []finding.Finding, subject inventory.Subject, triaged func() []finding.Finding) []finding.Finding {
	var found []finding.Finding
	for _, f := range places {
		if m := matches(imageOf(f), subject); m > otherVersion {
			f.Evidence = append(slices.Clip(f.Evidence), finding.Fact{Name: "scanned image", Value: m.String()})
			found = append(found, f)
		}
	}
	if len(found) == 0 {
		return nil
	}
	counts := make(map[finding.Severity]int)
	for _, f := range triaged() {
		if f.Kind == finding.Vulnerability && f.Status == finding.Open && f.Fix.Available() {
			counts[f.Severity]++
		}
	}
	grave := counts[finding.Critical] + counts[finding.High]
	if grave == 0 {
		return nil
	}
	for i := range found {
		found[i].Message = fmt.Sprintf("This runs the image %q, in which the scan found %s that can be fixed: %d critical and %d high. %s",
			imageOf(found[i]), vulnerabilities(grave), counts[finding.Critical], counts[finding.High],
			"Build it on updated packages, and name the new version here.")
	}
	return found
}

// Others returns, by the manifest's path, the reference in it that names the
// repository of the examined image with another version: what it rolls out is
// not what was examined. A manifest that names the examined version as well is
// not among them.
func Others(uses []kubernetesrules.Image, subject inventory.Subject) map[string]string {
	surest, others := make(map[string]match), make(map[string]string)
	for _, image := range uses {
		path, m := image.Location.Path, matches(image.Reference, subject)
		surest[path] = max(surest[path], m)
		if first, ok := others[path]; m == otherVersion && (!ok || image.Reference < first) {
			others[path] = image.Reference
		}
	}
	for path, m := range surest {
		if m > otherVersion {
			delete(others, path)
		}
	}
	return others
}

func vulnerabilities(n int) string {
	if n == 1 {
		return "1 vulnerability"
	}
	return fmt.Sprintf("%d vulnerabilities", n)
}

// imageOf is the image that a finding of kubernetesrules.ImageVulnerableRule is
// about.
func imageOf(f finding.Finding) string {
	for _, fact := range f.Evidence {
		if fact.Name == kubernetesrules.ImageFact {
			return fact.Value
		}
	}
	return ""
}
