package dockerfile

import (
	"regexp"
	"strconv"
	"strings"

	df "github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
	"github.com/portcullis-ci/portcullis/internal/shellscript"
)

var runRules = []Rule{
	{
		Rule: rules.Rule{
			ID: "PC-DF028", Aliases: []string{"CIS-DI-0008"}, Kind: finding.Dockerfile, Severity: finding.Medium, Since: "0.1",
			Title:        "File made writable for all, setuid or setgid",
			Why:          "A file that everyone may write lets any process in the container change what others run; a setuid program lends its owner's rights to everyone.",
			Fix:          "Give the file to the user that needs it (`chown`, `COPY --chown`) and set the mode that it needs, such as 755 or 640.",
			WhenToIgnore: "The directory must be writable under any user id, or the program cannot work without the bit.",
			References:   []string{"https://pubs.opengroup.org/onlinepubs/9799919799/utilities/chmod.html"},
			Tags:         []string{"external/cwe/cwe-732"}, Language: "dockerfile",
			Bad:  onDebian + "RUN chmod 777 /srv\n" + nonRoot,
			Good: onDebian + "RUN chmod 755 /srv\n" + nonRoot,
		},
		Command:     checkModes,
		Instruction: checkCopyMode,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF031", Kind: finding.Dockerfile, Severity: finding.High, Since: "0.1",
			Title:        "Build step without a sandbox",
			Why:          "`--security=insecure` runs the step with all privileges on the build host, `--network=host` in its network: whatever the step downloads and runs gets them too.",
			Fix:          "Remove the flag; give the step the one thing it needs, such as a mount.",
			WhenToIgnore: "The build host is made for this one build and thrown away after it.",
			References:   []string{dockerDocs + "#run---security", dockerDocs + "#run---network"},
			Tags:         []string{"external/cwe/cwe-250"}, Language: "dockerfile",
			Bad:  onDebian + "RUN --security=insecure make\n" + nonRoot,
			Good: onDebian + "RUN --network=none make\n" + nonRoot,
		},
		Instruction: checkSandbox,
	},
}

var symbolicMode = regexp.MustCompile(`^([ugoa]*)([+=-])([rwxXstugo]*)$`)

// modeFault says in words what is wrong with a file mode; empty for nothing.
func modeFault(mode string) string {
	if n, err := strconv.ParseUint(mode, 8, 32); err == nil {
		switch {
		case n&0o6000 != 0 && n&0o4000 != 0:
			return "sets the setuid bit"
		case n&0o2000 != 0:
			return "sets the setgid bit"
		case n&0o002 != 0 && n&0o1000 == 0:
			return "lets everyone write"
		}
		return ""
	}
	for clause := range strings.SplitSeq(mode, ",") {
		m := symbolicMode.FindStringSubmatch(clause)
		if m == nil || m[2] == "-" {
			continue
		}
		all := strings.ContainsAny(m[1], "ao")
		switch {
		case strings.Contains(m[3], "s") && m[1] != "o" && m[1] != "g":
			return "sets the setuid bit"
		case strings.Contains(m[3], "s") && m[1] == "g":
			return "sets the setgid bit"
		case all && strings.Contains(m[3], "w") && !strings.Contains(mode, "t"):
			return "lets everyone write"
		}
	}
	return ""
}

func checkModes(p *Pass, run *Run, c *shellscript.Command) {
	var mode shellscript.Arg
	switch c.Name {
	case "chmod":
		for _, a := range c.Args {
			if strings.HasPrefix(a.Text, "--reference") {
				return
			}
			if strings.HasPrefix(a.Text, "-") && !symbolicMode.MatchString(a.Text) || strings.HasPrefix(a.Text, "--") {
				continue
			}
			mode = a
			break
		}
	case "install", "mkdir":
		if o, ok := split(c.Args, options{short: "mogtS", long: set("--mode", "--owner", "--group")}).find("-m", "--mode"); ok {
			mode = o.ValueArg
			mode.Text = o.Value
		}
	}
	if fault := modeFault(mode.Text); fault != "" && mode.Text != "" {
		p.Reportf(run.In, run.span(mode.At), p.source(run.span(c.Whole)),
			"%s with mode %s %s; give the files to the user that needs them and set a narrower mode.", c.Name, quote(mode.Text), fault)
	}
}

func checkCopyMode(p *Pass, in *df.Instruction) {
	if in.Keyword != "COPY" && in.Keyword != "ADD" {
		return
	}
	f, ok := in.Flag("chmod")
	if !ok || !f.Value.Known {
		return
	}
	if fault := modeFault(f.Value.Text); fault != "" {
		p.Reportf(in, f.Span, in.Body.S, "%s with --chmod=%s %s; give the files to the user that needs them and set a narrower mode.",
			in.Keyword, f.Value.Text, fault)
	}
}

func checkSandbox(p *Pass, in *df.Instruction) {
	if in.Keyword != "RUN" {
		return
	}
	for _, f := range in.Flags {
		switch {
		case f.Name == "security" && f.Value.Text == "insecure":
			p.Reportf(in, f.Span, "--security=insecure "+in.Body.S, "The step runs with all privileges (--security=insecure); remove the flag.")
		case f.Name == "network" && f.Value.Text == "host":
			p.Reportf(in, f.Span, "--network=host "+in.Body.S, "The step runs in the network of the build host (--network=host); remove the flag.")
		}
	}
}
