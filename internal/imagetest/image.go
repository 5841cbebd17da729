// Package imagetest builds small container images layer by layer, for tests
// and for the demo: files, package databases, history as BuildKit writes it,
// and the ways an image travels (OCI layout, OCI archive, docker archive,
// loopback registry, daemon socket). It is not for images of real size: layers
// are held in memory.
package imagetest

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Created is the creation time of everything that is built here, so that the
// same calls make the same digests.
var Created = time.Date(2024, 6, 1, 12, 0, 0, 0, time.UTC)

// File is one entry of a layer. The zero Type is a regular file.
type File struct {
	// Path inside the image, with or without a leading slash; written to the
	// tar header as it is, apart from the slash.
	Path string
	Body []byte
	// Mode holds permission bits, setuid 04000, setgid 02000; 0 means 0644
	// for files and 0755 for directories.
	Mode int64
	UID  int
	GID  int
	// Type is a tar type flag such as tar.TypeSymlink; Link its target.
	Type byte
	Link string
	// PAX are extended header records, such as SCHILY.xattr.security.capability.
	PAX map[string]string
}

// Text is a regular file with the given content.
func Text(path, body string) File { return File{Path: path, Body: []byte(body)} }

// Dir is a directory.
func Dir(path string) File { return File{Path: path, Type: tar.TypeDir} }

// Symlink is a symbolic link.
func Symlink(path, to string) File { return File{Path: path, Type: tar.TypeSymlink, Link: to} }

// HardLink is a second name of an earlier file of the same layer.
func HardLink(path, to string) File { return File{Path: path, Type: tar.TypeLink, Link: to} }

// Compression is how a layer's archive is packed.
type Compression string

// The compressions.
const (
	Gzip Compression = "gzip"
	Zstd Compression = "zstd"
	None Compression = "none"
)

// Builder collects layers, history and configuration. Errors are kept until
// Image is called.
type Builder struct {
	adds        []mutate.Addendum
	config      v1.Config
	platform    v1.Platform
	compression Compression
	err         error
}

// New returns a builder of an empty linux/amd64 image with gzip layers.
func New() *Builder {
	return &Builder{platform: v1.Platform{OS: "linux", Architecture: "amd64"}, compression: Gzip}
}

// Platform sets os/architecture[/variant].
func (b *Builder) Platform(platform string) *Builder {
	p, err := v1.ParsePlatform(platform)
	if err != nil {
		b.fail(err)
		return b
	}
	b.platform = *p
	return b
}

// Compression sets how the layers that follow are packed.
func (b *Builder) Compression(c Compression) *Builder {
	b.compression = c
	return b
}

// Layer adds a layer with its history entry, whose text is what the builder
// would have recorded: "COPY app /app # buildkit".
func (b *Builder) Layer(createdBy string, files ...File) *Builder {
	raw, err := Tar(files...)
	if err != nil {
		b.fail(err)
		return b
	}
	return b.RawLayer(createdBy, raw)
}

// RawLayer adds a layer with the given archive, which may be broken.
func (b *Builder) RawLayer(createdBy string, archive []byte) *Builder {
	l, err := NewLayer(archive, b.compression)
	if err != nil {
		b.fail(err)
		return b
	}
	b.adds = append(b.adds, mutate.Addendum{
		Layer:     l,
		MediaType: l.mediaType,
		History:   v1.History{Created: v1.Time{Time: Created}, CreatedBy: createdBy, Comment: "buildkit.dockerfile.v0"},
	})
	return b
}

// Add adds a ready layer, which may lie about itself.
func (b *Builder) Add(createdBy string, l v1.Layer) *Builder {
	mt, err := l.MediaType()
	if err != nil {
		b.fail(err)
		return b
	}
	b.adds = append(b.adds, mutate.Addendum{
		Layer: l, MediaType: mt,
		History: v1.History{Created: v1.Time{Time: Created}, CreatedBy: createdBy, Comment: "buildkit.dockerfile.v0"},
	})
	return b
}

// Empty adds a history entry without a layer, such as "ENV A=b" or
// `CMD ["app"]`.
func (b *Builder) Empty(createdBy string) *Builder {
	b.adds = append(b.adds, mutate.Addendum{History: v1.History{
		Created: v1.Time{Time: Created}, CreatedBy: createdBy, Comment: "buildkit.dockerfile.v0", EmptyLayer: true,
	}})
	return b
}

// Config changes the run configuration.
func (b *Builder) Config(change func(*v1.Config)) *Builder {
	change(&b.config)
	return b
}

// Env adds environment variables ("NAME=value") with their history entries.
func (b *Builder) Env(vars ...string) *Builder {
	for _, v := range vars {
		b.config.Env = append(b.config.Env, v)
		b.Empty("ENV " + v)
	}
	return b
}

// User sets the user with its history entry.
func (b *Builder) User(user string) *Builder {
	b.config.User = user
	return b.Empty("USER " + user)
}

