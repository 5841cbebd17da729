// Package credentialtest holds the corpus by which the search for secrets is
// measured: files with secrets of every kind, and files that only look like it.
// All values are made when a test runs, out of parts, so that nothing in the
// repository looks like a credential to other scanners.
package credentialtest

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"hash/crc32"
	"math/bits"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// Sample is a file of the corpus.
type Sample struct {
	// Kind is what has to be found, or for a near miss what it nearly is.
	Kind string
	// Path is absolute inside an image.
	Path    string
	Content string
	// Secret is the value that has to be found, or a part of it that occurs
	// nowhere else; empty for a near miss.
	Secret string
}

// maker makes values that look as an issuer would make them.
type maker struct{ r *rand.Rand }

func newMaker(seed byte) maker { return maker{rand.New(rand.NewChaCha8([32]byte{seed}))} }

const (
	lowerSet = "abcdefghijklmnopqrstuvwxyz"
	upperSet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digitSet = "0123456789"
	wordSet  = lowerSet + upperSet + digitSet
)

func (m maker) of(set string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = set[m.r.IntN(len(set))]
	}
	return string(b)
}

func (m maker) word(n int) string  { return m.of(wordSet, n) }
func (m maker) hex(n int) string   { return m.of("0123456789abcdef", n) }
func (m maker) upper(n int) string { return m.of(upperSet+digitSet, n) }
func (m maker) base64(n int) string {
	return m.of(wordSet+"+/", n)
}

// crc62 ends a token with its checksum as GitHub and npm do.
func crc62(prefix, body string) string {
	n := crc32.ChecksumIEEE([]byte(body))
	var sum [6]byte
	for i := 5; i >= 0; i-- {
		sum[i] = (digitSet + upperSet + lowerSet)[n%62]
		n /= 62
	}
	return prefix + body + string(sum[:])
}

// GitHubToken makes a token whose checksum is right, another one for each seed.
func GitHubToken(seed byte) string { return crc62("ghp_", newMaker(seed).word(30)) }

func (m maker) gitlabRoutable() string {
	head := "glpat-" + m.word(27) + ".01." + m.of(lowerSet, 2)
	sum := strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(head))), 36)
	return head + strings.Repeat("0", 7-len(sum)) + sum
}

func (m maker) jwt(claims string) string {
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + enc([]byte(claims)) + "." + m.word(86)
}

// pypi makes a macaroon of version 2 as PyPI does, with one caveat.
func (m maker) pypi() string {
	field := func(kind byte, value string) string { return string([]byte{kind, byte(len(value))}) + value }
	raw := "\x02" + field(1, "pypi.org") + field(2, m.word(36)) + "\x00" + field(2, `[1, ["shop"]]`) + "\x00\x00" + field(6, m.word(32))
	return "pypi-" + base64.RawURLEncoding.EncodeToString([]byte(raw))
}

// encoded is an object in base 64 without padding.
func encoded(object string) string { return base64.RawStdEncoding.EncodeToString([]byte(object)) }

// azure makes a key with a signature and the checksum behind it, which Azure
// computes with a seed for each kind of key.
func (m maker) azure(bytes int, signature, seed string) string {
	body := m.base64((bytes-7)*8/6 + 1)[:(bytes*8+5)/6-len(signature)-6]
	raw, _ := base64.RawStdEncoding.DecodeString(body + signature + strings.Repeat("A", 6))
	raw = raw[:len(raw)-4]
	raw = binary.LittleEndian.AppendUint32(raw, marvin(string(raw), seed))
	return base64.StdEncoding.EncodeToString(raw)
}

// azureAnnotated makes a key of the form that all services are moving to.
func (m maker) azureAnnotated() string {
	key := m.word(52) + "JQQ" + "J99BFACHYHv6XJ3w3AAAAACOG"
	raw, _ := base64.RawStdEncoding.DecodeString(key[:80])
	sum := binary.LittleEndian.AppendUint32(nil, marvin(string(raw), "Default0"))
	if last := base64.RawStdEncoding.EncodeToString(sum[:3]); !strings.ContainsAny(last, "+/") {
		return key[:80] + last
	}
	return m.azureAnnotated() // such keys are left out when they are made
}

