package credential_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/credential"
	"github.com/portcullis-ci/portcullis/internal/credential/credentialtest"
	"github.com/portcullis-ci/portcullis/internal/finding"
)

// Every kind of token with a checksum, and what tells those of a kind that have
// one from those that have none.
var summed = []struct{ kind, marks string }{
	{"GitHub token", "gh" + "p_"},
	{"GitHub token", "gh" + "o_"},
	{"GitHub token", "gh" + "s_"},
	{"GitHub token", "gh" + "u_"},
	{"GitHub token", "gh" + "r_"},
	{"GitLab token", ".01."},
	{"npm token", "npm" + "_"},
	{"age secret key", "AGE-"},
	{"Grafana token", "gl" + "sa_"},
	{"Atlassian token", "ATATT3"},
	{"Cloudflare token", "cf" + "ut_"},
	{"Cloudflare token", "cf" + "at_"},
	{"Microsoft Entra client secret", "8" + "Q~"},
	{"Azure storage key", "+A" + "St"},
	{"Azure Cosmos DB key", "AC" + "Db"},
	{"Azure Batch key", "+A" + "Ba"},
	{"Azure service bus key", "+A" + "Sb"},
	{"Azure event hub key", "+A" + "Eh"},
	{"Azure relay key", "+A" + "Rm"},
	{"Azure IoT key", "AI" + "oT"},
	{"Azure container registry key", "+A" + "CR"},
	{"Azure search key", "Az" + "Se"},
	{"Azure function key", "Az" + "Fu"},
	{"Azure key", "JQQ" + "J99"},
}

func TestATokenWithAWrongChecksumIsNone(t *testing.T) {
	samples := credentialtest.Secrets(t)
	s := credential.NewScanner()
	for _, c := range summed {
		t.Run(c.kind+" "+c.marks, func(t *testing.T) {
			i := slices.IndexFunc(samples, func(s credentialtest.Sample) bool {
				return s.Kind == c.kind && strings.Contains(s.Secret, c.marks)
			})
			if i < 0 {
				t.Fatal("the corpus has no such token")
			}
			token := samples[i].Secret
			found := scan(s, "/app/a.yaml", "value: "+token+"\n", 100)
			if len(found) != 1 || found[0].Kind != c.kind || !slices.ContainsFunc(found[0].Facts, isChecksum) {
				t.Fatalf("the token itself: %+v", found)
			}
			mark := strings.Index(token, c.marks)
			for _, at := range []int{mark + len(c.marks), mark - 4, len(token) - 12, len(token) - 3} {
				if at < 0 || at >= mark && at < mark+len(c.marks) || token[at] == '.' || token[at] == '=' || token[at] == '_' {
					continue
				}
				wrong := token[:at] + other(token[at]) + token[at+1:]
				found := scan(s, "/app/a.yaml", "value: "+wrong+"\n", 100)
				if c.kind == "Azure key" && len(found) == 1 {
					// Some published ones have another sum.
					if found[0].Severity != finding.Medium || found[0].Sure() {
						t.Errorf("with another character at %d: %+v, want medium and nothing about a checksum", at, found[0])
					}
					continue
				}
				if len(found) > 0 {
					t.Errorf("with another character at %d it is still a %s", at, found[0].Kind)
				}
			}
		})
	}
}

func isChecksum(f finding.Fact) bool { return f.Name == "checksum" }

// other is another character that may stand in the same place.
func other(c byte) string {
	switch {
	case c == '7':
		return "5"
	case c >= '0' && c <= '9':
		return "7"
	case c == 'B':
		return "C"
	case c >= 'A' && c <= 'Z':
		return "B"
	case c == 'd':
		return "e"
	}
	return "d"
}

// Tokens whose inside has a structure that is known.
func TestATokenWithAnotherStructureIsNone(t *testing.T) {
	s := credential.NewScanner()
	for name, token := range map[string]string{
		"PyPI, no macaroon":                    "pypi-" + "AgEIcHlwaS5vcmc" + strings.Repeat("xK9vQ2mZt7", 9),
		"Sentry, no object":                    "sntrys_" + "eyJ" + strings.Repeat("kV3mQz8w", 9) + "_" + strings.Repeat("aB3dE6g", 6) + "h",
		"Mapbox, no object":                    "sk." + "eyJ" + strings.Repeat("kV3mQz8w", 9) + "." + "aB3dE6gHi9kLm2oPq5sTu8",
		"Grafana Cloud, no object":             "glc_" + "eyJ" + strings.Repeat("kV3mQz8w", 9),
		"1Password, no object":                 "ops_" + "eyJ" + strings.Repeat("kV3mQz8w", 40),
		"Artifactory, not a reference":         "cmVmdGtu" + strings.Repeat("kV3mQz8w", 7),
		"JSON web token, the header no object": "eyJh" + strings.Repeat("kV3mQz8w", 4) + "." + "eyJ" + strings.Repeat("kV3mQz8w", 4) + "." + strings.Repeat("kV3mQz8w", 6),
	} {
		if found := scan(s, "/app/a.yaml", "value: "+token+"\n", 100); len(found) > 0 {
			t.Errorf("%s: %+v", name, found[0])
		}
	}
}
