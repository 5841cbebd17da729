package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// BenchmarkStartUp measures a whole process that lints one small Dockerfile:
// start-up is most of it.
func BenchmarkStartUp(b *testing.B) {
	dir := b.TempDir()
	binary := filepath.Join(dir, "portcullis")
	build := exec.Command("go", "build", "-tags", "disable_grpc_modules,grpcnotrace", "-trimpath", "-ldflags", "-s -w", "-o", binary, "../../cmd/portcullis")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("build: %v: %s", err, out)
	}
	file := filepath.Join(dir, "Dockerfile")
	if err := os.WriteFile(file, []byte("FROM debian:12.5-slim\nUSER 10001\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if out, err := exec.Command(binary, "lint", "--quiet", file).CombinedOutput(); err != nil {
			b.Fatalf("lint: %v: %s", err, out)
		}
	}
}