// Image makes the image, with OCI media types.
func (b *Builder) Image() (v1.Image, error) {
	if b.err != nil {
		return nil, b.err
	}
	base := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	base = mutate.ConfigMediaType(base, types.OCIConfigJSON)
	img, err := mutate.Append(base, b.adds...)
	if err != nil {
		return nil, fmt.Errorf("append layers: %w", err)
	}
	cf, err := img.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	cf = cf.DeepCopy()
	cf.Config = b.config
	cf.OS, cf.Architecture, cf.Variant = b.platform.OS, b.platform.Architecture, b.platform.Variant
	cf.Created = v1.Time{Time: Created}
	return mutate.ConfigFile(img, cf)
}

func (b *Builder) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// Tar packs files into an archive with fixed times.
func Tar(files ...File) ([]byte, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, f := range files {
		if err := w.WriteHeader(f.header()); err != nil {
			return nil, fmt.Errorf("write header of %s: %w", f.Path, err)
		}
		if _, err := w.Write(f.Body); err != nil {
			return nil, fmt.Errorf("write %s: %w", f.Path, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("close archive: %w", err)
	}
	return buf.Bytes(), nil
}

func (f File) header() *tar.Header {
	h := &tar.Header{
		Name: strings.TrimPrefix(f.Path, "/"), Linkname: f.Link, Typeflag: f.Type, Mode: f.Mode,
		Uid: f.UID, Gid: f.GID, Size: int64(len(f.Body)), ModTime: Created, PAXRecords: f.PAX,
	}
	if h.Typeflag == 0 {
		h.Typeflag = tar.TypeReg
	}
	if h.Mode == 0 && h.Typeflag == tar.TypeDir {
		h.Mode = 0o755
	} else if h.Mode == 0 {
		h.Mode = 0o644
	}
	if len(f.PAX) > 0 {
		h.Format = tar.FormatPAX
	}
	return h
}

// Directory reads a directory tree from disk as files owned by root. Special
// files are left out.
func Directory(root string) ([]File, error) {
	var files []File
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil || rel == "." {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		f := File{Path: filepath.ToSlash(rel), Mode: unixMode(info.Mode())}
		switch {
		case d.IsDir():
			f.Type = tar.TypeDir
		case info.Mode()&fs.ModeSymlink != 0:
			f.Type = tar.TypeSymlink
			f.Link, err = os.Readlink(path)
		case info.Mode().IsRegular():
			f.Body, err = os.ReadFile(path)
		default:
			return nil
		}
		files = append(files, f)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read directory %s: %w", root, err)
	}
	return files, nil
}

func unixMode(m fs.FileMode) int64 {
	mode := int64(m.Perm())
	if m&fs.ModeSetuid != 0 {
		mode |= 0o4000
	}
	if m&fs.ModeSetgid != 0 {
		mode |= 0o2000
	}
	if m&fs.ModeSticky != 0 {
		mode |= 0o1000
	}
	return mode
}

// Layer is an image layer held in memory. Its fields may be changed to make it
// lie about itself.
type Layer struct {
	// Packed is what a registry serves, Archive the tar inside.
	Packed  []byte
	Archive []byte
	// ClaimedDigest, ClaimedDiffID and ClaimedSize are what the layer says of
	// itself; NewLayer fills them truthfully.
	ClaimedDigest v1.Hash
	ClaimedDiffID v1.Hash
	ClaimedSize   int64
	mediaType     types.MediaType
}

// NewLayer packs an archive.
func NewLayer(archive []byte, c Compression) (*Layer, error) {
	l := &Layer{Archive: archive}
	switch c {
	case Gzip:
		var buf bytes.Buffer
		w := gzip.NewWriter(&buf)
		if _, err := w.Write(archive); err != nil {
			return nil, fmt.Errorf("compress layer: %w", err)
		}
		if err := w.Close(); err != nil {
			return nil, fmt.Errorf("compress layer: %w", err)
		}
		l.Packed, l.mediaType = buf.Bytes(), types.OCILayer
	case Zstd:
		w, err := zstd.NewWriter(nil)
		if err != nil {
			return nil, fmt.Errorf("compress layer: %w", err)
		}
		l.Packed, l.mediaType = w.EncodeAll(archive, nil), types.OCILayerZStd
	case None:
		l.Packed, l.mediaType = archive, types.OCIUncompressedLayer
	default:
		return nil, fmt.Errorf("unknown compression %q", c)
	}
	l.ClaimedDigest, l.ClaimedDiffID, l.ClaimedSize = hashOf(l.Packed), hashOf(archive), int64(len(l.Packed))
	return l, nil
}

func hashOf(data []byte) v1.Hash {
	sum := sha256.Sum256(data)
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum[:])}
}

// Digest returns the claimed digest of the packed layer.
func (l *Layer) Digest() (v1.Hash, error) { return l.ClaimedDigest, nil }

// DiffID returns the claimed digest of the archive.
func (l *Layer) DiffID() (v1.Hash, error) { return l.ClaimedDiffID, nil }

// Compressed returns the packed bytes.
func (l *Layer) Compressed() (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(l.Packed)), nil
}

// Uncompressed returns the archive.
func (l *Layer) Uncompressed() (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(l.Archive)), nil
}

// Size returns the claimed size of the packed layer in bytes.
func (l *Layer) Size() (int64, error) { return l.ClaimedSize, nil }

// MediaType returns the OCI media type of the layer.
func (l *Layer) MediaType() (types.MediaType, error) { return l.mediaType, nil }
