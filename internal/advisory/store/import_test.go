package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/advisory/store"
)

// exported is the export of a database of one record.
func exported(t testing.TB) []byte {
	t.Helper()
	record := filepath.Join(t.TempDir(), "GHSA-1.json")
	if err := os.WriteFile(record, []byte(`{"id":"GHSA-1","affected":[{"package":{"ecosystem":"npm","name":"p"},"versions":["1.0.0"]}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	if err := store.Export(context.Background(), database(t, record), &packed); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

// importWhole holds that a file that is imported is a whole database or an error
// that says what is wrong with it, and then nothing is there.
func importWhole(t *testing.T, what, out string, data []byte) (refused bool) {
	t.Helper()
	if err := os.RemoveAll(out); err != nil {
		t.Fatal(err)
	}
	_, err := store.Import(context.Background(), bytes.NewReader(data), out)
	_, statErr := os.Stat(filepath.Join(out, advisory.ManifestName))
	switch {
	case err == nil:
		db, err := advisory.Open(out)
		if err != nil {
			t.Errorf("%s: what was imported does not open: %v", what, err)
			return false
		}
		states, err := store.Verify(context.Background(), db)
		for _, s := range states {
			if !s.Present || s.Err != nil {
				t.Errorf("%s: what was imported is not whole: %+v", what, s)
			}
		}
		if err != nil || len(states) != len(db.Manifest().Shards) {
			t.Errorf("%s: what was imported is not whole: %+v, %v", what, states, err)
		}
	case !errors.Is(err, advisory.ErrCorrupt) && !errors.Is(err, advisory.ErrForeign) && !errors.Is(err, advisory.ErrNewerSchema):
		t.Errorf("%s: error of another kind: %v", what, err)
	case !errors.Is(statErr, os.ErrNotExist):
		t.Errorf("%s: a manifest is there in spite of %v", what, err)
	default:
		return true
	}
	return false
}

// It is so whichever byte is changed and wherever the file ends.
func TestADamagedExportIsAnErrorOrWhole(t *testing.T) {
	whole, out := exported(t), filepath.Join(t.TempDir(), "db")
	refused := 0
	try := func(what string, at int, data []byte) {
		if importWhole(t, fmt.Sprintf("%s at %d", what, at), out, data) {
			refused++
		}
	}
	for at := 0; at < len(whole); at += 37 {
		damaged := bytes.Clone(whole)
		damaged[at] ^= 0x15
		try("changed", at, damaged)
		if at%5 == 0 {
			try("cut", at, whole[:at])
		}
	}
	if refused < 40 {
		t.Errorf("only %d damaged files were refused", refused)
	}
}

func FuzzImport(f *testing.F) {
	whole := exported(f)
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte("{}"))
	out := filepath.Join(f.TempDir(), "db")
	f.Fuzz(func(t *testing.T, data []byte) { importWhole(t, "fuzzed", out, data) })
}
