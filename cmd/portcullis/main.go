// Command portcullis is a container security gate for CI/CD. See the README,
// or run it without arguments.
package main

import (
	"context"
	"os"
	"time"

	"github.com/portcullis-ci/portcullis/internal/cli"
)

func main() {
	program := cli.Program{
		Args: os.Args[1:], Getenv: os.Getenv,
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Clock: time.Now,
	}
	os.Exit(int(program.Main(context.Background())))
}
