package kubernetes

import (
	"bytes"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// readingRules are reported while files are read.
var readingRules = []rule{unreadable}

var unreadable = rule{
	Rule: rules.Rule{
		ID:       "k8s-unreadable",
		Title:    "Document cannot be read in full",
		Severity: finding.High,
		Why: "What cannot be read was not checked. A broken document, a key that is there twice or an object without a kind " +
			"may hide anything from every rule, while another reader finds a meaning in it.",
		Fix:          "Correct the document so that `kubectl apply --dry-run=server` accepts it, or leave the file out of the check if it is not a manifest.",
		WhenToIgnore: "Files that only look like manifests, such as templates of another tool, should be excluded rather than ignored.",
		References:   []string{"https://yaml.org/spec/1.2.2/"},
		Tags:         []string{"external/cwe/cwe-20"},
		Bad:          "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: web\n  namespace: shop\n  namespace: bank\nautomountServiceAccountToken: false\n",
		Good:         "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: web\n  namespace: shop\nautomountServiceAccountToken: false\n",
	},
}

// unreadable reports a problem of reading. It stands outside of the run of
// rules, so that no setting but the rule's own can silence it.
func (l *linter) unreadable(path string, objects []*manifest.Object, p manifest.Problem) {
	r := unreadable.complete()
	if !r.runs(l.opts) {
		return
	}
	message := "This document cannot be read in full, so it was not checked: " + p.Message + "."
	if !p.Fatal {
		message = upperFirst(p.Message) + "."
	}
	f := r.finding(path, p.Span, message)
	if len(objects) == 1 {
		f.Object = objects[0].ID()
	}
	f.Fingerprint = finding.Fingerprint(f.Kind, f.RuleID, path, f.Object, p.Subject)
	l.found = append(l.found, f)
}

// templated reports whether a file is one of those that some tool fills in
// before anybody reads it as YAML.
func templated(content []byte) bool {
	return bytes.Contains(content, []byte("{{")) || bytes.Contains(content, []byte("{%"))
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
