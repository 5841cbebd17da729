package target_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/target"
)

func TestAnImageThatCannotBeOpenedHasTheNameThatItWouldHave(t *testing.T) {
	folder := t.TempDir()
	archive := filepath.Join(folder, "web.tar")
	if err := os.WriteFile(archive, []byte("no archive"), 0o600); err != nil {
		t.Fatal(err)
	}
	for reference, want := range map[string]string{
		"registry.example:5000/shop/web:1.4":           "registry.example:5000/shop/web",
		"registry:ghcr.io/acme/web@sha256:" + digest64: "ghcr.io/acme/web",
		"alpine:3.20":                          "alpine",
		"daemon:acme/web:latest":               "acme/web",
		"oci:build/image:1.0":                  "image",
		"docker-archive:/nowhere/web-1.tar.gz": "web-1",
		archive:                                "web",
		"oci-archive:" + archive + ":1.0":      "web",
		"not a reference":                      "not a reference",
		"":                                     "",
	} {
		if got := target.NameOf(reference); got != want {
			t.Errorf("NameOf(%q) = %q, want %q", reference, got, want)
		}
	}
}

const digest64 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
