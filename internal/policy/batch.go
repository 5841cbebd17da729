package policy

import (
	"cmp"
	"slices"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// batch are findings whose edits can be made at once.
type batch struct {
	findings []*finding.Finding
	// edits are those of the findings by path, in the order of their places,
	// equal ones once.
	edits map[string][]finding.Edit
	// tangled are the paths at which edits of one finding overlap each other, so
	// that their ends are in no order.
	tangled map[string]bool
}

// batches splits findings whose edits overlap: those cannot be made at once.
// Without edits there is one batch.
func batches(list []*finding.Finding) [][]*finding.Finding {
	var all []*batch
	for _, f := range list {
		i := slices.IndexFunc(all, func(b *batch) bool { return !slices.ContainsFunc(f.Fix.Edits, b.overlaps) })
		if i < 0 {
			i = len(all)
			all = append(all, &batch{edits: make(map[string][]finding.Edit), tangled: make(map[string]bool)})
		}
		all[i].add(f)
	}
	var out [][]*finding.Finding
	for _, b := range all {
		out = append(out, b.findings)
	}
	return out
}

func (b *batch) add(f *finding.Finding) {
	b.findings = append(b.findings, f)
	for _, e := range f.Fix.Edits {
		list := b.edits[e.Path]
		if b.overlaps(e) {
			b.tangled[e.Path] = true
		}
		if i, there := slices.BinarySearchFunc(list, e, compareEdits); !there {
			b.edits[e.Path] = slices.Insert(list, i, e)
		}
	}
}

// overlaps reports whether an edit touches the text of another one of the
// batch. Equal edits do not get in each other's way: they are made once.
func (b *batch) overlaps(e finding.Edit) bool {
	list := b.edits[e.Path]
	if b.tangled[e.Path] {
		return slices.ContainsFunc(list, func(have finding.Edit) bool { return touch(e, have) })
	}
	first, _ := slices.BinarySearchFunc(list, e, func(have, e finding.Edit) int {
		if before(e.Line, e.Column, have.EndLine, have.EndColumn) {
			return 1
		}
		return -1
	})
	for _, have := range list[first:] {
		if touch(e, have) {
			return true
		}
		if !before(have.Line, have.Column, e.EndLine, e.EndColumn) {
			break
		}
	}
	return false
}

// touch reports whether two different edits of a file touch the same text.
func touch(x, y finding.Edit) bool {
	return x != y && before(x.Line, x.Column, y.EndLine, y.EndColumn) && before(y.Line, y.Column, x.EndLine, x.EndColumn)
}

// before reports whether a place is not behind another.
func before(line, column, thanLine, thanColumn int) bool {
	return line < thanLine || line == thanLine && column <= thanColumn
}

func compareEdits(a, b finding.Edit) int {
	return cmp.Or(a.Line-b.Line, a.Column-b.Column, a.EndLine-b.EndLine, a.EndColumn-b.EndColumn, cmp.Compare(a.NewText, b.NewText))
}
