package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
)

// play runs a case in place of the plain run of the program.
type play = func(ctx context.Context, h *harness, s *scene, args []string) (*outcome, error)

// ended starts the program several times and sends it a signal at a later moment
// each time. A report is whole or not there, and what is left of a run goes at
// the latest with the next one, which is the one that is judged.
func ended(sig syscall.Signal, times int) play {
	return func(ctx context.Context, h *harness, s *scene, args []string) (*outcome, error) {
		var all outcome
		for i := range times {
			cmd := h.command(ctx, s, args)
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Start(); err != nil {
				return nil, err
			}
			time.Sleep(time.Duration(i) * 100 * time.Millisecond)
			// It may have ended already.
			_ = cmd.Process.Signal(sig)
			began := time.Now()
			var exited *exec.ExitError
			if err := cmd.Wait(); err != nil && !errors.As(err, &exited) {
				return nil, err
			}
			if took := time.Since(began); took > 5*time.Second*time.Duration(slowness()) {
				all.blame("it took %v to end", took)
			}
			report, err := os.ReadFile(s.path("report.json"))
			switch whole := json.Valid(report); {
			case err == nil && !whole:
				all.blame("a report of %d bytes is not whole", len(report))
			case cmd.ProcessState.Success() && !whole:
				all.blame("exit code 0 without a report: %s", out.String())
			}
			_ = os.Remove(s.path("report.json"))
			if sig != syscall.SIGKILL {
				h.judgeLeft(s, &all)
			}
		}
		o, err := h.start(ctx, s, args)
		if err == nil {
			o.wrong = append(o.wrong, all.wrong...)
		}
		return o, err
	}
}

// shell runs the program from a shell that has done something before.
func shell(before string) play {
	return func(ctx context.Context, h *harness, s *scene, args []string) (*outcome, error) {
		wrapped := *h
		wrapped.program = "/bin/sh"
		return wrapped.start(ctx, s, append([]string{"-c", before + ` && exec "$@"`, "sh", h.program}, args...))
	}
}

// nobody is a user of whom no processes run: those of root are not bounded.
const nobody = 54321

// fewProcesses runs the program where the system allows it so many processes and
// threads, as a user whom the bound holds for.
func fewProcesses(number int) play {
	return func(ctx context.Context, h *harness, s *scene, args []string) (*outcome, error) {
		bound := fmt.Sprintf("prlimit --nproc=%d", number)
		if os.Geteuid() == 0 {
			other, err := h.handOver(s)
			if err != nil {
				return nil, err
			}
			h, bound = other, fmt.Sprintf("setpriv --reuid=%d --regid=%d --clear-groups %s", nobody, nobody, bound)
		}
		o, err := shell("set -- "+bound+` "$@"`)(ctx, h, s, args)
		if err != nil || o.code != 2 {
			return o, err
		}
		// What is left of such an end goes with the next run.
		_, err = h.start(ctx, s, args)
		_ = os.Remove(s.path("report.json"))
		return o, err
	}
}

// handOver gives a scene to nobody, and the program with it.
func (h *harness) handOver(s *scene) (*harness, error) {
	if err := os.Chmod(h.dir, 0o711); err != nil {
		return nil, err
	}
	program, err := os.ReadFile(h.program)
	if err != nil {
		return nil, err
	}
	theirs := *h
	if theirs.program, err = s.write("program", program); err != nil {
		return nil, err
	}
	if err := os.Chmod(theirs.program, 0o755); err != nil {
		return nil, err
	}
	return &theirs, filepath.WalkDir(filepath.Dir(s.dir), func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, nobody, nobody))
	})
}

