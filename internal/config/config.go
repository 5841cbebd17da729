// Package config reads .portcullis.yaml: it decodes strictly, so that a
// misspelt key is an error with its line and not a gate that silently checks
// less than its owner thinks. It holds values as written and their defaults;
// what they mean for the verdict is package policy's business.
package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/outcome"
)

// FileName is the name of the configuration file that is looked for when none
// is given.
const FileName = ".portcullis.yaml"

// Config is the effective configuration of a run.
type Config struct {
	// FailOn is the lowest severity that fails the gate; nil means that no
	// finding does (fail-on: none).
	FailOn *finding.Severity
	// OnlyFixed limits the gate, never the report, to findings for which a fix
	// exists.
	OnlyFixed bool
	// UnknownSeverityPasses lets findings of unknown severity pass. By default
	// they count like FailOn itself: nobody has said that they are harmless.
	UnknownSeverityPasses bool
	// CoverageMinimum is the percentage of packages (0 to 100) that must have
	// been assessed.
	CoverageMinimum float64
	// CoverageAllow are the reasons for which packages may stay unassessed
	// without making the verdict incomplete.
	CoverageAllow []outcome.Reason
	// DatabasePath is the directory of the advisory database.
	DatabasePath string
	// DatabaseMaxAge is how old the database may be; zero means any age.
	DatabaseMaxAge time.Duration
}

// Default returns the configuration of a run for which nobody has said
// anything.
func Default() Config {
	high := finding.High
	return Config{FailOn: &high, DatabaseMaxAge: 7 * 24 * time.Hour}
}

// ParseFailOn reads the value of fail-on: a severity from info to critical, or
// none, which gives nil.
func ParseFailOn(value string) (*finding.Severity, error) {
	if value == "none" {
		return nil, nil
	}
	s, err := finding.ParseSeverity(value)
	if err != nil || s == finding.Unknown {
		return nil, fmt.Errorf("fail-on is %q: expected none, info, low, medium, high or critical", value)
	}
	return &s, nil
}

// Load reads the file at path. An empty path means that the file is optional
// and looked for in dir and its parents up to the repository root (the folder
// that holds .git); then a missing file gives the defaults and the name "".
// Otherwise the name of the file that was read is returned. All errors are
// usage errors.
func Load(dir, path string) (Config, string, error) {
	if path == "" {
		path = find(dir)
		if path == "" {
			return Default(), "", nil
		}
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return Config{}, path, &exit.Error{
			Code: exit.Usage, Doing: "read the configuration " + path, Err: unwrapPath(err),
			Hint: "name an existing file with --config, or leave the flag out to use the defaults",
		}
	}
	c, err := Decode(path, content)
	if err != nil {
		return Config{}, path, &exit.Error{
			Code: exit.Usage, Doing: "read the configuration", Err: err,
			Hint: "the keys are described in docs/configuration.md",
		}
	}
	return c, path, nil
}

// find walks up from dir and returns the first configuration file, or "".
func find(dir string) string {
	for {
		candidate := filepath.Join(dir, FileName)
		if info, err := os.Stat(candidate); err == nil && info.Mode().IsRegular() {
			return candidate
		}
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return ""
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

// unwrapPath drops the path from an error of package os, since the message
// names it already.
func unwrapPath(err error) error {
	var pathErr *os.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}
