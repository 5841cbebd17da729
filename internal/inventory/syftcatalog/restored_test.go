package syftcatalog_test

import (
	"slices"
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
	for name, tc := range map[string]struct {
		base  []imagetest.File
		later []imagetest.File
		// want is the package, restored where its list was; "" for none.
		want, restored string
	}{
		"dpkg's list is emptied":              {debian, []imagetest.File{imagetest.Text("var/lib/dpkg/status", "")}, "zlib1g", "/var/lib/dpkg/status"},
		"dpkg's list is deleted":              {debian, []imagetest.File{imagetest.Text("var/lib/dpkg/.wh.status", "")}, "zlib1g", "/var/lib/dpkg/status"},
		"dpkg's directory is deleted":         {debian, []imagetest.File{imagetest.Text("var/lib/.wh.dpkg", "")}, "zlib1g", "/var/lib/dpkg/status"},
		"dpkg's directory is made anew":       {debian, []imagetest.File{imagetest.Text("var/lib/dpkg/.wh..wh..opq", "")}, "zlib1g", "/var/lib/dpkg/status"},
		"a directory takes the list's place":  {debian, []imagetest.File{imagetest.Text("var/lib/dpkg/status/x", "")}, "zlib1g", "/var/lib/dpkg/status"},
		"a link to nowhere takes its place":   {debian, []imagetest.File{imagetest.Symlink("var/lib/dpkg/status", "/nowhere")}, "zlib1g", "/var/lib/dpkg/status"},
		"a file takes its directory's place":  {debian, []imagetest.File{imagetest.Text("var/lib/dpkg", "x")}, "zlib1g", "/var/lib/dpkg/status"},
		"apk's list is emptied":               {alpine, []imagetest.File{imagetest.Text("lib/apk/db/installed", "")}, "musl", "/lib/apk/db/installed"},
		"apk's directory is deleted":          {alpine, []imagetest.File{imagetest.Text("lib/.wh.apk", "")}, "musl", "/lib/apk/db/installed"},
		"a list in a directory is deleted":    {under("srv/root/", debian), []imagetest.File{imagetest.Text("srv/root/var/lib/.wh.dpkg", "")}, "zlib1g", "/srv/root/var/lib/dpkg/status"},
		"the packages are removed with it":    {alpine, []imagetest.File{imagetest.Text("lib/apk/db/installed", ""), imagetest.Text("lib/.wh.ld-musl.so.1", "")}, "", "/lib/apk/db/installed"},
		"a whole system is removed with it":   {debian, []imagetest.File{imagetest.Text(".wh.var", ""), imagetest.Text(".wh.lib", "")}, "", "/var/lib/dpkg/status"},
		"a later layer brings it all again":   {debian, debian, "zlib1g", ""},
		"another list of the manager is left": {debian, []imagetest.File{imagetest.Text("var/lib/dpkg/.wh.status", ""), imagetest.Text("var/lib/dpkg/status.d/zlib1g", "Package: zlib1g\nVersion: 1:1.2.13-1\nStatus: install ok installed\n")}, "zlib1g", ""},
		"the list is another one":             {debian, []imagetest.File{imagetest.Text("var/lib/dpkg/status", "Package: base\nVersion: 1\nArchitecture: amd64\nStatus: install ok installed\n")}, "base", ""},
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
			if want := slices.DeleteFunc([]string{tc.want}, func(s string) bool { return s == "" }); !slices.Equal(names, want) {
				t.Errorf("packages = %v, want %v", names, want)
			}
			var restored string
			if len(inv.Restored) > 0 {
				restored = inv.Restored[0].Path
			}
			if restored != tc.restored || len(inv.Restored) > 1 {
				t.Errorf("restored = %+v, want %q", inv.Restored, tc.restored)
			}
			if bad := slices.ContainsFunc(inv.Unreadable, inventory.Unreadable.PackageDatabase); bad {
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
