package syftcatalog

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

// contentSetFiles are where Red Hat's build system writes down from which
// repositories the packages of an image came, one file a layer.
var contentSetFiles = []string{"/root/buildinfo/content_manifests/*.json", "/root/buildinfo/content-sets.json", "/usr/share/buildinfo/content-sets.json"}

var contentSetGlobs = newGlobSet(compileGlobs(contentSetFiles...))

// contentSets lists the repositories that the image's own build records name.
// A record that cannot be read is listed apart: what it would have said decides
// which fixed versions count.
func contentSets(ctx context.Context, x *layers.Index) (sets []string, unreadable []inventory.Unreadable, err error) {
	for e := range x.All() {
		if e.Type != layers.Regular || e.Size > maxText || !contentSetGlobs.match(e.Path) {
			continue
		}
		data, err := text(ctx, x, e)
		if err != nil {
			return nil, nil, err
		}
		var record struct {
			Sets []string `json:"content_sets"`
		}
		if err := json.Unmarshal(data, &record); err != nil {
			unreadable = append(unreadable, inventory.Unreadable{Path: e.Path, Reason: "list of content sets: " + err.Error()})
			continue
		}
		sets = append(sets, record.Sets...)
	}
	slices.Sort(sets)
	return slices.Compact(sets), unreadable, nil
}
