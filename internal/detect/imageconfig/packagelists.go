package imageconfig

import (
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// packageListRules are about the lists of installed packages.
func packageListRules() []rule {
	return []rule{{
		Rule: rules.Rule{
			ID: "image-package-list-deleted", Kind: finding.ImageConfig,
			Title: "A layer deletes the list of installed packages", Severity: finding.Medium, Since: "0.1",
			Why:          "A later layer deletes or empties the list that dpkg, rpm or apk keeps, and leaves the packages where they are. Scanners that read the image as it runs then find no package of the system in it and none of their vulnerabilities, and nobody can tell what to update. Here the list was read as it was before it was deleted.",
			Fix:          "Leave the list in the image. To make it smaller, remove packages with the package manager, or copy what is needed into an image that is made for it.",
			WhenToIgnore: "The image is made smaller on purpose, and everything that examines it reads deleted lists.",
			References:   []string{"https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts"},
			Bad:          `{"config": {"User": "app"}, "restored": ["/var/lib/dpkg/status"]}`,
			Good:         `{"config": {"User": "app"}, "files": [{"path": "/var/lib/dpkg/status", "mode": "0644"}]}`, Language: "json",
		},
		check: func(p *pass) {
			for _, place := range p.inv.Restored {
				p.report(report{
					message: place.Path + " lists the packages of the system, and a later layer deletes or empties it; it was read as it was before", history: -1, key: []string{place.Path},
					places: []finding.Location{{Space: finding.InImage, Path: place.Path, Layer: place.Layer}},
				})
			}
		},
	}}
}
