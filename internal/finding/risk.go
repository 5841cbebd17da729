package finding

import "time"

// Risk is what is known about the exploitation of a vulnerability.
type Risk struct {
	// EPSS is FIRST's probability of exploitation within 30 days and Percentile
	// its rank among all scores, both 0 to 1; both are zero when there is no
	// score. https://www.first.org/epss/
	EPSS       float64
	Percentile float64
	// KnownExploited is the day on which the vulnerability entered CISA's
	// catalogue of those exploited in the wild; zero when it is not in it.
	// https://www.cisa.gov/known-exploited-vulnerabilities-catalog
	KnownExploited time.Time
	// Ransomware says that the catalogue knows of its use in ransomware.
	Ransomware bool
}
