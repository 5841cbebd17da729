package credential_test

import (
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/credential"
	"github.com/portcullis-ci/portcullis/internal/credential/credentialtest"
)

func TestTextsHaveAFingerprintWhereNothingInItCanBeGuessed(t *testing.T) {
	const one, other = "q2Zr8LkxT4mVb1sYd7NcWf3GhJ6pQ", "Z9Kx3Wq7Lm2Vb8Nc4Tf6Hj1Gd5Rs0"
	for name, tc := range map[string]struct {
		form string
		has  bool
	}{
		"a value":                   {"%", true},
		"one in quotes":             {`"%"`, true},
		"an option":                 {"--db-password=%", true},
		"a header in a script":      {"curl -H 'Authorization: Bearer %' https://a.shop.de", true},
		"a line of settings":        {"db.password = %\n", true},
		"what stands around blanks": {"see % there", false},
	} {
		of := func(value string) string { return credential.FingerprintOf(replaced(tc.form, value)) }
		if (of(one) != "") != tc.has || tc.has && of(one) == of(other) {
			t.Errorf("%s: fingerprints %q and %q, want some = %v", name, of(one), of(other), tc.has)
		}
	}
	for _, guessable := range []string{
		"", "hunter2", "Tr0ub4dor-and-3", "--password=hunter2hunter2", "postgres://app:s3cret9w@db7.x1.y2:5432/a1", "jdbc:mysql://d1b2/x3?user=a1&password=h4nter2", "a b c", "-x",
	} {
		if f := credential.FingerprintOf(guessable); f != "" {
			t.Errorf("%s: fingerprint %q, want none", guessable, f)
		}
	}
	a, b := credentialtest.GitHubToken(1), credentialtest.GitHubToken(2)
	if both, swapped, first := credential.FingerprintOf(a+"\n"+b), credential.FingerprintOf(b+"\n"+a+"\n"+a), credential.FingerprintOf(a); both != swapped || both == first {
		t.Errorf("two tokens: %q, in the other order %q, one of them %q", both, swapped, first)
	}
}

func replaced(form, value string) string { return strings.ReplaceAll(form, "%", value) }
