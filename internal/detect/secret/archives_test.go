package secret_test

import (
	"archive/zip"
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/detect/secret"
	"github.com/portcullis-ci/portcullis/internal/imagetest"
)

func zipped(t testing.TB, method uint16, flags uint16, files ...imagetest.File) string {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.Path, Method: method, Flags: flags, CompressedSize64: uint64(len(f.Body)), UncompressedSize64: uint64(len(f.Body))}
		create := z.CreateHeader
		if flags != 0 {
			create = z.CreateRaw
		}
		w, err := create(h)
		if err == nil {
			_, err = w.Write(f.Body)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func jar(t testing.TB, files ...imagetest.File) string { return zipped(t, zip.Deflate, 0, files...) }

func tarred(t testing.TB, files ...imagetest.File) string {
	t.Helper()
	raw, err := imagetest.Tar(files...)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func gzipped(_ testing.TB, text string) string { return string(imagetest.GzipOf([]byte(text))) }

func TestSecretsInArchivesAreFound(t *testing.T) {
	text := imagetest.Text
	env := text("config/.env", "# settings\n"+setting)
	key := text("config.js", token(t))
	for name, tc := range map[string]struct {
		file imagetest.File
		// want are the rules with the place that the message names and the note of
		// the location.
		want []string
	}{
		"in a zip":                  {text("app/x.zip", jar(t, env)), []string{"secret-named-value /app/x.zip!/config/.env (in config/.env, line 2)"}},
		"in a tar":                  {text("app/x.tar", tarred(t, env)), []string{"secret-named-value /app/x.tar!/config/.env (in config/.env, line 2)"}},
		"in a packed tar":           {text("app/x.tar.gz", gzipped(t, tarred(t, env))), []string{"secret-named-value /app/x.tar.gz!/config/.env (in config/.env, line 2)"}},
		"in a packed tar in a zip":  {text("app/x.zip", jar(t, text("y.tgz", gzipped(t, tarred(t, env))))), []string{"secret-named-value /app/x.zip!/y.tgz!/config/.env (in y.tgz!/config/.env, line 2)"}},
		"in a packed file":          {text("app/prod.env.gz", gzipped(t, "# settings\n"+setting)), []string{"secret-named-value /app/prod.env.gz (line 2 of what is packed in it)"}},
		"of the user in a fat jar":  {text("app/x.jar", jar(t, text("BOOT-INF/classes/application.properties", "spring.datasource.password=Tr0ub4dor-and-3\n"))), []string{"secret-named-value /app/x.jar!/BOOT-INF/classes/application.properties (in BOOT-INF/classes/application.properties, line 1)"}},
		"a token in a class":        {text("app/x.jar", jar(t, text("A.class", "\xca\xfe\xba\xbe\x00\x00\x00\x34\x01\x00"+token(t)))), []string{"secret-token /app/x.jar!/A.class (in A.class, line 1)"}},
		"two files with secrets":    {text("app/x.zip", jar(t, env, key)), []string{"secret-named-value /app/x.zip!/config/.env (in config/.env, line 2)", "secret-token /app/x.zip!/config.js (in config.js, line 1)"}},
		"a value of a library":      {text("app/x.jar", jar(t, text("BOOT-INF/lib/y.jar", jar(t, text("defaults.properties", "keystore.password=changeme12\n"))))), nil},
		"of tests":                  {text("app/x.zip", jar(t, text("tests/.env", setting))), nil},
		"a name with no value":      {text("app/x.zip", jar(t, text(".env", "DB_PASSWORD=\nDB_PASSWORD_FILE=/run/secrets/db\n"))), nil},
		"a placeholder in a packed": {text("app/.env.gz", gzipped(t, "DB_PASSWORD=<your password>\n")), nil},
		"a reference":               {text("app/x.tar", tarred(t, text("deploy.yaml", "password: ${DB_PASSWORD}\n"))), nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := check(t, secret.Options{}, []imagetest.File{tc.file})
			var got []string
			for _, f := range r.Findings {
				place, _, _ := strings.Cut(f.Message, " holds ")
				l := f.Locations[0]
				got = append(got, fmt.Sprintf("%s %s (%s)", f.RuleID, place, l.Note))
				if l.Path != "/"+tc.file.Path || l.Line != 0 {
					t.Errorf("location = %+v, want the archive and no line", l)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if len(r.Unreadable) > 0 {
				t.Errorf("unreadable = %+v", r.Unreadable)
			}
		})
	}
}

func TestEachFileInAnArchiveIsAProblemOfItsOwn(t *testing.T) {
	both := imagetest.Text("app/x.zip", jar(t, imagetest.Text("a/.env", setting), imagetest.Text("b/.env", setting)))
	r := check(t, secret.Options{}, []imagetest.File{both})
	if len(r.Findings) != 2 || r.Findings[0].Fingerprint == r.Findings[1].Fingerprint {
		t.Errorf("findings = %+v, want two with different fingerprints", r.Findings)
	}
}

func TestArchivesOfDeletedFilesAndOfPackages(t *testing.T) {
	body := gzipped(t, token(t))
	m := md5.Sum([]byte(body))
	file := imagetest.Text("usr/share/x/settings.js.gz", body)
	database := imagetest.Text("var/lib/dpkg/info/x.md5sums", hex.EncodeToString(m[:])+"  usr/share/x/settings.js.gz\n")
	if r := check(t, secret.Options{}, []imagetest.File{file, database}); len(r.Findings) != 0 || r.Unchanged != 1 {
		t.Errorf("of a package: %+v", r)
	}
	r := check(t, secret.Options{}, []imagetest.File{file}, []imagetest.File{imagetest.Text("usr/share/x/.wh.settings.js.gz", "")})
	if len(r.Findings) != 1 || r.Findings[0].Locations[0].Note != "line 1 of what is packed in it; deleted or replaced by a later layer" {
		t.Errorf("deleted: %+v", r.Findings)
	}
}

func TestArchivesThatAreNotSearchedCount(t *testing.T) {
	text := imagetest.Text
	env := text(".env", setting)
	const why = "not searched for secrets, or not to its end: "
	for name, tc := range map[string]struct {
		files []imagetest.File
		want  []string
	}{
		"an encrypted zip": {[]imagetest.File{text("app/x.zip", zipped(t, zip.Deflate, 1, env))}, []string{"/app/x.zip!/.env: " + why + "it is encrypted"}},
		"a broken one":     {[]imagetest.File{text("app/x.zip", jar(t, env)[:60])}, []string{"/app/x.zip!/.env: " + why + "it is broken: it ends too early", "/app/x.zip: " + why + "it is broken: it ends too early"}},
		"a bomb":           {[]imagetest.File{text("app/x.gz", gzipped(t, strings.Repeat("0", 20<<20)))}, []string{"/app/x.gz: " + why + "it inflates to more than 200 times its size"}},
		"a form that is not read": {
			[]imagetest.File{text("app/x.7z", "7z\xbc\xaf\x27\x1c and more")},
			[]string{"/app/x.7z: " + why + "it is packed in a way that is not read (7z)"},
		},
		"many in one directory": {
			[]imagetest.File{text("m/1.7z", "7z\xbc\xaf\x27\x1c and more"), text("m/2.7z", "7z\xbc\xaf\x27\x1c and more"), text("m/3.7z", "7z\xbc\xaf\x27\x1c and more"), text("m/4.7z", "7z\xbc\xaf\x27\x1c and more")},
			[]string{"/m: 4 files in this directory were not searched for secrets, or not to their end; 1.7z: it is packed in a way that is not read (7z)"},
		},
		"images are not counted": {[]imagetest.File{text("app/x.png", "\x89PNG\r\n\x1a\n and more"), text("app/x.zip", jar(t, text("x.png", "\x89PNG\r\n\x1a\n and more")))}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := check(t, secret.Options{}, tc.files)
			var got []string
			for _, u := range r.Unreadable {
				got = append(got, u.Path+": "+u.Reason)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("unreadable (-want +got):\n%s", diff)
			}
			if r := check(t, secret.Options{Owned: func(string) bool { return true }}, tc.files); len(r.Unreadable) != 0 {
				t.Errorf("files of packages: %+v", r.Unreadable)
			}
		})
	}
}
