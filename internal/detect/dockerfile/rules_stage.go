package dockerfile

import (
	"slices"
	"strings"

	df "github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

var stageRules = []Rule{
	{
		Rule: rules.Rule{
			ID: "PC-DF008", Aliases: []string{"DL3026"}, Severity: finding.High,
			Title:        "Image from a registry that is not trusted",
			Why:          "The configuration names the registries that images may come from; this one is not among them.",
			Fix:          "Take the image from a trusted registry, or add the registry to the list.",
			WhenToIgnore: "The image was examined and taken on for this one purpose.",
			References:   []string{bestPractices + "#choose-the-right-base-image"},
			Bad:          "FROM quay.io/shop/app:1.2@sha256:2424c1850714a4d94666ec928e24d86de958646737b1d113f5b2207be44d37d8\n" + nonRoot,
			Good:         onDebian + nonRoot,
		},
		File: checkTrusted,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF012", Aliases: []string{"DL3067"}, Severity: finding.Medium,
			Title:        "Whole file system copied from another stage",
			Why:          "All that the other stage holds comes along: build tools, caches, credentials that were needed for a moment.",
			Fix:          "Copy the files that the image needs, one by one.",
			WhenToIgnore: "The other stage was made to be taken whole, such as a root file system.",
			References:   []string{"https://docs.docker.com/build/building/multi-stage/"},
			Bad:          "FROM debian:12.11-slim@sha256:2424c1850714a4d94666ec928e24d86de958646737b1d113f5b2207be44d37d8 AS build\n" + onAlpine + "COPY --from=build / /\n" + nonRoot,
			Good:         "FROM debian:12.11-slim@sha256:2424c1850714a4d94666ec928e24d86de958646737b1d113f5b2207be44d37d8 AS build\n" + onAlpine + "COPY --from=build /srv/app /srv/app\n" + nonRoot,
		},
		Instruction: checkWholeCopy,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF111", Aliases: []string{"DL3022"}, Severity: finding.Medium,
			Title:        "--from names no earlier stage",
			Why:          "The builder takes a name that is no earlier stage for an image on Docker Hub: a misspelt name pulls whatever is published there.",
			Fix:          "Name an earlier stage; write an image with its tag.",
			WhenToIgnore: "The name is a build context that is given on the command line.",
			References:   []string{dockerDocs + "#copy---from"},
			Bad:          onDebian + "COPY --from=biuld /srv/app /srv/app\n" + nonRoot,
			Good:         onDebian + "COPY --from=docker.io/library/nginx:1.29 /etc/nginx/mime.types /srv/\n" + nonRoot,
		},
		Instruction: checkFromUnknown,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF112", Aliases: []string{"DL3023", "DS-0006"}, Severity: finding.High,
			Title:        "--from names its own stage",
			Why:          "A stage cannot copy from itself; the build fails.",
			Fix:          "Name an earlier stage, or use `RUN cp`.",
			WhenToIgnore: "Never: the image cannot be built.",
			References:   []string{dockerDocs + "#copy---from"},
			Bad:          "FROM debian:12.11-slim@sha256:2424c1850714a4d94666ec928e24d86de958646737b1d113f5b2207be44d37d8 AS app\nCOPY --from=app /a /b\n" + nonRoot,
			Good:         "FROM debian:12.11-slim@sha256:2424c1850714a4d94666ec928e24d86de958646737b1d113f5b2207be44d37d8 AS app\nRUN cp /a /b\n" + nonRoot,
		},
		Instruction: checkFromSelf,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF113", Aliases: []string{"DL3024", "DuplicateStageName", "DS-0012", "CKV_DOCKER_11"}, Severity: finding.High,
			Title:        "Duplicate stage name",
			Why:          "Two stages of one name: what refers to it gets one of them, and not always the one that was meant. Letter case makes no difference.",
			Fix:          "Give each stage a name of its own.",
			WhenToIgnore: "Never: the builder refuses it or takes the wrong stage.",
			References:   []string{"https://docs.docker.com/reference/build-checks/duplicate-stage-name/"},
			Bad:          "FROM debian:12.11-slim@sha256:2424c1850714a4d94666ec928e24d86de958646737b1d113f5b2207be44d37d8 AS app\nRUN make\nFROM debian:12.11-slim@sha256:2424c1850714a4d94666ec928e24d86de958646737b1d113f5b2207be44d37d8 AS app\n" + nonRoot,
			Good:         "FROM debian:12.11-slim@sha256:2424c1850714a4d94666ec928e24d86de958646737b1d113f5b2207be44d37d8 AS build\nRUN make\nFROM debian:12.11-slim@sha256:2424c1850714a4d94666ec928e24d86de958646737b1d113f5b2207be44d37d8 AS app\n" + nonRoot,
		},
		File: checkDuplicateStage,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF114", Aliases: []string{"DL3063", "ReservedStageName"}, Severity: finding.High,
			Title:        "Reserved stage name",
			Why:          "`scratch` and `context` have a meaning of their own for the builder; a stage of that name cannot be referred to.",
			Fix:          "Choose another name.",
			WhenToIgnore: "Never: the builder refuses it.",
			References:   []string{"https://docs.docker.com/reference/build-checks/reserved-stage-name/"},
			Bad:          "FROM debian:12.11-slim@sha256:2424c1850714a4d94666ec928e24d86de958646737b1d113f5b2207be44d37d8 AS context\n" + nonRoot,
			Good:         "FROM debian:12.11-slim@sha256:2424c1850714a4d94666ec928e24d86de958646737b1d113f5b2207be44d37d8 AS app\n" + nonRoot,
		},
		File: checkReservedStage,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF119", Aliases: []string{"UndefinedArgInFrom", "InvalidDefaultArgInFrom"}, Severity: finding.Medium,
			Title:        "FROM uses a variable without a usable value",
			Why:          "A variable in FROM must be an ARG above the first FROM with a default that gives a valid image; else a plain `docker build` fails, or takes another image than was meant.",
			Fix:          "Declare the ARG above the first FROM and give it a default.",
			WhenToIgnore: "The build argument is always given.",
			References:   []string{"https://docs.docker.com/reference/build-checks/undefined-arg-in-from/", "https://docs.docker.com/reference/build-checks/invalid-default-arg-in-from/"},
			Bad:          "FROM debian:$VERSION\n" + nonRoot,
			Good:         "ARG VERSION=12.11-slim@sha256:2424c1850714a4d94666ec928e24d86de958646737b1d113f5b2207be44d37d8\nFROM debian:$VERSION\n" + nonRoot,
		},
		File: checkFromVariables,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF120", Aliases: []string{"DL3029", "FromPlatformFlagConstDisallowed"}, Severity: finding.Info,
			Title:        "Constant --platform in FROM",
			Why:          "The image can be built for this platform alone, whatever the builder is asked for.",
			Fix:          "Leave the flag out, or use `$BUILDPLATFORM` for a stage that runs on the builder.",
			WhenToIgnore: "The program exists for one platform only.",
			References:   []string{"https://docs.docker.com/reference/build-checks/from-platform-flag-const-disallowed/"},
			Bad:          "FROM --platform=linux/amd64 debian:12.11-slim@sha256:2424c1850714a4d94666ec928e24d86de958646737b1d113f5b2207be44d37d8\n" + nonRoot,
			Good:         "FROM --platform=$BUILDPLATFORM debian:12.11-slim@sha256:2424c1850714a4d94666ec928e24d86de958646737b1d113f5b2207be44d37d8\n" + nonRoot,
		},
		File: checkConstantPlatform,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF121", Aliases: []string{"DL3065", "RedundantTargetPlatform"}, Severity: finding.Info,
			Title:        "--platform=$TARGETPLATFORM is what the builder does anyway",
			Why:          "The target platform is the default of FROM; the flag only makes the line longer.",
			Fix:          "Remove the flag.",
			WhenToIgnore: "It is kept to stand out beside stages with another platform.",
			References:   []string{"https://docs.docker.com/reference/build-checks/redundant-target-platform/"},
			Bad:          "FROM --platform=$TARGETPLATFORM debian:12.11-slim@sha256:2424c1850714a4d94666ec928e24d86de958646737b1d113f5b2207be44d37d8\n" + nonRoot,
			Good:         onDebian + nonRoot,
		},
		File: checkTargetPlatform,
	},
}

