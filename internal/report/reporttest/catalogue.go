package reporttest

import (
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// Catalogue has the rules of the fixture's findings.
func Catalogue() rules.Catalogue {
	c, err := rules.NewCatalogue([]rules.Rule{
		entry("PC-DF002", finding.Dockerfile, finding.High, "Container runs as root", "DL3002", "DS-0002"),
		entry("PC-DF006", finding.Dockerfile, finding.Low, "Base image is not pinned", "DL3006"),
		entry("k8s-privileged", finding.Kubernetes, finding.Critical, "Container is privileged", "privileged-container", "KSV-0017"),
		entry("PC-SEC001", finding.Secret, finding.Critical, "Private key in the image"),
		entry("PC-IMG003", finding.ImageConfig, finding.Medium, "File with setuid bit"),
		entry("PC-COV001", finding.Coverage, finding.Medium, "File could not be read"),
	})
	if err != nil {
		panic(err) // the fixture itself is wrong
	}
	return c
}

func entry(id string, kind finding.Kind, severity finding.Severity, title string, aliases ...string) rules.Rule {
	return rules.Rule{
		ID: id, Kind: kind, Severity: severity, Title: title, Aliases: aliases, Since: "0.1",
		Why: "What goes wrong if nothing is done about `" + id + "`.", Fix: "What to do about it.", WhenToIgnore: "Hardly ever.",
		References: []string{"https://example.org/rules/" + id},
		Tags:       []string{"external/cwe/cwe-250"},
		Bad:        "USER root", Good: "USER 10001", Language: "dockerfile",
	}
}
