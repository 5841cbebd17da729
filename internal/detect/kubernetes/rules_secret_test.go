package kubernetes

func env(name, value string) string {
	return container("env:\n  - name: " + name + "\n    " + value)
}

var secretCases = map[string][]ruleCase{
	"k8s-secret-env-literal": {
		{"fires on a password", env("DB_PASSWORD", "➤value: hunter2")},
		{"fires on a name in camel case", env("clientSecret", "➤value: \"q1w2e3r4\"")},
		{"fires on an AWS key under a harmless name", env("SETTING", "➤value: AKIA"+"Q7WZR2LK5XT4MVB3")},
		{"fires on a URL with a password", env("DATABASE_URL", "➤value: postgres://app:hunter2@db/shop")},
		{"fires on an API key in an init container", pod("initContainers:\n  - name: i\n    env:\n      - {name: API_KEY, ➤value: 0123456789abcdef}")},
		{"is silent about a reference to a Secret", env("DB_PASSWORD", "valueFrom: {secretKeyRef: {name: db, key: password}}")},
		{"is silent about a file", env("DB_PASSWORD_FILE", "value: /run/secrets/db")},
		{"is silent about a path under such a name", env("TOKEN", "value: /var/run/token")},
		{"is silent about a variable that is filled in", env("DB_PASSWORD", "value: $(FROM_SECRET)")},
		{"is silent about a lifetime", env("TOKEN_TTL", "value: \"3600\"")},
		{"is silent about the name of a Secret", env("SECRET_NAME", "value: web-tls")},
		{"is silent about the Secret that a program keeps its state in", env("TS_KUBE_SECRET", "value: tailscale-auth")},
		{"fires on a simple password", env("MYSQL_ROOT_PASSWORD", "➤value: example")},
		{"is silent about a switch", env("REQUIRE_PASSWORD", "value: \"true\"")},
		{"is silent about a public key", env("JWT_PUBLIC_KEY_TOKEN", "value: abcdef")},
		{"is silent about a URL without a password", env("DATABASE_URL", "value: postgres://db/shop")},
		{"is silent about a reference to a vault", env("DB_PASSWORD", "value: vault:secret/data/db#password")},
		{"is silent about the working directory", env("PWD", "value: src/web")},
		{"is silent about an empty value", env("DB_PASSWORD", "value: \"\"")},
	},
	"k8s-secret-env-ref": {
		{"fires on a key of a Secret", env("P", "valueFrom: {➤secretKeyRef: {name: s, key: k}}")},
		{"fires on a whole Secret", container("envFrom:\n  - ➤secretRef: {name: s}")},
		{"fires on an optional one", env("P", "valueFrom:\n      ➤secretKeyRef: {name: s, key: k, optional: true}")},
		{"fires on an init container", inWorkload("apps/v1", "Deployment", "initContainers: [{name: i, envFrom: [{➤secretRef: {name: s}}]}]")},
		{"is silent about a ConfigMap", env("P", "valueFrom: {configMapKeyRef: {name: s, key: k}}")},
		{"is silent about a whole ConfigMap", container("envFrom: [{configMapRef: {name: c}}]")},
		{"is silent about a mounted Secret", pod("volumes: [{name: v, secret: {secretName: s}}]")},
		{"is silent about a value", env("P", "value: a")},
	},
	"k8s-secret-args": {
		{"fires on an option with its value", container("args: [➤--password=hunter2]")},
		{"fires on the value behind an option", container("args: [--api-key, ➤0123456789abcdef]")},
		{"fires on a URL with a password", container("command: [app, ➤\"postgres://app:hunter2@db/shop\"]")},
		{"fires on a token inside of a script", container("args: [\"-c\", ➤\"curl -H 'Authorization: ghp_" + "q7wZr2Lk9xT4mVb1sYd7NcWf3GhJ6p29q5y7' x\"]")},
		{"is silent about a file", container("args: [--password-file=/run/secrets/p]")},
		{"is silent about a variable", container("args: [--password=$(PASSWORD)]")},
		{"is silent about an option followed by another", container("args: [--require-token, --verbose]")},
		{"is silent about a switch", container("args: [--enable-token=true]")},
		{"is silent about a lifetime", container("args: [--token-ttl, 3600s]")},
		{"is silent about the name of a Secret", container("args: [--tlsSecretName=kyverno-svc.kyverno.svc.kyverno-tls-pair, --tls-secret=web-cert, --auth-secret=shop/basic]")},
		{"is silent about helpers for credentials", container("args: [\"--registryCredentialHelpers=default,google,amazon,azure,github\", --imagePullSecrets=regcred]")},
		{"is silent about a Secret that the pod mounts", pod("volumes: [{name: v, secret: {secretName: web-session}}]") + "      args: [--session-secret=web-session]\n"},
		{"is silent about the name of a cluster of etcd", container("args: [--initial-cluster-token=etcd-cluster-1]")},
		{"is silent about a script that reads a variable", container("args: [-c, 'psql \"postgres://app:$DB_PASSWORD@db/shop\"']")},
		{"fires on a secret that is no name", pod("volumes: [{name: v, secret: {secretName: web-session}}]") + "      args: [➤--session-secret=web-Session9, ➤--tls-secret=9f8e7d6c5b4a39281706f5e4d3c2b1a0]\n"},
		{"fires on a password that may be a name", container("args: [➤--admin-password=shop/admin, ➤--root-password=123456]")},
		{"fires on an option with one dash", container("args: [-password, ➤hunter2]")},
		{"fires on an assignment in a script", container("args: [-c, ➤\"PGPASSWORD=hunter2-Pa55 psql\"]")},
	},
	"k8s-secret-configmap": {
		{"fires on a key", configMap("➤password: hunter2")},
		{"fires on a private key in a file", configMap("➤key.pem: |\n    -----BEGIN RSA PRIVATE KEY-----\n    MIIEpAIBAAKCAQEA")},
		{"fires on a line of a file of settings", configMap("➤app.properties: |\n    host=db\n    db.password=hunter2")},
		{"fires on a URL with a password", configMap("➤url: amqp://app:hunter2@mq:5672/")},
		{"fires on a setting in YAML", configMap("➤config.yaml: |\n    database:\n      password: hunter2")},
		{"is silent about settings", configMap("host: db\n  port: \"5432\"")},
		{"is silent about a variable in a file", configMap("app.properties: |\n    db.password=${DB_PASSWORD}")},
		{"is silent about a program that handles passwords", configMap("run.sh: |\n    password=$(cat /run/secrets/p)\n    if check token; then login; fi")},
		{"is silent about a public key", configMap("ca.crt: |\n    -----BEGIN CERTIFICATE-----\n    MII")},
		{"is silent about a Secret, which has its own rule", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: hunter2}\n"},
		{"is silent about the length of a password", configMap("password-min-length: \"12\"")},
	},
	"k8s-secret-manifest": {
		{"fires on plain text", secret("stringData: {➤password: hunter2}")},
		{"fires on Base64", secret("data: {➤password: aHVudGVyMg==}")},
		{"fires on the key of a certificate and not on the certificate", secret("data: {tls.crt: TUlJ, ➤tls.key: TUlJQk9n}")},
		{"fires on each value", secret("data: {➤a: aHVudGVyMg==, ➤b: aHVudGVyMw==}")},
		{"is silent about a SealedSecret", "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: s}\nspec: {encryptedData: {password: AgBy3i4OJSWK}}\n"},
		{"is silent about SOPS", secret("stringData: {password: \"ENC[AES256_GCM,data:x]\"}\nsops: {version: 3.9.0}")},
		{"is silent about a placeholder", secret("stringData: {password: \"<to be set>\"}")},
		{"is silent about empty values", secret("data: {password: \"\"}")},
		{"is silent about what stands beside a password", secret("stringData: {url: https://charts.example/shop, type: helm, DB_HOST: db.shop, clientID: web-client, username: shop, tls.crt: x509, known_hosts: git.example ssh-ed25519 AAAA/9f8e7d6c5b4a39281706f5e4d3c2b1a0}")},
		{"fires on a URL that opens something", secret("stringData: {➤url: https://shop:hunter2@charts.example, ➤hook-url: https://hooks.example/T9f8e7d6c5b4a39281706f5e4d3c2b1a0}")},
		{"fires on a key that is stored as a certificate", secret("stringData:\n  ➤tls.crt: |\n    -----BEGIN PRIVATE KEY-----\n    MIIEpAIBAAKCAQEA")},
		{"is silent about a value that is filled in later", secret("stringData: {password: \"${PASSWORD}\"}")},
	},
	"k8s-token-secret": {
		{"fires on the type", secret("➤type: kubernetes.io/service-account-token")},
		{"fires on the quoted type", secret("➤type: \"kubernetes.io/service-account-token\"")},
		{"fires in a list", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: s}\n  ➤type: kubernetes.io/service-account-token\n"},
		{"fires in JSON", "{\"apiVersion\": \"v1\", \"kind\": \"Secret\", ➤\"type\": \"kubernetes.io/service-account-token\"}"},
		{"is silent about other types", secret("type: Opaque")},
		{"is silent without a type", secret("data: {}")},
		{"is silent about a projected token", pod("volumes: [{name: t, projected: {sources: [{serviceAccountToken: {path: t}}]}}]")},
		{"is silent about another kind", "apiVersion: example.com/v1\nkind: Secret\nmetadata: {name: s}\ntype: kubernetes.io/service-account-token\n"},
	},
}

func configMap(data string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  " + data + "\n"
}

func secret(lines string) string {
	return "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n" + lines + "\n"
}
