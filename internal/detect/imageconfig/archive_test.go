package imageconfig_test

import (
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/detect/imageconfig"
	"github.com/portcullis-ci/portcullis/internal/finding"
)

func TestAmbiguousEntriesAreToldOnceForEachLayer(t *testing.T) {
	found := checkWith(t, decode(t, `{"config": {"User": "app"}, "ambiguous": [
		{"path": "/a", "reason": "hard link to nothing", "layer": "sha256:1"},
		{"path": "/b", "reason": "the archive gives two sizes for it", "layer": "sha256:2"},
		{"path": "/c", "reason": "hard link to nothing", "layer": "sha256:1"}]}`), imageconfig.Options{}, "image-ambiguous-archive")
	if len(found) != 2 {
		t.Fatalf("findings = %+v, want one for each of two layers", found)
	}
	first, second := found[0], found[1]
	if first.Severity != finding.High || !strings.Contains(first.Message, "2 entries; the first is /a: hard link to nothing") || len(first.Locations) != 2 || first.Locations[1].Path != "/c" || first.Locations[0].Layer != "sha256:1" {
		t.Errorf("first = %+v", first)
	}
	if !strings.HasPrefix(second.Message, "/b: the archive gives two sizes for it") || first.Fingerprint == second.Fingerprint {
		t.Errorf("second = %+v", second)
	}
}
