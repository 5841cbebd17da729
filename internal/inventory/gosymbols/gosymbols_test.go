package gosymbols

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// testBinary builds a small program with the Go toolchain that runs the tests.
func testBinary(t *testing.T, flags ...string) Set {
	t.Helper()
	dir := t.TempDir()
	source := `package main

import (
	"fmt"
	"net/url"
	"os"
	"strings"
)

type box[T any] struct{ v T }

func (b *box[T]) get() string { return fmt.Sprint(b.v) }

//go:noinline
func (b *box[T]) each(f func(T)) { func() { f(b.v) }() }

// small is inlined into main and exists nowhere else.
func small(s string) bool { return strings.HasPrefix(s, "x") }

func never() string { return strings.ToTitle("y") }

func main() {
	u, err := url.Parse("https://example.org")
	fmt.Println(u, err, (&box[int]{len(os.Args)}).get(), strings.ToUpper("x"), small(u.Host))
	(&box[string]{"x"}).each(func(s string) { fmt.Println(s) })
}
`
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "app")
	cmd := exec.Command("go", append(append([]string{"build"}, flags...), "-o", out, filepath.Join(dir, "main.go"))...)
	cmd.Env = append(os.Environ(), "GOOS=linux", "CGO_ENABLED=0", "GOFLAGS=")
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, msg)
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // only read
	s, err := Read(f)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFunctionsAreFoundThoughTheBinaryIsStripped(t *testing.T) {
	for _, flags := range [][]string{nil, {"-ldflags=-s -w"}, {"-buildmode=pie", "-ldflags=-s -w"}, {"-trimpath", "-gcflags=-l"}} {
		s := testBinary(t, flags...)
		for _, tt := range []struct {
			path, symbol string
			want         bool
		}{
			{"net/url", "Parse", true},
			{"net/url", "URL.String", true},
			{"net/url", "JoinPath", false},
			{"strings", "HasPrefix", true}, // inlined twice over
			{"strings", "ToTitle", false},
			{"main", "main", true},
			{"main", "small", true},
			{"main", "never", false},
			{"main", "box.get", true},
			{"main", "box.each", true},
			{"fmt", "Println", true},
			{"net/http", "Get", false},
		} {
			if got := s.Has(tt.path, tt.symbol); got != tt.want {
				t.Errorf("flags %q: %s.%s: %v, want %v", flags, tt.path, tt.symbol, got, tt.want)
			}
		}
		if !s.HasPackage("net/url") || s.HasPackage("net/http") || !s.HasBelow("net") || s.HasBelow("archive") {
			t.Errorf("flags %q: packages are wrong", flags)
		}
	}
}

func table(names string) []byte {
	names = "runtime.main\x00" + names
	b := binary.LittleEndian.AppendUint32(nil, go120)
	b = append(b, 0, 0, 1, 8)
	for _, n := range []int{1, 1, 0, 48, 48 + len(names)} {
		b = binary.LittleEndian.AppendUint64(b, uint64(n))
	}
	return append(b, names...)
}

func TestNamesAreReadAsTheVulnerabilityDatabaseWritesThem(t *testing.T) {
	s, err := parseBytes(table(strings.Join([]string{
		strings.Repeat("long", maxName) + "/x.Y", "golang.org/x/net/http2.(*Framer).ReadFrame", "gopkg.in/yaml%2ev3.Unmarshal", "slices.SortFunc[go.shape.[]int,go.shape.int]",
		"main.run.func1", "net/http.(*Server).Serve-fm", "type:.eq.x", "odd", "",
		"example.org/m.(*Map[go.shape.string,[]go.shape.int]).Range.func1[x]", "example.org/m.All-range1", "example.org/m.Open[",
	}, "\x00")))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range [][2]string{
		{"golang.org/x/net/http2", "Framer.ReadFrame"},
		{"gopkg.in/yaml.v3", "Unmarshal"},
		{"slices", "SortFunc"},
		{"main", "run"},
		{"net/http", "Server.Serve"},
		{"runtime", "main"},
		{"example.org/m", "Map.Range"},
		{"example.org/m", "All"},
		{"example.org/m", "Open"},
	} {
		if !s.Has(want[0], want[1]) {
			t.Errorf("%s.%s is missing", want[0], want[1])
		}
	}
}

func TestHashesAreSortedHoweverTheyAreSpread(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 31, 32, 33, 1000, 50_000} {
		for what, next := range map[string]func() uint64{
			"evenly": random.Uint64, "at the end": func() uint64 { return ^uint64(0) - random.Uint64N(100) }, "at the beginning": func() uint64 { return random.Uint64N(100) },
		} {
			list := make([]uint64, n)
			for i := range list {
				list[i] = next()
			}
			got := sortedHashes(list)
			if slices.Sort(list); !slices.Equal(got, list) {
				t.Errorf("%d hashes, spread %s, are not sorted", n, what)
			}
		}
	}
}

func parseBytes(table []byte) (Set, error) {
	return parse(bytes.NewReader(table), uint64(len(table)), binary.LittleEndian)
}

func TestTheTableOfGo116HasOneFieldLess(t *testing.T) {
	const names = "runtime.main\x00net/url.Parse\x00"
	b := binary.LittleEndian.AppendUint32(nil, go116)
	b = append(b, 0, 0, 1, 8)
	for _, n := range []int{1, 1, 48, 48 + len(names), 0} {
		b = binary.LittleEndian.AppendUint64(b, uint64(n))
	}
	s, err := parseBytes(append(b, names...))
	if err != nil || !s.Has("net/url", "Parse") {
		t.Errorf("%v, %v", s, err)
	}
}

func TestWhatIsNoGoBinaryIsRefused(t *testing.T) {
	good := table("main.main\x00")
	for why, data := range map[string][]byte{
		"empty": nil, "cut off": good[:20], "another magic": append([]byte{1, 2, 3, 4}, good[4:]...),
		"offsets behind the end": table("main.main\x00")[:50], "no runtime": bytes.Replace(table("main.main\x00"), []byte("runtime"), []byte("rundown"), 1),
		"pointers of three bytes": append(append(append([]byte{}, good[:7]...), 3), good[8:]...),
	} {
		if _, err := parseBytes(data); !errors.Is(err, ErrNoTable) {
			t.Errorf("%s: got %v, want ErrNoTable", why, err)
		}
	}
	if _, err := Read(bytes.NewReader([]byte("#!/bin/sh\n"))); !errors.Is(err, ErrNoTable) {
		t.Errorf("a script: %v", err)
	}
}

// FuzzParse checks that any table is refused with ErrNoTable or read into marks
// that can be searched.
func FuzzParse(f *testing.F) {
	f.Add(table("main.main\x00net/url.(*URL).String\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := parseBytes(data)
		if err != nil {
			if !errors.Is(err, ErrNoTable) {
				t.Fatalf("error %v does not wrap ErrNoTable", err)
			}
			return
		}
		if !s.HasPackage("runtime") || !slices.IsSorted(s) {
			t.Errorf("marks %v", s)
		}
	})
}

type panicking struct{}

func (panicking) ReadAt([]byte, int64) (int, error) { panic("index out of range") }

func TestAPanicIsATableThatCannotBeRead(t *testing.T) {
	if _, err := Read(panicking{}); err == nil || !strings.Contains(err.Error(), "index out of range") {
		t.Errorf("got %v", err)
	}
}
