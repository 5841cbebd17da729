package syftcatalog

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

// readFiles are the files whose text detectors read: system files, and files
// in which programs keep credentials.
var readFiles = newGlobSet(compileGlobs(slices.Concat(systemFiles, credentialFiles)...))

var systemFiles = []string{
	"/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow", "/etc/sudoers", "/etc/sudoers.d/*", "/etc/doas.conf", "/etc/doas.d/*.conf",
	"/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/*", "/etc/ssh/ssh_host_*_key",
}

var credentialFiles = []string{
	"**/.ssh/id_*", "**/.ssh/authorized_keys", "**/.aws/credentials", "**/.docker/config.json", "**/.git-credentials",
	"**/.netrc", "**/.pgpass", "**/.npmrc", "**/.pypirc", "**/.kube/config",
}

const (
	// maxText bounds the text of one file; passwd of a large host has some
	// 100 KiB.
	maxText = 1 << 20
	// maxTexts bounds the text of all files together.
	maxTexts = 32 << 20
)

func compileGlobs(patterns ...string) []glob {
	var out []glob
	for _, p := range patterns {
		out = append(out, compileGlob(p)...)
	}
	return out
}

// stock is what one walk over the tree of files comes to.
type stock struct {
	files      []inventory.File
	caches     []inventory.Cache
	unreadable []inventory.Unreadable
}

// filesOfInterest lists what detectors have to judge: files that run with other
// rights than their caller's, that everybody may change, devices, programs with a
// role, and the text of account and credential files; and the caches of package
// managers. What could not be read is listed apart.
func filesOfInterest(ctx context.Context, x *layers.Index) (s stock, err error) {
	left, programs, caches := int64(maxTexts), programs{index: x}, caches{index: x}
	for e := range x.All() {
		var content []byte
		if isText(e) {
			if left -= min(e.Size, maxText); left < 0 || e.Size > maxText {
				s.unreadable = append(s.unreadable, inventory.Unreadable{Path: e.Path, Reason: "too large to be searched for accounts or credentials"})
			}
			if left > 0 {
				if content, err = text(ctx, x, e); err != nil {
					return stock{}, err
				}
			}
		}
		caches.add(e)
		programs.add(e)
		if content != nil || interesting(e) {
			f := fileOf(x, e)
			f.Content = content
			s.files = append(s.files, f)
		}
	}
	for _, e := range programs.all() {
		if !interesting(e) {
			s.files = append(s.files, fileOf(x, e))
		}
	}
	s.caches = caches.all()
	slices.SortFunc(s.files, func(a, b inventory.File) int { return cmp.Compare(a.Path, b.Path) })
	return s, nil
}

func fileOf(x *layers.Index, e *layers.Entry) inventory.File {
	return inventory.File{
		Path: e.Path, Layer: x.DiffID(int(e.Layer)), Mode: e.Mode, UID: int(e.UID), GID: int(e.GID),
		Size: e.Size, Kind: fileKinds[e.Type], Capabilities: e.Capabilities,
	}
}

var fileKinds = map[layers.Type]inventory.FileKind{
	layers.Symlink: inventory.Link, layers.Directory: inventory.Directory, layers.CharDevice: inventory.CharDevice, layers.BlockDevice: inventory.BlockDevice,
}

func interesting(e *layers.Entry) bool {
	switch e.Type {
	case layers.Regular:
		return e.Mode&0o6002 != 0 || e.Capabilities != ""
	case layers.Directory:
		// A sticky directory, such as /tmp, protects what others put there, and
		// not who looks for commands in it.
		return e.Mode&0o002 != 0
	case layers.CharDevice, layers.BlockDevice:
		return true
	default:
		return false
	}
}

func isText(e *layers.Entry) bool {
	return e.Type == layers.Regular && readFiles.match(e.Path)
}

func text(ctx context.Context, x *layers.Index, e *layers.Entry) ([]byte, error) {
	r, err := x.Open(ctx, e)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", e.Path, err)
	}
	data, err := io.ReadAll(io.LimitReader(r, maxText))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", e.Path, err)
	}
	return data, nil
}
