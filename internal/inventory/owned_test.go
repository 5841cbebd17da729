package inventory_test

import (
	"testing"

	"github.com/portcullis-ci/portcullis/internal/inventory"
)

func TestASystemFileHasOneNameWhicheverWayItIsReached(t *testing.T) {
	for path, want := range map[string]string{
		"/bin/su": "/usr/bin/su", "/usr/bin/su": "/usr/bin/su", "/lib64/ld.so": "/usr/lib64/ld.so", "/libx32/a": "/usr/libx32/a",
		"/binary/su": "/binary/su", "/opt/bin/su": "/opt/bin/su", "/bin": "/bin", "bin/su": "bin/su", "": "",
	} {
		if got := inventory.UnderUsr(path); got != want {
			t.Errorf("%q is under /usr at %q, want %q", path, got, want)
		}
	}
}

func TestAnOwnerIsFoundThroughTheLinksOfTheMergedUsr(t *testing.T) {
	inv := inventory.Inventory{Owned: map[string]inventory.OwnedFile{"/usr/bin/su": {Package: "util-linux"}, "/lib/kept": {Package: "old"}}}
	for path, want := range map[string]string{"/bin/su": "util-linux", "/usr/bin/su": "util-linux", "/lib/kept": "old", "/usr/local/bin/su": "", "/sbin/su": ""} {
		if got, ok := inv.Owner(path); got.Package != want || ok != (want != "") {
			t.Errorf("%s is owned by %q, %t, want %q", path, got.Package, ok, want)
		}
	}
}
