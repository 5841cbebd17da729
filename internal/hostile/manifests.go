package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
)

// raw is a case of an OCI layout whose manifest is made by hand.
func raw(make func(s *scene, l *layout, under layer) (any, error)) func(s *scene) ([]string, error) {
	return func(s *scene) ([]string, error) {
		under, err := layerOf(base()...)
		if err != nil {
			return nil, err
		}
		l := newLayout(s.path("image"))
		m, err := make(s, l, under)
		if err != nil {
			return nil, err
		}
		image, err := l.finish(m)
		return s.gate(image), err
	}
}

// indexed is a case of an OCI layout whose index.json is made by hand.
func indexed(make func(l *layout, manifest document) []any) func(s *scene) ([]string, error) {
	return func(s *scene) ([]string, error) {
		under, err := layerOf(base()...)
		if err != nil {
			return nil, err
		}
		l := newLayout(s.path("image"))
		l.index(make(l, l.manifest(config(under), under))...)
		return s.gate("oci:" + l.dir), l.err
	}
}

// manifestCases are rows 38 to 53.
func manifestCases() []hostileCase {
	change := func(f func(m document)) func(*scene, *layout, layer) (any, error) {
		return func(_ *scene, l *layout, under layer) (any, error) {
			m := l.manifest(config(under), under)
			f(m)
			return m, nil
		}
	}
	return []hostileCase{
		{row: "38", name: "manifest-huge", exits: refused, says: "more than|limit", seconds: 60, megabytes: 768, prepare: raw(change(func(m document) {
			m["annotations"] = document{"x": strings.Repeat("x", 64<<20)}
		}))},
		{row: "39", name: "manifest-many-layers", exits: refused, says: "number of layers|layers|more than", seconds: 60, megabytes: 768, prepare: raw(func(_ *scene, l *layout, under layer) (any, error) {
			m := l.manifest(config(under), under)
			d := m["layers"].([]any)[0]
			var all []any
			for range 100_000 {
				all = append(all, d)
			}
			m["layers"] = all
			return m, nil
		})},
		{row: "39", name: "manifest-2000-layers", exits: refused, says: "number of layers", seconds: 60, megabytes: 768, prepare: raw(func(_ *scene, l *layout, under layer) (any, error) {
			var all []layer
			for range 2000 {
				all = append(all, under)
			}
			return l.manifest(config(all...), all...), nil
		})},
		{row: "40", name: "index-nested", exits: refused, says: "nested|deep", seconds: 60, megabytes: 768, prepare: indexed(func(l *layout, m document) []any {
			data, kind := marshal(m), manifestType
			for range 2000 {
				d := descriptor(kind, l.blob("", data), len(data))
				data, kind = marshal(document{"schemaVersion": 2, "mediaType": indexType, "manifests": []any{d}}), indexType
			}
			return []any{descriptor(kind, l.blob("", data), len(data))}
		})},
		{row: "41", name: "index-loop", exits: refused, says: "digest", seconds: 60, megabytes: 768, prepare: indexed(func(l *layout, _ document) []any {
			digest := digestOf([]byte("loop"))
			data := marshal(document{"schemaVersion": 2, "mediaType": indexType, "manifests": []any{descriptor(indexType, digest, 265)}})
			data = append(data, bytes.Repeat([]byte(" "), 265-len(data))...)
			l.blob(digest, data)
			return []any{descriptor(indexType, digest, len(data))}
		})},
		{row: "42", name: "config-deep-json", exits: refused, says: "deep|nest", seconds: 60, megabytes: 768, prepare: raw(func(_ *scene, l *layout, under layer) (any, error) {
			const deep = 1_000_000
			cfg := marshal(config(under))
			cfg = append(cfg[:len(cfg)-1], []byte(`,"x":`+strings.Repeat(`[`, deep)+strings.Repeat(`]`, deep)+`}`)...)
			return l.manifest(cfg, under), nil
		})},
		{row: "43", name: "manifest-ambiguous", exits: refused, says: "ambiguous", prepare: raw(change(func(m document) { m["manifests"] = []any{m["config"]} }))},
		{row: "44", name: "manifest-duplicate-keys", exits: refused, says: "twice|duplicate", prepare: raw(func(_ *scene, l *layout, under layer) (any, error) {
			data := marshal(l.manifest(config(under), under))
			return append(data[:len(data)-1], []byte(`,"layers":[]}`)...), nil
		})},
		{row: "45", name: "schema1", exits: refused, says: "schema 1", prepare: raw(func(*scene, *layout, layer) (any, error) {
			return document{"schemaVersion": 1, "name": "x", "tag": "1", "fsLayers": []any{document{"blobSum": digestOf(nil)}}, "history": []any{}}, nil
		})},
		{row: "46", name: "foreign-layer-ssrf", exits: refused, says: "foreign", prepare: raw(func(_ *scene, l *layout, under layer) (any, error) {
			foreign := archived(plainTar(imagetest.Text("x", "x")))
			foreign.urls, foreign.mediaType = []string{"http://169.254.169.254/latest/meta-data/"}, "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
			return l.manifest(config(under, foreign), under, foreign), nil
		})},
		{row: "47", name: "index-empty", exits: refused, says: "no image|empty", prepare: indexed(func(*layout, document) []any { return []any{} })},
		{row: "48", name: "index-platforms", exits: refused, says: "s390x", prepare: indexed(func(l *layout, m document) []any {
			data := marshal(m)
			d := descriptor(manifestType, l.blob("", data), len(data))
			d["platform"] = document{"os": "linux", "architecture": "s390x"}
			inner := marshal(document{"schemaVersion": 2, "mediaType": indexType, "manifests": []any{d}})
			return []any{descriptor(indexType, l.blob("", inner), len(inner))}
		})},
		{row: "49", name: "blob-missing", exits: refused, says: "no such file", prepare: raw(func(s *scene, l *layout, under layer) (any, error) {
			m := l.manifest(config(under), under)
			return m, os.Remove(filepath.Join(l.dir, "blobs/sha256", strings.TrimPrefix(under.digest, "sha256:")))
		})},
		{row: "50", name: "digest-traversal", exits: refused, prepare: raw(func(s *scene, l *layout, under layer) (any, error) {
			m := l.manifest(config(under), under)
			m["config"].(document)["digest"] = "sha256:../../../host/secret"
			return m, nil
		})},
		{row: "51", name: "digest-algorithm", exits: refused, says: "sha1024|algorithm|digest", prepare: raw(change(func(m document) {
			m["config"].(document)["digest"] = "sha1024:" + strings.Repeat("a", 256)
		}))},
		{row: "52", name: "blob-is-symlink", exits: refused, says: "link|regular", prepare: raw(func(s *scene, l *layout, under layer) (any, error) {
			m := l.manifest(config(under), under)
			blob := filepath.Join(l.dir, "blobs/sha256", strings.TrimPrefix(under.digest, "sha256:"))
			if err := os.Rename(blob, filepath.Join(s.dir, "moved")); err != nil {
				return nil, err
			}
			return m, os.Symlink(filepath.Join(s.dir, "moved"), blob)
		})},
		{row: "53", name: "config-hostile-strings", exits: []int{1}, says: "AWS_SECRET|DB_PASSWORD", hides: "Tr0ub4dor", prepare: raw(func(_ *scene, l *layout, under layer) (any, error) {
			cfg := config(under)
			cfg["config"] = document{
				"User": "root\x1b[2J::set-output name=a::b", "Env": []string{"DB_PASSWORD=Tr0ub4dor-and-3-horses", "X=\x1b]0;pwn\x07\u202e"},
				"Labels": document{"a\n::error::x": "<script>alert(1)</script>"}, "Cmd": []string{"\x1b[31m"}, "WorkingDir": "/proc/self/fd/8",
			}
			cfg["history"] = []any{document{"created_by": "RUN \x1b[2J\n::add-mask::x\r%0A"}}
			return l.manifest(cfg, under), nil
		})},
	}
}

