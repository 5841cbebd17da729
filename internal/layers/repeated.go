package layers

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"math/bits"
	"path"
)

// repeated returns a problem for each path that a layer gives several times and
// not always as the same: the last entry counts, as it does for container
// runtimes, but who takes the first one sees another image. Builders repeat
// directories, and files and links as they were; that is no problem. A path
// counts as the archive gives it, whatever links lead to it.
//
// Files of the same size are compared in a second pass over the layer, which
// few layers need.
func (x *Index) repeated(ctx context.Context, layer int, entries []*Entry) ([]Problem, error) {
	if !anyRepeated(entries) {
		return nil, nil
	}
	r := repeats{last: make(map[string]*Entry, len(entries)), sums: map[int32]uint64{}}
	var order []string
	groups := map[string][]*Entry{}
	for _, e := range entries {
		if first := r.last[e.Path]; first != nil {
			if groups[e.Path] == nil {
				groups[e.Path] = append(groups[e.Path], first)
				order = append(order, e.Path)
			}
			groups[e.Path] = append(groups[e.Path], e)
		}
		r.last[e.Path] = e
	}
	for _, p := range order {
		r.want(groups[p])
	}
	var unread error
	if len(r.sums) > 0 {
		if unread = x.sum(ctx, layer, r.sums); ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	var problems []Problem
	for _, p := range order {
		reason := r.differs(groups[p], unread)
		if reason != "" {
			problems = append(problems, Problem{Path: p, Layer: layer, Kind: Repeated, Reason: reason})
		}
	}
	return problems, nil
}

// anyRepeated reports whether two entries may have the same path, for less than
// a table of all paths takes.
func anyRepeated(entries []*Entry) bool {
	seed := maphash.MakeSeed()
	// A hash is looked for from its place on; 0 is no hash, but a free place.
	mask := uint64(1)<<bits.Len(uint(len(entries)+len(entries)/2)) - 1
	table := make([]uint64, mask+1)
	for _, e := range entries {
		hash := maphash.String(seed, e.Path) | 1<<63
		place := hash & mask
		for table[place] != 0 {
			if table[place] == hash {
				return true
			}
			place = (place + 1) & mask
		}
		table[place] = hash
	}
	return false
}

// repeats compares the entries of paths that a layer gives several times.
type repeats struct {
	// last is the last entry of each path.
	last map[string]*Entry
	// sums tell contents from each other, by the order of their entries.
	sums map[int32]uint64
}

// file is the regular file whose content an entry has; nil for what is none, or
// a hard link to what the layer does not hold.
func (r *repeats) file(e *Entry) *Entry {
	for hops := 0; e != nil && e.Type == HardLink && hops < maxHops; hops++ {
		e = r.last[path.Clean("/"+e.Link)]
	}
	if e == nil || e.Type != Regular {
		return nil
	}
	return e
}

// want asks for the sums of files that differ in nothing else.
func (r *repeats) want(entries []*Entry) {
	end := r.file(entries[len(entries)-1])
	for _, e := range entries[:len(entries)-1] {
		if f := r.file(e); f != nil && end != nil && f != end && f.Size == end.Size && f.Size > 0 {
			r.sums[f.order], r.sums[end.order] = 0, 0
		}
	}
}

// differs says how an earlier entry of a path differs from the last one; empty
// when none does.
func (r *repeats) differs(entries []*Entry, unread error) string {
	last := entries[len(entries)-1]
	again := fmt.Sprintf("the layer holds it %d times", len(entries))
	for _, e := range entries[:len(entries)-1] {
		a, b := r.file(e), r.file(last)
		switch {
		case e.Type == HardLink && last.Type == HardLink && path.Clean("/"+e.Link) == path.Clean("/"+last.Link),
			last.Type == HardLink && path.Clean("/"+last.Link) == last.Path,
			a != nil && a == b:
		case a != nil && b != nil && a.Size == b.Size && (a.Size == 0 || unread == nil && r.sums[a.order] == r.sums[b.order]):
		case a != nil && b != nil && a.Size == b.Size && unread != nil:
			return fmt.Sprintf("%s, and could not be read anew to compare the contents: %v", again, unread)
		case a != nil && b != nil:
			return again + " with different content; the last one was examined"
		case e.Type == Symlink && last.Type == Symlink && e.Link != last.Link:
			return fmt.Sprintf("%s as links to different paths, %s and %s; the last one was examined", again, quote(e.Link), quote(last.Link))
		case e.Type != last.Type:
			return fmt.Sprintf("%s, as a %s and as a %s; the last one was examined", again, e.Type, last.Type)
		case e.Type == HardLink:
			return fmt.Sprintf("%s as hard links to different paths, %s and %s; the last one was examined", again, quote(e.Link), quote(last.Link))
		}
	}
	return ""
}

// sum reads a layer once more and sets the sums of the wanted files, by the order
// of their entries.
func (x *Index) sum(ctx context.Context, layer int, sums map[int32]uint64) error {
	x.rereads.Add(1)
	s, err := openStream(ctx, x.blobs[layer], x.budget)
	if err != nil {
		return err
	}
	defer s.close()
	r, seed := tar.NewReader(s.r), maphash.MakeSeed()
	left := len(sums)
	for order := int32(0); left > 0; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return errors.New("the layer changed between two passes")
		}
		if err != nil {
			return fmt.Errorf("second pass: %w", err)
		}
		var seen Entry
		if !seen.fill(h) || seen.tooDeep() || seen.isWhiteout() {
			continue
		}
		if _, wanted := sums[order]; wanted {
			var content maphash.Hash
			content.SetSeed(seed)
			if _, err := io.Copy(&content, r); err != nil {
				return fmt.Errorf("second pass: %w", err)
			}
			sums[order] = content.Sum64()
			left--
		}
		order++
	}
	return nil
}
