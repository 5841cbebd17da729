package discover

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/portcullis-ci/portcullis/internal/detect/dockerfile"
)

// composeFile is what matters of a Compose file.
// https://github.com/compose-spec/compose-spec/blob/main/build.md
type composeFile struct {
	Services map[string]struct {
		Build yaml.Node `yaml:"build"`
	} `yaml:"services"`
}

type composeBuild struct {
	Context            string         `yaml:"context"`
	Dockerfile         string         `yaml:"dockerfile"`
	Inline             yaml.Node      `yaml:"dockerfile_inline"`
	Args               yaml.Node      `yaml:"args"`
	Target             string         `yaml:"target"`
	AdditionalContexts yaml.Node      `yaml:"additional_contexts"`
	Rest               map[string]any `yaml:",inline"`
}

// readCompose reads the builds of a Compose file's services.
func readCompose(name string, content []byte) ([]build, error) {
	var file composeFile
	if err := yaml.Unmarshal(content, &file); err != nil {
		return nil, fmt.Errorf("read the Compose file: %w", err)
	}
	var out []build
	for _, service := range slices.Sorted(maps.Keys(file.Services)) {
		s := file.Services[service]
		if s.Build.IsZero() {
			continue
		}
		var b composeBuild
		if s.Build.Kind == yaml.ScalarNode {
			b.Context = s.Build.Value
		} else if err := s.Build.Decode(&b); err != nil {
			return out, fmt.Errorf("read the build of service %s: %w", service, err)
		}
		args, err := composeArgs(&b.Args)
		if err != nil {
			return out, fmt.Errorf("read the build arguments of service %s: %w", service, err)
		}
		if b.Inline.Kind == yaml.ScalarNode {
			out = append(out, build{
				source: name, inline: true,
				file: dockerfile.File{Path: name, Content: inlineText(content, &b.Inline), BuildArgs: args, Target: b.Target},
			})
			continue
		}
		sp := spec{args: args, contexts: keys(&b.AdditionalContexts)}
		var known [3]bool
		sp.context, known[0] = interpolate(b.Context)
		sp.dockerfile, known[1] = interpolate(b.Dockerfile)
		sp.target, known[2] = interpolate(b.Target)
		if known != [3]bool{true, true, true} {
			continue // only who runs Compose knows what is built
		}
		if joined, ok := sp.build(name); ok {
			out = append(out, joined)
		}
	}
	return out, nil
}

// keys are the names in a mapping, or in a list of name=value.
func keys(n *yaml.Node) []string {
	var out []string
	for i, item := range n.Content {
		switch {
		case n.Kind == yaml.MappingNode && i%2 == 0:
			out = append(out, item.Value)
		case n.Kind == yaml.SequenceNode:
			name, _, _ := strings.Cut(item.Value, "=")
			out = append(out, name)
		}
	}
	return out
}

// composeArgs reads build arguments, a mapping or a list of NAME=value. Those
// whose value comes from the environment are left out: they are not known.
func composeArgs(n *yaml.Node) (map[string]string, error) {
	args := make(map[string]string)
	put := func(key, value string, known bool) {
		if text, resolved := interpolate(value); known && resolved {
			args[key] = text
		}
	}
	switch n.Kind {
	case 0, yaml.AliasNode:
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			put(n.Content[i].Value, n.Content[i+1].Value, n.Content[i+1].Tag != "!!null")
		}
	case yaml.SequenceNode:
		for _, item := range n.Content {
			key, value, known := strings.Cut(item.Value, "=")
			put(key, value, known)
		}
	default:
		return nil, fmt.Errorf("line %d: neither a mapping nor a list", n.Line)
	}
	return args, nil
}

var composeVariable = regexp.MustCompile(`\$\$|\$\{[A-Za-z_][A-Za-z0-9_]*:?-[^}]*\}|\$`)

// interpolate replaces variables by their defaults and $$ by a dollar sign. It
// reports false when a variable has no default: its value is in the
// environment of who runs Compose.
func interpolate(s string) (string, bool) {
	known := true
	s = composeVariable.ReplaceAllStringFunc(s, func(m string) string {
		switch {
		case m == "$$":
			return "$"
		case m == "$":
			known = false
			return m
		}
		return m[strings.IndexByte(m, '-')+1 : len(m)-1]
	})
	return s, known
}

// inlineText is the text of an inline Dockerfile with as many blank lines in
// front that its lines have the numbers of the Compose file's lines. Text in a
// literal block keeps its indentation, so that the columns agree as well;
// here-documents do not stand indentation, so theirs is taken off.
func inlineText(content []byte, n *yaml.Node) []byte {
	if n.Style&yaml.LiteralStyle == 0 || strings.Contains(n.Value, "<<") {
		lines := n.Line - 1
		if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
			lines = n.Line
		}
		return []byte(strings.Repeat("\n", lines) + n.Value)
	}
	all := strings.Split(string(content), "\n")
	count := strings.Count(strings.TrimRight(n.Value, "\n"), "\n") + 1
	end := min(n.Line+count, len(all))
	return []byte(strings.Repeat("\n", n.Line) + strings.Join(all[n.Line:end], "\n") + "\n")
}
