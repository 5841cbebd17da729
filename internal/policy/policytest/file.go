// Package policytest runs unit tests of policies: a YAML file names or holds a
// policy, describes findings and what else a run comes to, and says which
// verdict is expected. Nothing is examined. See docs/policy.md for the format.
package policytest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"go.yaml.in/yaml/v3"

	"github.com/portcullis-ci/portcullis/internal/recovered"
)

// file is a file of tests as written.
type file struct {
	Config  string    `yaml:"config"`
	Profile string    `yaml:"profile"`
	Policy  yaml.Node `yaml:"policy"`
	Tests   []test    `yaml:"tests"`
}

// test is one test as written.
type test struct {
	Name      string            `yaml:"name"`
	Profile   string            `yaml:"profile"`
	Policy    yaml.Node         `yaml:"policy"`
	AsOf      string            `yaml:"as-of"`
	LintOnly  bool              `yaml:"lint-only"`
	SBOM      bool              `yaml:"sbom"`
	Findings  []findingFixture  `yaml:"findings"`
	Packages  []packageFixture  `yaml:"packages"`
	Image     *imageFixture     `yaml:"image"`
	Distro    *distroFixture    `yaml:"distribution"`
	Manifests []manifestFixture `yaml:"manifests"`
	Coverage  *coverageFixture  `yaml:"coverage"`
	Sources   []string          `yaml:"sources"`
	Expect    expectation       `yaml:"expect"`

	line int
}

type findingFixture struct {
	ID             string            `yaml:"id"`
	Aliases        []string          `yaml:"aliases"`
	Kind           string            `yaml:"kind"`
	Severity       string            `yaml:"severity"`
	Score          float64           `yaml:"score"`
	EPSS           float64           `yaml:"epss"`
	KnownExploited string            `yaml:"known-exploited"`
	Published      string            `yaml:"published"`
	Package        *packageFixture   `yaml:"package"`
	FixedIn        string            `yaml:"fixed-in"`
	FixState       string            `yaml:"fix-state"`
	Origin         string            `yaml:"origin"`
	Path           string            `yaml:"path"`
	Line           int               `yaml:"line"`
	Object         string            `yaml:"object"`
	Status         string            `yaml:"status"`
	Evidence       map[string]string `yaml:"evidence"`
}

type packageFixture struct {
	Name     string   `yaml:"name"`
	Version  string   `yaml:"version"`
	Type     string   `yaml:"type"`
	PURL     string   `yaml:"purl"`
	Source   string   `yaml:"source"`
	Licences []string `yaml:"licences"`
	Paths    []string `yaml:"paths"`
}

type imageFixture struct {
	Name       string            `yaml:"name"`
	User       string            `yaml:"user"`
	Env        []string          `yaml:"env"`
	Entrypoint []string          `yaml:"entrypoint"`
	Cmd        []string          `yaml:"cmd"`
	Ports      []string          `yaml:"exposed-ports"`
	Labels     map[string]string `yaml:"labels"`
	Created    string            `yaml:"created"`
	Platform   string            `yaml:"platform"`
}

type distroFixture struct {
	ID      string `yaml:"id"`
	Version string `yaml:"version"`
}

type manifestFixture struct {
	Path   string         `yaml:"path"`
	Line   int            `yaml:"line"`
	Object map[string]any `yaml:"object"`
}

type coverageFixture struct {
	Packages int          `yaml:"packages"`
	Assessed int          `yaml:"assessed"`
	Gaps     []gapFixture `yaml:"gaps"`
}

type gapFixture struct {
	Reason   string   `yaml:"reason"`
	Detail   string   `yaml:"detail"`
	Packages []string `yaml:"packages"`
}

// expectation is what must come of a test. What is not written is not checked,
// but for the result.
type expectation struct {
	Result   string    `yaml:"result"`
	ExitCode *int      `yaml:"exit-code"`
	Broken   *[]string `yaml:"broken"`
	Warned   *[]string `yaml:"warned"`
	Findings *[]string `yaml:"findings"`
	Changes  *[]string `yaml:"changes"`
	// Violations are the ids of the policy's own rules that its manifests
	// break, once for each place.
	Violations *[]string `yaml:"violations"`
}

const (
	// maxFile bounds a file of tests in bytes, maxTests the tests in it.
	maxFile  = 4 << 20
	maxTests = 10_000
)

