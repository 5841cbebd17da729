package kubernetes

import (
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// secretRules are about credentials that lie open in manifests. Their
// messages name fields and variables and never hold a value.
var secretRules = []rule{secretEnvLiteral}

var secretEnvLiteral = rule{
	Rule: rules.Rule{
		ID: "k8s-secret-env-literal", Aliases: []string{"C-0012", "env-var-secret"},
		Title:    "Credential is written into the environment",
		Severity: finding.High,
		Why: "A credential in a manifest is in the repository's history, in the cluster's object store and in the output of " +
			"`kubectl describe`, for everybody who may read one of them.",
		Fix:          "Put the value into a Secret that is made outside of the repository, mount it as a file or take it by `valueFrom.secretKeyRef`, and replace the credential.",
		WhenToIgnore: "Values that only look like credentials, and credentials of throw-away test systems.",
		References:   []string{docSecrets},
		Tags:         []string{"external/cwe/cwe-798", "external/mitre-attack/T1552.001"},
		Bad:          withContainerField("env:\n  - name: DB_PASSWORD\n    value: s3cr3t-Pa55"),
		Good:         withContainerField("env:\n  - name: DB_PASSWORD_FILE\n    value: /run/secrets/db/password"),
	},
	container: func(p *pass, c *manifest.Container) {
		for _, env := range c.Place.At("env").Items() {
			value := env.At("value")
			if what, hit := credential(env.At("name").Text(), value.Text()); hit {
				p.report(value, "The variable %s holds %s in plain text; take it from a Secret and replace it, since it has been published.", env.At("name").Text(), what)
			}
		}
	},
}
