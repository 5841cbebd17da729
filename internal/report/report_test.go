package report_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report"
	"github.com/portcullis-ci/portcullis/internal/report/reporttest"
)

func TestFormatsAreSortedAndFoundByName(t *testing.T) {
	formats := report.Formats()
	if !slices.IsSortedFunc(formats, func(a, b report.Format) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("formats are not in the order of their names")
	}
	for _, f := range formats {
		found, err := report.Find(f.Name)
		if err != nil || found.Name != f.Name || found.About == "" {
			t.Errorf("Find(%q) = %q, %v", f.Name, found.Name, err)
		}
	}
	_, err := report.Find("pdf")
	if exit.CodeOf(err) != exit.Usage || !strings.Contains(exit.HintOf(err), "sarif") {
		t.Errorf("unknown format: %v, hint %q", err, exit.HintOf(err))
	}
}

func TestEveryFormatWritesEveryOutcome(t *testing.T) {
	opts := report.Options{Catalogue: reporttest.Catalogue(), Root: reporttest.Root()}
	for _, f := range report.Formats() {
		for _, o := range []outcome.Outcome{reporttest.Outcome(), reporttest.Passed(), reporttest.Incomplete(), {}} {
			var first, second bytes.Buffer
			if err := f.Write(t.Context(), &first, o, opts); err != nil {
				t.Errorf("%s: %v", f.Name, err)
			}
			if err := f.Write(t.Context(), &second, o, opts); err != nil {
				t.Errorf("%s: %v", f.Name, err)
			}
			if first.Len() == 0 || !bytes.Equal(first.Bytes(), second.Bytes()) {
				t.Errorf("%s: %d bytes, and not the same twice", f.Name, first.Len())
			}
			reporttest.NoRawControls(t, first.Bytes(), false)
		}
	}
}

func text(s string) report.Format {
	return report.Format{Name: "text", Write: func(_ context.Context, w io.Writer, _ outcome.Outcome, _ report.Options) error {
		_, err := io.WriteString(w, s)
		return err
	}}
}

func TestWriteFileReplacesALongerReportWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.txt")
	for _, content := range []string{"a long report", "short"} {
		if err := report.WriteFile(t.Context(), path, nil, text(content), outcome.Outcome{}, report.Options{}); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != content {
			t.Errorf("got %q, %v", got, err)
		}
	}
}

func TestAFailingReportLeavesTheOldOneAndNoTemporaryFile(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "report.txt")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	failing := report.Format{Name: "text", Write: func(_ context.Context, w io.Writer, _ outcome.Outcome, _ report.Options) error {
		_, err := io.WriteString(w, strings.Repeat("x", 100_000))
		return errors.Join(err, errors.New("broken half way"))
	}}
	err := report.WriteFile(t.Context(), path, nil, failing, outcome.Outcome{}, report.Options{})
	if exit.CodeOf(err) != exit.NotExamined || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
	if got, _ := os.ReadFile(path); string(got) != "old" {
		t.Errorf("the old report became %q", got)
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestADashIsStandardOutput(t *testing.T) {
	var out bytes.Buffer
	if err := report.WriteFile(t.Context(), "-", &out, text("x"), outcome.Outcome{}, report.Options{}); err != nil || out.String() != "x" {
		t.Errorf("got %q, %v", out.String(), err)
	}
}

func TestALinkStaysALink(t *testing.T) {
	folder := t.TempDir()
	target, link := filepath.Join(folder, "target"), filepath.Join(folder, "link")
	if err := errors.Join(os.WriteFile(target, nil, 0o600), os.Symlink(target, link)); err != nil {
		t.Fatal(err)
	}
	if err := report.WriteFile(t.Context(), link, nil, text("x"), outcome.Outcome{}, report.Options{}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(link)
	if err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link became %v, %v", info.Mode(), err)
	}
	if got, _ := os.ReadFile(target); string(got) != "x" {
		t.Errorf("the target holds %q", got)
	}
}

func TestPathsThatCannotBeReports(t *testing.T) {
	folder := t.TempDir()
	tests := map[string]struct {
		path string
		code exit.Code
		want string
	}{
		"a directory":           {folder, exit.Usage, "it is a directory"},
		"a missing folder":      {filepath.Join(folder, "no", "report"), exit.Usage, "does not exist"},
		"a file for a folder":   {filepath.Join(folder, "file", "report"), exit.Usage, "not a directory"},
		"a device without room": {"/dev/full", exit.NotExamined, "no space left"},
	}
	if err := os.WriteFile(filepath.Join(folder, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := os.Stat("/dev/full"); err != nil && tt.path == "/dev/full" {
				t.Skip("this system has no /dev/full")
			}
			err := report.WriteFile(t.Context(), tt.path, nil, text("x"), outcome.Outcome{}, report.Options{})
			if err == nil || exit.CodeOf(err) != tt.code || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), tt.path) {
				t.Errorf("error %v, code %d", err, exit.CodeOf(err))
			}
			if exit.HintOf(err) == "" {
				t.Error("the error has no hint")
			}
		})
	}
}

func TestDevicesAreWrittenStraight(t *testing.T) {
	if err := report.WriteFile(t.Context(), os.DevNull, nil, text("x"), outcome.Outcome{}, report.Options{}); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Errorf("the device became %v, %v", info, err)
	}
}

func TestAReportThatBreaksDownIsAnErrorAndTheOldOneStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gate.json")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := report.Format{Name: "json", Write: func(context.Context, io.Writer, outcome.Outcome, report.Options) error { panic("index out of range") }}
	err := report.WriteFile(context.Background(), path, io.Discard, broken, outcome.Outcome{}, report.Options{})
	if exit.CodeOf(err) != exit.NotExamined || !strings.Contains(err.Error(), "index out of range") {
		t.Errorf("got %v, want exit code 4 and the reason", err)
	}
	if data, _ := os.ReadFile(path); string(data) != "old" {
		t.Errorf("the old report is now %q", data)
	}
}
