package update

import (
	"archive/zip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/advisory/osv"
)

// missing lists the ids of the export's list that are neither in the archive
// nor among the records that were fetched one by one.
func (e ecosystem) missing(list idList) ([]string, error) {
	z, err := zip.OpenReader(e.archive())
	if err != nil {
		// Without this a broken archive would pass for the current one.
		return nil, errors.Join(fmt.Errorf("%w: archive: %w", osv.ErrInvalid, err), os.Remove(e.archive()))
	}
	defer z.Close() //nolint:errcheck // only read
	held := make(map[string]bool, len(z.File))
	for _, f := range z.File {
		held[strings.TrimSuffix(filepath.Base(f.Name), ".json")] = true
	}
	var ids []string
	for _, m := range list {
		if held[m.id] {
			continue
		}
		if _, err := os.Stat(filepath.Join(e.singles(), m.id+".json")); err == nil {
			continue
		}
		ids = append(ids, m.id)
	}
	return ids, nil
}
