package html

import (
	"io/fs"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
	"github.com/portcullis-ci/portcullis/internal/report/document"
)

// Files with findings are shown up to these sizes.
const (
	maxSourceBytes = 256 << 10
	maxSourceLines = 3000
	maxSourceFiles = 50
	// maxLine is the number of bytes of a source line that are shown.
	maxLine = 500
)

// source is a file that findings point into. Lines are those that may be
// shown, by number.
type source struct {
	Path  string         `json:"path"`
	Lines map[int]string `json:"lines"`
	// Count is the number of lines of the file, 0 if it could not be read.
	Count int `json:"count"`
	// Link is the address of the file on the CI host, without the line.
	Link string `json:"link,omitempty"`
}

// marks are the lines of one file with findings; true for those whose text is
// a secret.
type marks map[int]bool

// sources reads the files that findings point into, so that the page can show
// them line by line.
func sources(findings []finding.Finding, opts document.Options) []source {
	files := make(map[string]marks)
	var paths []string
	for _, f := range findings {
		for _, l := range f.Locations {
			if l.Space != finding.Repository {
				continue
			}
			if files[l.Path] == nil {
				files[l.Path] = marks{}
				paths = append(paths, l.Path)
			}
			secret := f.Sensitive || f.Kind == finding.Secret
			for n := l.Line; n <= max(l.Line, min(l.EndLine, l.Line+maxSourceLines)); n++ {
				files[l.Path][n] = files[l.Path][n] || secret
			}
		}
	}
	slices.Sort(paths)
	all := []source{}
	for _, p := range paths[:min(len(paths), maxSourceFiles)] {
		s := source{Path: neutralise.Line(p), Lines: map[int]string{}}
		if lines := readLines(opts.Root, p); lines != nil {
			s.Count = len(lines)
			s.Lines = showable(p, lines, files[p])
		}
		if link, ok := neutralise.URL(opts.Links.Source + p); ok && opts.Links.Source != "" {
			s.Link = link
		}
		all = append(all, s)
	}
	return all
}

// readLines returns nil for files that are missing, large or not text: the
// view then lists only the numbers of lines with findings.
func readLines(root fs.FS, name string) []string {
	if root == nil || !fs.ValidPath(name) {
		return nil
	}
	info, err := fs.Stat(root, name)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxSourceBytes {
		return nil
	}
	content, err := fs.ReadFile(root, name)
	if err != nil || strings.IndexByte(string(content), 0) >= 0 {
		return nil
	}
	lines := strings.Split(strings.TrimSuffix(string(content), "\n"), "\n")
	if len(lines) > maxSourceLines {
		return nil
	}
	return lines
}

// showable picks the lines that may be shown: of a Dockerfile all, without the
// values of variables; of other files those with findings. Nobody knows what
// secrets the rest holds, and reports are passed around.
func showable(name string, lines []string, found marks) map[int]string {
	shown := make(map[int]string)
	dockerfile := document.IsDockerfile(name)
	variables := false
	for i, line := range lines {
		n := i + 1
		line = strings.TrimSuffix(line, "\r")
		if dockerfile && !variables {
			variables = setsVariables(line)
		}
		secret, hit := found[n]
		if !hit && !dockerfile {
			continue
		}
		// A line without a finding may hold a secret all the same: its rule may
		// be off.
		line = document.Shown(line, secret, dockerfile)
		if variables && line != document.Hidden {
			line = withoutValues(line)
		}
		shown[n] = neutralise.Short(strings.ReplaceAll(line, "\t", "    "), maxLine)
		variables = variables && strings.HasSuffix(strings.TrimRight(lines[i], " \t\r"), "\\")
	}
	return shown
}

func setsVariables(line string) bool {
	keyword, _, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(line)), " ")
	return keyword == "ENV" || keyword == "ARG" || keyword == "LABEL"
}

// withoutValues cuts a line of ENV, ARG or LABEL after the first sign that a
// value starts: what follows may belong to it. Of a line that continues another
// nothing without such a sign is a name.
func withoutValues(line string) string {
	before, _, found := strings.Cut(line, "=")
	if found {
		return before + "=…"
	}
	words := strings.Fields(line)
	switch {
	case len(words) == 0:
		return line
	case !setsVariables(line):
		return "…"
	case len(words) > 2:
		return words[0] + " " + words[1] + " …"
	}
	return line
}
