package dockerfile

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	engine "github.com/portcullis-ci/portcullis/internal/credential"
	df "github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

var secretRules = []Rule{
	{
		Rule: rules.Rule{
			ID: "PC-DF009", Aliases: []string{"DL3064", "SecretsUsedInArgOrEnv", "DS-0031", "CIS-DI-0010"}, Kind: finding.Dockerfile, Sensitive: true,
			Severity: finding.Medium, Since: "0.1",
			Title:        "Secret in ARG or ENV",
			Why:          "The values of ARG and ENV are kept in the image's history and configuration, where everyone who can pull the image can read them.",
			Fix:          "Mount the secret into the step that needs it: `RUN --mount=type=secret,id=NAME,env=NAME …`; give run-time secrets when the container starts.",
			WhenToIgnore: "The value is public in spite of its name.",
			References:   []string{"https://docs.docker.com/build/building/secrets/", "https://docs.docker.com/reference/build-checks/secrets-used-in-arg-or-env/"},
			Tags:         []string{"external/cwe/cwe-798", "external/cwe/cwe-522"}, Language: "dockerfile",
			Bad:  onDebian + "ENV DB_PASSWORD=changeme\n" + nonRoot,
			Good: onDebian + "ENV DB_PASSWORD_FILE=/run/secrets/db_password\n" + nonRoot,
		},
		Instruction: checkSecretNames,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF010", Aliases: []string{"CIS-DI-0010"}, Kind: finding.Dockerfile, Sensitive: true, Severity: finding.High, Since: "0.1",
			Title:        "Credential written into the Dockerfile",
			Why:          "The value has the form of a real credential. It is in the repository and in every image built from this file.",
			Fix:          "Revoke the credential, then mount the new one: `RUN --mount=type=secret,id=NAME …`.",
			WhenToIgnore: "It is a documented example value.",
			References:   []string{"https://docs.docker.com/build/building/secrets/"},
			Tags:         []string{"external/cwe/cwe-798"}, Language: "dockerfile",
			Bad:  onDebian + "RUN git clone https://ci:" + "q7wZr2Lk9x@git.example.com/shop/app.git /srv\n" + nonRoot,
			Good: onDebian + "RUN --mount=type=secret,id=git,target=/root/.netrc git clone https://git.example.com/shop/app.git /srv\n" + nonRoot,
		},
		File: checkCredentials,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF011", Aliases: []string{"DS-0031", "CIS-DI-0010", "DKL-LI-0003"}, Kind: finding.Dockerfile,
			Severity: finding.High, Since: "0.1",
			Title:        "File with secrets copied into the image",
			Why:          "Files of this name hold credentials. They stay in the layer even when a later step deletes them.",
			Fix:          "Leave the file out and mount it where it is needed: `RUN --mount=type=secret,id=NAME,target=PATH …`.",
			WhenToIgnore: "The file of this name holds no credential.",
			References:   []string{"https://docs.docker.com/build/building/secrets/"},
			Tags:         []string{"external/cwe/cwe-538"}, Language: "dockerfile",
			Bad:  onDebian + "COPY id_rsa /home/app/.ssh/\n" + nonRoot,
			Good: onDebian + "RUN --mount=type=ssh git clone git@git.example.com:shop/app.git /srv\n" + nonRoot,
		},
		Instruction: checkSecretFiles,
	},
}

var secretWord = map[string]bool{
	"password": true, "passwd": true, "pword": true, "passphrase": true, "pass": true, "secret": true, "secrets": true,
	"token": true, "tokens": true, "apikey": true, "credential": true, "credentials": true, "creds": true, "auth": true,
	"secretkey": true, "accesskey": true, "privatekey": true, "dbpassword": true, "authtoken": true, "accesstoken": true,
}

