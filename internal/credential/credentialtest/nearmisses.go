package credentialtest

import (
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
)

// NearMisses is the corpus of what looks like a secret and is none.
func NearMisses(t testing.TB) []Sample {
	m := newMaker(2)
	var out []Sample
	add := func(kind, path, format string, args ...any) {
		out = append(out, Sample{Kind: kind, Path: path, Content: fmt.Sprintf(format, args...)})
	}
	m.brokenTokens(add)
	for _, s := range []string{"AKIAIOSFODNN7" + "EXAMPLE", "ghp_" + strings.Repeat("x", 36), "xox" + "b-your-token-here", "sk_te" + "st_" + m.word(24), "pk_li" + "ve_" + m.word(24), "sk-xxxxxxxxxxxxxxxxxxxx", "AIza" + "SyXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX", "glpat-XXXXXXXXXXXXXXXXXXXX", "npm_" + strings.Repeat("0", 36), "SG.xxxxxxxxxxxxxxxxxxxxxx.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "hvs.your-vault-token-goes-here", "dckr_pat_your_token_example_here_ok1", m.jwtDocumented()} {
		add("documented token", "/app/README.md", "Use `%s` as the token.\n", s)
		add("documented token", "/app/config.yaml", "value: %s\n", s)
	}
	for _, u := range []string{"postgres://user:password@localhost/db", "https://user:pass@example.com/", "https://${USER}:${PASSWORD}@git.shop.de/x", "mysql://{{ user }}:{{ password }}@db/x", "redis://localhost:6379/0", "https://shop.de:8443/a@b", "git@github.com:shop/app.git", "ssh://git@git.shop.de:22/app", "amqp://%s:%s@%s/", "postgres://postgres:$(PGPASS)@db", "https://registry.npmjs.org/@babel/core/-/core-7.0.0.tgz", "http://user:<password>@host/", "ftp://anonymous:@ftp.shop.de", "mongodb://user:xxxxx@db", "https://token:x-oauth-basic@github.com/a/b", "http://[::1]:8080/@me", "https://user:secret@example.org/path", "jdbc:postgresql://db:5432/shop?user=a", "data://text:plain@", "https://medium.com/@user:8080"} {
		add("URL", "/app/config.yml", "url: %s\n", strings.ReplaceAll(u, "%", "%"))
		add("URL", "/app/client.py", "URL = \"%s\"\n", u)
	}
	for _, line := range []string{"DB_PASSWORD=", "DB_PASSWORD=${DB_PASSWORD}", "DB_PASSWORD=$DB_PASSWORD", "DB_PASSWORD=changeme-example", "DB_PASSWORD=<password>", "DB_PASSWORD=your_password_here", "API_KEY=YOUR_API_KEY", "SECRET_KEY=replace-me", "TOKEN=null", "PASSWORD_FILE=/run/secrets/db", "TOKEN_TTL=3600", "PASSWORD_MIN_LENGTH=12", "AUTH_TOKEN_HEADER=X-Auth-Token", "SECRET_NAME=shop-db", "JWT_SECRET={{ .Values.secret }}", "API_TOKEN=%API_TOKEN%", "PASSWORD=********", "PASSWORD=xxxxxxxx", "TOKEN_URL=https://login.shop.de/token", "VAULT_TOKEN=vault:secret/data/app#token", "PASSWORD=ENC(k8s+sJ2mVq0mQw==)", "SECRET=arn:aws:secretsmanager:eu-west-1:123456789012:secret:x", "PASSWORD=@@PASSWORD@@", "SSH_AUTH_SOCK=/tmp/ssh", "GPG_KEY=A035C8C19219BA821ECEA86B64E628F8D684696D", "PUBLIC_KEY=" + m.base64(43) + "=", "PASSWORD_HASH=$2y$10$" + m.word(53), "ADMIN_PASSWORD=$6$" + m.word(8) + "$" + m.word(86), "TOKENIZERS_PARALLELISM=false", "SECRET_ROTATION=30", "PASSWORD=true", "TOKEN=12345", "API_KEY_ID=" + m.word(20), "PASSWORD=op://vault/item/field", "SECRET=projects/shop/secrets/x", "CREDENTIALS_PATH=/etc/app/creds.json"} {
		add("setting of an environment", "/app/.env", "%s\n", line)
		add("setting of an environment", "/etc/app/app.conf", "%s\n", line)
	}
	for _, line := range []string{"password: string", "password: \"Password\"", "token: accessToken", "secret: my-app-secret", "secretName: web-tls", "passwordSecretRef: {name: db, key: password}", "token: !Ref Token", "password: !vault |", "auth: basic", "api_key: env.API_KEY", "password_policy: strict", "secretKeyRef: db", "credentials: default", "tokens: 4096", "max_tokens: 2048", "token_type: Bearer", "passphrase: ''", "access_key: ~", "client_secret: ${CLIENT_SECRET}", "password: # set by the operator", "key: public", "token_endpoint: https://a.shop.de/token", "password: ENV['DB_PASSWORD']", "imagePullSecrets: regcred", "secret: false"} {
		add("setting of a program", "/app/config.yml", "%s\n", line)
		add("setting of a program", "/app/other.yaml", "root:\n  %s\n", line)
	}
	for _, line := range []string{"const password = req.body.password;", "token = getToken()", "password: str = None", "if (password == 'x') {}", "self.secret = secret", "passwordField: 'password-input'", "var apiKey = process.env.API_KEY", "this.token = token || ''", "secret := os.Getenv(\"SECRET\")", "Authorization: `Bearer ${token}`", "tokenUrl: '/oauth/token'", "PASSWORD_RESET = 'password_reset'", "label: 'Enter your password'", "password_regex = '^[A-Za-z0-9]{8,}$'", "assert token != 'invalid'", "T_PASSWORD = 'T_PASSWORD'", "params['api_key'] = api_key", "char *passwd = getpass(\"Password: \");", "#define TOKEN_MAX 4096", "private String password;", "password.setText(\"\");", "yield token.value", "curl -u $USER:$PASS https://a", "-H 'Authorization: Bearer <token>'", "Authorization: Basic YOUR_CREDENTIALS", "curl -u user:password https://a", "authorization = request.headers.get('Authorization')", "secret_key = Fernet.generate_key()", "new PasswordEncoder(\"bcrypt\")", "tokens.push({type: 'keyword', value: v})", "csrfToken: $('meta[name=csrf]').attr('content')", "'password' => bcrypt($request->password),", "auth = HTTPBasicAuth(user, password)", "credential_type: 'authorization_code'", "pwd=$(pwd)"} {
		for _, path := range []string{"/app/src/a.js", "/app/src/a.py"} {
			add("program text", path, "%s\n", line)
		}
	}
	for _, s := range []Sample{
		{Path: "/app/package-lock.json", Content: `{"integrity": "sha512-` + m.base64(86) + `==", "token": "` + m.word(40) + `"}`},
		{Path: "/app/yarn.lock", Content: "  integrity sha512-" + m.base64(86) + "==\n"},
		{Path: "/app/go.sum", Content: "github.com/a/token v1.0.0 h1:" + m.base64(43) + "=\n"},
		{Path: "/app/Cargo.lock", Content: "name = \"secret-service\"\nchecksum = \"" + m.hex(64) + "\"\n"},
		{Path: "/app/poetry.lock", Content: "token = [\n {file = \"a\", hash = \"sha256:" + m.hex(64) + "\"}\n"},
		{Path: "/var/lib/dpkg/info/passwd.md5sums", Content: m.hex(32) + "  usr/bin/passwd\n"},
		{Path: "/app/SHA256SUMS", Content: m.hex(64) + "  secret-tool.tar.gz\n"},
		{Path: "/app/pnpm-lock.yaml", Content: "  /token@1.0:\n    resolution: {integrity: sha512-" + m.base64(86) + "==}\n"},
		{Path: "/lib/apk/db/installed", Content: "C:Q1" + m.base64(27) + "=\nP:libsecret\n"},
		{Path: "/app/flake.lock", Content: `{"narHash": "sha256-` + m.base64(43) + `="}`},
		{Path: "/app/requirements.txt", Content: "pytoken==1.0 --hash=sha256:" + m.hex(64) + "\n"},
		{Path: "/app/index.html", Content: "<script integrity=\"sha384-" + m.base64(64) + "\" src=token.js></script>"},
	} {
		s.Kind = "checksum"
		out = append(out, s)
	}
	certificate := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte(m.word(900))}))
	public := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte(m.word(294))}))
	for _, s := range []Sample{
		{Path: "/etc/ssl/certs/ca.pem", Content: certificate},
		{Path: "/app/tls.crt", Content: certificate},
		{Path: "/app/jwt.pub", Content: public},
		{Path: "/etc/apt/keyrings/x.asc", Content: "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n" + m.base64(64) + "\n" + m.base64(64) + "\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n"},
		{Path: "/root/.ssh/authorized_keys", Content: "ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB" + m.base64(340) + " ci@shop\n"},
		{Path: "/etc/ssh/known_hosts", Content: "git.shop.de ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + m.base64(43) + "\n"},
		{Path: "/app/doc.md", Content: "-----BEGIN RSA " + "PRIVATE KEY-----\n...\n-----END RSA " + "PRIVATE KEY-----\n"},
		{Path: "/app/k.go", Content: "const head = \"-----BEGIN " + "PRIVATE KEY-----\"\n"},
		{Path: "/app/check.py", Content: "if text.startswith('-----BEGIN OPENSSH " + "PRIVATE KEY-----'):\n    pass\n-----END "},
		{Path: "/app/broken.pem", Content: "-----BEGIN " + "PRIVATE KEY-----\n" + m.base64(64) + "\n" + m.base64(64) + "\n-----END " + "PRIVATE KEY-----\n"},
		{Path: "/app/req.csr", Content: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: []byte(m.word(400))}))},
		{Path: "/app/dh.pem", Content: string(pem.EncodeToMemory(&pem.Block{Type: "DH PARAMETERS", Bytes: []byte(m.word(268))}))},
		{Path: "/app/sa.yaml", Content: "caBundle: " + base64.StdEncoding.EncodeToString([]byte(certificate)) + "\n"},
		{Path: "/app/tmpl.yaml", Content: "key: |\n  -----BEGIN " + "PRIVATE KEY-----\n  {{ .Values.key }}\n  -----END " + "PRIVATE KEY-----\n"},
	} {
		s.Kind = "public key or certificate"
		out = append(out, s)
	}
	minified := strings.Repeat("function a(b){return c.token=b.password,d(\"x\")}var e={secret:\"s\",apiKey:f.key};", 40)
	for _, s := range []Sample{
		{Path: "/app/static/app.min.js", Content: minified + "token=\"" + m.word(24) + "\""},
		{Path: "/app/static/app.js.map", Content: `{"mappings":"` + m.base64(4000) + `","token":"` + m.word(30) + `"}`},
		{Path: "/app/static/style.css", Content: "@font-face{src:url(data:font/woff2;base64," + m.base64(2000) + ")}"},
		{Path: "/app/static/img.svg", Content: "<image href=\"data:image/png;base64," + m.base64(1000) + "\"/>"},
		{Path: "/app/locales/de.json", Content: `{"password": "Passwort", "token": "Zugangsmarke", "password_hint": "Mindestens8Zeichen!"}`},
		{Path: "/app/i18n/fr.yml", Content: "password: MotDePasse123!\n"},
		{Path: "/app/fr.po", Content: "msgid \"password\"\nmsgstr \"mot de passe\"\n"},
		{Path: "/app/tests/test_login.py", Content: "password = 'S3cret-for-tests!'\n"},
		{Path: "/app/spec/user_spec.rb", Content: "password: 'Passw0rd!x'\n"},
		{Path: "/app/docs/setup.md", Content: "Set `password: Tr0ub4dor&3` in the file.\n"},
		{Path: "/app/.env.example", Content: "DB_PASSWORD=Sup3r-S3cret\n"},
		{Path: "/app/config.Sample.yml", Content: "password: Sup3r-S3cret\n"},
		{Path: "/app/node_modules/a/index.js", Content: "var password = 'Hx9!abcd';\n"},
		{Path: "/usr/lib/python3/dist-packages/a/b.py", Content: "TOKEN = 'Ab1-cd'\n"},
		{Path: "/usr/share/doc/x/README", Content: "password: Hunter2-abc\n"},
		{Path: "/app/uuid.json", Content: `{"id": "` + m.hex(8) + "-" + m.hex(4) + "-4" + m.hex(3) + "-a" + m.hex(3) + "-" + m.hex(12) + `"}`},
		{Path: "/app/git.txt", Content: "commit " + m.hex(40) + "\n"},
		{Path: "/app/etag.conf", Content: "etag = " + m.hex(32) + "\n"},
		{Path: "/app/bin", Content: "\x7fELF\x00\x00password=" + m.word(20) + "\x00secret\x00token=%s\x00"},
		{Path: "/app/list.css", Content: ".secret-token{color:red}.password:after{content:\"" + m.word(20) + "\"}"},
		{Path: "/etc/shadow", Content: "root:$y$j9T$" + m.word(22) + "$" + m.word(43) + ":19000:0:99999:7:::\n"},
		{Path: "/app/.htpasswd", Content: "admin:$apr1$" + m.word(8) + "$" + m.word(22) + "\n"},
		{Path: "/app/names.yml", Content: "token_key_name: session\nsecret_id: shop-db-1\n"},
		{Path: "/app/x.json", Content: `{"passwordResetUrl": "https://a.shop.de/reset/` + m.word(30) + `"}`},
	} {
		s.Kind = "noise"
		out = append(out, s)
	}
	for _, s := range []Sample{
		{Path: "/app/paginators.json", Content: `{"result_key": "PolicyToPathList", "output_token": "NextToken"}`},
		{Path: "/app/hooks.yaml", Content: "hooks:\n- commands.web_scanner.auth:SetScanConfigAuth\n"},
		{Path: "/app/types.go", Content: "const ContentTokenKey = \"OdataTypeMicrosoftMediaContentKeyPolicyX509CertificateTokenKey\"\n"},
		{Path: "/app/ecr.go", Content: "const getAuthorizationToken = \"AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken\"\n"},
		{Path: "/app/oauth.py", Content: "# oauth_token=\"kkk9d7dh3k39sjv7\", access_token = '2YotnFZFEjr1zCsicMWpAA'\n"},
		{Path: "/app/list.json", Content: `{"nextPageToken": "` + m.word(40) + `", "next_token": "` + m.word(32) + `"}`},
		{Path: "/app/readme.js", Content: "// auth: 'aXNhYWNzOm5vdCBteSByZWFsIHBhc3N3b3Jk'\nconst o = {password: 'bm90IG15IHJlYWwgcGFzc3dvcmQ='};\n"},
		{Path: "/app/mail.txt", Content: m.base64(76) + "\nEAAA" + m.base64(60) + "\n" + m.base64(76) + "\n"},
		{Path: "/app/users.yml", Content: "admin_password: \"admin:$2y$05$" + m.word(53) + "\"\n"},
		{Path: "/app/emulator.json", Content: `{"primary_key": "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="}`},
	} {
		s.Kind = "text of published programs"
		out = append(out, s)
	}
	return out
}

