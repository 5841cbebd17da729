package dockerfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/recovered"
)

// Hadolint is the content of a .hadolint.yaml as far as it has a meaning here.
// https://github.com/hadolint/hadolint#configure
type Hadolint struct {
	// Path is where it was read.
	Path string `yaml:"-"`
	// Ignored are rules whose findings do not count.
	Ignored  []string `yaml:"ignored"`
	Override struct {
		Error   []string `yaml:"error"`
		Warning []string `yaml:"warning"`
		Info    []string `yaml:"info"`
		Style   []string `yaml:"style"`
	} `yaml:"override"`
	// FailureThreshold is error, warning, info, style, ignore or none.
	FailureThreshold  string            `yaml:"failure-threshold"`
	TrustedRegistries []string          `yaml:"trustedRegistries"`
	LabelSchema       map[string]string `yaml:"label-schema"`
	StrictLabels      bool              `yaml:"strict-labels"`
	NoFail            bool              `yaml:"no-fail"`
	// DisableIgnorePragma makes ignore comments void.
	DisableIgnorePragma bool `yaml:"disable-ignore-pragma"`
	// Unknown are keys that hadolint passes over without a word, and those
	// that have no meaning here (format, no-color, verbose).
	Unknown []string `yaml:"-"`

	// reasons are the comments at what a policy may want a reason for.
	reasons map[string]string
	// raises are overrides that must not lower a severity.
	raises []override
	// registriesGiveWay and labelsGiveWay say that those of the variables
	// replace the file's.
	registriesGiveWay, labelsGiveWay bool
}

// HadolintPaths are the files that hadolint looks for, in its order: in the
// working directory, then in the user's configuration and home directories.
// Empty directories are left out.
func HadolintPaths(dir, xdgConfig, home string) []string {
	var out []string
	add := func(dir string, names ...string) {
		for _, n := range names {
			if dir != "" {
				out = append(out, filepath.Join(dir, n))
			}
		}
	}
	add(dir, ".hadolint.yaml", ".hadolint.yml")
	add(xdgConfig, "hadolint.yaml", "hadolint.yml")
	if home != "" && xdgConfig == "" {
		add(filepath.Join(home, ".config"), "hadolint.yaml", "hadolint.yml")
	}
	add(home, ".hadolint.yaml", ".hadolint.yml", filepath.Join("hadolint", "config.yaml"))
	return out
}

var hadolintKeys = set("ignored", "override", "failure-threshold", "trustedRegistries", "label-schema", "strict-labels",
	"no-fail", "disable-ignore-pragma")

// ParseHadolint reads a .hadolint.yaml. A file that cannot be read as one is
// an error with exit code 2, since linting on with another configuration than
// the user's would pass what they forbid.
func ParseHadolint(path string, content []byte) (Hadolint, error) {
	return readHadolint(path, bytes.NewReader(content))
}

func readHadolint(path string, in io.Reader) (h Hadolint, err error) {
	h = Hadolint{Path: path}
	fail := func(err error) (Hadolint, error) {
		return Hadolint{}, &exit.Error{
			Code: exit.Usage, Doing: "read hadolint configuration " + path, Hint: "mend the file, or remove it", Err: err,
		}
	}
	var broken error
	defer func() {
		if broken != nil {
			h, err = fail(broken)
		}
	}()
	defer recovered.As(&broken, "read YAML")
	decoder := yaml.NewDecoder(in)
	var doc yaml.Node
	if err := decoder.Decode(&doc); errors.Is(err, io.EOF) {
		return h, nil
	} else if err != nil {
		return fail(err)
	}
	if root := doc.Content[0]; root.Kind != yaml.MappingNode && root.Tag != "!!null" {
		return fail(fmt.Errorf("line %d: expected keys and values", root.Line))
	}
	if err := doc.Decode(&h); err != nil {
		return fail(err)
	}
	eachKey(doc.Content[0], func(key, _ *yaml.Node) {
		if !hadolintKeys[key.Value] {
			h.Unknown = append(h.Unknown, key.Value)
		}
	})
	h.reasons = readReasons(doc.Content[0])
	if _, _, err := h.Threshold(); err != nil {
		return fail(err)
	}
	for label, kind := range h.LabelSchema {
		if !labelKinds[strings.ToLower(kind)] {
			return fail(fmt.Errorf("label-schema: %s has the unknown type %q", label, kind))
		}
		h.LabelSchema[label] = normalKind(kind)
	}
	return h, nil
}

var labelKinds = set("text", "rawtext", "url", "semver", "hash", "git-hash", "rfc3339", "spdx", "email", "")

func normalKind(kind string) string {
	switch kind = strings.ToLower(kind); kind {
	case "rawtext", "":
		return "text"
	case "git-hash":
		return "hash"
	}
	return kind
}

