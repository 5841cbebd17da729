package config

import (
	"fmt"
	"maps"
	"os"
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

// Given reports whether somebody has said what the key's value is, be it the
// default's own.
func (c Config) Given(path string) bool {
	kind := c.Sources[path].Kind
	return kind != "" && kind != FromDefault
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

// WaiversPath is Waivers.File as a path for the working directory; empty where
// none is named.
func (c Config) WaiversPath() string { return c.named("waivers.file", c.Waivers.File) }

// VEXPaths are the files under VEX as paths for the working directory.
func (c Config) VEXPaths() []string {
	var paths []string
	for _, path := range c.VEX {
		paths = append(paths, c.Resolve("vex", path))
	}
	return paths
}

// BaselinePath is Baseline for the working directory where it is a file that is
// there; an image's reference stays as written.
func (c Config) BaselinePath() string {
	path := c.named("baseline", c.Baseline)
	if _, err := os.Stat(path); err == nil || filepath.Ext(path) == ".json" {
		return path
	}
	return c.Baseline
}

func (c Config) named(key, path string) string {
	if path == "" {
		return ""
	}
	return c.Resolve(key, path)
}
