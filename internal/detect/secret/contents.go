package secret

import (
	"crypto/md5"  // #nosec G501 -- dpkg records MD5; nothing is protected by it here
	"crypto/sha1" // #nosec G505 -- apk records SHA-1
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"path"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/credential"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

// Content identifies what a file with a secret holds, so that it can be told
// apart from what a package manager put there.
type Content struct {
	// Path is the file's in its layer's archive, Layer the diff id.
	Path, Layer string
	// Hidden is set when a later layer deletes or replaces the file.
	Hidden bool
	// Recorded is set when a database of a package manager in the same layer
	// holds the digest of this very content: a package brought it.
	Recorded bool
	sums     contentSums
}

// Digest returns the content's digest in hex by the name of an algorithm (md5,
// sha1, sha256); "" where it is not known, as for very large files.
func (c Content) Digest(algorithm string) string {
	return map[string]string{"md5": c.sums.MD5, "sha1": c.sums.SHA1, "sha256": c.sums.SHA256}[algorithm]
}

// contentSums are the digests of one file in the algorithms that package
// managers use.
type contentSums struct {
	Path     string `json:"path"`
	MD5      string `json:"md5"`
	SHA1     string `json:"sha1"`
	SHA256   string `json:"sha256"`
	Recorded bool   `json:"recorded,omitempty"`
}

const (
	// maxKept is the size of files up to which the content is kept until it is
	// known whether it holds a secret, and so needs digests. Libraries with the
	// test keys of their self tests have some 2 MiB.
	maxKept = 4 << 20
	// maxDatabases bounds what is kept of the package managers' databases in
	// one layer.
	maxDatabases = 16 << 20
)

// contents keeps what is needed to tell the files of packages apart.
type contents struct {
	keeping bool
	file    []byte
	// holder holds the current file in place of file; nil where nobody does.
	holder   *credential.Scanner
	database bool
	all      []byte
	sums     []contentSums
}

// begin starts a file.
func (c *contents) begin(e *layers.Entry) {
	c.file, c.holder = c.file[:0], nil
	c.keeping = e.Size <= maxKept && ofPackages(e.Path)
	c.database = isDatabase(e.Path) && int64(len(c.all))+e.Size <= maxDatabases
}

// heldBy has the content of the current file taken from the scanner in the end, if
// that holds it.
func (c *contents) heldBy(s *credential.Scanner, size int64) {
	if c.keeping && s.Holds(size) {
		c.holder = s
	}
}

func (c *contents) write(data []byte) {
	if c.keeping && c.holder == nil {
		c.file = append(c.file, data...)
	}
	if c.database {
		c.all = append(c.all, data...)
	}
}

// end ends a file.
func (c *contents) end(name string, secrets bool) {
	if c.database {
		c.all = append(c.all, '\n')
	}
	if !secrets || !c.keeping || len(c.sums) >= maxMatches {
		return // with so many secrets nobody asks where the rest comes from
	}
	file := c.file
	if c.holder != nil {
		file = c.holder.Content()
	}
	m, s, l := md5.Sum(file), sha1.Sum(file), sha256.Sum256(file) // #nosec G401 -- see the imports
	c.sums = append(c.sums, contentSums{Path: name, MD5: hex.EncodeToString(m[:]), SHA1: hex.EncodeToString(s[:]), SHA256: hex.EncodeToString(l[:])})
}

// result returns the digests and looks them up in the databases, in one pass.
// These hold them in hex (dpkg's md5sums, the headers of rpm) or in base64 after
// Q1 (apk). What was kept for it is let go.
func (c *contents) result() []contentSums {
	wanted := make(map[string][]int)
	for i, s := range c.sums {
		raw, _ := hex.DecodeString(s.SHA1)
		for _, form := range []string{s.MD5, s.SHA256, "Q1" + base64.StdEncoding.EncodeToString(raw)} {
			wanted[form] = append(wanted[form], i)
		}
	}
	look := func(at, size int) {
		if at+size > len(c.all) {
			return
		}
		for _, i := range wanted[string(c.all[at:at+size])] {
			c.sums[i].Recorded = true
		}
	}
	run := 0 // of hex digits up to here
	for i := 0; i < len(c.all) && len(wanted) > 0; i++ {
		if !isHex(c.all[i]) {
			if run = 0; c.all[i] == 'Q' {
				look(i, apkSize)
			}
			continue
		}
		run++
		for _, size := range []int{2 * md5.Size, 2 * sha256.Size} {
			if run >= size {
				look(i+1-size, size)
			}
		}
	}
	c.all, c.file = nil, nil
	return c.sums
}

// apkSize is the length of a SHA-1 digest as apk writes it.
const apkSize = len("Q1") + 28

func isHex(b byte) bool { return b >= '0' && b <= '9' || b >= 'a' && b <= 'f' }

// packageDirs are where the packages of operating systems put files. The file
// hierarchy standard leaves /opt, /srv and /usr/local to others
// (https://refspecs.linuxfoundation.org/FHS_3.0/fhs-3.0.html): a package that
// somebody built for an image may hold secrets of its builder.
var packageDirs = []string{"/usr/", "/lib", "/bin/", "/sbin/", "/etc/", "/var/", "/boot/"}

func ofPackages(p string) bool {
	if strings.HasPrefix(p, "/usr/local/") {
		return false
	}
	for _, dir := range packageDirs {
		if strings.HasPrefix(p, dir) {
			return true
		}
	}
	return false
}

// isDatabase reports whether a package manager keeps digests in a file.
func isDatabase(p string) bool {
	switch dir, name := path.Split(p); dir {
	case "/var/lib/dpkg/info/", "/var/lib/dpkg/status.d/":
		return strings.HasSuffix(name, ".md5sums")
	case "/var/lib/dpkg/":
		return name == "status" // The digests of configuration files.
	case "/lib/apk/db/", "/usr/lib/apk/db/":
		return name == "installed"
	case "/var/lib/rpm/", "/usr/lib/sysimage/rpm/", "/usr/share/rpm/":
		return name == "Packages" || name == "Packages.db" || name == "rpmdb.sqlite"
	}
	return false
}
