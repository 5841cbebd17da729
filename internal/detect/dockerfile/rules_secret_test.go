package dockerfile

import (
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/credential/credentialtest"
	"github.com/portcullis-ci/portcullis/internal/finding"
)

// Credentials made up for the tests, put together so that no scanner of this
// repository takes them for real ones.
var (
	fakeAWS    = "AKIA" + strings.Repeat("Q7", 8)
	fakeGitHub = "ghp_" + strings.Repeat("a1B2", 9)
	fakeKey    = "-----BEGIN RSA " + "PRIVATE KEY-----"
	fakeRandom = "k3J9sLq8" + "Zx72mVb4Tn6w"
)

var secretCases = table{
	"PC-DF009": {
		{name: "a password", text: "ENV «DB_PASSWORD»=changeme\n"},
		{name: "two of three", text: "ENV A=1 \\\n    «API_KEY»=abc «GITHUB_TOKEN»=$T\n"},
		{name: "the old form", text: "ENV «SECRET» some thing\n"},
		{name: "an ARG with a default", text: "ARG «NPM_TOKEN»=abc\n"},
		{name: "an ARG to be given in the build", text: "ARG «NPM_TOKEN»\n"},
		{name: "an ARG before FROM", text: "ARG «REGISTRY_PASSWORD»=x\nFROM debian:12\n"},
		{name: "camel case", text: "ENV «dbPassword»=x\n"},
		{name: "an access key id", text: "ENV «AWS_ACCESS_KEY_ID»=abcdefgh\n"},
		{name: "behind ONBUILD", text: "ONBUILD ENV «AUTH_TOKEN»=x\n"},
		{name: "a public fingerprint", text: "ENV GPG_KEY=E3FF2839C048B25C084DEBE9B26995E310250568\n"},
		{name: "a fingerprint under another name", text: "ENV RELEASE_MANAGER_KEY=E3FF2839C048B25C084DEBE9B26995E310250568\n"},
		{name: "a public key", text: "ENV JWT_PUBLIC_KEY=abc\n"},
		{name: "a file that holds one", text: "ENV POSTGRES_PASSWORD_FILE=/run/secrets/pg\n"},
		{name: "a path as value", text: "ENV TLS_KEY=/etc/ssl/app.pem\n"},
		{name: "a switch", text: "ENV MYSQL_ALLOW_EMPTY_PASSWORD=yes ALLOW_PASSWORD_AUTH=1\n"},
		{name: "an empty value", text: "ENV PASSWORD=\n"},
		{name: "settings about secrets", text: "ENV TOKEN_TTL=3600 TOKEN_URL=https://a/b AUTH_METHOD=ldap PASSWORD_MIN=a\n"},
		{name: "a user name", text: "ENV DB_USERNAME=app COMPASS=north BYPASS_PROXY=x KEYBOARD=us MONKEY=x\n"},
		{name: "a label", text: "LABEL password=x\n"},
		{name: "a keyring", text: "ENV APT_KEY=abc SORT_KEY=name\n"},
	},
	"PC-DF010": {
		{name: "an AWS key in ENV", text: "ENV X=«" + fakeAWS + "»\n"},
		{name: "a GitHub token in RUN", text: "RUN a && \\\n  curl -H 'Authorization: «" + fakeGitHub + "»' https://x\n"},
		{name: "a private key in a here-document", text: "COPY <<EOF /key\n«" + fakeKey + "»\nEOF\n"},
		{name: "a password in a URL", text: "RUN git clone «https://bob:s3cr3tpw@g»it.example.org/x\n"},
		{name: "a header with a token of no known form", text: "RUN curl -H 'Authorization: Bearer «q7wZr2Lk9xT4mVb1sYd7NcWf»' https://x\n"},
		{name: "a password of curl", text: "RUN curl -u ci:«Hm9-kettle» https://x\n"},
		{name: "a token that the shared engine knows", text: "RUN deploy «" + "shp" + "at_0a1b2c3d4e5f60718293a4b5c6d7e8f9» now\n"},
		{name: "in a comment", text: "# «" + fakeGitHub + "»\nRUN true\n"},
		{name: "in a label", text: "LABEL t=«" + fakeGitHub + "»\n"},
		{name: "over a continued line", text: "RUN curl -H 'X: «" + fakeGitHub[:12] + "\\»\n" + fakeGitHub[12:] + "' https://x\n"},
		{name: "over three lines with a comment", text: "RUN a && echo «" + fakeGitHub[:8] + "\\»\n" + fakeGitHub[8:12] + "\\\n# no\n" + fakeGitHub[12:] + "\n"},
		{name: "over a continued line of a here-document", text: "RUN <<EOF\necho «" + fakeGitHub[:12] + "\\»\n" + fakeGitHub[12:] + "\nEOF\n"},
		{name: "of a form that only the shared engine knows, over a continued line", text: "RUN deploy «" + "shp" + "at_0a1b2c3d\\»\n4e5f60718293a4b5c6d7e8f9 now\n"},
		{name: "whole before a joint is one", text: "RUN echo «" + fakeGitHub + "»\\\n; a\n"},
		{name: "two words on continued lines", text: "RUN echo " + fakeGitHub[:12] + " \\\n  " + fakeGitHub[12:] + "\n"},
		{name: "a here-document that no shell reads", text: "COPY <<EOF /a\n" + fakeGitHub[:12] + "\\\n" + fakeGitHub[12:] + "\nEOF\n"},
		{name: "a variable in a URL", text: "RUN git clone https://bob:$TOKEN@git.example.org/x\n"},
		{name: "a placeholder in a URL", text: "RUN echo https://user:password@host/ https://me:<token>@host/\n"},
		{name: "the documented example", text: "ENV X=AKIA" + "IOSFODNN7EXAMPLE\n"},
		{name: "a URL with a port", text: "RUN curl http://proxy:3128/a@b\n"},
		{name: "a public key", text: "COPY <<EOF /key\n-----BEGIN PUBLIC KEY-----\nEOF\n"},
		{name: "a digest", text: "RUN echo 2424c1850714a4d94666ec928e24d86de958646737b1d113f5b2207be44d37d8\n"},
	},
	"PC-DF011": {
		{name: "a private key", text: "COPY «id_rsa» /root/.ssh/id_rsa\n"},
		{name: "one of several", text: "COPY package.json «.npmrc» ./\n"},
		{name: "an environment file", text: "ADD «config/.env» /srv/\n"},
		{name: "in exec form", text: "COPY [\"a\", \"«.netrc»\", \"/root/\"]\n"},
		{name: "a folder of keys", text: "COPY «.ssh» /root/.ssh\n"},
		{name: "a key store", text: "COPY «certs/app.p12» «certs/server.key» «tls/app-key.pem» /certs/\n"},
		{name: "a name in a variable", text: "ARG F=.pypirc\nCOPY «$F» /root/\n"},
		{name: "from another stage", text: "FROM a:1 AS b\nFROM c:1\nCOPY --from=b «/root/.aws/credentials» /root/.aws/\n"},
		{name: "a template", text: "COPY .env.example .env.sample /srv/\n"},
		{name: "a public key", text: "COPY id_rsa.pub repo.gpg.key public.key /x/\n"},
		{name: "a certificate", text: "COPY ca.pem server.crt /x/\n"},
		{name: "a mount", text: "RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci\n"},
		{name: "source code about keys", text: "COPY keys.py tokens/ secrets.go /x/\n"},
		{name: "a here-document", text: "COPY <<EOF /srv/.env\nA=1\nEOF\n"},
	},
}