// aboutSecret are last words that make a name one about a secret and not the
// secret itself: where it lies, how long it is, what it is called.
var aboutSecret = map[string]bool{
	"file": true, "files": true, "path": true, "dir": true, "url": true, "uri": true, "endpoint": true, "name": true,
	"names": true, "ttl": true, "timeout": true, "length": true, "len": true, "size": true, "type": true,
	"algorithm": true, "alg": true, "header": true, "expiry": true, "expires": true, "expiration": true, "lifetime": true,
	"min": true, "max": true, "policy": true, "host": true, "port": true, "enabled": true, "enable": true,
	"required": true, "count": true, "version": true, "service": true, "server": true, "prefix": true, "regex": true,
	"format": true, "method": true, "methods": true, "realm": true, "audience": true, "issuer": true, "mode": true,
	"provider": true, "rotation": true, "store": true, "backend": true, "disabled": true, "plugin": true, "plugins": true,
	"module": true, "database": true, "db": true, "sha256": true, "checksum": true, "digest": true, "socket": true, "sock": true,
}

// publicKey are words before KEY that make it a public or a harmless one.
var publicKey = map[string]bool{
	"gpg": true, "pgp": true, "public": true, "pub": true, "sort": true, "primary": true, "foreign": true, "cache": true,
	"partition": true, "apt": true, "rpm": true, "yum": true, "dnf": true, "repo": true, "release": true, "verify": true,
	"verification": true, "minisign": true, "signing": true, "keyring": true, "maintainer": true, "host": true,
}

var nameParts = regexp.MustCompile(`[A-Z]+[a-z]+|[A-Z]+|[a-z]+|[0-9]+[a-z]*`)

// secretName reports whether a variable of this name is meant to hold a secret.
func secretName(name string) bool {
	var words []string
	for _, w := range nameParts.FindAllString(name, -1) {
		words = append(words, strings.ToLower(w))
	}
	if len(words) == 0 || aboutSecret[words[len(words)-1]] {
		return false
	}
	secret := false
	for i, w := range words {
		switch {
		case w == "public" || w == "allow" && i < len(words)-1:
			return false
		case w == "auth" && i < len(words)-1:
			// AUTH_SOMETHING is about authentication; its last word decides.
		case secretWord[w]:
			secret = true
		case w == "key" && (i == len(words)-1 || words[i+1] == "id") && (i == 0 || !publicKey[words[i-1]]):
			secret = true
		}
	}
	return secret
}

// plainValue are values that switch something on or off and are no secret.
var plainValue = regexp.MustCompile(`^(?i:true|false|yes|no|on|off|none|null|enabled?|disabled?|required|optional|[0-9]{1,6})$`)

var fingerprintValue = regexp.MustCompile(`^(0x)?[0-9A-Fa-f ]*$`)

// harmlessValue reports values that cannot be the secret that the name
// promises: none at all, a switch, a path, the fingerprint of a public key.
func harmlessValue(name, value string) bool {
	value = strings.Trim(value, `"'`)
	switch {
	case plainValue.MatchString(value):
		return true
	case strings.HasPrefix(value, "/") || strings.HasPrefix(value, "file:"):
		return !strings.Contains(value[1:], "//")
	case strings.HasSuffix(strings.ToUpper(name), "KEY") && fingerprintValue.MatchString(value):
		n := len(strings.ReplaceAll(strings.TrimPrefix(value, "0x"), " ", ""))
		upper := value == strings.ToUpper(value)
		return (n == 40 || n == 16) && upper
	}
	return false
}

func checkSecretNames(p *Pass, in *df.Instruction) {
	if in.Keyword != "ARG" && in.Keyword != "ENV" {
		return
	}
	for _, pair := range in.Pairs {
		value := pair.Value.Text
		if !secretName(pair.Key) || in.Keyword == "ENV" && value == "" || harmlessValue(pair.Key, value) {
			continue
		}
		what := "its value stays in the image's configuration"
		if in.Keyword == "ARG" {
			what = "its value stays in the image's history"
		}
		r := p.Reportf(in, pair.KeySpan, withFingerprint(in.Keyword+" "+pair.Key, value),
			"%s %s is named like a secret and %s; mount it instead: `RUN --mount=type=secret,id=%s,env=%s …`.",
			in.Keyword, quote(pair.Key), what, pair.Key, pair.Key)
		if pair.Value.Known && looksRandom(value) {
			r.Level(finding.High).Fact("value", "a literal that looks like a key (not shown)")
		}
	}
}

