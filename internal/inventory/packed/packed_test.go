package packed

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

// filler sets every field of a value, so that one which is not written shows.
type filler struct{ *rand.Rand }

func (f *filler) fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		texts := []string{"", "a", "/usr/bin/ä", fmt.Sprintf("%016x", f.Uint64()), "md5:00112233445566778899aabbccddeeff", "sha256:odd", "MD5:xx", "pkg:npm/a@1", fmt.Sprint(f.Uint32())}
		v.SetString(texts[f.IntN(len(texts))])
	case reflect.Bool:
		v.SetBool(f.IntN(2) == 0)
	case reflect.Int, reflect.Int64:
		v.SetInt([]int64{0, 1, -1, 300, 1 << 62, -1 << 63}[f.IntN(6)])
	case reflect.Uint8, reflect.Uint32, reflect.Uint64:
		v.SetUint(f.Uint64() >> f.IntN(64))
	case reflect.Pointer:
		if f.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			f.fill(v.Elem())
		}
	case reflect.Slice:
		if n := f.IntN(4); n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n-1, n-1))
			for i := range v.Len() {
				f.fill(v.Index(i))
			}
		}
	case reflect.Map:
		if n := f.IntN(4); n > 0 {
			v.Set(reflect.MakeMap(v.Type()))
			for range n - 1 {
				key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
				f.fill(key)
				f.fill(value)
				v.SetMapIndex(key, value)
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type() != reflect.TypeFor[inventory.Image]() && v.Type() != reflect.TypeFor[inventory.Subject]() {
				f.fill(v.Field(i))
			}
		}
	default:
		panic("a field of kind " + v.Kind().String())
	}
}

// filled makes an image whose every field may have any value, except that ids
// of packages differ, and that their owners are there, as Validate demands.
func filled(seed uint64) Image {
	f := filler{Rand: rand.New(rand.NewPCG(seed, 1))}
	var img Image
	f.fill(reflect.ValueOf(&img).Elem())
	img.Inventory.Image = nil
	list := img.Inventory.Packages
	for i := range list {
		if list[i].ID == "" || i > 0 {
			list[i].ID = []string{fmt.Sprintf("%016x", i+1), fmt.Sprintf("%016X", i+1<<60), fmt.Sprint(i)}[f.IntN(3)]
		}
		list[i].Owner = ""
		if f.IntN(2) == 0 {
			list[i].Owner = list[f.IntN(i+1)].ID
		}
		if name, version := told(list[i].PURL); name != "" && f.IntN(2) == 0 {
			list[i].Name, list[i].Version = name, version
		}
	}
	for _, path := range slices.Sorted(maps.Keys(img.Inventory.Owned)) {
		file := img.Inventory.Owned[path]
		if len(list) > 0 && f.IntN(2) == 0 {
			file.Package = list[f.IntN(len(list))].ID
			img.Inventory.Owned[path] = file
		}
	}
	for _, path := range slices.Sorted(maps.Keys(img.Inventory.Removed)) {
		if len(list) > 0 && f.IntN(2) == 0 {
			img.Inventory.Removed[path] = list[f.IntN(len(list))].ID
		}
	}
	return img
}

func packedForm(t testing.TB, img Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWhatIsPackedIsUnpackedInEveryField(t *testing.T) {
	for seed := range uint64(2000) {
		want := filled(seed)
		got, err := Decode(bytes.NewReader(packedForm(t, want)))
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d (-packed +unpacked):\n%s", seed, diff)
		}
	}
}

func TestTheSameImageIsTheSameBytes(t *testing.T) {
	for seed := range uint64(50) {
		if !bytes.Equal(packedForm(t, filled(seed)), packedForm(t, filled(seed))) {
			t.Fatalf("seed %d: the packed form depends on the order of a map", seed)
		}
	}
}

func TestWhatPackageURLsTellIsNotWrittenAgain(t *testing.T) {
	for _, tt := range []struct{ purl, name, version string }{
		{"pkg:npm/lodash@4.17.21", "lodash", "4.17.21"},
		{"pkg:npm/%40babel/core@7.0.0", "core", "7.0.0"},
		{"pkg:deb/debian/adduser@3.134?arch=all&distro=debian-12", "adduser", "3.134"},
		{"pkg:golang/example.org/x@v1.0.0#sub/dir@2", "x", "v1.0.0"},
		{"pkg:npm/lodash", "", ""},
		{"", "", ""},
	} {
		if name, version := told(tt.purl); name != tt.name || version != tt.version {
			t.Errorf("%s tells %q %q, want %q %q", tt.purl, name, version, tt.name, tt.version)
		}
	}
}

func TestWhatIsCutOrGoesOnIsBroken(t *testing.T) {
	whole := packedForm(t, filled(7))
	for n := range whole {
		if _, err := Decode(bytes.NewReader(whole[:n])); !errors.Is(err, ErrBroken) {
			t.Fatalf("%d of %d bytes: %v", n, len(whole), err)
		}
	}
	if _, err := Decode(bytes.NewReader(append(whole, 0))); !errors.Is(err, ErrBroken) {
		t.Errorf("with one byte more: %v", err)
	}
	failing := errors.New("the disk is gone")
	if _, err := Decode(io.MultiReader(bytes.NewReader(whole[:9]), failingReader{failing})); !errors.Is(err, failing) {
		t.Errorf("got %v, want the reader's error", err)
	}
}

type failingReader struct{ err error }

func (e failingReader) Read([]byte) (int, error) { return 0, e.err }

// What Encode did not write is refused, or is an image like any other.
func FuzzDecode(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(packedForm(f, filled(seed)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		img, err := Decode(bytes.NewReader(data))
		if err != nil {
			if !errors.Is(err, ErrBroken) {
				t.Fatalf("%v does not say that it is broken", err)
			}
			return
		}
		if img.Inventory.Validate() != nil {
			return
		}
		again, err := Decode(bytes.NewReader(packedForm(t, img)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(img, again); diff != "" {
			t.Errorf("(-first +again):\n%s", diff)
		}
	})
}

// many is an image with that many packages of an application.
func many(n int) Image {
	r := rand.New(rand.NewPCG(1, 2))
	img := Image{Inspections: layers.Inspections{Layers: 1}}
	for i := range n {
		name, version := fmt.Sprintf("package-%d", i), fmt.Sprintf("1.%d.%d", i%7, i%11)
		img.Inventory.Packages = append(img.Inventory.Packages, inventory.Package{
			ID: fmt.Sprintf("%016x", r.Uint64()), Name: name, Version: version, Type: "npm", PURL: "pkg:npm/" + name + "@" + version,
			Places: []inventory.Place{{Path: "/srv/app/node_modules/" + name + "/package.json", Layer: "sha256:one"}}, Licenses: []string{"MIT"},
		})
	}
	return img
}

func TestReadingAPackageAllocatesNothing(t *testing.T) {
	allocations := func(n int) float64 {
		data := packedForm(t, many(n))
		return testing.AllocsPerRun(5, func() {
			if _, err := Decode(bytes.NewReader(data)); err != nil {
				t.Fatal(err)
			}
		})
	}
	if few, lots := allocations(10), allocations(10_000); lots > few+10 {
		t.Errorf("10 packages take %.0f allocations, 10000 take %.0f", few, lots)
	}
}

func BenchmarkDecode(b *testing.B) {
	data := packedForm(b, many(50_000))
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := Decode(bytes.NewReader(data)); err != nil {
			b.Fatal(err)
		}
	}
}
