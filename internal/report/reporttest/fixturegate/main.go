// Command fixturegate takes the place of portcullis where the action and the
// template are tried with the hosts' own clients: it understands the output
// flags of the gate, and reports the fixture's outcome instead of examining
// anything. FIXTURE selects it: failed (the default), passed, warned or incomplete.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/ci"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report"
	"github.com/portcullis-ci/portcullis/internal/report/reporttest"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "db" {
		return // there is a database
	}
	o, err := run(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	os.Exit(int(o.ExitCode))
}

func run(ctx context.Context) (outcome.Outcome, error) {
	o := map[string]func() outcome.Outcome{
		"": reporttest.Outcome, "failed": reporttest.Outcome, "passed": reporttest.Passed, "incomplete": reporttest.Incomplete, "warned": reporttest.Warned,
	}[os.Getenv("FIXTURE")]()
	opts := report.Options{Catalogue: reporttest.Catalogue(), Root: os.DirFS("."), Links: ci.Links(os.Getenv)}
	files := map[string]string{}
	outputs := []string{"terminal=-"}
	for _, arg := range os.Args[1:] {
		if output, ok := strings.CutPrefix(arg, "--output="); ok {
			outputs = append(outputs, output)
		}
	}
	for _, output := range outputs {
		name, path, _ := strings.Cut(output, "=")
		format, err := report.Find(name)
		if err != nil {
			return o, err
		}
		if err := report.WriteFile(ctx, path, os.Stdout, format, o, opts); err != nil {
			return o, err
		}
		files[name] = path
	}
	return o, ci.Publish(ctx, ci.Request{Getenv: os.Getenv, Log: os.Stdout, Outcome: o, Options: opts, Files: files})
}
