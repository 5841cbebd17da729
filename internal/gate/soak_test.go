package gate

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/policy"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// TestManyRunsDoNotGrow runs the whole gate many times in one process, and
// holds that neither memory nor goroutines nor open files grow with the number
// of runs. PORTCULLIS_SOAK sets how many; each costs most of a second, so that
// the usual tests run few.
func TestManyRunsDoNotGrow(t *testing.T) {
	runs := 6
	if given := os.Getenv("PORTCULLIS_SOAK"); given != "" {
		n, err := strconv.Atoi(given)
		if err != nil || n < 4 {
			t.Fatalf("PORTCULLIS_SOAK=%s: expected a number of runs, at least 4", given)
		}
		runs = n
	}
	env := environment(t, map[string]string{"Dockerfile": sudo, "k8s/a.yaml": privileged})
	img, err := imagetest.New().
		Layer("ADD rootfs /", imagetest.Debian(imagetest.Package{Name: "curl", Version: "7.88.1-10"})...).
		Layer("COPY node_modules /app", imagetest.NPM("/app", "lodash@4.17.20")...).Image()
	if err != nil {
		t.Fatal(err)
	}
	layout := filepath.Join(env.Repository.Dir, "image")
	if err := imagetest.WriteLayout(layout, "1", img); err != nil {
		t.Fatal(err)
	}
	req := Request{
		Image: target.Request{Reference: "oci:" + layout}, Dockerfiles: []string{"Dockerfile"}, Manifests: []string{"k8s"},
		SkipVulnerabilities: true, Policy: policy.Policy{FailOn: high()},
	}
	var early usage
	for i := range runs {
		result, err := Run(context.Background(), req, env)
		if err != nil {
			t.Fatal(err)
		}
		if len(result.Outcome.Failures) > 0 || len(result.Outcome.Findings) == 0 {
			t.Fatalf("run %d: failures %+v and %d findings", i, result.Outcome.Failures, len(result.Outcome.Findings))
		}
		// The first quarter fills what is filled once.
		if i == runs/4 {
			early = measure(t)
		}
	}
	late := measure(t)
	t.Logf("after %d runs: %+v; after %d: %+v", runs/4+1, early, runs, late)
	if late.goroutines > early.goroutines+2 {
		t.Errorf("goroutines grew from %d to %d", early.goroutines, late.goroutines)
	}
	if late.files > early.files {
		t.Errorf("open files grew from %d to %d", early.files, late.files)
	}
	// What the runtime keeps for itself moves by some megabytes.
	const leeway = 8 << 20
	if late.heap > early.heap+leeway {
		t.Errorf("live memory grew from %d to %d bytes", early.heap, late.heap)
	}
}

// usage is what a process holds.
type usage struct {
	goroutines, files int
	heap              uint64
}

func measure(t *testing.T) usage {
	t.Helper()
	// Twice: the first collection runs the finalisers that the second frees.
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	u := usage{goroutines: runtime.NumGoroutine(), heap: m.HeapAlloc}
	if open, err := os.ReadDir("/proc/self/fd"); err == nil {
		u.files = len(open)
	}
	return u
}
