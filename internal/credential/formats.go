package credential

import "github.com/portcullis-ci/portcullis/internal/finding"

// format is one kind of token that is recognised by its form.
type format struct {
	kind string
	// forms are the shapes of the token; each begins with a literal of three
	// characters or more, which the prefilter looks for.
	forms []string
	// check looks into the value; nil where a format has nothing to verify.
	check func(value string) verdict
	// severity is Critical where it is not set.
	severity finding.Severity
	// rough formats are too short or too plain to be looked for in binaries.
	rough bool
	// glued formats prove themselves, so that they need no boundary before
	// them: programs are full of texts without one.
	glued bool
	// shown is how much of the value is public: by default the literal that
	// its form begins with.
	shown int
}

// jsonWebToken is the kind of tokens that everybody can make.
const jsonWebToken = "JSON web token"

// formats are those that the library of detectors (see library.go) lacks or
// knows only in part. The forms are those that issuers publish for scanners.
var formats = []format{
	{kind: "GitLab token", glued: false, check: checkGitLab, forms: []string{
		"glpat-{s20}", "glpat-{s27,300}.{l2}.{l9}", "glrt-t{d1}_{s27,300}.{l2}.{l9}", "glptt-{h40}", "gldt-{s20,27}", "glrt-{s20,27}", "glrtr-{s20,27}", "glft-{s20,26}", "glcbt-{l1,5}_{s20}",
		"glsoat-{s20}", "glimt-{s25}", "glagent-{s50,64}", "gloas-{h64}", "GR1348941{s20}",
	}},
	{kind: "npm token", check: checkBase62CRC, glued: true, forms: []string{"npm_{w36}"}},
	{kind: "PyPI token", check: checkPyPI, forms: []string{"pypi-AgEIcHlwaS5vcmc{s50,1000}", "pypi-AgENdGVzdC5weXBpLm9yZw{s50,1000}"}},
	{kind: "Slack token", forms: []string{"xoxb-{d10,13}-{d10,13}-{s24,36}", "xoxp-{d10,13}-{d10,13}-{d10,13}-{s28,34}", "xoxa-2-{d10,13}-{d10,13}-{s24,80}", "xoxr-{d10,13}-{d10,13}-{s24,80}", "xoxb-{d10,13}-{w24}", "xoxs-{d10,13}-{d10,13}-{d10,13}-{H10,64}"}},
	{kind: "Slack webhook", severity: finding.High, forms: []string{"https://hooks.slack.com/services/T{u8,12}/B{u8,12}/{w24}", "hooks.slack.com/workflows/T{u8,12}/A{u8,12}/{d17,19}/{w24}"}},
	{kind: "Discord webhook", severity: finding.High, forms: []string{"https://discord.com/api/webhooks/{d17,20}/{s60,80}", "https://discordapp.com/api/webhooks/{d17,20}/{s60,80}"}},
	{kind: jsonWebToken, severity: finding.High, check: checkJWT, forms: []string{
		"eyJh{s10,2000}.eyJ{s8,8000}.{s20,1000}", "eyJ0{s10,2000}.eyJ{s8,8000}.{s20,1000}", "eyJr{s10,2000}.eyJ{s8,8000}.{s20,1000}",
		"eyJl{s10,2000}.eyJ{s8,8000}.{s20,1000}", "eyJj{s10,2000}.eyJ{s8,8000}.{s20,1000}", "eyJ4{s10,2000}.eyJ{s8,8000}.{s20,1000}",
		"eyJ2{s10,2000}.eyJ{s8,8000}.{s20,1000}", "eyJq{s10,2000}.eyJ{s8,8000}.{s20,1000}", "ewog{s10,2000}.ewog{s8,8000}.{s20,1000}",
	}},
	// Tokens of trusted publishing end after half an hour.
	{kind: "crates.io token", check: checkCrates, severity: finding.Medium, forms: []string{"cio_tp_{w32}"}},
	{kind: "Docker swarm join token", forms: []string{"SWMTKN-1-{l50}-{l25}"}},
	{kind: "age secret key", check: checkAge, glued: true, forms: []string{"AGE-SECRET-KEY-1{u58}"}},
	{kind: "Azure storage key", check: checkAzureStorage, forms: []string{"AccountKey={b86}=="}},
	{kind: "Azure service bus key", check: checkAzureStorage, forms: []string{"SharedAccessKey={b43}="}},
	{kind: "Alibaba Cloud access key id", severity: finding.Medium, rough: true, forms: []string{"LTAI5t{w18}"}},
	{kind: "Tencent Cloud secret id", severity: finding.Medium, rough: true, forms: []string{"AKID{w32}"}},
	{kind: "Vault token", forms: []string{"hvs.{s24,200}", "hvb.{s24,300}", "hvr.{s24,300}"}},
	{kind: "Pulumi token", forms: []string{"pul-{h40}"}},
	{kind: "Doppler token", forms: []string{"dp.pt.{w40,44}", "dp.st.{w40,44}", "dp.ct.{w40,44}", "dp.sa.{w40,44}", "dp.scim.{w40,44}", "dp.audit.{w40,44}"}},
	{kind: "Databricks token", forms: []string{"dapi{h32}", "dapi{h32}-{d1,2}"}},
	{kind: "Grafana token", check: checkGrafana, forms: []string{"glsa_{w32}_{H8}", "glc_eyJ{b60,400}"}},
	{kind: "New Relic key", forms: []string{"NRAK-{u27}", "NRII-{s32}", "NRJS-{h19}"}},
	{kind: "Dynatrace token", forms: []string{"dt0c01.{u24}.{u64}", "dt0s16.{u8}.{u64}"}},
	{kind: "Sentry token", check: checkSentry, forms: []string{"sntrys_eyJ{b40,400}_{b43}", "sntrys_eyJ{b40,400}=_{b43}", "sntrys_eyJ{b40,400}==_{b43}", "sntryu_{h64}"}},
	{kind: "Shopify token", forms: []string{"shpat_{H32}", "shpca_{H32}", "shppa_{H32}", "shpss_{H32}"}},
	{kind: "Mailgun key", forms: []string{"key-{h32}"}, severity: finding.High, rough: true},
	{kind: "Brevo key", forms: []string{"xkeysib-{h64}-{w16}", "xsmtpsib-{h64}-{w16}"}},
	{kind: "Linear key", forms: []string{"lin_api_{w40}"}},
	{kind: "Notion token", forms: []string{"ntn_{d11}{w35}"}},
	{kind: "Figma token", forms: []string{"figd_{s40}"}},
	{kind: "PlanetScale token", forms: []string{"pscale_tkn_{t32,64}", "pscale_pw_{t32,64}", "pscale_oauth_{t32,64}"}},
	{kind: "Atlassian token", check: checkAtlassian, forms: []string{"ATATT3{s100,300}={H8}", "ATCTT3{s100,300}={H8}", "ATBB{w32}"}},
	{kind: "Cloudflare token", check: checkCloudflare, forms: []string{"cfut_{w40}{h8}", "cfat_{w40}{h8}", "cfk_{w40}{h8}"}},
	{kind: "Artifactory token", check: checkArtifactory, forms: []string{"AKCp{w69}", "cmVmdGtu{w56}"}},
	{kind: "NuGet key", forms: []string{"oy2{l43}"}, rough: true},
	{kind: "Clojars token", forms: []string{"CLOJARS_{l60}"}},
	{kind: "Netlify token", forms: []string{"nfp_{w36}"}},
	{kind: "Airtable token", forms: []string{"pat{w14}.{h64}"}, rough: true},
	{kind: "Contentful token", forms: []string{"CFPAT-{s43}"}},
	{kind: "Prefect key", forms: []string{"pnu_{l36}"}},
	{kind: "ReadMe key", forms: []string{"rdme_{l70}"}},
	{kind: "Shippo key", forms: []string{"shippo_live_{h40}"}},
	{kind: "Tailscale key", forms: []string{"tskey-auth-{w10,20}-{w20,40}", "tskey-api-{w10,20}-{w20,40}", "tskey-client-{w10,20}-{w20,40}"}},
	{kind: "Typeform token", forms: []string{"tfp_{s59}"}},
	{kind: "Replicate token", forms: []string{"r8_{w37}"}, rough: true},
	{kind: "Groq key", forms: []string{"gsk_{w52}"}},
	{kind: "Hugging Face token", forms: []string{"hf_{w34}", "api_org_{w34}"}, rough: true},
	{kind: "1Password key", check: checkOnePassword, forms: []string{"ops_eyJ{b250,2000}"}},
	{kind: "Buildkite token", forms: []string{"bkua_{h40}"}},
	{kind: "Sourcegraph token", forms: []string{"sgp_{h40}", "sgp_{H16}_{h40}", "sgp_local_{h40}"}},
	{kind: "EasyPost key", forms: []string{"EZAK{w54}"}},
	{kind: "Duffel token", forms: []string{"duffel_live_{s43}"}},
	{kind: "Flutterwave key", forms: []string{"FLWSECK-{h32}-X", "FLWSECK-{h12}-{l12,20}-X"}},
	{kind: "Fly.io token", forms: []string{"fo1_{s43}", "fm2_{b100,1000}"}},
	{kind: "Mapbox token", check: checkMapbox, forms: []string{"sk.eyJ{s60,200}.{s22}"}, severity: finding.High},
	{kind: "Adafruit IO key", forms: []string{"aio_{w28}"}},
	{kind: "Google OAuth client secret", forms: []string{"GOCSPX-{s28}"}},
}

// awsKey is the form of AWS access key ids. An id alone opens nothing: with a
// secret access key close by it does.
var awsKey = format{kind: "AWS access key", severity: finding.Medium, check: checkAWSKey, shown: 4, forms: []string{"AKIA{n16}", "ASIA{n16}"}}

// awsSecret is a secret access key, which has no prefix of its own.
var awsSecret = parseForm("{b40}")

// terraformKey stands behind fourteen random characters.
var terraform = parseForm("{w14}.atlasv1.{s60,70}")

// azureSecret is a client secret of Entra ID: three characters, a digit, Q~.
var azureSecret = parseForm("{t3}{d1}Q~{t31,34}")

// telegram is the token of a bot.
var telegram = parseForm("{d8,10}:AA{s33}")

// openAI is the older form of OpenAI's keys, known by its middle.
var openAI = parseForm("sk-{w20}T3BlbkFJ{w20}")
