package gate

import (
	"github.com/portcullis-ci/portcullis/internal/detect/malware"
	"github.com/portcullis-ci/portcullis/internal/layers"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// judgeContents makes findings of malicious and changed files in the layers.
func (r run) judgeContents(t *target.Target, inspected *layers.Inspections, p *part) {
	opts := malware.Options{Target: t.Name}
	for _, l := range t.Layers {
		opts.Layers = append(opts.Layers, l.DiffID)
	}
	result, err := malware.Check(inspected, *p.inventory, opts)
	if err != nil {
		p.failures = append(p.failures, failure("malware", t.Name, err))
		return
	}
	p.findings = append(p.findings, result.Findings...)
	p.inventory.Unreadable = append(p.inventory.Unreadable, result.Unexamined...)
	r.Progress.Note("malicious content: %s compared with the package database, %s not examined",
		count(result.Compared, "file", "files"), count(len(result.Unexamined), "file", "files"))
}
