package syftcatalog_test

import (
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/inventory/syftcatalog"
)

// listedIn takes the inventory of an image of a base and a later layer: the names
// of its packages, the database that the verdict says was not read, and other
// files that were not.
func listedIn(t *testing.T, base, later []imagetest.File) (packages, lost, unread string) {
	t.Helper()
	b := imagetest.New().Layer("base", base...)
	if len(later) > 0 {
		b = b.Layer("later", later...)
	}
	img, err := b.Image()
	must(t, err)
	inv, _, err := syftcatalog.Catalog(t.Context(), open(t, layout(t, img)), syftcatalog.Options{})
	must(t, err)
	for _, p := range inv.Packages {
		packages += " " + p.Name
	}
	for _, u := range inv.Unreadable {
		if u.PackageDatabase() {
			lost = u.Path + ": " + u.Reason
		} else {
			unread = u.Path + ": " + u.Reason
		}
	}
	return strings.TrimSpace(packages), lost, unread
}

func TestAListOfPackagesSaysWhatItHasLost(t *testing.T) {
	const line = "filesystem\t1.1-9.cm2\t1653816591\t1653753130\tMicrosoft Corporation\t(none)\t7596\tx86_64\t0\tfilesystem-1.1-9.cm2.src.rpm"
	openssl := strings.ReplaceAll(line, "filesystem", "openssl")
	mariner := imagetest.Text("etc/os-release", "ID=mariner\nVERSION_ID=2.0\n")
	manifest := func(text string) []imagetest.File {
		return []imagetest.File{mariner, imagetest.Text("var/lib/rpmmanifest/container-manifest-2", text)}
	}
	alpine := func(change func(string) string) []imagetest.File {
		files := imagetest.Alpine("3.20.1", imagetest.Package{Name: "musl", Version: "1.2.5-r0"}, imagetest.Package{Name: "zlib", Version: "1.3.1-r1"})
		last := &files[len(files)-1]
		last.Body = []byte(change(string(last.Body)))
		return files
	}
	debian := imagetest.Debian(imagetest.Package{Name: "base", Version: "1"}, imagetest.Package{Name: "zlib", Version: "1"})
	cut := append(imagetest.Debian(imagetest.Package{Name: "base", Version: "1"}), imagetest.Text("var/lib/dpkg/status", "Package: base\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\nDescr"))
	for name, tc := range map[string]struct {
		base, later []imagetest.File
		want, lost  string
	}{
		"a manifest": {manifest(line + "\n" + openssl + "\n"), nil, "filesystem openssl", ""},
		"a manifest without an end of its last line": {manifest(line + "\n" + openssl), nil, "filesystem openssl", ""},
		"a manifest with a line of nothing":          {manifest(line + "\nopenssl 1.1.1k-15.cm2\n"), nil, "filesystem", "line 2 of this list names no package"},
		"a manifest of noise":                        {manifest("noise"), nil, "", "container-manifest-2: "},
		"a manifest that is deleted later":           {manifest(line + "\n"), []imagetest.File{imagetest.Text("var/lib/.wh.rpmmanifest", "")}, "filesystem", ""},
		"a manifest that is emptied later":           {manifest(line + "\n"), []imagetest.File{imagetest.Text("var/lib/rpmmanifest/container-manifest-2", "")}, "filesystem", ""},
		"apk's list":                                 {alpine(strings.Clone), nil, "musl zlib", ""},
		"apk's list with one line end less":          {alpine(func(s string) string { return strings.TrimSuffix(s, "\n") }), nil, "musl zlib", ""},
		"apk's list cut in a line":                   {alpine(func(s string) string { return s[:strings.Index(s, "V:1.3.1")+4] }), nil, "musl zlib", "/lib/apk/db/installed: the list ends in the middle of a line"},
		"dpkg's list":                                {debian, nil, "base zlib", ""},
		"dpkg's list cut in a line":                  {cut, nil, "base", "/var/lib/dpkg/status: the list ends in the middle of a line"},
	} {
		got, lost, unread := listedIn(t, tc.base, tc.later)
		if got != tc.want || unread != "" {
			t.Errorf("%s: packages %q, want %q; unread: %s", name, got, tc.want, unread)
		}
		if (lost == "") != (tc.lost == "") || !strings.Contains(lost, tc.lost) {
			t.Errorf("%s: lost %q, want %q", name, lost, tc.lost)
		}
	}
}

