// Package packed is the form in which the cache keeps what was found in an
// image: Encode writes it, Decode reads it. The form is made for reading, which
// every examination of a known image has to wait for: texts are parts of what
// was read and are not copied, each field has a place of its own, where it packs
// well, and what many packages share is there once. It is not for exchange: only
// the build that wrote an entry reads it, and the cache vouches that it is whole.
package packed

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

// Schema names the form; it changes with it.
const Schema = "packed 2"

// ErrBroken is wrapped by errors about bytes that Encode did not write.
var ErrBroken = errors.New("the packed inventory is broken")

// Image is what taking stock of an image comes to, as far as it depends on
// nothing but its layers and the program.
type Image struct {
	// Inventory is without the image's description and names, which are those of
	// whoever asks.
	Inventory   inventory.Inventory
	Inspections layers.Inspections
	Stats       layers.Stats
}

// The places of the fields. Each holds numbers and texts.
const (
	// sharedTexts are texts that are referred to by their number, and shared
	// lists of them.
	sharedTexts = iota
	// packages hold what most packages have, one after the other.
	packages
	// ids are those in the usual form, as bytes.
	ids
	purls
	paths
	// names hold names and versions that a package URL does not tell, and ids of
	// another form.
	names
	owned
	digests
	// rest is all that is not about single packages and files that they own.
	rest
	places
)

// maxBody bounds the packed form in bytes, far above that of the largest image
// that can be examined.
const maxBody int64 = 1 << 31

// Encode writes an image.
func Encode(w io.Writer, img Image) error {
	e := newEncoder()
	e.packages(img.Inventory.Packages)
	e.owned(img.Inventory.Owned)
	e.removed(img.Inventory.Removed)
	e.inventory(img.Inventory)
	e.inspections(img.Inspections)
	e.stats(img.Stats)
	e.shared()
	head := make([]byte, 0, 4*binary.MaxVarintLen64*places)
	size := 0
	for _, p := range e.places {
		head = binary.AppendUvarint(head, uint64(len(p.numbers)))
		head = binary.AppendUvarint(head, uint64(len(p.texts)))
		size += len(p.numbers) + len(p.texts)
	}
	size += len(head)
	if int64(size) > maxBody {
		return fmt.Errorf("pack inventory: %d bytes, more than %d", size, maxBody)
	}
	if _, err := w.Write(append(binary.LittleEndian.AppendUint32(nil, uint32(size)), head...)); err != nil {
		return err
	}
	for _, p := range e.places {
		for _, part := range [][]byte{p.numbers, p.texts} {
			if _, err := w.Write(part); err != nil {
				return err
			}
		}
	}
	return nil
}

// Decode reads an image to the end of r. The image's texts keep all of them in
// memory. Errors wrap ErrBroken or are those of r.
func Decode(r io.Reader) (Image, error) {
	var prefix [4]byte
	if _, err := io.ReadFull(r, prefix[:]); err != nil {
		return Image{}, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	size := int64(binary.LittleEndian.Uint32(prefix[:]))
	// A size is believed as far as memory for it is nothing.
	var body strings.Builder
	body.Grow(int(min(size, 32<<20)))
	n, err := io.Copy(&body, io.LimitReader(r, size+1))
	switch {
	case err != nil:
		return Image{}, err
	case n != size:
		return Image{}, fmt.Errorf("%w: it should have %d bytes", ErrBroken, size)
	}
	d, err := newDecoder(body.String())
	if err != nil {
		return Image{}, err
	}
	return d.image()
}

func (d *decoder) image() (img Image, err error) {
	d.shared()
	img.Inventory.Packages = d.packages()
	img.Inventory.Owned = d.owned(img.Inventory.Packages)
	img.Inventory.Removed = d.removed(img.Inventory.Packages)
	d.inventory(&img.Inventory)
	img.Inspections = d.inspections()
	img.Stats = d.stats()
	if d.broken == "" && !d.done() {
		d.broken = "something is left over"
	}
	if d.broken != "" {
		return Image{}, fmt.Errorf("%w: %s", ErrBroken, d.broken)
	}
	return img, nil
}

// told finds name and version where a package URL tells them as they are.
func told(purl string) (name, version string) {
	if i := strings.IndexAny(purl, "?#"); i >= 0 {
		purl = purl[:i]
	}
	at := strings.LastIndexByte(purl, '@')
	if at < 0 {
		return "", ""
	}
	return purl[strings.LastIndexByte(purl[:at], '/')+1 : at], purl[at+1:]
}

// What a package has, in the first byte of its numbers.
const (
	hasHexID = 1 << iota
	hasPURL
	hasToldName
	hasToldVersion
	hasSource
	hasOwner
	hasVendor // or architecture, module or a guessed group
	hasOnePlace
)
