package match

import (
	"errors"
	"fmt"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/advisory/ecosystem"
)

// Range is a set of versions: alternatives, each a list of bounds that must
// all hold. The bounds are compared by the rules of the package's ecosystem.
type Range struct {
	text         string
	alternatives [][]bound
}

type bound struct{ operator, version string }

// operators in the order in which they are tried.
var operators = []string{"<=", ">=", "==", "<", ">", "="}

// maxBounds is the number of bounds that a range may have; a person writes a
// handful.
const maxBounds = 64

// ParseRange reads a version range such as ">=1.2 <1.4 || =2.0": bounds
// separated by blanks or commas, alternatives by ||. A version without an
// operator means that version alone. The empty text means every version.
func ParseRange(text string) (Range, error) {
	r := Range{text: text}
	if strings.TrimSpace(text) == "" {
		return r, nil
	}
	n := 0
	for _, alternative := range strings.Split(text, "||") {
		bounds, err := parseBounds(alternative)
		if err != nil {
			return Range{}, fmt.Errorf("version range %q: %w", text, err)
		}
		if n += len(bounds); n > maxBounds {
			return Range{}, fmt.Errorf("version range %q has more than %d bounds", text, maxBounds)
		}
		r.alternatives = append(r.alternatives, bounds)
	}
	return r, nil
}

func parseBounds(text string) ([]bound, error) {
	var bounds []bound
	words := strings.FieldsFunc(text, func(c rune) bool { return c == ' ' || c == ',' || c == '\t' })
	operator := ""
	for _, word := range words {
		for _, op := range operators {
			if rest, ok := strings.CutPrefix(word, op); ok && operator == "" {
				operator, word = op, rest
				break
			}
		}
		if word == "" { // the version is the next word
			continue
		}
		if !strings.ContainsAny(word, "0123456789") || strings.ContainsAny(word, "<>=|*^") {
			return nil, fmt.Errorf("%q is no version; write bounds such as >=1.2 <1.4", word)
		}
		bounds = append(bounds, bound{operator, word})
		operator = ""
	}
	if operator != "" {
		return nil, fmt.Errorf("no version after %q", operator)
	}
	if len(bounds) == 0 {
		return nil, errors.New("an alternative is empty")
	}
	return bounds, nil
}

// String returns the range as it was written.
func (r Range) String() string { return r.text }

// All reports whether the range is empty, which means every version.
func (r Range) All() bool { return len(r.alternatives) == 0 }

// Holds reports whether the version of a package of the given package URL type
// lies in the range. What cannot be compared does not: nobody knows.
func (r Range) Holds(purlType, version string) bool {
	if r.All() {
		return true
	}
	scheme, ok := schemeOf(purlType)
	if !ok {
		return false
	}
	installed, err := scheme.Parse(version)
	if err != nil {
		return false
	}
	for _, bounds := range r.alternatives {
		if holdsAll(scheme, installed, bounds) {
			return true
		}
	}
	return false
}

// Check returns an error if a bound cannot be compared with versions of the
// package URL type.
func (r Range) Check(purlType string) error {
	scheme, ok := schemeOf(purlType)
	if !ok {
		return fmt.Errorf("versions of type %q cannot be compared; leave the range out", purlType)
	}
	for _, bounds := range r.alternatives {
		for _, b := range bounds {
			if _, err := scheme.Bound(b.version); err != nil {
				return err
			}
		}
	}
	return nil
}

func holdsAll(scheme *ecosystem.Scheme, installed ecosystem.Version, bounds []bound) bool {
	for _, b := range bounds {
		v, err := scheme.Bound(b.version)
		if err != nil || !b.admits(installed.Compare(v)) {
			return false
		}
	}
	return true
}

// admits reports whether the bound allows a version that compares like order
// with it.
func (b bound) admits(order int) bool {
	switch b.operator {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	case ">=":
		return order >= 0
	default:
		return order == 0
	}
}

// distributionSchemes are the ecosystems by whose rules packages of the
// operating system types are compared.
var distributionSchemes = map[string]string{"deb": "Debian", "apk": "Alpine", "rpm": "Red Hat"}

func schemeOf(purlType string) (*ecosystem.Scheme, bool) {
	purlType = strings.ToLower(purlType)
	if name, ok := distributionSchemes[purlType]; ok {
		e, ok := ecosystem.ByName(name)
		if !ok {
			return nil, false
		}
		return e.Scheme, true
	}
	e, ok := ecosystem.ByPURLType(purlType)
	if !ok || e.Scheme == nil {
		return nil, false
	}
	return e.Scheme, true
}