// entra makes a client secret, which ends with the start of its checksum.
func (m maker) entra() string {
	head := m.word(3) + "8" + "Q~" + m.word(31)
	n, sum := marvin(head, "AadPwd00"), ""
	for const66 := lowerSet + upperSet + "1234567890.-_~"; n > 0; n /= 66 {
		sum = string(const66[n%66]) + sum
	}
	return head + sum[:3]
}

// marvin is Marvin32 with both halves of its state put together.
func marvin(text, seed string) uint32 {
	s := binary.BigEndian.Uint64([]byte(seed))
	lo, hi := uint32(s), uint32(s>>32)
	text += "\x80"
	for len(text)%4 != 0 {
		text += "\x00"
	}
	for text += "\x00\x00\x00\x00"; text != ""; text = text[4:] {
		lo += binary.LittleEndian.Uint32([]byte(text))
		hi ^= lo
		lo = lo<<20 | lo>>12
		lo += hi
		hi = hi<<9 | hi>>23
		hi ^= lo
		lo = lo<<27 | lo>>5
		lo += hi
		hi = hi<<19 | hi>>13
	}
	return lo ^ hi
}

func (m maker) age() string {
	const charset = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	data := m.of(charset, 52)
	poly := func(values []byte) uint32 {
		chk := uint32(1)
		for _, v := range values {
			top := chk >> 25
			chk = chk&0x1ffffff<<5 ^ uint32(v)
			for i, g := range []uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
				if top>>i&1 == 1 {
					chk ^= g
				}
			}
		}
		return chk
	}
	hrp := "age-secret-key-"
	var values []byte
	for i := range len(hrp) {
		values = append(values, hrp[i]>>5)
	}
	values = append(values, 0)
	for i := range len(hrp) {
		values = append(values, hrp[i]&31)
	}
	for i := range len(data) {
		values = append(values, byte(strings.IndexByte(charset, data[i])))
	}
	mod := poly(append(values, 0, 0, 0, 0, 0, 0)) ^ 1
	for i := range 6 {
		data += string(charset[mod>>(5*(5-i))&31])
	}
	return strings.ToUpper(hrp + "1" + data)
}

