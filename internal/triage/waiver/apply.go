package waiver

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/triage/match"
)

// Options are what the policy and the run say about waivers.
type Options struct {
	// Now decides what has expired.
	Now time.Time
	// MaxLife is the longest time from Created to Expires that the policy
	// allows; zero for any. A waiver that asks for more excuses nothing.
	MaxLife time.Duration
	// WarnBefore is how long before its end a waiver is reported; zero for
	// never.
	WarnBefore time.Duration
	// Images are the examined images, for waivers that name one by tag or
	// digest. An image that is not among them is known by its name alone.
	Images []*inventory.Image
	// Scope is what the run looked at.
	Scope Scope
}

// Scope says what a run looked at in full, so that a waiver is called unused
// only where its finding would have been seen.
type Scope struct {
	// Kinds are the kinds of findings that were looked for without a failure.
	// Empty: no waiver is called unused.
	Kinds []finding.Kind
	// Targets are the names of what was examined.
	Targets []string
	// Complete says that the whole repository was searched, so that a waiver
	// for a file that is not among Targets is unused as well.
	Complete bool
	// RuleKind returns the kind of findings that a rule with this id or alias
	// makes, and false for ids that are no rule's: those are taken for
	// advisories. Nil stands for no rules.
	RuleKind func(id string) (finding.Kind, bool)
}

// Result is what became of findings and waivers.
type Result struct {
	// Findings are all that were given, in their order, with changed statuses.
	Findings []finding.Finding
	// Notices are findings of kind Waiver about the waivers themselves.
	Notices []finding.Finding
	// Uses are the valid waivers that match findings, in the order of the file.
	Uses []Use
}

// Use is a waiver with the fingerprints of the findings that it matches.
type Use struct {
	Waiver       Waiver
	Fingerprints []string
}

// Apply returns the findings with those waived that are open and that a waiver
// in force means, and findings about waivers that need a person. The order of
// waivers and findings does not matter; applying twice equals once.
func Apply(findings []finding.Finding, file File, o Options) Result {
	a := applier{options: o, names: imageNames(o.Images), byID: make(map[string][]int)}
	states := make([]state, len(file.Waivers))
	for i, w := range file.Waivers {
		states[i] = stateOf(w, o)
		id := strings.ToLower(w.ID)
		a.byID[id] = append(a.byID[id], i)
	}
	matched := make([][]string, len(file.Waivers))
	result := Result{Findings: slices.Clone(findings)}
	for i, f := range result.Findings {
		best := -1
		for _, j := range a.candidates(f) {
			w := file.Waivers[j]
			if !a.means(w, f) {
				continue
			}
			matched[j] = append(matched[j], f.Fingerprint)
			if states[j].inForce() && (best < 0 || compare(w, file.Waivers[best]) < 0) {
				best = j
			}
		}
		if best >= 0 && f.Status == finding.Open {
			result.Findings[i] = waive(f, file.Waivers[best])
		}
	}
	for i, w := range file.Waivers {
		if len(matched[i]) > 0 {
			result.Uses = append(result.Uses, Use{w, matched[i]})
		}
		if n, ok := a.notice(w, states[i], len(matched[i])); ok {
			result.Notices = append(result.Notices, n)
		}
	}
	for _, p := range file.Problems {
		result.Notices = append(result.Notices, malformed(p))
	}
	result.Notices = finding.Distinguish(sorted(result.Notices))
	return result
}

// waive returns the finding as the waiver leaves it.
func waive(f finding.Finding, w Waiver) finding.Finding {
	f.Status = finding.Waived
	f.StatusReason = fmt.Sprintf("%s (%s, until %s, %s)", w.Reason, w.Owner, w.Expires.Format(time.DateOnly), w.Place)
	f.StatusSource, f.StatusUntil = w.Place.String(), w.Expires
	return f
}

// state is where a waiver stands in its life.
type state int

