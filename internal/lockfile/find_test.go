package lockfile

import (
	"context"
	"errors"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }

func TestASearchReadsTheCheckoutAndNotWhatIsInstalled(t *testing.T) {
	tree := fstest.MapFS{
		"app/requirements.txt":               file("requests==2.19.0\n"),
		"app/node_modules/x/yarn.lock":       file("a@1:\n  version \"1\"\n"),
		"go.mod":                             file("module m\nrequire golang.org/x/net v0.7.0\n"),
		"vendor/golang.org/x/net/go.mod":     file("module n\nrequire a.example/b v1.0.0\n"),
		".git/requirements.txt":              file("a==1\n"),
		"broken/package-lock.json":           file("{"),
		"requirements/deep/more/Gemfile.lok": file(""),
	}
	set, err := Find(t.Context(), tree, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range set.Files {
		got = append(got, f.Path)
	}
	if diff := cmp.Diff([]string{"app/requirements.txt", "go.mod"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if len(set.Unread) != 1 || set.Unread[0].Path != "broken/package-lock.json" {
		t.Errorf("unread: %+v", set.Unread)
	}
	if hits := set.Lookup("pypi", "Requests", "2.19.0"); len(hits) != 1 || hits[0].File.Folder() != "app" {
		t.Errorf("hits: %+v", hits)
	}
	if hits := set.Lookup("golang", "golang.org/x/net", "0.7.0"); len(hits) != 1 {
		t.Errorf("hits: %+v", hits)
	}
	if hits := set.Lookup("npm", "requests", "2.19.0"); hits != nil {
		t.Errorf("another ecosystem's package was found: %+v", hits)
	}
}

func TestASearchStopsAtItsLimitsAndSaysSo(t *testing.T) {
	tree := fstest.MapFS{"a/go.mod": file("module a\n"), "b/go.mod": file("module b\n")}
	for name, limits := range map[string]Limits{
		"names": {Names: 2, Files: 9, Bytes: 99}, "files": {Names: 99, Files: 1, Bytes: 99}, "bytes": {Names: 99, Files: 9, Bytes: 9},
	} {
		set, err := Find(t.Context(), tree, limits)
		if err != nil || len(set.Unread) != 1 || !errors.Is(set.Unread[0].Err, ErrBound) {
			t.Errorf("%s: %+v, %v", name, set.Unread, err)
		}
	}
	set, err := Find(t.Context(), tree, Limits{Names: 99, Files: 9, Bytes: 8})
	if err != nil || len(set.Unread) == 0 || !errors.Is(set.Unread[0].Err, ErrTooLarge) {
		t.Errorf("%+v, %v", set, err)
	}
}

func TestASearchEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Find(ctx, fstest.MapFS{"go.mod": file("module a\n")}, Limits{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestAnArchiveWithoutItsGroupIsFoundByItsName(t *testing.T) {
	entries, err := Parse("gradle.lockfile", []byte("org.x:core:1.0=a\n"))
	if err != nil {
		t.Fatal(err)
	}
	set := NewSet(File{Path: "gradle.lockfile", Entries: entries})
	for _, name := range []string{"core", "org.x:core"} {
		if len(set.Lookup("maven", name, "1.0")) != 1 {
			t.Errorf("%s is not found", name)
		}
	}
}
