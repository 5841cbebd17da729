package store_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/advisory/store"
)

// A file that is imported is a whole database or an error that says what is
// wrong with it, and then nothing is there: whichever byte is changed and
// wherever the file ends.
func TestADamagedExportIsAnErrorOrWhole(t *testing.T) {
	record := filepath.Join(t.TempDir(), "GHSA-1.json")
	if err := os.WriteFile(record, []byte(`{"id":"GHSA-1","affected":[{"package":{"ecosystem":"npm","name":"p"},"versions":["1.0.0"]}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	if err := store.Export(context.Background(), database(t, record), &packed); err != nil {
		t.Fatal(err)
	}
	whole := packed.Bytes()
	out := filepath.Join(t.TempDir(), "db")
	refused := 0
	try := func(what string, at int, data []byte) {
		if err := os.RemoveAll(out); err != nil {
			t.Fatal(err)
		}
		_, err := store.Import(context.Background(), bytes.NewReader(data), out)
		_, statErr := os.Stat(filepath.Join(out, advisory.ManifestName))
		switch {
		case err == nil:
			db, err := advisory.Open(out)
			if err != nil {
				t.Errorf("%s at %d: what was imported does not open: %v", what, at, err)
				return
			}
			states, err := store.Verify(context.Background(), db)
			if err != nil || len(states) != 1 || !states[0].Present || states[0].Err != nil {
				t.Errorf("%s at %d: what was imported is not whole: %+v, %v", what, at, states, err)
			}
		case !errors.Is(err, advisory.ErrCorrupt) && !errors.Is(err, advisory.ErrForeign) && !errors.Is(err, advisory.ErrNewerSchema):
			t.Errorf("%s at %d: error of another kind: %v", what, at, err)
		case !errors.Is(statErr, os.ErrNotExist):
			t.Errorf("%s at %d: a manifest is there in spite of %v", what, at, err)
		default:
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