// brokenTokens makes of every form what it nearly is: cut short, run on, glued
// to a word, filled with a placeholder, with a wrong checksum.
func (m maker) brokenTokens(add func(kind, path, format string, args ...any)) {
	for i, s := range m.tokens() {
		path := surroundings[i%len(surroundings)].path
		text := strings.Replace(surroundings[i%len(surroundings)].text, "CREDENTIAL", "REVISION", 1)
		v := s.Secret
		head := strings.IndexAny(v, "_-.:=") + 1
		if head == 0 || head > 14 {
			head = 4
		}
		add("token filled with x", path, text, v[:head]+strings.Repeat("x", len(v)-head))
		add("token cut short", path, text, v[:head+(len(v)-head)/4])
		if s.Kind == "GitHub token" && !strings.HasPrefix(v, "github") || s.Kind == "npm token" || s.Kind == "age secret key" {
			add("token with a wrong checksum", path, text, v[:head+8]+swap(v[head+8:head+9])+v[head+9:])
			add("token with a wrong checksum", "/app/tool", "\x7fELF\x00%s\x00", v[:head+9]+swap(v[head+9:head+10])+v[head+10:])
		}
	}
}

// swap returns another character of the same sort.
func swap(s string) string {
	switch s {
	case "Q", "z":
		return "R"
	case "7":
		return "5"
	}
	if s >= "0" && s <= "9" {
		return "7"
	}
	if s >= "A" && s <= "Z" {
		return "Q"
	}
	return "z"
}

// jwtDocumented is the token that stands on jwt.io.
func (m maker) jwtDocumented() string {
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + enc([]byte(`{"sub":"1234567890","name":"John Doe","iat":1516239022}`)) + "." + m.word(43)
}
