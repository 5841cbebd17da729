package kubernetes

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/credential"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// secretRules are about credentials that lie open in manifests. Their
// messages name fields and variables and never hold a value.
var secretRules = []rule{
	secretEnvLiteral, secretEnvRef, secretArgs, secretConfigMap, secretManifest, tokenSecret,
}

var secretEnvLiteral = rule{
	Rule: rules.Rule{
		ID: "k8s-secret-env-literal", Sensitive: true, Aliases: []string{"C-0012", "env-var-secret"},
		Title:    "Credential is written into the environment",
		Severity: finding.High,
		Why: "A credential in a manifest is in the repository's history, in the cluster's object store and in the output of " +
			"`kubectl describe`, for everybody who may read one of them.",
		Fix:          "Put the value into a Secret that is made outside of the repository, mount it as a file or take it by `valueFrom.secretKeyRef`, and replace the credential.",
		WhenToIgnore: "Values that only look like credentials, and credentials of throw-away test systems.",
		References:   []string{docSecrets},
		Tags:         []string{"external/cwe/cwe-798", "external/mitre-attack/T1552.001", "nsa-secrets"},
		Bad:          withContainerField("env:\n  - name: DB_PASSWORD\n    value: s3cr3t-Pa55"),
		Good:         withContainerField("env:\n  - name: DB_PASSWORD_FILE\n    value: /run/secrets/db/password"),
	},
	container: func(p *pass, c *manifest.Container) {
		for _, env := range c.Place.At("env").Items() {
			value := env.At("value")
			if what, hit := p.set.namedCredential(env.At("name").Text(), value.Text()); hit {
				p.reportSecret(value, value.Text(), "The variable %s holds %s in plain text; take it from a Secret and replace it, since it has been published.", env.At("name").Text(), what)
			}
		}
	},
}

var secretEnvRef = rule{
	Rule: rules.Rule{
		ID: "k8s-secret-env-ref", Aliases: []string{"C-0207", "CKV_K8S_35", "read-secret-from-env-var"},
		Title:        "Secret is handed over in the environment",
		Severity:     finding.Info,
		Why:          "Environment variables are inherited by every child process, show up in crash reports and debug pages, and never change while the pod runs. A mounted file does none of that.",
		Fix:          "Mount the Secret as a volume and let the program read the file.",
		WhenToIgnore: "Programs that read their credentials from the environment only.",
		References:   []string{docSecrets},
		Tags:         []string{"external/mitre-attack/T1552.007", "cis-5.4.1", "nsa-secrets"},
		Bad:          withContainerField("env:\n  - name: DB_PASSWORD\n    valueFrom:\n      secretKeyRef: {name: db, key: password}"),
		Good:         hardenedWorkload,
	},
	container: func(p *pass, c *manifest.Container) {
		for _, env := range c.Place.At("env").Items() {
			if at := env.At("valueFrom", "secretKeyRef"); at.Exists() {
				p.report(at, "The variable %s hands over a Secret in the environment, which leaks easily; mount it as a file.", env.At("name").Text())
			}
		}
		for _, from := range c.Place.At("envFrom").Items() {
			if at := from.At("secretRef"); at.Exists() {
				p.report(at, "All of Secret %q is handed over in the environment, which leaks easily; mount it as a volume.", at.At("name").Text())
			}
		}
	},
}

var secretArgs = rule{
	Rule: rules.Rule{
		ID:           "k8s-secret-args",
		Title:        "Credential is written into the command line",
		Sensitive:    true,
		Severity:     finding.High,
		Why:          "A command line is in the manifest and its history, and every process of the container, and of the node with `hostPID`, can read it from /proc.",
		Fix:          "Let the program read the credential from a mounted Secret, and replace the credential.",
		WhenToIgnore: "Values that only look like credentials.",
		References:   []string{docSecrets},
		Tags:         []string{"external/cwe/cwe-214", "external/cwe/cwe-798", "external/mitre-attack/T1552.001", "nsa-secrets"},
		Bad:          withContainerField("args: [--db-password=s3cr3t-Pa55]"),
		Good:         withContainerField("args: [--db-password-file=/run/secrets/db]"),
	},
	container: func(p *pass, c *manifest.Container) {
		for _, field := range []string{"command", "args"} {
			items := c.Place.At(field).Items()
			for i, at := range items {
				if what, hit := p.set.credentialArgument(items, i); hit {
					p.reportSecret(at, at.Text(), "Container %q is started with %s on its command line; let it read a mounted Secret and replace the credential.", c.Name, what)
				}
			}
		}
	},
}

