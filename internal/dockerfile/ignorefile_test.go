package dockerfile

import "testing"

func TestAnIgnoreFileLeavesOutWhatTheBuilderDoesNotSee(t *testing.T) {
	f, err := ReadIgnoreFile(".dockerignore", []byte("# comment\n*.lock\n**/package-lock.json\nvendor\n!vendor/keep.lock\n/docs/\nsecret\n!secret/*.pub\n"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"Cargo.lock": true, "sub/Cargo.lock": false, "package-lock.json": true, "web/package-lock.json": true, "./web/../package-lock.json": true,
		"vendor/a.go": true, "vendor/keep.lock": false, "vendor": false, "docs/a.md": true, "other/docs/a.md": false,
		"secret/key": true, "secret/key.pub": false, "": false, ".": false, "go.mod": false,
	} {
		if got := f.Excludes(name); got != want {
			t.Errorf("%q is left out: %v", name, got)
		}
	}
	if everything, err := ReadIgnoreFile("x", []byte("*\n!src\n")); err != nil || !everything.Excludes("go.mod") || everything.Excludes("src/go.mod") {
		t.Error("what an exception brings back is left out, or the rest is not", err)
	}
	var none *IgnoreFile
	if none.Excludes("a") || (&IgnoreFile{}).Excludes("a") {
		t.Error("no ignore file leaves something out")
	}
	if _, err := ReadIgnoreFile("x", []byte("[a-\n")); err == nil {
		t.Error("a pattern that the builder refuses is none")
	}
}
