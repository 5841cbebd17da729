package syftcatalog_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
)

func TestPackagesInPythonArchivesAreFound(t *testing.T) {
	said := func(name, version string) string {
		return "Metadata-Version: 2.1\nName: " + name + "\nVersion: " + version +
			"\nLicense: Apache 2.0\n  Name: no field of its own\nLicense-Expression: MIT\nRequires-Dist: urllib3\n\nVersion: 9 is in the description\n"
	}
	behind := func(script string, archive []byte) []byte { return append([]byte(script), archive...) }
	whole := zipOf(t, "__main__.py", "", ".deps/requests-2.19.0-py2.py3-none-any.whl/requests-2.19.0.dist-info/METADATA", said("requests", "2.19.0"))
	img, err := imagetest.New().Layer("COPY . /", append(imagetest.Debian(imagetest.Package{Name: "bash", Version: "5.2.15-2"}),
		imagetest.File{Path: "bin/app.pex", Body: behind("#!/usr/bin/env python3.11\n", whole)},
		imagetest.File{Path: "bin/app.pyz", Body: zipOf(t, "site-packages/PyYAML-5.3.1.dist-info/METADATA", strings.ReplaceAll(said("PyYAML", "5.3.1"), "\n", "\r\n"))},
		imagetest.File{Path: "usr/lib/python2.7/site-packages/zope.interface-4.0-py2.7.egg", Body: zipOf(t, "EGG-INFO/PKG-INFO", said("zope.interface", "4.0"))},
		imagetest.File{Path: "bin/script.pyz", Body: zipOf(t, "__main__.py", "print()", "docs/METADATA", said("none", "1"))},
		imagetest.File{Path: "bin/cut.pyz", Body: whole[:len(whole)-40]},
		imagetest.File{Path: "bin/nameless.pyz", Body: zipOf(t, "a-1.dist-info/METADATA", "Version: 1\n", "b-1.dist-info/METADATA", said("b", "1"))},
		imagetest.File{Path: "wheels/left-1-py3-none-any.whl", Body: zipOf(t, "left-1.dist-info/METADATA", said("left", "1"))},
	)...).Image()
	must(t, err)
	inv, _ := catalog(t, layout(t, img))
	var found []string
	for _, p := range inv.Packages {
		if p.Type == "pypi" {
			found = append(found, p.PURL+" "+p.Places[0].Path+" "+strings.Join(p.Licenses, ","))
		}
	}
	slices.Sort(found)
	want := []string{
		"pkg:pypi/b@1 /bin/nameless.pyz MIT",
		"pkg:pypi/pyyaml@5.3.1 /bin/app.pyz MIT",
		"pkg:pypi/requests@2.19.0 /bin/app.pex MIT",
		"pkg:pypi/zope-interface@4.0 /usr/lib/python2.7/site-packages/zope.interface-4.0-py2.7.egg MIT",
	}
	if !slices.Equal(found, want) {
		t.Errorf("found %q, want %q", found, want)
	}
	var unread []string
	for _, u := range inv.Unreadable {
		unread = append(unread, u.Path)
	}
	if !slices.Equal(unread, []string{"/bin/cut.pyz", "/bin/nameless.pyz"}) {
		t.Errorf("unreadable: %+v", inv.Unreadable)
	}
}