// tokens makes one value of each kind that has a form of its own.
func (m maker) tokens() []Sample {
	t := func(kind, value string) Sample { return Sample{Kind: kind, Secret: value} }
	return []Sample{
		t("GitHub token", crc62("gh"+"p_", m.word(30))), t("GitHub token", crc62("gh"+"o_", m.word(30))), t("GitHub token", crc62("gh"+"s_", m.word(30))),
		t("GitHub token", crc62("gh"+"u_", m.word(30))), t("GitHub token", crc62("gh"+"r_", m.word(70))), t("GitHub token", "github"+"_pat_"+m.word(22)+"_"+m.word(59)),
		t("GitLab token", "glp"+"at-"+m.word(20)), t("GitLab token", m.gitlabRoutable()), t("GitLab token", "gld"+"t-"+m.word(20)), t("GitLab token", "glr"+"t-"+m.word(20)), t("Docker swarm join token", "SWM"+"TKN-1-"+m.of(lowerSet+digitSet, 50)+"-"+m.of(lowerSet+digitSet, 25)), t("GitLab token", "glp"+"tt-"+m.hex(40)),
		t("npm token", crc62("npm"+"_", m.word(30))), t("PyPI token", m.pypi()), t("RubyGems key", "ruby"+"gems_"+m.hex(48)), t("crates.io token", "ci"+"o"+m.word(32)),
		t("Docker Hub token", "dckr"+"_pat_"+m.word(27)), t("NuGet key", "oy"+"2"+m.of(lowerSet+digitSet, 43)), t("Clojars token", "CLO"+"JARS_"+m.of(lowerSet+digitSet, 60)),
		t("Packagist token", "packagist"+"_uut_"+m.hex(68)), t("Artifactory token", "AK"+"Cp"+m.word(69)),
		t("Slack token", "xox"+"b-"+m.of(digitSet, 12)+"-"+m.of(digitSet, 12)+"-"+m.word(24)), t("Slack token", "xap"+"p-1-A"+m.upper(10)+"-"+m.of(digitSet, 13)+"-"+m.hex(64)),
		t("Slack token", "xox"+"p-"+m.of(digitSet, 12)+"-"+m.of(digitSet, 12)+"-"+m.of(digitSet, 12)+"-"+m.hex(32)),
		t("Slack webhook", "https://hooks.slack"+".com/services/T"+m.upper(10)+"/B"+m.upper(10)+"/"+m.word(24)), t("Discord webhook", "https://discord"+".com/api/webhooks/"+m.of(digitSet[1:], 18)+"/"+m.word(68)),
		t("AWS access key", "AK"+"IA"+m.of(upperSet+"234567", 16)), t("Google API key", "AIza"+"SyB"+m.word(32)), t("Google OAuth client secret", "GOC"+"SPX-"+m.word(28)), t("Google OAuth token", "ya2"+"9."+m.word(120)),
		t("Azure storage key", "Account"+"Key="+m.base64(86)+"=="), t("Azure storage key", m.azure(64, "+A"+"St", "Default0")), t("Azure Cosmos DB key", m.azure(64, "AC"+"Db", "MastRW00")), t("Azure Batch key", m.azure(64, "+A"+"Ba", "AbAcct00")),
		t("Azure service bus key", m.azure(32, "+A"+"Sb", "Listen00")), t("Azure event hub key", m.azure(32, "+A"+"Eh", "Send0000")), t("Azure relay key", m.azure(32, "+A"+"Rm", "Manage00")), t("Azure IoT key", m.azure(32, "AI"+"oT", "IoTHub00")), t("Azure container registry key", m.azure(39, "+A"+"CR", "ACRDflt0")),
		t("Azure search key", m.azure(39, "Az"+"Se", "PAdmin00")), t("Azure function key", m.azure(40, "Az"+"Fu", "Functi00")), t("Azure key", m.azureAnnotated()), t("Telegram bot token", m.of(digitSet[1:], 10)+":A"+"A"+m.word(33)), t("Cloudflare token", m.cloudflare("cf"+"ut_")), t("Cloudflare token", m.cloudflare("cf"+"at_")),
		t("Azure service bus key", "SharedAccess"+"Key="+m.base64(43)+"="), t("Microsoft Entra client secret", m.entra()),
		t("DigitalOcean token", "dop"+"_v1_"+m.hex(64)), t("Vault token", "hv"+"s."+m.word(90)), t("Terraform Cloud token", m.word(14)+".atlas"+"v1."+m.word(67)), t("Pulumi token", "pu"+"l-"+m.hex(40)), t("Doppler token", "dp"+".st."+m.word(43)),
		t("Heroku key", "HRK"+"U-"+m.word(60)), t("Fly.io token", "fo1"+"_"+m.word(43)), t("Netlify token", "nf"+"p_"+m.word(36)), t("Tailscale key", "ts"+"key-auth-"+m.word(12)+"-"+m.word(32)), t("Databricks token", "da"+"pi"+m.hex(32)),
		t("PlanetScale token", "pscale"+"_tkn_"+m.word(43)), t("Supabase key", "sb"+"p_"+m.hex(40)), t("Elastic Cloud key", "es"+"su_"+m.base64(90)+"=="), t("Alibaba Cloud access key id", "LT"+"AI5t"+m.word(18)),
		t("Stripe key", "sk"+"_live_"+m.word(24)), t("Stripe key", "rk"+"_live_"+m.word(24)), t("Stripe key", "wh"+"sec_"+m.word(32)), t("Square token", "sq0"+"csp-"+m.word(43)), t("Shopify token", "shp"+"at_"+m.hex(32)), t("Flutterwave key", "FLW"+"SECK-"+m.hex(32)+"-X"),
		t("Shippo key", "shippo"+"_live_"+m.hex(40)), t("EasyPost key", "EZ"+"AK"+m.word(54)), t("Duffel token", "duffel"+"_live_"+m.word(43)),
		t("SendGrid key", "S"+"G."+m.word(22)+"."+m.word(43)), t("Mailgun key", "ke"+"y-"+m.hex(32)), t("Brevo key", "xkey"+"sib-"+m.hex(64)+"-"+m.word(16)),
		t("OpenAI key", "sk-"+"proj-"+m.word(74)+"T3Blbk"+"FJ"+m.word(74)), t("Anthropic key", "sk-"+"ant-api03-"+m.word(93)+"AA"), t("OpenRouter key", "sk-"+"or-v1-"+m.hex(64)), t("Hugging Face token", "h"+"f_"+m.of(lowerSet+upperSet, 34)),
		t("Replicate token", "r"+"8_"+m.word(37)), t("Groq key", "gs"+"k_"+m.word(52)), t("Perplexity key", "ppl"+"x-"+m.word(48)), t("xAI key", "xa"+"i-"+m.word(80)),
		t("Grafana token", m.grafana()), t("New Relic key", "NR"+"AK-"+m.upper(27)), t("Dynatrace token", "dt0"+"c01."+m.upper(24)+"."+m.upper(64)), t("Sentry token", "sntry"+"u_"+m.hex(64)), t("Sentry token", "sntry"+"s_"+encoded(`{"iat":1700000000.1,"url":"https://sentry.shop.de","org":"shop"}`)+"_"+m.base64(43)), t("Mapbox token", "s"+"k."+encoded(`{"u":"shop","a":"c`+m.word(60)+`"}`)+"."+m.word(22)), t("Artifactory token", encoded("reftkn:01:1700000000:"+m.word(27))), t("Grafana token", "gl"+"c_"+encoded(`{"o":"1","n":"shop","k":"`+m.word(32)+`","m":{"r":"eu"}}`)), t("Linear key", "lin"+"_api_"+m.word(40)), t("Notion token", "nt"+"n_"+m.of(digitSet, 11)+m.word(35)),
		t("Figma token", "fi"+"gd_"+m.word(40)), t("Atlassian token", m.atlassian()), t("Airtable token", "pa"+"t"+m.word(14)+"."+m.hex(64)), t("Contentful token", "CF"+"PAT-"+m.word(43)), t("Postman key", "PM"+"AK-"+m.hex(24)+"-"+m.hex(34)),
		t("CircleCI token", "CCI"+"PAT_"+m.word(22)+"_"+m.hex(40)), t("Buildkite token", "bk"+"ua_"+m.hex(40)), t("Sourcegraph token", "sg"+"p_"+m.hex(40)), t("Deno token", "dd"+"p_"+m.word(36)), t("1Password key", "ops"+"_"+encoded(`{"email":"`+m.word(30)+`@1passwordserviceaccounts.com","key":"`+m.word(600)+`"}`)), t("age secret key", m.age()),
		t("JSON web token", m.jwt(`{"iss":"https://login.shop.de","sub":"u`+m.hex(8)+`","exp":4102444800}`)),
	}
}

