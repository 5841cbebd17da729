package store_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/advisory/builder"
	"github.com/portcullis-ci/portcullis/internal/advisory/store"
)

// database builds the sample records, optionally fewer of them.
func database(t testing.TB, from ...string) *advisory.Database {
	t.Helper()
	if len(from) == 0 {
		from = []string{"../../../testdata/advisories"}
	}
	dir := t.TempDir()
	now := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	if _, err := builder.Build(context.Background(), builder.Request{From: from, Out: dir, Now: now}); err != nil {
		t.Fatal(err)
	}
	db, err := advisory.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// fetchFrom takes shards out of another database.
func fetchFrom(db *advisory.Database) store.Fetch {
	return func(ctx context.Context, s advisory.Shard) ([]byte, error) {
		data, _, err := db.Bytes(ctx, s.Name)
		return data, err
	}
}

func manifestOf(t *testing.T, db *advisory.Database) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(db.Location(), advisory.ManifestName))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func only(names ...string) func(advisory.Shard) bool {
	return func(s advisory.Shard) bool { return strings.Contains(" "+strings.Join(names, " ")+" ", " "+s.Name+" ") }
}

func TestInstallWithSomeShardsAndFillInTheRest(t *testing.T) {
	ctx, from, dir := context.Background(), database(t), t.TempDir()
	if _, err := store.Install(ctx, dir, manifestOf(t, from), only("npm", "go"), fetchFrom(from)); err != nil {
		t.Fatal(err)
	}
	db, err := advisory.Open(dir)
	if err != nil || db.Digest() != from.Digest() {
		t.Fatalf("installed another database: %v", err)
	}
	if _, err := db.Shard(ctx, "npm"); err != nil {
		t.Error(err)
	}
	if _, err := db.Shard(ctx, "pypi"); !errors.Is(err, advisory.ErrMissing) {
		t.Errorf("a shard that was left out: %v", err)
	}
	if err := store.Fill(ctx, db, []string{"pypi"}, fetchFrom(from)); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Shard(ctx, "pypi"); err != nil {
		t.Error(err)
	}
	if err := store.Fill(ctx, db, []string{"cobol"}, fetchFrom(from)); !errors.Is(err, advisory.ErrNoShard) {
		t.Errorf("a shard that is not in the manifest: %v", err)
	}
}

func TestAFailedInstallLeavesTheOldDatabase(t *testing.T) {
	ctx, db, other := context.Background(), database(t), database(t, "../../../testdata/advisories/npm")
	digest := db.Digest()
	for why, fetch := range map[string]store.Fetch{
		"an error":    func(context.Context, advisory.Shard) ([]byte, error) { return nil, errors.New("no route") },
		"other bytes": func(_ context.Context, s advisory.Shard) ([]byte, error) { return make([]byte, s.Size), nil },
		"cut off":     func(_ context.Context, s advisory.Shard) ([]byte, error) { return make([]byte, s.Size-1), nil },
	} {
		if _, err := store.Install(ctx, db.Location(), manifestOf(t, other), nil, fetch); err == nil || !strings.Contains(err.Error(), "npm") {
			t.Errorf("%s: %v", why, err)
		}
		now, err := advisory.Open(db.Location())
		if err != nil || now.Digest() != digest {
			t.Errorf("%s: the old database is gone (%v)", why, err)
		}
		if _, err := now.Shard(ctx, "debian-12"); err != nil {
			t.Errorf("%s: %v", why, err)
		}
	}
}

func TestFilesThatAreThereAreNotFetchedAgain(t *testing.T) {
	db := database(t)
	_, err := store.Install(context.Background(), db.Location(), manifestOf(t, db), nil, func(context.Context, advisory.Shard) ([]byte, error) {
		return nil, errors.New("fetched again")
	})
	if err != nil {
		t.Error(err)
	}
}

