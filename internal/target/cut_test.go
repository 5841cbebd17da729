package target_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// transports writes an image in every form that is a file or a directory and
// returns the references by name.
func transports(t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	img := sample(t, "whole")
	at := func(name string) string { return filepath.Join(dir, name) }
	must(t, imagetest.WriteLayout(at("layout"), "v1", img))
	must(t, imagetest.WriteOCIArchive(at("oci.tar"), "v1", img))
	must(t, imagetest.WriteDockerArchive(at("docker.tar"), "shop/web:1", img))
	must(t, imagetest.WriteCompressedDockerArchive(at("packed.tar"), "shop/web:1", img))
	return map[string]string{
		"layout": "oci:" + at("layout"), "OCI archive": "oci-archive:" + at("oci.tar"),
		"docker archive": "docker-archive:" + at("docker.tar"), "packed docker archive": "docker-archive:" + at("packed.tar"),
	}
}

// damaged writes each damaged form of a file in its place, asks what comes of
// it, and puts the file back.
func damaged(t *testing.T, path string, damage func(data []byte, at int) []byte, step int, judge func(at int)) {
	t.Helper()
	whole, err := os.ReadFile(path)
	must(t, err)
	for at := 0; at < len(whole); at += step {
		must(t, os.WriteFile(path, damage(append([]byte(nil), whole...), at), 0o600))
		judge(at)
	}
	must(t, os.WriteFile(path, whole, 0o600))
}

// files are the files of a transport.
func files(t *testing.T, root string) []string {
	t.Helper()
	var out []string
	must(t, filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			out = append(out, path)
		}
		return err
	}))
	return out
}

// TestADamagedImageIsRefusedOrTheSame cuts each file of each transport at many
// places and flips a bit in each: what is then read is an error, or, where the
// damage is in something that has no meaning, the same image.
func TestADamagedImageIsRefusedOrTheSame(t *testing.T) {
	for name, reference := range transports(t) {
		t.Run(name, func(t *testing.T) {
			want, err := open(t, target.Request{Reference: reference}, target.Environment{})
			must(t, err)
			refused := 0
			_, root, _ := strings.Cut(reference, ":")
			for _, path := range files(t, root) {
				for what, damage := range map[string]func([]byte, int) []byte{
					"cut":     func(data []byte, at int) []byte { return data[:at] },
					"flipped": func(data []byte, at int) []byte { data[at] ^= 1 << (at % 8); return data },
				} {
					// A prime step meets every offset within a block of the archive.
					damaged(t, path, damage, 13, func(at int) {
						got, err := open(t, target.Request{Reference: reference}, target.Environment{})
						if err != nil {
							refused++
							return
						}
						if got.Image.ID != want.Image.ID || got.Image.Digest != want.Image.Digest || len(got.Layers) != len(want.Layers) {
							t.Errorf("%s %s at %d: read as image %s (%s), want an error or %s", filepath.Base(path), what, at, got.Image.ID, got.Image.Digest, want.Image.ID)
						}
					})
				}
			}
			if refused < 100 {
				t.Errorf("only %d damaged images were refused: the damage does not reach what is read", refused)
			}
		})
	}
}
