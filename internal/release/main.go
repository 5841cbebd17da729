// Command release builds the files of a release: an archive with the binary for
// each platform, the SHA-256 sums of the archives, and an SBOM of the binary.
// The same sources and Go version give the same bytes on every machine, so the
// sums can be committed for the action before the release is built.
//
//	go run ./internal/release -version 0.1.0 -out dist
//	go run ./internal/release -version 0.1.0 -out dist -write-sums action/SHA256SUMS
//	go run ./internal/release -version 0.1.0 -out dist -check-sums action/SHA256SUMS
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
)

// platforms are those that releases are made for.
var platforms = []string{
	"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64",
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	var r release
	only := flags.String("platforms", strings.Join(platforms, ","), "platforms to build for")
	flags.StringVar(&r.version, "version", "0.0.0-snapshot", "version of the release")
	flags.StringVar(&r.folder, "out", "dist", "folder for the files; what is in it of an earlier build is replaced")
	flags.StringVar(&r.pkg, "package", "./cmd/portcullis", "package of the binary")
	flags.BoolVar(&r.sbom, "sbom", false, "make an SBOM of the binary with itself")
	write := flags.String("write-sums", "", "file of the action to write the sums into")
	check := flags.String("check-sums", "", "file of the action that must hold these sums")
	if err := flags.Parse(args); err != nil {
		return err
	}
	r.platforms = strings.Split(*only, ",")
	sums, err := r.build(ctx)
	if err != nil {
		return err
	}
	if *write != "" {
		if err := os.WriteFile(*write, []byte(actionSums(sums)), 0o644); err != nil {
			return fmt.Errorf("write the sums of the action: %w", err)
		}
	}
	if *check != "" {
		return checkSums(*check, sums)
	}
	return nil
}
