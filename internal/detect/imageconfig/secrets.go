package imageconfig

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/credential"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

const secretWhy = "Everybody who can pull the image, and everybody who can inspect a container of it, reads the value; deleting it in a later layer does not help. It stays in registries and caches after it was replaced."

func secretRules() []rule {
	references := []string{"https://docs.docker.com/build/building/secrets/", "https://csrc.nist.gov/pubs/sp/800/190/final"}
	tags := []string{"external/cwe/cwe-798", "CIS-Docker-4.10"}
	return []rule{
		{
			Rule: rules.Rule{
				ID: "image-secret-env", Aliases: []string{"CIS-DI-0010", "DS-0031"}, Kind: finding.Secret,
				Title: "Secret in an environment variable of the image", Severity: finding.High, Since: "0.1",
				Why: secretWhy, Fix: "Remove the variable, replace the secret at its issuer, and give it to the container when it starts, from the orchestrator's secret store.",
				WhenToIgnore: "The value is a default that every deployment replaces, and using it opens nothing.",
				References:   references, Tags: tags,
				Bad:  `{"config": {"User": "app", "Env": ["DB_PASSWORD=Tr0ub4dor-and-3"]}}`,
				Good: `{"config": {"User": "app", "Env": ["DB_PASSWORD_FILE=/run/secrets/db"]}}`, Language: "json",
			},
			check: checkEnv,
		},
		{
			Rule: rules.Rule{
				ID: "image-secret-label", Kind: finding.Secret,
				Title: "Secret in a label of the image", Severity: finding.High, Since: "0.1",
				Why: secretWhy, Fix: "Remove the label and replace the secret at its issuer.",
				WhenToIgnore: "The value is public.",
				References:   references, Tags: tags,
				Bad:  `{"config": {"User": "app", "Labels": {"deploy.password": "Tr0ub4dor-and-3"}}}`,
				Good: `{"config": {"User": "app", "Labels": {"deploy.user": "web"}}}`, Language: "json",
			},
			check: checkLabelSecrets,
		},
		{
			Rule: rules.Rule{
				ID: "image-secret-history", Aliases: []string{"CIS-DI-0010"}, Kind: finding.Secret,
				Title: "Secret in the build history of the image", Severity: finding.High, Since: "0.1",
				Why:          "Builders record each step with its build arguments in the image. " + secretWhy,
				Fix:          "Replace the secret at its issuer. Give secrets to the build with `RUN --mount=type=secret`, which leaves no trace, instead of `ARG` or the command line.",
				WhenToIgnore: "The value is public.",
				References:   references, Tags: tags,
				Bad:  `{"config": {"User": "app"}, "history": ["RUN |1 NPM_TOKEN=Tr0ub4dor-and-3 /bin/sh -c npm ci # buildkit"]}`,
				Good: `{"config": {"User": "app"}, "history": ["RUN /bin/sh -c npm ci # buildkit"]}`, Language: "json",
			},
			check: checkHistory,
		},
		{
			Rule: rules.Rule{
				ID: "image-secret-command", Kind: finding.Secret,
				Title: "Secret in the command of the image", Severity: finding.High, Since: "0.1",
				Why:          secretWhy + " Command lines are also shown to every process of the host.",
				Fix:          "Remove the argument, replace the secret at its issuer, and let the program read it from a file.",
				WhenToIgnore: "The value is public.",
				References:   references, Tags: tags,
				Bad:  `{"config": {"User": "app", "Cmd": ["app", "--password=Tr0ub4dor-and-3"]}}`,
				Good: `{"config": {"User": "app", "Cmd": ["app", "--password-file=/run/secrets/db"]}}`, Language: "json",
			},
			check: checkCommands,
		},
	}
}

// reportSecret reports a credential at a field. Neither message nor
// fingerprint hold the value.
func (p *pass) reportSecret(c credential.Match, field, name string, history int) {
	if c.Class == credential.PrivateKey && c.Severity == finding.High {
		// Unlike in a file, nothing but a program of the image can want it here.
		c.Severity = finding.Critical
	}
	evidence := []finding.Fact{{Name: "kind", Value: c.Kind}, {Name: "redacted", Value: c.Redacted}}
	if c.Fingerprint != "" {
		evidence = append(evidence, finding.Fact{Name: "fingerprint", Value: c.Fingerprint})
	}
	evidence = append(evidence, c.Facts...)
	key := []string{name, c.Kind}
	if c.Fingerprint != "" {
		key = append(key, c.Fingerprint) // One that replaces it is a new problem.
	}
	p.report(report{
		message:  fmt.Sprintf("%s holds %s (%s)", field, c.Described(), c.Redacted),
		severity: c.Severity, object: name, field: field, history: history, key: key,
		evidence: evidence,
	})
}

func checkEnv(p *pass) {
	if p.image() == nil {
		return
	}
	for _, v := range p.image().Config.Env {
		name, value, _ := strings.Cut(v, "=")
		for _, c := range ofPair(name, value) {
			p.reportSecret(c.Match, "environment variable "+name, name, p.historyOfVariable(name))
		}
	}
}

// historyOfVariable finds the entry that set a variable: the last ENV
// instruction that names it.
func (p *pass) historyOfVariable(name string) int {
	for i := len(p.image().History) - 1; i >= 0; i-- {
		rest, ok := strings.CutPrefix(instruction(p.image().History[i].CreatedBy), "ENV ")
		if ok && strings.Contains(" "+rest, " "+name+"=") {
			return i
		}
	}
	return -1
}

func checkLabelSecrets(p *pass) {
	if p.image() == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(p.image().Config.Labels)) {
		for _, c := range ofPair(name, p.image().Config.Labels[name]) {
			p.reportSecret(c.Match, "label "+name, name, p.lastHistoryWith("LABEL ", name+"="))
		}
	}
}

func (p *pass) lastHistoryWith(prefix, text string) int {
	for i := len(p.image().History) - 1; i >= 0; i-- {
		if s := instruction(p.image().History[i].CreatedBy); strings.HasPrefix(s, prefix) && strings.Contains(s, text) {
			return i
		}
	}
	return -1
}

// commandField is a command of the configuration.
type commandField struct {
	name, instruction string
	words             []string
}

func (p *pass) commandFields() []commandField {
	c := p.image().Config
	return []commandField{
		{"entrypoint", "ENTRYPOINT ", c.Entrypoint},
		{"command", "CMD ", c.Cmd},
		{"health check", "HEALTHCHECK ", c.Healthcheck},
		{"shell", "SHELL ", c.Shell},
		{"on-build instruction", "ONBUILD ", c.OnBuild},
	}
}

func checkCommands(p *pass) {
	if p.image() == nil {
		return
	}
	for _, field := range p.commandFields() {
		for _, c := range inCommand(field.words) {
			p.reportSecret(c.Match, field.name, c.name, p.lastHistory(field.instruction))
		}
	}
}
