package cli

import (
	"github.com/portcullis-ci/portcullis/internal/detect/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/detect/imageconfig"
	"github.com/portcullis-ci/portcullis/internal/detect/kubernetes"
	"github.com/portcullis-ci/portcullis/internal/detect/malware"
	"github.com/portcullis-ci/portcullis/internal/detect/secret"
	"github.com/portcullis-ci/portcullis/internal/detect/vulnerability"
	"github.com/portcullis-ci/portcullis/internal/rules"
	"github.com/portcullis-ci/portcullis/internal/triage"
)

// Catalogue is the list of all rules: the one place where detectors and what
// is told about their rules come together.
func Catalogue() (rules.Catalogue, error) {
	return rules.NewCatalogue(dockerfile.Rules(), kubernetes.Rules(), imageconfig.Rules(), malware.Rules(), secret.Rules(), vulnerability.Rules(), triage.Rules())
}
