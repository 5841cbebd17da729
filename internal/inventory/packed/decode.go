package packed

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/portcullis-ci/portcullis/internal/inventory"
)

// decoder reads what an encoder wrote. After the first mistake it returns zero
// values, so that the mistake is looked for once.
type decoder struct {
	cursors [places]cursor
	texts   []string
	lists   [][]string
	// made are texts that are not there as they are.
	made   room
	broken string
}

// cursor reads one place from its front.
type cursor struct {
	numbers, texts string
	d              *decoder
}

func newDecoder(body string) (*decoder, error) {
	d := &decoder{}
	head := cursor{numbers: body, d: d}
	var sizes [2 * places]int
	for i := range sizes {
		sizes[i] = head.size(len(body))
	}
	body = head.numbers
	for i := range d.cursors {
		c := &d.cursors[i]
		c.d = d
		for j, part := range []*string{&c.numbers, &c.texts} {
			n := sizes[2*i+j]
			if n > len(body) {
				return nil, fmt.Errorf("%w: a part of %d bytes is cut off", ErrBroken, n)
			}
			*part, body = body[:n], body[n:]
		}
	}
	if d.broken != "" || body != "" {
		return nil, fmt.Errorf("%w: its parts do not make the whole", ErrBroken)
	}
	return d, nil
}

// done reports whether everything was read.
func (d *decoder) done() bool {
	for _, c := range d.cursors {
		if c.numbers != "" || c.texts != "" {
			return false
		}
	}
	return true
}

// fail keeps the first mistake and leaves nothing to be read.
func (d *decoder) fail(what string) {
	if d.broken == "" {
		d.broken = what
	}
	for i := range d.cursors {
		d.cursors[i].numbers, d.cursors[i].texts = "", ""
	}
}

func (c *cursor) byte() byte {
	if c.numbers == "" {
		c.d.fail("a number is cut off")
		return 0
	}
	b := c.numbers[0]
	c.numbers = c.numbers[1:]
	return b
}

func (c *cursor) uint() uint64 {
	if c.numbers != "" && c.numbers[0] < 0x80 {
		v := c.numbers[0]
		c.numbers = c.numbers[1:]
		return uint64(v)
	}
	return c.long()
}

// long reads a number of several bytes.
func (c *cursor) long() uint64 {
	var v uint64
	for i := 0; i < len(c.numbers) && i < binary.MaxVarintLen64; i++ {
		b := c.numbers[i]
		if i == binary.MaxVarintLen64-1 && b > 1 {
			break
		}
		v |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			c.numbers = c.numbers[i+1:]
			return v
		}
	}
	c.d.fail("a number is cut off")
	return 0
}

func (c *cursor) int() int64 {
	v := c.uint()
	return int64(v>>1) ^ -int64(v&1)
}

// size reads a number that is at most limit.
func (c *cursor) size(limit int) int {
	n := c.uint()
	if n > uint64(limit) {
		c.d.fail("a number is too large")
		return 0
	}
	return int(n)
}

// take cuts n bytes off the texts.
func (c *cursor) take(n int) string {
	if n > len(c.texts) {
		c.d.fail("a text is cut off")
		return ""
	}
	s := c.texts[:n]
	c.texts = c.texts[n:]
	return s
}

func (c *cursor) text() string { return c.take(c.size(math.MaxInt32)) }

func (c *cursor) flag() bool { return c.byte() != 0 }

// count reads how many things a list has, and whether there is a list. Each has
// at least one byte among the numbers.
func (c *cursor) count() (n int, isList bool) {
	n = c.size(len(c.numbers)) - 1
	return max(n, 0), n >= 0
}

func (c *cursor) strings() []string {
	n, ok := c.count()
	if !ok {
		return nil
	}
	list := make([]string, 0, n)
	for range n {
		list = append(list, c.text())
	}
	return list
}

