package html

import (
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/report/document"
)

func at(path string, line, endLine int) finding.Finding {
	return finding.Finding{Kind: finding.Dockerfile, Locations: []finding.Location{{Space: finding.Repository, Path: path, Line: line, EndLine: endLine}}}
}

func TestSecretsInSourceFilesAreNotShown(t *testing.T) {
	root := fstest.MapFS{
		"Dockerfile": {Data: []byte("FROM a\nENV A=hunter1 \\\n  B=hunter2\nARG C=hunter3\nENV D hunter4\nLABEL e=hunter5\nRUN make\nRUN curl -u hunter6\nENV F=\\\nhunter7\nRUN \\\n hunter8\n")},
		"k8s/a.yaml": {Data: []byte("kind: Pod\nvalue: hunter9\nprivileged: true\npassword: hunter10\n")},
	}
	secret := at("Dockerfile", 8, 8)
	secret.Sensitive = true
	long := at("Dockerfile", 11, 12)
	long.Sensitive = true
	manifest := at("k8s/a.yaml", 4, 4)
	manifest.Kind = finding.Secret
	got := sources([]finding.Finding{at("Dockerfile", 1, 1), secret, long, at("k8s/a.yaml", 3, 3), manifest}, document.Options{Root: root})
	want := []source{
		{Path: "Dockerfile", Count: 12, Lines: map[int]string{
			1: "FROM a", 2: "ENV A=…", 3: "  B=…", 4: "ARG C=…", 5: "ENV D …", 6: "LABEL e=…",
			7: "RUN make", 8: document.Hidden, 9: "ENV F=…", 10: "…", 11: document.Hidden, 12: document.Hidden,
		}},
		{Path: "k8s/a.yaml", Count: 4, Lines: map[int]string{3: "privileged: true", 4: document.Hidden}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFilesThatCannotBeShownKeepTheirPlace(t *testing.T) {
	root := fstest.MapFS{"binary": {Data: []byte("a\x00b")}}
	got := sources([]finding.Finding{at("binary", 1, 1), at("missing", 3, 3), at("../outside", 1, 1)}, document.Options{Root: root})
	if len(got) != 3 || got[0].Count+got[1].Count+got[2].Count != 0 {
		t.Errorf("got %+v", got)
	}
}
