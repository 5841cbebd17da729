package finding

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
)

// Fingerprint names a problem for good. The parts are what makes it the same
// problem tomorrow: the target's stable name, package, path, object or the
// text of the offending token. They must hold no version, tag, digest, line
// number or temporary path. Parts are length-prefixed, so that ("ab", "c") and
// ("a", "bc") differ. The result is 32 hexadecimal characters.
func Fingerprint(kind Kind, ruleID string, parts ...string) string {
	h := sha256.New()
	for _, part := range append([]string{string(kind), ruleID}, parts...) {
		fmt.Fprintf(h, "%d:%s;", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Distinguish makes fingerprints unique within one target: the second and
// further findings with the same fingerprint get one that also holds their
// place in the given order. Call it on the findings of one detector in the
// order of their positions, before sorting by severity. It changes and returns
// what it is given.
func Distinguish(findings []Finding) []Finding {
	seen := make(map[string]int, len(findings))
	for i := range findings {
		f := &findings[i]
		n := seen[f.Fingerprint]
		seen[f.Fingerprint] = n + 1
		if n > 0 {
			f.Fingerprint = Fingerprint(f.Kind, f.RuleID, f.Fingerprint, strconv.Itoa(n))
		}
	}
	return findings
}
