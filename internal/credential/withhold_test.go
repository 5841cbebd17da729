package credential_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/credential"
	"github.com/portcullis-ci/portcullis/internal/credential/credentialtest"
)

func TestWithholdTakesValuesOutOfTexts(t *testing.T) {
	for in, want := range map[string]string{
		"":          "",
		"no secret": "no secret",
		"git+https://ci:q7wZr2Lk9x@git.shop.de/a":                                    "git+https://ci:(withheld)@git.shop.de/a",
		"pkg:pypi/a@1?vcs_url=git%2Bhttps%3A%2F%2Fci%3Aq7wZr2Lk9x%40git.shop.de%2Fa": "pkg:pypi/a@1?vcs_url=git%2Bhttps%3A%2F%2Fci%3A(withheld)%40git.shop.de%2Fa",
		"pkg:npm/%40scope/a@1.0.0":                                                   "pkg:npm/%40scope/a@1.0.0",
		"https://registry.npmjs.org/a/-/a-1.tgz":                                     "https://registry.npmjs.org/a/-/a-1.tgz",
	} {
		if got := credential.Withhold(in); got != want {
			t.Errorf("Withhold(%q) = %q, want %q", in, got, want)
		}
	}
	var many []string
	for range 200 {
		many = append(many, "https://ci:q7wZr2Lk9x@git.shop.de/a")
	}
	if got := credential.Withhold(strings.Join(many, " ")); strings.Contains(got, "q7wZr2Lk9x") || strings.Count(got, "git.shop.de") != 200 {
		t.Errorf("of many values some are left: %.200s", got)
	}
}

func TestWithholdTakesEveryTokenOutOfJSON(t *testing.T) {
	for _, s := range credentialtest.Secrets(t) {
		if s.Kind == "named value" || s.Kind == "AWS access key" {
			continue // nothing but the name or the neighbour tells
		}
		doc, err := json.Marshal(map[string]any{"a": []string{s.Content, "x"}, "b\"\\": 1, "purl": "pkg:generic/a?download_url=" + url.QueryEscape("https://u:"+"Zk81mQx7"+"@h.de/")})
		if err != nil {
			t.Fatal(err)
		}
		got := credential.WithholdJSON(doc)
		var back map[string]any
		if err := json.Unmarshal(got, &back); err != nil {
			t.Errorf("%s: %v in %s", s.Kind, err, got)
			continue
		}
		if text := back["a"].([]any)[0].(string); strings.Contains(text, s.Secret) || strings.Contains(string(got), "Zk81mQx7") || back["a"].([]any)[1] != "x" {
			t.Errorf("%s: the value is left in %s", s.Kind, got)
		}
	}
	if doc := []byte(`{"a": "b", "c": "unterminated`); string(credential.WithholdJSON(doc)) != string(doc) {
		t.Error("a document without a secret was changed")
	}
}

func TestACPEWithAPasswordIsWithheld(t *testing.T) {
	doc := []byte(`{"a":"cpe:2.3:a:x:x:git\\+https\\:\\/\\/bob\\:q7wZr2Lk9x\\@git.shop.de\\/a:*:*:*:*:*:*:*","b":"cpe:2.3:a:x:x:1.0:*:*:*:*:*:*:*"}`)
	got := string(credential.WithholdJSON(doc))
	if strings.Contains(got, "q7wZr2Lk9x") || !strings.Contains(got, "cpe:2.3:a:x:x:1.0:") || !json.Valid([]byte(got)) {
		t.Errorf("%s", got)
	}
}