// grafana makes a token of a service account: its sum has the low byte first.
func (m maker) grafana() string {
	body := "gl" + "sa_" + m.word(32)
	return body + fmt.Sprintf("_%08x", bits.ReverseBytes32(crc32.ChecksumIEEE([]byte(body))))
}

// cloudflare makes a token with the CRC-32 of what follows its prefix.
func (m maker) cloudflare(prefix string) string {
	body := m.word(40)
	return prefix + body + fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(body)))
}

// atlassian makes an API token of the length that they have; its last eight
// characters are the CRC-32 of all before them.
func (m maker) atlassian() string {
	head := "AT" + "ATT3xFfGF0" + m.word(171) + "="
	return head + fmt.Sprintf("%08X", crc32.ChecksumIEEE([]byte(head)))
}

// surroundings are places in which tokens end up in images.
var surroundings = []struct{ path, text string }{
	{"/app/.env", "NODE_ENV=production\nSERVICE_CREDENTIAL=%s\nPORT=8080\n"},
	{"/app/src/client.js", "const client = connect(\"%s\", { retries: 3 });\n"},
	{"/root/.bash_history", "cd /srv\ncurl -H 'X-Api: %s' https://api.shop.de/v1\n"},
	{"/srv/settings.yaml", "service:\n  url: https://api.shop.de\n  value: %s\n"},
	{"/opt/app/conf.json", "{\"a\": 1, \"upstream\": {\"v\": \"%s\"}}"},
	{"/app/notes.txt", "deploy with %s until friday\n"},
}

