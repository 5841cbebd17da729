package packed

import (
	"encoding/binary"

	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

func (d *decoder) owned(list []inventory.Package) map[string]inventory.OwnedFile {
	c := &d.cursors[owned]
	n, ok := c.count()
	if !ok {
		return nil
	}
	files := make(map[string]inventory.OwnedFile, n)
	path := ""
	for range n {
		path = c.path(path)
		f := inventory.OwnedFile{Package: d.owner(c, list)}
		f.Layer, f.Config, f.Digest = int(c.int()), c.flag(), d.digest()
		if d.broken != "" {
			return nil
		}
		files[path] = f
	}
	return files
}

// removed reads the files of packages that are there no more.
func (d *decoder) removed(list []inventory.Package) map[string]string {
	c := &d.cursors[owned]
	n, ok := c.count()
	if !ok {
		return nil
	}
	files := make(map[string]string, n)
	path := ""
	for range n {
		path = c.path(path)
		files[path] = d.owner(c, list)
		if d.broken != "" {
			return nil
		}
	}
	return files
}

// path reads a path after the one before.
func (c *cursor) path(before string) string {
	shared := c.size(len(before))
	return c.d.made.join(before[:shared], c.text())
}

// owner reads which of the packages it is, or what is no package's id.
func (d *decoder) owner(c *cursor, list []inventory.Package) string {
	if n := c.size(len(list)); n > 0 {
		return list[n-1].ID
	}
	return d.refer(c)
}

func (d *decoder) digest() string {
	c := &d.cursors[digests]
	kind := int(c.byte())
	if kind == 0 || kind >= len(algorithms) {
		return d.refer(c)
	}
	a := algorithms[kind]
	return d.made.digits(a.prefix, c.take(a.size))
}

// inventory reads all but packages and the files that they own.
func (d *decoder) inventory(inv *inventory.Inventory) {
	c := &d.cursors[rest]
	if c.flag() {
		inv.Distro = &inventory.Distro{
			ID: c.text(), IDLike: c.strings(), Name: c.text(), PrettyName: c.text(), Version: c.text(), Codename: c.text(), CPE: c.text(),
			ContentSets: c.strings(), Place: c.spot(),
		}
	}
	inv.Files = listOf(c, func() (f inventory.File) {
		f.Path, f.Layer = c.text(), d.refer(c)
		f.Mode, f.UID, f.GID, f.Size = uint32(c.uint()), int(c.int()), int(c.int()), c.int()
		f.Kind, f.Capabilities = inventory.FileKind(d.refer(c)), c.text()
		f.Content = c.bytes()
		return f
	})
	inv.Caches = listOf(c, func() inventory.Cache {
		return inventory.Cache{Tool: c.text(), Path: c.text(), Layer: d.refer(c), Files: int(c.int()), Size: c.int()}
	})
	inv.GoBinaries = listOf(c, func() inventory.GoBinary {
		return inventory.GoBinary{Path: c.text(), Main: c.text(), Unknown: c.text(), Functions: c.marks()}
	})
	inv.Unreadable = listOf(c, func() inventory.Unreadable {
		return inventory.Unreadable{Path: c.text(), Reason: c.text()}
	})
	inv.Ambiguous = listOf(c, func() inventory.Ambiguous {
		return inventory.Ambiguous{Place: c.spot(), Reason: c.text(), Repeated: c.flag()}
	})
	inv.SourcesUnknown = c.flag()
	inv.Restored = listOf(c, c.spot)
}

// listOf reads a list, nil where there is none.
func listOf[T any](c *cursor, read func() T) []T {
	n, ok := c.count()
	if !ok {
		return nil
	}
	list := make([]T, 0, n)
	for range n {
		if c.d.broken != "" {
			return nil
		}
		list = append(list, read())
	}
	return list
}

// bytes reads what may be no bytes at all, or none.
func (c *cursor) bytes() []byte {
	if !c.flag() {
		return nil
	}
	return []byte(c.text())
}

// marks reads the functions of a program.
func (c *cursor) marks() []uint64 {
	known, n := c.flag(), c.size(len(c.texts)/8)
	if !known {
		return nil
	}
	raw := []byte(c.take(8 * n))
	list := make([]uint64, len(raw)/8)
	for i := range list {
		list[i] = binary.LittleEndian.Uint64(raw[8*i:])
	}
	return list
}

func (d *decoder) inspections() (i layers.Inspections) {
	c := &d.cursors[rest]
	i.Layers = int(c.int())
	if n, ok := c.count(); ok {
		i.Results = make(map[string][][]byte, n)
		for range n {
			name := c.text()
			i.Results[name] = listOf(c, c.bytes)
		}
	}
	i.Hidden = listOf(c, func() map[string]bool {
		n, ok := c.count()
		if !ok {
			return nil
		}
		hidden := make(map[string]bool, n)
		for range n {
			path := c.text()
			hidden[path] = c.flag()
		}
		return hidden
	})
	return i
}

func (d *decoder) stats() (s layers.Stats) {
	for _, n := range []*int64{&s.Inflated, &s.Files, &s.KeptInMemory, &s.Spilled, &s.Rereads, &s.Cached} {
		*n = d.cursors[rest].int()
	}
	return s
}
