package diff

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/report/document"
)

// As `git diff` writes it: with context, without, a new file, a removed one, a
// moved one, a name in quotes, a mode, a binary file, and lines that look like
// headers.
const recorded = `diff --git a/Dockerfile b/Dockerfile
index 1111111..2222222 100644
--- a/Dockerfile
+++ b/Dockerfile
@@ -1,5 +1,6 @@
 FROM debian
-RUN a
+RUN b
+RUN c
 USER 1
 CMD d
 # end
@@ -40 +41 @@
--- a/x
+++ b/forged
diff --git a/gone b/gone
deleted file mode 100644
index 1111111..0000000
--- a/gone
+++ /dev/null
@@ -1 +0,0 @@
-x
diff --git a/new.yaml b/new.yaml
new file mode 100644
index 0000000..1111111
--- /dev/null
+++ b/new.yaml
@@ -0,0 +1,2 @@
+a: 1
+b: 2
diff --git a/old.yaml b/moved.yaml
similarity index 90%
rename from old.yaml
rename to moved.yaml
index 1111111..2222222 100644
--- a/old.yaml
+++ b/moved.yaml
@@ -9 +9 @@
-a
+b
diff --git "a/k8s/\303\244 \"x\".yaml" "b/k8s/\303\244 \"x\".yaml"
index 1111111..2222222 100644
--- "a/k8s/\303\244 \"x\".yaml"
+++ "b/k8s/\303\244 \"x\".yaml"
@@ -3 +3 @@
-a
+b
diff --git a/run.sh b/run.sh
old mode 100644
new mode 100755
diff --git a/logo.png b/logo.png
index 1111111..2222222 100644
Binary files a/logo.png and b/logo.png differ
`

func TestTheAddedLinesOfADiffAreRead(t *testing.T) {
	got, err := parse(strings.NewReader(recorded))
	if err != nil {
		t.Fatal(err)
	}
	want := document.Changed{
		"Dockerfile":       {{First: 2, Last: 3}, {First: 41, Last: 41}},
		"new.yaml":         {{First: 1, Last: 2}},
		"moved.yaml":       {{First: 9, Last: 9}},
		"k8s/ä \"x\".yaml": {{First: 3, Last: 3}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWithoutADiffNothingIsChanged(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.diff")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"", empty} {
		if got, err := Read(path); err != nil || len(got) != 0 {
			t.Errorf("%q: %v, %v", path, got, err)
		}
	}
	if _, err := Read(empty + ".missing"); err == nil {
		t.Error("a missing file is no error")
	}
	if _, err := parse(strings.NewReader("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1,9 @@\n-a\n+b\n")); err == nil {
		t.Error("a diff that was cut off is no error")
	}
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("index out of range") }

func TestAPanicIsADiffThatCannotBeRead(t *testing.T) {
	if _, err := parse(panicking{}); err == nil || !strings.Contains(err.Error(), "index out of range") {
		t.Errorf("got %v", err)
	}
}

// Whatever the text, it is read or refused, and what is read are lines that a
// file can have.
func FuzzParse(f *testing.F) {
	f.Add([]byte(recorded))
	f.Add([]byte("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -0,0 +1,9999999999 @@\n+a\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		changed, err := parse(bytes.NewReader(text))
		if err != nil {
			return
		}
		for name, lines := range changed {
			if name == "" || len(lines) > bytes.Count(text, []byte("\n"))+1 {
				t.Errorf("%q has %d changed lines in a text of %d bytes", name, len(lines), len(text))
			}
			for _, r := range lines {
				if r.First > r.Last {
					t.Errorf("%q has the lines %d to %d", name, r.First, r.Last)
				}
			}
		}
	})
}