// trusted reports whether the image comes from one of the registries, or from
// below a path of one.
func trusted(image string, registries []string) bool {
	ref := parseImage(image)
	registry, repository := ref.Registry(), ref.Name
	if registry == "docker.io" && !strings.HasPrefix(repository, "docker.io/") {
		if !strings.Contains(repository, "/") {
			repository = "library/" + repository
		}
		repository = "docker.io/" + repository
	}
	for _, t := range registries {
		switch {
		case t == "*" || t == registry || t == "hub.docker.com" && registry == "docker.io":
			return true
		case strings.HasPrefix(t, "*") && strings.HasSuffix(registry, t[1:]):
			return true
		case strings.HasSuffix(t, "*") && strings.HasPrefix(registry, t[:len(t)-1]):
			return true
		case strings.Contains(t, "/") && strings.HasPrefix(repository+"/", strings.TrimSuffix(strings.TrimSuffix(t, "*"), "/")+"/"):
			return true
		}
	}
	return false
}

// dockerFrontends are the frontends that Docker publishes.
var dockerFrontends = []string{"docker.io/docker/dockerfile", "docker.io/docker/dockerfile-upstream"}

func checkTrusted(p *Pass) {
	if len(p.Opts.TrustedRegistries) == 0 {
		return
	}
	report := func(in *df.Instruction, at df.Span, image string) {
		if !trusted(image, p.Opts.TrustedRegistries) {
			p.Reportf(in, at, parseImage(image).Name, "The image %s comes from %s, which is not among the trusted registries (%s).",
				quote(image), parseImage(image).Registry(), strings.Join(p.Opts.TrustedRegistries, ", "))
		}
	}
	// A frontend is code that makes the image. Docker's is part of the builder.
	if image := p.File.Frontend; image != "" && !trusted(image, dockerFrontends) {
		report(nil, p.File.FrontendSpan, image)
	}
	eachBase(p, func(s *df.Stage, _ imageRef) { report(s.From, s.Base.Span, s.Base.Value.Text) })
	for _, in := range p.File.Instructions {
		for _, ref := range in.StageRefs() {
			if ref.Stage == nil && ref.Name.Known && looksLikeImage(ref.Name.Text) {
				report(in, ref.Span, ref.Name.Text)
			}
		}
	}
}

