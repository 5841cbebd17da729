package syftcatalog

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"path"
	"slices"

	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

// systemFiles are the files whose text detectors read.
var systemFiles = compileGlobs("/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow", "/etc/sudoers", "/etc/sudoers.d/*",
	"/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/*")

// maxSystemFile bounds the text of a system file; passwd of a large host has
// some 100 KiB.
const maxSystemFile = 1 << 20

func compileGlobs(patterns ...string) []glob {
	var out []glob
	for _, p := range patterns {
		out = append(out, compileGlob(p)...)
	}
	return out
}

// filesOfInterest lists what detectors have to judge: files that run with other
// rights than their caller's, that everybody may change, devices, and the text
// of account files.
func filesOfInterest(ctx context.Context, x *layers.Index) ([]inventory.File, error) {
	var out []inventory.File
	for e := range x.All() {
		f := inventory.File{
			Path: e.Path, Layer: x.DiffID(int(e.Layer)), Mode: e.Mode, UID: int(e.UID), GID: int(e.GID),
			Size: e.Size, Kind: fileKinds[e.Type], Capabilities: e.Capabilities,
		}
		text, err := systemText(ctx, x, e)
		if err != nil {
			return nil, err
		}
		f.Content = text
		if text != nil || interesting(e) {
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(a, b inventory.File) int { return cmp.Compare(a.Path, b.Path) })
	return out, nil
}

var fileKinds = map[layers.Type]inventory.FileKind{
	layers.Directory: inventory.Directory, layers.CharDevice: inventory.CharDevice, layers.BlockDevice: inventory.BlockDevice,
}

func interesting(e *layers.Entry) bool {
	switch e.Type {
	case layers.Regular:
		return e.Mode&0o6002 != 0 || e.Capabilities != ""
	case layers.Directory:
		// A sticky directory, such as /tmp, protects what others put there.
		return e.Mode&0o1002 == 0o002
	case layers.CharDevice, layers.BlockDevice:
		return true
	default:
		return false
	}
}

func systemText(ctx context.Context, x *layers.Index, e *layers.Entry) ([]byte, error) {
	if e.Type != layers.Regular || path.Dir(e.Path) == "/" {
		return nil, nil
	}
	if !slices.ContainsFunc(systemFiles, func(g glob) bool { return g.match(e.Path) }) {
		return nil, nil
	}
	r, err := x.Open(ctx, e)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", e.Path, err)
	}
	text, err := io.ReadAll(io.LimitReader(r, maxSystemFile))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", e.Path, err)
	}
	return text, nil
}
