package builder

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// tarballOf packs documents as publishers do.
func tarballOf(t *testing.T, members map[string]string) []byte {
	t.Helper()
	var buf bytes.Buffer
	z, err := zstd.NewWriter(&buf)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(z)
	for name, content := range members {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestTarballsOfDocumentsAreRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "csaf-vex.tar.zst")
	whole := tarballOf(t, map[string]string{
		"2024/a.json": npmRecord("GHSA-1", "", "1.0.1"), "2025/b.json": npmRecord("GHSA-2", "", "2.0.0"), "index.txt": "not a record",
	})
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	db, _ := build(t, nil, path)
	if entries := lookup(t, db, "npm", "p"); len(entries) != 2 {
		t.Errorf("%d entries", len(entries))
	}
	for why, data := range map[string][]byte{
		"cut off":               whole[:len(whole)/2],
		"no archive":            []byte("x"),
		"nothing in it":         tarballOf(t, map[string]string{"index.txt": "x"}),
		"a document too large":  tarballOf(t, map[string]string{"a.json": string(make([]byte, maxTarMember+1))}),
		"a document of rubbish": tarballOf(t, map[string]string{"a.json": "<html>"}),
	} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Build(context.Background(), Request{From: []string{path}, Out: t.TempDir(), Now: now}); err == nil {
			t.Errorf("%s: no error", why)
		}
	}
}
