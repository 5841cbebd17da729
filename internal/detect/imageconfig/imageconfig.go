// Package imageconfig judges the built image itself: its run configuration,
// its history and the files whose mere mode or owner is a risk. It works on
// the inventory alone and reads no layers. It is not for packages, and not for
// secrets inside files of the image. The main function is Check.
package imageconfig

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/recovered"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// ConfigPath is the path of locations that lie in the image's configuration,
// which is no file of the image.
const ConfigPath = "/config.json"

// Options are what a caller may choose.
type Options struct {
	// Target is the stable name of what is examined; empty means the image's
	// name.
	Target string
	// Enabled decides which rules run; nil means all that are not off by
	// default.
	Enabled func(rules.Rule) bool
	// Now is the time from which ages are counted; zero leaves rules about
	// ages out.
	Now time.Time
	// MaxAge is the age from which an image counts as old; 0 means
	// DefaultMaxAge.
	MaxAge time.Duration
	// SupportEnd is that of the image's distribution; nil where it is not
	// known.
	SupportEnd *SupportEnd
}

// Result is what the checks came to.
type Result struct {
	// Findings in the order of rules and places.
	Findings []finding.Finding
	// Failures are rules that could not be run to their end.
	Failures []outcome.Failure
}

// rule is a rule with its check.
type rule struct {
	rules.Rule
	check func(*pass)
}

// all returns the rules in the order in which they run.
func all() []rule {
	var out []rule
	for _, family := range [][]rule{userRules(), secretRules(), modeRules(), accountRules(), credentialFileRules(), serviceRules(), programRules(), leftoverRules(), archiveRules(), packageListRules(), labelRules(), ageRules()} {
		for _, r := range family {
			r.Rule = withCountermeasure(r.Rule)
			out = append(out, r)
		}
	}
	return out
}

// Rules lists the rules of this package.
func Rules() []rules.Rule {
	var out []rules.Rule
	for _, r := range all() {
		out = append(out, r.Rule)
	}
	return out
}

// Check runs the rules on an inventory. An inventory without an image (a root
// file system) is judged by its files alone; an SBOM gives nothing.
func Check(ctx context.Context, inv inventory.Inventory, opts Options) Result {
	if opts.Target == "" && inv.Image != nil {
		opts.Target = inv.Image.Name
	}
	if opts.Enabled == nil {
		opts.Enabled = func(r rules.Rule) bool { return !r.Off }
	}
	if opts.MaxAge == 0 {
		opts.MaxAge = DefaultMaxAge
	}
	var result Result
	for _, r := range all() {
		if ctx.Err() != nil {
			result.Failures = append(result.Failures, failure(opts.Target, r.ID, ctx.Err().Error()))
			break
		}
		if !opts.Enabled(r.Rule) {
			continue
		}
		found, err := run(r, inv, opts)
		result.Findings = append(result.Findings, found...)
		if err != nil {
			result.Failures = append(result.Failures, failure(opts.Target, r.ID, err.Error()))
		}
	}
	result.Findings = finding.Distinguish(result.Findings)
	return result
}

// run keeps a rule that panics from ending the program or passing in silence.
func run(r rule, inv inventory.Inventory, opts Options) (found []finding.Finding, err error) {
	p := &pass{inv: inv, target: opts.Target, opts: opts, rule: r.Rule}
	defer func() { found = p.found }()
	defer recovered.As(&err, "rule "+r.ID)
	r.check(p)
	return p.found, nil
}

func failure(target, id, message string) outcome.Failure {
	return outcome.Failure{
		Stage: "image-config", Target: target, Message: "check image configuration, rule " + id + ": " + message,
		Hint: "please report this with the version of portcullis", Code: exit.NotExamined,
	}
}

// pass is one run of one rule.
type pass struct {
	inv    inventory.Inventory
	target string
	opts   Options
	rule   rules.Rule
	found  []finding.Finding
}

// image returns the image, or an empty one that breaks no rule about
// configuration.
func (p *pass) image() *inventory.Image { return p.inv.Image }

// report is what a rule says about one problem.
type report struct {
	message string
	// severity overrides the rule's where it is set.
	severity finding.Severity
	// object names what is wrong: an environment variable, an account.
	object string
	// field is where in the configuration it is; history the index of the
	// history entry that made it, or -1.
	field   string
	history int
	// files and places are where in the image it is; without any the place is
	// the configuration.
	files    []inventory.File
	places   []finding.Location
	evidence []finding.Fact
	fix      string
	// key tells this problem from others of the rule, without values that
	// change from build to build.
	key []string
}

func (p *pass) report(r report) {
	f := finding.Finding{
		RuleID: p.rule.ID, Aliases: p.rule.Aliases, Kind: p.rule.Kind, Severity: p.rule.Severity, SeveritySource: "portcullis",
		Title: p.rule.Title, Message: r.message, Target: p.target, Object: r.object, Evidence: r.evidence,
		Fix: finding.Fix{Text: p.rule.Fix}, References: p.rule.References, Status: finding.Open,
		Fingerprint: finding.Fingerprint(p.rule.Kind, p.rule.ID, append([]string{p.target}, r.key...)...),
	}
	if r.severity != finding.Unknown {
		f.Severity = r.severity
	}
	if r.fix != "" {
		f.Fix.Text = r.fix
	}
	for _, file := range r.files {
		f.Locations = append(f.Locations, placeOf(file))
	}
	f.Locations = append(f.Locations, r.places...)
	if len(f.Locations) == 0 {
		f.Locations = []finding.Location{{Space: finding.InImage, Path: ConfigPath, Layer: p.layerOf(r.history), Note: r.field}}
		if r.history >= 0 {
			f.Evidence = append(f.Evidence, finding.Fact{Name: "history", Value: strconv.Itoa(r.history)})
		}
	}
	p.found = append(p.found, f)
}

// placeOf is where a file is, and what kind of it.
func placeOf(f inventory.File) finding.Location {
	note := fmt.Sprintf("mode %04o", f.Mode)
	if f.Kind == inventory.Link {
		note = "link"
	}
	return finding.Location{Space: finding.InImage, Path: f.Path, Layer: f.Layer, Note: note}
}

// layerOf returns the diff id of the layer that a history entry made, or "".
func (p *pass) layerOf(history int) string {
	if p.inv.Image == nil || history < 0 {
		return ""
	}
	for _, l := range p.inv.Image.Layers {
		if l.History == history {
			return l.DiffID
		}
	}
	return ""
}

// maxPlaces bounds the locations of a finding about many files.
const maxPlaces = 50

// reportFiles makes one finding about many files.
func (p *pass) reportFiles(files []inventory.File, severity finding.Severity, what string) {
	if len(files) == 0 {
		return
	}
	message := fmt.Sprintf("%s: %s", what, files[0].Path)
	if len(files) > 1 {
		message = fmt.Sprintf("%d files: %s; the first is %s", len(files), what, files[0].Path)
	}
	if len(files) > maxPlaces {
		files = files[:maxPlaces]
	}
	p.report(report{message: message, severity: severity, files: files})
}
