package kubernetes

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/exit"
)

// nested are charts of which each lies in the directory of the one before, with
// a pod that shares the host's processes in each.
func nested(depth int) []File {
	var out []File
	for i := range depth {
		dir := "web" + strings.Repeat("/x", i)
		out = append(out, files(dir+"/Chart.yaml", rootChart, dir+"/templates/bad.yaml", badPod)...)
	}
	return out
}

func TestAFileIsGivenToABoundedNumberOfChartsAroundIt(t *testing.T) {
	const depth = 5 * maxCharts
	fs := nested(depth)
	var others []ChartFile
	for i := range depth {
		others = append(others, ChartFile{Path: "web" + strings.Repeat("/x", i) + "/logo.png"})
	}
	c := sortCharts(fs, others)
	if len(c.dirs) != depth {
		t.Fatalf("%d charts, want %d", len(c.dirs), depth)
	}
	for i, dir := range c.dirs {
		want := min(maxCharts, depth-i)
		if len(c.files[dir]) != 2*want || len(c.others[dir]) != want {
			t.Errorf("chart %d is given %d files and %d others, want those of %d charts", i, len(c.files[dir]), len(c.others[dir]), want)
		}
	}
	if want := 3 * (depth - maxCharts); len(c.deep) != want {
		t.Errorf("%d files are withheld from a chart, want %d", len(c.deep), want)
	}
}

func TestChartsInOneAnotherAreAllRenderedAndDeepOnesAreTold(t *testing.T) {
	for _, depth := range []int{1, maxCharts, maxCharts + 1, 3 * maxCharts} {
		result := Lint(context.Background(), nested(depth), Options{})
		if got := places(result, "k8s-host-pid"); len(got) != depth || result.Unreadable > 0 {
			t.Errorf("%d charts: findings in %d, %d unreadable", depth, len(got), result.Unreadable)
		}
		if told := len(result.Failures) > 0; told != (depth > maxCharts) {
			t.Errorf("%d charts: failures %+v", depth, result.Failures)
		}
		for _, f := range result.Failures {
			if f.Code != exit.NotExamined || !strings.Contains(f.Message, "web/x/x/x/x/x/x/x/x/x/x") {
				t.Errorf("%d charts: failure %+v", depth, f)
			}
		}
	}
}

func TestManyChartsBesideEachOtherAreNoFailure(t *testing.T) {
	fs := files("Chart.yaml", rootChart)
	for i := range 5 * maxCharts {
		fs = append(fs, files(fmt.Sprintf("c%d/Chart.yaml", i), rootChart, fmt.Sprintf("c%d/templates/bad.yaml", i), badPod)...)
	}
	got, result := badIn(t, fs)
	if len(got) != 5*maxCharts || len(result.Failures) > 0 {
		t.Errorf("findings in %d charts, failures %+v", len(got), result.Failures)
	}
}

func TestAChartReadsFilesOfAChartInItsDirectory(t *testing.T) {
	got, _ := badIn(t, files("web/Chart.yaml", rootChart, "web/templates/a.yaml", `{{ .Files.Get "x/pod.txt" }}`,
		"web/x/Chart.yaml", rootChart, "web/x/pod.txt", badPod))
	if want := []string{"web/templates/a.yaml"}; !slices.Equal(got, want) {
		t.Errorf("found in %v, want %v", got, want)
	}
}

func TestTheChartInWhichAFileLiesIsTheInnermost(t *testing.T) {
	for _, tt := range []struct {
		dirs []string
		name string
		want string
	}{
		{nil, "a.yaml", ""},
		{[]string{"."}, "a.yaml", "."},
		{[]string{"."}, "a/b.yaml", "."},
		{[]string{"."}, ".", ""},
		{[]string{"web"}, "web", ""},
		{[]string{"web"}, "web-2/a.yaml", ""},
		{[]string{"web"}, "a.yaml", ""},
		{[]string{".", "web", "web/x/y"}, "web/x/a.yaml", "web"},
		{[]string{".", "web", "web/x/y"}, "web/x/y/a/b/c.yaml", "web/x/y"},
		{[]string{".", "web", "web/x/y"}, "web/x/y", "web"},
		{[]string{"/srv"}, "/srv/a.yaml", "/srv"},
		{[]string{"../web"}, "../web/templates/a.yaml", "../web"},
	} {
		o := newOwners(tt.dirs)
		first := o.of(tt.name)
		o.of(path.Join(tt.name, "below.yaml"))
		if again := o.of(tt.name); first != tt.want || again != tt.want {
			t.Errorf("%s in %v: %q, then %q, want %q", tt.name, tt.dirs, first, again, tt.want)
		}
	}
}

func TestADirectoryWithTwoDescriptionsIsOneChart(t *testing.T) {
	got := chartDirs(files("b/Chart.yaml", rootChart, "a/Chart.yaml", rootChart, "b/Chart.yaml", rootChart, "b/charts/s/Chart.yaml", rootChart, "b/templates/t/Chart.yaml", "x"))
	if diff := cmp.Diff([]string{"a", "b"}, got); diff != "" {
		t.Error(diff)
	}
}