// spot reads a place in the image.
func (c *cursor) spot() inventory.Place {
	return inventory.Place{Path: c.text(), Layer: c.text()}
}

// shared reads the shared texts and lists.
func (d *decoder) shared() {
	c := &d.cursors[sharedTexts]
	n := c.size(len(c.numbers))
	d.texts = make([]string, 1, n+1)
	for range n {
		d.texts = append(d.texts, c.text())
	}
	n = c.size(len(c.numbers))
	d.lists = make([][]string, 1, n+1)
	for range n {
		list := make([]string, 0, c.size(len(c.numbers)))
		for range cap(list) {
			list = append(list, d.refer(c))
		}
		d.lists = append(d.lists, list)
	}
}

func (d *decoder) refer(c *cursor) string {
	n := c.uint()
	if n >= uint64(len(d.texts)) {
		d.fail("there is no such text")
		return ""
	}
	return d.texts[n]
}

func (d *decoder) referList(c *cursor) []string {
	n := c.uint()
	if n >= uint64(len(d.lists)) {
		d.fail("there is no such list")
		return nil
	}
	return d.lists[n]
}

func (d *decoder) packages() []inventory.Package {
	n, ok := d.cursors[packages].count()
	if !ok {
		return nil
	}
	list := make([]inventory.Package, n)
	// All at once: most packages have one place.
	spots := make([]inventory.Place, min(n, len(d.cursors[paths].numbers)))
	d.cursors[ids].texts = new(room).digits("", d.cursors[ids].texts)
	var owners []ownership
	for i := range list {
		if owner := d.pkg(&list[i], n, &spots); owner >= 0 {
			owners = append(owners, ownership{i, owner})
		}
		if d.broken != "" {
			return nil
		}
	}
	for _, o := range owners {
		list[o.owned].Owner = list[o.owner].ID
	}
	return list
}

// ownership says by their numbers which package owns another.
type ownership struct{ owned, owner int }

// pkg reads one of n packages and returns the number of its owner, or -1.
func (d *decoder) pkg(p *inventory.Package, n int, spots *[]inventory.Place) (owner int) {
	c := &d.cursors[packages]
	has := c.byte()
	p.Type = d.refer(c)
	p.Layer = d.refer(c)
	p.Licenses = d.referList(c)
	if has&hasVendor != 0 {
		p.Vendor, p.Architecture, p.Module = d.refer(c), d.refer(c), d.refer(c)
		p.GuessedGroup = c.flag()
	}
	if has&hasSource != 0 {
		p.Source = &inventory.Source{Name: d.refer(c), Version: d.refer(c)}
	}
	owner = -1
	if has&hasOwner != 0 {
		owner = c.size(n - 1)
	}
	if has&hasHexID != 0 {
		p.ID = d.cursors[ids].take(2 * rawIDSize)
	} else {
		p.ID = d.cursors[names].text()
	}
	var name, version string
	if has&hasPURL != 0 {
		p.PURL = d.cursors[purls].text()
		name, version = told(p.PURL)
	}
	if has&hasToldName == 0 {
		name = d.cursors[names].text()
	}
	if has&hasToldVersion == 0 {
		version = d.cursors[names].text()
	}
	p.Name, p.Version = name, version
	p.Places = d.spotsOf(c, has&hasOnePlace != 0, spots)
	return owner
}

// spotsOf reads the places of a package.
func (d *decoder) spotsOf(c *cursor, one bool, spots *[]inventory.Place) []inventory.Place {
	n, ok := 1, true
	if !one {
		n, ok = c.count()
	}
	if !ok || d.broken != "" {
		return nil
	}
	if n > len(*spots) {
		*spots = make([]inventory.Place, max(n, 64))
	}
	list := (*spots)[:n:n]
	*spots = (*spots)[n:]
	for j := range list {
		list[j] = inventory.Place{Layer: d.refer(c), Path: d.cursors[paths].text()}
	}
	return list
}
