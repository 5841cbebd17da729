package imageconfig

import (
	"fmt"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

func archiveRules() []rule {
	return []rule{{
		Rule: rules.Rule{
			ID: "image-ambiguous-archive", Kind: finding.ImageConfig,
			Title: "Entry of a layer that programs read differently", Severity: finding.High, Since: "0.1",
			Why:          "Names that lead out of the image, hard links to nothing, two sizes or names of one entry, whiteouts with a content, attributes of overlay file systems that show other content in its place, and files behind the end of an archive are understood in one way by one program and in another by the next. What a scanner examined is then not what runs. Builders make no such entries; people who hide something do.",
			Fix:          "Build the layer anew with a common tool, and find out who made it as it is.",
			WhenToIgnore: "The tool that wrote the layer is known to make such entries, and what it hides has been looked at.",
			References:   []string{"https://github.com/opencontainers/image-spec/blob/main/layer.md", "https://cwe.mitre.org/data/definitions/436.html"},
			Tags:         []string{"external/cwe/cwe-436"},
			Bad:          `{"config": {"User": "app"}, "ambiguous": [{"path": "/etc/passwd", "reason": "the archive names it \"../etc/passwd\", which points outside the image"}]}`,
			Good:         `{"config": {"User": "app"}, "files": [{"path": "/etc/passwd", "mode": "0644"}]}`, Language: "json",
		},
		check: func(p *pass) { tellEntries(p, false) },
	}, {
		Rule: rules.Rule{
			ID: "image-duplicate-entry", Kind: finding.ImageConfig,
			Title: "Path that one layer holds twice with different content", Severity: finding.Low, Since: "0.1",
			Why:          "The archive of a layer gives a path several times, and not always as the same. Container runtimes unpack one after the other, so that the last one stays, and it is the one that was examined. A program that takes the first one sees another image, and the earlier content stays in the layer for whoever downloads it.",
			Fix:          "Find out which step of the build adds the path again, and let it be written once.",
			WhenToIgnore: "The tool that wrote the layer appends to archives, and the earlier content is no secret.",
			References:   []string{"https://github.com/opencontainers/image-spec/blob/main/layer.md", "https://cwe.mitre.org/data/definitions/436.html"},
			Tags:         []string{"external/cwe/cwe-436"},
			Bad:          `{"config": {"User": "app"}, "ambiguous": [{"path": "/etc/passwd", "reason": "the layer holds it 2 times with different content; the last one was examined", "repeated": true}]}`,
			Good:         `{"config": {"User": "app"}, "files": [{"path": "/etc/passwd", "mode": "0644"}]}`, Language: "json",
		},
		check: func(p *pass) { tellEntries(p, true) },
	}}
}

// tellEntries tells all such entries of a layer at once: who hides one thing in
// an archive may have made a million of them.
func tellEntries(p *pass, repeated bool) {
	byLayer := make(map[string][]int)
	var order []string
	for i, a := range p.inv.Ambiguous {
		if a.Repeated != repeated {
			continue
		}
		if byLayer[a.Layer] == nil {
			order = append(order, a.Layer)
		}
		byLayer[a.Layer] = append(byLayer[a.Layer], i)
	}
	for _, layer := range order {
		first := p.inv.Ambiguous[byLayer[layer][0]]
		r := report{message: fmt.Sprintf("%s: %s", first.Path, first.Reason), history: -1, key: []string{first.Path}}
		if more := len(byLayer[layer]) - 1; more > 0 {
			r.message = fmt.Sprintf("%d entries; the first is %s", more+1, r.message)
		}
		for _, i := range byLayer[layer][:min(len(byLayer[layer]), maxPlaces)] {
			r.places = append(r.places, finding.Location{Space: finding.InImage, Path: p.inv.Ambiguous[i].Path, Layer: layer})
		}
		p.report(r)
	}
}
