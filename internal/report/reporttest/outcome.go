// Package reporttest holds one rich outcome that the tests of all formats
// share, with hostile text in every place where an attacker can put some, the
// small repository that its findings point into, and the comparison with
// golden files. Only tests import it.
package reporttest

import (
	"embed"
	"io/fs"
	"slices"
	"time"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/outcome"
)

//go:embed testdata/repo
var repository embed.FS

// Root is the repository that the fixture's findings point into.
func Root() fs.FS {
	root, err := fs.Sub(repository, "testdata/repo")
	if err != nil {
		panic(err) // the embedded folder exists: a broken build
	}
	return root
}

// Hostile is text as an attacker would write it into a package name: terminal
// codes, workflow commands, Markdown, HTML, a bidirectional override.
const Hostile = "evil\x1b[31m|<script>alert(1)</script>##[error]forged\n::error::forged\u202e[x](javascript:alert(1)) @team `tick`"

const (
	layerBase = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
	layerApt  = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
	layerApp  = "sha256:3333333333333333333333333333333333333333333333333333333333333333"
	imageName = "registry.example/shop/web"
)

var start = time.Date(2026, 11, 20, 10, 30, 0, 0, time.UTC)

// Outcome is a failed gate over an image, a Dockerfile and a manifest.
func Outcome() outcome.Outcome {
	o := outcome.Outcome{
		Tool:     outcome.Tool{Name: "portcullis", Version: "0.1.0"},
		Started:  start,
		Finished: start.Add(4200 * time.Millisecond),
		Targets: []outcome.Target{
			{Kind: outcome.TargetImage, Name: imageName, Detail: "312 packages", Examined: true},
			{Kind: outcome.TargetDockerfile, Name: "Dockerfile", Detail: "9 instructions", Examined: true},
			{Kind: outcome.TargetManifest, Name: "k8s/web.yaml", Detail: "1 object", Examined: true},
		},
		Image:    image(),
		Distro:   &inventory.Distro{ID: "debian", Version: "12", PrettyName: "Debian GNU/Linux 12 (bookworm)", Codename: "bookworm"},
		Packages: map[string]int{"deb": 300, "npm": 11, "golang": 1},
		Findings: findings(),
		Coverage: coverage(),
		Database: outcome.Database{
			Location: "/var/lib/portcullis/db",
			Digest:   "sha256:4444444444444444444444444444444444444444444444444444444444444444",
			Built:    start.Add(-31 * time.Hour),
			Sources: []outcome.DatabaseSource{
				{Name: "Debian", Date: start.Add(-32 * time.Hour), Records: 51234, Licence: "MIT"},
				{Name: "npm", Date: start.Add(-40 * time.Hour), Records: 23456, Licence: "CC-BY-4.0"},
			},
		},
		Timings:  []outcome.Timing{{Stage: "inventory", Duration: 3100 * time.Millisecond}, {Stage: "vulnerability", Duration: 400 * time.Millisecond}},
		ExitCode: exit.PolicyBroken,
	}
	o.Verdict = verdict(o)
	o.Baseline = &outcome.Baseline{
		Source: "main.json", Taken: start.AddDate(0, 0, -3), Notes: []string{"compared by fingerprint"}, New: 13, Known: 1, NotExamined: 2,
		Fixed: []outcome.BaselineFinding{{
			Fingerprint: "0123456789abcdef0123456789abcdef", RuleID: "CVE-2023-0464", Kind: finding.Vulnerability, Severity: finding.High,
			Title: "A flaw in openssl", Target: imageName, PURL: "pkg:deb/debian/openssl@3.0.8", Cause: finding.CodeChanged, Reason: "the package has another version",
		}},
	}
	return o
}

func image() *inventory.Image {
	return &inventory.Image{
		Name:      imageName,
		Reference: imageName + ":1.4",
		Source:    "registry",
		Digest:    "sha256:5555555555555555555555555555555555555555555555555555555555555555",
		ID:        "sha256:6666666666666666666666666666666666666666666666666666666666666666",
		Platform:  "linux/amd64",
		Created:   start.Add(-2 * time.Hour),
		Config:    inventory.Config{User: "root", Env: []string{"NODE_ENV=production"}, Cmd: []string{"node", "server.js"}},
		History: []inventory.History{
			{CreatedBy: "/bin/sh -c #(nop) ADD file:abc in / "},
			{CreatedBy: "RUN /bin/sh -c apt-get update && apt-get install -y openssl zlib1g # buildkit"},
			{CreatedBy: "ENV NODE_ENV=production", EmptyLayer: true},
			{CreatedBy: "COPY . . # buildkit " + Hostile},
		},
		Layers: []inventory.Layer{{DiffID: layerBase, History: 0}, {DiffID: layerApt, History: 1}, {DiffID: layerApp, History: 3}},
	}
}

