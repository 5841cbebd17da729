package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
)

// status is a dpkg database of one package.
func status(name string) string {
	return "Package: " + name + "\nStatus: install ok installed\nArchitecture: amd64\nMaintainer: x <x@example.org>\nVersion: 1.0\nDescription: x\n\n"
}

var (
	passed  = []int{0, 3}
	refused = []int{4}
	either  = []int{0, 1, 3, 4}
	// unfed: the small advisory database lacks the ecosystem.
	unfed    = []int{5}
	maxLinks = 4000
)

// treeCases are rows 1 to 18: what the entries of layers are and where they lead.
func treeCases() []hostileCase {
	return []hostileCase{
		{row: "1", name: "ok-oci", exits: passed, prepare: func(s *scene) ([]string, error) { return gateOf(s) }},
		{row: "1", name: "ok-docker", exits: passed, prepare: dockerArchive(nil)},
		{row: "1", name: "ok-zstd", exits: passed, prepare: func(s *scene) ([]string, error) {
			archive, err := imagetest.Tar(imagetest.Text("app/x", "x"))
			l := packed(zstdLayer, zst(archive))
			l.diffID = digestOf(archive)
			if err != nil {
				return nil, err
			}
			return gateOf(s, l)
		}},
		{row: "2", name: "tar-dotdot", exits: []int{1}, says: "points outside the image", prepare: files(func(s *scene) []imagetest.File {
			return []imagetest.File{
				imagetest.Text("../../../../../../../.."+s.host+"/written", "x"), imagetest.Text("app/../../../x", "x"), imagetest.Text("..", "x"),
			}
		})},
		{row: "3", name: "tar-absolute", exits: passed, prepare: func(s *scene) ([]string, error) {
			archive := append(header("x", 0, func(h []byte) { clear(h[:100]); copy(h, s.host+"/abs") }), trailer...)
			return gateOf(s, archived(archive))
		}},
		{row: "4", name: "symlink-write-through", exits: passed, prepare: files(func(s *scene) []imagetest.File {
			return []imagetest.File{imagetest.Symlink("d", s.host), imagetest.Text("d/written", "x"), imagetest.Symlink("e", "../../../../../../.."+s.host), imagetest.Text("e/written", "x")}
		})},
		{row: "5", name: "symlink-host-read", exits: passed, prepare: files(func(s *scene) []imagetest.File {
			return []imagetest.File{
				imagetest.Symlink("app/package.json", s.host+"/secret"), imagetest.Symlink("root/.npmrc", filepath.Join(s.host, "secret")),
				imagetest.Symlink("h", s.host), imagetest.Symlink("app/requirements.txt", "/h/secret"), imagetest.Symlink("etc/alpine-release", "/proc/self/environ"),
			}
		})},
		{row: "6", name: "hardlink-escape", exits: []int{1}, says: "hard link to", prepare: files(func(s *scene) []imagetest.File {
			return []imagetest.File{
				imagetest.HardLink("app/a", s.host+"/secret"), imagetest.HardLink("app/b", "../../../.."+s.host+"/secret"),
				imagetest.HardLink("app/c", "missing"), imagetest.Dir("dir"), imagetest.HardLink("app/d", "dir"), imagetest.HardLink("app/e", "app/e"),
			}
		})},
		{row: "7", name: "symlink-loop", exits: passed, seconds: 60, megabytes: 1024, prepare: files(func(*scene) []imagetest.File {
			return []imagetest.File{
				imagetest.Symlink("a", "b"), imagetest.Symlink("b", "a"), imagetest.Symlink("c", "c"), imagetest.Symlink("etc/alpine-release", "alpine-release"),
				imagetest.Symlink("usr/lib/python3/dist-packages", "dist-packages"), imagetest.Symlink("d/d", "../d"),
			}
		})},
		{row: "8", name: "symlink-self-parent", exits: passed, seconds: 60, megabytes: 1024, prepare: files(func(*scene) []imagetest.File {
			out := []imagetest.File{imagetest.Symlink("app/here", "."), imagetest.Symlink("app/root", "/"), imagetest.Symlink("app/up", "..")}
			for i := range 200 {
				out = append(out, imagetest.Symlink(fmt.Sprintf("app/r%d", i), "/"), imagetest.Symlink(fmt.Sprintf("app/h%d", i), "."))
			}
			return out
		})},
		{row: "9", name: "symlink-chain", exits: passed, seconds: 60, megabytes: 1024, prepare: files(func(*scene) []imagetest.File {
			out := []imagetest.File{imagetest.Text("c/0", "x")}
			for i := 1; i <= maxLinks; i++ {
				out = append(out, imagetest.Symlink(fmt.Sprintf("c/%d", i), fmt.Sprint(i-1)))
			}
			return append(out, imagetest.Symlink("app/package.json", fmt.Sprintf("/c/%d", maxLinks)))
		})},
		{row: "10", name: "special-files", exits: passed, says: "image-device-file", prepare: files(func(*scene) []imagetest.File {
			var out []imagetest.File
			for _, path := range []string{"etc/alpine-release", "app/package.json", "app/a.jar", "root/.npmrc", "usr/bin/x", "var/lib/rpm/Packages"} {
				out = append(out, imagetest.File{Path: path, Type: tar.TypeFifo}, imagetest.File{Path: path + "1", Type: tar.TypeChar}, imagetest.File{Path: path + "2", Type: tar.TypeBlock})
			}
			return out
		})},
		{row: "11", name: "type-flip", exits: passed, says: "", prepare: func(s *scene) ([]string, error) {
			var layers []layer
			for _, some := range [][]imagetest.File{
				{imagetest.Text("f", "1"), imagetest.Dir("d"), imagetest.Text("d/x", "x"), imagetest.Symlink("l", "d")},
				{imagetest.Dir("f"), imagetest.Text("f/x", "x"), imagetest.Symlink("d", "f"), imagetest.Dir("l"), imagetest.Text("l/y", "y")},
				{imagetest.Symlink("f", "l"), imagetest.Text("d", "file"), imagetest.Text("l", "file")},
			} {
				l, err := layerOf(some...)
				if err != nil {
					return nil, err
				}
				layers = append(layers, l)
			}
			return gateOf(s, layers...)
		}},
		{row: "12", name: "duplicate-entries", exits: passed, says: "image-duplicate-entry", hides: "first-of-two", prepare: inventoried(func() []imagetest.File {
			return []imagetest.File{imagetest.Text("var/lib/dpkg/status", status("first-of-two")), imagetest.Text("var/lib/dpkg/status", status("second-of-two"))}
		})},
		{row: "13", name: "deep-paths", exits: passed, seconds: 60, prepare: files(func(*scene) []imagetest.File {
			return []imagetest.File{imagetest.Text(strings.Repeat("d/", 2500)+"package.json", "{}"), imagetest.Text(strings.Repeat("n", 60_000), "x")}
		})},
		{row: "14", name: "many-files", exits: passed, seconds: 120, megabytes: 1536, prepare: oneLayer(func() layer {
			var buf bytes.Buffer
			w := tar.NewWriter(&buf)
			for i := range 300_000 {
				_ = w.WriteHeader(&tar.Header{Name: fmt.Sprintf("app/%d/%d/%d", i%10, i%1000, i), Mode: 0o644, Typeflag: tar.TypeReg})
			}
			_ = w.Close()
			return archived(buf.Bytes())
		})},
		{row: "15", name: "whiteout-dots", exits: []int{1}, says: "whiteout that deletes nothing", prepare: files(func(*scene) []imagetest.File {
			return []imagetest.File{imagetest.Text("etc/.wh.", ""), imagetest.Text("etc/.wh..", ""), imagetest.Text("etc/.wh...", ""), imagetest.Text("etc/.wh..wh.x", ""), imagetest.Text(".wh.", "")}
		})},
		{row: "16", name: "whiteout-restore", exits: passed, prepare: func(s *scene) ([]string, error) {
			gone, err := layerOf(imagetest.Text("var/lib/dpkg/.wh.status", ""))
			if err != nil {
				return nil, err
			}
			back, err := layerOf(imagetest.Text("var/lib/dpkg/status", status("restored")))
			if err != nil {
				return nil, err
			}
			args, err := gateOf(s, gone, back)
			return append(args, "--sbom-out", "sbom.json"), err
		}, play: sbomHolds("restored", "base-files")},
		{row: "17", name: "whiteout-opaque", exits: passed, prepare: func(s *scene) ([]string, error) {
			opaque, err := layerOf(imagetest.Text("var/lib/dpkg/status", status("beside")), imagetest.Text("var/lib/dpkg/.wh..wh..opq", ""))
			if err != nil {
				return nil, err
			}
			args, err := gateOf(s, opaque)
			return append(args, "--sbom-out", "sbom.json"), err
		}, play: sbomHolds("beside", "base-files")},
		{row: "18", name: "whiteout-secret-in-lower-layer", exits: []int{1}, says: "later layer deletes", prepare: func(s *scene) ([]string, error) {
			in, err := layerOf(imagetest.Text("app/.env", "DB_PASSWORD=Tr0ub4dor-and-3-horses\n"), imagetest.Text("app/key.pem", "-----BEGIN PRIVATE KEY-----\n"+strings.Repeat("MIIEvgIBADANBgkqhkiG9w0BAQEFAASC\n", 20)+"-----END PRIVATE KEY-----\n"))
			if err != nil {
				return nil, err
			}
			out, err := layerOf(imagetest.Text("app/.wh..env", ""), imagetest.Text("app/.wh.key.pem", ""))
			if err != nil {
				return nil, err
			}
			return gateOf(s, in, out)
		}, hides: "Tr0ub4dor"},
	}
}

// inventoried is a case of files whose SBOM is written as well.
func inventoried(make func() []imagetest.File) func(s *scene) ([]string, error) {
	return func(s *scene) ([]string, error) {
		args, err := files(func(*scene) []imagetest.File { return make() })(s)
		return append(args, "--sbom-out", "sbom.json"), err
	}
}
