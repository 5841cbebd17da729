package snapshot_test

import (
	"context"
	"encoding/csv"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/advisory/snapshot"
	"github.com/portcullis-ci/portcullis/internal/advisory/store"
)

func open(t *testing.T) *advisory.Database {
	t.Helper()
	db, err := snapshot.Open()
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func TestTheSnapshotIsWhole(t *testing.T) {
	states, err := store.Verify(context.Background(), open(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(states) < 15 {
		t.Errorf("only %d shards", len(states))
	}
	for _, s := range states {
		if !s.Present || s.Err != nil {
			t.Errorf("%s: present %v, %v", s.Shard.Name, s.Present, s.Err)
		}
	}
}

func TestTheSnapshotHoldsOnlyWhatMayBePassedOn(t *testing.T) {
	page, err := os.ReadFile("ATTRIBUTION.md")
	if err != nil {
		t.Fatal(err)
	}
	free := map[string]bool{"MIT": true, "Apache-2.0": true, "CC-BY-4.0": true, "CC0-1.0": true}
	for _, s := range open(t).Manifest().Sources {
		if !s.Redistributable || !free[s.Licence] {
			t.Errorf("%s under %s", s.Name, s.Licence)
		}
		if !strings.Contains(string(page), "| "+s.Name+" | "+s.Licence+" | https://") {
			t.Errorf("ATTRIBUTION.md does not name %s with its licence", s.Name)
		}
	}
}

// The age of the snapshot must be that of its data: a young date would make
// findings that are not known look like none.
func TestTheSnapshotIsAsOldAsItsData(t *testing.T) {
	f, err := os.Open("sources.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // only read
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	obtained := make(map[string]string)
	for _, row := range rows[1:] {
		obtained[row[0]] = row[1]
	}
	m := open(t).Manifest()
	for _, s := range m.Shards {
		if s.Kind != advisory.ShardAdvisories {
			continue
		}
		name, _, _ := strings.Cut(s.Ecosystem, ":")
		if got := m.FetchedOf(s).Format(time.DateOnly); got != obtained[name] {
			t.Errorf("%s: obtained %s, sources.csv says %q", s.Name, got, obtained[name])
		}
		if m.FetchedOf(s).After(m.Built) {
			t.Errorf("%s: obtained after it was built", s.Name)
		}
	}
}

func TestTheSnapshotIsAFewMegabytes(t *testing.T) {
	total := int64(0)
	for _, s := range open(t).Manifest().Shards {
		total += s.Size
	}
	if total > 4<<20 {
		t.Errorf("%d bytes", total)
	}
}

func TestTheSnapshotHasRealRecords(t *testing.T) {
	npm, err := open(t).Shard(context.Background(), "npm")
	if err != nil {
		t.Fatal(err)
	}
	found, err := npm.Find("CVE-2021-23337")
	if err != nil || len(found) == 0 {
		t.Errorf("lodash's CVE-2021-23337: %v, %v", found, err)
	}
}
