package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/portcullis-ci/portcullis/internal/exit"
)

// stderrWith runs `portcullis version` with further variables.
func stderrWith(t *testing.T, environment ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := Program{
		Args: []string{"version"}, Stdout: &stdout, Stderr: &stderr, Clock: time.Now,
		Getenv: func(string) string { return "" }, Environ: func() []string { return environment },
	}.Main(t.Context())
	if code != exit.Passed {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
	return stderr.String()
}

func TestAVariableThatNothingReadsIsNamedWithTheOneThatWasMeant(t *testing.T) {
	for _, tt := range []struct{ given, want string }{
		{"PORTCULLIS_FAIL_ONN=low", "warning: the environment variable PORTCULLIS_FAIL_ONN is not used; did you mean PORTCULLIS_FAIL_ON?\n"},
		{"PORTCULLIS_ONLY_FIX=true", "PORTCULLIS_ONLY_FIX is not used; did you mean PORTCULLIS_ONLY_FIXED?\n"},
		{"PORTCULLIS_ANNOTATION=none", "PORTCULLIS_ANNOTATION is not used; did you mean PORTCULLIS_ANNOTATIONS?\n"},
		{"PORTCULLIS_fail_on=low", "PORTCULLIS_fail_on is not used"},
		{"PORTCULLIS_=", "PORTCULLIS_ is not used\n"},
		{"PORTCULLIS_WEATHER=low", "PORTCULLIS_WEATHER is not used\n"},
		{"PORTCULLIS_\x1b]0;x\a::error::y=1", `PORTCULLIS_\x1b]0;x\x07: :error: :y is not used`},
	} {
		got := stderrWith(t, "PATH=/bin", tt.given)
		if !strings.Contains(got, tt.want) || strings.Count(got, "\n") != 1 {
			t.Errorf("%q: %q, want %q", tt.given, got, tt.want)
		}
	}
}

func TestVariablesThatAreReadOrNotOursCauseNoWarning(t *testing.T) {
	if got := stderrWith(t,
		"PATH=/bin", "portcullis_fail_onn=1", "XPORTCULLIS_FAIL_ONN=1", "PORTCULLIS_FAIL_ON=low", "PORTCULLIS_DB=", "PORTCULLIS_CACHE_DIR=/c", "PORTCULLIS_CONFIG=x", "PORTCULLIS_FROM=x",
		"PORTCULLIS_DIFF=x", "PORTCULLIS_VERSION=1.2.3", "PORTCULLIS_SUPERVISED_BY_FD=3",
		// Kubernetes sets these for a Service that is called portcullis.
		"PORTCULLIS_SERVICE_HOST=10.0.0.1", "PORTCULLIS_SERVICE_PORT=80", "PORTCULLIS_SERVICE_PORT_HTTP=80",
		"PORTCULLIS_PORT=tcp://10.0.0.1:80", "PORTCULLIS_PORT_80_TCP_ADDR=10.0.0.1",
	); got != "" {
		t.Errorf("warned: %s", got)
	}
}

func TestManyVariablesThatNothingReadsAreCounted(t *testing.T) {
	var many []string
	for c := 'A'; c <= 'Z'; c++ {
		many = append(many, "PORTCULLIS_XYZ_"+string(c)+"=1")
	}
	got := stderrWith(t, many...)
	if strings.Count(got, "\n") != 11 || !strings.Contains(got, "warning: 16 further environment variables of the prefix PORTCULLIS_ are not used\n") {
		t.Error(got)
	}
}

// What the action, the template and the pages name must be read by something,
// or those who follow them would be warned.
func TestEveryVariableOfTheAdaptersAndThePagesIsKnown(t *testing.T) {
	files := []string{"action.yml", ".gitlab-ci-template.yml", "README.md"}
	for _, pattern := range []string{"action/*.sh", "docs/*.md", "docs/rules/*.md", ".github/workflows/*.yml"} {
		found, err := filepath.Glob(filepath.Join("../..", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			files = append(files, strings.TrimPrefix(filepath.ToSlash(f), "../../"))
		}
	}
	name := regexp.MustCompile(`PORTCULLIS_[A-Z0-9_]*[A-Z0-9]`)
	seen := map[string]string{}
	for _, f := range files {
		content, err := os.ReadFile(filepath.Join("../..", f))
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range name.FindAllString(string(content), -1) {
			seen[n] = f
		}
	}
	if len(seen) < 20 {
		t.Fatalf("only %d names were found", len(seen))
	}
	for n, file := range seen {
		if got := stderrWith(t, n+"=1"); got != "" && n != misspelt {
			t.Errorf("%s names %s: %s", file, n, got)
		}
	}
}

// misspelt is the example of a misspelt variable in the pages.
const misspelt = "PORTCULLIS_FAIL_ONN"

func TestAVariableHoldsOneValueALineWhereItsFlagMayBeRepeated(t *testing.T) {
	for _, tt := range []struct {
		given string
		want  []string
	}{
		{"a.json", []string{"a.json"}},
		{"a.json\nb.json\n", []string{"a.json", "b.json"}},
		{"  a b.json\r\n\n\tc,d.json", []string{"a b.json", "c,d.json"}},
		{"\n \n", nil},
	} {
		var vex []string
		var name string
		flags := pflag.NewFlagSet("", pflag.ContinueOnError)
		flags.StringArrayVar(&vex, "vex", nil, "")
		flags.StringVar(&name, "name", "", "")
		environment := map[string]string{"PORTCULLIS_VEX": tt.given, "PORTCULLIS_NAME": "one\ntwo"}
		if _, err := (Program{Getenv: func(name string) string { return environment[name] }}).flagsFromEnvironment(flags); err != nil {
			t.Errorf("%q: %v", tt.given, err)
		}
		if !slices.Equal(vex, tt.want) || name != "one\ntwo" {
			t.Errorf("%q: %q and %q", tt.given, vex, name)
		}
	}
}
