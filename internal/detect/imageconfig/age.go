package imageconfig

import (
	"fmt"
	"time"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// EndOfLifeRule is the id of the rule about the distribution's end of life.
const EndOfLifeRule = "image-end-of-life"

const ageRule = "image-age"

// SupportEnd is the end of a distribution's security support that is free for
// everyone.
type SupportEnd struct {
	// Release names the distribution and its release, such as Debian:12.
	Release string
	// Day is the last day.
	Day time.Time
	// Source is who says so.
	Source string
}

func ageRules() []rule {
	return []rule{
		{
			Rule: rules.Rule{
				ID: EndOfLifeRule, Kind: finding.ImageConfig,
				Title: "The base distribution gets no security updates any more", Severity: finding.High, Since: "0.1",
				Why:          "Flaws that are found now stay open, and no advisory names them any more: that a scan finds nothing in such an image means nothing. A policy that accepts this (`end-of-life` in `coverage.allow`, or `end-of-life: warn`) makes the finding info.",
				Fix:          "Move to a base image of a release that is supported.",
				WhenToIgnore: "Somebody else patches the packages under a contract.",
				References:   []string{"https://endoflife.date", "https://csrc.nist.gov/pubs/sp/800/190/final"},
				Tags:         []string{"external/cwe/cwe-1104", "CIS-Docker-4.2", "CIS-Docker-4.4"},
				Bad:          `{"config": {"User": "app"}, "distribution": {"id": "debian", "version": "9", "end-of-life": "2022-06-30"}}`,
				Good:         `{"config": {"User": "app"}, "distribution": {"id": "debian", "version": "13", "end-of-life": "2030-06-30"}}`, Language: "json",
			},
			check: checkEndOfLife,
		},
		{
			Rule: rules.Rule{
				ID: ageRule, Kind: finding.ImageConfig,
				Title: "The image was built long ago", Severity: finding.Info, Since: "0.1", Off: true,
				Why:          "An image is patched by building it anew. One that is older than 180 days lacks half a year of updates of its base, whatever scanners know about it. Images that are built reproducibly have no date (1970) and are left out.",
				Fix:          "Build the image anew on the present base, and let the pipeline do so at regular times.",
				WhenToIgnore: "Nothing but the program is in the image, and it has no newer version.",
				References:   []string{"https://csrc.nist.gov/pubs/sp/800/190/final"},
				Tags:         []string{"CIS-Docker-4.4"},
				Bad:          `{"config": {"User": "app"}, "created": "2024-06-01T12:00:00Z"}`,
				Good:         `{"config": {"User": "app"}, "created": "1970-01-01T00:00:00Z"}`, Language: "json",
			},
			check: checkAge,
		},
	}
}

// releaseFile is where a distribution names itself (os-release(5)), for
// inventories that do not say.
const releaseFile = "/etc/os-release"

func checkEndOfLife(p *pass) {
	end := p.opts.SupportEnd
	if end == nil || p.opts.Now.IsZero() || !p.opts.Now.After(end.Day.AddDate(0, 0, 1)) {
		return
	}
	place := inventory.Place{Path: releaseFile}
	if d := p.inv.Distro; d != nil && d.Place.Path != "" {
		place = d.Place
	}
	day := end.Day.Format(time.DateOnly)
	p.report(report{
		message:  fmt.Sprintf("%s gets no security updates since %s (%s); move to a release that is supported", end.Release, day, end.Source),
		object:   end.Release,
		places:   []finding.Location{{Space: finding.InImage, Path: place.Path, Layer: place.Layer}},
		evidence: []finding.Fact{{Name: "end of life", Value: day}, {Name: "source", Value: end.Source}},
		key:      []string{end.Release},
	})
}

// DefaultMaxAge is the age from which an image counts as old.
const DefaultMaxAge = 180 * 24 * time.Hour

// firstImages is when images came into being. A date before it is one that a
// reproducible build sets: 1970, 1980 or the zero time.
var firstImages = time.Date(2013, time.March, 1, 0, 0, 0, 0, time.UTC)

func checkAge(p *pass) {
	img := p.image()
	if img == nil || p.opts.Now.IsZero() || img.Created.Before(firstImages) {
		return
	}
	age := p.opts.Now.Sub(img.Created)
	if age <= p.opts.MaxAge {
		return
	}
	created := img.Created.UTC().Format(time.DateOnly)
	p.report(report{
		message: fmt.Sprintf("the image was created on %s, %d days ago", created, int(age.Hours()/24)),
		field:   "created", history: -1, evidence: []finding.Fact{{Name: "created", Value: created}},
	})
}
