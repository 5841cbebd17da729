package discover

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/detect/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/exit"
)

func tree(files map[string]string) fstest.MapFS {
	fsys := make(fstest.MapFS)
	for name, content := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return fsys
}

func find(files map[string]string, opts Options, paths ...string) Result {
	return Find(context.Background(), tree(files), paths, opts)
}

func names(r Result) []string {
	var out []string
	for _, f := range r.Files {
		out = append(out, f.Path)
	}
	return out
}

func TestFoldersAreSearchedByName(t *testing.T) {
	files := make(map[string]string)
	wanted := []string{
		"Containerfile", "Dockerfile", "a/app.Dockerfile", "a/b/Dockerfile.prod", "a/b/api.dockerfile", "c/Containerfile.ubi", "c/Dockerfile-dev", "d/dockerfile",
	}
	for _, n := range wanted {
		files[n] = "FROM scratch\n"
	}
	for _, n := range []string{"Dockerfile.dockerignore", "a/Dockerfile.md", "a/Dockerfile.j2", "a/Dockerfile~", "a/dockerfile.go", "mydockerfile", ".git/Dockerfile", "a/Makefile"} {
		files[n] = "x"
	}
	r := find(files, Options{}, ".")
	if diff := cmp.Diff(wanted, names(r)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if len(r.Failures) != 0 || !slices.Contains(r.Skipped, Skip{"a/Dockerfile.j2", "a template"}) {
		t.Errorf("failures %v, skipped %v", r.Failures, r.Skipped)
	}
}

func TestWhatIsLeftOut(t *testing.T) {
	files := map[string]string{
		".gitignore": "build/\n*.tmp\n!keep.tmp\n# x\n/only-root\n", "sub/.gitignore": "/gen\n",
		"Dockerfile": "FROM a", "build/Dockerfile": "FROM a", "x.tmp/Dockerfile": "FROM a", "only-root/Dockerfile": "FROM a",
		"sub/only-root/Dockerfile": "FROM a", "sub/gen/Dockerfile": "FROM a", "sub/x/gen/Dockerfile": "FROM a", "vendor/a/Dockerfile": "FROM a",
	}
	tests := []struct {
		name string
		opts Options
		want []string
	}{
		{"what git ignores", Options{}, []string{"Dockerfile", "sub/only-root/Dockerfile", "sub/x/gen/Dockerfile", "vendor/a/Dockerfile"}},
		{"a folder by glob", Options{Exclude: []string{"vendor", "sub/**"}}, []string{"Dockerfile"}},
		{"files by glob", Options{Exclude: []string{"**/gen/Dockerfile", "vendor/"}}, []string{"Dockerfile", "sub/only-root/Dockerfile"}},
		{"nothing when told so", Options{NoGitignore: true, Exclude: []string{"sub"}}, []string{"Dockerfile", "build/Dockerfile", "only-root/Dockerfile", "vendor/a/Dockerfile", "x.tmp/Dockerfile"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, names(find(files, tt.opts, "."))); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
	if got := names(find(files, Options{}, "build/Dockerfile")); len(got) != 1 {
		t.Errorf("a file that is named is left out: %v", got)
	}
}

func TestNothingFoundIsAFailure(t *testing.T) {
	files := map[string]string{"a/README": "x", "b/Dockerfile": "FROM a"}
	for _, paths := range [][]string{{"a"}, {"missing"}, {"b", "a"}, {"-"}} {
		if r := find(files, Options{}, paths...); len(r.Failures) != 1 {
			t.Errorf("%v: failures %v", paths, r.Failures)
		}
	}
	if r := find(files, Options{Exclude: []string{"[a"}}, "b"); len(r.Failures) != 1 || len(r.Files) != 0 {
		t.Errorf("a faulty glob: %v", r.Failures)
	}
}

func TestStandardInput(t *testing.T) {
	r := find(nil, Options{Stdin: strings.NewReader("FROM a\n"), StdinName: "x/Dockerfile"}, "-")
	if len(r.Files) != 1 || r.Files[0].Path != "x/Dockerfile" || string(r.Files[0].Content) != "FROM a\n" {
		t.Errorf("files = %v, failures = %v", r.Files, r.Failures)
	}
}

func TestIgnoreFiles(t *testing.T) {
	r := find(map[string]string{
		"Dockerfile": "FROM a", "a/Dockerfile": "FROM a", "a/.dockerignore": "x", "b/Dockerfile": "FROM a", "b/Dockerfile.dockerignore": "y",
		"b/.dockerignore": "z", "c/Dockerfile": "FROM a",
	}, Options{}, ".")
	got := make(map[string]string)
	for _, f := range r.Files {
		switch {
		case f.Context == nil:
			got[f.Path] = "not known"
		case f.Context.IgnoreFile == "":
			got[f.Path] = "none"
		default:
			got[f.Path] = f.Context.IgnoreFile + " " + string(f.Context.Ignore)
		}
	}
	want := map[string]string{
		"Dockerfile": "none", "a/Dockerfile": "a/.dockerignore x", "b/Dockerfile": "b/Dockerfile.dockerignore y", "c/Dockerfile": "not known",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ignore files (-want +got):\n%s", diff)
	}
}

// show describes a build in one line.
func show(f dockerfile.File) string {
	var args []string
	for _, k := range slices.Sorted(maps.Keys(f.BuildArgs)) {
		args = append(args, k+"="+f.BuildArgs[k])
	}
	return fmt.Sprintf("%s target=%s args=%v contexts=%v", f.Path, f.Target, args, f.NamedContexts)
}

func TestBuildFiles(t *testing.T) {
	compose := `
services:
  web:
    build: ./web
  api:
    build:
      context: api
      dockerfile: docker/Dockerfile.api
      target: prod
      args:
        BASE: debian:12
        N: 3
        FROM_ENV:
        SECRET: ${TOKEN}
        DEF: ${X:-y}
      additional_contexts:
        - shared=../shared
  worker:
    build:
      context: api
      dockerfile: docker/Dockerfile.api
      args: [BASE=debian, PLAIN]
  db:
    image: postgres:17
  remote:
    build: https://github.com/x/y.git
`
	hcl := `
variable "V" { default = "12" }
target "_common" { args = { BASE = "debian:${V}" } }
target "app" {
  inherits = ["_common"]
  context = "app"
  target = "run"
  args = { N = 1, ENV = unknown_function() }
  contexts = { shared = "docker-image://x" }
}
`
	files := map[string]string{
		"compose.yaml": compose, "bake/docker-bake.hcl": hcl, "bake2/docker-bake.json": `{"target":{"a":{"context":".","dockerfile":"D","args":{"X":"1"}}}}`,
		"web/Dockerfile": "FROM a", "api/docker/Dockerfile.api": "FROM a", "bake/app/Dockerfile": "FROM a", "bake2/D": "FROM a", "other/Dockerfile": "FROM a",
	}
	r := find(files, Options{}, ".")
	var got []string
	for _, f := range r.Files {
		got = append(got, show(f))
	}
	want := []string{
		"api/docker/Dockerfile.api target=prod args=[BASE=debian:12 DEF=y N=3] contexts=[shared]",
		"api/docker/Dockerfile.api target= args=[BASE=debian] contexts=[]",
		"bake/app/Dockerfile target=run args=[BASE=debian:12] contexts=[shared]",
		"bake2/D target= args=[X=1] contexts=[]",
		"other/Dockerfile target= args=[] contexts=[]",
		"web/Dockerfile target= args=[] contexts=[]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("builds (-want +got):\n%s", diff)
	}
	if len(r.Failures) != 0 {
		t.Errorf("failures: %v", r.Failures)
	}
}

func TestFaultyBuildFilesAreFailures(t *testing.T) {
	for name, content := range map[string]string{
		"compose.yml": "services: [", "docker-bake.hcl": "target {", "docker-bake.json": "{", "docker-compose.yaml": "services: {a: {build: {context: x}}}",
	} {
		if r := find(map[string]string{name: content}, Options{}, "."); len(r.Failures) != 1 {
			t.Errorf("%s: failures %v", name, r.Failures)
		}
	}
}

func TestBuildFilesWhosePathsAreNotKnownFromTheFileAlone(t *testing.T) {
	const matrix = "target \"a\" {\n name = \"t-${x}\"\n matrix = { x = [\"A\"] }\n context = \".\"\n dockerfile = \"${x}.Dockerfile\"\n}\n"
	files := map[string]string{
		"docker-bake.hcl": matrix, "A.Dockerfile": "FROM a", "Dockerfile": "FROM a",
		"env/docker-bake.hcl":   "target \"a\" {\n context = upper(\"x\")\n dockerfile = \"D\"\n}\n",
		"known/docker-bake.hcl": "target \"b\" {\n dockerfile = upper(\"x\")\n}\ntarget \"a\" {\n inherits = [\"b\"]\n dockerfile = \"D\"\n}\n",
		"known/D":               "FROM a",
	}
	for _, name := range []string{"docker-bake.hcl", "env/docker-bake.hcl"} {
		r := find(files, Options{}, name)
		if len(r.Failures) != 1 || len(r.Files) != 0 {
			t.Errorf("%s by itself passes for examined, or another Dockerfile stands in: %v, failures %v", name, names(r), r.Failures)
		}
	}
	if r := find(files, Options{}, "known/docker-bake.hcl"); len(r.Failures) != 0 || len(r.Files) != 1 || r.Files[0].Path != "known/D" {
		t.Errorf("a path that overrides an unknown one: %v, failures %v", names(r), r.Failures)
	}
	if r := find(files, Options{}, "."); len(r.Failures) != 0 || len(r.Files) != 3 {
		t.Errorf("the folder, whose Dockerfiles are found by name: %v, failures %v", names(r), r.Failures)
	}
}

func TestInlineDockerfilesKeepTheirLines(t *testing.T) {
	compose := "services:\n  a:\n    build:\n      dockerfile_inline: |\n        FROM debian:12\n        USER root\n"
	r := find(map[string]string{"compose.yaml": compose}, Options{}, ".")
	res := dockerfile.Lint(context.Background(), r.Files, dockerfile.Options{})
	for _, f := range res.Findings {
		if f.RuleID == "PC-DF001" {
			if l := f.Locations[0]; l.Path != "compose.yaml" || l.Line != 6 || l.Column != 14 {
				t.Errorf("place = %s:%d:%d", l.Path, l.Line, l.Column)
			}
			return
		}
	}
	t.Errorf("the root user is not found: %v %v", res, r.Failures)
}

// FuzzBuildFiles: whatever a Compose or bake file holds, reading it ends without
// a panic, and no Dockerfile outside the checkout is named.
func FuzzBuildFiles(f *testing.F) {
	f.Add("compose.yaml", "services:\n  a:\n    build:\n      context: ../..\n      args: [A=1, B]\n      dockerfile_inline: |\n        FROM a\n")
	f.Add("docker-bake.hcl", "target \"a\" {\n inherits = [\"a\"]\n dockerfile-inline = <<E\nFROM a\nE\n}\n")
	f.Add("docker-bake.json", `{"target":{"a":{"context":"/x","args":{"A":null}}}}`)
	f.Fuzz(func(t *testing.T, name, content string) {
		read := buildFileKind(name)
		if read == nil {
			return
		}
		builds, _ := read("dir/"+name, []byte(content))
		for _, b := range builds {
			if p := b.file.Path; strings.HasPrefix(p, "/") || strings.HasPrefix(p, "../") {
				t.Errorf("a build names %q", p)
			}
		}
	})
}

func TestLinksStayInTheCheckout(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "secret")
	for name, content := range map[string]string{outside: "root:x:0", filepath.Join(dir, "real"): "FROM a\n"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{
		"good/Dockerfile": "../real", "bad/Dockerfile": outside, "up/Dockerfile": "../../../../../../../../etc/passwd",
		"loop/Dockerfile": "Dockerfile", "through": filepath.Dir(outside), "hop/Dockerfile": "../through/secret",
	} {
		name := filepath.Join(dir, link)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, name); err != nil {
			t.Fatal(err)
		}
	}
	r := Find(context.Background(), os.DirFS(dir), []string{"."}, Options{})
	if diff := cmp.Diff([]string{"good/Dockerfile"}, names(r)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if len(r.Failures) != 4 {
		t.Errorf("failures: %v", r.Failures)
	}
}

func TestAbsoluteLinksAreFollowedWithinTheCheckoutAlone(t *testing.T) {
	dir, alias := t.TempDir(), filepath.Join(t.TempDir(), "alias")
	outside := t.TempDir()
	for _, name := range []string{filepath.Join(dir, "real"), filepath.Join(outside, "secret")} {
		if err := os.WriteFile(name, []byte("FROM a\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, link := range []struct{ name, target string }{
		{alias, dir},
		{filepath.Join(dir, "a.Dockerfile"), filepath.Join(dir, "real")},
		{filepath.Join(dir, "b.Dockerfile"), filepath.Join(outside, "secret")},
		{filepath.Join(dir, "c.Dockerfile"), dir + "/../" + filepath.Base(outside) + "/secret"},
		{filepath.Join(dir, "d.Dockerfile"), dir + "suffix/real"},
	} {
		if err := os.Symlink(link.target, link.name); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		dir  string
		want []string
	}{{dir, []string{"a.Dockerfile"}}, {alias, []string{"a.Dockerfile"}}, {"", nil}} {
		r := Find(t.Context(), os.DirFS(dir), []string{"a.Dockerfile", "b.Dockerfile", "c.Dockerfile", "d.Dockerfile"}, Options{Dir: tt.dir})
		if diff := cmp.Diff(tt.want, names(r)); diff != "" {
			t.Errorf("%q: files (-want +got):\n%s", tt.dir, diff)
		}
		if len(r.Files)+len(r.Failures) != 4 {
			t.Errorf("%q: %d files, failures %v", tt.dir, len(r.Files), r.Failures)
		}
	}
}

func TestAPanicIsABuildFileThatCannotBeRead(t *testing.T) {
	f := &finder{ctx: t.Context(), fsys: fstest.MapFS{"compose.yaml": {Data: []byte("services: {}")}}}
	f.buildFile("compose.yaml", func(string, []byte) ([]build, error) { panic("index out of range") })
	if got := f.res.Failures; len(got) != 1 || got[0].Code != exit.NotExamined || !strings.Contains(got[0].Message, "compose.yaml") {
		t.Errorf("failures: %+v", got)
	}
}