func TestSeveralWritersAndReadersDoNotHarmEachOther(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	sources := []*advisory.Database{database(t), database(t, "../../../testdata/advisories/npm"), database(t, "../../../testdata/advisories/npm", "../../../testdata/advisories/PyPI")}
	if _, err := store.Install(ctx, dir, manifestOf(t, sources[0]), nil, fetchFrom(sources[0])); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 6 {
		from := sources[i%len(sources)]
		manifest := manifestOf(t, from)
		wg.Go(func() {
			for range 5 {
				if _, err := store.Install(ctx, dir, manifest, nil, fetchFrom(from)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	db, err := advisory.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	states, err := store.Verify(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range states {
		if !s.Present || s.Err != nil {
			t.Errorf("%s: present %v, %v", s.Shard.Name, s.Present, s.Err)
		}
	}
}

func TestVerifyNamesDamagedAndMissingShards(t *testing.T) {
	db := database(t)
	damage := func(name string, change func(string) error) {
		s, _ := db.Manifest().Shard(name)
		if err := change(filepath.Join(db.Location(), s.File)); err != nil {
			t.Fatal(err)
		}
	}
	damage("npm", func(p string) error { return os.Truncate(p, 20) })
	damage("go", os.Remove)
	states, err := store.Verify(context.Background(), db)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range states {
		switch s.Shard.Name {
		case "npm":
			if !errors.Is(s.Err, advisory.ErrCorrupt) {
				t.Errorf("npm: %v", s.Err)
			}
		case "go":
			if s.Present || s.Err != nil {
				t.Errorf("go: %+v", s)
			}
		default:
			if !s.Present || s.Err != nil {
				t.Errorf("%s: %+v", s.Shard.Name, s)
			}
		}
	}
}

func TestExportAndImportCarryADatabase(t *testing.T) {
	ctx, db := context.Background(), database(t)
	var one, two bytes.Buffer
	if err := errors.Join(store.Export(ctx, db, &one), store.Export(ctx, db, &two)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Error("two exports differ")
	}
	dir := t.TempDir()
	if _, err := store.Import(ctx, bytes.NewReader(one.Bytes()), dir); err != nil {
		t.Fatal(err)
	}
	got, err := advisory.Open(dir)
	if err != nil || got.Digest() != db.Digest() {
		t.Fatalf("imported another database: %v", err)
	}
	if _, err := got.Shard(ctx, "debian-12"); err != nil {
		t.Error(err)
	}
}

func TestImportRefusesWhatIsNoExport(t *testing.T) {
	ctx := context.Background()
	var whole bytes.Buffer
	if err := store.Export(ctx, database(t), &whole); err != nil {
		t.Fatal(err)
	}
	var other bytes.Buffer
	w := tar.NewWriter(&other)
	if err := errors.Join(w.WriteHeader(&tar.Header{Name: "../../etc/passwd", Size: 1}), w.Close()); err == nil {
		t.Log("a tar without its content was closed")
	}
	for why, tt := range map[string]struct {
		data []byte
		want error
	}{
		"cut off":      {whole.Bytes()[:whole.Len()/2], advisory.ErrCorrupt},
		"empty":        {nil, advisory.ErrForeign},
		"no tar":       {bytes.Repeat([]byte("x"), 2000), advisory.ErrCorrupt},
		"another tar":  {other.Bytes(), advisory.ErrForeign},
		"changed byte": {bytes.Replace(whole.Bytes(), []byte("\x28\xb5\x2f\xfd"), []byte("\x28\xb5\x2f\xfc"), 1), advisory.ErrCorrupt},
	} {
		dir := t.TempDir()
		if _, err := store.Import(ctx, bytes.NewReader(tt.data), dir); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", why, err, tt.want)
		}
		if _, err := advisory.Open(dir); !errors.Is(err, advisory.ErrMissing) {
			t.Errorf("%s: a database is there (%v)", why, err)
		}
	}
}

func TestAFolderOfSomebodyElseIsNoPlaceForADatabase(t *testing.T) {
	const shard, manifest = "npm.0123456789ab.zst", advisory.ManifestName
	for _, tt := range []struct {
		name  string
		files map[string]string
		other bool
	}{
		{"an empty folder", nil, false},
		{"a new volume", map[string]string{"lost+found/x": "", ".gitkeep": ""}, false},
		{"an install that was cut off", map[string]string{".lock": "", shard: "x", ".manifest.json.123.tmp": ""}, false},
		{"a database whose manifest is damaged", map[string]string{manifest: "{", shard: "x"}, false},
		{"a home", map[string]string{"notes.txt": ""}, true},
		{"an archive of somebody", map[string]string{"backup.zst": ""}, true},
		{"a manifest of something else", map[string]string{manifest: `{"name": "shop"}`}, true},
		{"a folder of folders", map[string]string{"src/main.go": ""}, true},
	} {
		dir := t.TempDir()
		for name, content := range tt.files {
			path := filepath.Join(dir, name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		if err := store.CheckDir(dir); errors.Is(err, store.ErrOther) != tt.other || !tt.other && err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if err := store.CheckDir(filepath.Join(t.TempDir(), "new")); err != nil {
		t.Error(err)
	}
	db := database(t)
	if err := errors.Join(os.WriteFile(filepath.Join(db.Location(), "README"), nil, 0o600), store.CheckDir(db.Location())); err != nil {
		t.Errorf("a database: %v", err)
	}
}

func TestInstallingLeavesFilesAloneThatAreOfNoShard(t *testing.T) {
	dir, db := t.TempDir(), database(t)
	for _, name := range []string{"backup.zst", "old.0123456789ab.zst"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := store.Install(t.Context(), dir, manifestOf(t, db), nil, fetchFrom(db)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "backup.zst")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "old.0123456789ab.zst")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an old shard is left: %v", err)
	}
}
