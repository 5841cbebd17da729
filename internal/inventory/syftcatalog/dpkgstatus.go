package syftcatalog

import (
	"bufio"
	"bytes"
	"io"
	"strings"
)

// isDpkgStatus reports whether a file is dpkg's list of packages.
func isDpkgStatus(p string) bool { return strings.HasSuffix(p, "/var/lib/dpkg/status") }

// dpkgStatus passes dpkg's list of packages on with those marked as installed
// that are, and are only selected for removal: syft leaves out all that are
// selected. The words after Status are what is wanted, a flag, and what is (dpkg(1),
// "Package states").
type dpkgStatus struct {
	io.Closer
	lines *bufio.Reader
	// begin is set at the start of a line; pending is what was not read yet.
	begin   bool
	pending []byte
	err     error
}

func newDpkgStatus(c io.ReadCloser) *dpkgStatus {
	return &dpkgStatus{Closer: c, lines: bufio.NewReaderSize(c, 64<<10), begin: true}
}

// Read implements io.Reader.
func (s *dpkgStatus) Read(p []byte) (int, error) {
	for len(s.pending) == 0 {
		if s.err != nil {
			return 0, s.err
		}
		var line []byte
		// A line that is longer than the buffer comes in pieces.
		if line, s.err = s.lines.ReadSlice('\n'); s.err == bufio.ErrBufferFull {
			s.err = nil
		}
		if s.pending = line; s.begin {
			s.pending = installed(line)
		}
		s.begin = bytes.HasSuffix(line, []byte("\n"))
	}
	n := copy(p, s.pending)
	s.pending = s.pending[n:]
	return n, nil
}

// installed is a line of the list, with a package that is selected for removal
// and there marked as installed.
func installed(line []byte) []byte {
	rest, ok := bytes.CutPrefix(line, []byte("Status:"))
	if !ok {
		return line
	}
	words := strings.Fields(string(rest))
	if len(words) != 3 || words[0] != "deinstall" || words[2] == "config-files" || words[2] == "not-installed" {
		return line
	}
	return []byte("Status: install " + words[1] + " " + words[2] + "\n")
}
