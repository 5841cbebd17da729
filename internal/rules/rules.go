// Package rules holds the Rule type, everything a person needs to know about
// one check, and the catalogue that the pages, `portcullis explain` and the
// SARIF help are made from. It is a leaf: checks live beside the detectors
// that run them, and the list of all rules is assembled in package cli.
package rules

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// Rule describes one check in full. Detectors embed it in their own rule type
// next to the check function.
type Rule struct {
	// ID is unique, stable and never reused: PC-DF001, k8s-privileged …
	ID string
	// Aliases are the ids that other tools use for the same check, so that
	// their ignore comments and configuration go on working: DL3002, DS-0002,
	// CKV_DOCKER_8. Without prefix for the tool; sorted by tool's own habit.
	Aliases []string
	// Kind is the kind of the findings that the rule makes.
	Kind finding.Kind
	// Title is the problem in a few words, without a full stop.
	Title string
	// Severity is the default severity.
	Severity finding.Severity
	// Since is the first release that has the rule, such as 0.1.
	Since string
	// Why tells what goes wrong if nothing is done; Fix what to do; and
	// WhenToIgnore in which cases a waiver is reasonable. Markdown paragraphs.
	Why          string
	Fix          string
	WhenToIgnore string
	// References are https links to standards and documentation.
	References []string
	// Tags are SARIF tags besides "security": external/cwe/cwe-250, CIS ids …
	Tags []string
	// Bad is a minimal example on which exactly this rule fires, Good one on
	// which no rule fires. Language names their syntax for code fences.
	Bad      string
	Good     string
	Language string
	// Sensitive marks rules whose findings point at a secret: reports must not
	// show the text there.
	Sensitive bool
	// Off marks rules that run only when the configuration asks for them.
	Off bool
}

var idPattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*$`)

// Validate reports what is missing from a rule.
func (r Rule) Validate() error {
	switch {
	case !idPattern.MatchString(r.ID):
		return fmt.Errorf("rule id %q does not match %s", r.ID, idPattern)
	case r.Kind == "":
		return fmt.Errorf("rule %s: no kind", r.ID)
	case r.Title == "" || r.Why == "" || r.Fix == "":
		return fmt.Errorf("rule %s: title, why and fix must not be empty", r.ID)
	case strings.HasSuffix(r.Title, "."):
		return fmt.Errorf("rule %s: title ends with a full stop", r.ID)
	case r.Since == "":
		return fmt.Errorf("rule %s: no release named in Since", r.ID)
	case r.Bad == "" || r.Good == "":
		return fmt.Errorf("rule %s: a bad and a good example are needed", r.ID)
	}
	for _, ref := range r.References {
		if !strings.HasPrefix(ref, "https://") {
			return fmt.Errorf("rule %s: reference %q is not an https link", r.ID, ref)
		}
	}
	return nil
}

// Catalogue is a checked set of rules in the order of their ids.
type Catalogue struct {
	rules  []Rule
	byName map[string]int
}

// NewCatalogue joins the given families of rules. It fails when a rule is not
// valid or two rules share an id; aliases may be shared, the first wins.
func NewCatalogue(families ...[]Rule) (Catalogue, error) {
	c := Catalogue{byName: make(map[string]int)}
	for _, family := range families {
		c.rules = append(c.rules, family...)
	}
	slices.SortStableFunc(c.rules, func(a, b Rule) int { return cmp.Compare(a.ID, b.ID) })
	var errs []error
	for i, r := range c.rules {
		errs = append(errs, r.Validate())
		key := strings.ToLower(r.ID)
		if _, taken := c.byName[key]; taken {
			errs = append(errs, fmt.Errorf("rule id %s is used twice", r.ID))
		}
		c.byName[key] = i
	}
	for i, r := range c.rules {
		for _, alias := range r.Aliases {
			key := strings.ToLower(alias)
			if _, taken := c.byName[key]; !taken {
				c.byName[key] = i
			}
		}
	}
	return c, errors.Join(errs...)
}

// All returns the rules in the order of their ids. The caller must not change
// the slice.
func (c Catalogue) All() []Rule { return c.rules }

// Mapped returns the rules with a mapping of the given name, in any letter
// case: a standard ("cis", "nsa", "pss"), a part of it ("cis-5.2",
// "pss-baseline"), a technique of ATT&CK with those below it ("T1552"), a
// weakness ("cwe-250"), or a set ("reliability").
func (c Catalogue) Mapped(name string) []Rule {
	var mapped []Rule
	for _, r := range c.rules {
		if slices.ContainsFunc(r.Tags, func(tag string) bool { return mapsTo(tag, name) }) {
			mapped = append(mapped, r)
		}
	}
	return mapped
}

// mapsTo reports whether a tag is the name or something below it.
func mapsTo(tag, name string) bool {
	tag, name = strings.ToLower(path.Base(tag)), strings.ToLower(name)
	rest, ok := strings.CutPrefix(tag, name)
	return ok && name != "" && (rest == "" || rest[0] == '-' || rest[0] == '.')
}

// Find looks a rule up by id or alias in any letter case.
func (c Catalogue) Find(name string) (Rule, bool) {
	i, ok := c.byName[strings.ToLower(strings.TrimSpace(name))]
	if !ok {
		return Rule{}, false
	}
	return c.rules[i], true
}
