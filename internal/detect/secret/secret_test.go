package secret_test

import (
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/detect/secret"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/layers"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// inspect packs layers and has the inspector read them.
func inspect(t testing.TB, all ...[]imagetest.File) (*layers.Inspections, []string) {
	t.Helper()
	var blobs []layers.Blob
	var ids []string
	for _, files := range all {
		raw, err := imagetest.Tar(files...)
		if err != nil {
			t.Fatal(err)
		}
		l, err := imagetest.NewLayer(raw, imagetest.Gzip)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, l.ClaimedDiffID.String())
		blobs = append(blobs, layers.Blob{
			DiffID: l.ClaimedDiffID.String(), Digest: l.ClaimedDigest.String(), Size: l.ClaimedSize,
			Open: func(context.Context) (io.ReadCloser, error) { return l.Compressed() },
		})
	}
	x, err := layers.Read(t.Context(), blobs, layers.Selector{Inspectors: []layers.Inspector{secret.Inspector{}}}, layers.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = x.Close() }()
	return x.Inspections(), ids
}

func check(t testing.TB, opts secret.Options, all ...[]imagetest.File) secret.Result {
	t.Helper()
	in, ids := inspect(t, all...)
	opts.Target, opts.Layers = "shop/web", ids
	result, err := secret.Check(in, opts)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range result.Findings {
		if err := f.Validate(); err != nil {
			t.Error(err)
		}
	}
	return result
}

func TestExamplesOfRules(t *testing.T) {
	if _, err := rules.NewCatalogue(secret.Rules()); err != nil {
		t.Fatal(err)
	}
	files := func(text string) []imagetest.File {
		var e struct{ Path, Content string }
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return []imagetest.File{imagetest.Text(strings.TrimPrefix(e.Path, "/"), e.Content)}
	}
	for _, r := range secret.Rules() {
		t.Run(r.ID, func(t *testing.T) {
			var got []string
			for _, f := range check(t, secret.Options{}, files(r.Bad)).Findings {
				got = append(got, f.RuleID)
			}
			if diff := cmp.Diff([]string{r.ID}, got); diff != "" {
				t.Errorf("the bad example (-want +got):\n%s", diff)
			}
			if got := check(t, secret.Options{}, files(r.Good)).Findings; len(got) > 0 {
				t.Errorf("the good example breaks %v", got)
			}
		})
	}
}

const setting = "DB_PASSWORD=Tr0ub4dor-and-3\n"

func TestSecretsOfDeletedAndReplacedFilesAreToldWithTheirLayer(t *testing.T) {
	text := imagetest.Text
	for name, tc := range map[string]struct {
		layers [][]imagetest.File
		hidden bool
		places int
	}{
		"a file that stays":                {[][]imagetest.File{{text("app/.env", setting)}, {text("b", "x")}}, false, 1},
		"a file that a whiteout deletes":   {[][]imagetest.File{{text("app/.env", setting)}, {text("app/.wh..env", "")}}, true, 1},
		"a directory that is deleted":      {[][]imagetest.File{{text("app/.env", setting)}, {text(".wh.app", "")}}, true, 1},
		"a file that is overwritten":       {[][]imagetest.File{{text("app/.env", setting)}, {text("app/.env", "PORT=80\n")}}, true, 1},
		"a file that is written twice":     {[][]imagetest.File{{text("app/.env", setting)}, {text("app/.env", "# again\n"+setting)}}, false, 2},
		"a file under an opaque directory": {[][]imagetest.File{{text("app/.env", setting)}, {text("app/.wh..wh..opq", ""), text("app/x", "y")}}, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			in, ids := inspect(t, tc.layers...)
			r, err := secret.Check(in, secret.Options{Target: "shop/web", Layers: ids})
			if err != nil || len(r.Findings) != 1 {
				t.Fatalf("findings = %+v, %v; want one", r.Findings, err)
			}
			f := r.Findings[0]
			if len(f.Locations) != tc.places {
				t.Errorf("places = %+v, want %d", f.Locations, tc.places)
			}
			wantLayer := ids[0]
			if tc.places == 2 {
				wantLayer = ids[1]
			}
			if f.Locations[0].Layer != wantLayer || f.Locations[0].Path != "/app/.env" {
				t.Errorf("first place = %+v, want layer %s", f.Locations[0], wantLayer)
			}
			if got := strings.Contains(f.Message, "layer 1 of 2") && strings.Contains(f.Locations[0].Note, "deleted or replaced"); got != tc.hidden {
				t.Errorf("message %q, note %q; hidden = %v", f.Message, f.Locations[0].Note, tc.hidden)
			}
		})
	}
}

