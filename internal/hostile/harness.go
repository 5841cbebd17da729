package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/portcullis-ci/portcullis/internal/peak"
)

// hostSecret is in the environment of the program and in a file of the host
// that links of images lead to; no output may hold it.
const hostSecret = "host-secret-7f3a9c"

// scene is where one case is played.
type scene struct {
	// dir holds what the case writes; host is a folder of the host that an
	// image may neither read nor write.
	dir, host string
	// database is the advisory database, program the program itself.
	database, program string
	// env are further variables of the program's environment.
	env []string
	// cleanups run when the case is over.
	cleanups []func()
}

func (s *scene) path(name string) string { return filepath.Join(s.dir, name) }

// write puts a file into the scene and returns its path.
func (s *scene) write(name string, data []byte) (string, error) {
	path := s.path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	return path, os.WriteFile(path, data, 0o644)
}

// hostileCase is one thing that an attacker would do, and what must come of it.
type hostileCase struct {
	// row is the row of the list of hostile cases; name is that of the case.
	row, name string
	// prepare writes what the case needs and returns the program's arguments.
	prepare func(s *scene) ([]string, error)
	// exits are the exit codes that are right.
	exits []int
	// says is a regular expression that the output must match, and hides one
	// that it must not.
	says, hides string
	// seconds bound the processor time of the run, or its wall time if it waits
	// for somebody; megabytes bound its memory. 0 is 30 and 512.
	seconds, megabytes int
	// waits is set where a run is to end though nobody answers it.
	waits bool
	// written bounds what is written to disk in megabytes; 0 is 512.
	written int
	// play replaces the plain run of the program.
	play func(ctx context.Context, h *harness, s *scene, args []string) (*outcome, error)
	// privileged is set where only root can play the case.
	privileged bool
	// unreported is set where no report can be written.
	unreported bool
	// starved is set where Go's own code may end the program, with code 2 and
	// stacks in its output, as soon as it lacks a thread.
	starved bool
}

// outcome is what came of a run.
type outcome struct {
	code int
	// wall and processor are how long the run took, and how much of that it
	// computed.
	wall, processor time.Duration
	// peak and written are bytes of memory and of disk.
	peak, written int64
	output        string
	// report is the JSON report, if one was written.
	report []byte
	// wrong is what is not as it must be; reason is a line of the output.
	wrong  []string
	reason string
}

func (o *outcome) blame(format string, args ...any) {
	o.wrong = append(o.wrong, fmt.Sprintf(format, args...))
}

type harness struct {
	program, dir, database string
	verbose                bool
}

func (h *harness) buildDatabase(ctx context.Context, from string) error {
	h.database = filepath.Join(h.dir, "database")
	out, err := exec.CommandContext(ctx, h.program, "db", "build", "--from", from, "--out", h.database).CombinedOutput()
	if err != nil {
		return fmt.Errorf("build the advisory database: %w: %s", err, out)
	}
	return nil
}

// examine plays one case and judges what came of it.
func (h *harness) examine(ctx context.Context, c hostileCase) *outcome {
	dir, err := os.MkdirTemp(h.dir, "case-*")
	if err != nil {
		return &outcome{wrong: []string{err.Error()}}
	}
	defer func() { _ = os.RemoveAll(dir) }()
	s := &scene{dir: filepath.Join(dir, "scene"), host: filepath.Join(dir, "host"), database: h.database, program: h.program}
	for _, d := range []string{s.dir, s.host, filepath.Join(dir, "tmp"), filepath.Join(dir, "home")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return &outcome{wrong: []string{err.Error()}}
		}
	}
	defer func() {
		for _, f := range s.cleanups {
			f()
		}
	}()
	if err := os.WriteFile(filepath.Join(s.host, "secret"), []byte(hostSecret), 0o600); err != nil {
		return &outcome{wrong: []string{err.Error()}}
	}
	args, err := c.prepare(s)
	if err != nil {
		return &outcome{wrong: []string{"the case could not be made: " + err.Error()}}
	}
	burden := slowness()
	play := c.play
	if play == nil {
		play = func(ctx context.Context, h *harness, s *scene, args []string) (*outcome, error) {
			return h.start(ctx, s, args)
		}
	}
	o, err := play(ctx, h, s, args)
	if err != nil {
		return &outcome{wrong: []string{err.Error()}}
	}
	judgeTime(c, o, max(burden, slowness()))
	h.judge(c, s, o)
	if h.verbose {
		fmt.Printf("--- %s %s\n%s\n", c.name, strings.Join(args, " "), o.output)
	}
	return o
}

// patience is after how long a run is taken for one that hangs. How long it
// takes on a machine that does other things besides says little about it.
const patience = 20 * time.Minute

// start runs the program in the scene.
func (h *harness) start(ctx context.Context, s *scene, args []string) (*outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := h.command(ctx, s, args)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	forgetPeak()
	began := time.Now()
	err := cmd.Run()
	o := &outcome{wall: time.Since(began), output: out.String()}
	if ctx.Err() != nil {
		o.blame("it was not done after %v", patience)
	}
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		return nil, err
	}
	o.measure(cmd.ProcessState)
	if data, err := os.ReadFile(s.path("report.json")); err == nil {
		o.report = data
	}
	return o, nil
}

