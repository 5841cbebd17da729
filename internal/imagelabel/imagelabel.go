// Package imagelabel says whether the values of image labels have the form that
// their keys promise. Dockerfiles and built images are held to the same.
package imagelabel

import (
	"net/url"
	"time"

	"github.com/github/go-spdx/v2/spdxexp"
)

// maxExpression bounds the licence expressions that are parsed, in bytes.
const maxExpression = 1000

// IsURL reports whether a value is an absolute URL (RFC 3986).
func IsURL(v string) bool {
	u, err := url.Parse(v)
	return err == nil && u.Scheme != "" && (u.Host != "" || u.Opaque != "")
}

// IsTime reports whether a value is a time in the form of RFC 3339, section 5.6.
func IsTime(v string) bool {
	_, err := time.Parse(time.RFC3339, v)
	return err == nil
}

// IsSPDX reports whether a value is an SPDX licence expression
// (https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/). The library
// panics on some that are not.
func IsSPDX(v string) (ok bool) {
	if v == "" || len(v) > maxExpression {
		return false
	}
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	_, err := spdxexp.ExtractLicenses(v)
	return err == nil
}