func TestSecretsInWhiteoutsAreFound(t *testing.T) {
	layer := []imagetest.File{imagetest.Text("app/.wh.a.env", setting), imagetest.Text("srv/.wh..wh..opq", setting), imagetest.Text("app/.wh.b.env", "")}
	var got []string
	for _, f := range check(t, secret.Options{}, []imagetest.File{imagetest.Text("app/a.env", "A=1 and more\n")}, layer).Findings {
		got = append(got, f.RuleID+" "+f.Locations[0].Path+f.Locations[0].Note)
	}
	if want := []string{"secret-named-value /app/.wh.a.env", "secret-named-value /srv/.wh..wh..opq"}; !slices.Equal(got, want) {
		t.Errorf("findings = %v, want %v", got, want)
	}
}

func TestUnchangedFilesOfPackagesAreLeftOut(t *testing.T) {
	files := []imagetest.File{imagetest.Text("app/.env", setting)}
	unchanged := secret.Options{Unchanged: func(secret.Content) bool { return true }}
	if r := check(t, unchanged, []imagetest.File{imagetest.Text("etc/x/.env", setting)}); len(r.Findings) != 0 || r.Unchanged != 1 {
		t.Errorf("an unchanged file of a package: %+v", r)
	}
	if r := check(t, unchanged, files); len(r.Findings) != 1 || r.Unchanged != 0 {
		t.Errorf("a file where no distribution installs: %+v", r)
	}
	if r := check(t, secret.Options{Unchanged: func(secret.Content) bool { return false }}, files); len(r.Findings) != 1 || r.Unchanged != 0 {
		t.Errorf("a changed file of a package: %+v", r)
	}
}

func TestTokensThatHaveEndedAreLow(t *testing.T) {
	var example struct{ Content string }
	if err := json.Unmarshal([]byte(secret.Rules()[0].Bad), &example); err != nil {
		t.Fatal(err)
	}
	// {"sub":"shop","exp":1600000000}
	token := strings.Replace(example.Content, "eyJzdWIiOiJzaG9wLWRlcGxveSIsImlzcyI6ImxvZ2luIn0", "eyJzdWIiOiJzaG9wIiwiZXhwIjoxNjAwMDAwMDAwfQ", 1)
	for now, want := range map[int64]finding.Severity{1_500_000_000: finding.High, 1_700_000_000: finding.Low} {
		r := check(t, secret.Options{Now: time.Unix(now, 0)}, []imagetest.File{imagetest.Text("a.js", token)})
		if len(r.Findings) != 1 || r.Findings[0].Severity != want || !slices.Contains(r.Findings[0].Evidence, finding.Fact{Name: "expires", Value: "2020-09-13T12:26:40Z"}) {
			t.Errorf("at %d: %+v, want %s", now, r.Findings, want)
		}
	}
}

func TestFingerprintsFollowTheValueAndNotTheLine(t *testing.T) {
	of := func(text string) string {
		r := check(t, secret.Options{}, []imagetest.File{imagetest.Text("app/conf.json", text)})
		if len(r.Findings) != 1 {
			t.Fatalf("%s: %+v", text, r.Findings)
		}
		return r.Findings[0].Fingerprint
	}
	a, b := "q2Zr8LkxT4mVb1sYd7NcWf3GhJ6pQ", "Z9Kx3Wq7Lm2Vb8Nc4Tf6Hj1Gd5Rs0"
	one := of(`{"apiToken": "` + a + `"}`)
	if moved := of("\n\n{\"x\": 1, \"apiToken\": \"" + a + `"}`); moved != one {
		t.Error("another line makes another fingerprint")
	}
	if other := of(`{"apiToken": "` + b + `"}`); other == one {
		t.Error("another value has the same fingerprint")
	}
}

func TestRecordsHoldNoValue(t *testing.T) {
	in, _ := inspect(t, []imagetest.File{imagetest.Text("app/.env", setting)})
	if got := string(in.Result(secret.Inspector{}.Name(), 0)); !strings.Contains(got, "DB_PASSWORD") || strings.Contains(got, "Tr0ub4dor") {
		t.Errorf("record = %s", got)
	}
}