// measure takes over what the system says of a program that has ended.
func (o *outcome) measure(state *os.ProcessState) {
	o.code, o.processor = state.ExitCode(), state.UserTime()+state.SystemTime()
	o.peak, o.written = peak.Memory(state), peak.Written(state)
}

// slowness is how many seconds a second of computing takes while others use the
// machine; at least 1.
func slowness() float64 {
	const least = 50 * time.Millisecond
	began, before := time.Now(), peak.Processor()
	if before == 0 {
		return 1 // The system does not tell.
	}
	computed := time.Duration(0)
	for computed < least {
		_ = controls.MatchString(hostSecret)
		computed = peak.Processor() - before
	}
	return max(1, time.Since(began).Seconds()/computed.Seconds())
}

// judgeTime holds the time of a run against its bound. Of one that waits, what
// others kept the processor from it is left out.
func judgeTime(c hostileCase, o *outcome, slowness float64) {
	limit := time.Duration(cmp.Or(c.seconds, 30)) * time.Second
	kept := time.Duration(float64(o.processor) * (slowness - 1))
	switch {
	case c.waits && o.wall > limit+kept:
		o.blame("it took %v, more than %v", o.wall.Round(time.Second/10), limit+kept)
	case !c.waits && o.processor > limit:
		o.blame("it computed for %v, more than %v", o.processor.Round(time.Second/10), limit)
	}
}

// forgetPeak lets the memory of a program that is started now be its own: Linux
// counts the largest memory of who starts it as well.
func forgetPeak() {
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
}

func (h *harness) command(ctx context.Context, s *scene, args []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, h.program, args...)
	around := filepath.Dir(s.dir)
	cmd.Dir = s.dir
	cmd.Env = append([]string{
		"PATH=/usr/bin:/bin", "HOME=" + filepath.Join(around, "home"), "TMPDIR=" + filepath.Join(around, "tmp"),
		"CI_JOB_TOKEN=" + hostSecret,
	}, s.env...)
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

var controls = regexp.MustCompile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")

// judge holds an outcome against what the case and every case demands.
func (h *harness) judge(c hostileCase, s *scene, o *outcome) {
	if !slices.Contains(c.exits, o.code) {
		o.blame("exit code %d, want one of %v", o.code, c.exits)
	}
	if limit := int64(cmp.Or(c.megabytes, 512)) << 20; o.peak > limit {
		o.blame("it took %d MB, more than %d", o.peak>>20, limit>>20)
	}
	if limit := int64(cmp.Or(c.written, 512)) << 20; o.written > limit {
		o.blame("it wrote %d MB, more than %d", o.written>>20, limit>>20)
	}
	// A terminal's lines are broken anywhere.
	if said := strings.Join(strings.Fields(o.output), " "); c.says != "" && !regexp.MustCompile(c.says).MatchString(said) {
		o.blame("the output does not match %q", c.says)
	}
	if c.hides != "" && regexp.MustCompile(c.hides).MatchString(o.output+string(o.report)) {
		o.blame("the output matches %q", c.hides)
	}
	if at := controls.FindStringIndex(o.output); at != nil {
		o.blame("raw control characters in the output: %q", o.output[max(0, at[0]-20):min(len(o.output), at[1]+20)])
	}
	if strings.Contains(o.output+string(o.report), hostSecret) {
		o.blame("the output holds the secret of the host")
	}
	if strings.Contains(o.output, "goroutine ") && !c.starved {
		o.blame("the output holds a stack")
	}
	h.judgeReport(c, o)
	h.judgeLeft(s, o)
	o.reason = reason(o.output)
}

func (h *harness) judgeReport(c hostileCase, o *outcome) {
	if c.unreported || c.starved && o.code == 2 {
		return
	}
	var report struct {
		ExitCode *int `json:"exitCode"`
	}
	if err := json.Unmarshal(o.report, &report); err != nil || report.ExitCode == nil {
		o.blame("the report is not whole: %v (%d bytes)", err, len(o.report))
	} else if *report.ExitCode != o.code {
		o.blame("the report says exit code %d, the program %d", *report.ExitCode, o.code)
	}
}

// judgeLeft looks at what the program left outside of its cache.
func (h *harness) judgeLeft(s *scene, o *outcome) {
	around := filepath.Dir(s.dir)
	for _, dir := range []string{filepath.Join(around, "tmp"), s.host} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			o.blame("%v", err)
		}
		for _, e := range entries {
			if path := filepath.Join(dir, e.Name()); path != filepath.Join(s.host, "secret") {
				o.blame("left behind: %s", path)
			}
		}
	}
	if entries, err := os.ReadDir(around); err == nil && len(entries) != 4 {
		o.blame("something was written beside the scene: %v", entries)
	}
}

var reasonLine = regexp.MustCompile(`NOT EXAMINED|FAIL|Error:|error:`)

// reason is the first line of the output that says what was wrong.
func reason(output string) string {
	for line := range strings.Lines(output) {
		if line = strings.TrimSpace(line); reasonLine.MatchString(line) {
			return line[:min(len(line), 150)]
		}
	}
	return ""
}

// gate are the arguments that examine an image and report as JSON.
func (s *scene) gate(image string, more ...string) []string {
	return append([]string{"gate", "--image", image, "--db", s.database, "--db-max-age", "any", "--output", "terminal=-", "--output", "json=report.json"}, more...)
}
