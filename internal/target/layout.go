package target

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// files gives access to the files of an OCI layout or docker archive by name.
type files interface {
	// file opens a regular file. A link is followed once, inside an archive.
	file(name string) (io.ReadCloser, int64, error)
}

// dirFiles reads from a directory. os.Root keeps every name inside it.
type dirFiles struct{ root *os.Root }

func (d dirFiles) file(name string) (io.ReadCloser, int64, error) {
	info, err := d.root.Lstat(name)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s is not a regular file", name)
	}
	f, err := d.root.Open(name)
	return f, info.Size(), err
}

// tarFiles reads from an uncompressed archive through an index of it.
type tarFiles struct {
	f       *os.File
	entries map[string]tarFile
}

type tarFile struct {
	offset, size int64
	regular      bool
	// link is the name inside the archive to which a link leads.
	link string
}

// maxArchiveEntries bounds the index of an archive; an image of 500 layers has
// some 2000.
const maxArchiveEntries = 100_000

// openTar indexes an archive. It takes over the file.
func openTar(f *os.File) (*tarFiles, error) {
	t := &tarFiles{f: f, entries: map[string]tarFile{}}
	head := make([]byte, 6)
	n, _ := f.ReadAt(head, 0)
	if program := unpacker(head[:n]); program != "" {
		return nil, errors.Join(&packedError{program}, f.Close())
	}
	r := tar.NewReader(f)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("read archive: %w", err), f.Close())
		}
		if len(t.entries) >= maxArchiveEntries {
			return nil, errors.Join(fmt.Errorf("read archive: more than %d entries", maxArchiveEntries), f.Close())
		}
		if err := t.add(h); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	if len(t.entries) == 0 {
		return nil, errors.Join(errors.New("the archive is empty"), f.Close())
	}
	return t, nil
}

// packedError says that an archive is compressed as a whole, so that nothing in it
// can be reached by its place.
type packedError struct{ program string }

func (e *packedError) Error() string {
	return "the archive is compressed as a whole; unpack it with " + e.program + " -d first"
}

// unpacker names the program that unpacks what begins like this.
func unpacker(head []byte) string {
	for magic, program := range map[string]string{"\x1f\x8b": "gzip", "\x28\xb5\x2f\xfd": "zstd", "BZh": "bzip2", "\xfd7zXZ\x00": "xz"} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return program
		}
	}
	return ""
}

func (t *tarFiles) add(h *tar.Header) error {
	name := path.Clean(h.Name)
	if h.Typeflag == tar.TypeDir || h.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	if !fs.ValidPath(name) {
		return fmt.Errorf("read archive: name %q points outside the archive", h.Name)
	}
	if _, twice := t.entries[name]; twice {
		return fmt.Errorf("read archive: ambiguous: it has the file %s twice", name)
	}
	at, err := t.f.Seek(0, io.SeekCurrent)
	if err != nil {
		return fmt.Errorf("read archive: %w", err)
	}
	e := tarFile{offset: at, size: h.Size, regular: h.Typeflag == tar.TypeReg && h.PAXRecords["GNU.sparse.major"] == ""}
	switch h.Typeflag {
	case tar.TypeSymlink:
		// docker save before version 25 writes a layer that occurs twice as a
		// link to the first.
		e.link = path.Join(path.Dir(name), h.Linkname)
	case tar.TypeLink:
		e.link = path.Clean(h.Linkname)
	}
	t.entries[name] = e
	return nil
}

// isLayout reports whether the archive holds an OCI layout.
func (t *tarFiles) isLayout() bool {
	_, layout := t.entries["oci-layout"]
	_, index := t.entries["index.json"]
	return layout && index
}

func (t *tarFiles) file(name string) (io.ReadCloser, int64, error) {
	e, ok := t.entries[path.Clean(name)]
	if !ok {
		return nil, 0, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	if e.link != "" {
		e = t.entries[e.link]
	}
	if !e.regular {
		return nil, 0, fmt.Errorf("%s is not a regular file", name)
	}
	return io.NopCloser(io.NewSectionReader(t.f, e.offset, e.size)), e.size, nil
}

// readFile reads a small file whole.
func readFile(f files, name string, limit int64) ([]byte, error) {
	r, _, err := f.file(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	raw, err := readAtMost(r, limit)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return raw, nil
}

// layoutStore is the blobs directory of an OCI layout.
type layoutStore struct{ files }

func (s layoutStore) open(_ context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	if err := checkDescriptor(d); err != nil {
		return nil, err
	}
	r, _, err := s.file("blobs/sha256/" + d.Digest.Hex)
	return r, err
}

func (s layoutStore) manifest(_ context.Context, d v1.Descriptor) ([]byte, error) {
	if err := checkDescriptor(d); err != nil {
		return nil, err
	}
	return readFile(s.files, "blobs/sha256/"+d.Digest.Hex, maxManifest)
}

func (o *opener) layout(ctx context.Context, ref string) ([]*Target, error) {
	dir, selector := splitPath(ref)
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open OCI layout: %w", err)
	}
	return o.openLayout(ctx, dirFiles{root}, root.Close, dir, selector)
}

func (o *opener) ociArchive(ctx context.Context, ref string) ([]*Target, error) {
	file, selector := splitPath(ref)
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("open OCI archive: %w", err)
	}
	t, err := openTar(f)
	if err == nil {
		err = checkForms(t)
	}
	if err != nil {
		return nil, fmt.Errorf("open OCI archive: %w", err)
	}
	return o.openLayout(ctx, t, f.Close, file, selector)
}