const (
	active state = iota
	ending
	expired
	tooLong
	notYet
)

func (s state) inForce() bool { return s == active || s == ending }

// maxZone is how far ahead of UTC a person's calendar can be: someone writes
// today's date, which is tomorrow in UTC.
const maxZone = 14 * time.Hour

func stateOf(w Waiver, o Options) state {
	switch {
	case !o.Now.Before(w.end()):
		return expired
	case w.Created.Sub(o.Now) > maxZone:
		return notYet
	case o.MaxLife > 0 && w.Expires.Sub(w.Created) > o.MaxLife:
		return tooLong
	case o.WarnBefore > 0 && w.end().Sub(o.Now) <= o.WarnBefore:
		return ending
	default:
		return active
	}
}

// applier matches waivers with findings.
type applier struct {
	options Options
	// names are the references of each examined image by its name.
	names map[string][]string
	// byID are the indexes of the waivers by their id in lower case.
	byID map[string][]int
}

// candidates are the waivers whose id is one of the finding's, or any.
func (a applier) candidates(f finding.Finding) []int {
	list := slices.Concat(a.byID[AnyID], a.byID[strings.ToLower(f.RuleID)])
	for _, alias := range f.Aliases {
		list = append(list, a.byID[strings.ToLower(alias)]...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func imageNames(images []*inventory.Image) map[string][]string {
	names := make(map[string][]string)
	for _, img := range images {
		if img != nil {
			names[img.Name] = append(names[img.Name], match.ImageOf(img).Names()...)
		}
	}
	return names
}

// means reports whether a candidate is about the finding. Findings about
// waivers cannot be waived.
func (a applier) means(w Waiver, f finding.Finding) bool {
	if f.Kind == finding.Waiver || w.ID == AnyID && f.Kind != finding.Vulnerability {
		return false
	}
	return w.meansPackage(f) && w.meansPath(f) && w.meansObject(f) && a.meansImage(w, f)
}

func (w Waiver) meansPackage(f finding.Finding) bool {
	switch {
	case w.Package == "":
		return true
	case f.Package == nil:
		return false
	case w.purl != nil && !w.purl.CoversPackage(f.Package):
		return false
	case w.purl == nil && w.Package != f.Package.Name && w.Package != f.Package.Source:
		return false
	}
	return w.versions.Holds(f.Package.Type, f.Package.Version)
}

// meansPath compares with the place where a person fixes the finding, if that
// is in the repository, or else with the places in the image: a package that
// lies elsewhere too is not excused by a waiver for one of them.
func (w Waiver) meansPath(f finding.Finding) bool {
	if w.Path == "" {
		return true
	}
	return f.LiesIn(func(path string) bool { return glob(w.Path, path) })
}

// meansObject compares with the whole object, or with the part before a comma:
// "Deployment/shop/web, container web" is meant by Deployment/shop/web too.
func (w Waiver) meansObject(f finding.Finding) bool {
	if w.Object == "" {
		return true
	}
	head, _, _ := strings.Cut(f.Object, ", ")
	return glob(w.Object, f.Object) || glob(w.Object, head)
}

func (a applier) meansImage(w Waiver, f finding.Finding) bool {
	if w.Image == "" {
		return true
	}
	switch f.Kind {
	case finding.Vulnerability, finding.Secret, finding.Malware, finding.ImageConfig, finding.Coverage:
	default:
		return false
	}
	return a.globImage(w.Image, f.Target)
}

func (a applier) globImage(pattern, name string) bool {
	names, ok := a.names[name]
	if !ok {
		names = append(match.NamedImage(name).Names(), name)
	}
	return slices.ContainsFunc(append(names, name), func(n string) bool { return glob(pattern, n) })
}

// glob reports whether the pattern matches; patterns are checked when they are
// read, so that an error cannot arise and would mean no match.
func glob(pattern, name string) bool {
	ok, err := doublestar.Match(pattern, name)
	return err == nil && ok
}
