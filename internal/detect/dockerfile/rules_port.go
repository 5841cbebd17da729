package dockerfile

import (
	"regexp"
	"strconv"
	"strings"

	df "github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

var portRules = []Rule{
	{
		Rule: rules.Rule{
			ID: "PC-DF029", Aliases: []string{"DS-0004", "CKV_DOCKER_1"}, Severity: finding.Medium,
			Title:        "SSH port exposed",
			Why:          "A container with an SSH server has a second way in, with keys and passwords of its own that nobody rotates.",
			Fix:          "Remove the port and the server; use `docker exec` or `kubectl exec`.",
			WhenToIgnore: "Serving SSH is what the image is for.",
			References:   []string{dockerDocs + "#expose"},
			Tags:         []string{"external/cwe/cwe-284"},
			Bad:          onDebian + "EXPOSE 22\n" + nonRoot,
			Good:         onDebian + "EXPOSE 8080\n" + nonRoot,
		},
		Instruction: checkSSHPort,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF105", Aliases: []string{"DL3011", "DS-0008"}, Severity: finding.High,
			Title:        "Port outside 0 to 65535",
			Why:          "There is no such port.",
			Fix:          "Write a port from 1 to 65535.",
			WhenToIgnore: "Never: the port does not exist.",
			References:   []string{dockerDocs + "#expose"},
			Bad:          onDebian + "EXPOSE 80800\n" + nonRoot,
			Good:         onDebian + "EXPOSE 8080\n" + nonRoot,
		},
		Instruction: checkPortRange,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF106", Aliases: []string{"ExposeInvalidFormat", "ExposeProtoCasing"}, Severity: finding.Medium,
			Title:        "EXPOSE with an address, a mapping or an upper-case protocol",
			Why:          "EXPOSE documents the container's own port; addresses and mappings to the host are given when it is run. Protocols are written in lower case.",
			Fix:          "Write the port alone, with the protocol in lower case: `EXPOSE 8080/tcp`.",
			WhenToIgnore: "Never: the builder refuses it or takes it for something else.",
			References:   []string{"https://docs.docker.com/reference/build-checks/expose-invalid-format/", "https://docs.docker.com/reference/build-checks/expose-proto-casing/"},
			Bad:          onDebian + "EXPOSE 8080:80\n" + nonRoot,
			Good:         onDebian + "EXPOSE 80/tcp\n" + nonRoot,
		},
		Instruction: checkExposeForm,
	},
}

var portForm = regexp.MustCompile(`^(\d+)(?:-(\d+))?(?:/([A-Za-z]+))?$`)

// ports are the bounds of an EXPOSE word; false when it is no port or range.
func ports(s string) (from, to int, ok bool) {
	m := portForm.FindStringSubmatch(s)
	if m == nil {
		return 0, 0, false
	}
	from = clampPort(m[1])
	to = from
	if m[2] != "" {
		to = clampPort(m[2])
	}
	return from, to, true
}

// clampPort reads digits; a number that is too long counts as out of range.
func clampPort(s string) int {
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	return 1 << 30
}

// eachPort calls f for the known words of EXPOSE, split where a variable holds
// several.
func eachPort(in *df.Instruction, f func(word string, at df.Span)) {
	if in.Keyword != "EXPOSE" {
		return
	}
	for _, a := range in.Args {
		if a.Value.Known {
			for w := range strings.FieldsSeq(strings.Trim(a.Value.Text, `"'`)) {
				f(w, a.Span)
			}
		}
	}
}

func checkSSHPort(p *Pass, in *df.Instruction) {
	eachPort(in, func(w string, at df.Span) {
		if from, to, ok := ports(w); ok && from <= 22 && 22 <= to && !strings.HasSuffix(strings.ToLower(w), "/udp") {
			p.Reportf(in, at, "EXPOSE 22", "EXPOSE %s opens the SSH port; remove the SSH server from the image.", w)
		}
	})
}

func checkPortRange(p *Pass, in *df.Instruction) {
	eachPort(in, func(w string, at df.Span) {
		if from, to, ok := ports(w); ok && max(from, to) > 65535 {
			p.Reportf(in, at, "EXPOSE "+w, "EXPOSE %s names a port above 65535, which does not exist.", w)
		}
	})
}

func checkExposeForm(p *Pass, in *df.Instruction) {
	eachPort(in, func(w string, at df.Span) {
		_, proto, _ := strings.Cut(w, "/")
		switch {
		case strings.Contains(w, ":"):
			p.Reportf(in, at, "EXPOSE "+w, "EXPOSE %s holds an address or a mapping; write the container's port alone.", w)
		case proto != strings.ToLower(proto):
			r := p.Reportf(in, at, "EXPOSE "+w, "EXPOSE %s has its protocol in upper case; write %s.", w, quote(strings.ToLower(w)))
			if p.source(at) == w {
				r.Fix("Write the protocol in lower case.", Replacement{At: at, NewText: strings.ToLower(w)})
			}
		}
	})
}
