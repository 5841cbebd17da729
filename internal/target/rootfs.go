package target

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/portcullis-ci/portcullis/internal/layers"
)

// OpenRootFS opens a directory that holds the root file system of a machine or
// container. It is read as one layer without digests; nothing outside the
// directory is read, wherever links lead.
func OpenRootFS(_ context.Context, dir string) (*Target, error) {
	if dir == "" {
		return nil, usage("open root file system", errors.New("no directory given"), "name a directory")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, notExamined("open root file system "+dir, err, "name a directory that can be read")
	}
	entries, err := fs.ReadDir(root.FS(), ".")
	if err == nil && len(entries) == 0 {
		err = errors.New("the directory is empty")
	}
	if err != nil {
		return nil, notExamined("open root file system "+dir, errors.Join(err, root.Close()), "name a directory that holds a root file system")
	}
	return &Target{
		Kind: RootFS, Name: baseName(dir), Path: dir, closers: []func() error{root.Close},
		Layers: []layers.Blob{{Size: -1, Open: func(ctx context.Context) (io.ReadCloser, error) { return archiveOf(ctx, root), nil }}},
	}, nil
}

// archiveOf streams a directory tree as an archive.
func archiveOf(ctx context.Context, root *os.Root) io.ReadCloser {
	r, w := io.Pipe()
	go func() {
		tw := tar.NewWriter(w)
		var device uint64
		top, err := root.Stat(".")
		if err == nil {
			device = deviceOf(top)
			err = fs.WalkDir(root.FS(), ".", func(p string, d fs.DirEntry, err error) error {
				if err == nil {
					err = ctx.Err()
				}
				if err != nil || p == "." {
					return err
				}
				return addFile(tw, root, p, d, device)
			})
		}
		w.CloseWithError(errors.Join(err, tw.Close()))
	}()
	return r
}

// addFile adds one file, or a directory without what is in it; the directories
// of a running kernel are left out with all that is below them.
func addFile(tw *tar.Writer, root *os.Root, p string, d fs.DirEntry, device uint64) error {
	info, err := d.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSocket != 0 {
		return nil
	}
	if info.IsDir() && isKernels(filepath.Join(root.Name(), p), info, device) {
		return fs.SkipDir
	}
	link := ""
	if info.Mode()&fs.ModeSymlink != 0 {
		if link, err = root.Readlink(p); err != nil {
			return err
		}
	}
	h, err := tar.FileInfoHeader(info, link)
	if err != nil {
		return fmt.Errorf("describe %s: %w", p, err)
	}
	h.Name, h.Format = path.Clean(p), tar.FormatPAX
	if err := tw.WriteHeader(h); err != nil || !info.Mode().IsRegular() {
		return err
	}
	f, err := root.Open(p)
	if err != nil {
		return err
	}
	_, err = io.CopyN(tw, f, info.Size())
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("read %s: %w", p, err)
	}
	return nil
}

// OpenSBOM opens an SBOM file. Its content is read when it is cataloged.
func OpenSBOM(_ context.Context, file string) (*Target, error) {
	if file == "" {
		return nil, usage("open SBOM", errors.New("no file given"), "name a CycloneDX, SPDX or syft JSON file")
	}
	info, err := os.Stat(file)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err == nil && info.Size() == 0 {
		err = errors.New("the file is empty")
	}
	if err != nil {
		return nil, notExamined("open SBOM "+file, err, "name a CycloneDX, SPDX or syft JSON file")
	}
	return &Target{Kind: SBOM, Name: baseName(file), Path: file}, nil
}

// StreamSBOM is OpenSBOM for an SBOM that comes from elsewhere than a file, such
// as standard input.
func StreamSBOM(name string, content io.Reader) *Target {
	return &Target{Kind: SBOM, Name: name, Path: name, Stream: content}
}