// smallFiles runs the program several times where no file may be larger than so
// many blocks of 512 bytes. A report is whole or not there.
func smallFiles(blocks ...int) play {
	return func(ctx context.Context, h *harness, s *scene, args []string) (*outcome, error) {
		var all outcome
		for _, n := range blocks {
			// The shell is POSIX's, in which the unit is that of 512 bytes.
			o, err := shell(fmt.Sprintf("ulimit -f %d", n))(ctx, h, s, args)
			if err != nil {
				return nil, err
			}
			report, err := os.ReadFile(s.path("report.json"))
			switch {
			case err == nil && !json.Valid(report):
				all.blame("%d blocks: a report of %d bytes is not whole", n, len(report))
			case o.code == 0 && (err != nil || n == 0), o.code != 0 && o.code != 4:
				all.blame("%d blocks: exit code %d, report: %v", n, o.code, err)
			case o.code == 4 && !strings.Contains(o.output, "file too large"):
				all.blame("%d blocks: it does not say what was wrong: %s", n, o.output)
			}
			h.judgeLeft(s, &all)
			for _, name := range []string{"report.json", "../home/.cache"} {
				_ = os.RemoveAll(s.path(name))
			}
		}
		o, err := h.start(ctx, s, args)
		if err == nil {
			o.wrong = append(o.wrong, all.wrong...)
		}
		return o, err
	}
}

// together starts the program several times at once on one cache, one of them to
// be killed, and compares what the others report.
func together(times int) play {
	return func(ctx context.Context, h *harness, s *scene, args []string) (*outcome, error) {
		var wait sync.WaitGroup
		reports, faults := make([][]byte, times), make([]error, times)
		for i := range times {
			wait.Go(func() {
				file := s.path(fmt.Sprintf("report%d.json", i))
				faults[i] = h.command(ctx, s, append(args[:len(args):len(args)], "--output", "json="+file)).Run()
				reports[i], _ = os.ReadFile(file)
			})
		}
		killed := h.command(ctx, s, args)
		if err := killed.Start(); err != nil {
			return nil, err
		}
		time.Sleep(300 * time.Millisecond)
		_ = killed.Process.Kill()
		_ = killed.Wait() // It was killed.
		wait.Wait()
		o, err := h.start(ctx, s, args)
		if err != nil {
			return nil, err
		}
		for i := range times {
			if faults[i] != nil {
				o.blame("run %d: %v", i, faults[i])
			}
			if a, b := findingsOf(reports[i]), findingsOf(o.report); a != b || a == "" {
				o.blame("run %d reports %s, and a later one %s", i, a, b)
			}
		}
		return o, nil
	}
}

// findingsOf is what a report says but for when it was made.
func findingsOf(report []byte) string {
	var r struct{ Findings, Coverage, Verdict json.RawMessage }
	if json.Unmarshal(report, &r) != nil {
		return ""
	}
	return string(r.Findings) + string(r.Coverage) + string(r.Verdict)
}

// altered is a case whose database is another one than was built.
func altered(change func(dir string) error) func(s *scene) ([]string, error) {
	return func(s *scene) ([]string, error) {
		dir := s.path("database")
		if err := os.CopyFS(dir, os.DirFS(s.database)); err != nil {
			return nil, err
		}
		s.database = dir
		if err := change(dir); err != nil {
			return nil, err
		}
		return gateOf(s)
	}
}

