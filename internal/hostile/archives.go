package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
)

// sbomHolds runs the program and looks into the SBOM that it wrote.
func sbomHolds(want, not string) func(ctx context.Context, h *harness, s *scene, args []string) (*outcome, error) {
	return func(ctx context.Context, h *harness, s *scene, args []string) (*outcome, error) {
		o, err := h.start(ctx, s, args)
		if err != nil {
			return nil, err
		}
		sbom, err := os.ReadFile(s.path("sbom.json"))
		if err != nil {
			o.blame("no SBOM: %v", err)
		}
		if !bytes.Contains(sbom, []byte(`"`+want+`"`)) {
			o.blame("the SBOM lacks %s", want)
		}
		if not != "" && bytes.Contains(sbom, []byte(`"`+not+`"`)) {
			o.blame("the SBOM holds %s", not)
		}
		return o, nil
	}
}

// noise does not compress.
func noise(n int) []byte {
	out, r := make([]byte, n), rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(out)
	return out
}

func plainTar(files ...imagetest.File) []byte {
	archive, err := imagetest.Tar(files...)
	if err != nil {
		panic(err) // Only files made here are packed.
	}
	return archive
}

// archiveCases are rows 19 to 37: how layers are packed, and what they say of
// themselves.
func archiveCases() []hostileCase {
	small := plainTar(imagetest.Text("app/a", "a"))
	broken := func(row, name string, archive func() []byte) hostileCase {
		return hostileCase{row: row, name: name, exits: refused, says: "layer 1", prepare: oneLayer(func() layer { return archived(archive()) })}
	}
	lying := func(row, name, says string, lie func(l *layer)) hostileCase {
		return hostileCase{row: row, name: name, exits: refused, says: says, prepare: oneLayer(func() layer {
			l := archived(small)
			lie(&l)
			return l
		})}
	}
	return []hostileCase{
		{row: "19", name: "gzip-bomb", exits: refused, says: "limit reached", seconds: 60, megabytes: 768, prepare: oneLayer(func() layer {
			return packed(gzipLayer, append(gz(header("zeros", 4<<30, nil)), bytes.Repeat(gz(make([]byte, 1<<20)), 4096)...))
		})},
		{row: "20", name: "zstd-bomb", exits: refused, says: "limit reached", seconds: 60, megabytes: 768, prepare: oneLayer(func() layer {
			var b bytes.Buffer
			w, _ := zstd.NewWriter(&b)
			_, _ = w.Write(header("zeros", 4<<30, nil))
			_, _ = io.CopyN(w, zeros{}, 4<<30)
			_ = w.Close()
			return packed(zstdLayer, b.Bytes())
		})},
		{row: "21", name: "zstd-window", exits: refused, says: "window", seconds: 60, prepare: oneLayer(func() layer {
			return packed(zstdLayer, []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xff, 0x01, 0x00, 0x00})
		})},
		{row: "22", name: "gzip-empty-members", exits: passed, seconds: 60, prepare: oneLayer(func() layer {
			l := packed(gzipLayer, append(gz(small), bytes.Repeat(gz(nil), 1_000_000)...))
			l.diffID = digestOf(small)
			return l
		})},
		{row: "22", name: "gzip-empty-blocks", exits: passed, seconds: 20, prepare: oneLayer(func() layer {
			// Four blocks of the fixed code in which nothing is, of ten bits each.
			empty := []byte{0x02, 0x08, 0x20, 0x80, 0x00}
			whole := gz(small)
			l := packed(gzipLayer, slices.Concat(whole[:10], bytes.Repeat(empty, 10_000_000), whole[10:]))
			l.diffID = digestOf(small)
			return l
		})},
		{row: "23", name: "gzip-truncated", exits: refused, says: "layer 1", prepare: oneLayer(func() layer {
			whole := gz(plainTar(imagetest.File{Path: "a", Body: noise(100_000)}))
			return packed(gzipLayer, whole[:len(whole)/2])
		})},
		broken("24", "tar-truncated", func() []byte { return plainTar(imagetest.File{Path: "a", Body: noise(100_000)})[:50_000] }),
		{row: "25", name: "gzip-trailing", exits: refused, says: "layer 1", prepare: oneLayer(func() layer {
			l := packed(gzipLayer, append(gz(small), []byte("garbage behind the last member")...))
			l.diffID = digestOf(small)
			return l
		})},
		broken("26", "layer-not-tar", func() []byte { return []byte(strings.Repeat("this is no archive ", 1000)) }),
		{row: "27", name: "tar-after-end", exits: []int{1}, says: "data follows the end", prepare: oneLayer(func() layer {
			return archived(slices.Concat(small, plainTar(imagetest.Text("app/hidden", "x"))))
		})},
		broken("28", "sparse-gnu-old", func() []byte {
			return append(header("s", 0, func(h []byte) {
				h[156] = 'S'
				copy(h[257:265], "ustar  \x00")
				h[483] = 0x80
				binary.BigEndian.PutUint64(h[487:495], 1<<63-1)
			}), trailer...)
		}),
		broken("29", "sparse-pax-map", func() []byte {
			return slices.Concat(pax(record("GNU.sparse.major", "1")+record("GNU.sparse.minor", "0")+record("GNU.sparse.realsize", "9223372036854775807")+record("GNU.sparse.name", "s")),
				header("s", 512*2000, nil), padded([]byte("999999999\n" + strings.Repeat("0\n1\n", 300_000)))[:512*2000], trailer)
		}),
		broken("30", "pax-bomb", func() []byte {
			return slices.Concat(pax(record("comment", strings.Repeat("x", 256<<20))), header("s", 0, nil), trailer)
		}),
		broken("31", "tar-bad-sizes", func() []byte {
			return append(header("s", 0, func(h []byte) {
				h[124] = 0x80
				binary.BigEndian.PutUint64(h[128:136], 1<<63-1)
			}), trailer...)
		}),
		{row: "32", name: "pax-size-differential", exits: []int{1, 4}, says: "two sizes", prepare: oneLayer(func() layer {
			return archived(slices.Concat(pax(record("size", "512")), header("outer", 0, nil), header("smuggled", 0, nil), trailer))
		})},
		lying("33", "layer-digest-mismatch", "digest", func(l *layer) { l.digest = digestOf([]byte("another")) }),
		lying("34", "layer-size-mismatch", "size|bytes", func(l *layer) { l.size += 10 }),
		lying("35", "diff-id-mismatch", "diff", func(l *layer) { l.diffID = digestOf([]byte("another")) }),
		{row: "36", name: "diff-id-count", exits: refused, says: "diff", prepare: func(s *scene) ([]string, error) {
			under, err := layerOf(base()...)
			if err != nil {
				return nil, err
			}
			l := newLayout(s.path("image"))
			image, err := l.finish(l.manifest(config(under), under, archived(small)))
			return s.gate(image), err
		}},
		{row: "37", name: "config-digest-mismatch", exits: refused, says: "config", prepare: func(s *scene) ([]string, error) {
			under, err := layerOf(base()...)
			if err != nil {
				return nil, err
			}
			l := newLayout(s.path("image"))
			m := l.manifest(config(under), under)
			other := config(under)
			other["author"] = "another"
			d := m["config"].(document)
			l.blob(fmt.Sprint(d["digest"]), marshal(other))
			image, err := l.finish(m)
			return s.gate(image), err
		}},
	}
}

// zeros is an endless source of zeros.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
