package syftcatalog

import (
	"path"

	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

// rpmDirs are where rpm keeps its database.
var rpmDirs = []string{"/var/lib/rpm", "/usr/lib/sysimage/rpm", "/usr/share/rpm"}

// writeAheadLogs lists the logs of rpm databases that were not written back:
// packages in them are installed, and nobody reads them. SQLite empties the log
// when the last program closes the database.
func writeAheadLogs(x *layers.Index) []inventory.Unreadable {
	var out []inventory.Unreadable
	seen := map[string]bool{}
	for _, dir := range rpmDirs {
		e := x.Resolve(path.Join(dir, "rpmdb.sqlite-wal"), true)
		if e == nil || e.Type != layers.Regular || e.Size == 0 || seen[e.Path] {
			continue
		}
		seen[e.Path] = true
		out = append(out, inventory.Unreadable{Path: e.Path, Reason: "changes to the rpm database that were not written back to it; end the build step with `rpm -qa` or another command that closes the database"})
	}
	return out
}