func (o *opener) openLayout(ctx context.Context, f files, done func() error, path, selector string) ([]*Target, error) {
	targets, err := o.readLayout(ctx, f, selector)
	if err != nil {
		err = fmt.Errorf("read OCI layout: %w", err)
	}
	if len(targets) == 0 {
		return nil, errors.Join(err, done())
	}
	done = lastOf(len(targets), done)
	for _, t := range targets {
		t.Name = baseName(path)
		t.closers = append(t.closers, done)
	}
	return targets, err
}

// lastOf returns a closer for each of n users of one thing: the last closes it.
func lastOf(n int, done func() error) func() error {
	var left atomic.Int64
	left.Store(int64(n))
	return func() error {
		if left.Add(-1) > 0 {
			return nil
		}
		return done()
	}
}

func (o *opener) readLayout(ctx context.Context, f files, selector string) ([]*Target, error) {
	if _, err := readFile(f, "oci-layout", 1<<16); err != nil {
		return nil, fmt.Errorf("no readable file oci-layout: %w", err)
	}
	raw, err := readFile(f, "index.json", maxManifest)
	if err != nil {
		return nil, err
	}
	if err := checkJSON(raw); err != nil {
		return nil, fmt.Errorf("index.json: %w", err)
	}
	index, err := v1.ParseIndexManifest(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("index.json: %w", err)
	}
	s := layoutStore{f}
	d, tags, err := o.pick(index.Manifests, selector)
	if errors.Is(err, errSeveralPlatforms) {
		return o.ociImages(ctx, s, document{raw: raw, digest: digestOf(raw), mediaType: ""})
	}
	if err != nil {
		return nil, err
	}
	doc, err := readManifest(ctx, s, d)
	if err != nil {
		return nil, err
	}
	targets, err := o.ociImages(ctx, s, doc)
	for _, t := range targets {
		t.Tags = tags
	}
	return targets, err
}

// errSeveralPlatforms says that index.json is itself a multi-platform index.
var errSeveralPlatforms = errors.New("several platforms")

// pick chooses among the images of a layout: by digest, by name, or the only
// one there is. An image may be listed once for each of its names, which are
// returned with it.
func (o *opener) pick(all []v1.Descriptor, selector string) (v1.Descriptor, []string, error) {
	var images []v1.Descriptor
	tags := map[v1.Hash][]string{}
	platforms, names := map[string]bool{}, map[string]bool{}
	for _, d := range all {
		if !isRunnable(d) {
			continue
		}
		if _, known := tags[d.Digest]; !known {
			images = append(images, d)
		}
		tags[d.Digest] = append(tags[d.Digest], tagsOf(d)...)
		if d.Platform != nil {
			platforms[d.Platform.String()] = true
		}
		for _, tag := range tagsOf(d) {
			names[tag] = true
		}
	}
	chosen := images
	if selector != "" {
		chosen = slices.DeleteFunc(slices.Clone(images), func(d v1.Descriptor) bool {
			return selector != "@"+d.Digest.String() && !isNamed(tags[d.Digest], strings.TrimPrefix(selector, ":"))
		})
	}
	listed := func(images []v1.Descriptor) string {
		var have []string
		for _, d := range images {
			have = append(have, strings.Join(append(slices.Clone(tags[d.Digest]), "@"+d.Digest.String()), " "))
		}
		return listing(have)
	}
	const hint = "name one of them: PATH:TAG or PATH@DIGEST"
	switch {
	case len(images) == 0:
		return v1.Descriptor{}, nil, errors.New("index.json lists no image")
	case len(chosen) == 1:
		return chosen[0], tags[chosen[0].Digest], nil
	case len(chosen) == 0:
		return v1.Descriptor{}, nil, notExamined("open image "+o.req.Reference,
			fmt.Errorf("there is no image %q, only %s", strings.TrimLeft(selector, ":@"), listed(images)), hint)
	case selector != "":
		return v1.Descriptor{}, nil, notExamined("open image "+o.req.Reference,
			fmt.Errorf("%d images are named %q: %s", len(chosen), strings.TrimLeft(selector, ":"), listed(chosen)), hint)
	case len(platforms) == len(images) && len(names) <= 1:
		return v1.Descriptor{}, nil, errSeveralPlatforms
	default:
		return v1.Descriptor{}, nil, notExamined("open image "+o.req.Reference,
			fmt.Errorf("it holds %d images: %s", len(images), listed(images)), hint)
	}
}

// isNamed reports whether an image goes by a name, as it is written or as Docker
// completes it: alpine is docker.io/library/alpine:latest.
func isNamed(tags []string, wanted string) bool {
	if slices.Contains(tags, wanted) {
		return true
	}
	ref, err := name.NewTag(wanted)
	return err == nil && slices.ContainsFunc(tags, func(tag string) bool {
		have, err := name.NewTag(tag)
		return err == nil && strings.ContainsAny(tag, "/:") && have.Name() == ref.Name()
	})
}

// tagsOf lists the names under which a layout knows an image: the annotation of
// the OCI specification and that of containerd.
func tagsOf(d v1.Descriptor) []string {
	var tags []string
	for _, key := range []string{"org.opencontainers.image.ref.name", "io.containerd.image.name"} {
		if tag := d.Annotations[key]; tag != "" && !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	return tags
}

// splitPath cuts ":TAG" or "@DIGEST" off a path, which stays whole when a file
// of that name exists.
func splitPath(ref string) (file, selector string) {
	if _, err := os.Lstat(ref); err == nil {
		return ref, ""
	}
	if i := strings.LastIndex(ref, "@sha256:"); i > 0 {
		return ref[:i], ref[i:]
	}
	// A tag may hold colons of its own (repo:tag): the path is what exists.
	for i := 1; i < len(ref); i++ {
		if ref[i] == ':' {
			if _, err := os.Lstat(ref[:i]); err == nil {
				return ref[:i], ref[i:]
			}
		}
	}
	return ref, ""
}
