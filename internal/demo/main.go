// Command demo shows what portcullis does, with nothing but Go: it builds the
// sample of testdata/demo into a real image, compiles a database from the
// advisories in testdata, and gates the image offline. The gate must fail, and
// the demo fails when it does not. Run it with `make demo`.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
)

func main() {
	binary := flag.String("bin", "bin/portcullis", "the program to show")
	dir := flag.String("dir", ".demo", "directory for what the demo makes")
	flag.Parse()
	if err := run(context.Background(), *binary, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

const sample = "testdata/demo"

// run makes the image and the database and gates the image.
func run(ctx context.Context, binary, dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("clean up: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the directory: %w", err)
	}
	say("Build the sample's Go server, with an old golang.org/x/text")
	server, err := filepath.Abs(filepath.Join(dir, "server"))
	if err != nil {
		return err
	}
	if err := command(ctx, sample+"/server", "go", "build", "-trimpath", "-buildvcs=false", "-o", server, "."); err != nil {
		return fmt.Errorf("build the server: %w", err)
	}
	say("Pack the image that testdata/demo/Dockerfile describes into %s/image", dir)
	image, err := sampleImage(sample, server)
	if err != nil {
		return err
	}
	if err := imagetest.WriteLayout(filepath.Join(dir, "image"), "1.0", image); err != nil {
		return fmt.Errorf("write the image: %w", err)
	}
	say("Compile the advisories of testdata/advisories into %s/db", dir)
	if err := command(ctx, ".", binary, "db", "build", "--from", "testdata/advisories", "--out", filepath.Join(dir, "db")); err != nil {
		return fmt.Errorf("build the database: %w", err)
	}
	return gate(ctx, binary, dir)
}

// gate runs the gate as a user would and checks that it fails as it must.
func gate(ctx context.Context, binary, dir string) error {
	args := []string{
		"gate", "--image", "oci:" + filepath.Join(dir, "image"), "--platform", "linux/amd64",
		"--dockerfile", sample + "/Dockerfile", "--manifests", sample + "/k8s",
		"--config", sample + "/portcullis.yaml", "--db", filepath.Join(dir, "db"), "--offline",
		"--output", "sarif=" + filepath.Join(dir, "gate.sarif"), "--output", "json=" + filepath.Join(dir, "gate.json"),
		"--sbom-out", filepath.Join(dir, "sbom.cdx.json"),
	}
	say("Gate it, offline:\n  %s %s", binary, strings.Join(args, " "))
	err := command(ctx, ".", binary, args...)
	var failed *exec.ExitError
	switch {
	case err == nil:
		return errors.New("the gate passed an image that it must not pass")
	case !errors.As(err, &failed) || failed.ExitCode() != 1:
		return fmt.Errorf("the gate did not decide: %w", err)
	}
	say("The gate failed with exit code 1, as it should. Reports are in %s.", dir)
	return nil
}

func say(format string, args ...any) { fmt.Printf("\n→ "+format+"\n", args...) }

// command runs a program with its output on ours.
func command(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, os.Stdout, os.Stderr
	// The sample's image is for linux/amd64 wherever the demo runs.
	if name == "go" {
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOFLAGS=-mod=mod")
	}
	return cmd.Run()
}
