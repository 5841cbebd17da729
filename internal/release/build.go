package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// versionVariable is set by the linker, as in the Makefile.
const versionVariable = "github.com/portcullis-ci/portcullis/internal/cli.BuildVersion"

// release is one build of all files.
type release struct {
	version   string
	folder    string
	pkg       string
	platforms []string
	sbom      bool
}

var versionPattern = regexp.MustCompile(`^\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?$`)

// build makes the archives and returns their sums in the order of platforms.
func (r release) build(ctx context.Context) ([]sum, error) {
	if !versionPattern.MatchString(r.version) {
		return nil, fmt.Errorf("version %q is not one like 1.2.3", r.version)
	}
	if err := os.MkdirAll(r.folder, 0o755); err != nil {
		return nil, fmt.Errorf("make the folder of the release: %w", err)
	}
	var sums []sum
	for _, platform := range r.platforms {
		s, err := r.buildFor(ctx, platform)
		if err != nil {
			return nil, err
		}
		sums = append(sums, s)
	}
	if err := os.WriteFile(filepath.Join(r.folder, "SHA256SUMS"), []byte(sumLines(sums)), 0o644); err != nil {
		return nil, fmt.Errorf("write the sums: %w", err)
	}
	if r.sbom {
		return sums, r.describe(ctx)
	}
	return sums, nil
}

// buildTags leave out code that nothing calls, see the Makefile.
const buildTags = "disable_grpc_modules,grpcnotrace"

// smaller are flags for packages that are as good without inlining, see the
// Makefile.
var smaller = []string{
	"-gcflags=github.com/aws/...=-l", "-gcflags=cloud.google.com/...=-l", "-gcflags=google.golang.org/api/...=-l", "-gcflags=google.golang.org/grpc/...=-l",
}

// buildFor compiles for one platform and packs the binary with the licence.
// Version control stays out of the binary (-buildvcs=false): the commit that
// adds the sums of a release must not change them.
func (r release) buildFor(ctx context.Context, platform string) (sum, error) {
	goos, goarch, ok := strings.Cut(platform, "/")
	if !ok {
		return sum{}, fmt.Errorf("platform %q is not one like linux/amd64", platform)
	}
	scratch, err := os.MkdirTemp("", "portcullis-release")
	if err != nil {
		return sum{}, fmt.Errorf("make a folder to build in: %w", err)
	}
	defer os.RemoveAll(scratch)
	name := "portcullis"
	if goos == "windows" {
		name += ".exe"
	}
	binary := filepath.Join(scratch, name)
	args := append([]string{"build", "-trimpath", "-buildvcs=false", "-tags", buildTags}, smaller...)
	args = append(args, "-ldflags", "-s -w -X "+versionVariable+"="+r.version, "-o", binary, r.pkg)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch, "GOFLAGS=", "GOAMD64=v1", "GOARM64=v8.0")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return sum{}, fmt.Errorf("build for %s: %w", platform, err)
	}
	archive := fmt.Sprintf("portcullis_%s_%s_%s.tar.gz", r.version, goos, goarch)
	files := []packed{{name, binary, 0o755}}
	if _, err := os.Stat("LICENSE"); err == nil {
		files = append(files, packed{"LICENSE", "LICENSE", 0o644})
	}
	return pack(filepath.Join(r.folder, archive), files)
}

// describe makes the SBOM of the release with the binary for this machine.
func (r release) describe(ctx context.Context) error {
	scratch, err := os.MkdirTemp("", "portcullis-sbom")
	if err != nil {
		return fmt.Errorf("make a folder for the SBOM: %w", err)
	}
	defer os.RemoveAll(scratch)
	archive := filepath.Join(r.folder, fmt.Sprintf("portcullis_%s_%s_%s.tar.gz", r.version, runtime.GOOS, runtime.GOARCH))
	if err := unpack(archive, scratch); err != nil {
		return err
	}
	out := filepath.Join(r.folder, "portcullis_"+r.version+".cdx.json")
	cmd := exec.CommandContext(ctx, filepath.Join(scratch, "portcullis"), "sbom", "--rootfs", scratch, "--sbom-out", out, "--sbom-format", "cyclonedx-json", "--quiet")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("make the SBOM of the release: %w", err)
	}
	return nil
}
