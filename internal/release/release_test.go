package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// snapshot builds the stand-in for this machine, if the arguments say nothing
// else.
func snapshot(t *testing.T, args ...string) (folder string, err error) {
	t.Helper()
	folder = t.TempDir()
	return folder, run(t.Context(), append([]string{
		"-version", "1.2.3", "-out", folder, "-package", "./testdata/tiny",
		"-platforms", runtime.GOOS + "/" + runtime.GOARCH,
	}, args...))
}

func TestAReleaseHasTheSumsOfItsArchives(t *testing.T) {
	folder, err := snapshot(t, "-platforms", runtime.GOOS+"/"+runtime.GOARCH+",windows/arm64")
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(folder, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for line := range strings.Lines(string(sums)) {
		want, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := sha256.Sum256(content); hex.EncodeToString(got[:]) != want {
			t.Errorf("%s has the sum %x, listed is %s", name, got, want)
		}
		listed = append(listed, name)
	}
	if !slices.Contains(listed, "portcullis_1.2.3_windows_arm64.tar.gz") || len(listed) != 2 {
		t.Errorf("listed %v", listed)
	}
}

func TestTheSameSourcesGiveTheSameBytes(t *testing.T) {
	var first []byte
	for range 2 {
		folder, err := snapshot(t)
		if err != nil {
			t.Fatal(err)
		}
		sums, err := os.ReadFile(filepath.Join(folder, "SHA256SUMS"))
		if err != nil {
			t.Fatal(err)
		}
		if first != nil && !bytes.Equal(first, sums) {
			t.Errorf("sums differ:\n%s\n%s", first, sums)
		}
		first = sums
	}
}

// The chain that a user relies on: the action with the committed sums runs the
// release that was built from them, and no other.
func TestTheActionRunsTheReleaseWhoseSumsItHolds(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the scripts of the action are run with the paths of this machine")
	}
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(tool + " is not installed")
		}
	}
	sums := filepath.Join(t.TempDir(), "SHA256SUMS")
	folder, err := snapshot(t, "-write-sums", sums)
	if err != nil {
		t.Fatal(err)
	}
	mirror := t.TempDir()
	if err := os.Rename(folder, filepath.Join(mirror, "v1.2.3")); err != nil {
		t.Fatal(err)
	}
	bin, log, ok := install(t, sums, mirror)
	if !ok {
		t.Fatalf("the action did not install the release:\n%s", log)
	}
	out, err := exec.CommandContext(t.Context(), bin).Output()
	if err != nil || string(out) != "tiny\n" {
		t.Errorf("the installed binary printed %q, %v", out, err)
	}

	archive := filepath.Join(mirror, "v1.2.3", "portcullis_1.2.3_"+runtime.GOOS+"_"+runtime.GOARCH+".tar.gz")
	content, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/2] ^= 1
	if err := os.WriteFile(archive, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, log, ok := install(t, sums, mirror); ok || !strings.Contains(log, "was not unpacked") {
		t.Errorf("one flipped bit was not noticed:\n%s", log)
	}
}

func install(t *testing.T, sums, mirror string) (bin, log string, ok bool) {
	t.Helper()
	output := filepath.Join(t.TempDir(), "output")
	cmd := exec.CommandContext(t.Context(), "bash", "../../action/install.sh")
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "RUNNER_TEMP=" + t.TempDir(), "GITHUB_OUTPUT=" + output,
		"PORTCULLIS_SUMS=" + sums, "PORTCULLIS_MIRROR=file://" + mirror,
	}
	combined, err := cmd.CombinedOutput()
	if err != nil {
		return "", string(combined), false
	}
	content, err := os.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(strings.TrimPrefix(string(content), "bin=")), string(combined), true
}

func TestOtherSumsInTheActionStopTheRelease(t *testing.T) {
	sums := filepath.Join(t.TempDir(), "SHA256SUMS")
	if _, err := snapshot(t, "-write-sums", sums, "-check-sums", sums); err != nil {
		t.Errorf("its own sums are refused: %v", err)
	}
	content, err := os.ReadFile(sums)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(sums, bytes.Replace(content, []byte("1.2.3"), []byte("1.2.4"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := snapshot(t, "-check-sums", sums); err == nil || !strings.Contains(err.Error(), "-write-sums") {
		t.Errorf("other sums: %v", err)
	}
}

func TestTheCommittedSumsAreOfOneReleaseForAllPlatforms(t *testing.T) {
	content, err := os.ReadFile("../../action/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	versions := map[string]int{}
	for line := range strings.Lines(string(content)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		_, name, _ := strings.Cut(strings.TrimSpace(line), "  portcullis_")
		version, _, _ := strings.Cut(name, "_")
		versions[version]++
	}
	switch len(versions) {
	case 0:
		if !strings.Contains(string(content), "No release has been published yet") {
			t.Error("there are no sums, and the file does not say why")
		}
	case 1:
		for version, n := range versions {
			if n != len(platforms) {
				t.Errorf("version %s has sums for %d of %d platforms", version, n, len(platforms))
			}
		}
	default:
		t.Errorf("sums of several versions: %v", versions)
	}
}

func TestAVersionThatIsNoneIsRefused(t *testing.T) {
	for _, version := range []string{"", "1.2", "v1.2.3", "1.2.3; rm", "../x"} {
		if err := run(t.Context(), []string{"-version", version, "-out", t.TempDir()}); err == nil {
			t.Errorf("version %q was taken", version)
		}
	}
}

// TestEveryBuildLeavesTheSameCodeOut compares the build tags of the release
// with those of the other ways to build the program.
func TestEveryBuildLeavesTheSameCodeOut(t *testing.T) {
	for _, file := range []string{"Makefile", "Dockerfile"} {
		text, err := os.ReadFile(filepath.Join("../..", file))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), buildTags) {
			t.Errorf("%s does not build with the tags %s", file, buildTags)
		}
	}
}
