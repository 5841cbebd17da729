package secret_test

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/detect/secret"
	"github.com/portcullis-ci/portcullis/internal/imagetest"
)

// token is the content of a file with a secret that is one in any place.
func token(t *testing.T) string {
	t.Helper()
	var example struct{ Content string }
	if err := json.Unmarshal([]byte(secret.Rules()[0].Bad), &example); err != nil {
		t.Fatal(err)
	}
	return example.Content + "\n"
}

// Databases and files with secrets may both be many: a layer is done in one pass
// over the databases, whatever is asked for.
func TestManyFilesAreLookedUpInOnePass(t *testing.T) {
	shipped := token(t)
	m := md5.Sum([]byte(shipped))
	files := []imagetest.File{imagetest.Text("var/lib/rpm/Packages", strings.Repeat("0123456789abcdef", 1<<16)+" "+hex.EncodeToString(m[:])+"\x00")}
	for i := range 1000 {
		files = append(files, imagetest.Text(fmt.Sprintf("usr/share/%04d.env", i), shipped))
	}
	if r := check(t, secret.Options{}, files); len(r.Findings) != 0 || r.Unchanged != 1000 {
		t.Errorf("%d findings, %d unchanged", len(r.Findings), r.Unchanged)
	}
}

func TestWhatThePackageDatabaseOfALayerRecordsIsNoSecret(t *testing.T) {
	shipped := token(t)
	m, s, l := md5.Sum([]byte(shipped)), sha1.Sum([]byte(shipped)), sha256.Sum256([]byte(shipped))
	const library = "usr/lib/x86_64-linux-gnu/selftest.env"
	databases := map[string]imagetest.File{
		"dpkg":                   imagetest.Text("var/lib/dpkg/info/libgnutls30:amd64.md5sums", hex.EncodeToString(m[:])+"  "+library+"\n"),
		"dpkg of distroless":     imagetest.Text("var/lib/dpkg/status.d/libgnutls30.md5sums", hex.EncodeToString(m[:])+"  "+library+"\n"),
		"dpkg's configuration":   imagetest.Text("var/lib/dpkg/status", "Package: x\nConffiles:\n /"+library+" "+hex.EncodeToString(m[:])+"\n"),
		"apk":                    imagetest.Text("lib/apk/db/installed", "F:usr/lib\nR:selftest.env\nZ:Q1"+base64.StdEncoding.EncodeToString(s[:])+"\n"),
		"rpm":                    imagetest.Text("var/lib/rpm/rpmdb.sqlite", "\x00\x01"+hex.EncodeToString(l[:])+"\x00"),
		"rpm in its newer place": imagetest.Text("usr/lib/sysimage/rpm/Packages.db", "\x00\x01"+hex.EncodeToString(l[:])+"\x00"),
	}
	for name, database := range databases {
		for _, tc := range []struct {
			name, body string
			want       int
		}{{"unchanged", shipped, 0}, {"changed", shipped + "# mine\n", 1}} {
			file := imagetest.Text(library, tc.body)
			for order, files := range map[string][]imagetest.File{"after": {file, database}, "before": {database, file}} {
				// An update in a later layer replaces both.
				update := []imagetest.File{imagetest.Text(library, "nothing"), imagetest.Text(database.Path, "nothing")}
				if r := check(t, secret.Options{}, files, update); len(r.Findings) != tc.want || r.Unchanged != 1-tc.want {
					t.Errorf("%s, %s, database %s the file: %d findings, %d unchanged", name, tc.name, order, len(r.Findings), r.Unchanged)
				}
			}
		}
	}
}

func TestTheDigestsOfFilesWithSecretsAreToldWherePackagesPutFiles(t *testing.T) {
	setting := token(t)
	m := md5.Sum([]byte(setting))
	large := setting + strings.Repeat("#\n", 2<<20)
	const own = "-"
	for path, want := range map[string]string{
		"usr/share/x/.env": hex.EncodeToString(m[:]), "etc/x/.env": hex.EncodeToString(m[:]),
		// The user's own files are nobody else's, and not even a digest is kept.
		"app/.env": own, "usr/local/x/.env": own, "root/.env": own, "opt/x/.env": own, "srv/x/.env": own,
		"usr/share/large/.env": "",
	} {
		body := setting
		if strings.Contains(path, "large") {
			body = large
		}
		asked := 0
		r := check(t, secret.Options{Unchanged: func(c secret.Content) bool {
			asked++
			if got := c.Digest("md5"); got != want || c.Path != "/"+path || c.Hidden || c.Recorded {
				t.Errorf("%s: asked for %+v with MD5 %q, want %q", path, c, got, want)
			}
			return false
		}}, []imagetest.File{imagetest.Text(path, body)})
		if len(r.Findings) != 1 || (asked == 0) != (want == own) {
			t.Errorf("%s: %d findings, asked %d times", path, len(r.Findings), asked)
		}
	}
}

func TestDigestsAreThoseOfTheFileWhateverItsSizeAndEncoding(t *testing.T) {
	setting := token(t)
	bodies := map[string]string{"usr/share/x/.env": setting}
	// The last of these are about what the search holds of a file at most.
	for _, size := range []int{4096, 1 << 16, 1 << 20, 279_551, 279_552, 279_553} {
		bodies[fmt.Sprintf("usr/share/%d/.env", size)] = setting + strings.Repeat("#", size-len(setting))
	}
	wide := "\xff\xfe"
	for _, c := range []byte(setting) {
		wide += string([]byte{c, 0})
	}
	bodies["usr/share/wide/.env"] = wide
	var files []imagetest.File
	for _, path := range slices.Sorted(maps.Keys(bodies)) {
		files = append(files, imagetest.Text(path, bodies[path]))
	}
	asked := map[string]bool{}
	check(t, secret.Options{Unchanged: func(c secret.Content) bool {
		m := md5.Sum([]byte(bodies[strings.TrimPrefix(c.Path, "/")]))
		if asked[c.Path] = true; c.Digest("md5") != hex.EncodeToString(m[:]) {
			t.Errorf("%s: the MD5 %s is not that of the file", c.Path, c.Digest("md5"))
		}
		return false
	}}, files)
	if len(asked) != len(bodies) {
		t.Errorf("asked for %d of %d files", len(asked), len(bodies))
	}
}

func TestDatabasesOfPackagesAreKeptWithinBounds(t *testing.T) {
	setting := token(t)
	m := md5.Sum([]byte(setting))
	files := []imagetest.File{
		imagetest.Text("usr/lib/x/.env", setting),
		imagetest.Text("var/lib/dpkg/info/x.md5sums", hex.EncodeToString(m[:])+"  usr/lib/x/.env\n"+strings.Repeat("\n", 17<<20)),
	}
	if r := check(t, secret.Options{}, files); len(r.Findings) != 1 {
		t.Errorf("findings = %+v; what is not known is to be reported", r.Findings)
	}
}
