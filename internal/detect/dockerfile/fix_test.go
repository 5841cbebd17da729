package dockerfile

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	editing "github.com/portcullis-ci/portcullis/internal/edit"
)

// fixAll fixes until nothing changes any more.
func fixAll(t *testing.T, text string, opts Options) string {
	t.Helper()
	content := []byte(text)
	for range 5 {
		res := Lint(context.Background(), []File{{Path: "Dockerfile", Content: content}}, opts)
		next, _, err := editing.Fix("Dockerfile", content, res.Findings)
		if err != nil {
			t.Fatal(err)
		}
		if string(next) == string(content) {
			return string(content)
		}
		content = next
	}
	t.Fatal("fixing does not come to an end")
	return ""
}

func TestFixes(t *testing.T) {
	digest := Options{Digest: func(string) (string, bool) { return "sha256:" + strings.Repeat("0", 64), true }}
	tests := []struct {
		name, text, want string
		opts             Options
	}{
		{"ADD to COPY", "ADD a /b\nadd c /d\n", "COPY a /b\ncopy c /d\n", Options{}},
		{
			"install options, at one place", "RUN apt-get update && \\\n    apt-get install curl # x\n",
			"RUN apt-get update && \\\n    apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/* # x\n",
			Options{},
		},
		{"apk", "RUN apk add curl\n", "RUN apk add --no-cache curl\n", Options{}},
		{"pip", "RUN pip install a\n", "RUN pip install --no-cache-dir a\n", Options{}},
		{"dnf", "RUN dnf install a\n", "RUN dnf install -y a && dnf clean all\n", Options{}},
		{"zypper", "RUN zypper in a\n", "RUN zypper -n in a && zypper clean --all\n", Options{}},
		{"exec form", "CMD app  --port 80\n", "CMD [\"app\", \"--port\", \"80\"]\n", Options{}},
		{"no exec form for what needs a shell", "CMD app $X\n", "CMD app $X\n", Options{}},
		{"sudo", "RUN a && sudo make install\n", "RUN a && make install\n", Options{}},
		{"sudo stays where the step is not root", "USER app\nRUN sudo make\n", "USER app\nRUN sudo make\n", Options{}},
		{"certificate checks", "RUN curl -fsSL \\\n    -k https://x -o y\n", "RUN curl -fsSL \\\n https://x -o y\n", Options{}},
		{"the old forms", "MAINTAINER me <a@b.c>\nENV A b c\nLABEL version 1\n", "LABEL org.opencontainers.image.authors=\"me <a@b.c>\"\nENV A=\"b c\"\nLABEL version=1\n", Options{}},
		{"blank lines", "RUN a \\\n\n\n  && b\n", "RUN a \\\n  && b\n", Options{}},
		{"apt", "RUN apt remove -y x\n", "RUN apt-get remove -y x\n", Options{}},
		{"ports", "EXPOSE 80/TCP 9\n", "EXPOSE 80/tcp 9\n", Options{}},
		{"a directory", "COPY a b /c\n", "COPY a b /c/\n", Options{}},
		{"useradd", "RUN useradd -u 1234567 x\n", "RUN useradd -l -u 1234567 x\n", Options{}},
		{"the platform", "FROM --platform=$TARGETPLATFORM a:1 AS x\n", "FROM a:1 AS x\n", Options{}},
		{"a known digest", "FROM a:1 AS x\n", "FROM a:1@sha256:" + strings.Repeat("0", 64) + " AS x\n", digest},
		{"line endings stay", "ADD a /b\r\nEXPOSE 80/TCP\r\n", "COPY a /b\r\nEXPOSE 80/tcp\r\n", Options{}},
		{"what is ignored stays", "# hadolint ignore=DL3020\nADD a /b\n", "# hadolint ignore=DL3020\nADD a /b\n", Options{}},
		{"code points before the place", "RUN echo 'ä€🚀' && apk add x\n", "RUN echo 'ä€🚀' && apk add --no-cache x\n", Options{}},
		{"chains with alternatives stay", "RUN dnf install -y a || true\n", "RUN dnf install -y a || true\n", Options{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			const from = "FROM scratch\n"
			text, want := tt.text, tt.want
			if !strings.Contains(text, "FROM ") {
				text, want = from+text, from+want
			}
			if diff := cmp.Diff(want, fixAll(t, text, tt.opts)); diff != "" {
				t.Errorf("fixed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryFixMendsItsFinding(t *testing.T) {
	for _, r := range allRules() {
		opts := exampleOptions(r)
		opts.Enable = []string{r.ID}
		res := Lint(context.Background(), []File{{Path: "Dockerfile", Content: []byte(r.Bad)}}, opts)
		for _, f := range res.Findings {
			if f.RuleID != r.ID || len(f.Fix.Edits) == 0 {
				continue
			}
			fixed, err := editing.Apply([]byte(r.Bad), f.Fix.Edits)
			if err != nil {
				t.Fatalf("%s: %v", r.ID, err)
			}
			again := Lint(context.Background(), []File{{Path: "Dockerfile", Content: fixed}}, opts)
			for _, g := range again.Findings {
				if g.RuleID == r.ID || g.RuleID == "PC-DF100" {
					t.Errorf("%s: after the fix %s still fires:\n%s", r.ID, g.RuleID, fixed)
				}
			}
		}
	}
}