func coverage() outcome.Coverage {
	return outcome.Coverage{
		Packages: 312,
		Assessed: 308,
		Gaps: []outcome.Gap{
			{Reason: outcome.NoFeed, Detail: "golang", Packages: []string{"stdlib 1.19.3"}},
			{Reason: outcome.VersionUnreadable, Detail: Hostile, Packages: []string{Hostile + " 1.0", "left-pad latest", "odd 1..2"}},
		},
		Unreadable: []inventory.Unreadable{{Path: "/app/" + Hostile + ".jar", Reason: "zip: not a valid zip file"}},
	}
}

func verdict(o outcome.Outcome) outcome.Verdict {
	var failing []string
	for _, f := range o.Findings {
		if f.Status == "open" && f.Severity >= 4 {
			failing = append(failing, f.Fingerprint)
		}
	}
	return outcome.Verdict{Result: outcome.Fail, Clauses: []outcome.Clause{
		{Name: "fail-on", Demand: "no finding of severity high or worse", Broken: true, Reason: "9 findings are of severity high or worse, the worst is CVE-2023-45853 in zlib1g", Findings: failing},
		{Name: "licenses", Demand: "no package under AGPL-3.0", Warned: true, Reason: "1 package is under AGPL-3.0", Subjects: []string{"ghostscript 10.0 " + Hostile}},
		{Name: "max-unassessed", Demand: "at most 10 packages that cannot be assessed"},
	}, Changes: changes(o), Unresolved: failing[:1]}
}

func changes(o outcome.Outcome) []outcome.Change {
	of := func(names ...string) []string {
		var found []string
		for _, f := range o.Findings {
			if f.Package != nil && slices.Contains(names, f.Package.Name) || slices.Contains(names, f.RuleID) {
				found = append(found, f.Fingerprint)
			}
		}
		return found
	}
	return []outcome.Change{
		{
			Kind: outcome.MoveBaseImage, Subject: "debian:12-slim", Location: repo("Dockerfile", 1, 1, 31), Findings: of("openssl", "libssl3"),
			Upgrades: []outcome.Upgrade{{Package: "libssl3", From: "3.0.11-1~deb12u2", To: "3.0.15-1~deb12u1"}, {Package: "openssl", From: "3.0.11-1~deb12u2", To: "3.0.15-1~deb12u1"}},
			Text:     "build on a newer debian:12-slim",
		},
		{
			Kind: outcome.UpgradePackage, Subject: Hostile, Location: inImage("/app/"+Hostile, layerApp), Findings: of(Hostile),
			Upgrades: []outcome.Upgrade{{Package: Hostile, From: "1.0", Versions: []string{"2.0", "3.0"}}}, Text: "upgrade " + Hostile,
		},
		{Kind: outcome.EditFile, Subject: "Dockerfile", Location: repo("Dockerfile", 8, 1, 10), Findings: of("PC-DF002"), Text: "change USER root to USER 10001"},
	}
}

// Passed is a clean outcome over the same Dockerfile.
func Passed() outcome.Outcome {
	o := Outcome()
	o.Targets = o.Targets[1:2]
	o.Image, o.Distro, o.Packages, o.Findings = nil, nil, nil, nil
	o.Coverage, o.Baseline = outcome.Coverage{}, nil
	o.Database = outcome.Database{}
	o.Verdict = outcome.Verdict{Result: outcome.Pass, Clauses: []outcome.Clause{{Name: "fail-on", Demand: "no finding of severity high or worse"}}}
	o.ExitCode = exit.Passed
	return o
}

// Warned is Passed with the exit code for warnings.
func Warned() outcome.Outcome {
	o := Passed()
	o.ExitCode = exit.Warned
	return o
}

// Incomplete is a run in which the image could not be opened.
func Incomplete() outcome.Outcome {
	o := Passed()
	o.Targets = append([]outcome.Target{{Kind: outcome.TargetImage, Name: imageName}}, o.Targets...)
	o.Verdict.Result = outcome.Incomplete
	o.Failures = []outcome.Failure{{
		Stage: "target", Target: imageName,
		Message: "open image registry.example/shop/web:1.4: 401 Unauthorized " + Hostile,
		Hint:    "log in with docker login registry.example",
		Code:    exit.NotExamined,
	}}
	o.ExitCode = exit.NotExamined
	return o
}
