// Command bench builds images of several sizes, has the gate and the other
// tools that are installed examine them side by side, and writes the figures as
// a page. Run it with `make bench`. What a tool is missing for is skipped and
// said.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

func main() {
	if len(os.Args) == 4 && os.Args[1] == inflateCommand {
		exitOn(inflateLayers(context.Background(), os.Args[2], inflater(os.Args[3])))
		return
	}
	var b bench
	flag.StringVar(&b.binary, "bin", "bin/portcullis", "the program to measure")
	flag.StringVar(&b.dir, "dir", "", "directory for the images (default: portcullis-bench in the user's cache directory)")
	flag.StringVar(&b.page, "out", "docs/performance.md", "page whose generated section takes the figures; - for none")
	flag.StringVar(&b.mirror, "mirror", "http://deb.debian.org/debian", "Debian mirror")
	flag.IntVar(&b.runs, "runs", 2, "runs of each command; the one with the least processor time counts")
	flag.IntVar(&b.megabytes, "data", 4000, "megabytes of the largest image of data")
	only := flag.String("only", "", "regular expression: measure only the images with such a name")
	manifests := flag.Bool("lint", false, "measure the linting of manifests in place of images")
	flag.BoolVar(&b.large, "large", false, "also the image with 500 Debian packages, which takes minutes to build")
	flag.Parse()
	var err error
	b.only, err = regexp.Compile(*only)
	exitOn(err)
	exitOn(b.prepare())
	if *manifests {
		exitOn(b.lint(context.Background()))
		return
	}
	exitOn(b.run(context.Background()))
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is one run of all comparisons.
type bench struct {
	binary, dir, page, mirror string
	runs, megabytes           int
	large                     bool
	only                      *regexp.Regexp
	skipped                   []string
}

func (b *bench) skip(format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	b.skipped = append(b.skipped, message)
	fmt.Fprintln(os.Stderr, "skipped:", message)
}

// prepare makes the directory in which everything that is measured lies.
func (b *bench) prepare() error {
	if b.dir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return fmt.Errorf("find a directory for what is measured: %w", err)
		}
		b.dir = filepath.Join(base, "portcullis-bench")
	}
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return fmt.Errorf("make the directory for what is measured: %w", err)
	}
	return nil
}

func (b *bench) run(ctx context.Context) error {
	var page strings.Builder
	fmt.Fprintf(&page, "%s, %d cores, %s/%s. Each figure is the best of %d runs by processor time.\n", runtime.Version(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, b.runs)
	for _, img := range append(b.realImages(ctx), b.sizes()...) {
		if img.layout == "" || !b.only.MatchString(img.name) {
			continue
		}
		results, err := b.measure(ctx, img)
		if err != nil {
			return err
		}
		table(&page, img, results)
	}
	if len(b.skipped) > 0 {
		fmt.Fprintf(&page, "\nNot measured: %s.\n", strings.Join(b.skipped, "; "))
	}
	fmt.Print(page.String())
	if b.page == "-" {
		return nil
	}
	return intoPage(b.page, begin, page.String())
}

const (
	begin     = "<!-- figures of make bench -->\n"
	lintBegin = "<!-- figures of make bench-lint -->\n"
	end       = "<!-- end of figures -->\n"
)

// intoPage replaces the generated section of a page that begins so.
func intoPage(path, begin, figures string) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	before, rest, ok := strings.Cut(string(old), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return fmt.Errorf("write the figures: %s has no section for them", path)
	}
	if err := os.WriteFile(path, []byte(before+begin+"\n"+figures+"\n"+end+after), 0o644); err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	return nil
}

// command runs a tool that helps to build an image.
func command(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, lastLine(out))
	}
	return nil
}

func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}
