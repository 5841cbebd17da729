package main

import (
	"archive/tar"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestFiguresReplaceThoseOfTheLastRun(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(page, []byte("before\n"+begin+"old\n"+end+"after\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := intoPage(page, begin, "new\n"); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(page)
	if want := "before\n" + begin + "\nnew\n\n" + end + "after\n"; err != nil || string(got) != want {
		t.Errorf("page = %q, %v; want %q", got, err, want)
	}
	if err := os.WriteFile(page, []byte("no section"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := intoPage(page, begin, "new\n"); err == nil {
		t.Error("a page without a section was accepted")
	}
}

func TestTheTableRelatesToInflating(t *testing.T) {
	var b strings.Builder
	table(&b, image{name: "x"}, []result{{"inflate", 2 * time.Second, 3 * time.Second, 5e6}, {"gate", 3 * time.Second, 4 * time.Second, 6e6}})
	if !strings.Contains(b.String(), "| gate | 3.00 | 4.00 | 6 | 1.50 | ") {
		t.Errorf("table:\n%s", b.String())
	}
}

func TestASyntheticImageCanBeInflated(t *testing.T) {
	b := bench{dir: t.TempDir()}
	img := b.synthetic("few packages", "few", func(w *tar.Writer) error { return packages(w, 10) })
	if img.layout == "" || len(b.skipped) > 0 {
		t.Fatalf("image %+v, skipped %q", img, b.skipped)
	}
	if err := inflateLayers(t.Context(), img.layout, inflater("own")); err != nil {
		t.Error(err)
	}
}