// looksLikeImage tells an image reference from the name of a stage.
func looksLikeImage(name string) bool { return strings.ContainsAny(name, "/:@") }

func checkWholeCopy(p *Pass, in *df.Instruction) {
	from, ok := in.Flag("from")
	if in.Keyword != "COPY" || !ok {
		return
	}
	for _, ref := range in.StageRefs() {
		if ref.Stage != nil && parseImage(ref.Stage.Root().Base.Value.Text).scratch() {
			return // such a stage holds just what was put into it by name
		}
	}
	for _, src := range sources(in) {
		switch src.Value.Text {
		case "/", "/.", "/*", "./", ".":
			p.Reportf(in, src.Span, "COPY --from / ", "COPY takes the whole file system of %s; copy the files that the image needs.", quote(from.Value.Text))
		}
	}
}

// eachRef calls f for the references of an instruction outside ONBUILD, whose
// names belong to the Dockerfile that will use the image.
func eachRef(in *df.Instruction, f func(df.StageRef)) {
	if in.Outer != nil || in.Trigger != nil || in.Stage == nil {
		return
	}
	for _, ref := range in.StageRefs() {
		if ref.Name.Known && ref.Name.Text != "" {
			f(ref)
		}
	}
}

func ownStage(in *df.Instruction, name string) bool {
	return in.Stage.Name != "" && strings.EqualFold(name, in.Stage.Name) || name == itoa(in.Stage.Index)
}

func checkFromUnknown(p *Pass, in *df.Instruction) {
	eachRef(in, func(ref df.StageRef) {
		name := ref.Name.Text
		if ref.Stage != nil || ownStage(in, name) || looksLikeImage(name) || strings.EqualFold(name, "scratch") ||
			slices.Contains(p.Input.NamedContexts, name) {
			return
		}
		p.Reportf(in, ref.Span, "--from="+name,
			"%s is neither an earlier stage nor an image with a tag; name one of the stages before %s, or write the image's tag.",
			quote(name), quote(in.Stage.Label()))
	})
}

