package main

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/klauspost/compress/gzip"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
)

// image is one that is examined.
type image struct {
	name   string
	layout string
}

// part is a directory that becomes one layer below a path of the image.
type part struct {
	name, at string
	make     func(ctx context.Context, dir string) error
}

// realImages are built from what people put into images.
func (b *bench) realImages(ctx context.Context) []image {
	parts := []part{
		{"debian", "/", b.debian()},
		{"go", "/opt/bin", b.goPrograms},
		{"npm", "/srv/app", npmApplication},
	}
	if b.large {
		parts = append(parts, part{"packages", "/", b.debian(
			"build-essential", "default-jre-headless", "nodejs", "python3", "ruby", "git", "imagemagick", "postgresql-client", "maven", "ruby-rails")})
	}
	var layers []string
	var images []image
	for _, p := range parts {
		file, err := b.layerOf(ctx, p)
		if err != nil {
			b.skip("layer %s: %v", p.name, err)
			continue
		}
		layers = append(layers, file)
		name := "Debian"
		if len(images) > 0 {
			name = images[len(images)-1].name + " + " + p.name
		}
		images = append(images, b.pack(name, layers...))
	}
	return images
}

// layerOf builds the packed layer of a part, unless it is there.
func (b *bench) layerOf(ctx context.Context, p part) (string, error) {
	file := filepath.Join(b.dir, p.name+".tar.gz")
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	dir, err := os.MkdirTemp(b.dir, p.name+"-*")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := p.make(ctx, dir); err != nil {
		return "", err
	}
	return file, writeLayer(file, func(w *tar.Writer) error { return addTree(w, dir, p.at) })
}

// writeLayer packs an archive, whole or not at all.
func writeLayer(file string, fill func(*tar.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(file), "layer-*")
	if err != nil {
		return err
	}
	z := gzip.NewWriter(f)
	w := tar.NewWriter(z)
	if err := errors.Join(fill(w), w.Close(), z.Close(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), file)
}

func addTree(w *tar.Writer, dir, at string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil || info.Mode()&(fs.ModeSocket|fs.ModeDevice) != 0 {
			return err
		}
		link := ""
		if info.Mode()&fs.ModeSymlink != 0 {
			if link, err = os.Readlink(path); err != nil {
				return err
			}
		}
		h, err := tar.FileInfoHeader(info, link)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		h.Name = filepath.ToSlash(filepath.Join(at, rel))[1:]
		if h.Name == "" {
			return nil
		}
		if err := w.WriteHeader(h); err != nil || !info.Mode().IsRegular() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		_, err = io.Copy(w, f)
		return errors.Join(err, f.Close())
	})
}

// pack makes an OCI layout of layers.
func (b *bench) pack(name string, layers ...string) image {
	out := image{name: name, layout: filepath.Join(b.dir, fmt.Sprintf("image-%x", sha256.Sum256([]byte(fmt.Sprint(layers))))[:len(b.dir)+15])}
	if _, err := os.Stat(out.layout); err == nil {
		return out
	}
	img := empty.Image
	cf, err := img.ConfigFile()
	if err == nil {
		cf = cf.DeepCopy()
		cf.OS, cf.Architecture = "linux", "amd64"
		img, err = mutate.ConfigFile(img, cf)
	}
	for _, file := range layers {
		if err != nil {
			break
		}
		layer, layerErr := tarball.LayerFromFile(file)
		if err = layerErr; err == nil {
			img, err = mutate.AppendLayers(img, layer)
		}
	}
	if err == nil {
		err = imagetest.WriteLayout(out.layout, "bench", img)
	}
	if err != nil {
		_ = os.RemoveAll(out.layout)
		b.skip("%s: %v", name, err)
		return image{}
	}
	return out
}