// withFingerprint tells a secret from one that replaces it, unless it could be
// guessed from that.
func withFingerprint(key, value string) string {
	if f := engine.FingerprintOf(value); f != "" {
		return key + " " + f
	}
	return key
}

// looksRandom reports values with the look of a generated key: long, of one
// word, with digits and letters mixed. The figures spare dictionary words and
// placeholders such as change-me-please.
func looksRandom(v string) bool {
	if len(v) < 16 || strings.ContainsAny(v, " \t$<>{}") {
		return false
	}
	digits, letters, switches := 0, 0, 0
	prev := byte(0)
	for i := 0; i < len(v); i++ {
		class := byte('o')
		switch c := v[i]; {
		case c >= '0' && c <= '9':
			digits++
			class = 'd'
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			letters++
			class = 'l'
		}
		if class != prev {
			switches++
		}
		prev = class
	}
	return digits >= 3 && letters >= 3 && switches >= 6
}

// credential is the form of one sort of credential. The literal is looked for
// first, since it is much cheaper than the expression.
type credential struct {
	name    string
	literal string
	form    *regexp.Regexp
}

// credentials have forms that their issuers document, so that a match is
// hardly ever chance.
var credentials = []credential{
	{"AWS access key id", "AKIA", regexp.MustCompile(`\bAKIA[0-9A-Z]{16}\b`)},
	{"AWS temporary access key id", "ASIA", regexp.MustCompile(`\bASIA[0-9A-Z]{16}\b`)},
	{"GitHub token", "gh", regexp.MustCompile(`\bgh[pousr]_[A-Za-z0-9]{36,255}\b`)},
	{"GitHub token", "github_pat_", regexp.MustCompile(`\bgithub_pat_[A-Za-z0-9_]{50,255}\b`)},
	{"GitLab token", "gl", regexp.MustCompile(`\bgl(?:pat|dt|rt|cbt|ptt|ft|soat)-[A-Za-z0-9_-]{20,}`)},
	{"Slack token", "xox", regexp.MustCompile(`\bxox[baprs]-[A-Za-z0-9-]{10,}`)},
	{"Google API key", "AIza", regexp.MustCompile(`\bAIza[0-9A-Za-z_-]{35}`)},
	{"Stripe key", "_live_", regexp.MustCompile(`\b[sr]k_live_[0-9A-Za-z]{16,}`)},
	{"npm token", "npm_", regexp.MustCompile(`\bnpm_[A-Za-z0-9]{36}\b`)},
	{"PyPI token", "pypi-", regexp.MustCompile(`\bpypi-[A-Za-z0-9_-]{50,}`)},
	{"Docker Hub token", "dckr_pat_", regexp.MustCompile(`\bdckr_pat_[A-Za-z0-9_-]{20,}`)},
	{"Hugging Face token", "hf_", regexp.MustCompile(`\bhf_[A-Za-z0-9]{34,}\b`)},
	{"SendGrid key", "SG.", regexp.MustCompile(`\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}`)},
	{"DigitalOcean token", "do", regexp.MustCompile(`\bdo[opr]_v1_[a-f0-9]{64}\b`)},
	{"HashiCorp Vault token", "hvs.", regexp.MustCompile(`\bhvs\.[A-Za-z0-9_-]{24,}`)},
	{"Anthropic key", "sk-ant-", regexp.MustCompile(`\bsk-ant-[A-Za-z0-9_-]{20,}`)},
	{"OpenAI key", "sk-", regexp.MustCompile(`\bsk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{20,}`)},
	{"age secret key", "AGE-SECRET-KEY-1", regexp.MustCompile(`\bAGE-SECRET-KEY-1[0-9A-Z]{58}`)},
	{"JSON web token", "eyJ", regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}`)},
	{"private key", "PRIVATE KEY", regexp.MustCompile(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----`)},
	{"password in a URL", "://", regexp.MustCompile(`\b[a-z][a-z0-9+.-]*://[^\s/:@"'$<>{}|]*:[^\s/:@"'$<>{}|]{3,}@[A-Za-z0-9.-]`)},
}

