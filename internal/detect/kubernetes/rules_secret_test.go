package kubernetes

func env(name, value string) string {
	return container("env:\n  - name: " + name + "\n    " + value)
}

var secretCases = map[string][]ruleCase{
	"k8s-secret-env-literal": {
		{"fires on a password", env("DB_PASSWORD", "➤value: hunter2")},
		{"fires on a name in camel case", env("clientSecret", "➤value: \"q1w2e3r4\"")},
		{"fires on an AWS key under a harmless name", env("SETTING", "➤value: AKIA"+"IOSFODNN7EXAMPLE")},
		{"fires on a URL with a password", env("DATABASE_URL", "➤value: postgres://app:hunter2@db/shop")},
		{"fires on an API key in an init container", pod("initContainers:\n  - name: i\n    env:\n      - {name: API_KEY, ➤value: 0123456789abcdef}")},
		{"is silent about a reference to a Secret", env("DB_PASSWORD", "valueFrom: {secretKeyRef: {name: db, key: password}}")},
		{"is silent about a file", env("DB_PASSWORD_FILE", "value: /run/secrets/db")},
		{"is silent about a path under such a name", env("TOKEN", "value: /var/run/token")},
		{"is silent about a variable that is filled in", env("DB_PASSWORD", "value: $(FROM_SECRET)")},
		{"is silent about a lifetime", env("TOKEN_TTL", "value: \"3600\"")},
		{"is silent about the name of a Secret", env("SECRET_NAME", "value: web-tls")},
		{"is silent about a switch", env("REQUIRE_PASSWORD", "value: \"true\"")},
		{"is silent about a public key", env("JWT_PUBLIC_KEY_TOKEN", "value: abcdef")},
		{"is silent about a URL without a password", env("DATABASE_URL", "value: postgres://db/shop")},
		{"is silent about a reference to a vault", env("DB_PASSWORD", "value: vault:secret/data/db#password")},
		{"is silent about the working directory", env("PWD", "value: src/web")},
		{"is silent about an empty value", env("DB_PASSWORD", "value: \"\"")},
	},
}
