package gate

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/credential/credentialtest"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// secretsOf are the findings of secrets in an image with one file.
func secretsOf(t *testing.T, path, text string, rules map[string]RuleSetting) []finding.Finding {
	t.Helper()
	img, err := imagetest.New().Layer("ADD rootfs /", append(imagetest.Alpine("3.20.1"), imagetest.Text(path, text))...).Image()
	if err != nil {
		t.Fatal(err)
	}
	layout := t.TempDir()
	if err := imagetest.WriteLayout(layout, "", img); err != nil {
		t.Fatal(err)
	}
	req := Request{Image: target.Request{Reference: "oci:" + layout}, Name: "shop/web", SkipVulnerabilities: true, Rules: rules}
	result, err := Run(t.Context(), req, environment(t, nil))
	if err != nil || len(result.Outcome.Failures) > 0 {
		t.Fatalf("%v, %+v", err, result.Outcome.Failures)
	}
	return slices.DeleteFunc(result.Outcome.Findings, func(f finding.Finding) bool { return f.Kind != finding.Secret })
}

func TestACredentialIsToldOnceAndHidesNoOther(t *testing.T) {
	token, password := credentialtest.GitHubToken(1), "Tr0ub4dor-and-3"
	const junk = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk=\n-----END OPENSSH PRIVATE KEY-----\n"
	const key = "-----BEGIN EC PRIVATE KEY-----\n" +
		"MHcCAQEEIIrYSSNQFaA2Hwf1duRSxKtLYX5CB04fSeQ6tF1aY/PuoAoGCCqGSM49\n" +
		"AwEHoUQDQgAEPR3tU2Fta9ktY+6P9G0cWO+0kETA6SFs38GecTyudlHz6xvCdz8q\n" +
		"EKTcWGekdmdDPsHloRNtsiCa697B2O9IFA==\n-----END EC PRIVATE KEY-----\n"
	off := func(id string) map[string]RuleSetting { return map[string]RuleSetting{id: {Off: true}} }
	low := finding.Low
	for name, tc := range map[string]struct {
		path, text string
		rules      map[string]RuleSetting
		want       []string
	}{
		"a token behind the head of a key that is none": {"root/.ssh/id_rsa", junk + "token " + token + "\n", nil, []string{"secret-token critical"}},
		"the head of a key alone":                       {"root/.ssh/id_rsa", junk, nil, []string{"image-ssh-key low"}},
		"a key":                                         {"root/.ssh/id_ecdsa", key, nil, []string{"secret-private-key low"}},
		"a token in a file for credentials":             {"app/.npmrc", "//npm.example/:_authToken=" + token + "\n", nil, []string{"secret-token critical"}},
		"two credentials in one":                        {"app/.npmrc", "//a/:_authToken=" + token + "\n//b/:_authToken=" + password + "\n", nil, []string{"secret-token critical", "secret-named-value high"}},
		"a password":                                    {"root/.netrc", "machine a login ci password " + password + "\n", nil, []string{"secret-named-value high"}},
		"a password in a form that only the file has":   {"root/.pgpass", "*:*:*:app:" + password + "\n", nil, []string{"image-credential-file high"}},
		"a password of which the file says more":        {"root/.netrc", "machine a login ci password sunflower\n", nil, []string{"image-credential-file high", "secret-named-value medium"}},
		"a hash beside a token":                         {"etc/shadow", "a:$6$saltsalt$0123456789abcdefghijklmnopqrstuvwxyz:1::::::\nb:" + token + ":1::::::\n", nil, []string{"secret-token critical", "image-password-hash medium"}},
		"a match whose rule is off":                     {"root/.netrc", "machine a login ci password " + password + "\n", off("secret-named-value"), []string{"image-credential-file high"}},
		"a match whose rule is low":                     {"root/.netrc", "machine a login ci password " + password + "\n", map[string]RuleSetting{"secret-named-value": {Severity: &low}}, []string{"image-credential-file high", "secret-named-value low"}},
		"a file whose rule is off":                      {"root/.netrc", "machine a login ci password " + password + "\n", off("image-credential-file"), []string{"secret-named-value high"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range secretsOf(t, tc.path, tc.text, tc.rules) {
				got = append(got, f.RuleID+" "+f.Severity.String())
			}
			slices.Sort(got)
			slices.Sort(tc.want)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnotherTokenInAFileForCredentialsIsNotKnown(t *testing.T) {
	line := func(seed byte) string { return "//npm.example/:_authToken=" + credentialtest.GitHubToken(seed) + "\n" }
	before := secretsOf(t, "app/.npmrc", line(1), nil)
	known := func(f finding.Finding) bool {
		return slices.ContainsFunc(before, func(b finding.Finding) bool { return b.Fingerprint == f.Fingerprint })
	}
	for name, tc := range map[string]struct {
		text  string
		fresh int
	}{
		"the same one":     {"# moved\n" + line(1), 0},
		"another one more": {line(1) + line(2), 1},
		"another one":      {line(2), 1},
	} {
		fresh := slices.DeleteFunc(secretsOf(t, "app/.npmrc", tc.text, nil), known)
		if len(fresh) != tc.fresh {
			t.Errorf("%s: %d findings that the first image had not, want %d: %+v", name, len(fresh), tc.fresh, fresh)
		}
	}
}