// placeholder are texts in the place of a credential that stand for it.
var placeholder = regexp.MustCompile(`(?i)example|placeholder|x{4,}|\*{3,}|:(?:pass(?:word|wd)?|secret|token|pwd|changeme|user|username|your[-_a-z]*|my[-_a-z]*)@`)

func checkCredentials(p *Pass) {
	c := credentialSearch{pass: p}
	whole := df.TextAt(p.File.Content, df.Span{End: len(p.File.Content)})
	c.known(whole, nil)
	c.further(whole, nil)
	for _, in := range p.File.Instructions {
		// The builder takes continuation marks out, also within a word, and the
		// shell those of a here-document.
		texts := []df.Text{in.Text}
		if in.Effective().Keyword == "RUN" {
			for _, h := range in.Heredocs {
				texts = append(texts, continued(p.File.Content, h.Span))
			}
		}
		for _, t := range texts {
			if joints := tight(t); len(joints) > 0 {
				c.known(t, joints)
				c.further(t, joints)
			}
		}
	}
}

// continued is a piece of a script without the continuation marks of the shell.
func continued(content string, at df.Span) df.Text {
	var parts []df.Text
	start := at.Start
	for {
		i := strings.Index(content[start:at.End], "\\\n")
		if i < 0 {
			return df.Join(append(parts, df.TextAt(content, df.Span{Start: start, End: at.End}))...)
		}
		parts = append(parts, df.TextAt(content, df.Span{Start: start, End: start + i}))
		start += i + 2
	}
}

// tight are the joints of a text that have no blank on either side.
func tight(t df.Text) []int {
	return slices.DeleteFunc(t.Joints(), func(i int) bool { return strings.ContainsAny(t.S[i-1:i+1], " \t") })
}

// credentialSearch looks for credentials in texts of a file.
type credentialSearch struct {
	pass *Pass
	told []df.Span
}

// report tells of a credential that stands between two offsets of a text; with
// joints only of one that runs over one of these.
func (c *credentialSearch) report(t df.Text, joints []int, start, end int, kind string) {
	span := t.Span(start, end)
	across := func(i int) bool { return start < i && i < end }
	overlaps := func(o df.Span) bool { return o.Start < span.End && span.Start < o.End }
	if joints != nil && (!slices.ContainsFunc(joints, across) || slices.ContainsFunc(c.told, overlaps)) {
		return
	}
	in := instructionAt(c.pass.File, span.Start)
	key := kind
	if in != nil {
		key += " in " + in.Keyword
	}
	c.told = append(c.told, span)
	c.pass.Reportf(in, span, withFingerprint(key, t.S[start:end]), "Here stands what looks like a %s (%d characters, not shown); revoke it and mount the new one as a build secret.",
		kind, end-start)
}

// known looks for the forms of the most common issuers.
func (c *credentialSearch) known(t df.Text, joints []int) {
	text := t.S
	for _, form := range credentials {
		if !strings.Contains(text, form.literal) {
			continue
		}
		for _, m := range form.form.FindAllStringIndex(text, -1) {
			value := text[m[0]:m[1]]
			if form.name == "password in a URL" {
				if password, _, _ := strings.Cut(value, "@"); placeholder.MatchString(password + "@") {
					continue
				}
			} else if placeholder.MatchString(value) {
				continue
			}
			c.report(t, joints, m[0], m[1], form.name)
		}
	}
}

