package secret

import (
	"strings"

	"github.com/portcullis-ci/portcullis/internal/credential"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

const (
	why = "Everybody who can pull the image reads the file, also when a later layer deletes or replaces it: each layer is sent as it was built. It stays in registries and caches after it was replaced."
	fix = "Replace the secret at its issuer first. Then keep the file out of the build (`.dockerignore`), give secrets to steps with `RUN --mount=type=secret`, and to the container when it starts."
)

// Rules lists the rules of this package, one for each way of recognising a
// credential.
func Rules() []rules.Rule {
	references := []string{"https://docs.docker.com/build/building/secrets/", "https://csrc.nist.gov/pubs/sp/800/190/final"}
	tags := []string{"external/cwe/cwe-798", "external/mitre-attack/T1552.001", "CIS-Docker-4.10"}
	rule := func(id, title string, severity finding.Severity, more, ignore, bad, good string) rules.Rule {
		return rules.Rule{
			ID: id, Kind: finding.Secret, Title: title, Severity: severity, Since: "0.1", Sensitive: true,
			Why: more + " " + why, Fix: fix, WhenToIgnore: ignore, References: references, Tags: tags, Bad: bad, Good: good, Language: "json",
		}
	}
	return []rules.Rule{
		rule("secret-token", "Token in a file of the image", finding.Critical,
			"The value has the form that its issuer gives to tokens; where the form has a checksum or a structure, it was verified, and tokens that say that they have ended are low.",
			"The token was made to be public, or has been revoked.",
			`{"path": "/app/config.js", "content": "fetch(url, {headers: {jwt: '`+exampleToken()+`'}})"}`,
			`{"path": "/app/config.js", "content": "fetch(url, {headers: {jwt: process.env.DEPLOY_JWT}})"}`),
		rule("secret-private-key", "Private key in a file of the image", finding.High,
			"The text parses as a private key. Keys that a passphrase protects are medium, keys of tests and examples low.",
			"The key opens nothing (a test fixture).",
			`{"path": "/root/.kube/ci.yaml", "content": "users:\n- user:\n    client-key-data: LS0tLS1CRUdJTiBQUklW`+`QVRFIEtFWS0tLS0tCk1DNENBUUF3QlFZREsyVndCQ0lFSUFBQkFnTUVCUVlIQ0FrS0N3d05EZzhRRVJJVEZCVVdGeGdaR2hzY0hSNGYKLS0tLS1FTkQgUFJJVkFURSBLRVktLS0tLQo=\n"}`,
			`{"path": "/app/tls.crt", "content": "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=\n-----END PUBLIC KEY-----\n"}`),
		rule("secret-url-password", "Password in a URL in a file of the image", finding.High,
			"A URL with user and password opens the service that it names.",
			"The service is public, and the password a formality.",
			`{"path": "/app/settings.py", "content": "DATABASE = 'postgres://shop:q7wZr2Lk9x@db.internal/shop'\n"}`,
			`{"path": "/app/settings.py", "content": "DATABASE = os.environ['DATABASE_URL']\n"}`),
		rule("secret-named-value", "Value that is named like a secret in a file of the image", finding.Medium,
			"The name promises a secret and the value may be one: it is no placeholder, reference, hash or word of the program. Values that look made by a machine are high.",
			"The value is a default that every deployment replaces, and using it opens nothing.",
			`{"path": "/app/.env", "content": "DB_PASSWORD=Tr0ub4dor-and-3\n"}`,
			`{"path": "/app/.env", "content": "DB_PASSWORD_FILE=/run/secrets/db\n"}`),
	}
}

// ruleOf is the rule that a match breaks.
var ruleOf = map[credential.Class]string{
	credential.Token: "secret-token", credential.PrivateKey: "secret-private-key",
	credential.URLPassword: "secret-url-password", credential.NamedValue: "secret-named-value",
}

// exampleToken is the token of an example, put together when it is asked for:
// otherwise this program would itself be a file that holds a token.
func exampleToken() string {
	return strings.Join([]string{"eyJhbGciOiJFUzI1NiJ9", "eyJzdWIiOiJzaG9wLWRlcGxveSIsImlzcyI6ImxvZ2luIn0", "q2Zr8LkxT4mVb1sYd7NcWf3GhJ6"}, ".")
}