// decode reads a file of tests strictly. Every fault is told with its line.
func decode(name string, content []byte) (f file, err error) {
	defer recovered.As(&err, name)
	if len(content) > maxFile {
		return f, fmt.Errorf("%s: %d bytes, at most %d are read", name, len(content), maxFile)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(content, &root); err != nil {
		return f, fmt.Errorf("%s: %w", name, err)
	}
	if alias := aliased(&root); alias != nil {
		return f, fmt.Errorf("%s:%d:%d: aliases are not read: write the value out", name, alias.Line, alias.Column)
	}
	dec := yaml.NewDecoder(bytes.NewReader(content))
	dec.KnownFields(true)
	if err := dec.Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		return f, placed(name, err)
	}
	if len(f.Tests) == 0 {
		return f, fmt.Errorf("%s: holds no tests", name)
	}
	if len(f.Tests) > maxTests {
		return f, fmt.Errorf("%s: %d tests, at most %d are run", name, len(f.Tests), maxTests)
	}
	f.place(&root)
	return f, f.check(name)
}

func aliased(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n
	}
	for _, child := range n.Content {
		if found := aliased(child); found != nil {
			return found
		}
	}
	return nil
}

// place notes the lines on which the tests stand.
func (f *file) place(root *yaml.Node) {
	if len(root.Content) == 0 {
		return
	}
	top := root.Content[0].Content
	for i := 0; i+1 < len(top); i += 2 {
		if top[i].Value != "tests" {
			continue
		}
		for j, n := range top[i+1].Content {
			if j < len(f.Tests) {
				f.Tests[j].line = n.Line
			}
		}
	}
}

// check reports what decoding cannot see.
func (f file) check(name string) error {
	var errs []error
	fault := func(t test, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s:%d: %w", name, t.line, fmt.Errorf(format, args...)))
	}
	switch {
	case f.Policy.Kind != 0 && f.Config != "":
		errs = append(errs, fmt.Errorf("%s: policy and config are both there: the configuration would not be read", name))
	case f.Profile != "" && f.Config == "":
		errs = append(errs, fmt.Errorf("%s: profile is there without a config that it is one of", name))
	}
	seen := make(map[string]bool)
	for _, t := range f.Tests {
		switch {
		case t.Name == "":
			fault(t, "a test needs a name")
		case seen[t.Name]:
			fault(t, "the name %q is there twice", t.Name)
		case t.Policy.Kind == 0 && f.Policy.Kind == 0 && f.Config == "":
			fault(t, "test %q has no policy: write policy here, or policy or config at the top", t.Name)
		case t.Policy.Kind != 0 && t.Profile != "":
			fault(t, "test %q has a policy and a profile: a profile is one of a config", t.Name)
		case t.Profile != "" && f.Config == "":
			fault(t, "test %q has a profile, and there is no config at the top that it is one of", t.Name)
		case !slices.Contains([]string{"pass", "fail", "incomplete"}, t.Expect.Result):
			fault(t, "test %q: expect.result is %q: expected pass, fail or incomplete", t.Name, t.Expect.Result)
		}
		seen[t.Name] = true
	}
	return errors.Join(errs...)
}

var (
	faultLine    = regexp.MustCompile(`^line (\d+): (.*)$`)
	unknownField = regexp.MustCompile(`^field (\S+) not found in type \S+$`)
)

// placed words the faults that the YAML library finds.
func placed(name string, err error) error {
	var typeError *yaml.TypeError
	if !errors.As(err, &typeError) {
		return fmt.Errorf("%s: %w", name, err)
	}
	var errs []error
	for _, text := range typeError.Errors {
		m := faultLine.FindStringSubmatch(text)
		if m == nil {
			errs = append(errs, fmt.Errorf("%s: %s", name, text))
			continue
		}
		if field := unknownField.FindStringSubmatch(m[2]); field != nil {
			m[2] = fmt.Sprintf("unknown key %q%s", field[1], suggestion(field[1]))
		}
		errs = append(errs, fmt.Errorf("%s:%s: %s", name, m[1], m[2]))
	}
	return errors.Join(errs...)
}

// words are the keys of the format.
var words = strings.Fields(`config profile policy tests name as-of lint-only sbom findings packages image distribution
	manifests coverage sources expect id aliases kind severity score epss known-exploited published package fixed-in fix-state
	origin path line object status evidence version type purl source licences paths user env entrypoint cmd exposed-ports labels
	created platform assessed gaps reason detail result exit-code broken warned changes violations`)

func suggestion(word string) string {
	best, most := "", 0.5
	for _, w := range words {
		if s := levenshtein.Similarity(word, w, nil); s > most {
			best, most = w, s
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}