// dockerArchive is a case of a docker archive; change may replace its entries.
func dockerArchive(change func(s *scene, entries []imagetest.File) []imagetest.File) func(s *scene) ([]string, error) {
	return func(s *scene) ([]string, error) {
		under := plainTar(base()...)
		cfg := marshal(config(archived(under)))
		entries := []imagetest.File{
			{Path: "config.json", Body: cfg},
			{Path: "layer.tar", Body: under},
			imagetest.Text("manifest.json", `[{"Config":"config.json","RepoTags":["shop/web:1"],"Layers":["layer.tar"]}]`),
		}
		if change != nil {
			entries = change(s, entries)
		}
		path, err := s.write("image.tar", plainTar(entries...))
		return s.gate("docker-archive:" + path), err
	}
}

// ociArchive is a case of an OCI archive with further entries.
func ociArchive(more func(s *scene, index []byte) []imagetest.File) func(s *scene) ([]string, error) {
	return func(s *scene) ([]string, error) {
		if _, err := s.image(); err != nil {
			return nil, err
		}
		index, err := os.ReadFile(s.path("image/index.json"))
		if err != nil {
			return nil, err
		}
		entries, err := imagetest.Directory(s.path("image"))
		if err != nil {
			return nil, err
		}
		path, err := s.write("image.tar", plainTar(append(entries, more(s, index)...)...))
		return s.gate("oci-archive:" + path), err
	}
}

