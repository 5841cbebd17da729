package imageconfig

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
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
	p.report(report{
		message:  fmt.Sprintf("%s holds %s (%s)", field, c.Described(), c.Redacted),
		severity: c.Severity, object: name, field: field, history: history, key: []string{name, c.Kind},
		evidence: evidence,
	})
}

func checkEnv(p *pass) {
	if p.image() == nil {
		return
	}
	for _, v := range p.image().Config.Env {
		name, value, _ := strings.Cut(v, "=")
		if c, ok := credential.OfPair(name, value); ok {
			p.reportSecret(c, "environment variable "+name, name, p.historyOfVariable(name))
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
		if c, ok := credential.OfPair(name, p.image().Config.Labels[name]); ok {
			p.reportSecret(c, "label "+name, name, p.lastHistoryWith("LABEL ", name+"="))
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

func checkCommands(p *pass) {
	if p.image() == nil {
		return
	}
	c := p.image().Config
	for _, field := range []struct {
		name, instruction string
		words             []string
	}{
		{"entrypoint", "ENTRYPOINT ", c.Entrypoint},
		{"command", "CMD ", c.Cmd},
		{"health check", "HEALTHCHECK ", c.Healthcheck},
		{"shell", "SHELL ", c.Shell},
		{"on-build instruction", "ONBUILD ", c.OnBuild},
	} {
		if cred, name, ok := inCommand(field.words); ok {
			p.reportSecret(cred, field.name, name, p.lastHistory(field.instruction))
		}
	}
}

// option is an option of a command line that gives a secret: --password=x,
// -p x is too short to tell.
var option = regexp.MustCompile(`^--?([A-Za-z][A-Za-z0-9_-]*)(?:=(.*))?$`)

// assignment is NAME=value before or inside a command.
var assignment = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]*)=(.+)$`)

// inCommand looks for a credential in the words of a command line.
func inCommand(words []string) (c credential.Match, name string, ok bool) {
	for i, word := range words {
		for _, part := range splitCommand(word) {
			if c, ok := credential.OfText(part); ok {
				return c, c.Kind, true
			}
		}
		parts := splitCommand(word)
		if len(parts) == 1 && i+1 < len(words) {
			parts = append(parts, words[i+1])
		}
		if c, name, ok := inOptions(parts); ok {
			return c, name, ok
		}
	}
	return credential.Match{}, "", false
}

// inOptions looks for options and assignments that are named like a secret.
func inOptions(words []string) (credential.Match, string, bool) {
	for i, word := range words {
		if m := assignment.FindStringSubmatch(word); m != nil {
			if c, ok := credential.OfPair(m[1], m[2]); ok {
				return c, m[1], true
			}
			continue
		}
		m := option.FindStringSubmatch(word)
		if m == nil {
			continue
		}
		value := m[2]
		if value == "" && !strings.Contains(word, "=") && i+1 < len(words) && !strings.HasPrefix(words[i+1], "-") {
			value = words[i+1]
		}
		if c, ok := credential.OfPair(m[1], value); ok {
			return c, m[1], true
		}
	}
	return credential.Match{}, "", false
}

// splitCommand cuts a command line at blanks and operators outside quotes.
// What is left of quotes is cut off the ends of words.
func splitCommand(s string) []string {
	var words []string
	var word strings.Builder
	quote := rune(0)
	flush := func() {
		if word.Len() > 0 {
			words = append(words, word.String())
			word.Reset()
		}
	}
	for _, r := range s {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			} else {
				word.WriteRune(r)
			}
		case r == '"' || r == '\'':
			quote = r
		case r == ' ' || r == '\t' || r == '\n' || r == ';' || r == '|' || r == '&' || r == '(' || r == ')':
			flush()
		default:
			word.WriteRune(r)
		}
	}
	flush()
	return words
}

func checkHistory(p *pass) {
	if p.image() == nil {
		return
	}
	for i, h := range p.image().History {
		step := instruction(h.CreatedBy)
		if isMetadata(step) {
			// The configuration says the same, and is judged by other rules.
			if c, name, ok := dropped(p, step); ok {
				p.reportSecret(c, "history entry "+strconv.Itoa(i), name, i)
			}
			continue
		}
		args, rest := buildArguments(step)
		seen := map[string]bool{}
		for _, a := range args {
			if c, ok := credential.OfPair(a[0], a[1]); ok {
				seen[a[0]] = true
				p.reportSecret(c, "build argument "+a[0]+" in history entry "+strconv.Itoa(i), a[0], i)
			}
		}
		if c, name, ok := inCommand([]string{rest}); ok && !seen[name] {
			p.reportSecret(c, "command in history entry "+strconv.Itoa(i), name, i)
		} else if found := credential.InScript(rest); !ok && len(found) > 0 {
			name = cmp.Or(found[0].Name, found[0].Kind)
			if !seen[name] {
				p.reportSecret(found[0], "command in history entry "+strconv.Itoa(i), name, i)
			}
		}
		for _, text := range []string{h.Comment, h.Author} {
			if c, ok := credential.OfText(text); ok {
				p.reportSecret(c, "comment of history entry "+strconv.Itoa(i), c.Kind, i)
			}
		}
	}
}

func isMetadata(step string) bool {
	for _, prefix := range []string{"ENV ", "LABEL ", "CMD ", "ENTRYPOINT ", "HEALTHCHECK ", "SHELL ", "ONBUILD "} {
		if strings.HasPrefix(step, prefix) {
			return true
		}
	}
	return false
}

// dropped finds a variable that an ENV instruction set and that the
// configuration no longer has with that value: overwritten, yet readable.
func dropped(p *pass, step string) (credential.Match, string, bool) {
	rest, ok := strings.CutPrefix(step, "ENV ")
	if !ok {
		return credential.Match{}, "", false
	}
	name, value, ok := strings.Cut(rest, "=")
	if !ok || slices.Contains(p.image().Config.Env, name+"="+credential.Unquote(value)) {
		return credential.Match{}, "", false
	}
	for _, v := range p.image().Config.Env {
		// Several variables in one instruction, all still there.
		if n, val, _ := strings.Cut(v, "="); n == name && strings.Contains(rest, val) {
			return credential.Match{}, "", false
		}
	}
	c, ok := credential.OfPair(name, value)
	return c, name, ok
}

// buildArguments reads the arguments that builders record before a command:
// "RUN |2 A=b C=d e /bin/sh -c make". Values are not quoted there, so that a
// blank may belong to a value: a value ends where the next name begins.
func buildArguments(step string) (args [][2]string, rest string) {
	body := strings.TrimPrefix(step, "RUN ")
	if arg, ok := strings.CutPrefix(body, "ARG "); ok {
		if name, value, ok := strings.Cut(arg, "="); ok {
			return [][2]string{{name, value}}, ""
		}
		return nil, ""
	}
	count, list, ok := strings.Cut(strings.TrimPrefix(body, "|"), " ")
	n, err := strconv.Atoi(count)
	if !ok || err != nil || !strings.HasPrefix(body, "|") {
		return nil, body
	}
	words := strings.Split(list, " ")
	i := 0
	for ; i < len(words); i++ {
		m := assignment.FindStringSubmatch(words[i])
		switch {
		case m != nil && len(args) < n:
			args = append(args, [2]string{m[1], m[2]})
		case strings.HasSuffix(words[i], "=") && len(args) < n:
			args = append(args, [2]string{strings.TrimSuffix(words[i], "="), ""})
		case len(args) == 0 || len(args) == n && strings.HasPrefix(words[i], "/"):
			return args, strings.Join(words[i:], " ")
		default:
			args[len(args)-1][1] += " " + words[i]
		}
	}
	return args, ""
}
