package finding

import (
	"fmt"
	"strings"
)

// Severity says how bad a finding is. The zero value is Unknown: nobody has
// said. Unknown is a class of its own, not a low severity: a gate decides
// about it apart (see Severity.AtLeast).
type Severity int

// The severities in ascending order. Info is also what distributions call
// negligible or unimportant: it never fails a gate unless asked for.
const (
	Unknown Severity = iota
	Info
	Low
	Medium
	High
	Critical
)

var severityNames = [...]string{"unknown", "info", "low", "medium", "high", "critical"}

// Severities lists all severities, worst first, Unknown last: the order in
// which counts are shown.
func Severities() []Severity {
	return []Severity{Critical, High, Medium, Low, Info, Unknown}
}

// String returns the lower-case name used in configuration and reports.
func (s Severity) String() string {
	if s < Unknown || s > Critical {
		return fmt.Sprintf("severity(%d)", int(s))
	}
	return severityNames[s]
}

// AtLeast reports whether s is known and not below threshold. An unknown
// severity is at least nothing but Unknown itself.
func (s Severity) AtLeast(threshold Severity) bool {
	if s == Unknown || threshold == Unknown {
		return s == threshold
	}
	return s >= threshold
}

// ParseSeverity reads a severity name in any letter case. The error lists the
// names that are accepted.
func ParseSeverity(name string) (Severity, error) {
	lower := strings.ToLower(strings.TrimSpace(name))
	for i, known := range severityNames {
		if lower == known {
			return Severity(i), nil
		}
	}
	return Unknown, fmt.Errorf("unknown severity %q: expected one of %s", name, strings.Join(severityNames[:], ", "))
}

// SeverityFromScore maps a CVSS base score (0.0 to 10.0) to the qualitative
// severity of the CVSS v3.1 specification, section 5; the same bands hold for
// v4.0 (section 6). Version 2 has none; package advisory/cvss reads its scores.
// https://www.first.org/cvss/v3.1/specification-document
func SeverityFromScore(score float64) Severity {
	switch {
	case score >= 9.0:
		return Critical
	case score >= 7.0:
		return High
	case score >= 4.0:
		return Medium
	case score > 0:
		return Low
	default:
		return Info
	}
}
