package finding

import (
	"strings"
	"testing"
)

func TestAFindingLiesWhereItIsFixedOrWithAllOfItsPlacesInTheImage(t *testing.T) {
	inImage := func(path string) Location { return Location{Space: InImage, Path: path} }
	line := func(path, note string) Location { return Location{Space: Repository, Path: path, Line: 3, Note: note} }
	app, lib := inImage("/app/a.jar"), inImage("/lib/a.jar")
	tests := []struct {
		name      string
		locations []Location
		prefix    string
		want      bool
	}{
		{"where it is fixed", []Location{line("dev/Dockerfile", ""), app}, "dev/", true},
		{"where it is fixed, of the base image", []Location{line("dev/Dockerfile", "base image"), app}, "dev/", true},
		{"a further line of the repository", []Location{line("package-lock.json", ""), line("dev/Dockerfile", ""), app}, "dev/", false},
		{"all places in the image", []Location{app, inImage("/app/b.jar")}, "/app/", true},
		{"some places in the image", []Location{app, lib}, "/app/", false},
		{"a place in the image of what is fixed elsewhere", []Location{line("Dockerfile", ""), app}, "/app/", true},
		{"the line that runs the image", []Location{app, line("dev/x.yaml", RunsHere+": privileged")}, "dev/", false},
		{"the line that names the image, where nothing better is known", []Location{line("dev/x.yaml", NamesTheImage), app}, "dev/", false},
		{"a place in the image beside such a line", []Location{line("dev/x.yaml", NamesTheImage), app}, "/app/", true},
		{"a manifest that is at fault itself", []Location{line("dev/x.yaml", "")}, "dev/", true},
		{"what a manifest is at fault with", []Location{line("x.yaml", ""), line("dev/x.yaml", "selects it")}, "dev/", false},
		{"no place at all", nil, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := Finding{Locations: tt.locations}
			if got := f.LiesIn(func(path string) bool { return strings.HasPrefix(path, tt.prefix) }); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestOnlyLinesOfTheRepositoryAreThoseOfAWorkload(t *testing.T) {
	for _, tt := range []struct {
		location Location
		want     bool
	}{
		{Location{Space: Repository, Note: RunsHere + ": privileged, reached from outside"}, true},
		{Location{Space: Repository, Note: NamesTheImage}, true},
		{Location{Space: Repository, Note: "names the images"}, false},
		{Location{Space: Repository}, false},
		{Location{Space: InImage, Note: NamesTheImage}, false},
	} {
		if got := tt.location.OfWorkload(); got != tt.want {
			t.Errorf("%s %q: got %v, want %v", tt.location.Space, tt.location.Note, got, tt.want)
		}
	}
}

func TestTheDirectoryOfACopiedRoot(t *testing.T) {
	for path, want := range map[string]string{
		"/lib/apk/db/installed": "", "/usr/lib/apk/db/installed": "", "/srv/root/usr/lib/apk/db/installed": "/srv/root",
		"/var/lib/rpm/rpmdb.sqlite": "", "/usr/lib/sysimage/rpm/Packages.db": "", "/a/b/usr/share/rpm/rpmdb.sqlite": "/a/b",
		"/var/lib/pacman/local/zlib-1/desc": "", "/x/var/db/pkg/sys-libs/zlib-1/CONTENTS": "/x", "/usr/lib/libz.so": "",
	} {
		if got := CopiedRoot([]string{path}); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
	if got := CopiedRoot([]string{"/x/usr/share/doc/zlib/copyright", "/x/var/lib/dpkg/status"}); got != "/x" {
		t.Errorf("behind a file of the package: got %q", got)
	}
}