// further tells what the engine that searches images finds at other places: the
// forms of many more issuers, headers and command lines. Values of variables
// belong to another rule.
func (c *credentialSearch) further(t df.Text, joints []int) {
	told := slices.Clone(c.told)
	for _, m := range engine.InScript(t.S) {
		span := t.Span(int(m.Offset), int(m.Offset)+m.Length)
		if m.Kind == engine.NamedKind || slices.ContainsFunc(told, func(t df.Span) bool { return t.Start < span.End && span.Start < t.End }) {
			continue
		}
		c.report(t, joints, int(m.Offset), int(m.Offset)+m.Length, m.Kind)
	}
}

// instructionAt is the instruction that covers the offset, nil for a comment
// between instructions.
func instructionAt(f *df.File, offset int) *df.Instruction {
	lo, hi := 0, len(f.Instructions)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if f.Instructions[mid].Span.End < offset {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(f.Instructions) && f.Instructions[lo].Span.Start <= offset {
		return f.Instructions[lo]
	}
	return nil
}

// secretFile are names of files that hold credentials by their purpose.
var secretFile = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)^(?:\.env(?:\..+)?|id_(?:rsa|dsa|ecdsa|ed25519)|\.npmrc|\.yarnrc\.yml|\.pypirc|[._]netrc|\.git-credentials|\.pgpass|\.my\.cnf|\.htpasswd|\.dockercfg|\.dockerconfigjson|\.vault-token|kubeconfig|\.s3cfg|credentials\.json|service[-_]?account.*\.json|terraform\.tfvars|.+\.tfstate|.+\.(?:p12|pfx|jks|keystore|kdbx|ppk)|(?:.*[-_.])?(?:priv|private|privkey)(?:[-_.]key)?\.pem|.*[-_.]key\.pem|key\.pem|.+\.key)$`)
})

// secretPath are paths that hold credentials though the last element alone
// does not tell.
var secretPath = regexp.MustCompile(`(?i)(?:^|/)(?:\.aws/credentials|\.docker/config\.json|\.kube/config|\.ssh|\.gnupg|\.config/gcloud|\.azure)/?$`)

// notSecret spares templates and public keys.
var notSecret = regexp.MustCompile(`(?i)(?:\.(?:example|sample|template|tmpl|tpl|dist|defaults?|schema)$|^\.env\.(?:test|ci)$|public|\.pub\.|gpg|pgp|apt|rpm|repo|release|signing|archive)`)

// holdsSecrets reports whether a file of this path holds credentials.
func holdsSecrets(source string) bool {
	base := path.Base(strings.TrimRight(source, "/"))
	return secretPath.MatchString(source) || secretFile().MatchString(base) && !notSecret.MatchString(base)
}

func checkSecretFiles(p *Pass, in *df.Instruction) {
	for _, src := range sources(in) {
		if strings.Contains(src.Value.Text, "://") || !holdsSecrets(src.Value.Text) {
			continue
		}
		p.Reportf(in, src.Span, in.Keyword+" "+src.Value.Text,
			"%s puts %s into the image, a file that holds credentials; mount it instead: `RUN --mount=type=secret,id=%s …`.",
			in.Keyword, quote(src.Value.Text), strings.Trim(path.Base(src.Value.Text), "."))
	}
}

// sources are the sources of COPY and ADD without here-documents.
func sources(in *df.Instruction) []df.Word {
	if in.Keyword != "COPY" && in.Keyword != "ADD" || len(in.Args) < 2 {
		return nil
	}
	var out []df.Word
	for _, a := range in.Args[:len(in.Args)-1] {
		if !strings.HasPrefix(a.Raw, "<<") {
			out = append(out, a)
		}
	}
	return out
}
