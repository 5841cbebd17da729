package imageconfig

import (
	"slices"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// noCountermeasure are rules about what NIST SP 800-190 does not speak of.
var noCountermeasure = set("image-no-healthcheck", "image-package-cache", "image-no-labels", "image-label-malformed")

// withCountermeasure adds the section of NIST SP 800-190 about the risk that a
// rule looks for: 4.1.1 image vulnerabilities, 4.1.2 image configuration
// defects, 4.1.4 embedded clear text secrets. The controls of the CIS Docker
// Benchmark, section 4, stand with the rules.
func withCountermeasure(r rules.Rule) rules.Rule {
	section := "NIST-SP-800-190-4.1.2"
	switch {
	case noCountermeasure[r.ID]:
		return r
	case r.Kind == finding.Secret:
		section = "NIST-SP-800-190-4.1.4"
	case r.ID == EndOfLifeRule, r.ID == ageRule:
		section = "NIST-SP-800-190-4.1.1"
	}
	// Rules of a family share their tags.
	r.Tags = append(slices.Clone(r.Tags), section)
	return r
}
