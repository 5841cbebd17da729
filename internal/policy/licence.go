package policy

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/github/go-spdx/v2/spdxexp"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/policy/expression"
)

// judges reports whether the policy says anything about licences.
func (l Licences) judges() bool { return len(l.Allow)+len(l.Deny) > 0 || l.Unknown == Fails }

// LooksAtLicences reports whether what the policy comes to may depend on the
// licences of packages: it judges them, or an expression sees packages.
func (p Policy) LooksAtLicences() bool {
	return p.Licences.judges() || slices.ContainsFunc(slices.Concat(p.Deny, p.Warn), func(e Expression) bool {
		return strings.Contains(e.Text, "packages") || strings.Contains(e.Text, expression.EachPackage)
	})
}

// licenceClauses demand that each package may be used under licences that are
// accepted, and that it has one that can be read.
func (p Policy) licenceClauses(in Input) []judged {
	var denied, unknown []string
	for _, pkg := range in.Packages {
		if anyLike(p.Licences.Ignore, pkg.Name, pkg.PURL) {
			continue
		}
		refused, unread := p.Licences.judge(pkg)
		if refused != "" {
			denied = append(denied, packageName(pkg)+": "+refused)
		}
		if unread != "" {
			unknown = append(unknown, packageName(pkg)+": "+unread)
		}
	}
	// A package that several platforms have is told once.
	denied, unknown = slices.Compact(denied), slices.Compact(unknown)
	clauses := []judged{in.needs(judged{
		clause: subjects(outcome.Clause{Name: "licences", Demand: p.Licences.demand()}, denied),
		code:   exit.PolicyBroken,
	}, NoPackages)}
	if p.Licences.Unknown != Passes {
		c := subjects(outcome.Clause{Name: "licences.unknown", Demand: "each package has a licence that can be read"}, unknown)
		clauses = append(clauses, in.needs(withEffect(c, p.Licences.Unknown), NoPackages))
	}
	return clauses
}

func (l Licences) demand() string {
	words := ""
	if len(l.Allow) > 0 {
		words = "licences are among: " + strings.Join(l.Allow, ", ")
	}
	if len(l.Deny) > 0 {
		words = join(words, "; ", "licences are not among: "+strings.Join(l.Deny, ", "))
	}
	if words == "" {
		return "no licence is refused"
	}
	return words
}

// subjects breaks a clause with the given subjects, if there are any.
func subjects(c outcome.Clause, list []string) outcome.Clause {
	if len(list) > 0 {
		c.Broken, c.Subjects = true, list
		c.Reason = fmt.Sprintf("%s: %s", plural(len(list), "package breaks it", "packages break it"), someOf(list))
	}
	return c
}

// judge returns what is refused of a package's licences and what cannot be
// read. A package with several licences is under all of them.
func (l Licences) judge(pkg inventory.Package) (refused, unread string) {
	if len(pkg.Licenses) == 0 {
		return "", "no licence is recorded"
	}
	for _, text := range pkg.Licenses {
		accepted, err := l.accepts(text)
		switch {
		case err != nil && anyLikeFold(l.Deny, text):
			refused = join(refused, ", ", cmp.Or(text, "an empty licence"))
		case err != nil && anyLikeFold(l.Allow, text):
		case err != nil:
			unread = join(unread, ", ", cmp.Or(text, "an empty licence"))
		case !accepted:
			refused = join(refused, ", ", text)
		}
	}
	return refused, unread
}

// accepts reports whether the licence expression offers a choice in which
// every licence is accepted. The library checks the expression; its own answer
// would expand all choices, whose number an author can make astronomical.
// https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/
func (l Licences) accepts(expression string) (bool, error) {
	if len(expression) > maxLicence {
		return false, fmt.Errorf("licence expression of %d bytes", len(expression))
	}
	if _, err := licencesIn(expression); err != nil {
		return false, err
	}
	spaced := strings.NewReplacer("(", " ( ", ")", " ) ").Replace(expression)
	choice := choice{words: strings.Fields(spaced), accepts: l.acceptsLicence}
	accepted := choice.anyOf()
	if choice.broken || len(choice.words) > 0 {
		// The library is content with operators that are glued to their licence.
		return false, fmt.Errorf("licence %q: no licence expression", expression)
	}
	return accepted, nil
}

// licencesIn returns the ids in a licence expression. The library panics on
// some broken expressions, such as brackets that are never closed; for whoever
// reads foreign packages that is one more expression that cannot be read.
func licencesIn(expression string) (ids []string, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			ids, err = nil, fmt.Errorf("licence %q: %v", expression, cause)
		}
	}()
	ids, err = spdxexp.ExtractLicenses(expression)
	if err == nil && len(ids) == 0 {
		err = errors.New("names no licence")
	}
	if err != nil {
		return nil, fmt.Errorf("licence %q: %w", expression, err)
	}
	return ids, nil
}

// choice evaluates a checked licence expression from left to right.
type choice struct {
	words   []string
	accepts func(licence string) bool
	// broken says that a licence or a bracket was missing.
	broken bool
}

// next takes the next word if it is the wanted operator or bracket.
func (c *choice) next(operator string) bool {
	if len(c.words) > 0 && strings.EqualFold(c.words[0], operator) {
		c.words = c.words[1:]
		return true
	}
	return false
}

func (c *choice) anyOf() bool {
	accepted := c.allOf()
	for c.next("OR") {
		right := c.allOf()
		accepted = accepted || right
	}
	return accepted
}

func (c *choice) allOf() bool {
	accepted := c.one()
	for c.next("AND") {
		right := c.one()
		accepted = accepted && right
	}
	return accepted
}

// one evaluates a group in brackets or a licence with its exception.
func (c *choice) one() bool {
	if c.next("(") {
		accepted := c.anyOf()
		if !c.next(")") {
			c.broken = true
		}
		return accepted
	}
	if len(c.words) == 0 {
		c.broken = true
		return false
	}
	licence := c.words[0]
	c.words = c.words[1:]
	if c.next("WITH") && len(c.words) > 0 {
		licence += " WITH " + c.words[0]
		c.words = c.words[1:]
	}
	return c.accepts(licence)
}

// maxLicence bounds an expression: its author may be hostile, and the longest
// in use have a few hundred bytes.
const maxLicence = 4096

// acceptsLicence judges one licence by its id as written and by the one that
// it has now, such as GPL-2.0-only for GPL-2.0.
func (l Licences) acceptsLicence(id string) bool {
	ids := []string{id}
	if named, err := licencesIn(id); err == nil {
		ids = append(ids, named...)
	}
	return !slices.ContainsFunc(ids, func(id string) bool { return anyLikeFold(l.Deny, id) }) &&
		(len(l.Allow) == 0 || slices.ContainsFunc(ids, func(id string) bool { return anyLikeFold(l.Allow, id) }))
}

func anyLikeFold(patterns []string, text string) bool {
	for _, p := range patterns {
		if like(strings.ToLower(p), strings.ToLower(text)) {
			return true
		}
	}
	return false
}
