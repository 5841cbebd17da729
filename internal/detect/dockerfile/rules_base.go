package dockerfile

import (
	"strings"

	df "github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

var baseRules = []Rule{
	{
		Rule: rules.Rule{
			ID: "PC-DF005", Aliases: []string{"DL3006", "DS-0001", "DKL-DI-0006", "CKV_DOCKER_7"}, Kind: finding.Dockerfile,
			Severity: finding.Medium, Since: "0.1",
			Title:        "Base image without tag or digest",
			Why:          "Without a tag the builder takes `latest`: the same Dockerfile makes another image tomorrow, with other flaws.",
			Fix:          "Name the version, best with its digest: `FROM debian:12.11-slim@sha256:…`.",
			WhenToIgnore: "The image is built locally just before and has no versions.",
			References:   []string{dockerDocs + "#from", bestPractices + "#pin-base-image-versions"},
			Tags:         []string{"external/cwe/cwe-1357"}, Language: "dockerfile",
			Bad:  "FROM debian\n" + nonRoot,
			Good: onDebian + nonRoot,
		},
		File: checkUntagged,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF006", Aliases: []string{"DL3007", "DS-0001", "DKL-DI-0006", "CKV_DOCKER_7"}, Kind: finding.Dockerfile,
			Severity: finding.Medium, Since: "0.1",
			Title:        "Base image with the tag latest",
			Why:          "`latest` is whatever was pushed last: the same Dockerfile makes another image tomorrow, with other flaws.",
			Fix:          "Name the version, best with its digest: `FROM debian:12.11-slim@sha256:…`.",
			WhenToIgnore: "The image is built locally just before and has no versions.",
			References:   []string{dockerDocs + "#from", bestPractices + "#pin-base-image-versions"},
			Tags:         []string{"external/cwe/cwe-1357"}, Language: "dockerfile",
			Bad:  "FROM debian:latest\n" + nonRoot,
			Good: onDebian + nonRoot,
		},
		File: checkLatest,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF007", Kind: finding.Dockerfile, Severity: finding.Info, Since: "0.1",
			Title:        "Base image not pinned by digest",
			Why:          "A tag can be moved to another image, by its publisher or by an attacker; a digest cannot.",
			Fix:          "Add the digest behind the tag: `FROM debian:12.11-slim@sha256:…`, and let a bot keep it fresh.",
			WhenToIgnore: "Rebuilds should pick up base image updates by themselves and the registry is trusted.",
			References:   []string{bestPractices + "#pin-base-image-versions"},
			Tags:         []string{"external/cwe/cwe-1357"}, Language: "dockerfile",
			Bad:  "FROM debian:12.11-slim\n" + nonRoot,
			Good: onDebian + nonRoot,
		},
		File: checkNoDigest,
	},
}

// eachBase calls f for every FROM that names an image whose reference is fully
// known; stages, scratch and unresolved variables are left out.
func eachBase(p *Pass, f func(s *df.Stage, image imageRef)) {
	for _, s := range p.File.Stages {
		v := s.Base.Value
		if s.Parent != nil || s.From.Problem != nil || !v.Known || v.Text == "" || strings.ContainsAny(v.Text, "$ \t") {
			continue
		}
		if image := parseImage(v.Text); !image.scratch() {
			f(s, image)
		}
	}
}

// resolvedFrom notes where the value of a variable in FROM comes from.
func resolvedFrom(r *Report, w df.Word) {
	if w.Raw != w.Value.Text {
		r.Fact("image", w.Value.Text)
	}
}

// fromVariable words that the name in FROM came out of a variable.
func fromVariable(w df.Word) string {
	if w.Raw == w.Value.Text {
		return ""
	}
	return " (from " + quote(w.Raw) + ")"
}

func checkUntagged(p *Pass) {
	eachBase(p, func(s *df.Stage, image imageRef) {
		if image.Tag != "" || image.Digest != "" {
			return
		}
		resolvedFrom(p.Reportf(s.From, s.Base.Span, "FROM "+image.Name,
			"The base image %s%s has neither tag nor digest, so the builder takes `latest`; name a version: %s.",
			quote(image.Name), fromVariable(s.Base), quote(image.Name+":VERSION@sha256:…")), s.Base)
	})
}

func checkLatest(p *Pass) {
	eachBase(p, func(s *df.Stage, image imageRef) {
		if image.Tag != "latest" || image.Digest != "" {
			return
		}
		resolvedFrom(p.Reportf(s.From, s.Base.Span, "FROM "+image.Name,
			"The base image %s%s has the tag `latest`, which moves; name a version: %s.",
			quote(image.Name+":latest"), fromVariable(s.Base), quote(image.Name+":VERSION@sha256:…")), s.Base)
	})
}

func checkNoDigest(p *Pass) {
	eachBase(p, func(s *df.Stage, image imageRef) {
		if image.Digest != "" || image.Tag == "" || image.Tag == "latest" {
			return // without a tag, or with latest, the rules above say it
		}
		r := p.Reportf(s.From, s.Base.Span, "FROM "+image.Name,
			"The base image %s%s is pinned by its tag alone; add its digest: %s.",
			quote(image.Name+":"+image.Tag), fromVariable(s.Base), quote(image.Name+":"+image.Tag+"@sha256:…"))
		resolvedFrom(r, s.Base)
		if p.Opts.Digest == nil || s.Base.Raw != s.Base.Value.Text {
			return
		}
		if digest, ok := p.Opts.Digest(s.Base.Value.Text); ok {
			r.Fix("Add the digest that the tag has now.", Replacement{At: df.Span{Start: s.Base.Span.End, End: s.Base.Span.End}, NewText: "@" + digest})
		}
	})
}
