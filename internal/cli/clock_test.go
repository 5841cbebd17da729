package cli_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-ci/portcullis/internal/advisory/snapshot"
	"github.com/portcullis-ci/portcullis/internal/cli"
	"github.com/portcullis-ci/portcullis/internal/exit"
)

// A clock that shows a time at which the program was not yet made is refused,
// since waivers would hold again, unless the user asks for that time.
func TestAClockThatCannotBeRightIsRefused(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, content := range map[string]string{
		"Dockerfile":   "FROM debian:12.5-slim\nUSER 10001\nRUN sudo make install\n",
		"waivers.yaml": "version: 1\nwaivers:\n  - id: DL3004\n    owner: shop@example.org\n    reason: The base image's sudo is configured for this user.\n    created: 2015-01-01\n    expires: 2017-01-01\n",
		"life.yaml":    "waivers:\n  max-age: any\n",
	} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	built, err := snapshot.Built()
	if err != nil || built.Year() < 2026 {
		t.Fatalf("the snapshot was built on %v: %v", built, err)
	}
	years := func(n int) time.Time { return built.AddDate(n, 0, 0) }
	past := func() (time.Time, error) { return built, nil }
	for name, tt := range map[string]struct {
		clock time.Time
		past  func() (time.Time, error)
		args  []string
		code  exit.Code
		says  string
	}{
		"ten years back":           {years(-10), past, nil, exit.NotExamined, "the clock of this machine"},
		"at the beginning":         {time.Unix(0, 0), past, nil, exit.NotExamined, "1970-01-01"},
		"in another time zone":     {built.Add(-13 * time.Hour), past, nil, exit.PolicyBroken, "PC-WAIVER-EXPIRED"},
		"right":                    {built.Add(time.Hour), past, nil, exit.PolicyBroken, "PC-WAIVER-EXPIRED"},
		"ten years ahead":          {years(10), past, nil, exit.PolicyBroken, "PC-WAIVER-EXPIRED"},
		"in 2038":                  {time.Unix(1<<31, 0), past, nil, exit.PolicyBroken, "PC-WAIVER-EXPIRED"},
		"a time that is asked for": {years(-10), past, []string{"--as-of", "2016-11-23"}, exit.Passed, ""},
		"no time to compare with":  {built, func() (time.Time, error) { return time.Time{}, errors.New("cannot be read") }, nil, exit.NotExamined, "cannot be read"},
	} {
		var out, errs bytes.Buffer
		program := cli.Program{
			Args:   append([]string{"lint", "Dockerfile", "--waivers", "waivers.yaml", "--config", "life.yaml"}, tt.args...),
			Getenv: func(string) string { return "" }, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs,
			Clock: func() time.Time { return tt.clock }, Past: tt.past,
		}
		if code := program.Main(t.Context()); code != tt.code || !strings.Contains(out.String()+errs.String(), tt.says) {
			t.Errorf("%s: exit code %d, want %d and %q; it printed\n%s%s", name, code, tt.code, tt.says, &out, &errs)
		}
	}
}
