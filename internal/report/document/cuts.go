package document

import (
	"slices"
	"strings"
)

// Cut says of a report that a host's limits let it hold only some of its entries.
type Cut struct {
	// Report names the report, such as "SARIF".
	Report string
	// Host names whose limits they are.
	Host string
	// Kept entries of All are in the report, the worst ones.
	Kept, All int
}

// Cuts collects what reports had to leave out, so that the summary, which is
// written after them, can say so. Nil collects nothing.
type Cuts struct{ list []Cut }

// Add notes a cut in place of an earlier one of the same report. A report that
// holds all of its entries is no cut.
func (c *Cuts) Add(cut Cut) {
	if c == nil {
		return
	}
	c.list = slices.DeleteFunc(c.list, func(other Cut) bool { return other.Report == cut.Report })
	if cut.Kept < cut.All {
		c.list = append(c.list, cut)
	}
}

// List are the cuts in the order of their reports' names.
func (c *Cuts) List() []Cut {
	if c == nil {
		return nil
	}
	return slices.SortedFunc(slices.Values(c.list), func(a, b Cut) int { return strings.Compare(a.Report, b.Report) })
}
