package sarif

import (
	"io/fs"
	"path"
	"strings"
	"unicode/utf8"
)

// maxSourceFile is the size above which a file's lines are not hashed: 16 MiB,
// more than any file that a person edits and less than what would hurt.
const maxSourceFile = 16 << 20

// source is a file of the repository as far as SARIF needs it.
type source struct {
	lines  []string
	hashes []string
}

// sources reads files of the repository once each.
type sources struct {
	root  fs.FS
	known map[string]*source
}

func newSources(root fs.FS) *sources {
	return &sources{root: root, known: make(map[string]*source)}
}

// file returns the file at a path relative to the repository's root, nil if
// there is no such regular file.
func (s *sources) file(name string) *source {
	if s.root == nil || !fs.ValidPath(name) {
		return nil
	}
	if f, ok := s.known[name]; ok {
		return f
	}
	f := s.read(name)
	s.known[name] = f
	return f
}

func (s *sources) read(name string) *source {
	info, err := fs.Stat(s.root, name)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxSourceFile {
		return nil
	}
	content, err := fs.ReadFile(s.root, name)
	if err != nil {
		return nil
	}
	text := strings.ToValidUTF8(string(content), "\ufffd")
	lines := strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text), "\n")
	return &source{lines: lines, hashes: lineHashes(text)}
}

// resolve follows symbolic links inside the repository, because code scanning
// shows nothing at a path that is a link. It returns name itself where it is
// no link or leads outside.
func (s *sources) resolve(name string) string {
	if _, ok := s.root.(fs.ReadLinkFS); !ok || !fs.ValidPath(name) {
		return name
	}
	at := name
	for range 8 {
		target, err := fs.ReadLink(s.root, at)
		if err != nil {
			return at
		}
		next := path.Join(path.Dir(at), target)
		if path.IsAbs(target) || !fs.ValidPath(next) {
			return name
		}
		at = next
	}
	return name
}

// lineHash returns GitHub's hash of a line, "" where there is none.
func (f *source) lineHash(line int) string {
	if f == nil || line < 1 || line >= len(f.hashes) {
		return ""
	}
	return f.hashes[line]
}

// clamp returns the nearest line that the file has.
func (f *source) clamp(line int) int {
	return max(1, min(line, len(f.lines)))
}

// columns returns the first column of a line that holds text and the column
// after its last character, in code points.
func (f *source) columns(line int) (first, end int) {
	text := f.lines[line-1]
	indent := len(text) - len(strings.TrimLeft(text, " \t"))
	return utf8.RuneCountInString(text[:indent]) + 1, utf8.RuneCountInString(text) + 1
}
