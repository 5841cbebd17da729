package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"golang.org/x/sync/errgroup"

	"github.com/portcullis-ci/portcullis/internal/inflate"
	"github.com/portcullis-ci/portcullis/internal/peak"
	"github.com/portcullis-ci/portcullis/internal/target"
)

const (
	inflateCommand = "inflate-only"
	// trivy is the name of the row of trivy.
	trivy = "trivy, SBOM only"
)

// result is what one command cost.
type result struct {
	name      string
	wall, cpu time.Duration
	// peak is the largest resident memory in bytes.
	peak int64
}

// measure runs every tool on an image.
func (b *bench) measure(ctx context.Context, img image) ([]result, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cache, err := os.MkdirTemp(b.dir, "cache-*")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(cache) }()
	gate := []string{b.binary, "gate", "--image", "oci:" + img.layout, "--quiet", "--fail-on", "none"}
	commands := []struct {
		name string
		args []string
	}{
		{"inflate", []string{self, inflateCommand, img.layout, "own"}},
		{"inflate, klauspost/compress", []string{self, inflateCommand, img.layout, "klauspost"}},
		{"gate, no cache", append(gate[:len(gate):len(gate)], "--no-cache")},
		{"gate, no cache, SBOM written", append(gate[:len(gate):len(gate)], "--no-cache", "--sbom-out", cache+"/sbom.json")},
		{"gate, filling the cache", append(gate[:len(gate):len(gate)], "--cache-dir", cache)},
		{"gate, cached", append(gate[:len(gate):len(gate)], "--cache-dir", cache)},
		{trivy, []string{"trivy", "image", "--input", img.layout, "--format", "cyclonedx", "--quiet", "--offline-scan", "--cache-dir", cache + "/trivy", "--output", os.DevNull}},
		{"syft, SBOM only", []string{"syft", "scan", "oci-dir:" + img.layout, "-q", "-o", "cyclonedx-json=" + os.DevNull}},
		{"grype", []string{"grype", "oci-dir:" + img.layout, "-q"}},
	}
	var out []result
	for i := 0; i < len(commands); i++ {
		c := commands[i]
		if _, err := exec.LookPath(c.args[0]); err != nil {
			if message := c.args[0] + " is not installed"; !strings.Contains(strings.Join(b.skipped, "\n"), message) {
				b.skip("%s", message)
			}
			continue
		}
		runs := b.runs
		if strings.Contains(c.name, "filling") {
			runs = 1
		}
		best, err := fastest(ctx, c.name, c.args, runs, cache+"/trivy", 5)
		if err != nil {
			b.skip("%s of %s: %v", c.name, img.name, err)
			if c.name == trivy {
				// For jars it wants a database of its own, from the network.
				c.name += " without jars"
				c.args = slices.Concat(c.args, []string{"--skip-files", "**/*.jar"})
				commands = slices.Insert(commands, i+1, c)
			}
			continue
		}
		out = append(out, best)
		fmt.Fprintf(os.Stderr, "%-32s %-26s %8.2fs %8.2fs cpu %6d MB\n", img.name, c.name, best.wall.Seconds(), best.cpu.Seconds(), best.peak/1e6)
	}
	return out, nil
}

// fastest is the run with the least processor time. Scratch is removed before
// each, so that a tool's own cache does not count. It may end with exits as well
// as with 0: the gate does with 5 where there is no database.
func fastest(ctx context.Context, name string, args []string, runs int, scratch string, exits int) (result, error) {
	best := result{name: name}
	for i := range runs {
		if err := os.RemoveAll(scratch); err != nil {
			return best, err
		}
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Stdout, cmd.Stderr = io.Discard, io.Discard
		began := time.Now()
		err := cmd.Run()
		wall := time.Since(began)
		var exited *exec.ExitError
		if errors.As(err, &exited) && exited.ExitCode() == exits {
			err = nil
		}
		if err != nil {
			return best, err
		}
		cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		if i == 0 || cpu < best.cpu {
			best.wall, best.cpu, best.peak = wall, cpu, peak.Memory(cmd.ProcessState)
		}
	}
	return best, nil
}

// inflater returns the package that the floor is measured with: the one that the
// gate reads layers with, or the fastest other one.
func inflater(name string) func(io.Reader) (io.Reader, error) {
	if name == "klauspost" {
		return func(r io.Reader) (io.Reader, error) { return gzip.NewReader(bufio.NewReaderSize(r, 128<<10)) }
	}
	return func(r io.Reader) (io.Reader, error) { return inflate.NewReader(r), nil }
}

// inflateLayers reads the layers of an image on the same cores as the gate, and does
// nothing with them: the floor.
func inflateLayers(ctx context.Context, layout string, with func(io.Reader) (io.Reader, error)) error {
	t, err := target.Open(ctx, target.Request{Reference: "oci:" + layout}, target.Environment{})
	if err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, l := range t.Layers {
		group.Go(func() error {
			r, err := l.Open(ctx)
			if err != nil {
				return err
			}
			z, err := with(r)
			if err != nil {
				return err
			}
			_, err = io.Copy(io.Discard, z)
			return errors.Join(err, r.Close())
		})
	}
	return errors.Join(group.Wait(), t.Close())
}

// table writes the figures of one image, with the ratio to plain inflating and a
// bar of the wall time.
func table(w io.Writer, img image, results []result) {
	fmt.Fprintf(w, "\n### %s\n\n| | wall s | CPU s | peak MB | to inflating, wall | |\n|---|---:|---:|---:|---:|:---|\n", img.name)
	var floor, longest time.Duration
	for _, r := range results {
		if r.name == "inflate" {
			floor = r.wall
		}
		longest = max(longest, r.wall)
	}
	for _, r := range results {
		ratio := ""
		if floor > 0 {
			ratio = fmt.Sprintf("%.2f", r.wall.Seconds()/floor.Seconds())
		}
		bar := strings.Repeat("█", 1+int(30*r.wall.Seconds()/longest.Seconds()))
		fmt.Fprintf(w, "| %s | %.2f | %.2f | %d | %s | %s |\n", r.name, r.wall.Seconds(), r.cpu.Seconds(), r.peak/1e6, ratio, bar)
	}
}
