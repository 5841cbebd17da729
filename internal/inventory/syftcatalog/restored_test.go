package syftcatalog_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/inventory/syftcatalog"
)

// An image is made smaller by deleting the list of its packages, and they stay.
func TestPackagesOfADeletedListAreThere(t *testing.T) {
	zlib := imagetest.Package{Name: "zlib1g", Version: "1:1.2.13-1", Files: []string{"/lib/libz.so.1"}}
	musl := imagetest.Package{Name: "musl", Version: "1.2.5-r0", Files: []string{"/lib/ld-musl.so.1"}}
	debian := append(imagetest.Debian(zlib), imagetest.Text("lib/libz.so.1", "z"))
	alpine := append(imagetest.Alpine("3.20.1", musl), imagetest.Text("lib/ld-musl.so.1", "m"))
	under := func(root string, files []imagetest.File) []imagetest.File {
		files = slices.Clone(files)
		for i := range files {
			files[i].Path = root + files[i].Path
		}
		return files
	}
	fileless := append(imagetest.Debian(zlib, imagetest.Package{Name: "meta", Version: "1"}), imagetest.Text("lib/libz.so.1", "z"))
	single := []imagetest.File{
		imagetest.Text("etc/os-release", "ID=debian\nVERSION_ID=12\n"),
		imagetest.Text("var/lib/dpkg/status.d/zlib1g", "Package: zlib1g\nVersion: 1:1.2.13-1\n"), imagetest.Text("var/lib/dpkg/status.d/zlib1g.md5sums", "d41d8cd98f00b204e9800998ecf8427e  lib/libz.so.1\n"),
		imagetest.Text("lib/libz.so.1", "z"),
	}
	text := imagetest.Text
	status := "/var/lib/dpkg/status"
	for name, tc := range map[string]struct {
		base  []imagetest.File
		later []imagetest.File
		// want are the packages, restored where their list was.
		want, restored string
		// taken says that the verdict is incomplete.
		taken bool
	}{
		"dpkg's list is emptied":                 {debian, []imagetest.File{text("var/lib/dpkg/status", "")}, "zlib1g", status, false},
		"dpkg's list is a blank line":            {debian, []imagetest.File{text("var/lib/dpkg/status", "\n")}, "zlib1g", status, false},
		"dpkg's list is deleted":                 {debian, []imagetest.File{text("var/lib/dpkg/.wh.status", "")}, "zlib1g", status, false},
		"dpkg's directory is deleted":            {debian, []imagetest.File{text("var/lib/.wh.dpkg", "")}, "zlib1g", status, false},
		"dpkg's directory is made anew":          {debian, []imagetest.File{text("var/lib/dpkg/.wh..wh..opq", "")}, "zlib1g", status, false},
		"a file of no package is a list":         {debian, []imagetest.File{text("var/lib/.wh.dpkg", ""), text("var/lib/dpkg/status.d/x", "\n")}, "zlib1g", status, false},
		"a list of another kind is there":        {debian, []imagetest.File{text("var/lib/dpkg/.wh.status", ""), text("var/lib/dpkg/status.d/base", "Package: base\nVersion: 1\n")}, "base zlib1g", status, false},
		"a list without dpkg is deleted":         {single, []imagetest.File{text("var/lib/.wh.dpkg", "")}, "zlib1g", "/var/lib/dpkg/status.d/zlib1g", false},
		"apk's list is emptied":                  {alpine, []imagetest.File{text("lib/apk/db/installed", "")}, "musl", "/lib/apk/db/installed", false},
		"apk's directory is deleted":             {alpine, []imagetest.File{text("lib/.wh.apk", "")}, "musl", "/lib/apk/db/installed", false},
		"a list in a directory is deleted":       {under("srv/root/", debian), []imagetest.File{text("srv/root/var/lib/.wh.dpkg", "")}, "zlib1g", "/srv/root/var/lib/dpkg/status", false},
		"a directory takes the list's place":     {debian, append(imagetest.NPM("/var/lib/dpkg/status", "lodash@4.17.4"), text("var/lib/dpkg/.wh.available", "")), "lodash", "", true},
		"noise takes the list's place":           {debian, []imagetest.File{text("var/lib/dpkg/status", "\x00\x01\x02 no list\n")}, "", "", true},
		"a long text takes the list's place":     {debian, []imagetest.File{text("var/lib/dpkg/status", strings.Repeat(" ", 10_000)+"\n")}, "", "", true},
		"a link takes the list's place":          {debian, []imagetest.File{imagetest.Symlink("var/lib/dpkg/status", "/nowhere")}, "", "", true},
		"a link takes its directory's place":     {debian, append(imagetest.NPM("/opt/app/status", "lodash@4.17.4"), text("var/lib/.wh.dpkg", ""), imagetest.Symlink("var/lib/dpkg", "/opt/app")), "lodash", "", true},
		"a file takes its directory's place":     {debian, []imagetest.File{text("var/lib/dpkg", "x")}, "", "", true},
		"the packages are removed with it":       {alpine, []imagetest.File{text("lib/apk/db/installed", ""), text("lib/.wh.ld-musl.so.1", "")}, "", "", false},
		"a whole system is removed with it":      {debian, []imagetest.File{text(".wh.var", ""), text(".wh.lib", "")}, "", "", false},
		"so is a package without files":          {fileless, []imagetest.File{text(".wh.var", ""), text(".wh.lib", "")}, "", "", false},
		"a package without files stays":          {fileless, []imagetest.File{text(".wh.var", "")}, "meta zlib1g", status, false},
		"a copied system is removed":             {under("rootfs/", debian), []imagetest.File{text(".wh.rootfs", "")}, "", "", false},
		"a later layer brings it all again":      {debian, debian, "zlib1g", "", false},
		"the list is another one":                {debian, []imagetest.File{text("var/lib/dpkg/status", "Package: base\nVersion: 1\nArchitecture: amd64\nStatus: install ok installed\n")}, "base", "", false},
		"a list of no package was there already": {[]imagetest.File{text("etc/os-release", "ID=debian\nVERSION_ID=12\n"), text("var/lib/dpkg/status", "\n"), text("app/node_modules/a/package.json", `{"name":"a","version":"1.0.0"}`)}, []imagetest.File{text("var/lib/dpkg/.wh.status", "")}, "a", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			img, err := imagetest.New().Layer("base", tc.base...).Layer("later", tc.later...).Image()
			must(t, err)
			inv, _, err := syftcatalog.Catalog(t.Context(), open(t, layout(t, img)), syftcatalog.Options{})
			must(t, err)
			var names []string
			for _, p := range inv.Packages {
				names = append(names, p.Name)
			}
			slices.Sort(names)
			if got := strings.Join(names, " "); got != tc.want {
				t.Errorf("packages %q, want %q", got, tc.want)
			}
			var restored string
			if len(inv.Restored) > 0 {
				restored = inv.Restored[0].Path
			}
			if restored != tc.restored || len(inv.Restored) > 1 {
				t.Errorf("restored = %+v, want %q", inv.Restored, tc.restored)
			}
			if taken := slices.ContainsFunc(inv.Unreadable, inventory.Unreadable.PackageDatabase); taken != tc.taken {
				t.Errorf("unreadable: %+v", inv.Unreadable)
			}
		})
	}
}

