package credential_test

import (
	"cmp"
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/credential"
	"github.com/portcullis-ci/portcullis/internal/credential/credentialtest"
)

// scan runs a file through a scanner in pieces of the given size.
func scan(s *credential.Scanner, path, content string, piece int) []credential.Match {
	s.Begin(path, []byte(content[:min(len(content), 3072)]))
	for at := 0; at < len(content); at += piece {
		s.Write([]byte(content[at:min(len(content), at+piece)]))
	}
	found, _ := s.End()
	return found
}

// tally counts how the corpus was judged.
type tally struct{ found, missed, wrong int }

// The corpus is the measure: what has to be found is, and what only looks like
// it is not. The table it prints is by kind.
func TestPrecisionAndRecallByKind(t *testing.T) {
	good, bad := credentialtest.Secrets(t), credentialtest.NearMisses(t)
	if len(good) < 150 || len(bad) < 300 {
		t.Fatalf("corpus of %d secrets and %d near misses, want 150 and 300", len(good), len(bad))
	}
	s := credential.NewScanner()
	kinds := map[string]*tally{}
	count := func(kind string) *tally {
		if kinds[kind] == nil {
			kinds[kind] = &tally{}
		}
		return kinds[kind]
	}
	for _, c := range good {
		hit := false
		for _, m := range scan(s, c.Path, c.Content, 4096) {
			at := strings.Index(c.Content, c.Secret)
			if int(m.Offset) < at+len(c.Secret) && at < int(m.Offset)+m.Length {
				hit = hit || kindOf(m) == c.Kind
			} else {
				count(kindOf(m)).wrong++
				t.Errorf("%s: wrong %s at %d in %q", c.Path, m.Kind, m.Offset, c.Content)
			}
		}
		if hit {
			count(c.Kind).found++
		} else {
			count(c.Kind).missed++
			t.Errorf("missed %s in %s: %q, found %+v", c.Kind, c.Path, c.Content, scan(s, c.Path, c.Content, 4096))
		}
	}
	wrong := map[string]int{}
	for _, c := range bad {
		for _, m := range scan(s, c.Path, c.Content, 4096) {
			count(kindOf(m)).wrong++
			wrong[c.Kind]++
			t.Errorf("%s: a near miss (%s) is reported as %s (%+v): %q", c.Path, c.Kind, m.Kind, m, c.Content)
		}
	}
	var sum tally
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		k := kinds[kind]
		sum = tally{sum.found + k.found, sum.missed + k.missed, sum.wrong + k.wrong}
		t.Logf("%-36s recall %3d/%3d  precision %3d/%3d", kind, k.found, k.found+k.missed, k.found, k.found+k.wrong)
	}
	t.Logf("%-36s recall %3d/%3d  precision %3d/%3d; %d near misses, wrong %v", "all", sum.found, sum.found+sum.missed, sum.found, sum.found+sum.wrong, len(bad), wrong)
}

// kindOf names a match as the corpus does: keys of all algorithms are one kind.
func kindOf(m credential.Match) string {
	switch m.Class {
	case credential.PrivateKey:
		return "private key"
	case credential.NamedValue:
		return "named value"
	case credential.URLPassword:
		if m.Kind == "password on a command line" {
			return "named value"
		}
	}
	return cmp.Or(map[string]string{"AWS access key id": "AWS access key"}[m.Kind], m.Kind)
}

func TestNoMatchHoldsItsValue(t *testing.T) {
	s := credential.NewScanner()
	for _, c := range credentialtest.Secrets(t) {
		for _, m := range scan(s, c.Path, c.Content, 4096) {
			text := m.Redacted + m.Fingerprint + m.Kind + m.Name
			for _, f := range m.Facts {
				text += f.Name + f.Value
			}
			if strings.Contains(text, c.Secret) || len(c.Secret) > 12 && strings.Contains(text, c.Secret[len(c.Secret)-8:]) {
				t.Errorf("%s: the match shows the value: %+v", c.Path, m)
			}
		}
	}
}

// A word above the place where published packages lie is the user's own name for
// something, and says nothing of what is below.
func TestNamesOfTheUsersOwnDirectoriesExcuseNothing(t *testing.T) {
	content := `{"password": "Tr0ub4dor3xQ9zz` + `K"}`
	s := credential.NewScanner()
	for path, want := range map[string]int{
		"/srv/test-shop/vendor/a/conf.json":         1,
		"/var/www/shop.example/vendor/a/conf.json":  1,
		"/opt/app/node_modules/x/conf.json":         1,
		"/opt/app/node_modules/x/test-x/conf.json":  0,
		"/opt/demo/node_modules/demo-kit/conf.json": 0,
	} {
		if got := scan(s, path, content, 1000); len(got) != want {
			t.Errorf("%s: %d matches, want %d", path, len(got), want)
		}
	}
}

func TestAPassphraseInBase64IsFound(t *testing.T) {
	passphrase := "correct Horse7 " + "battery9 Staple"
	content := "password: " + base64.StdEncoding.EncodeToString([]byte(passphrase)) + "\n"
	if got := scan(credential.NewScanner(), "/app/secret.yaml", content, 1000); len(got) != 1 {
		t.Errorf("%d matches", len(got))
	}
}

func TestEveryLoginOfAMailRelayIsListed(t *testing.T) {
	s := credential.NewScanner()
	found := scan(s, "/etc/postfix/sasl_passwd", "# relays\na.example ci:Brieft4ube\nb.example ci:${PASSWORD}\nc.example ci:Fl4schenpost\n", 100)
	if len(found) != 2 || found[0].Line != 2 || found[1].Line != 4 {
		t.Errorf("found %+v, want those of the lines 2 and 4", found)
	}
}

func TestKindsHaveTheArticleThatIsSpoken(t *testing.T) {
	for kind, want := range map[string]string{
		"GitHub token": "a GitHub token", "SSH private key": "an SSH private key", "RSA private key": "an RSA private key",
		"EC private key": "an EC private key", "DSA private key": "a DSA private key", "AWS access key": "an AWS access key",
		"npm token": "an npm token", "xAI key": "an xAI key", "password in a URL": "a password in a URL",
	} {
		if got := (credential.Match{Kind: kind}).Described(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