// credentialArgument reports whether an argument holds a credential: by its
// shape, as --password=value, or as the value behind --password.
func (s *set) credentialArgument(items []*manifest.Place, i int) (string, bool) {
	text := items[i].Text()
	if strings.ContainsAny(text, " \n") {
		if found := credential.InScript(text); len(found) > 0 {
			return "a credential", true
		}
		for word := range strings.FieldsSeq(text) {
			name, value, ok := strings.Cut(word, "=")
			if !ok || strings.ContainsAny(value, "$`") {
				continue
			}
			if what, hit := s.namedArgument(name, credential.Unquote(strings.TrimRight(value, ";"))); hit {
				return what, true
			}
		}
		return s.namedCredential("", text)
	}
	if strings.HasPrefix(text, "-") {
		if name, value, ok := strings.Cut(text, "="); ok {
			return s.namedArgument(name, value)
		}
		return s.namedCredential("", text)
	}
	if i > 0 {
		// One dash and one letter may be anything: -p 8080.
		name := items[i-1].Text()
		if strings.HasPrefix(name, "-") && len(name) > 2 && !strings.ContainsAny(name, "= \n") {
			return s.namedArgument(name, text)
		}
	}
	return s.namedCredential("", text)
}

// namedArgument judges an option. The token of etcd is the name of a cluster.
func (s *set) namedArgument(name, value string) (string, bool) {
	name = strings.TrimLeft(name, "-")
	if name == "initial-cluster-token" {
		name = ""
	}
	return s.namedCredential(name, value)
}

var secretConfigMap = rule{
	Rule: rules.Rule{
		ID: "k8s-secret-configmap", Sensitive: true, Aliases: []string{"KSV-0109", "KSV-1010", "C-0012"},
		Title:        "Credential is in a ConfigMap",
		Severity:     finding.High,
		Why:          "ConfigMaps are not made for secrets: far more people and programs may read them, they are not encrypted at rest, and here the value is in the repository as well.",
		Fix:          "Put the value into a Secret that is made outside of the repository, and replace the credential.",
		WhenToIgnore: "Values that only look like credentials.",
		References:   []string{docSecrets},
		Tags:         []string{"external/cwe/cwe-312", "external/cwe/cwe-798", "external/mitre-attack/T1552.001", "nsa-secrets"},
		Bad:          "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n  namespace: shop\ndata:\n  db-password: s3cr3t-Pa55\n",
		Good:         "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n  namespace: shop\ndata:\n  db-password-file: /run/secrets/db\n",
	},
	object: func(p *pass, o *manifest.Object) {
		if !o.Is("ConfigMap", "") {
			return
		}
		for _, at := range o.At("data").Fields() {
			if what, key, hit := p.set.configCredential(at.Name(), at.Text()); hit {
				p.reportSecret(at, at.Text(), "The ConfigMap holds %s under %s; move it to a Secret and replace it, since it has been published.", what, key)
			}
		}
	},
}

// configCredential looks at a value of a ConfigMap: at the value itself, or
// line by line at a file of settings.
func (s *set) configCredential(key, value string) (what, where string, hit bool) {
	if !strings.Contains(value, "\n") {
		what, hit = s.namedCredential(key, value)
		return what, key, hit
	}
	if what, hit := credentialForm(value); hit {
		return what, key, true
	}
	for line := range strings.Lines(value) {
		line = strings.TrimSpace(line)
		i := strings.IndexAny(line, "=:")
		if i <= 0 || strings.HasPrefix(line, "#") || strings.HasPrefix(line, "//") || strings.HasPrefix(line, ";") {
			continue
		}
		name := strings.Trim(strings.TrimSpace(line[:i]), `"'`)
		setting := strings.Trim(strings.TrimRight(strings.TrimSpace(line[i+1:]), ",;"), `"'`)
		// Text, code and calls are no settings.
		if strings.ContainsAny(name, " ()[]{}<>$") || strings.ContainsAny(setting, " ()[]{}<>$") {
			continue
		}
		if what, hit := s.namedCredential(name, setting); hit {
			return what, key + " (" + name + ")", true
		}
	}
	return "", "", false
}

