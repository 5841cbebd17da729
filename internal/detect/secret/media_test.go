package secret_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/credential/credentialtest"
	"github.com/portcullis-ci/portcullis/internal/detect/secret"
	"github.com/portcullis-ci/portcullis/internal/imagetest"
)

// The first bytes of images and sounds make no file one, and a real one may have
// anything behind them.
func TestNothingIsPassedOverForItsFirstBytes(t *testing.T) {
	tok := credentialtest.GitHubToken(1)
	env := "\nGITHUB_TOKEN=" + tok + "\n" + setting
	both, token := []string{"secret-named-value", "secret-token"}, []string{"secret-token"}
	const png = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
	for name, tc := range map[string]struct {
		path, text string
		want       []string
	}{
		"settings behind ID3":              {"srv/.env", "ID3=x" + env, both},
		"settings behind RIFF":             {"srv/.env", "RIFF=x" + env, both},
		"settings behind OggS":             {"srv/.env", "OggS=x" + env, both},
		"settings behind wOF":              {"srv/.env", "wOF=x" + env, both},
		"a script behind GIF8":             {"srv/a.sh", "GIF8=1" + env, token},
		"settings behind the name of PNG":  {"srv/.env", "\x89PNG=x" + env, both},
		"a token in a picture":             {"srv/a.png", png + env, token},
		"a token in a picture of a zip":    {"srv/a.zip", jar(t, imagetest.Text("a.png", png+env)), token},
		"a token in a GIF":                 {"srv/a.gif", "GIF89a\x01\x00\x01\x00\x80\x00\x00" + env, token},
		"a token in a sound":               {"srv/a.mp3", "ID3\x03\x00\x00\x00\x00\x00\x21" + env, token},
		"what looks like settings in one":  {"srv/a.png", png + "\n" + setting, nil},
		"a picture without any text in it": {"srv/a.png", png, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			r := check(t, secret.Options{}, []imagetest.File{imagetest.Text(tc.path, tc.text)})
			for _, f := range r.Findings {
				got = append(got, f.RuleID)
			}
			slices.Sort(got)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if r.Files != 1 || len(r.Unreadable) > 0 {
				t.Errorf("%d files searched, gaps %v", r.Files, r.Unreadable)
			}
		})
	}
}
