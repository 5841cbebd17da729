package target

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// choice is what an index offers for the wanted platform, or for all.
type choice struct {
	// follow are the entries to read.
	follow []v1.Descriptor
	// unnamed are entries whose platform only their own content tells; they
	// matter where no entry names the platform.
	unnamed []v1.Descriptor
	// have are the platforms that the other entries name.
	have []string
}

// platformError says that an index has no image for a platform, or several and
// nothing to choose by.
type platformError struct {
	index, want string
	have        []string
	several     bool
}

func (e *platformError) Error() string {
	switch {
	case len(e.have) == 0:
		return fmt.Sprintf("read index %s: it lists no image", e.index)
	case e.several:
		return fmt.Sprintf("index %s has several images for %s: %s", e.index, e.want, listing(e.have))
	default:
		return fmt.Sprintf("index %s has no image for %s, only for %s", e.index, e.want, listing(e.have))
	}
}

// listing names what there is, so far as a person reads it.
func listing(have []string) string {
	const most = 30
	if len(have) > most {
		have = append(slices.Clone(have[:most]), fmt.Sprintf("and %d more", len(have)-most))
	}
	return strings.Join(have, ", ")
}

// choose picks the entries of an index for the wanted platform as the runtimes
// do, so that the image which runs is the one that is examined: what an entry
// names as its platform decides, whatever its annotations say.
func (o *opener) choose(doc document) (choice, error) {
	index, err := v1.ParseIndexManifest(bytes.NewReader(doc.raw))
	if err != nil {
		return choice{}, fmt.Errorf("read index %s: %w", doc.digest, err)
	}
	var c choice
	var named []v1.Descriptor
	for _, d := range index.Manifests {
		switch {
		case o.all && isRunnable(d):
			c.follow = append(c.follow, d)
		case o.all:
		case d.Platform != nil && !isUnknown(*d.Platform):
			named = append(named, d)
			c.have = append(c.have, platformText(*d.Platform))
		case d.Platform == nil && mayBeImage(d):
			c.unnamed = append(c.unnamed, d)
		}
	}
	if len(named) == 0 && len(c.unnamed) == 1 {
		// The only image: as without an index, it is for what it is for.
		c.follow, c.unnamed = c.unnamed, nil
	}
	if len(c.follow) > 0 {
		return c, nil
	}
	best, several := bestOf(named, o.platform)
	if several != nil {
		return c, &platformError{index: doc.digest, want: o.platform.String(), have: several, several: true}
	}
	if best != nil {
		c.follow, c.unnamed = []v1.Descriptor{*best}, nil
	}
	return c, nil
}

// search looks for the wanted platform among the entries of an index that do not
// name theirs: in indexes below, and in the configurations of images.
func (o *opener) search(ctx context.Context, s store, doc found, c choice, depth int) ([]found, error) {
	for _, d := range c.unnamed {
		next, err := doc.entry(ctx, s, d)
		if err != nil {
			return nil, err
		}
		below, err := o.follow(ctx, s, next, depth+1)
		var other *platformError
		switch {
		case errors.As(err, &other) && !other.several:
			c.have = append(c.have, other.have...)
			continue
		case err != nil:
			return nil, err
		case len(below) != 1 || below[0].digest != next.digest:
			return below, nil
		}
		_, config, err := readImage(ctx, s, next.document)
		var artifact *artifactError
		if errors.As(err, &artifact) {
			continue
		}
		if err != nil {
			return nil, err
		}
		cf, err := v1.ParseConfigFile(bytes.NewReader(config))
		if err != nil {
			return nil, fmt.Errorf("read manifest %s: configuration: %w", next.digest, err)
		}
		have := configPlatform(cf)
		if matches(have, o.platform) {
			return below, nil
		}
		c.have = append(c.have, platformText(have))
	}
	return nil, &platformError{index: doc.digest, want: o.platform.String(), have: c.have}
}

