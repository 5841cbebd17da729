package credential

import (
	"bytes"
	"reflect"
	"strings"

	"github.com/google/osv-scalibr/veles"
	"github.com/google/osv-scalibr/veles/secrets/anthropicapikey"
	"github.com/google/osv-scalibr/veles/secrets/circleci"
	"github.com/google/osv-scalibr/veles/secrets/cratesioapitoken"
	"github.com/google/osv-scalibr/veles/secrets/cursorapikey"
	"github.com/google/osv-scalibr/veles/secrets/denopat"
	"github.com/google/osv-scalibr/veles/secrets/digitaloceanapikey"
	"github.com/google/osv-scalibr/veles/secrets/dockerhubpat"
	"github.com/google/osv-scalibr/veles/secrets/elasticcloudapikey"
	"github.com/google/osv-scalibr/veles/secrets/gcpapikey"
	"github.com/google/osv-scalibr/veles/secrets/gcpexpressmode"
	"github.com/google/osv-scalibr/veles/secrets/gcpoauth2access"
	"github.com/google/osv-scalibr/veles/secrets/github"
	"github.com/google/osv-scalibr/veles/secrets/grokxaiapikey"
	"github.com/google/osv-scalibr/veles/secrets/herokuplatformkey"
	"github.com/google/osv-scalibr/veles/secrets/onepasswordkeys"
	"github.com/google/osv-scalibr/veles/secrets/openai"
	"github.com/google/osv-scalibr/veles/secrets/openrouter"
	"github.com/google/osv-scalibr/veles/secrets/packagist"
	"github.com/google/osv-scalibr/veles/secrets/paystacksecretkey"
	"github.com/google/osv-scalibr/veles/secrets/perplexityapikey"
	"github.com/google/osv-scalibr/veles/secrets/postmanapikey"
	"github.com/google/osv-scalibr/veles/secrets/rubygemsapikey"
	"github.com/google/osv-scalibr/veles/secrets/sendgrid"
	"github.com/google/osv-scalibr/veles/secrets/slacktoken"
	"github.com/google/osv-scalibr/veles/secrets/squareapikey"
	"github.com/google/osv-scalibr/veles/secrets/stripeapikeys"
	"github.com/google/osv-scalibr/veles/secrets/supabase"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// detector is a detector of osv-scalibr's veles, a maintained library of
// secret detectors. It is asked only where one of its prefixes stands.
type detector struct {
	kind     string
	prefixes []string
	veles    veles.Detector
	severity finding.Severity
	// proves says that the detector verifies a checksum.
	proves bool
	// rough, as in format.
	rough bool
	// least is the length that real tokens have at least, where the detector
	// takes shorter ones.
	least int
}

// library lists the detectors. Left out are those for which a wrong report is
// likely without the network, and those of which formats knows more.
func library() []detector {
	in := func(prefixes ...string) []string { return prefixes }
	return []detector{
		{kind: "GitHub token", prefixes: in("ghp_", "Z2hwX"), veles: github.NewClassicPATDetector(), proves: true},
		{kind: "GitHub token", prefixes: in("gho_", "Z2hvX"), veles: github.NewOAuthTokenDetector(), proves: true},
		{kind: "GitHub token", prefixes: in("ghs_", "Z2hzX"), veles: github.NewAppS2STokenDetector(), proves: true},
		{kind: "GitHub token", prefixes: in("ghu_", "Z2h1X"), veles: github.NewAppU2SDetector(), proves: true},
		{kind: "GitHub token", prefixes: in("ghr_", "Z2hyX"), veles: github.NewAppRefreshTokenDetector(), proves: true},
		{kind: "GitHub token", prefixes: in("github_pat_", "Z2l0aHViX3BhdF"), veles: github.NewFineGrainedPATDetector()},
		{kind: "Slack token", prefixes: in("xapp-"), veles: slacktoken.NewAppLevelTokenDetector()},
		{kind: "Slack token", prefixes: in("xoxe.xoxp-"), veles: slacktoken.NewAppConfigAccessTokenDetector()},
		{kind: "Slack token", prefixes: in("xoxe-"), veles: slacktoken.NewAppConfigRefreshTokenDetector()},
		{kind: "Google API key", prefixes: in("AIzaSy"), veles: gcpapikey.NewDetector(), severity: finding.High},
		{kind: "Google API key", prefixes: in("AQ.Ab8R"), veles: gcpexpressmode.NewDetector(), severity: finding.High},
		{kind: "Google OAuth token", prefixes: in("ya29."), veles: gcpoauth2access.NewDetector(), severity: finding.High, least: 60},
		{kind: "RubyGems key", prefixes: in("rubygems_"), veles: rubygemsapikey.NewDetector()},
		{kind: "crates.io token", prefixes: in("cio"), veles: cratesioapitoken.NewDetector(), rough: true},
		{kind: "Docker Hub token", prefixes: in("dckr_pat_"), veles: dockerhubpat.NewDetector()},
		{kind: "Stripe key", prefixes: in("sk_live_"), veles: stripeapikeys.NewSecretKeyDetector()},
		{kind: "Stripe key", prefixes: in("rk_live_"), veles: stripeapikeys.NewRestrictedKeyDetector()},
		{kind: "Stripe key", prefixes: in("whsec_"), veles: stripeapikeys.NewWebhookSecretDetector(), severity: finding.High},
		{kind: "SendGrid key", prefixes: in("SG."), veles: sendgrid.NewDetector()},
		{kind: "DigitalOcean token", prefixes: in("dop_v1_"), veles: digitaloceanapikey.NewDetector()},
		{kind: "Anthropic key", prefixes: in("sk-ant-"), veles: anthropicapikey.NewDetector(), least: 60},
		{kind: "OpenAI key", prefixes: in("sk-proj-", "sk-svcacct-", "sk-admin-"), veles: openai.NewDetector()},
		{kind: "OpenRouter key", prefixes: in("sk-or-v"), veles: openrouter.NewDetector()},
		{kind: "Perplexity key", prefixes: in("pplx-"), veles: perplexityapikey.NewDetector()},
		{kind: "xAI key", prefixes: in("xai-"), veles: grokxaiapikey.NewAPIKeyDetector()},
		{kind: "xAI key", prefixes: in("xai-token-"), veles: grokxaiapikey.NewManagementKeyDetector()},
		{kind: "Cursor key", prefixes: in("key_"), veles: cursorapikey.NewDetector(), rough: true},
		{kind: "CircleCI token", prefixes: in("CCIPAT_"), veles: circleci.NewPersonalAccessTokenDetector()},
		{kind: "CircleCI token", prefixes: in("CCIPRJ_"), veles: circleci.NewProjectTokenDetector()},
		{kind: "Deno token", prefixes: in("ddp_"), veles: denopat.NewUserTokenDetector()},
		{kind: "Deno token", prefixes: in("ddo_"), veles: denopat.NewOrgTokenDetector()},
		{kind: "Elastic Cloud key", prefixes: in("essu_"), veles: elasticcloudapikey.NewDetector()},
		{kind: "Heroku key", prefixes: in("HRKU-"), veles: herokuplatformkey.NewSecretKeyDetector()},
		{kind: "1Password key", prefixes: in("A3-"), veles: onepasswordkeys.NewSecretKeyDetector(), rough: true},
		{kind: "1Password key", prefixes: in("1PRK-"), veles: onepasswordkeys.NewRecoveryTokenDetector()},
		{kind: "Packagist token", prefixes: in("packagist_acs_"), veles: packagist.NewAPISecretDetector()},
		{kind: "Packagist token", prefixes: in("packagist_ort_"), veles: packagist.NewOrgReadTokenDetector()},
		{kind: "Packagist token", prefixes: in("packagist_out_"), veles: packagist.NewOrgUpdateTokenDetector()},
		{kind: "Packagist token", prefixes: in("packagist_uut_"), veles: packagist.NewUserUpdateTokenDetector()},
		{kind: "Packagist token", prefixes: in("packagist_cut_"), veles: packagist.NewConductorUpdateTokenDetector()},
		{kind: "Paystack key", prefixes: in("sk_live_"), veles: paystacksecretkey.NewSecretKeyDetector()},
		{kind: "Postman key", prefixes: in("PMAK-"), veles: postmanapikey.NewAPIKeyDetector()},
		{kind: "Square token", prefixes: in("EAAA"), veles: squareapikey.NewPersonalAccessTokenDetector(), rough: true},
		{kind: "Square token", prefixes: in("sq0csp-"), veles: squareapikey.NewOAuthApplicationSecretDetector()},
		{kind: "Supabase key", prefixes: in("sbp_"), veles: supabase.NewPATDetector()},
		{kind: "Supabase key", prefixes: in("sb_secret_"), veles: supabase.NewProjectSecretKeyDetector()},
	}
}

// detect asks the library about a token that begins where data does. It
// returns the value and its length in data.
func (d detector) detect(data []byte) (value string, length int) {
	data = data[:min(len(data), int(d.veles.MaxSecretLen())+1)]
	secrets, places := d.veles.Detect(data)
	for i, s := range secrets {
		if places[i] != 0 {
			continue
		}
		for _, v := range stringsOf(s) {
			if v != "" && bytes.HasPrefix(data, []byte(v)) {
				return v, len(v)
			}
			if v != "" {
				// It was found by decoding what stands here.
				value = v
			}
		}
		if value != "" {
			n := 0
			for n < len(data) && (charsets['b'].has(data[n]) || data[n] == '=') {
				n++
			}
			return value, n
		}
	}
	return "", 0
}

// stringsOf returns the texts of a secret: the library has a type for each.
func stringsOf(s veles.Secret) []string {
	v := reflect.ValueOf(s)
	if v.Kind() != reflect.Struct {
		return nil
	}
	var out []string
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.String {
			out = append(out, f.String())
		}
	}
	return out
}

// runsOn reports whether a token goes on behind its end, so that it is none.
func runsOn(data []byte, end int) bool {
	return end < len(data) && (isWord(data[end]) || data[end] == '-' && end+1 < len(data) && isWord(data[end+1]))
}

// body is what follows the prefix of a token.
func body(value string, prefixes []string) string {
	for _, p := range prefixes {
		if rest, ok := strings.CutPrefix(value, p); ok {
			return rest
		}
	}
	return value
}