// keys makes a private key in every common coat.
func (m maker) keys(t testing.TB) []Sample {
	t.Helper()
	must := func(der []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	random := rand.NewChaCha8([32]byte{7})
	rsaKey, err := rsa.GenerateKey(random, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(random)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	pkcs1 := block("RSA "+"PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey))
	pkcs8 := block("PRIVATE"+" KEY", must(x509.MarshalPKCS8PrivateKey(rsaKey)))
	sec1 := block("EC "+"PRIVATE KEY", must(x509.MarshalECPrivateKey(ecKey)))
	ed := block("PRIVATE"+" KEY", must(x509.MarshalPKCS8PrivateKey(edKey)))
	ssh := block("OPENSSH "+"PRIVATE KEY", openSSHKey(edKey))
	certificate := block("CERTIFICATE", []byte(m.word(800)))
	in := func(path, format, key string) Sample {
		return Sample{"private key", path, fmt.Sprintf(format, key), key[40:80]}
	}
	quoted, _ := json.Marshal(pkcs8)
	account, _ := json.Marshal(map[string]string{"type": "service_account", "project_id": "shop", "private_key_id": m.hex(40), "private_key": pkcs8, "client_email": "ci@shop.iam.gserviceaccount.com"})
	indented := "    " + strings.ReplaceAll(strings.TrimSpace(sec1), "\n", "\n    ")
	encoded := base64.StdEncoding.EncodeToString([]byte(ed))
	return []Sample{
		in("/etc/ssl/private/server.key", "%s", pkcs1), in("/app/tls.pem", "%s", pkcs8), in("/app/ec.pem", "%s", sec1), in("/app/ed.pem", "%s", ed), in("/home/app/.ssh/id_ed25519", "%s", ssh),
		in("/app/config.json", `{"key": %s}`, string(quoted)), in("/app/sa.json", "%s", string(account)), in("/app/values.yaml", "tls:\n  key: |\n%s\n", indented),
		in("/root/.kube/config", "users:\n- user:\n    client-key-data: %s\n", encoded), in("/app/combined.pem", "some words before\n%s", pkcs1+certificate),
		in("/app/signer.go", "package main\n\nconst key = `%s`\n", ed),
	}
}

// openSSHKey writes a key in OpenSSH's own format.
func openSSHKey(key ed25519.PrivateKey) []byte {
	text := func(parts ...string) string {
		out := ""
		for _, p := range parts {
			out += string([]byte{0, 0, byte(len(p) >> 8), byte(len(p))}) + p
		}
		return out
	}
	public := text("ssh-ed25519", string(key.Public().(ed25519.PublicKey)))
	private := "\x01\x02\x03\x04\x01\x02\x03\x04" + public + text(string(key), "ci@shop") + "\x01\x02\x03\x04\x05"
	return []byte("openssh-key-v1\x00" + text("none", "none", "") + "\x00\x00\x00\x01" + text(public, private))
}

// Secrets is the corpus of what has to be found.
func Secrets(t testing.TB) []Sample {
	m := newMaker(1)
	var out []Sample
	for round := range 2 {
		for i, s := range m.tokens() {
			around := surroundings[(i+3*round)%len(surroundings)]
			s.Path, s.Content = around.path, fmt.Sprintf(around.text, s.Secret)
			if s.Kind == "AWS access key" {
				secret := m.base64(40)
				s.Content = fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", s.Secret, secret)
				s.Secret, s.Path = secret, "/root/.aws/credentials.bak"
			}
			out = append(out, s)
		}
	}
	out = append(out, m.keys(t)...)
	for _, u := range []struct{ path, text, password string }{
		{"/app/.env", "DATABASE_URL=postgres://shop:%s@db.internal:5432/shop\n", m.word(16)},
		{"/app/settings.py", "BROKER = 'amqp://worker:%s@mq:5672//'\n", "Winter" + "2024!"},
		{"/root/.git-credentials", "https://ci:%s@git.shop.de\n", m.word(20)},
		{"/etc/apt/sources.list.d/shop.list", "deb https://deploy:%s@apt.shop.de/debian stable main\n", m.word(12)},
		{"/root/.config/pip/pip.conf", "[global]\nindex-url = https://reader:%s@pypi.shop.de/simple\n", m.word(14)},
		{"/app/package-lock.json", "{\"resolved\": \"https://ci:%s@npm.shop.de/a/-/a-1.0.0.tgz\"}\n", m.word(18)},
		{"/app/application.yml", "spring:\n  data:\n    mongodb:\n      uri: mongodb+srv://app:%s@cluster0.abcde.mongodb.net/shop\n", "tr0ub" + "4dor&3"},
		{"/srv/run.sh", "curl -fsS ftp://backup:%s@files.shop.de/db.gz | gunzip\n", "x7" + "-Kqwe"},
		{"/app/redis.conf", "url redis://:%s@cache:6379/0\n", m.word(24)},
		{"/app/odd.ini", "dsn = mysql://root:%s@localhost/shop\n", "p" + "%23ss-9word"},
	} {
		out = append(out, Sample{"password in a URL", u.path, fmt.Sprintf(u.text, u.password), u.password})
	}
	for _, n := range []struct{ path, text, value string }{
		{"/app/.env", "DB_PASSWORD=%s\n", "Gr4nd-Pi" + "ano-88"},
		{"/app/.env.production", "SECRET_KEY_BASE=%s\n", m.hex(128)},
		{"/app/.env", "ADMIN_PASSWORD=%s\n", "sunflower"},
		{"/app/application.properties", "spring.datasource.password=%s\n", "kN8" + "#vbq2"},
		{"/app/application.yml", "spring:\n  datasource:\n    username: shop\n    password: %s\n", "Sommer" + "2023!"},
		{"/app/config.json", `{"db": {"user": "shop", "password": "%s"}}`, "k3vQ" + "x8Tn2d"},
		{"/app/appsettings.json", `{"Jwt": {"Secret": "%s"}}`, m.word(48)},
		{"/app/config/database.yml", "production:\n  adapter: postgresql\n  password: \"%s\"\n", "bluE" + "7moon!"},
		{"/app/settings.py", "SECRET_KEY = '%s'\n", m.of(lowerSet+digitSet+"!@#$%^&*(-_=+)", 50)},
		{"/app/config.toml", "[api]\napi_key = \"%s\"\n", m.word(32)},
		{"/app/server.js", "const jwtSecret = '%s';\n", m.word(32)},
		{"/app/main.go", "var apiToken = \"%s\"\n", m.hex(40)},
		{"/app/Config.java", "private static final String CLIENT_SECRET = \"%s\";\n", m.word(36)},
		{"/app/config.php", "<?php\ndefine('DB_PASSWORD', '%s');\n", "W3lc" + "ome-2021"},
		{"/app/wp-config.php", "$table = 'x';\n$api_key = '%s';\n", m.word(24)},
		{"/root/.my.cnf", "[client]\nuser=root\npassword=%s\n", "g4rden" + "gate"},
		{"/root/.netrc", "machine git.shop.de login ci password %s\n", "b5Rt" + "n7Yw1c"},
		{"/root/.npmrc", "//npm.shop.de/:_authToken=%s\n", m.word(36)},
		{"/root/.npmrc", "//npm.shop.de/:_auth=%s\n", base64.StdEncoding.EncodeToString([]byte("ci:" + m.word(14)))},
		{"/root/.docker/config.json", `{"auths": {"registry.shop.de": {"auth": "%s"}}}`, base64.StdEncoding.EncodeToString([]byte("ci:" + m.word(18)))},
		{"/root/.pypirc", "[shop]\nusername = ci\npassword = %s\n", m.word(16)},
		{"/app/settings.xml", "<server><id>shop</id><username>ci</username><password>%s</password></server>", "dep" + "L0y-me"},
		{"/app/terraform.tfvars", "db_password = \"%s\"\n", "Xk2" + "!mmq9z"},
		{"/app/terraform.tfstate", `{"attributes": {"master_password": "%s"}}`, m.word(20)},
		{"/usr/local/bin/deploy.sh", "#!/bin/sh\nexport API_TOKEN=%s\n", m.word(40)},
		{"/srv/fetch.sh", "curl -fsS -u ci:%s https://files.shop.de/a\n", "Hm9-" + "kettle"},
		{"/app/client.py", "headers = {'Authorization': 'Bearer %s'}\n", m.word(40)},
		{"/srv/push.sh", "curl -X POST -H \"Authorization: token %s\" https://git.shop.de/api\n", m.hex(40)},
		{"/srv/entry.sh", "exec app --password=%s\n", m.word(18)},
		{"/srv/entry.sh", "exec app --admin-token %s serve\n", m.hex(32)},
		{"/app/config.ini", "[smtp]\nsmtp_pass = %s\n", "f9-Kd" + "ow2"},
		{"/app/conf/vault.hcl", "seal \"x\" {\n  access_key = \"%s\"\n}\n", m.word(40)},
		{"/app/values.yaml", "auth:\n  rootPassword: %s\n", "Pr0d" + "uction#1"},
		{"/app/docker-compose.yml", "environment:\n  - MYSQL_ROOT_PASSWORD=%s\n", "r00t" + "-9kAq"},
		{"/app/config.rb", "config.secret_token = \"%s\"\n", m.hex(64)},
		{"/etc/myapp/app.conf", "ldap_bind_password = %s\n", "L" + "dap!bind7"},
		{"/app/Web.config", "<add key=\"ApiKey\" value=\"x\"/><apiKey>%s</apiKey>", m.word(32)},
		{"/app/secrets.json", `{"clientSecret": "%s"}`, m.word(32)},
		{"/app/ci.groovy", "def password = '%s'\n", m.word(20)},
		{"/etc/environment", "PROXY_PASSWORD=%s\n", "c0rp-" + "Proxy"},
		{"/app/stripe.env", "WEBHOOK_SIGNING_KEY=%s\n", m.word(40)},
		{"/app/k.yaml", "encryption_key: %s\n", m.base64(43) + "="},
		{"/app/config/master.yml", "api_key: '%s'\n", m.of(lowerSet+digitSet, 8) + "-" + m.hex(4) + "-" + m.hex(4) + "-" + m.hex(12)},
	} {
		out = append(out, Sample{"named value", n.path, fmt.Sprintf(n.text, n.value), n.value})
	}
	return out
}
