package advisory

import (
	"slices"
	"sort"
	"strings"
)

// Holds reports whether any advisory, vulnerability or alias of the shard has
// exactly this id, without decoding anything.
func (a *Advisories) Holds(id string) bool {
	n := a.strings.len()
	i := sort.Search(n, func(i int) bool { return a.strings.at(i) >= id })
	return i < n && a.strings.at(i) == id
}

// NamesEndingIn lists the packages whose name ends in the suffix, in order. It
// reads all names; a damaged one is left out and met by Lookup of others.
func (a *Advisories) NamesEndingIn(suffix string) []string {
	var names []string
	for i := range a.Len() {
		if name, err := a.nameAt(i); err == nil && strings.HasSuffix(name, suffix) {
			names = append(names, name)
		}
	}
	return names
}

// Find returns every package with the entries whose advisory has the id or is
// about a vulnerability that has it as id or alias. The error wraps ErrCorrupt.
func (a *Advisories) Find(id string) ([]Package, error) {
	if !a.Holds(id) {
		return nil, nil
	}
	var found []Package
	for i := range a.Len() {
		p, err := a.Package(i)
		if err != nil {
			return nil, err
		}
		p.Entries = slices.DeleteFunc(p.Entries, func(e Entry) bool { return !e.Advisory.Names(id) })
		if len(p.Entries) > 0 {
			found = append(found, p)
		}
	}
	return found, nil
}

// Names reports whether the advisory has the id or is about a vulnerability
// that has it as id or alias.
func (a *Advisory) Names(id string) bool {
	return a.ID == id || slices.ContainsFunc(a.Vulnerabilities, func(v Vulnerability) bool {
		return v.ID == id || slices.Contains(v.Aliases, id)
	})
}

// Spellings are the forms in which an id that a person typed may be filed: as
// it is, in capitals, and as GitHub writes its ids.
func Spellings(id string) []string {
	id = strings.TrimSpace(id)
	forms := []string{id, strings.ToUpper(id)}
	if strings.HasPrefix(forms[1], "GHSA-") {
		forms = append(forms, "GHSA-"+strings.ToLower(id[len("GHSA-"):]))
	}
	return slices.Compact(forms)
}

// Query names one version of a package in an OSV ecosystem, for services that
// are asked about single packages.
type Query struct {
	Ecosystem string
	Name      string
	Version   string
}
