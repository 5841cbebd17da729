// Package layers reads the layers of a container image in one streaming pass:
// each layer is inflated once, verified to the end of the stream, and indexed;
// the contents that somebody asked for beforehand are kept under a memory
// budget, and nothing is unpacked to disk. The main type is Index, the
// squashed file tree with whiteouts applied.
//
// It is not for finding layers (package target) or for understanding what is
// in the files (package syftcatalog and the detectors).
package layers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/portcullis-ci/portcullis/internal/recovered"
)

// Blob is one layer as it is transported.
type Blob struct {
	// DiffID is the SHA-256 digest (sha256:…) of the inflated layer, from the
	// image configuration. It is verified unless empty.
	DiffID string
	// Digest is the SHA-256 digest of the bytes that Open returns; verified
	// unless empty, which it is where the transport has none (docker archive).
	Digest string
	// Size is the number of bytes that Open returns, -1 when unknown. It is
	// verified.
	Size int64
	// MediaType is the manifest's word for the layer; the compression is found
	// out by looking at the bytes.
	MediaType string
	// Open returns the layer from its start. It is called once, and again for
	// each second pass over the layer.
	Open func(ctx context.Context) (io.ReadCloser, error)
}

// Limits bound what reading an image may cost. A limit that is reached is a
// *LimitError. Zero fields mean the default.
type Limits struct {
	// ImageSize is the number of bytes of all layers together after
	// inflating, holes of sparse files included. Default 64 GiB.
	ImageSize int64
	// Files is the number of entries of all layers together. Default 2 million.
	Files int
	// Memory is the number of bytes of kept contents that stay in memory; what
	// is beyond goes to an unlinked temporary file. Default 192 MiB.
	Memory int64
	// Spill is the number of bytes of that temporary file. Default 8 GiB.
	Spill int64
	// Layers is the number of layers. Default 500.
	Layers int
	// RatioFrom is the number of bytes of a layer up to which it may inflate
	// whatever its packed size; above, it is a bomb when it is more than 200
	// times larger than what was read. Real layers reach 20 to 60, files of
	// zeros 1000 and more. Default 1 GiB.
	RatioFrom int64
	// TempDir is where the temporary file is made; the default is that of the
	// operating system.
	TempDir string
}

const (
	kib = 1 << 10
	mib = 1 << 20
	gib = 1 << 30
)

// WithDefaults returns the limits with zero fields replaced by defaults.
func (l Limits) WithDefaults() Limits {
	l.ImageSize = cmp.Or(l.ImageSize, 64*gib)
	l.Files = cmp.Or(l.Files, 2_000_000)
	l.Memory = cmp.Or(l.Memory, 192*mib)
	l.Spill = cmp.Or(l.Spill, 8*gib)
	l.Layers = cmp.Or(l.Layers, 500)
	l.RatioFrom = cmp.Or(l.RatioFrom, gib)
	return l
}

// LimitError says that a limit was reached.
type LimitError struct {
	// Limit names the limit in words; Value is its value.
	Limit string
	Value int64
	// Field is the field of Limits that raises it, or "" for a fixed limit.
	Field string
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("limit reached: %s (%d)", e.Limit, e.Value)
}

// Selector says which contents are kept during the pass. The zero Selector
// keeps none.
type Selector struct {
	// Keep is asked with the name of each regular file. It is called from
	// several goroutines. Files that are a JavaArchive are kept in any case.
	Keep func(path string, mode uint32, size int64) bool
	// Signatures: an executable (ELF, Mach-O, PE) is also kept when one of
	// these occurs in it; see Entry.Signs. There are at most 32.
	Signatures []Signature
	// Parts chooses what is kept of executables that are kept for a signature;
	// nil for all of it.
	Parts Parts
	// Inspectors look at the contents of all files while they stream past.
	Inspectors []Inspector
	// Cache keeps what passes over layers leave behind: entries, kept contents,
	// results of inspectors. A layer that it has is not read. It may be nil.
	Cache Cache
	// Version identifies what Keep, Signatures and Parts select and the program
	// that reads; without it the cache is not used.
	Version string
}

// Cache holds entries by key. It is safe for concurrent use.
type Cache interface {
	// Get has read take in an entry to its end, and reports whether it was
	// there and whole.
	Get(key string, read func(io.Reader) error) bool
	// Put keeps an entry if it can.
	Put(key string, write func(io.Writer) error)
}

// Problem is something about a layer that is not as it should be and may hide
// a file from the reader.
type Problem struct {
	// Path is absolute inside the image.
	Path string
	// Layer is the index of the layer.
	Layer  int
	Kind   ProblemKind
	Reason string
}

// ProblemKind says what a problem means for what was read.
type ProblemKind uint8

const (
	// Odd entries were read, or have nothing to read; other readers may make
	// something else of them.
	Odd ProblemKind = iota
	// Lost entries have no content in the index.
	Lost
	// Repeated paths stand several times in a layer and are not always the same;
	// the last one is in the index.
	Repeated
)

// Read reads all layers, bottom layer first in blobs, and returns their index.
// Every layer is read to its end and its size and digests are verified; any
// mismatch, broken archive or reached limit is an error. The caller closes the
// index.
//
// When a limit was reached, Read returns an index together with the
// *LimitError: it holds what was read until then, which nobody verified and
// which is not the image. It is there for reports that say more than that a
// limit was reached.
func Read(ctx context.Context, blobs []Blob, sel Selector, limits Limits) (*Index, error) {
	limits = limits.WithDefaults()
	if len(blobs) > limits.Layers {
		return nil, &LimitError{Limit: "number of layers", Value: int64(limits.Layers), Field: "Layers"}
	}
	x := &Index{
		blobs: blobs, selector: sel,
		store: newStore(limits), budget: &budget{limits: limits},
		layers: make([]layer, len(blobs)), sought: sync.OnceValue(func() *sought { return newSought(sel) }),
		holding: semaphore.NewWeighted(limits.Memory),
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, i := range largestFirst(blobs) {
		group.Go(func() (err error) {
			// Decoders and inspectors work on what an attacker may have written.
			defer recovered.As(&err, fmt.Sprintf("read layer %d (%s)", i, x.LayerName(i)))
			if x.layers[i], err = x.layer(ctx, i); err != nil {
				return fmt.Errorf("read layer %d (%s): %w", i, x.LayerName(i), err)
			}
			return nil
		})
	}
	err := group.Wait()
	x.pieces.drop()
	var limit *LimitError
	if err == nil || errors.As(err, &limit) {
		err = errors.Join(err, x.squash())
	}
	if err != nil && limit == nil {
		_ = x.Close()
		return nil, err
	}
	return x, err
}

// largestFirst orders layers so that the longest job starts first.
func largestFirst(blobs []Blob) []int {
	order := make([]int, len(blobs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(blobs[b].Size, blobs[a].Size) })
	return order
}

// LayerName names a layer for messages: its diff id, else its digest, else its
// place.
func (x *Index) LayerName(i int) string {
	if i < 0 || i >= len(x.blobs) {
		return "no layer"
	}
	return cmp.Or(x.blobs[i].DiffID, x.blobs[i].Digest, fmt.Sprintf("layer %d", i))
}

// DiffID returns the diff id of a layer, or "" where there is none.
func (x *Index) DiffID(i int) string {
	if i < 0 || i >= len(x.blobs) {
		return ""
	}
	return x.blobs[i].DiffID
}
