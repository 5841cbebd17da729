package secret

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/portcullis-ci/portcullis/internal/archive"
	"github.com/portcullis-ci/portcullis/internal/credential"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/layers"
	"github.com/portcullis-ci/portcullis/internal/wordsearch"
)

// Inspector looks for credentials in every file of every layer while the
// layers stream past. What it records holds no value.
type Inspector struct{}

// inspectorName changes with what is recorded.
const inspectorName = "secret/5"

// Name implements layers.Inspector.
func (Inspector) Name() string { return inspectorName }

// Begin implements layers.Inspector.
func (Inspector) Begin(int) layers.Inspection {
	return &inspection{scanner: credential.NewScanner(), holding: map[string]bool{}}
}

// record is what one layer holds.
type record struct {
	Matches []located `json:"matches,omitempty"`
	// More is the number of matches beyond the limit.
	More int `json:"more,omitempty"`
	// Gaps are files, or files in archives, that were not searched or not to
	// their end; MoreGaps is the number of those beyond the limit.
	Gaps     []gap `json:"gaps,omitempty"`
	MoreGaps int   `json:"moreGaps,omitempty"`
	// Files and Bytes were searched, those in archives included, after inflating.
	// Archives were looked into.
	Files    int   `json:"files"`
	Bytes    int64 `json:"bytes"`
	Archives int   `json:"archives,omitempty"`
	// Sums are the digests of files with matches, where a package of the
	// operating system may have brought the file.
	Sums []contentSums `json:"sums,omitempty"`
}

// located is a match with the file that holds it.
type located struct {
	Path string `json:"path"`
	// Packed is set when the match is in an archive or a packed file; Member is
	// its path in an archive.
	Packed bool   `json:"packed,omitempty"`
	Member string `json:"member,omitempty"`
	credential.Match
}

// full is the path with that in the archive behind it.
func (l located) full() string { return inventory.InArchive(l.Path, l.Member) }

// gap is what was not searched.
type gap struct {
	Path   string `json:"path"`
	Member string `json:"member,omitempty"`
	Reason string `json:"reason"`
	// Large files are plain ones that are larger than what is searched of a file.
	Large bool `json:"large,omitempty"`
}

const (
	// maxMatches and maxGaps bound what is recorded of a layer.
	maxMatches = 2000
	maxGaps    = 1000
)

// inspection is the search of one layer.
type inspection struct {
	scanner  *credential.Scanner
	contents contents
	path     string
	// searched is set when the current file itself is searched; packed when it is
	// an archive or packed.
	searched, packed bool
	holder
	record record
	// found is set when the current file holds a secret.
	found bool
	// holding are the files with a secret, those that are not listed included.
	holding map[string]bool
}

// holder is a file in which there may be others.
type holder struct {
	// first is the first match of the file and what is in it.
	first int
	// opened is set when files in it were seen, endless when they are in what has
	// no end as an archive has.
	opened, endless bool
}

// Withhold implements layers.Withholder.
func (i *inspection) Withhold(path string) bool { return i.holding[path] }

// File implements layers.Inspection.
func (i *inspection) File(e *layers.Entry, head []byte) bool {
	i.contents.begin(e)
	i.path, i.searched, i.packed, i.found = e.Path, false, false, false
	i.holder = holder{first: len(i.record.Matches)}
	if e.Size < least {
		return false
	}
	if i.packed = archive.Packed(head, e.Path); i.packed && !bytes.HasPrefix(head, []byte("#!")) {
		return true
	}
	i.searched = true
	i.record.Files++
	i.record.Bytes += e.Size
	i.scanner.Begin(e.Path, head)
	if e.Executable() {
		i.scanner.Tell()
	}
	i.contents.heldBy(i.scanner, e.Size)
	return true
}

// Words implements layers.Seeker.
func (Inspector) Words() []wordsearch.Word { return credential.BinaryWords() }

// Found implements layers.Told.
func (i *inspection) Found(word int, at int64) {
	if i.searched {
		i.scanner.Found(word, at)
	}
}

// least is the size below which a file holds no secret.
const least = 8

// Chunk implements layers.Inspection.
func (i *inspection) Chunk(data []byte) {
	i.contents.write(data)
	if i.searched {
		i.scanner.Write(data)
	}
}

