//go:build linux

package supervise

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// leaving starts a run that has a temporary file, and returns its path.
func leaving(t *testing.T) (end func(syscall.Signal), file string) {
	t.Helper()
	cmd := program(t, "leave a file")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	_, file, ok := strings.Cut(strings.TrimSpace(line), "at ")
	if _, statErr := os.Stat(file); err != nil || !ok || statErr != nil {
		t.Fatalf("printed %q: %v %v", line, err, statErr)
	}
	return func(s syscall.Signal) {
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // It was ended by a signal, or says so.
	}, file
}

func TestTemporaryFilesGoHoweverARunEnds(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	left := func() []string {
		found, err := filepath.Glob(filepath.Join(temp, "*"))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	end, _ := leaving(t)
	end(syscall.SIGTERM)
	if l := left(); len(l) > 0 {
		t.Errorf("left behind after SIGTERM: %v", l)
	}
	killed, file := leaving(t)
	killed(syscall.SIGKILL)
	if _, err := os.Stat(file); err != nil {
		t.Fatalf("the run was to be killed before it cleans up: %v", err)
	}
	foreign := filepath.Join(temp, "portcullis-layers-1")
	if err := os.WriteFile(foreign, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(t.TempDir(), filepath.Join(temp, scratchPrefix+"link")); err != nil {
		t.Fatal(err)
	}
	living, kept := leaving(t)
	if out, err := program(t, "code 3").Output(); exitCode(err) != 3 {
		t.Fatalf("printed %q, %v", out, err)
	}
	if _, err := os.Stat(kept); err != nil {
		t.Errorf("the file of a run that goes on: %v", err)
	}
	living(syscall.SIGTERM)
	if l := left(); len(l) != 2 || l[0] != foreign {
		t.Errorf("left behind by all: %v, want what is none of ours", l)
	}
}

func TestARunWithoutAFolderForTemporaryFilesIsARun(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "nothing"))
	if out, err := program(t, "code 3").Output(); exitCode(err) != 3 {
		t.Errorf("printed %q, %v", out, err)
	}
}