func (b *bench) debian(include ...string) func(context.Context, string) error {
	return func(ctx context.Context, dir string) error {
		args := []string{"--variant=minbase"}
		if len(include) > 0 {
			args = append(args, "--include="+strings.Join(include, ","))
		}
		return command(ctx, ".", "debootstrap", append(args, "bookworm", dir, b.mirror)...)
	}
}

// goPrograms are six of them: the gate itself and smaller ones of this module.
func (b *bench) goPrograms(ctx context.Context, dir string) error {
	for i, pkg := range []string{"./cmd/portcullis", "./internal/demo", "./internal/release", "./internal/bench", "github.com/google/go-containerregistry/pkg/v1/remote", "net/http"} {
		if i > 3 {
			pkg = "./cmd/portcullis"
		}
		if err := command(ctx, ".", "go", "build", "-trimpath", "-o", filepath.Join(dir, fmt.Sprint("program", i)), pkg); err != nil {
			return err
		}
	}
	return nil
}

func npmApplication(ctx context.Context, dir string) error {
	if _, err := exec.LookPath("npm"); err != nil {
		return err
	}
	return command(ctx, dir, "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent",
		"next@14", "webpack@5", "eslint@8", "jest@29", "typescript@5", "@angular/cli@17", "aws-sdk@2", "lodash@4", "date-fns@2", "@mui/icons-material@5", "@mui/material@5", "react@18", "react-dom@18")
}

// sizes show what an image costs by its size and by the number of its packages.
func (b *bench) sizes() []image {
	var out []image
	for _, megabytes := range []int{100, 500, 1000, 2000, 4000} {
		if megabytes > b.megabytes {
			continue
		}
		out = append(out, b.synthetic(fmt.Sprintf("%.1f GB of data", float64(megabytes)/1000), fmt.Sprint("data-", megabytes), func(w *tar.Writer) error { return data(w, megabytes) }))
	}
	for _, n := range []int{1000, 10_000, 50_000, 200_000} {
		out = append(out, b.synthetic(fmt.Sprintf("%d packages", n), fmt.Sprint("packages-", n), func(w *tar.Writer) error { return packages(w, n) }))
	}
	return out
}

func (b *bench) synthetic(name, file string, fill func(*tar.Writer) error) image {
	path := filepath.Join(b.dir, file+".tar.gz")
	if _, err := os.Stat(path); err != nil {
		if err := writeLayer(path, fill); err != nil {
			b.skip("%s: %v", name, err)
			return image{}
		}
	}
	return b.pack(name, path)
}

// data are files of a megabyte, of words as texts and programs repeat them: they
// shrink to about a third, as those of real images do.
func data(w *tar.Writer, megabytes int) error {
	random := rand.New(rand.NewPCG(1, 2))
	words := make([][]byte, 4096)
	for i := range words {
		words[i] = make([]byte, 3+random.IntN(10))
		for j := range words[i] {
			words[i][j] = byte(random.Uint32())
		}
	}
	for i := range megabytes {
		body := make([]byte, 0, 1<<20+16)
		for len(body) < 1<<20 {
			// The nested draw makes some words far more frequent than others.
			body = append(body, words[random.IntN(1+random.IntN(len(words)))]...)
		}
		if err := file(w, fmt.Sprintf("srv/data/%d.bin", i), body); err != nil {
			return err
		}
	}
	// An image without any package is a failure of its own.
	return packages(w, 1)
}

// packages are those of npm, one small file each.
func packages(w *tar.Writer, n int) error {
	for i := range n {
		body := fmt.Sprintf(`{"name": "package-%d", "version": "1.%d.%d", "license": "MIT"}`, i, i%7, i%11)
		if err := file(w, fmt.Sprintf("srv/app/node_modules/package-%d/package.json", i), []byte(body)); err != nil {
			return err
		}
	}
	return nil
}

func file(w *tar.Writer, name string, body []byte) error {
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(body)), Typeflag: tar.TypeReg}); err != nil {
		return err
	}
	_, err := w.Write(body)
	return err
}