// An update of the system may write its database in another form.
func TestADatabaseOfAnotherFormReplacesTheDeletedOne(t *testing.T) {
	img, err := imagetest.New().
		Layer("base", imagetest.Text("var/lib/rpm/Packages", "old")).
		Layer("later", imagetest.Text("var/lib/rpm/.wh.Packages", ""), imagetest.Text("usr/lib/sysimage/rpm/rpmdb.sqlite", "new")).Image()
	must(t, err)
	inv, _, err := syftcatalog.Catalog(t.Context(), open(t, layout(t, img)), syftcatalog.Options{})
	must(t, err)
	if len(inv.Restored) != 0 {
		t.Errorf("restored = %+v, want none", inv.Restored)
	}
}

func TestOfSeveralDeletedDatabasesTheLastOneIsRestored(t *testing.T) {
	img, err := imagetest.New().
		Layer("base", imagetest.Text("var/lib/rpm/Packages", "old")).
		Layer("later", imagetest.Text("var/lib/rpm/.wh.Packages", ""), imagetest.Text("var/lib/rpm/rpmdb.sqlite", "new")).
		Layer("last", imagetest.Text("var/lib/.wh.rpm", "")).Image()
	must(t, err)
	inv, _, err := syftcatalog.Catalog(t.Context(), open(t, layout(t, img)), syftcatalog.Options{})
	must(t, err)
	var unreadable []string
	for _, u := range inv.Unreadable {
		unreadable = append(unreadable, u.Path)
	}
	// Neither can be read: that tells which were looked at.
	if want := []string{"/var/lib/rpm/rpmdb.sqlite"}; !slices.Equal(slices.Compact(unreadable), want) {
		t.Errorf("unreadable = %v, want %v", inv.Unreadable, want)
	}
}