// EndFile implements layers.Inspection.
func (i *inspection) EndFile() {
	if i.searched {
		inside := len(i.record.Matches)
		i.take(i.scanner, "", false)
		i.dropRepeated(i.holder, inside)
	}
	if i.packed || i.opened {
		i.record.Archives++
	}
	i.contents.end(i.path, i.found)
	if i.found || i.searched && i.scanner.PassedOver() {
		i.holding[i.path] = true
	}
}

// take records what a scanner found in the current file, or in a file in it.
func (i *inspection) take(scanner *credential.Scanner, member string, packed bool) {
	found, cut := scanner.End()
	i.found = i.found || len(found) > 0
	for _, m := range found {
		if len(i.record.Matches) >= maxMatches {
			i.record.More++
			continue
		}
		i.record.Matches = append(i.record.Matches, located{Path: i.path, Packed: packed, Member: member, Match: m})
	}
	if cut {
		i.gap(gap{Member: member, Reason: "it is too large: only its start was searched", Large: !packed})
	}
}

// dropRepeated leaves out what was found in a file itself, behind what was found
// in the files in it, where it was found in one of those: what is stored is not
// inflated for that. Where there is no archive, the file is the right place.
// Values without a fingerprint may be different ones.
func (i *inspection) dropRepeated(of holder, inside int) {
	type value struct {
		credential.Class
		kind, name, print string
	}
	valueOf := func(l located) value { return value{l.Class, l.Kind, l.Name, l.Fingerprint} }
	right, wrong := i.record.Matches[of.first:inside], i.record.Matches[inside:]
	if of.endless {
		right, wrong = wrong, right
	}
	known := map[value]bool{}
	for _, l := range right {
		if l.Fingerprint != "" {
			known[valueOf(l)] = true
		}
	}
	if len(known) == 0 {
		return
	}
	kept := slices.DeleteFunc(slices.Clone(wrong), func(l located) bool { return known[valueOf(l)] })
	if of.endless {
		kept = append(kept, right...)
	} else {
		kept = slices.Concat(right, kept)
	}
	i.record.Matches = append(i.record.Matches[:of.first], kept...)
}

func (i *inspection) gap(g gap) {
	if len(i.record.Gaps) >= maxGaps {
		i.record.MoreGaps++
		return
	}
	g.Path = i.path
	i.record.Gaps = append(i.record.Gaps, g)
}

// Members implements layers.Opener.
func (i *inspection) Members() archive.Visitor {
	return &members{inspection: i, in: &i.holder, scanner: credential.NewScanner()}
}

// Unread implements layers.Opener.
func (i *inspection) Unread(_ string, gaps []archive.Gap) {
	for _, g := range gaps {
		i.gap(gap{Member: g.Name, Reason: g.Reason})
	}
}

// members are the files in archives, which are searched like those of the layer.
// While one of them is, so may be what is in front of the archive.
type members struct {
	*inspection
	// in is the file in which they are.
	in       *holder
	scanner  *credential.Scanner
	member   archive.Member
	searched bool
	// holder is the file that was begun, within what takes the files in it.
	holder
	within *members
}

// File implements archive.Visitor.
func (m *members) File(member archive.Member, head []byte) {
	m.member, m.searched, m.in.opened = member, len(head) >= least, true
	m.holder = holder{first: len(m.record.Matches)}
	if m.searched {
		m.record.Files++
		m.scanner.Begin(member.Plain, head)
	}
}

// Write implements archive.Visitor.
func (m *members) Write(data []byte) {
	if m.searched {
		m.record.Bytes += int64(len(data))
		m.scanner.Write(data)
	}
}

// EndFile implements archive.Visitor, and hides that of the layer.
func (m *members) EndFile() {
	if m.searched {
		inside := len(m.record.Matches)
		m.take(m.scanner, m.member.Name, true)
		m.dropRepeated(m.holder, inside)
	}
}

// Within implements archive.Visitor.
func (m *members) Within() archive.Visitor {
	if m.within == nil {
		m.within = &members{inspection: m.inspection, in: &m.holder, scanner: credential.NewScanner()}
	}
	return m.within
}

// Endless implements archive.Visitor.
func (m *members) Endless() { m.in.endless = true }

// Result implements layers.Inspection.
func (i *inspection) Result() ([]byte, error) {
	i.record.Sums = i.contents.result()
	out, err := json.Marshal(i.record)
	if err != nil {
		return nil, fmt.Errorf("encode what was found: %w", err)
	}
	return out, nil
}