// shards changes each file of a database but its list.
func shards(change func(data []byte) []byte) func(dir string) error {
	return func(dir string) error {
		names, err := filepath.Glob(filepath.Join(dir, "*.zst"))
		if err != nil || len(names) == 0 {
			return fmt.Errorf("no files in %s: %w", dir, err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			if err := os.WriteFile(name, change(data), 0o644); err != nil {
				return err
			}
		}
		return nil
	}
}

// listed changes the list of a database.
func listed(pattern, with string) func(dir string) error {
	return func(dir string) error {
		name := filepath.Join(dir, "manifest.json")
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		changed := regexp.MustCompile(pattern).ReplaceAll(data, []byte(with))
		if bytes.Equal(changed, data) {
			return fmt.Errorf("%s has no %s", name, pattern)
		}
		return os.WriteFile(name, changed, 0o644)
	}
}

// poisoned is a database in which one record is of an attacker.
func poisoned(s *scene) ([]string, error) {
	record := marshal(document{
		"schema_version": "1.6.0", "id": "DSA-6666-1", "modified": "2026-01-01T00:00:00Z", "published": "2026-01-01T00:00:00Z",
		"summary": "<script>alert(1)</script>\x1b[31m\n::error::forged", "details": strings.Repeat("</script>|`<b>", 1<<16), "severity": []any{document{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}},
		"affected": []any{document{
			"package": document{"ecosystem": "Debian:12", "name": "last"}, "ranges": []any{document{"type": "ECOSYSTEM", "events": []any{document{"introduced": "0"}}}},
		}},
		"references": []any{document{"type": "ADVISORY", "url": "javascript:alert(1)"}, document{"type": "FIX", "url": "data:text/html,<script>"}},
	})
	if _, err := s.write("records/Debian/DSA-6666-1.json", record); err != nil {
		return nil, err
	}
	s.database = s.path("poisoned")
	if out, err := exec.Command(s.program, "db", "build", "--from", s.path("records"), "--out", s.database).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	args, err := gateOf(s)
	return append(args, "--output", "html=report.html", "--output", "markdown=report.md", "--output", "sarif=report.sarif"), err
}

// holding looks into a file that the program wrote.
func holding(name string, atMost int, always, never string) play {
	return func(ctx context.Context, h *harness, s *scene, args []string) (*outcome, error) {
		o, err := h.start(ctx, s, args)
		if err != nil {
			return nil, err
		}
		data, err := os.ReadFile(s.path(name))
		if err != nil || len(data) == 0 || len(data) > atMost {
			o.blame("%s has %d bytes: %v", name, len(data), err)
		}
		if !regexp.MustCompile(always).Match(data) {
			o.blame("%s does not match %q", name, always)
		}
		if at := regexp.MustCompile(never).FindIndex(data); never != "" && at != nil {
			o.blame("%s holds %q", name, data[max(0, at[0]-40):min(len(data), at[1]+40)])
		}
		return o, nil
	}
}

// runCases are rows 146 to 170: how the program is run, and on what machine.
func runCases() []hostileCase {
	plain := func(s *scene) ([]string, error) { return gateOf(s) }
	spilling := files(func(*scene) []imagetest.File {
		return []imagetest.File{{Path: "usr/bin/large", Mode: 0o755, Body: append(imagetest.ELF(".rodata", []byte("\xff Go buildinf:")), noise(100<<20)...)}}
	})
	broken := []int{4, 5}
	database := func(row, name string, change func(dir string) error) hostileCase {
		return hostileCase{row: row, name: "H:" + name, exits: broken, seconds: 10, prepare: altered(change)}
	}
	aged := func(row, name string, exits []int, pattern, with string) hostileCase {
		c := database(row, name, listed(pattern, with))
		c.exits = exits
		prepare := c.prepare
		c.prepare = func(s *scene) ([]string, error) {
			args, err := prepare(s)
			for i := range args {
				if args[i] == "any" {
					args[i] = "7d"
				}
			}
			return args, err
		}
		return c
	}
	const many = 26_000
	pods := func(s *scene) ([]string, error) {
		path, err := s.write("pods.yaml", bytes.Repeat([]byte("---\n"+privileged), many/8))
		s.env = append(s.env, "GITHUB_ACTIONS=true", "GITHUB_STEP_SUMMARY="+s.path("summary.md"), "GITHUB_OUTPUT="+s.path("output"))
		return append(linted(s, "--manifests", path), "--output", "sarif=report.sarif"), err
	}
	noRoom := `unshare -m sh -c 'mount -t tmpfs -o size=8m none "$TMPDIR" && exec "$@"' sh "$@"; exit $?; true`
	return []hostileCase{
		{row: "146", name: "H:sigint", exits: passed, prepare: plain, play: ended(syscall.SIGINT, 10)},
		{row: "147", name: "H:sigterm", exits: passed, prepare: plain, play: ended(syscall.SIGTERM, 10)},
		{row: "148", name: "H:sigkill", exits: passed, prepare: spilling, play: ended(syscall.SIGKILL, 10)},
		{row: "149", name: "H:no-room", exits: refused, says: "no space left", prepare: files(func(*scene) []imagetest.File {
			return []imagetest.File{{Path: "app/a.jar", Body: []byte(zipOf("lib/b.jar", string(noise(20<<20))))}}
		}), play: shell(noRoom), privileged: true},
		{row: "150", name: "H:dev-full", exits: refused, says: "/dev/full", unreported: true, prepare: func(s *scene) ([]string, error) {
			args, err := gateOf(s)
			return append(args, "--output", "html=/dev/full"), err
		}},
		{row: "151", name: "H:closed-pipe", exits: []int{4}, unreported: true, prepare: plain, play: func(ctx context.Context, h *harness, s *scene, args []string) (*outcome, error) {
			wrapped := *h
			wrapped.program = "/bin/sh"
			return wrapped.start(ctx, s, append([]string{"-c", `{ "$@"; echo $? > code; } | true; exit "$(cat code)"`, "sh", h.program}, args...))
		}},
		{row: "152", name: "H:memory", exits: either, prepare: plain, play: shell("ulimit -v 1048576"), unreported: true},
		{row: "153", name: "H:few-files", exits: either, prepare: plain, play: shell("ulimit -n 64")},
		{row: "153", name: "H:two-processes", exits: []int{2}, prepare: plain, play: fewProcesses(2), starved: true},
		{row: "153", name: "H:few-processes", exits: append([]int{2}, either...), prepare: plain, play: fewProcesses(8), starved: true},
		{row: "153", name: "H:twelve-processes", exits: append([]int{2}, either...), prepare: plain, play: fewProcesses(12), starved: true},
		{row: "149", name: "H:small-files", exits: passed, prepare: plain, play: smallFiles(0, 1, 2, 3, 4, 5, 6, 8, 16)},
		{row: "149", name: "H:small-temporary-files", exits: passed, seconds: 60, prepare: spilling, play: smallFiles(0, 8, 1<<10, 100<<10, 300<<10)},
		database("154", "db-truncated", shards(func(data []byte) []byte { return data[:len(data)/2] })),
		database("155", "db-bit-flip", shards(func(data []byte) []byte { data[len(data)/2] ^= 1; return data })),
		database("156", "db-wrong-sum", listed(`("sha256": ")[0-9a-f]{4}`, "${1}0000")),
		database("157", "db-unknown-schema", listed(`"schema": 1`, `"schema": 99`)),
		aged("158", "db-older", broken, `("(fetched|date|built)": ")20\d\d`, "${1}2001"),
		aged("160", "db-future", broken, `("(fetched|date|built)": ")20\d\d`, "${1}2099"),
		{row: "161-162", name: "H:eight-runs-one-killed", exits: passed, seconds: 60, prepare: plain, play: together(8)},
		{row: "163", name: "H:layout-swapped", exits: either, prepare: spilling, play: func(ctx context.Context, h *harness, s *scene, args []string) (*outcome, error) {
			image := s.path("image")
			for _, a := range args {
				if dir, ok := strings.CutPrefix(a, "oci:"); ok {
					image = dir
				}
			}
			go func() {
				time.Sleep(200 * time.Millisecond)
				blobs, _ := filepath.Glob(filepath.Join(image, "blobs", "sha256", "*"))
				for _, b := range blobs {
					_ = os.WriteFile(b, []byte("swapped"), 0o644) // The case is in vain then.
				}
			}()
			return h.start(ctx, s, args)
		}},
		{row: "164-165", name: "H:credentials", exits: refused, hides: password, prepare: func(s *scene) ([]string, error) {
			s.env = append(s.env, "HTTP_PROXY=http://user:"+password+"@127.0.0.1:9", "HTTPS_PROXY=http://user:"+password+"@127.0.0.1:9", "GITHUB_TOKEN="+hostSecret)
			if err := s.login("registry.example"); err != nil {
				return nil, err
			}
			return s.gate("registry.example/shop/web:1"), nil
		}},
		{row: "166", name: "H:sarif-many", exits: []int{1}, seconds: 120, megabytes: 1536, prepare: pods, play: holding("report.sarif", 200<<20, "[0-9]+ results of the lowest severity were left out", "")},
		{row: "167", name: "H:summary-many", exits: []int{1}, seconds: 120, megabytes: 1536, prepare: pods, play: holding("summary.md", 1<<20, "[0-9]+ more", "")},
		{row: "169", name: "H:report-is-a-folder", exits: []int{2, 4}, unreported: true, prepare: func(s *scene) ([]string, error) {
			args, err := gateOf(s)
			return append(args, "--output", "html="+s.dir), err
		}},
		{row: "170", name: "H:db-poisoned", exits: []int{1}, says: "DSA-6666-1", megabytes: 768, prepare: poisoned, play: holding("report.html", 20<<20, "DSA-6666-1", `href="?(javascript|data):|<script>alert`)},
	}
}
