package syftcatalog

import (
	"bytes"
	"testing"
)

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