// HadolintEnv lays the HADOLINT_* variables over a configuration. Each entry
// of environ is NAME=value.
func HadolintEnv(h Hadolint, environ []string) (Hadolint, error) {
	list := func(v string) []string {
		return slices.DeleteFunc(strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' || r == ';' }), func(s string) bool { return s == "" })
	}
	for _, kv := range environ {
		name, v, _ := strings.Cut(kv, "=")
		switch name {
		case "HADOLINT_IGNORE":
			h.Ignored = append(h.Ignored, list(v)...)
		case "HADOLINT_OVERRIDE_ERROR":
			h.Override.Error = append(h.Override.Error, list(v)...)
		case "HADOLINT_OVERRIDE_WARNING":
			h.Override.Warning = append(h.Override.Warning, list(v)...)
		case "HADOLINT_OVERRIDE_INFO":
			h.Override.Info = append(h.Override.Info, list(v)...)
		case "HADOLINT_OVERRIDE_STYLE":
			h.Override.Style = append(h.Override.Style, list(v)...)
		case "HADOLINT_TRUSTED_REGISTRIES":
			if h.registriesGiveWay {
				h.TrustedRegistries = nil
			}
			h.TrustedRegistries = append(h.TrustedRegistries, list(v)...)
		case "HADOLINT_FAILURE_THRESHOLD":
			h.FailureThreshold = v
		case "HADOLINT_STRICT_LABELS":
			h.StrictLabels = on(v)
		case "HADOLINT_DISABLE_IGNORE_PRAGMA":
			h.DisableIgnorePragma = on(v)
		case "HADOLINT_NOFAIL":
			h.NoFail = on(v)
		case "HADOLINT_REQUIRE_LABELS":
			labels := make(map[string]string, len(h.LabelSchema))
			if !h.labelsGiveWay {
				maps.Copy(labels, h.LabelSchema)
			}
			for _, pair := range list(v) {
				label, kind, _ := strings.Cut(pair, ":")
				if !labelKinds[strings.ToLower(kind)] {
					return h, &exit.Error{Code: exit.Usage, Doing: "read HADOLINT_REQUIRE_LABELS", Err: fmt.Errorf("%s has the unknown type %q", label, kind)}
				}
				labels[label] = normalKind(kind)
			}
			h.LabelSchema = labels
		}
	}
	if _, _, err := h.Threshold(); err != nil {
		return h, &exit.Error{Code: exit.Usage, Doing: "read HADOLINT_FAILURE_THRESHOLD", Err: err}
	}
	return h, nil
}

// Threshold is the severity from which on hadolint would fail; false when it
// would never. hadolint's default is info.
func (h Hadolint) Threshold() (finding.Severity, bool, error) {
	switch strings.ToLower(h.FailureThreshold) {
	case "error":
		return finding.High, !h.NoFail, nil
	case "warning":
		return finding.Medium, !h.NoFail, nil
	case "info", "style", "":
		return finding.Info, !h.NoFail, nil
	case "ignore", "none":
		return finding.Unknown, false, nil
	}
	return finding.Unknown, false, fmt.Errorf("unknown failure-threshold %q: expected error, warning, info, style, ignore or none", h.FailureThreshold)
}

// override is a severity with the rules that get it.
type override struct {
	names    []string
	severity finding.Severity
}

// overrides are in the order in which they count.
func (h Hadolint) overrides() []override {
	return []override{
		{h.Override.Style, finding.Info}, {h.Override.Info, finding.Info}, {h.Override.Warning, finding.Medium}, {h.Override.Error, finding.High},
	}
}

// source names the configuration; the folder of a file would differ from machine
// to machine.
func (h Hadolint) source() string {
	if h.Path == "" {
		return "hadolint's variables"
	}
	return filepath.Base(h.Path)
}

// Apply lays the configuration over options of the linter.
func (h Hadolint) Apply(o Options) Options {
	ignored := make(map[string]string, len(o.Ignore)+len(h.Ignored))
	maps.Copy(ignored, o.Ignore)
	for _, name := range h.Ignored {
		ignored[name] = h.ignoredBy(name)
	}
	o.Ignore = ignored
	levels := make(map[string]Level, len(o.Severity))
	maps.Copy(levels, o.Severity)
	lay := func(parts []override, onlyRaise bool) {
		for _, part := range parts {
			for _, name := range part.names {
				levels[name] = Level{Severity: part.severity, Source: h.source(), OnlyRaise: onlyRaise}
				o.Enable = append(slices.Clone(o.Enable), name) // hadolint runs what is given a severity
			}
		}
	}
	lay(h.raises, true)
	lay(h.overrides(), false)
	o.Severity = levels
	if len(h.TrustedRegistries) > 0 {
		o.TrustedRegistries = h.TrustedRegistries
	}
	if len(h.LabelSchema) > 0 {
		o.LabelSchema = h.LabelSchema
	}
	o.StrictLabels = o.StrictLabels || h.StrictLabels
	o.Inline.Disallow = o.Inline.Disallow || h.DisableIgnorePragma
	return o
}
