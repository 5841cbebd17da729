package gate

import (
	"context"

	"github.com/portcullis-ci/portcullis/internal/clamav"
	"github.com/portcullis-ci/portcullis/internal/detect/malware"
	"github.com/portcullis-ci/portcullis/internal/exit"
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

// askClamAV has the ClamAV daemon examine the files of the layers. Without it
// the user would not get what they asked for, so that every fault is a failure.
func (r run) askClamAV(ctx context.Context, t *target.Target, inspected *layers.Inspections, p *part) {
	fail := func(err error) {
		p.failures = append(p.failures, failure("malware", t.Name, &exit.Error{
			Code: exit.NotExamined, Doing: "examine " + t.Name + " with ClamAV at " + r.ClamAV.String(), Err: err,
			Hint: "check that clamd runs there, has signatures, and that this user may reach it; or leave --clamd out",
		}))
	}
	client := clamav.New(*r.ClamAV)
	if err := client.Ping(ctx); err != nil {
		fail(err)
		return
	}
	version, err := client.Version(ctx)
	if err != nil {
		fail(err)
		return
	}
	opts := malware.ScanOptions{Options: malware.Options{Target: t.Name}, Blobs: t.Layers, Limits: r.Limits, Inspected: inspected}
	for _, l := range t.Layers {
		opts.Layers = append(opts.Layers, l.DiffID)
	}
	result, err := malware.ScanFiles(ctx, client, *p.inventory, opts)
	if err != nil {
		fail(err)
	}
	p.findings = append(p.findings, result.Findings...)
	p.inventory.Unreadable = append(p.inventory.Unreadable, result.Unexamined...)
	r.Progress.Note("%s: %s examined, %d unchanged ones of packages left out, %d entries not examined",
		version, count(result.Scanned, "file", "files"), result.Unchanged, len(result.Unexamined))
}