func checkFromSelf(p *Pass, in *df.Instruction) {
	eachRef(in, func(ref df.StageRef) {
		if ref.Stage == nil && ownStage(in, ref.Name.Text) {
			p.Reportf(in, ref.Span, "--from="+ref.Name.Text, "%s is the stage itself, which cannot copy from itself.", quote(ref.Name.Text))
		}
	})
}

func checkDuplicateStage(p *Pass) {
	first := make(map[string]*df.Stage)
	for _, s := range p.File.Stages {
		key := strings.ToLower(s.Name)
		if key == "" {
			continue
		}
		if other, taken := first[key]; taken {
			p.Reportf(s.From, s.NameSpan, "AS "+key, "The stage name %s is taken by the stage on line %d already.", quote(s.Name), other.From.Line)
			continue
		}
		first[key] = s
	}
}

func checkReservedStage(p *Pass) {
	for _, s := range p.File.Stages {
		switch strings.ToLower(s.Name) {
		case "scratch", "context":
			p.Reportf(s.From, s.NameSpan, "AS "+s.Name, "%s is a name that the builder keeps for itself; choose another one.", quote(s.Name))
		}
	}
}

func checkFromVariables(p *Pass) {
	for _, s := range p.File.Stages {
		empty, undefined, unset := s.Base.Raw, false, false
		for _, ref := range df.References(s.Base.Raw, p.File.Escape) {
			v, ok := s.From.Lookup(ref.Name)
			switch {
			case ref.HandlesUnset() || df.PlatformArg(ref.Name):
			case !ok:
				undefined = true
				at := df.Span{Start: s.Base.Span.Start + ref.Start, End: s.Base.Span.Start + ref.End}
				p.Reportf(s.From, at, "$"+ref.Name,
					"FROM uses %s, which no ARG above the first FROM defines; declare it there with a default.", quote("$"+ref.Name))
			case v.Unset:
				unset = true
				empty = strings.Replace(empty, s.Base.Raw[ref.Start:ref.End], "", 1)
			}
		}
		if unset && !undefined && badImage(empty) {
			value := "nothing"
			if empty != "" {
				value = quote(empty)
			}
			p.Reportf(s.From, s.Base.Span, s.Base.Raw,
				"Without build arguments %s comes to %s, which is no image; give the ARG a default.", quote(s.Base.Raw), value)
		}
	}
}

// badImage reports a text that lacks a part that an image reference needs.
func badImage(s string) bool {
	return s == "" || strings.HasSuffix(s, ":") || strings.HasSuffix(s, "@") || strings.HasSuffix(s, "/") ||
		strings.HasPrefix(s, ":") || strings.HasPrefix(s, "/") || strings.Contains(s, "//") || strings.Contains(s, ":@")
}

func platformFlag(s *df.Stage, p *Pass) (df.Flag, string, bool) {
	f, ok := s.From.Flag("platform")
	if !ok || !f.HasValue {
		return f, "", false
	}
	return f, p.source(f.ValueSpan), true
}

func checkConstantPlatform(p *Pass) {
	for _, s := range p.File.Stages {
		f, raw, ok := platformFlag(s, p)
		if !ok || strings.Contains(raw, "$") || raw == "" {
			continue
		}
		arch := raw[strings.LastIndexByte(raw, '/')+1:]
		if strings.Contains(strings.ToLower(s.Name), arch) {
			continue // one of a set of stages, one for each platform
		}
		p.Reportf(s.From, f.Span, "--platform="+raw, "FROM %s fixes the platform to %s; leave the flag out, or use `$BUILDPLATFORM`.",
			quote(s.Base.Raw), quote(raw))
	}
}

func checkTargetPlatform(p *Pass) {
	for _, s := range p.File.Stages {
		f, raw, ok := platformFlag(s, p)
		if !ok || strings.Trim(raw, `"'`) != "$TARGETPLATFORM" && strings.Trim(raw, `"'`) != "${TARGETPLATFORM}" {
			continue
		}
		p.Reportf(s.From, f.Span, "--platform=$TARGETPLATFORM", "`--platform=$TARGETPLATFORM` is the default of FROM; remove it.").
			Fix("Remove the flag.", Replacement{At: df.Span{Start: f.Span.Start, End: s.Base.Span.Start}})
	}
}
