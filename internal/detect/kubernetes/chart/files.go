package chart

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/portcullis-ci/portcullis/internal/manifest"
)

// Other is a file of a chart that is no manifest, template or values file:
// templates may ask for any of them.
type Other struct {
	// Path is like those of the files.
	Path string
	// Read returns the content, or why it is not read.
	Read func() ([]byte, error)
}

// The limits of what is read for templates that ask for files: bytes of one,
// which is what Helm takes, and of all of a chart.
const (
	maxOther  = 5 << 20
	maxOthers = 32 << 20
)

// unreadMark is how the content of a file begins that was not read; the reason
// follows. No YAML comes of a template that writes it out.
const unreadMark = "\x00not read\x00"

// withOthers adds the other files of a chart if a template may ask for them.
func withOthers(dir string, files []manifest.File, others []Other, rules *ignored) []manifest.File {
	asked := func(f manifest.File) bool { return bytes.Contains(f.Content, []byte("Files")) }
	if !slices.ContainsFunc(files, asked) {
		return files
	}
	files = slices.Clip(files)
	others = slices.SortedFunc(slices.Values(others), func(a, b Other) int { return strings.Compare(a.Path, b.Path) })
	left := maxOthers
	for _, o := range others {
		if !inside(o.Path, dir) || rules.holds(o.Path) {
			continue
		}
		content, err := o.Read()
		switch {
		case err != nil:
		case len(content) > maxOther:
			err = fmt.Errorf("is over the limit of %d MiB", maxOther>>20)
		case len(content) > left:
			err = fmt.Errorf("is not read, since the files of the chart are over the limit of %d MiB", maxOthers>>20)
		default:
			left -= len(content)
		}
		if err != nil {
			content = []byte(unreadMark + err.Error())
		}
		files = append(files, manifest.File{Path: o.Path, Content: content})
	}
	return files
}

func inside(name, dir string) bool {
	return dir == "." || strings.HasPrefix(name, strings.TrimSuffix(dir, "/")+"/")
}

// chartFiles are the files of a chart that are no templates, as .Files.
// https://helm.sh/docs/chart_template_guide/accessing_files/
type chartFiles map[string][]byte

// Get returns a file's text, or "".
func (f chartFiles) Get(name string) (string, error) {
	content, err := f.GetBytes(name)
	return string(content), err
}

// GetBytes returns a file's content.
func (f chartFiles) GetBytes(name string) ([]byte, error) {
	content := f[name]
	if reason, unread := bytes.CutPrefix(content, []byte(unreadMark)); unread {
		return nil, fmt.Errorf("the file %s %s", name, reason)
	}
	return content, nil
}

// Glob returns the files whose paths match a pattern.
func (f chartFiles) Glob(pattern string) (chartFiles, error) {
	matches := compileGlob(pattern)
	out := make(chartFiles)
	for _, name := range sortedKeys(f) {
		if !matches(name) {
			continue
		}
		content, err := f.GetBytes(name)
		if err != nil {
			return nil, err
		}
		out[name] = content
	}
	return out, nil
}

// Lines returns the lines of a file.
func (f chartFiles) Lines(name string) ([]string, error) {
	text, err := f.Get(name)
	if text == "" || err != nil {
		return []string{}, err
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n"), nil
}

// AsConfig returns the files as the data of a ConfigMap.
func (f chartFiles) AsConfig() (string, error) {
	return f.asData(func(b []byte) string { return string(b) })
}

// AsSecrets returns the files as the data of a Secret.
func (f chartFiles) AsSecrets() (string, error) { return f.asData(base64.StdEncoding.EncodeToString) }

func (f chartFiles) asData(encode func([]byte) string) (string, error) {
	data := make(map[string]string)
	for _, name := range sortedKeys(f) {
		content, err := f.GetBytes(name)
		if err != nil {
			return "", err
		}
		data[path.Base(name)] = encode(content)
	}
	out, err := yaml.Marshal(data)
	if err != nil {
		return "", fmt.Errorf("write the files as YAML: %w", err)
	}
	return strings.TrimSuffix(string(out), "\n"), nil
}

// compileGlob reads a pattern as Helm does: * and ? stop at a slash and ** does
// not, and {a,b} is one of several. A pattern that is none matches all.
func compileGlob(pattern string) func(string) bool {
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	depth := 0
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '*' && strings.HasPrefix(pattern[i:], "**"):
			b.WriteString(".*")
			i++
		case c == '*':
			b.WriteString("[^/]*")
		case c == '?':
			b.WriteString("[^/]")
		case c == '{':
			b.WriteString("(?:")
			depth++
		case c == '}' && depth > 0:
			b.WriteString(")")
			depth--
		case c == ',' && depth > 0:
			b.WriteString("|")
		case c == '[':
			end := strings.IndexByte(pattern[i:], ']')
			if end < 0 {
				return func(string) bool { return true }
			}
			class := pattern[i+1 : i+end]
			if rest, not := strings.CutPrefix(class, "!"); not {
				class = "^" + rest
			}
			b.WriteString("[" + class + "]")
			i += end
		case c == '\\' && i+1 < len(pattern):
			i++
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		default:
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		}
	}
	expression, err := regexp.Compile(b.String() + `\z`)
	if err != nil || depth > 0 {
		return func(string) bool { return true }
	}
	return expression.MatchString
}
