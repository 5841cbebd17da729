package baseline

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// publishedFact is the evidence by which a vulnerability says on which day its
// advisory was published.
const publishedFact = "published"

// fresh says why a finding is new.
func (c comparison) fresh(f finding.Finding) finding.Comparison {
	cause, reason := c.whyNew(f)
	return finding.Comparison{State: finding.BaselineNew, Cause: cause, Reason: reason}
}

func (c comparison) whyNew(f finding.Finding) (finding.Cause, string) {
	if f.Kind != finding.Vulnerability {
		return c.whyRule(f.Kind, "did not find it")
	}
	b, n := c.base.Identity, c.now
	switch {
	case b.DatabaseDigest == "":
		return finding.CauseUnknown, "the baseline was made without advisory data"
	case b.ImageID != "" && b.ImageID == n.ImageID && b.ImageName == f.Target:
		return c.whySameCode("the image is the same")
	}
	if cause, reason, ok := c.whyPackage(f); ok {
		return cause, reason
	}
	switch published := c.publishedAfter(f); {
	case b.DatabaseDigest == n.DatabaseDigest:
		return finding.CodeChanged, "the advisory data is the same"
	case published != "":
		return finding.DataLearned, published
	default:
		return finding.CauseUnknown, "the packages of the baseline are not known, and image and advisory data have both changed"
	}
}

// whyPackage tells by the packages of both runs.
func (c comparison) whyPackage(f finding.Finding) (finding.Cause, string, bool) {
	if c.base.packages == nil || f.Package == nil || c.base.ImageName != c.now.ImageName {
		return "", "", false
	}
	name, version, ok := packageKey(f.Package.PURL)
	if !ok {
		return "", "", false
	}
	had := c.base.packages[name]
	switch {
	case len(had) == 0:
		return finding.CodeChanged, fmt.Sprintf("the baseline had no package %s", f.Package.Name), true
	case !slices.Contains(had, version):
		if published := c.publishedAfter(f); published != "" {
			return finding.DataLearned, published, true
		}
		return finding.CodeChanged, fmt.Sprintf("the baseline had %s %s", f.Package.Name, list(had)), true
	case slices.Contains(c.base.Unassessed, f.Package.Name+" "+f.Package.Version):
		return finding.DataLearned, fmt.Sprintf("the baseline had %s %s, and could not assess it", f.Package.Name, f.Package.Version), true
	default:
		cause, reason := c.whySameCode(fmt.Sprintf("the baseline had %s %s", f.Package.Name, f.Package.Version))
		return cause, reason, true
	}
}

// list shows the first few versions.
func list(versions []string) string {
	if len(versions) > 3 {
		return strings.Join(versions[:3], ", ") + fmt.Sprintf(" and %d others", len(versions)-3)
	}
	return strings.Join(versions, ", ")
}

// whySameCode says why something is found, or not, in what has not changed.
func (c comparison) whySameCode(same string) (finding.Cause, string) {
	b, n := c.base.Identity, c.now
	switch {
	case b.DatabaseDigest != n.DatabaseDigest:
		return finding.DataLearned, same + ", the advisory data has changed"
	case b.Tool != n.Tool:
		return finding.ToolChanged, fmt.Sprintf("%s, and so is the advisory data; portcullis was version %s", same, b.Tool)
	default:
		return finding.CauseUnknown, same + ", and so are the advisory data and portcullis: another place in the image, or another distribution"
	}
}

// whyRule tells about findings of rules, for which data plays no part. Then is
// what became of it in the baseline's run.
func (c comparison) whyRule(kind finding.Kind, then string) (finding.Cause, string) {
	b, n := c.base.Identity, c.now
	inImage := kind == finding.ImageConfig || kind == finding.Secret || kind == finding.Malware || kind == finding.Coverage
	sameImage := inImage && b.ImageID != "" && b.ImageID == n.ImageID
	switch {
	case sameImage && b.Tool != n.Tool:
		return finding.ToolChanged, fmt.Sprintf("the image is the same, portcullis was version %s", b.Tool)
	case b.Tool != n.Tool:
		return finding.CauseUnknown, fmt.Sprintf("portcullis was version %s and may have had other rules", b.Tool)
	case sameImage:
		return finding.CauseUnknown, "the image and the version of portcullis are the same: a file beside it, or the configuration, has changed"
	default:
		return finding.CodeChanged, "the same version of portcullis " + then + " in the baseline's run"
	}
}

// publishedAfter says that the advisory came out after the baseline's data was
// built, or "".
func (c comparison) publishedAfter(f finding.Finding) string {
	if c.base.DatabaseBuilt.IsZero() {
		return ""
	}
	built := c.base.DatabaseBuilt.UTC().Format(time.DateOnly)
	for _, fact := range f.Evidence {
		if fact.Name != publishedFact {
			continue
		}
		if day, err := time.Parse(time.DateOnly, fact.Value); err == nil && day.Format(time.DateOnly) > built {
			return fmt.Sprintf("published on %s, the baseline's data is of %s", fact.Value, built)
		}
	}
	return ""
}

// why says why an entry of the baseline is gone.
func (c comparison) why(e Entry) (finding.Cause, string) {
	if e.Kind != finding.Vulnerability {
		return c.whyRule(e.Kind, "found it")
	}
	b, n := c.base.Identity, c.now
	if b.ImageID != "" && b.ImageID == n.ImageID && b.ImageName == e.Target {
		return c.whySameCode("the image is the same")
	}
	if name, version, ok := packageKey(e.PURL); ok && n.packages != nil {
		switch have := n.packages[name]; {
		case len(have) == 0:
			return finding.CodeChanged, fmt.Sprintf("there is no package %s any more", e.Package)
		case !slices.Contains(have, version):
			return finding.CodeChanged, fmt.Sprintf("%s is now %s", e.Package, list(have))
		default:
			return c.whySameCode(fmt.Sprintf("%s is still %s", e.Package, e.Version))
		}
	}
	if b.DatabaseDigest == n.DatabaseDigest {
		return finding.CodeChanged, "the advisory data is the same"
	}
	return finding.CauseUnknown, "image and advisory data have both changed"
}