// bestOf returns the first entry of those that suit a platform best, or the
// platforms of several where nothing says which of them is meant: variants of
// which none is the usual one, or versions of Windows.
func bestOf(named []v1.Descriptor, want v1.Platform) (best *v1.Descriptor, several []string) {
	variants := map[string][]v1.Descriptor{}
	for _, d := range named {
		have := normal(*d.Platform)
		if have.OS == want.OS && have.Architecture == want.Architecture && isVersion(have.OSVersion, want.OSVersion) {
			variants[have.Variant] = append(variants[have.Variant], d)
		}
	}
	suit := variants[want.Variant]
	if len(suit) == 0 && want.Variant == usualVariant(want.Architecture) {
		for _, variant := range slices.Sorted(maps.Keys(variants)) {
			switch {
			case want.Architecture != "arm":
				suit = append(suit, variants[variant]...)
			case variant < want.Variant:
				// What was made for an older machine runs; the newest is taken.
				suit = variants[variant]
			}
		}
	}
	for _, d := range suit {
		p := *d.Platform
		p.Variant = normal(p).Variant
		if text := platformText(p); !slices.Contains(several, text) {
			several = append(several, text)
		}
	}
	switch len(several) {
	case 0:
		return nil, nil
	case 1:
		return &suit[0], nil
	default:
		return nil, several
	}
}

// isRunnable tells images from attestations and other artifacts in an index. One
// for a platform is an image whatever else is said of it, since a runtime would
// take it for one.
func isRunnable(d v1.Descriptor) bool {
	if d.Platform != nil {
		return !isUnknown(*d.Platform)
	}
	return d.Annotations["vnd.docker.reference.type"] == "" && mayBeImage(d)
}

func isUnknown(p v1.Platform) bool { return p.OS == "unknown" && p.Architecture == "unknown" }

func mayBeImage(d v1.Descriptor) bool {
	return d.MediaType == "" || d.MediaType.IsImage() || d.MediaType.IsIndex() || d.MediaType.IsSchema1()
}

// matches reports whether an image of platform have is one of a wanted platform,
// which is normal. One that names no variant may be of any.
func matches(have, want v1.Platform) bool {
	unnamed := have.Variant == ""
	have = normal(have)
	return have.OS == want.OS && have.Architecture == want.Architecture && isVersion(have.OSVersion, want.OSVersion) &&
		(unnamed || want.Variant == usualVariant(want.Architecture) || have.Variant == want.Variant)
}

// isVersion reports whether a version is the wanted one or, as Windows counts
// updates, one below it.
func isVersion(have, want string) bool {
	return want == "" || have == want || strings.HasPrefix(have, want+".")
}

// usualVariant is the variant that is meant where none is named: as runtimes have
// it, that of arm is v7, and those of other architectures are not written.
func usualVariant(architecture string) string {
	if architecture == "arm" {
		return "v7"
	}
	return ""
}

// normal gives a platform the names that indexes use, and the usual variant where
// it has none.
func normal(p v1.Platform) v1.Platform {
	p.OS, p.Architecture, p.Variant = strings.ToLower(p.OS), strings.ToLower(p.Architecture), strings.ToLower(p.Variant)
	switch p.Architecture {
	case "x86_64", "x86-64":
		p.Architecture = "amd64"
	case "aarch64":
		p.Architecture = "arm64"
	case "i386":
		p.Architecture = "386"
	case "armhf":
		p.Architecture, p.Variant = "arm", "v7"
	case "armel":
		p.Architecture, p.Variant = "arm", "v6"
	}
	if p.Variant != "" && !strings.HasPrefix(p.Variant, "v") && strings.HasPrefix(p.Architecture, "arm") {
		p.Variant = "v" + p.Variant
	}
	switch p.Architecture + "/" + p.Variant {
	case "amd64/v1", "arm64/v8":
		p.Variant = ""
	}
	p.Variant = cmp.Or(p.Variant, usualVariant(p.Architecture))
	return p
}

func configPlatform(cf *v1.ConfigFile) v1.Platform {
	return v1.Platform{OS: cf.OS, Architecture: cf.Architecture, Variant: cf.Variant, OSVersion: cf.OSVersion}
}

// platformText names a platform as --platform takes it.
func platformText(p v1.Platform) string {
	text := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		text += "/" + p.Variant
	}
	if p.OSVersion != "" {
		text += ":" + p.OSVersion
	}
	return text
}
