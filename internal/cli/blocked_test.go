//go:build unix

package cli_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/portcullis-ci/portcullis/internal/cli"
	"github.com/portcullis-ci/portcullis/internal/exit"
)

func TestAnInterruptEndsARunThatWaitsForANamedPipe(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "config.yaml")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	// Afterwards the one who waits is let go.
	defer func() {
		if f, err := os.OpenFile(pipe, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
			_ = f.Close()
		}
	}()
	ctx, interrupt := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, interrupt)
	var out, errs bytes.Buffer
	code := cli.Program{
		Args: []string{"lint", ".", "--config", pipe}, Getenv: func(string) string { return "" },
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Clock: func() time.Time { return scriptTime },
	}.Main(ctx)
	if code != exit.NotExamined || errs.String() != "portcullis: interrupted; nothing was decided\n" {
		t.Errorf("exit code %d, printed\n%s%s", code, &out, &errs)
	}
}