// wrappingCases are rows 54 to 61: archives around images.
func wrappingCases() []hostileCase {
	swap := func(at int, f imagetest.File) func(*scene, []imagetest.File) []imagetest.File {
		return func(_ *scene, entries []imagetest.File) []imagetest.File {
			entries[at] = f
			return entries
		}
	}
	manifest := func(text string) imagetest.File { return imagetest.Text("manifest.json", text) }
	return []hostileCase{
		{row: "54", name: "oci-archive-two-indexes", exits: refused, says: "index.json", prepare: ociArchive(func(_ *scene, index []byte) []imagetest.File {
			return []imagetest.File{{Path: "index.json", Body: bytes.Replace(index, []byte("{"), []byte(`{"annotations":{"a":"b"},`), 1)}}
		})},
		{row: "55", name: "oci-archive-traversal", exits: either, prepare: ociArchive(func(s *scene, _ []byte) []imagetest.File {
			return []imagetest.File{imagetest.Text("../../../../../../../.."+s.host+"/written", "x"), imagetest.Symlink("blobs/x", s.host)}
		})},
		{row: "56", name: "docker-archive-manifest-paths", exits: refused, prepare: dockerArchive(swap(2, manifest(`[{"Config":"../../../../etc/passwd","RepoTags":["a:1"],"Layers":["/etc/passwd"]}]`)))},
		{row: "57", name: "docker-archive-link-layer", exits: refused, prepare: dockerArchive(func(s *scene, entries []imagetest.File) []imagetest.File {
			entries[1] = imagetest.Symlink("layer.tar", s.host+"/secret")
			return entries
		})},
		{row: "58", name: "docker-archive-two-manifests", exits: refused, says: "manifest.json", prepare: dockerArchive(func(_ *scene, entries []imagetest.File) []imagetest.File {
			return append(entries, manifest(`[{"Config":"config.json","RepoTags":["other:1"],"Layers":["layer.tar"]}]`))
		})},
		{row: "59", name: "docker-archive-two-images", exits: refused, says: "2 images|several|images", prepare: dockerArchive(func(_ *scene, entries []imagetest.File) []imagetest.File {
			other := bytes.Replace(entries[0].Body, []byte("{"), []byte(`{"author":"somebody else",`), 1)
			entries[2] = manifest(`[{"Config":"config.json","RepoTags":["a:1"],"Layers":["layer.tar"]},{"Config":"other.json","RepoTags":["b:1"],"Layers":["layer.tar"]}]`)
			return append(entries, imagetest.File{Path: "other.json", Body: other})
		})},
		{row: "59", name: "docker-archive-two-names", exits: passed, prepare: dockerArchive(swap(2, manifest(
			`[{"Config":"config.json","RepoTags":["a:1"],"Layers":["layer.tar"]},{"Config":"config.json","RepoTags":["b:1"],"Layers":["layer.tar"]}]`)))},
		{row: "60", name: "empty-file", exits: refused, says: "not an image", prepare: func(s *scene) ([]string, error) {
			path, err := s.write("empty.tar", nil)
			return s.gate(path), err
		}},
		{row: "61", name: "random-bytes", exits: refused, says: "not an image", prepare: func(s *scene) ([]string, error) {
			path, err := s.write("noise.tar", noise(1<<20))
			return s.gate(path), err
		}},
		{row: "61", name: "directory-that-is-no-image", exits: refused, prepare: func(s *scene) ([]string, error) {
			return s.gate("oci:" + s.dir), nil
		}},
	}
}
