package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/portcullis-ci/portcullis/internal/ci"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
	"github.com/portcullis-ci/portcullis/internal/supervise"
)

// envPrefix begins the names of the environment variables that stand in for
// flags: PORTCULLIS_FAIL_ON for --fail-on.
const envPrefix = "PORTCULLIS_"

// variable is the name of the environment variable that stands in for a flag.
func variable(f *pflag.Flag) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
}

// flagsFromEnvironment sets each flag that was not given from its environment
// variable, and returns the variables by flag. Empty counts as not set, because
// CI hosts cannot tell the two apart.
func (p Program) flagsFromEnvironment(flags *pflag.FlagSet) (map[string]string, error) {
	var errs []error
	set := make(map[string]string)
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Changed || f.Name == "help" {
			return
		}
		name := variable(f)
		if slices.Contains(hostVariables, name) {
			return // PORTCULLIS_DIFF is a file of changes, and not lint --diff
		}
		if value := p.Getenv(name); value != "" {
			set[f.Name] = name
			for _, value := range values(f, value) {
				if err := flags.Set(f.Name, value); err != nil {
					errs = append(errs, &exit.Error{
						Code: exit.Usage, Doing: "read " + name, Err: plain(err),
						Hint: fmt.Sprintf("it stands for --%s: %s", f.Name, f.Usage),
					})
				}
			}
		}
	})
	return set, errors.Join(errs...)
}

// values are those that a variable gives its flag: one a line where the flag may
// be repeated.
func values(f *pflag.Flag, value string) []string {
	if _, repeatable := f.Value.(pflag.SliceValue); !repeatable {
		return []string{value}
	}
	var list []string
	for line := range strings.Lines(value) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}

// refuseEmpty refuses flags that were given with an empty value, as a script does
// whose variable is not set: taken for a flag that was left out, --waivers-ref
// would have a change waive itself.
func refuseEmpty(flags *pflag.FlagSet) error {
	var errs []error
	flags.Visit(func(f *pflag.Flag) {
		empty := f.Value.Type() == "string" && f.Value.String() == ""
		if list, ok := f.Value.(pflag.SliceValue); ok {
			empty = slices.Contains(list.GetSlice(), "")
		}
		if empty {
			errs = append(errs, &exit.Error{
				Code: exit.Usage, Doing: fmt.Sprintf("--%s is empty", f.Name),
				Hint: "leave the flag out, or see that the variable has a value from which it is filled",
			})
		}
	})
	return errors.Join(errs...)
}

// hostVariables are those of the adapters to CI hosts. They stand in for no flag,
// also where one has such a name.
var hostVariables = []string{ci.EnvAnnotations, ci.EnvSummary, ci.EnvComment, ci.EnvToken, ci.EnvDiff}

// otherVariables are further variables that no flag stands behind: those that the action and the GitLab template read
// before they run this program.
var otherVariables = []string{
	supervise.Variable,
	"PORTCULLIS_BIN", "PORTCULLIS_MIRROR", "PORTCULLIS_SUMS", "PORTCULLIS_COMMAND",
	"PORTCULLIS_IN_IMAGE", "PORTCULLIS_IN_DOCKERFILE", "PORTCULLIS_IN_K8S", "PORTCULLIS_IN_DB_REF",
	"PORTCULLIS_IN_REPORT_SEVERITY", "PORTCULLIS_IN_ONLY_FIXED", "PORTCULLIS_IN_ONLY_NEW", "PORTCULLIS_IN_OFFLINE",
	"PORTCULLIS_IN_ALLOW_WARNINGS",
	// Pipelines that download a release keep its version and sum in these.
	"PORTCULLIS_VERSION", "PORTCULLIS_SHA256",
}

// serviceVariable reports whether Kubernetes made a variable for a Service that
// is called portcullis:
// https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
func serviceVariable(name string) bool {
	rest := strings.TrimPrefix(name, envPrefix)
	return rest == "PORT" || strings.HasPrefix(rest, "PORT_") || rest == "SERVICE_HOST" ||
		rest == "SERVICE_PORT" || strings.HasPrefix(rest, "SERVICE_PORT_")
}

// mostVariables bounds how many unknown variables are named one by one.
const mostVariables = 10

// warnOfVariables names the variables of the environment that look like
// settings and are none: a gate whose threshold is misspelt must not be weaker
// in silence. It is a warning and no error, because the prefix is not ours alone.
func (p Program) warnOfVariables(root *cobra.Command) {
	if p.Environ == nil {
		return
	}
	known := make(map[string]bool)
	for _, name := range slices.Concat(hostVariables, otherVariables) {
		known[name] = true
	}
	var collect func(*cobra.Command)
	collect = func(cmd *cobra.Command) {
		add := func(f *pflag.Flag) { known[variable(f)] = true }
		cmd.Flags().VisitAll(add)
		cmd.PersistentFlags().VisitAll(add)
		for _, child := range cmd.Commands() {
			collect(child)
		}
	}
	collect(root)
	var unknown []string
	for _, entry := range p.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, envPrefix) && !known[name] && !serviceVariable(name) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	for i, name := range unknown {
		if i == mostVariables {
			p.printf("portcullis: warning: %d further environment variables of the prefix %s are not used\n", len(unknown)-i, envPrefix)
			return
		}
		p.printf("portcullis: warning: the environment variable %s is not used%s\n",
			neutralise.Log(neutralise.Short(name, 100)), nearestVariable(name, known))
	}
}

// nearestVariable suggests the variable that may have been meant.
func nearestVariable(name string, known map[string]bool) string {
	nearest, most := "", 0.6
	given := strings.TrimPrefix(name, envPrefix)
	for candidate := range known {
		rest := strings.TrimPrefix(candidate, envPrefix)
		if s := levenshtein.Similarity(given, rest, nil); s > most || s == most && candidate < nearest {
			nearest, most = candidate, s
		}
	}
	if nearest == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", nearest)
}
