package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
)

// layer is one layer; what it says of itself need not be true.
type layer struct {
	packed    []byte
	mediaType string
	// digest, size and diffID are what the manifest and the configuration say.
	digest, diffID string
	size           int64
	urls           []string
}

const (
	gzipLayer  = "application/vnd.oci.image.layer.v1.tar+gzip"
	zstdLayer  = "application/vnd.oci.image.layer.v1.tar+zstd"
	plainLayer = "application/vnd.oci.image.layer.v1.tar"
)

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func gz(data []byte) []byte {
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	_, _ = w.Write(data)
	_ = w.Close()
	return buf.Bytes()
}

func zst(data []byte) []byte {
	w, _ := zstd.NewWriter(nil)
	defer func() { _ = w.Close() }()
	return w.EncodeAll(data, nil)
}

// packed is a layer of bytes that are packed already, of an unknown archive.
func packed(mediaType string, data []byte) layer {
	return layer{packed: data, mediaType: mediaType, digest: digestOf(data), size: int64(len(data)), diffID: digestOf([]byte("unknown"))}
}

// archived is a layer of an archive, packed with gzip.
func archived(archive []byte) layer {
	l := packed(gzipLayer, gz(archive))
	l.diffID = digestOf(archive)
	return l
}

func layerOf(files ...imagetest.File) (layer, error) {
	archive, err := imagetest.Tar(files...)
	if err != nil {
		return layer{}, err
	}
	return archived(archive), nil
}

// base is a small Debian in which nothing is wrong.
func base() []imagetest.File {
	return imagetest.Debian(imagetest.Package{Name: "base-files", Version: "12.4+deb12u5"}, imagetest.Package{Name: "last", Version: "1.0"})
}

// document is a JSON object that a case may change before it is written.
type document = map[string]any

// layout is an OCI image layout that is written piece by piece, so that any of
// them can lie.
type layout struct {
	dir string
	err error
}

func newLayout(dir string) *layout {
	l := &layout{dir: dir}
	l.file("oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`))
	return l
}

func (l *layout) file(name string, data []byte) {
	path := filepath.Join(l.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil && l.err == nil {
		l.err = err
	}
	if err := os.WriteFile(path, data, 0o644); err != nil && l.err == nil {
		l.err = err
	}
}

// blob writes a blob under a digest, which is its own when it is empty.
func (l *layout) blob(digest string, data []byte) string {
	if digest == "" {
		digest = digestOf(data)
	}
	l.file(filepath.Join("blobs", "sha256", strings.TrimPrefix(digest, "sha256:")), data)
	return digest
}

func descriptor(mediaType, digest string, size int) document {
	return document{"mediaType": mediaType, "digest": digest, "size": size}
}

const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	indexType    = "application/vnd.oci.image.index.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
)

func marshal(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // Only documents made here are marshalled.
	}
	return data
}

// index writes index.json with one descriptor.
func (l *layout) index(descriptors ...any) {
	l.file("index.json", marshal(document{"schemaVersion": 2, "mediaType": indexType, "manifests": descriptors}))
}

// config is the configuration of an image with the given layers.
func config(layers ...layer) document {
	diffIDs, history := []any{}, []any{}
	for _, x := range layers {
		diffIDs = append(diffIDs, x.diffID)
		history = append(history, document{"created": "2026-06-01T12:00:00Z", "created_by": "COPY x / # buildkit"})
	}
	return document{
		"architecture": runtime.GOARCH, "os": "linux", "created": "2026-06-01T12:00:00Z",
		"config": document{"User": "1000"}, "rootfs": document{"type": "layers", "diff_ids": diffIDs}, "history": history,
	}
}

// manifest writes layers, configuration and manifest, and returns the latter.
func (l *layout) manifest(cfg any, layers ...layer) document {
	raw, isBytes := cfg.([]byte)
	if !isBytes {
		raw = marshal(cfg)
	}
	descriptors := []any{}
	for _, x := range layers {
		l.blob(x.digest, x.packed)
		d := descriptor(x.mediaType, x.digest, int(x.size))
		if x.urls != nil {
			d["urls"] = x.urls
		}
		descriptors = append(descriptors, d)
	}
	return document{
		"schemaVersion": 2, "mediaType": manifestType,
		"config": descriptor(configType, l.blob("", raw), len(raw)), "layers": descriptors,
	}
}

// finish writes a manifest and the index that names it, and returns the
// program's reference of the image.
func (l *layout) finish(manifest any) (string, error) {
	raw, isBytes := manifest.([]byte)
	if !isBytes {
		raw = marshal(manifest)
	}
	l.index(descriptor(manifestType, l.blob("", raw), len(raw)))
	return "oci:" + l.dir, l.err
}

// image writes a layout of the given layers on the small Debian.
func (s *scene) image(layers ...layer) (string, error) {
	under, err := layerOf(base()...)
	if err != nil {
		return "", err
	}
	l, all := newLayout(s.path("image")), append([]layer{under}, layers...)
	return l.finish(l.manifest(config(all...), all...))
}

// files is a case whose image holds one more layer with the given files.
func files(make func(s *scene) []imagetest.File) func(s *scene) ([]string, error) {
	return func(s *scene) ([]string, error) {
		l, err := layerOf(make(s)...)
		if err != nil {
			return nil, err
		}
		return gateOf(s, l)
	}
}

func gateOf(s *scene, layers ...layer) ([]string, error) {
	image, err := s.image(layers...)
	return s.gate(image), err
}

// oneLayer is a case whose image holds one more layer.
func oneLayer(make func() layer) func(s *scene) ([]string, error) {
	return func(s *scene) ([]string, error) { return gateOf(s, make()) }
}

// header is a header of a tar archive with some bytes replaced and the
// checksum right.
func header(name string, size int64, change func(h []byte)) []byte {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	_ = w.WriteHeader(&tar.Header{Name: name, Size: size, Mode: 0o644, Typeflag: tar.TypeReg})
	h := buf.Bytes()[:512]
	if change != nil {
		change(h)
	}
	copy(h[148:156], "        ")
	sum := 0
	for _, b := range h {
		sum += int(b)
	}
	copy(h[148:156], fmt.Sprintf("%06o\x00 ", sum))
	return h
}

// padded fills data up to a whole number of blocks.
func padded(data []byte) []byte {
	return append(data[:len(data):len(data)], make([]byte, (512-len(data)%512)%512)...)
}

// pax is an extended header with the given records.
func pax(records string) []byte {
	h := header("pax", int64(len(records)), func(h []byte) { h[156] = 'x' })
	return append(h, padded([]byte(records))...)
}

// record is one record of an extended header.
func record(key, value string) string {
	n := len(key) + len(value) + 3
	for len(fmt.Sprint(n))+len(key)+len(value)+3 != n {
		n = len(fmt.Sprint(n)) + len(key) + len(value) + 3
	}
	return fmt.Sprintf("%d %s=%s\n", n, key, value)
}

var trailer = make([]byte, 1024)
