package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// parsers are the packages of others that make sense of foreign bytes.
var parsers = []string{
	"cel.dev/cel-go/cel", "github.com/BurntSushi/toml", "github.com/CycloneDX/cyclonedx-go", "github.com/anchore/syft/syft",
	"github.com/anchore/syft/syft/format", "github.com/bluekeyes/go-gitdiff/gitdiff", "github.com/gabriel-vasile/mimetype",
	"github.com/github/go-spdx/v2/spdxexp", "github.com/go-git/go-git/v5/plumbing/format/gitignore",
	"github.com/google/osv-scalibr/semantic", "github.com/google/osv-scalibr/veles", "github.com/hashicorp/hcl/v2/hclsyntax",
	"github.com/hashicorp/hcl/v2/json", "github.com/kastenhq/goversion/version", "github.com/klauspost/compress/gzip",
	"github.com/klauspost/compress/zstd", "github.com/moby/buildkit/frontend/dockerfile/parser", "github.com/moby/patternmatcher",
	"github.com/moby/patternmatcher/ignorefile", "github.com/package-url/packageurl-go", "github.com/pandatix/go-cvss/31",
	"github.com/santhosh-tekuri/jsonschema/v6", "go.yaml.in/yaml/v3", "golang.org/x/mod/modfile", "helm.sh/helm/v4/pkg/ignore",
	"helm.sh/helm/v4/pkg/strvals", "modernc.org/sqlite", "mvdan.cc/sh/v3/syntax", "sigs.k8s.io/kustomize/api/krusty",
	"sigs.k8s.io/yaml", "debug/elf", "debug/macho", "debug/pe", "debug/buildinfo", "archive/zip", "archive/tar", "crypto/x509",
	"text/template", "encoding/xml",
}

// underAnotherGuard are the packages that hand foreign bytes to a parser and
// leave it to another package, which calls them, to catch a panic.
var underAnotherGuard = map[string]string{
	"advisory":           "shards are verified by digest, and gate judges packages in a branch whose panics are failures; so does cli for other commands",
	"advisory/cvss":      "an unreadable vector is passed over, which a panic must not be: detect/vulnerability and advisory/builder catch it",
	"advisory/ecosystem": "versions are compared while detect/vulnerability judges a package",
	"advisory/feed":      "advisory/builder catches what reading a source comes to",
	"advisory/store":     "a file that the user imports, in the command's own goroutine: cli",
	"advisory/update":    "an archive that the user asked for, in the command's own goroutine: cli",
	"archive":            "layers catches the panic of the inspector that reads archives",
	"credential":         "layers catches the panic of an inspector, gate that of a branch or stage",
	"inventory":          "package URLs of an inventory: gate catches the panic of a branch or stage",
	"origin":             "gate catches the panic of a stage",
	"triage/match":       "triage/vex, triage/waiver and triage/baseline read the files, gate catches the panic of a stage",
	"target":             "gate catches the panic of a branch",
}

// ownFiles are the packages that parse nothing foreign with them.
var ownFiles = []string{
	"architecture", "bench", "demo", "hostile", "imagetest", "osvtest", "release", "vulndb", "report/junit", "report/html",
	"credential/credentialtest",
}

// A panic of a library on bytes that an attacker wrote must end as a file that
// could not be read. Whoever hands it such bytes catches it, or is named above
// with who does.
func TestPanicsOfParsersAreCaughtAtTheBorder(t *testing.T) {
	borders, guards := make(map[string][]string), make(map[string]bool)
	const root = ".."
	err := filepath.WalkDir(root, func(file string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() && d.Name() == "testdata" {
			return orSkip(err)
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			return err
		}
		pkg := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(file)), root+"/")
		for _, i := range tree.Imports {
			if name, _ := strconv.Unquote(i.Path.Value); slices.Contains(parsers, name) && !slices.Contains(borders[pkg], name) {
				borders[pkg] = append(borders[pkg], name)
			}
		}
		guards[pkg] = guards[pkg] || catches(tree)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for pkg, libraries := range borders {
		reason, known := underAnotherGuard[pkg]
		switch {
		case slices.Contains(ownFiles, pkg):
		case guards[pkg] && known:
			t.Errorf("internal/%s catches panics itself and need not be named (%q)", pkg, reason)
		case !guards[pkg] && reason == "":
			t.Errorf("internal/%s hands foreign bytes to %v and catches no panic: defer recovered.As there, or name who does", pkg, libraries)
		}
	}
	for pkg := range underAnotherGuard {
		if borders[pkg] == nil {
			t.Errorf("internal/%s is named and uses no parser", pkg)
		}
	}
}

func orSkip(err error) error {
	if err != nil {
		return err
	}
	return filepath.SkipDir
}

// catches reports whether a file has a function that catches panics.
func catches(tree *ast.File) (found bool) {
	ast.Inspect(tree, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		switch f := call.Fun.(type) {
		case *ast.Ident:
			found = found || f.Name == "recover"
		case *ast.SelectorExpr:
			x, ok := f.X.(*ast.Ident)
			found = found || ok && x.Name == "recovered" && f.Sel.Name == "As"
		}
		return true
	})
	return found
}
