package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// CheckRules holds the names under rules against those that are known: ids and
// aliases, in any letter case. The error names every unknown one with its
// place. Only who knows the catalogue can call it, so decoding does not.
func (c Config) CheckRules(known []string) error {
	lower := make([]string, len(known))
	for i, name := range known {
		lower[i] = strings.ToLower(name)
	}
	var errs []error
	for _, r := range c.Rules {
		if slices.Contains(lower, strings.ToLower(r.Name)) {
			continue
		}
		hint := ""
		if near, ok := nearest(r.Name, lower); ok {
			hint = fmt.Sprintf("; did you mean %q?", known[slices.Index(lower, near)])
		}
		errs = append(errs, fmt.Errorf("%s:%d:%d: rules: no rule is called %q%s", r.Source.Name, r.Source.Line, r.Source.Column, r.Name, hint))
	}
	return errors.Join(errs...)
}
