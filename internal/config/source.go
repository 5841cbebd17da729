package config

import (
	"fmt"
	"maps"
	"path/filepath"
)

// SourceKind is the sort of a Source.
type SourceKind string

// The kinds of sources, from the weakest to the strongest.
const (
	FromDefault     SourceKind = "default"
	FromFile        SourceKind = "file"
	FromEnvironment SourceKind = "environment"
	FromFlag        SourceKind = "flag"
)

// Source is where a value comes from.
type Source struct {
	Kind SourceKind
	// Name is the file, the environment variable or the flag.
	Name string
	// Line and Column are the place in a file, from 1.
	Line, Column int
	// Profile is the profile in the file that says so; empty for none.
	Profile string
}

// String returns the source as it is shown behind a value.
func (s Source) String() string {
	switch s.Kind {
	case "", FromDefault:
		return "default"
	case FromFile:
		place := fmt.Sprintf("%s:%d", s.Name, s.Line)
		if s.Profile != "" {
			place += " (profile " + s.Profile + ")"
		}
		return place
	default:
		return s.Name
	}
}

// note records where the value of a key comes from.
func (c *Config) note(path string, s Source) {
	c.Sources = maps.Clone(c.Sources)
	if c.Sources == nil {
		c.Sources = make(map[string]Source)
	}
	c.Sources[path] = s
}

// Resolve returns the path under a key such as waivers.file as a path for the
// working directory: one from a file is relative to that file, wherever it was
// found; one from a flag or the environment is as given.
func (c Config) Resolve(key, path string) string {
	s := c.Sources[key]
	if s.Kind != FromFile || filepath.IsAbs(path) || ociReference.MatchString(s.Name) {
		return path
	}
	return filepath.Join(filepath.Dir(s.Name), filepath.FromSlash(path))
}
