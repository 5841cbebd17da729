// Package github speaks to GitHub Actions from inside a job: annotations
// within the slots that the runner shows, outputs, and the step summary. The
// environment is passed in; nothing is read behind the caller's back. It is
// not for the REST API: everything here works with a read-only token and from
// forks.
package github

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/sethvargo/go-githubactions"
)

// Runner is the runner of a job, as far as a process in it can reach it.
type Runner struct {
	// Out is where workflow commands go: the process's standard output.
	Out io.Writer
	// Getenv reads the job's environment.
	Getenv func(string) string
	// Random is the source of delimiters; nil means crypto/rand.
	Random io.Reader
}

// Output is one output of the step.
type Output struct {
	Name  string
	Value string
}

// maxSummary is the size above which GitHub shows nothing of a step summary,
// https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
const maxSummary = 1 << 20

// SetOutputs appends outputs to the file that GITHUB_OUTPUT names, and does
// nothing where it is not set. The library's own writer is not used, because
// its delimiter is fixed and a value that holds it forges further outputs.
func (r Runner) SetOutputs(outputs []Output) error {
	path := r.Getenv("GITHUB_OUTPUT")
	if path == "" {
		return nil
	}
	var b strings.Builder
	for _, o := range outputs {
		delimiter, err := r.delimiter(o.Value)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s<<%s\n%s\n%s\n", o.Name, delimiter, o.Value, delimiter)
	}
	if err := appendFile(path, b.String()); err != nil {
		return fmt.Errorf("set outputs of the step in %s: %w", path, err)
	}
	return nil
}

// delimiter returns random text that does not occur in the value.
func (r Runner) delimiter(value string) (string, error) {
	random := r.Random
	if random == nil {
		random = rand.Reader
	}
	for range 8 {
		raw := make([]byte, 16)
		if _, err := io.ReadFull(random, raw); err != nil {
			return "", fmt.Errorf("draw a delimiter for outputs: %w", err)
		}
		if d := "ghadelimiter_" + hex.EncodeToString(raw); !strings.Contains(value, d) {
			return d, nil
		}
	}
	return "", errors.New("draw a delimiter for outputs: the random source repeats itself")
}

// AppendSummary appends Markdown to the step summary, and does nothing where
// GITHUB_STEP_SUMMARY is not set. Text that would make the summary larger than
// GitHub shows is replaced by a sentence that says so.
func (r Runner) AppendSummary(markdown string) error {
	path := r.Getenv("GITHUB_STEP_SUMMARY")
	if path == "" {
		return nil
	}
	if info, err := os.Stat(path); err == nil && info.Size()+int64(len(markdown)) > maxSummary {
		markdown = "\nThe summary of Portcullis was left out: with what is here already it would be larger than GitHub shows.\n"
	}
	if err := appendFile(path, markdown); err != nil {
		return fmt.Errorf("append to the step summary %s: %w", path, err)
	}
	return nil
}

func appendFile(path, text string) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = io.WriteString(file, text)
	return errors.Join(err, file.Close())
}

func (r Runner) action(out io.Writer) *githubactions.Action {
	return githubactions.New(githubactions.WithWriter(out), githubactions.WithGetenv(r.Getenv))
}

// stickyWriter keeps the first error and takes everything after it, because
// the library panics when a write fails.
type stickyWriter struct {
	w   io.Writer
	err error
}

func (s *stickyWriter) Write(p []byte) (int, error) {
	if s.err == nil {
		_, s.err = s.w.Write(p)
	}
	return len(p), nil
}