func TestSecretsStayOutOfMessages(t *testing.T) {
	text := "FROM debian:12\nENV API_KEY=" + fakeRandom + "\nARG TOKEN=" + fakeGitHub + "\nRUN wget https://u:" + fakeRandom +
		"@h/x | sh && sudo login " + fakeRandom + "\nENV PASSWORD=\"" + fakeRandom + " x\" b\nENV SECRET " + fakeRandom + " y\n" +
		"RUN sudo curl -H 'Authorization: Bearer " + fakeRandom + "' -k http://u:" + fakeRandom + "@h/ $(a --token " + fakeRandom + ") && cd /" + fakeRandom + "; npm i git+https://u:" + fakeRandom + "@h/x.git\n" +
		"MAINTAINER " + fakeRandom + "\nCMD app --password " + fakeRandom + "\n"
	for _, f := range lint(t, text, Options{}).Findings {
		for _, s := range []string{f.Message, f.Title, f.Fix.Text, f.Object} {
			if strings.Contains(s, fakeRandom) || strings.Contains(s, fakeGitHub) {
				t.Errorf("%s shows a secret: %s", f.RuleID, s)
			}
		}
		for _, e := range f.Fix.Edits {
			if strings.Contains(e.NewText, fakeRandom) {
				t.Errorf("%s shows a secret in an edit: %s", f.RuleID, e.NewText)
			}
		}
		for _, e := range f.Evidence {
			if strings.Contains(e.Value, fakeRandom) {
				t.Errorf("%s shows a secret as evidence: %s", f.RuleID, e.Value)
			}
		}
	}
}

func TestARandomValueRaisesTheSeverity(t *testing.T) {
	for value, want := range map[string]finding.Severity{"changeme-please-now": finding.Medium, fakeRandom: finding.High} {
		for _, f := range lint(t, "FROM debian:12\nENV API_KEY="+value+"\n", Options{}).Findings {
			if f.RuleID == "PC-DF009" && f.Severity != want {
				t.Errorf("severity of a value of %d characters = %s, want %s", len(value), f.Severity, want)
			}
		}
	}
}

func TestASecretThatReplacesAnotherIsANewProblem(t *testing.T) {
	of := func(text, rule string) string {
		for _, f := range lint(t, "FROM debian:12\n"+text, Options{}).Findings {
			if f.RuleID == rule {
				return f.Fingerprint
			}
		}
		t.Fatalf("%s: no finding of %s", text, rule)
		return ""
	}
	a, b := credentialtest.GitHubToken(1), credentialtest.GitHubToken(2)
	for form, rule := range map[string]string{"ENV API_TOKEN=": "PC-DF009", "ARG NPM_TOKEN=": "PC-DF009", "RUN deploy ": "PC-DF010", "RUN curl -H 'Authorization: Bearer '": "PC-DF010"} {
		if of(form+a, rule) == of(form+b, rule) {
			t.Errorf("%s: the fingerprint of a token is that of the former one", form)
		}
		if moved := of("# moved\n"+form+a, rule); moved != of(form+a, rule) {
			t.Errorf("%s: another line makes another fingerprint", form)
		}
	}
	if of("ENV DB_PASSWORD=hunter2aaaa", "PC-DF009") != of("ENV DB_PASSWORD=sunflower-77", "PC-DF009") {
		t.Error("a fingerprint is made of a password that can be guessed")
	}
}
