package syftcatalog

import (
	"context"
	"fmt"
	"io"
	_ "unsafe" // for go:linkname

	"github.com/anchore/syft/syft/cataloging"
	"github.com/google/licensecheck"

	"github.com/portcullis-ci/portcullis/internal/inventory/licencetext"
)

// To say which licence a text is, syft has licensecheck build a matcher of all
// known ones, and that takes most of a second: more than all else that a small
// image costs. syft.CreateSBOM builds it in each call, also where nobody asks for
// licences, unless there is one in the context, and only these two functions of an
// internal package put another one there. So they are linked to by name. If syft
// renames them, the program no longer links; what they do is tested.

// licenceMatcher is syft's licenses.Scanner. It is only handed on: the method is
// never called through this type, which lacks the names of syft's own.
type licenceMatcher interface {
	FindEvidence(ctx context.Context, text io.Reader) (evidence []struct{}, read []byte, err error)
}

// licenceConfig is syft's licenses.ScannerConfig.
type licenceConfig struct {
	CoverageThreshold float64
	Scanner           func(text []byte) licensecheck.Coverage
}

//go:linkname newLicenceMatcher github.com/anchore/syft/internal/licenses.NewScanner
func newLicenceMatcher(c *licenceConfig) (licenceMatcher, error)

//go:linkname withLicenceMatcher github.com/anchore/syft/internal/licenses.SetContextLicenseScanner
func withLicenceMatcher(ctx context.Context, m licenceMatcher) context.Context

// licenceContext returns the context for syft's catalogers: one in which they
// find out licences by their texts, or one in which they recognise no text, and
// each is a licence without a name.
func licenceContext(ctx context.Context, wanted bool, cfg cataloging.LicenseConfig) (context.Context, error) {
	with := licenceConfig{
		CoverageThreshold: cfg.Coverage,
		Scanner:           func([]byte) licensecheck.Coverage { return licensecheck.Coverage{} },
	}
	if wanted {
		texts, err := licencetext.Matcher()
		if err != nil {
			return nil, err
		}
		with.Scanner = texts.Scan
	}
	matcher, err := newLicenceMatcher(&with)
	if err != nil {
		return nil, fmt.Errorf("hand over the matcher of licences: %w", err)
	}
	return withLicenceMatcher(ctx, matcher), nil
}
