package imageconfig

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/imagelabel"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

func labelRules() []rule {
	return []rule{{
		Rule: rules.Rule{
			ID: "image-label-malformed", Kind: finding.ImageConfig,
			Title: "OCI label that does not say what its key promises", Severity: finding.Low, Since: "0.1",
			Why:          "Registries, update bots and inventories read the labels org.opencontainers.image.*: a source that is no URL links nowhere, a revision that is a placeholder leads to no commit, and a key that the specification does not know is not read at all.",
			Fix:          "Write created in the form of RFC 3339, url, source and documentation as absolute URLs, licenses as an SPDX expression, revision as the commit. Let the build fill them in, and check that its variables are set.",
			WhenToIgnore: "The label comes from the base image, whose owner has to correct it.",
			References:   []string{"https://github.com/opencontainers/image-spec/blob/main/annotations.md"},
			Bad:          `{"config": {"User": "app", "Labels": {"org.opencontainers.image.created": "yesterday"}}}`,
			Good:         `{"config": {"User": "app", "Labels": {"org.opencontainers.image.created": "2026-03-01T12:00:00Z", "org.opencontainers.image.licenses": "Apache-2.0 OR MIT", "org.opencontainers.image.revision": "0123abc"}}}`, Language: "json",
		},
		check: checkLabelValues,
	}}
}

const ociLabel = "org.opencontainers.image."

// ociLabels are the keys of the image specification without their prefix, each
// with what is wrong with a value, or "" (annotations.md, "Pre-Defined
// Annotation Keys"). Nil means that any text is right.
var ociLabels = map[string]func(value string) string{
	"created":       unless(imagelabel.IsTime, "is no time in the form of RFC 3339, such as 2026-03-01T12:00:00Z"),
	"url":           unless(imagelabel.IsURL, "is no absolute URL"),
	"documentation": unless(imagelabel.IsURL, "is no absolute URL"),
	"source":        unless(imagelabel.IsURL, "is no absolute URL"),
	"licenses":      unless(isLicence, "is no SPDX licence expression"),
	"revision":      unless(isRevision, "names no revision"),
	"base.digest":   unless(digest.MatchString, "is no digest, such as sha256:…"),
	"version":       nil, "authors": nil, "vendor": nil, "ref.name": nil, "title": nil, "description": nil, "base.name": nil,
}

func unless(right func(string) bool, fault string) func(string) string {
	return func(value string) string {
		if right(value) {
			return ""
		}
		return fault
	}
}

// digest is that of the image specification (descriptor.md, "Digests").
var digest = regexp.MustCompile(`^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]{32,}$`)

// isLicence also accepts what SPDX documents write where there is no licence or
// nobody knows.
func isLicence(value string) bool {
	return value == "NONE" || value == "NOASSERTION" || imagelabel.IsSPDX(value)
}

// noRevisions are what stands where a revision was not filled in, and names
// that mean another one tomorrow.
var noRevisions = set("unknown", "none", "null", "undefined", "n/a", "na", "tbd", "todo", "latest", "head", "main", "master", "dev", "local")

func isRevision(value string) bool {
	return !strings.ContainsAny(value, " \t\r\n") && !noRevisions[strings.ToLower(value)]
}

// variable is one that should have been replaced: $VAR, ${VAR}, {{ var }},
// %VAR%.
var variable = regexp.MustCompile(`^\$[A-Za-z_][A-Za-z0-9_]*$|\$\{[^}]*\}|\{\{[^}]*\}\}|^%[A-Za-z_][A-Za-z0-9_]*%$`)

// checkLabelValues names keys only: a value that is wrong may be a secret that
// got into the wrong variable. An empty label says nothing, as a missing one.
func checkLabelValues(p *pass) {
	if p.image() == nil {
		return
	}
	labels := p.image().Config.Labels
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		key, ours := strings.CutPrefix(name, ociLabel)
		value := strings.TrimSpace(labels[name])
		if !ours || value == "" {
			continue
		}
		if fault := faultOf(key, value); fault != "" {
			p.report(report{
				message: fmt.Sprintf("the label %s %s", name, fault),
				object:  name, field: "label " + name, history: p.lastHistoryWith("LABEL ", name+"="), key: []string{name},
			})
		}
	}
}

func faultOf(key, value string) string {
	check, known := ociLabels[key]
	switch {
	case !known:
		return "is none of those that the image specification knows"
	case variable.MatchString(value):
		return "holds a variable that nothing replaced"
	case check == nil:
		return ""
	default:
		return check(value)
	}
}