func TestAPackageThatPacmanDoesNotDescribeIsTold(t *testing.T) {
	arch := imagetest.Text("etc/os-release", "ID=arch\n")
	local := func(name, file, body string) imagetest.File {
		return imagetest.Text("var/lib/pacman/local/"+name+"/"+file, body)
	}
	good := []imagetest.File{
		arch, local("zlib-1.3.1-2", "desc", "%NAME%\nzlib\n\n%VERSION%\n1.3.1-2\n\n"), local("zlib-1.3.1-2", "files", "%FILES%\n"),
		{Path: "var/lib/pacman/local/zlib-1.3.1-2/mtree", Body: imagetest.GzipOf([]byte("#mtree\n"))},
	}
	for name, desc := range map[string]string{"noise": "noise", "nothing": "\n", "cut before the version": "%NAME%\nbash\n\n%VERSION%\n", "an empty name": "%NAME%\n\n%VERSION%\n1-1\n\n"} {
		bash := []imagetest.File{
			local("bash-5.2-1", "desc", desc), local("bash-5.2-1", "files", "%FILES%\n"),
			{Path: "var/lib/pacman/local/bash-5.2-1/mtree", Body: imagetest.GzipOf([]byte("#mtree\n"))},
		}
		got, _, unread := listedIn(t, append(bash, good...), nil)
		if want := "/var/lib/pacman/local/bash-5.2-1/desc: this description of an installed package lacks its name or version"; !strings.Contains(got, "zlib") || unread != want {
			t.Errorf("%s: packages %q; unread %q, want %q", name, got, unread, want)
		}
	}
	if got, _, unread := listedIn(t, good, nil); got != "zlib" || unread != "" {
		t.Errorf("packages %q; unread %q", got, unread)
	}
}

// Whoever builds packages of rpm on another system has a database of it.
func TestAnEmptyDatabaseOfRPMIsALossOnASystemOfRPMOnly(t *testing.T) {
	data, _ := rpmSQLite(t, "")
	empty := []imagetest.File{{Path: "var/lib/rpm/rpmdb.sqlite", Body: data}}
	fedora := append(imagetest.NPM("/app", "lodash@4.17.21"), imagetest.Text("etc/os-release", "ID=fedora\nVERSION_ID=43\n"))
	debian := imagetest.Debian(imagetest.Package{Name: "base", Version: "1"})
	cut := []imagetest.File{{Path: "var/lib/rpm/rpmdb.sqlite", Body: data[:5000]}}
	for name, tc := range map[string]struct {
		files []imagetest.File
		lost  bool
	}{
		"on Fedora":               {append(empty, fedora...), true},
		"on Debian":               {append(empty, debian...), false},
		"a damaged one on Debian": {append(cut, debian...), true},
	} {
		if _, lost, unread := listedIn(t, tc.files, nil); (lost != "") != tc.lost || unread != "" {
			t.Errorf("%s: lost %q, unread %q", name, lost, unread)
		}
	}
}

func TestADistributionWithoutAListOfItsPackagesIsTold(t *testing.T) {
	app := imagetest.NPM("/app", "lodash@4.17.21")
	fedora := append(app, imagetest.Text("usr/lib/os-release", "ID=fedora\nVERSION_ID=43\nPRETTY_NAME=\"Fedora Linux 43\"\n"), imagetest.Symlink("etc/os-release", "../usr/lib/os-release"))
	const says = "/usr/lib/os-release: nothing lists the packages of the distribution that this file names, Fedora Linux 43"
	for name, tc := range map[string]struct {
		base, later []imagetest.File
		want        string
	}{
		"nothing lists them":         {fedora, nil, says},
		"an old release file":        {append(app, imagetest.Text("etc/redhat-release", "CentOS release 6.10 (Final)\n")), nil, "/etc/redhat-release: nothing lists the packages of the distribution that this file names, CentOS release 6.10 (Final)"},
		"an empty database":          {append(fedora, imagetest.Text("var/lib/rpm/rpmdb.sqlite", "")), nil, says},
		"a list that cannot be read": {append(fedora, imagetest.Text("var/lib/rpm/rpmdb.sqlite", "noise")), nil, ""},
		"a program of no system":     {app, nil, ""},
		"busybox alone":              {append(app, imagetest.Text("bin/busybox", "BusyBox v1.36.1")), nil, ""},
		"a list":                     {append(app, imagetest.Alpine("3.20.1", imagetest.Package{Name: "musl", Version: "1.2.5-r0"})...), nil, ""},
	} {
		if _, _, got := listedIn(t, tc.base, tc.later); (got == "") != (tc.want == "") || !strings.HasPrefix(got, tc.want) {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

func TestAReleaseFileMayHaveSingleQuotes(t *testing.T) {
	for text, want := range map[string]string{
		"ID='alpine'\nVERSION_ID='3.19.1'\nPRETTY_NAME='Alpine Linux v3.19'\n": "alpine 3.19.1 Alpine Linux v3.19",
		"ID=\"alpine\"\nVERSION_ID=3.19.1\nPRETTY_NAME=\"Al's '3'\"\n":         "alpine 3.19.1 Al's '3'",
		"ID=alpine\nVERSION_ID='3.19.1\nPRETTY_NAME='\n":                       "alpine '3.19.1 '",
	} {
		files := imagetest.Alpine("3.19.1", imagetest.Package{Name: "musl", Version: "1.2.4-r2"})
		inv, err := catalogFiles(t, append(files, imagetest.Text("etc/os-release", text))...)
		must(t, err)
		if inv.Distro == nil {
			t.Fatalf("%q: no distribution", text)
		}
		if got := inv.Distro.ID + " " + inv.Distro.Version + " " + inv.Distro.PrettyName; got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
		find(t, inv, "musl")
	}
}
