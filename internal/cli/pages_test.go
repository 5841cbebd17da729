package cli_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/cli"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

var update = flag.Bool("update", false, "write generated files anew")

// TestGeneratedPagesAreFresh holds the reference pages in docs against the
// rules that they are made from. `make generate` writes them.
func TestGeneratedPagesAreFresh(t *testing.T) {
	catalogue, err := cli.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	for kind, page := range rules.Pages(catalogue) {
		path := filepath.Join("..", "..", "docs", "rules", string(kind)+".md")
		if *update {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Errorf("%v; run make generate", err)
			continue
		}
		if diff := cmp.Diff(string(got), page); diff != "" {
			t.Errorf("%s is not what the rules say; run make generate (-file +rules):\n%s", path, diff)
		}
	}
}

// pageLink is a link of a page to another file of the repository.
var pageLink = regexp.MustCompile(`\]\(([^):#]+\.md|LICENSE)[^)]*\)`)

func TestLinksOfThePagesLeadToFiles(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, "../../README.md", "../../SECURITY.md") {
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range pageLink.FindAllStringSubmatch(string(content), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), link[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", page, link[1])
			}
		}
	}
}
