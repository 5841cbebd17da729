package waiver

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/portcullis-ci/portcullis/internal/triage/match"
)

// fault is what is wrong with the value of one key.
type fault struct{ key, text string }

// idPattern is what ids of rules and advisories look like.
var idPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._:/-]{1,199}$`)
})

// placeholders stand in imported entries for what a person has to write, or
// are what people write to get past a check.
var placeholders = []string{"todo", "tbd", "fixme", "xxx", "n/a", "none", "-", "?"}

// isPlaceholder reports whether a text says nothing.
func isPlaceholder(s string) bool {
	lower := strings.ToLower(strings.TrimSpace(s))
	return slices.Contains(placeholders, lower) || strings.HasPrefix(lower, "todo:") ||
		!strings.ContainsFunc(lower, unicode.IsLetter)
}

// check reads the texts of a waiver into its compiled form and returns what is
// wrong with it.
func (w *Waiver) check(created, expires string) []fault {
	var faults []fault
	add := func(key, format string, args ...any) {
		faults = append(faults, fault{key, fmt.Sprintf(format, args...)})
	}
	switch {
	case w.ID == "":
		add("id", "id is missing: name the rule or advisory, such as CVE-2024-1234")
	case w.ID == AnyID && w.Package == "":
		add("id", "id %q needs a package: a waiver for everything is switching the gate off", AnyID)
	case w.ID != AnyID && !idPattern().MatchString(w.ID):
		add("id", "id %q is no id of a rule or advisory", w.ID)
	}
	for _, p := range []struct{ key, value, what string }{
		{"owner", w.Owner, "who answers for it: a team or person"},
		{"reason", w.Reason, "why the finding is acceptable until it expires"},
	} {
		switch {
		case p.value == "":
			add(p.key, "%s is missing: say %s", p.key, p.what)
		case isPlaceholder(p.value):
			add(p.key, "%s is %q: say %s", p.key, p.value, p.what)
		}
	}
	faults = append(faults, w.checkPackage()...)
	faults = append(faults, w.checkGlobs()...)
	return append(faults, w.checkDays(created, expires)...)
}

func (w *Waiver) checkPackage() []fault {
	var faults []fault
	if strings.HasPrefix(w.Package, "pkg:") {
		p, err := match.ParsePURL(w.Package)
		if err != nil {
			return []fault{{"package", err.Error()}}
		}
		w.purl = &p
	}
	r, err := match.ParseRange(w.Versions)
	switch {
	case err != nil:
		faults = append(faults, fault{"versions", err.Error()})
	case !r.All() && w.Package == "":
		faults = append(faults, fault{"versions", "versions needs a package whose versions are meant"})
	case !r.All() && w.purl != nil && w.purl.Version() != "":
		faults = append(faults, fault{"versions", "the package url names a version already: leave one of the two out"})
	case !r.All() && w.purl != nil:
		if err := r.Check(w.purl.Type()); err != nil {
			faults = append(faults, fault{"versions", err.Error()})
		}
	}
	w.versions = r
	return faults
}

func (w *Waiver) checkGlobs() []fault {
	var faults []fault
	for _, g := range []struct{ key, value string }{{"path", w.Path}, {"image", w.Image}, {"object", w.Object}} {
		if g.value != "" && !doublestar.ValidatePattern(g.value) {
			faults = append(faults, fault{g.key, fmt.Sprintf("%s %q is no valid glob", g.key, g.value)})
		}
	}
	if strings.HasPrefix(w.Path, "./") || slices.Contains(strings.Split(w.Path, "/"), "..") || strings.Contains(w.Path, `\`) {
		faults = append(faults, fault{"path", fmt.Sprintf(
			"path %q: write it relative to the root of the repository, or absolute inside the image, with forward slashes", w.Path)})
	}
	return faults
}

func (w *Waiver) checkDays(created, expires string) []fault {
	var faults []fault
	for _, d := range []struct {
		key, value string
		into       *time.Time
	}{{"created", created, &w.Created}, {"expires", expires, &w.Expires}} {
		if d.value == "" {
			faults = append(faults, fault{d.key, d.key + " is missing: a day such as 2026-12-31"})
			continue
		}
		day, err := time.Parse(time.DateOnly, strings.TrimSpace(d.value))
		if err != nil {
			faults = append(faults, fault{d.key, fmt.Sprintf("%s is %q: expected a day such as 2026-12-31", d.key, d.value)})
			continue
		}
		*d.into = day
	}
	if len(faults) == 0 && w.Expires.Before(w.Created) {
		faults = append(faults, fault{"expires", fmt.Sprintf("it expires on %s, before it was created on %s", expires, created)})
	}
	return faults
}
