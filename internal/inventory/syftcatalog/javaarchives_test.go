package syftcatalog_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/inventory"
)

const (
	manifestOfJar = "META-INF/MANIFEST.MF"
	manifestText  = "Manifest-Version: 1.0\r\n\r\n"
)

// pom is what Maven leaves in an archive.
func pom(artifact string) (name, text string) {
	return "META-INF/maven/org.example/" + artifact + "/pom.properties", "groupId=org.example\nartifactId=" + artifact + "\nversion=1.2.3\n"
}

// library is a Java archive as Maven builds it.
func library(t *testing.T, artifact string) []byte {
	name, text := pom(artifact)
	return zipOf(t, manifestOfJar, manifestText, "org/example/A.class", "x", name, text)
}

func TestJavaArchivesAreFoundByWhatTheyAreAndNotByTheirNames(t *testing.T) {
	name, text := pom("shuffled")
	shuffled := zipOf(t, "org/example/A.class", "x", manifestOfJar, manifestText, name, text)
	img, err := imagetest.New().Layer("COPY . /", slices.Concat(
		imagetest.Debian(imagetest.Package{Name: "bash", Version: "5.2.15-2"}),
		[]imagetest.File{
			{Path: "opt/usual-1.jar", Body: library(t, "usual")},
			{Path: "app", Body: library(t, "plain"), Mode: 0o755},
			{Path: "opt/old-1.jar.original", Body: library(t, "kept")},
			{Path: "opt/SHOUTED.JAR", Body: shuffled},
			imagetest.Symlink("opt/link", "usual-1.jar"),
			// None of these is a Java archive.
			{Path: "opt/addon.xpi", Body: zipOf(t, manifestOfJar, manifestText, "META-INF/mozilla.rsa", "", "background.js", "")},
			{Path: "opt/app.apk", Body: zipOf(t, "META-INF/com/android/build/gradle/app-metadata.properties", "", "classes.dex", "x")},
			{Path: "opt/documents.zip", Body: zipOf(t, "a.class", "x", "META-INF/x", "")},
			{Path: "opt/PHOTOS.RAR", Body: []byte("Rar!\x1a\x07\x01\x00 not Java's kind of it")},
			{Path: "opt/META-INF", Body: []byte("PK\x03\x04 too short")},
		})...).Image()
	must(t, err)
	inv, bom := catalog(t, layout(t, img))
	places := map[string][]string{}
	for _, p := range inv.Packages {
		if p.Type == "maven" {
			for _, at := range p.Places {
				places[p.PURL] = append(places[p.PURL], at.Path)
			}
		}
	}
	want := map[string]string{
		"pkg:maven/org.example/usual@1.2.3":    "/opt/usual-1.jar",
		"pkg:maven/org.example/plain@1.2.3":    "/app",
		"pkg:maven/org.example/kept@1.2.3":     "/opt/old-1.jar.original",
		"pkg:maven/org.example/shuffled@1.2.3": "/opt/SHOUTED.JAR",
	}
	for purl, path := range want {
		if !slices.Equal(places[purl], []string{path}) {
			t.Errorf("%s is found at %q, want %s", purl, places[purl], path)
		}
	}
	for purl, paths := range places {
		// The cataloger names an archive by its file as well, where Maven gave it another name.
		for _, path := range paths {
			if !slices.Contains(slices.Collect(maps.Values(want)), path) {
				t.Errorf("%s is no Java archive, and %s is found in it", path, purl)
			}
		}
	}
	for _, u := range inv.Unreadable {
		t.Errorf("%s is called unreadable: %s", u.Path, u.Reason)
	}
	if n := bom.Stats().Rereads; n > 1 {
		t.Errorf("the layer was read %d more times", n)
	}
}

func TestABrokenJavaArchiveOfAnyNameIsToldOf(t *testing.T) {
	whole := library(t, "cut")
	for _, name := range []string{"opt/cut-1.jar", "app"} {
		img, err := imagetest.New().Layer("COPY", append(
			imagetest.Debian(imagetest.Package{Name: "bash", Version: "5.2.15-2"}),
			imagetest.File{Path: name, Body: whole[:len(whole)-30]})...).Image()
		must(t, err)
		inv, _ := catalog(t, layout(t, img))
		if !slices.ContainsFunc(inv.Unreadable, func(u inventory.Unreadable) bool { return u.Path == "/"+name }) {
			t.Errorf("%s is passed over: %v", name, inv.Unreadable)
		}
	}
}

// TestWhatCannotBeReadBesideWhatCanIsToldOf: in the packages that were found, a
// reader would not see that there are more.
func TestWhatCannotBeReadBesideWhatCanIsToldOf(t *testing.T) {
	inner := library(t, "inner")
	name, text := pom("outer")
	for why, tt := range map[string]struct {
		inner string
		told  bool
	}{
		"a whole library": {string(inner), false},
		"a cut library":   {string(inner[:len(inner)/2]), true},
		"another archive": {"Rar!\x1a\x07\x01\x00 not Java's kind of it", false},
	} {
		img, err := imagetest.New().Layer("COPY", append(
			imagetest.Debian(imagetest.Package{Name: "bash", Version: "5.2.15-2"}),
			imagetest.File{Path: "app.jar", Body: zipOf(t, manifestOfJar, manifestText, name, text, "BOOT-INF/lib/inner-1.2.3.jar", tt.inner)})...).Image()
		must(t, err)
		inv, _ := catalog(t, layout(t, img))
		find(t, inv, "outer")
		told := slices.ContainsFunc(inv.Unreadable, func(u inventory.Unreadable) bool { return u.Path == "/app.jar" })
		if told != tt.told {
			t.Errorf("%s: told of it: %t; unreadable: %v", why, told, inv.Unreadable)
		}
	}
}
