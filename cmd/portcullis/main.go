// Command portcullis is a container security gate for CI/CD. See the README,
// or run it without arguments.
package main

import (
	"context"
	"os"
	"time"

	"github.com/portcullis-ci/portcullis/internal/advisory/snapshot"
	"github.com/portcullis-ci/portcullis/internal/cli"
	"github.com/portcullis-ci/portcullis/internal/collector"
	"github.com/portcullis-ci/portcullis/internal/supervise"
)

func main() {
	program := cli.Program{
		Args: os.Args[1:], Getenv: os.Getenv, Environ: os.Environ,
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Clock: time.Now, Past: snapshot.Built, LimitMemory: supervise.LimitMemory,
	}
	work := func(crash string) int {
		program.Crash = crash
		// Standard output is for reports. Libraries print to it as well: that of
		// rpm's databases does when one is damaged.
		os.Stdout = os.Stderr
		return int(program.Main(context.Background()))
	}
	switch {
	case program.Supervised():
		os.Exit(supervise.Run(work, collector.Resume))
	case program.Lints():
		os.Exit(supervise.Lint(work, collector.Resume))
	}
	collector.Resume()
	os.Exit(work(""))
}
