package syftcatalog

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/kastenhq/goversion/version"

	"github.com/portcullis-ci/portcullis/internal/inventory/gosymbols"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

// GoProgram builds a small program, so that there is a real Go binary.
func GoProgram(t testing.TB, linkerFlags string) []byte {
	t.Helper()
	return buildGo(t, "package main\n\nfunc main() { println(\"hello\") }\n", linkerFlags)
}

func buildGo(t testing.TB, source, linkerFlags string) []byte {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module example.org/hello\n\ngo 1.21\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags="+linkerFlags, "-o", "hello", ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOOS=linux")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	data, err := os.ReadFile(filepath.Join(dir, "hello"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// thisProgram returns the test program, a large one that holds every signature.
func thisProgram(t *testing.T) []byte {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the test program is no ELF file here")
	}
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// sum is the size of ranges that do not overlap.
func sum(ranges []layers.Range) (size int64) {
	for _, r := range ranges {
		size += max(0, r.Size)
	}
	return size
}

func TestAFewPartsOfAGoProgramTellTheSame(t *testing.T) {
	data := thisProgram(t)
	size := int64(len(data))
	all := uint32(goBuildInfo | cargoAuditable | packageNote | nativeImage | dotnetBundle)
	for n, s := range signatures {
		if all>>n&1 == 1 && !bytes.Contains(data, s.Bytes) {
			t.Fatalf("signature %d is not in the test program", n)
		}
	}
	counting, kept, ok := executableParts{}.Keep(all, bytes.NewReader(data), size)
	if !ok || counting != goBuildInfo {
		t.Fatalf("signatures %b count, %v; want those of Go alone", counting, ok)
	}
	if got := sum(kept); got > size/2 {
		t.Errorf("%d of %d bytes are kept", got, size)
	}
	holed := make([]byte, size)
	for _, k := range kept {
		copy(holed[k.Offset:k.Offset+k.Size], data[k.Offset:])
	}
	want, err := gosymbols.Read(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	got, err := gosymbols.Read(bytes.NewReader(holed))
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%d functions with holes and %d without: %v", len(got), len(want), err)
	}
	again, _, ok := executableParts{}.Keep(all, bytes.NewReader(holed), size)
	if !ok || again != goBuildInfo {
		t.Errorf("with holes the signatures %b count, %v", again, ok)
	}
}

func TestFewSymbolsOfAGoProgramTellTheSame(t *testing.T) {
	data := buildGo(t, `package main

import "crypto/sha1"

func main() {
	h := sha1.New()
	h.Write([]byte("x"))
	println(len(h.Sum(nil)))
}
`, "")
	want, err := version.ReadExeFromReader(bytes.NewReader(data))
	if err != nil || !want.StandardCrypto || want.Release == "" {
		t.Fatalf("the program tells %+v, %v; want it to have cryptography of the standard library", want, err)
	}
	_, kept, ok := executableParts{}.Keep(goBuildInfo, bytes.NewReader(data), int64(len(data)))
	if !ok {
		t.Fatal("all of the program is kept")
	}
	holed := make([]byte, len(data))
	for _, k := range kept {
		copy(holed[k.Offset:k.Offset+k.Size], data[k.Offset:])
	}
	f, err := elf.NewFile(bytes.NewReader(holed))
	if err != nil {
		t.Fatal(err)
	}
	symbols, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	named := slices.DeleteFunc(symbols, func(s elf.Symbol) bool { return s.Name == "" })
	if len(named) == 0 || len(named) > len(symbols)/10 {
		t.Errorf("%d of %d symbols are kept", len(named), len(symbols))
	}
	got, err := version.ReadExeFromReader(bytes.NewReader(holed))
	if err != nil || len(got.Release) != len(want.Release) || got.StandardCrypto != want.StandardCrypto || got.BoringCrypto != want.BoringCrypto || got.FIPSOnly != want.FIPSOnly {
		t.Errorf("the symbols that are kept tell %+v, %v; all of them %+v", got, err, want)
	}
}

func TestAllSymbolsAreKeptWhereTheirPartsTellSomething(t *testing.T) {
	data := buildGo(t, "package main\n\n//go:noinline\nfunc _Cfunc__goboringcrypto_x() { println() }\n\nfunc main() { _Cfunc__goboringcrypto_x() }\n", "")
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	_, kept, ok := executableParts{}.Keep(goBuildInfo, bytes.NewReader(data), int64(len(data)))
	symbols := f.SectionByType(elf.SHT_SYMTAB)
	if !ok || !slices.Contains(kept, layers.Range{Offset: int64(symbols.Offset), Size: int64(symbols.FileSize)}) {
		t.Errorf("of %d bytes of symbols, parts are kept; %v", symbols.FileSize, ok)
	}
}

func TestWhatIsHeldOfAGoProgramIsEnoughToChoose(t *testing.T) {
	data := GoProgram(t, "")
	size := int64(len(data))
	hold, ok := executableParts{}.Hold(bytes.NewReader(data[:64<<10]), size)
	if !ok {
		t.Fatal("the program has to be held whole")
	}
	held := make([]byte, size)
	for _, h := range hold {
		if h.Size > 0 {
			copy(held[h.Offset:h.Offset+h.Size], data[h.Offset:])
		}
	}
	_, want, _ := executableParts{}.Keep(goBuildInfo, bytes.NewReader(data), size)
	_, kept, ok := executableParts{}.Keep(goBuildInfo, bytes.NewReader(held), size)
	if !ok || !slices.Equal(kept, want) {
		t.Fatalf("by what is held other parts are chosen, %v", ok)
	}
	for _, k := range kept {
		if !bytes.Equal(held[k.Offset:k.Offset+k.Size], data[k.Offset:k.Offset+k.Size]) {
			t.Errorf("%d bytes at %d are kept and not held", k.Size, k.Offset)
		}
	}
}

func TestProgramsThatAreBrokenOrNotOfGoAreKeptWhole(t *testing.T) {
	data := thisProgram(t)
	if _, _, ok := (executableParts{}).Keep(goBuildInfo|upxPacked, bytes.NewReader(data), int64(len(data))); ok {
		t.Error("a packed program is kept in parts")
	}
	for _, cut := range []int{0, 3, 15, 64, 4096, 1 << 20, len(data) - 1} {
		signs, _, ok := executableParts{}.Keep(goBuildInfo, bytes.NewReader(data[:cut]), int64(cut))
		if ok || signs != goBuildInfo {
			t.Errorf("%d bytes: signatures %b, in parts %v", cut, signs, ok)
		}
	}
}

func TestVeryLargeProgramsOfOtherLinkersAreNotHeld(t *testing.T) {
	other := append([]byte("\x7fELF\x02\x01\x01\x00"), make([]byte, 100_000)...)
	other[0x28+4] = 1 // the section table is behind the beginning
	noted := bytes.Clone(other)
	copy(noted[1000:], "\x04\x00\x00\x00\x53\x00\x00\x00\x04\x00\x00\x00Go\x00\x00")
	for name, tc := range map[string]struct {
		head  []byte
		size  int64
		whole bool
	}{
		"large": {other, 20 << 20, true}, "very large": {other, 100 << 20, false}, "very large, of Go": {noted, 100 << 20, true},
	} {
		held, ok := executableParts{}.Hold(bytes.NewReader(tc.head), tc.size)
		if ok == tc.whole || ok && sum(held) > 64<<10 {
			t.Errorf("%s: %d bytes are held, in parts %v", name, sum(held), ok)
		}
	}
}