var secretManifest = rule{
	Rule: rules.Rule{
		ID:           "k8s-secret-manifest",
		Title:        "Secret with its data is in the repository",
		Sensitive:    true,
		Severity:     finding.High,
		Why:          "Base64 is no encryption: everybody who can read the repository, or ever could, has the value. Deleting the file does not take it out of the history.",
		Fix:          "Seal it (SealedSecret, SOPS) or let an operator fetch it (ExternalSecret), and replace the values, since they have been published.",
		WhenToIgnore: "Test data that opens nothing.",
		References:   []string{docSecrets},
		Tags:         []string{"external/cwe/cwe-798", "external/mitre-attack/T1552.001", "cis-5.4.2", "nsa-secrets"},
		Bad:          "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  namespace: shop\nstringData:\n  password: s3cr3t-Pa55\n",
		Good:         "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  namespace: shop\nstringData:\n  password: \"<filled in at deployment>\"\n",
	},
	object: checkSecretManifest,
}

// publicKeys are the keys of a Secret whose values are no secrets.
var publicKeys = map[string]bool{"ssh-publickey": true, "known_hosts": true}

// publicWords at the end of a key say the same: what stands beside a password
// so that it can be used.
var publicWords = map[string]bool{
	"address": true, "audience": true, "bucket": true, "ca": true, "cert": true, "certificate": true, "crt": true, "database": true, "dbname": true,
	"email": true, "endpoint": true, "host": true, "hostname": true, "id": true, "issuer": true, "name": true, "namespace": true, "port": true,
	"project": true, "pub": true, "region": true, "type": true, "uri": true, "url": true, "user": true, "username": true,
}

func checkSecretManifest(p *pass, o *manifest.Object) {
	if !o.Is("Secret", "") || o.At("sops").Exists() {
		return
	}
	for _, field := range []string{"data", "stringData"} {
		for _, at := range o.At(field).Fields() {
			value := strings.TrimSpace(at.Text())
			if decoded, err := base64.StdEncoding.DecodeString(value); field == "data" && err == nil {
				value = strings.TrimSpace(string(decoded))
			}
			if !literal(value) || public(at.Name(), value) {
				continue
			}
			p.reportSecret(at, value, "The Secret's value %s is in the repository for all to read; seal it or fetch it at deployment, and replace it.", at.Name())
		}
	}
}

// public reports whether a key of a Secret says that its value is none, and
// the value does not say otherwise.
func public(key, value string) bool {
	if !publicKeys[key] && !publicWords[lastWord(key)] {
		return false
	}
	if _, hit := credentialForm(value); hit {
		return false
	}
	u, err := url.Parse(value)
	return publicKeys[key] || err != nil || u.User == nil && u.RawQuery == "" && !slices.ContainsFunc(strings.Split(u.Path, "/"), credential.Random)
}

var tokenSecret = rule{
	Rule: rules.Rule{
		ID:           "k8s-token-secret",
		Title:        "Service account token never expires",
		Severity:     finding.Medium,
		Why:          "A Secret of type service-account-token holds a token without an end. Whoever copies it once has the account's rights until somebody deletes the Secret.",
		Fix:          "Use a token from the TokenRequest API (`kubectl create token`, projected volumes), which expires.",
		WhenToIgnore: "Systems outside of the cluster that cannot ask for a token.",
		References:   []string{docServiceAccounts},
		Tags:         []string{"external/cwe/cwe-613", "external/mitre-attack/T1528", "cis-5.1.13", "nsa-authorization"},
		Bad:          "apiVersion: v1\nkind: Secret\nmetadata:\n  name: web-token\n  namespace: shop\n  annotations:\n    kubernetes.io/service-account.name: web\ntype: kubernetes.io/service-account-token\n",
		Good:         "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: web\n  namespace: shop\nautomountServiceAccountToken: false\n",
	},
	object: func(p *pass, o *manifest.Object) {
		if at := o.At("type"); o.Is("Secret", "") && at.Text() == "kubernetes.io/service-account-token" {
			p.report(at, "This Secret makes the cluster write a token into it that never expires; use the TokenRequest API.")
		}
	},
}
