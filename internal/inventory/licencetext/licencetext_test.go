package licencetext

import (
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/licensecheck"
)

var update = flag.Bool("update", false, "make the table anew")

// made is the matcher that licensecheck makes itself.
func made(t *testing.T) *licensecheck.Scanner {
	t.Helper()
	m, err := licensecheck.NewScanner(licensecheck.BuiltinLicenses())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// With another version of licensecheck this fails, until `make generate` has been
// run: the program would make the matcher in each run.
func TestTheTableHoldsTheMatcherThatLicensecheckMakes(t *testing.T) {
	want := made(t)
	licences := licensecheck.BuiltinLicenses()
	if *update {
		table, err := tableOf(want)
		if err != nil {
			t.Fatal(err)
		}
		packed, err := table.pack(sumOf(licences))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile("matcher.zst", packed, 0o644); err != nil {
			t.Fatal(err)
		}
		embedded = packed
	}
	got, err := fromTable(embedded, licences)
	if err != nil {
		t.Fatalf("%v: run make generate", err)
	}
	if !cmp.Equal(want, got, cmp.Exporter(func(reflect.Type) bool { return true })) {
		t.Error("the matcher of the table is another one than that which licensecheck makes: run make generate")
	}
}

// With a table that does not fit, the matcher is made from the texts, so a table
// has to be known for what it is.
func TestATableOfOtherLicencesIsNotUsed(t *testing.T) {
	licences := licensecheck.BuiltinLicenses()
	changed := licensecheck.BuiltinLicenses()
	changed[0].LRE += " and more"
	for _, c := range []struct {
		name     string
		packed   []byte
		licences []licensecheck.License
		want     string
	}{
		{"a licence less", embedded, licences[1:], "it was made of other licences"},
		{"a licence with another text", embedded, changed, "it was made of other licences"},
		{"half a table", embedded[:len(embedded)/2], licences, "read the table"},
		{"nothing", nil, licences, "it was made of other licences"},
		{"no states", packedOf(t, &table{words: []string{"a"}, states: []int32{0}}, licences)[:40], licences, "read the table"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if m, err := fromTable(c.packed, c.licences); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("matcher %v, error %v, want one about %q", m != nil, err, c.want)
			}
		})
	}
}

func packedOf(t *testing.T, table *table, licences []licensecheck.License) []byte {
	t.Helper()
	packed, err := table.pack(sumOf(licences))
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

func TestATextIsToldByTheMatcherOfTheTable(t *testing.T) {
	m, err := Matcher()
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted.\n\n" +
			"THE SOFTWARE IS PROVIDED \"AS IS\" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED " +
			"WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR " +
			"CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, " +
			"NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.": "0BSD",
		"See https://creativecommons.org/licenses/by/4.0/ for what you may do.": "CC-BY-4.0",
		"All rights reserved, and nobody may do anything.":                      "",
	} {
		var got []string
		for _, match := range m.Scan([]byte(text)).Match {
			got = append(got, match.ID)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%.50s… is %q, want %q", text, got, want)
		}
	}
}

func BenchmarkMatcherOfTheTable(b *testing.B) {
	for b.Loop() {
		if _, err := fromTable(embedded, licensecheck.BuiltinLicenses()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMatcherThatLicensecheckMakes(b *testing.B) {
	for b.Loop() {
		if _, err := licensecheck.NewScanner(licensecheck.BuiltinLicenses()); err != nil {
			b.Fatal(err)
		}
	}
}
