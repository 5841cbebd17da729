package gate

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"github.com/portcullis-ci/portcullis/internal/detect/imageconfig"
	"github.com/portcullis-ci/portcullis/internal/detect/malware"
	"github.com/portcullis-ci/portcullis/internal/detect/secret"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/layers"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// inspectors are fed with all files in the one pass over the layers.
func inspectors() []layers.Inspector {
	return []layers.Inspector{secret.Inspector{}, malware.Inspector{}}
}

// judgeSecrets makes findings of the credentials in the files of the layers.
// It comes after the checks of the configuration, whose findings about
// credential files it replaces.
func (r run) judgeSecrets(t *target.Target, inspected *layers.Inspections, p *part) {
	opts := secret.Options{Target: t.Name, Now: r.Clock(), Unchanged: unchanged(p)}
	opts.Owned = func(path string) bool { _, ok := p.inventory.Owner(path); return ok }
	for _, l := range t.Layers {
		opts.Layers = append(opts.Layers, l.DiffID)
	}
	result, err := secret.Check(inspected, opts)
	if err != nil {
		p.failures = append(p.failures, failure("secret", t.Name, err))
		return
	}
	p.findings = append(r.withoutRepeats(p.findings, result.Findings), result.Findings...)
	p.inventory.Unreadable = append(p.inventory.Unreadable, result.Unreadable...)
	r.Progress.Note("secrets: %s, %d MiB searched, %s looked into, %d matches in unchanged files of packages",
		count(result.Files, "file", "files"), result.Bytes>>20, count(result.Archives, "archive or packed file", "archives and packed files"),
		result.Unchanged)
}

// unchanged reports files that are as a package of the operating system
// installed them. The digest in the package database decides where there is
// one; without it, a file is taken for the package's in the layer in which that
// was installed, unless it is configuration, which is there to be changed.
func unchanged(p *part) func(secret.Content) bool {
	installed := sync.OnceValue(func() map[string]string {
		layers := make(map[string]string, len(p.inventory.Packages))
		for _, pkg := range p.inventory.Packages {
			layers[pkg.ID] = pkg.Layer
		}
		return layers
	})
	return func(c secret.Content) bool {
		f, known := p.inventory.Owner(c.Path)
		if known && !c.Hidden {
			algorithm, want, _ := strings.Cut(f.Digest, ":")
			if got := c.Digest(algorithm); got != "" {
				return got == want
			}
		}
		if f.Config || strings.HasPrefix(c.Path, "/etc/") {
			return false
		}
		id := cmp.Or(f.Package, p.inventory.Removed[c.Path])
		return id != "" && c.Layer != "" && installed()[id] == c.Layer
	}
}

// withoutRepeats leaves out findings that say of a whole file that it holds a
// credential, where the search says as much of what the file holds. What the
// search found always counts: it is told apart by its value, and one credential
// in a file must not hide another one.
func (r run) withoutRepeats(findings, searched []finding.Finding) []finding.Finding {
	worst := map[[2]string]finding.Severity{}
	for _, f := range r.applyRules(searched) {
		for _, l := range f.Locations {
			at := [2]string{l.Path, l.Layer}
			worst[at] = max(worst[at], f.Severity)
		}
	}
	return slices.DeleteFunc(findings, func(f finding.Finding) bool {
		if !imageconfig.OfWholeFile(f) {
			return false
		}
		said, found := worst[[2]string{f.Locations[0].Path, f.Locations[0].Layer}]
		for _, counted := range r.applyRules([]finding.Finding{f}) {
			f = counted
		}
		return found && said.AtLeast(f.Severity)
	})
}
