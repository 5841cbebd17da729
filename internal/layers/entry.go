package layers

import (
	"archive/tar"
	"fmt"
	"path"
	"strings"
	"sync/atomic"
)

// Type is the type of a file system entry.
type Type uint8

// The types of entries.
const (
	Regular Type = iota
	Directory
	Symlink
	HardLink
	CharDevice
	BlockDevice
	FIFO
)

// String names the type for people.
func (t Type) String() string {
	switch t {
	case Regular:
		return "file"
	case Directory:
		return "directory"
	case Symlink:
		return "link"
	case HardLink:
		return "hard link"
	case CharDevice:
		return "character device"
	case BlockDevice:
		return "block device"
	case FIFO:
		return "named pipe"
	default:
		return fmt.Sprintf("entry of type %d", uint8(t))
	}
}

// Entry is one file, directory or link of a layer. Fields are read only.
type Entry struct {
	// Path is absolute and clean: the real path inside the image.
	Path string
	// Link is the target of a link as it is written in the archive.
	Link string
	Size int64
	// Capabilities is the raw value of the extended attribute
	// security.capability, or "".
	Capabilities string
	// MIME is set for executables: application/x-executable,
	// application/x-sharedlib and so on; and for archives that are JavaArchive.
	MIME string
	// Signs tells which of Selector.Signatures occur in an executable: bit n
	// stands for the signature with the index n.
	Signs uint32
	// Mode holds the permission bits with setuid 04000, setgid 02000 and
	// sticky 01000.
	Mode uint32
	UID  int32
	GID  int32
	// Layer is the index of the layer that holds the entry; -1 for a
	// directory that no layer mentions.
	Layer int32
	Type  Type
	// shown is set when the entry is part of the squashed tree.
	shown bool
	// order is the place in the layer's archive.
	order int32
	// source is the entry whose data a hard link shares.
	source *Entry
	// content is set when it was kept.
	content atomic.Pointer[content]
}

// Executable reports whether it is a file that an operating system runs as it is.
func (e *Entry) Executable() bool { return e.MIME != "" && e.MIME != JavaArchive }

// Kept reports whether the content, or parts of it, were kept in the first pass
// or read since.
func (e *Entry) Kept() bool { return e.data().content.Load() != nil }

// Data returns the entry under whose path the content lies in the archive: that
// of the file a hard link is another name of, else the entry itself.
func (e *Entry) Data() *Entry { return e.data() }

// Name returns the last component of the path, "" for the root.
func (e *Entry) Name() string { return e.Path[strings.LastIndexByte(e.Path, '/')+1:] }

// Dir returns the path of the directory that the entry is in, the root for the
// root itself.
func (e *Entry) Dir() string {
	// The path is clean: nothing else is left to do.
	if i := strings.LastIndexByte(e.Path, '/'); i > 0 {
		return e.Path[:i]
	}
	return "/"
}

// data returns the entry that has the bytes.
func (e *Entry) data() *Entry {
	for e.source != nil {
		e = e.source
	}
	return e
}

const capabilityRecord = "SCHILY.xattr.security.capability"

// fill takes over a header. It reports false for headers that are no entries
// of the file system.
func (e *Entry) fill(h *tar.Header) bool {
	// Without the dot with which builders begin, most names are clean already,
	// which saves a copy.
	e.Path = path.Clean("/" + strings.TrimPrefix(h.Name, "./"))
	e.Link, e.Size = h.Linkname, h.Size
	e.Mode = uint32(h.Mode) & 0o7777
	e.UID, e.GID = int32(h.Uid), int32(h.Gid)
	e.Capabilities = h.PAXRecords[capabilityRecord]
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeCont, tar.TypeGNUSparse, '\x00':
		e.Type = Regular
	case tar.TypeDir:
		e.Type = Directory
	case tar.TypeSymlink:
		e.Type = Symlink
	case tar.TypeLink:
		e.Type = HardLink
	case tar.TypeChar:
		e.Type = CharDevice
	case tar.TypeBlock:
		e.Type = BlockDevice
	case tar.TypeFifo:
		e.Type = FIFO
	default:
		return false
	}
	if e.Type != Regular {
		e.Size = 0
	}
	return true
}

// climbs reports whether a name tries to leave the root.
func climbs(name string) bool {
	if !strings.Contains(name, "..") {
		return false
	}
	depth := 0
	for part := range strings.SplitSeq(name, "/") {
		switch part {
		case "", ".":
		case "..":
			depth--
			if depth < 0 {
				return true
			}
		default:
			depth++
		}
	}
	return false
}

func (e *Entry) tooDeep() bool {
	return len(e.Path) > maxDepth && strings.Count(e.Path, "/") > maxDepth
}

func (e *Entry) isWhiteout() bool { return strings.HasPrefix(e.Name(), whiteoutPrefix) }
