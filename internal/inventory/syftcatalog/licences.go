package syftcatalog

import (
	"context"
	"fmt"
	"io"
	_ "unsafe" // for go:linkname

	"github.com/anchore/syft/syft"
	"github.com/anchore/syft/syft/cataloging"
	"github.com/google/licensecheck"
)

// To say which licence a text is, syft builds a matcher of all known ones, and
// that takes most of a second: a third of what examining a small image costs.
// syft.CreateSBOM builds it in each call, also where nobody asks for licences,
// unless there is one in the context, and only these two functions of an
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

// withoutLicences returns a context in which syft's catalogers recognise no text
// of a licence: to them each is one without a name.
func withoutLicences(ctx context.Context) (context.Context, error) {
	matcher, err := newLicenceMatcher(&licenceConfig{
		CoverageThreshold: 100,
		Scanner:           func([]byte) licensecheck.Coverage { return licensecheck.Coverage{} },
	})
	if err != nil {
		return nil, fmt.Errorf("do without the matcher of licences: %w", err)
	}
	return withLicenceMatcher(ctx, matcher), nil
}

// licenceContext returns the context for syft's catalogers: one in which they
// find out licences by their texts, or one in which they do not.
func licenceContext(ctx context.Context, wanted bool, cfg cataloging.LicenseConfig) (context.Context, error) {
	if wanted {
		return syft.SetContextLicenseScanner(ctx, cfg)
	}
	return withoutLicences(ctx)
}
