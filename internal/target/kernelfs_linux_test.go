package target

import (
	"os"
	"testing"
)

func TestWhereTheKernelShowsItselfIsNoPartOfARootFS(t *testing.T) {
	root, err := os.Lstat("/")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{"/": false, "/proc": true, "/sys": true, "/etc": false, "/dev": false, "/tmp": false, t.TempDir(): false} {
		info, err := os.Lstat(path)
		if err != nil {
			t.Logf("%s is not there: %v", path, err)
			continue
		}
		if got := isKernels(path, info, deviceOf(root)); got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	// Nobody asks for it, but who names it gets it.
	info, err := os.Lstat("/proc")
	if err == nil && isKernels("/proc", info, deviceOf(info)) {
		t.Error("the top of what is examined is left out")
	}
}
