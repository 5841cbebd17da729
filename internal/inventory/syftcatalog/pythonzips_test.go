package syftcatalog

import (
	"archive/zip"
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func TestAPythonArchiveThatSaysWithoutEndOfItsPackagesReachesALimit(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	header := []byte("Name: a\nVersion: 1\nSummary: " + strings.Repeat("x", maxPythonMetadata/2))
	for i := range 2*maxPythonArchive/len(header) + 1 {
		f, err := w.Create(fmt.Sprintf("a-%d.dist-info/METADATA", i))
		if err == nil {
			_, err = f.Write(header)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	said, err := pythonPackagesIn(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err == nil || !strings.Contains(err.Error(), "more than 64 MB") || len(said) == 0 || len(said) > maxPythonArchive/len(header)+1 {
		t.Errorf("%d packages, %v", len(said), err)
	}
}

func FuzzPythonZip(f *testing.F) {
	whole := archiveOf(f, 0, nil, 8)
	f.Add(whole)
	f.Add(append([]byte("#!/usr/bin/env python3\n"), whole...))
	f.Add([]byte("PK\x05\x06"))
	f.Fuzz(func(t *testing.T, content []byte) {
		said, err := pythonPackagesIn(bytes.NewReader(content), int64(len(content)))
		for _, m := range said {
			if m.name == "" {
				t.Errorf("a package without a name, %v", err)
			}
		}
	})
}
