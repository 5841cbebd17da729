// Package snapshot is the advisory database that is built into the program, so
// that a first run works without a network. Its records are real, all under
// licences that allow to pass them on (see ATTRIBUTION.md and sources.csv), and
// as old as the program or older: whoever uses it has to say so. It is written
// by `make snapshot`.
package snapshot

import (
	"embed"
	"io/fs"
	"time"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/outcome"
)

//go:embed data/manifest.json data/*.zst
var files embed.FS

// Name is how messages and reports call the snapshot.
const Name = outcome.EmbeddedSnapshot

// Built is when the snapshot was built: a time that is past wherever the program
// runs.
func Built() (time.Time, error) {
	db, err := Open()
	if err != nil {
		return time.Time{}, err
	}
	return db.Manifest().Built, nil
}

// Open opens the snapshot. The errors are those of advisory.Open.
func Open() (*advisory.Database, error) {
	data, err := fs.Sub(files, "data")
	if err != nil {
		return nil, err
	}
	return advisory.OpenFS(data, Name)
}
