package secret_test

import (
	"archive/zip"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/credential/credentialtest"
	"github.com/portcullis-ci/portcullis/internal/detect/secret"
	"github.com/portcullis-ci/portcullis/internal/imagetest"
)

func TestAZipIsSearchedWhateverStandsInFrontOfIt(t *testing.T) {
	tok := credentialtest.GitHubToken(1)
	env := imagetest.Text("x.env", "# settings\nGITHUB_TOKEN="+tok+"\n")
	zipped := jar(t, env)
	program := "\x7fELF\x02\x01\x01" + strings.Repeat("\x00\x01machine", 6_000)
	script := strings.Repeat("#!/bin/sh\n# "+strings.Repeat("x", 60)+"\n", 4_000)
	inside := func(path string) []string { return []string{path + "!/x.env in x.env, line 2"} }
	headless := strings.ReplaceAll(zipped, "PK\x03\x04", "PK\x03\x05")
	const unopened = ": not searched for secrets, or not to its end: a zip archive stands behind something else in it, in a form that is not read"
	for name, tc := range map[string]struct {
		path, text string
		want, gaps []string
	}{
		"a program":                       {"srv/app", program + zipped, inside("/srv/app"), nil},
		"a long script":                   {"srv/app.zip", script + zipped, inside("/srv/app.zip"), nil},
		"a text":                          {"srv/app.zip", "hello\n" + zipped, inside("/srv/app.zip"), nil},
		"zeros":                           {"srv/app", "\x00\x00\x00\x00\x00" + zipped, inside("/srv/app"), nil},
		"a picture":                       {"srv/a.gif", "GIF89a\x01\x00\x01\x00" + zipped, inside("/srv/a.gif"), nil},
		"a short script":                  {"srv/app", "#!/bin/sh\nexec unzip\n" + zipped, inside("/srv/app"), nil},
		"a stored file is told once":      {"srv/app", "#!/bin/sh\nexec unzip\n" + stored(t, env), inside("/srv/app"), nil},
		"a stored file behind a program":  {"srv/app", program + stored(t, env), inside("/srv/app"), nil},
		"a secret of the script itself":   {"srv/app", "#!/bin/sh\nexport GITHUB_TOKEN=" + tok + "\n" + jar(t, imagetest.Text("x.py", "print(1)\n")), []string{"/srv/app "}, nil},
		"a script that looks like one":    {"srv/a.sh", "#!/bin/sh\n# PK\x03\x04\nGITHUB_TOKEN=" + tok + "\n", []string{"/srv/a.sh "}, []string{"/srv/a.sh: not searched for secrets, or not to its end: it is broken: it ends too early"}},
		"a program that holds one amidst": {"srv/app", program + zipped + strings.Repeat("\x00\x01machine", 9_000), inside("/srv/app"), nil},
		"what looks like one amidst":      {"srv/app", program + "PK\x03\x04\x14\x00\x00\x00\x08\x00" + strings.Repeat("\x01", 16) + "\x05\x00\x00\x00a.env" + program, nil, nil},
		"an archive without headers":      {"srv/app", program + headless, nil, []string{"/srv/app" + unopened}},
		"one whose files are encrypted":   {"srv/app", program + encrypted(t, imagetest.Text("x.env", "A=1 and more\n")), nil, []string{"/srv/app!/x.env: not searched for secrets, or not to its end: it is encrypted"}},
		"a program of the system":         {"usr/bin/owned", program + headless, nil, nil},
		"a text about zip archives":       {"srv/zip.txt", "A file: PK\x03\x04 begins and PK\x05\x06 ends " + strings.Repeat("it. ", 30), nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got, gaps []string
			r := check(t, secret.Options{Owned: func(p string) bool { return p == "/usr/bin/owned" }}, []imagetest.File{imagetest.Text(tc.path, tc.text)})
			for _, f := range r.Findings {
				path, _, _ := strings.Cut(f.Message, " holds")
				got = append(got, path+" "+f.Locations[0].Note)
			}
			for _, u := range r.Unreadable {
				gaps = append(gaps, u.Path+": "+u.Reason)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.gaps, gaps); diff != "" {
				t.Errorf("gaps (-want +got):\n%s", diff)
			}
		})
	}
}

func TestASecretAroundAZipIsToldAsWellAsThatInIt(t *testing.T) {
	tok := credentialtest.GitHubToken(1)
	line := "export GITHUB_TOKEN=" + tok + "\n"
	url := func(password string) string { return "postgres://app:" + password + "@db.shop.de/x\n" }
	other := imagetest.Text("x.env", "A=1\nB="+url("Qw3rtyuio9"))
	const forged = "PK\x03\x04\x14\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x02\x00\x00\x05\x00\x00\x00abcde"
	tiny := jar(t, imagetest.Text("a", "1"))
	env := stored(t, imagetest.Text("x.env", "# settings\n"+line))
	tail := strings.Repeat("# the rest of it\n", 100)
	long := strings.Repeat(tail, 3) // Without a NUL in its start it is a text.
	for name, tc := range map[string]struct {
		path, text string
		want       []string
	}{
		"behind a small zip in a file of a tar": {"opt/x.tar", tarred(t, imagetest.Text("m.bin", "J"+tiny+"\n"+line)), []string{"/opt/x.tar!/m.bin"}},
		"a stored file in a file of a tar":      {"opt/x.tar", tarred(t, imagetest.Text("m.bin", "J"+env+"\n")), []string{"/opt/x.tar!/m.bin!/x.env"}},
		"a forged header in a file of a tar":    {"opt/x.tar", tarred(t, imagetest.Text("m.txt", "a\n"+forged+"\n"+line+tail)), []string{"/opt/x.tar!/m.txt"}},
		"a forged header":                       {"opt/t.txt", "a\n" + forged + "\n" + line + tail, []string{"/opt/t.txt line 3"}},
		"a different password in the zip":       {"opt/run.sh", "#!/bin/sh\nDB=" + url("Tr0ub4dor3") + long + jar(t, other), []string{"/opt/run.sh line 2", "/opt/run.sh!/x.env"}},
		"a different password behind a text":    {"opt/run.conf", "DB=" + url("Tr0ub4dor3") + long + jar(t, other), []string{"/opt/run.conf line 1", "/opt/run.conf!/x.env"}},
		"a different token in the zip":          {"opt/run.sh", "#!/bin/sh\nexport GITHUB_TOKEN=" + credentialtest.GitHubToken(2) + "\n" + env, []string{"/opt/run.sh line 2", "/opt/run.sh!/x.env"}},
		"nothing around it":                     {"opt/x.tar", tarred(t, imagetest.Text("m.bin", "J"+tiny+"\nexport GITHUB_TOKEN=$TOKEN\n")), nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			r := check(t, secret.Options{}, []imagetest.File{imagetest.Text(tc.path, tc.text)})
			for _, f := range r.Findings {
				place, _, _ := strings.Cut(f.Message, " holds")
				if l := f.Locations[0].Line; l > 0 {
					place += fmt.Sprint(" line ", l)
				}
				got = append(got, place)
			}
			slices.Sort(got)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if len(r.Unreadable) > 0 {
				t.Errorf("gaps = %+v", r.Unreadable)
			}
		})
	}
}

// stored stores files as they are.
func stored(t *testing.T, files ...imagetest.File) string { return zipped(t, zip.Store, 0, files...) }

func encrypted(t *testing.T, files ...imagetest.File) string {
	t.Helper()
	return zipped(t, zip.Deflate, 1, files...)
}
