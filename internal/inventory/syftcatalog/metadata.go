package syftcatalog

import (
	"fmt"
	"io/fs"
	"path"
	"time"

	stereofile "github.com/anchore/stereoscope/pkg/file"
	"github.com/anchore/syft/syft/file"

	"github.com/portcullis-ci/portcullis/internal/layers"
)

// FileMetadataByLocation describes a file.
func (r *resolver) FileMetadataByLocation(l file.Location) (file.Metadata, error) {
	e := r.index.Resolve(l.RealPath, false)
	if e == nil {
		return file.Metadata{}, fmt.Errorf("describe %s: %w", l.RealPath, fs.ErrNotExist)
	}
	return metadata(e), nil
}

var entryTypes = map[layers.Type]struct {
	stereo stereofile.Type
	mode   fs.FileMode
}{
	layers.Regular:     {stereofile.TypeRegular, 0},
	layers.Directory:   {stereofile.TypeDirectory, fs.ModeDir},
	layers.Symlink:     {stereofile.TypeSymLink, fs.ModeSymlink},
	layers.HardLink:    {stereofile.TypeHardLink, 0},
	layers.CharDevice:  {stereofile.TypeCharacterDevice, fs.ModeDevice | fs.ModeCharDevice},
	layers.BlockDevice: {stereofile.TypeBlockDevice, fs.ModeDevice},
	layers.FIFO:        {stereofile.TypeFIFO, fs.ModeNamedPipe},
}

func metadata(e *layers.Entry) file.Metadata {
	t := entryTypes[e.Type]
	mode := fs.FileMode(e.Mode&0o777) | t.mode
	for bit, flag := range map[uint32]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if e.Mode&bit != 0 {
			mode |= flag
		}
	}
	return file.Metadata{
		FileInfo: stereofile.ManualInfo{NameValue: path.Base(e.Path), SizeValue: e.Size, ModeValue: mode, ModTimeValue: time.Time{}},
		Path:     e.Path, LinkDestination: e.Link, UserID: int(e.UID), GroupID: int(e.GID), Type: t.stereo, MIMEType: e.MIME,
	}
}
