package dockerfile

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// Accept returns what the policy about ignore comments leaves of a
// configuration that stands in the checkout, as such comments do, and the parts
// that it makes void. What makes a file stricter stays: severities are only
// raised, a threshold counts where it is lower than failOn, the gate's own, and
// what the variables allow is not added to.
func (h Hadolint) Accept(policy InlineIgnores, failOn *finding.Severity) (Hadolint, []string) {
	if !policy.Disallow && !policy.RequireReason {
		return h, nil
	}
	var void []string
	refused := func(key string) bool { return policy.Disallow || h.reasons[key] == "" }
	h.Ignored = slices.DeleteFunc(slices.Clone(h.Ignored), func(name string) bool {
		if !refused("ignored:" + name) {
			return false
		}
		void = append(void, "ignored "+name)
		return true
	})
	void = append(void, h.acceptOverrides(refused)...)
	if h.NoFail && refused("no-fail") {
		h.NoFail, void = false, append(void, "no-fail")
	}
	if h.FailureThreshold != "" && refused("failure-threshold") {
		if severity, fails, err := h.Threshold(); err != nil || !fails || failOn != nil && severity > *failOn {
			h.FailureThreshold, void = "", append(void, "failure-threshold")
		}
	}
	h.registriesGiveWay = refused("trustedRegistries")
	h.labelsGiveWay = refused("label-schema")
	return h, void
}

// acceptOverrides takes out the overrides that are refused, of which only those
// that raise a severity count, and returns the others.
func (h *Hadolint) acceptOverrides(refused func(key string) bool) (void []string) {
	for i, names := range []*[]string{&h.Override.Style, &h.Override.Info, &h.Override.Warning, &h.Override.Error} {
		severity := h.overrides()[i].severity
		raise := override{severity: severity}
		*names = slices.DeleteFunc(slices.Clone(*names), func(name string) bool {
			if !refused("override:" + name) {
				return false
			}
			raise.names = append(raise.names, name)
			if lowers(name, severity) {
				void = append(void, "override "+name)
			}
			return true
		})
		h.raises = append(h.raises, raise)
	}
	return void
}

// lowers reports whether a rule of the name is more severe than that.
func lowers(name string, severity finding.Severity) bool {
	return slices.ContainsFunc(allRules(), func(r Rule) bool { return named(r, []string{name}) && r.Severity > severity })
}

// readReasons collects the comments above and beside what may need a reason: a
// rule of a list, the whole list, or a key.
func readReasons(root *yaml.Node) map[string]string {
	reasons := make(map[string]string)
	note := func(key string, nodes ...*yaml.Node) {
		if reason := commentOf(nodes...); reason != "" {
			reasons[key] = reason
		}
	}
	list := func(prefix string, key, value *yaml.Node) {
		for _, item := range value.Content {
			note(prefix+":"+item.Value, item, value, key)
		}
	}
	eachKey(root, func(key, value *yaml.Node) {
		switch key.Value {
		case "ignored":
			list("ignored", key, value)
		case "override":
			eachKey(value, func(level, names *yaml.Node) { list("override", level, names) })
		default:
			note(key.Value, value, key)
		}
	})
	return reasons
}

func eachKey(n *yaml.Node, f func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		f(n.Content[i], n.Content[i+1])
	}
}

// commentOf is the text of the first comment, that beside a node before that
// above it.
func commentOf(nodes ...*yaml.Node) string {
	for _, n := range nodes {
		for _, comment := range []string{n.LineComment, n.HeadComment} {
			var words []string
			for line := range strings.Lines(comment) {
				words = append(words, strings.Fields(strings.TrimLeft(strings.TrimSpace(line), "#"))...)
			}
			if len(words) > 0 {
				return strings.Join(words, " ")
			}
		}
	}
	return ""
}

// ignoredBy is the reason for which a rule is ignored.
func (h Hadolint) ignoredBy(name string) string {
	words := "ignored by " + h.source()
	if reason := h.reasons["ignored:"+name]; reason != "" {
		words = fmt.Sprintf("%s: %s", words, reason)
	}
	return words
}
