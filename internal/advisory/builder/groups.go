package builder

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// groups joins ids that name one flaw (union-find with path halving).
type groups struct {
	parent map[string]string
}

func newGroups() *groups { return &groups{parent: make(map[string]string)} }

func (g *groups) find(id string) string {
	p, ok := g.parent[id]
	if !ok {
		return id
	}
	for p != id {
		grand := g.parent[p]
		g.parent[id] = grand
		id, p = grand, g.parent[grand]
	}
	return id
}

// join says that both ids name one flaw. The better id leads.
func (g *groups) join(a, b string) {
	for _, id := range []string{a, b} {
		if _, ok := g.parent[id]; !ok {
			g.parent[id] = id
		}
	}
	a, b = g.find(a), g.find(b)
	if a == b {
		return
	}
	if compareIDs(b, a) < 0 {
		a, b = b, a
	}
	g.parent[b] = a
}

// members returns all ids by the canonical id of their group, sorted.
func (g *groups) members() map[string][]string {
	out := make(map[string][]string)
	for id := range g.parent {
		root := g.find(id)
		if id != root {
			out[root] = append(out[root], id)
		}
	}
	for _, list := range out {
		slices.Sort(list)
	}
	return out
}

// idOrder is how well known an id is: people and tools look flaws up by CVE,
// then by GHSA.
var idOrder = []string{"CVE-", "GHSA-", "GO-", "PYSEC-", "RUSTSEC-"}

// compareIDs orders ids of one flaw; the first names it. Of several CVEs the
// one that was assigned first wins.
func compareIDs(a, b string) int {
	return cmp.Or(
		cmp.Compare(idRank(a), idRank(b)),
		slices.Compare(cveNumbers(a), cveNumbers(b)),
		cmp.Compare(a, b),
	)
}

func idRank(id string) int {
	i := slices.IndexFunc(idOrder, func(prefix string) bool { return strings.HasPrefix(id, prefix) })
	switch {
	case i >= 0:
		return i
	case id != "" && id[0] >= '0' && id[0] <= '9':
		// A date or number without a publisher's prefix says nothing by itself.
		return len(idOrder) + 1
	default:
		return len(idOrder)
	}
}

func cveNumbers(id string) []int {
	if !strings.HasPrefix(id, "CVE-") {
		return nil
	}
	var numbers []int
	for part := range strings.SplitSeq(id[len("CVE-"):], "-") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil
		}
		numbers = append(numbers, n)
	}
	return numbers
}
