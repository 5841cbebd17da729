package expression

import (
	"time"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
)

// Finding is a finding as expressions see it.
type Finding struct {
	ID      string   `cel:"id"`
	Aliases []string `cel:"aliases"`
	Kind    string   `cel:"kind"`
	// Severity is the word, Level its rank: 0 unknown, 1 info, 2 low,
	// 3 medium, 4 high, 5 critical.
	Severity       string  `cel:"severity"`
	Level          int64   `cel:"level"`
	Score          float64 `cel:"score"`
	EPSS           float64 `cel:"epss"`
	KnownExploited bool    `cel:"known_exploited"`
	Ransomware     bool    `cel:"ransomware"`
	Title          string  `cel:"title"`
	Message        string  `cel:"message"`
	Target         string  `cel:"target"`
	Object         string  `cel:"object"`
	// Package has empty fields when the finding is about none.
	Package Package `cel:"package"`
	// Path and Line are where a person fixes it, Paths all of its places.
	Path  string   `cel:"path"`
	Line  int64    `cel:"line"`
	Paths []string `cel:"paths"`
	// Origin is base-image, build or empty.
	Origin     string `cel:"origin"`
	Fixable    bool   `cel:"fixable"`
	FixState   string `cel:"fix_state"`
	FixVersion string `cel:"fix_version"`
	Status     string `cel:"status"`
	// Evidence are the facts by their names.
	Evidence map[string]string `cel:"evidence"`
}

// Package is a package as expressions see it.
type Package struct {
	Name     string   `cel:"name"`
	Version  string   `cel:"version"`
	Type     string   `cel:"type"`
	PURL     string   `cel:"purl"`
	Source   string   `cel:"source"`
	Licences []string `cel:"licences"`
	Paths    []string `cel:"paths"`
	Vendor   string   `cel:"vendor"`
}

// Image is an image as expressions see it.
type Image struct {
	Name         string            `cel:"name"`
	Reference    string            `cel:"reference"`
	Digest       string            `cel:"digest"`
	Platform     string            `cel:"platform"`
	Created      time.Time         `cel:"created"`
	User         string            `cel:"user"`
	Env          []string          `cel:"env"`
	Entrypoint   []string          `cel:"entrypoint"`
	Cmd          []string          `cel:"cmd"`
	WorkingDir   string            `cel:"working_dir"`
	ExposedPorts []string          `cel:"exposed_ports"`
	Labels       map[string]string `cel:"labels"`
	Healthcheck  []string          `cel:"healthcheck"`
	Layers       int64             `cel:"layers"`
}

// Distribution is an operating system as expressions see it.
type Distribution struct {
	ID      string `cel:"id"`
	Version string `cel:"version"`
}

// FindingOf makes the view of a finding.
func FindingOf(f finding.Finding, origin finding.Origin) Finding {
	v := Finding{
		ID: f.RuleID, Aliases: f.Aliases, Kind: string(f.Kind), Severity: f.Severity.String(), Level: int64(f.Severity),
		Score: f.Score, Title: f.Title, Message: f.Message, Target: f.Target, Object: f.Object, Origin: string(origin),
		Fixable: f.Fix.Available(), FixState: string(f.Fix.State), FixVersion: f.Fix.Version,
		Status: string(f.Status), Evidence: make(map[string]string),
	}
	if f.Risk != nil {
		v.EPSS, v.KnownExploited, v.Ransomware = f.Risk.EPSS, !f.Risk.KnownExploited.IsZero(), f.Risk.Ransomware
	}
	if p := f.Package; p != nil {
		v.Package = Package{Name: p.Name, Version: p.Version, Type: p.Type, PURL: p.PURL, Source: p.Source}
	}
	for i, l := range f.Locations {
		if i == 0 {
			v.Path, v.Line = l.Path, int64(l.Line)
		}
		v.Paths = append(v.Paths, l.Path)
	}
	for _, fact := range f.Evidence {
		v.Evidence[fact.Name] = fact.Value
	}
	return v
}

// PackageOf makes the view of a package.
func PackageOf(p inventory.Package) Package {
	v := Package{
		Name: p.Name, Version: p.Version, Type: p.Type, PURL: p.PURL, Licences: p.Licenses, Vendor: p.Vendor,
	}
	if p.Source != nil {
		v.Source = p.Source.Name
	}
	for _, place := range p.Places {
		v.Paths = append(v.Paths, place.Path)
	}
	return v
}

// ImageOf makes the view of an image; nil gives the empty one.
func ImageOf(img *inventory.Image) Image {
	if img == nil {
		return Image{}
	}
	c := img.Config
	return Image{
		Name: img.Name, Reference: img.Reference, Digest: img.Digest, Platform: img.Platform, Created: img.Created,
		User: c.User, Env: c.Env, Entrypoint: c.Entrypoint, Cmd: c.Cmd, WorkingDir: c.WorkingDir,
		ExposedPorts: c.ExposedPorts, Labels: c.Labels, Healthcheck: c.Healthcheck, Layers: int64(len(img.Layers)),
	}
}
