package imageconfig_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-ci/portcullis/internal/detect/imageconfig"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
)

// one returns the only finding of a rule, or nil.
func one(t *testing.T, found []finding.Finding, rule string) *finding.Finding {
	t.Helper()
	var out *finding.Finding
	for i := range found {
		if found[i].RuleID != rule {
			continue
		}
		if out != nil {
			t.Fatalf("%s is found twice: %s; %s", rule, out.Message, found[i].Message)
		}
		out = &found[i]
	}
	return out
}

func TestACacheIsToldOnceWithTheSizeOfAllLayers(t *testing.T) {
	inv := decode(t, `{"config": {"User": "app"}}`)
	inv.Caches = []inventory.Cache{
		{Tool: "apt", Path: "/var/lib/apt/lists", Layer: "sha256:a", Files: 3, Size: 1 << 20},
		{Tool: "apt", Path: "/var/lib/apt/lists", Layer: "sha256:b", Files: 1, Size: 18 << 20},
		{Tool: "pip", Path: "/root/.cache/pip", Layer: "sha256:b", Files: 1, Size: 100},
		{Tool: "npm", Path: "/root/.npm/_cacache", Layer: "sha256:c", Files: 900, Size: 64 << 20},
	}
	found := check(t, inv, "")
	if len(found) != 2 {
		t.Fatalf("findings %+v, want those of apt and npm", found)
	}
	apt, npm := found[0], found[1]
	if apt.Severity != finding.Info || !strings.Contains(apt.Message, "19.0 MiB in 4 files") || !strings.Contains(apt.Fix.Text, "apt-get clean") ||
		len(apt.Locations) != 2 || apt.Locations[0].Layer != "sha256:b" || !slices.Contains(apt.Evidence, finding.Fact{Name: "size", Value: "19922944"}) {
		t.Errorf("apt: %+v", apt)
	}
	if npm.Severity != finding.Low {
		t.Errorf("npm: severity %s, want low for 64 MiB", npm.Severity)
	}
}

func TestOnlyToolsForBuildingAreLeftovers(t *testing.T) {
	for _, tt := range []struct {
		why, files, packages string
		want                 string
	}{
		{"compiler and make", `{"path": "/usr/bin/gcc", "mode": "0777", "kind": "link"}, {"path": "/usr/bin/make", "mode": "0755"}`, "", "gcc, make"},
		{"headers", "", `{"type": "rpm", "name": "openssl-devel", "path": "/var/lib/rpm/rpmdb.sqlite"}`, "the packages openssl-devel"},
		{"a metapackage", "", `{"type": "apk", "name": "build-base", "path": "/lib/apk/db/installed"}`, "the packages build-base"},
		{"a language's package of that name", "", `{"type": "npm", "name": "webpack-dev", "path": "/app/package.json"}`, ""},
		{"what Debian's base has", `{"path": "/usr/bin/perl", "mode": "0755"}, {"path": "/usr/bin/sh", "mode": "0777", "kind": "link"}`, `{"type": "deb", "name": "gcc-12-base", "path": "/var/lib/dpkg/status"}`, ""},
		{"a file that cannot be run", `{"path": "/opt/bin/make", "mode": "0666"}`, "", ""},
		{"a directory", `{"path": "/opt/bin/go", "mode": "0777", "kind": "directory"}`, "", ""},
	} {
		inv := decode(t, fmt.Sprintf(`{"config": {"User": "app"}, "files": [%s], "packages": [%s]}`, tt.files, tt.packages))
		f := one(t, check(t, inv, ""), "image-build-tools")
		switch {
		case tt.want == "" && f != nil:
			t.Errorf("%s: %s", tt.why, f.Message)
		case tt.want != "" && (f == nil || !strings.HasSuffix(f.Message, ": "+tt.want)):
			t.Errorf("%s: finding %+v, want %q", tt.why, f, tt.want)
		}
	}
}

func TestAnSSHDaemonIsToldByProgramOrPackage(t *testing.T) {
	for _, tt := range []struct {
		content string
		want    bool
	}{
		{`"files": [{"path": "/usr/sbin/sshd", "mode": "0755"}]`, true},
		{`"files": [{"path": "/usr/local/sbin/dropbear", "mode": "0755"}]`, true},
		{`"packages": [{"type": "apk", "name": "openssh-server", "path": "/lib/apk/db/installed"}]`, true},
		{`"packages": [{"type": "npm", "name": "openssh-server", "path": "/app/package.json"}]`, false},
		{`"packages": [{"type": "deb", "name": "openssh-client", "path": "/var/lib/dpkg/status"}]`, false},
		{`"files": [{"path": "/usr/bin/ssh", "mode": "0755"}]`, false},
	} {
		f := one(t, check(t, decode(t, `{"config": {"User": "app"}, `+tt.content+`}`), ""), "image-ssh-daemon")
		if (f != nil) != tt.want || f != nil && f.Severity != finding.Medium {
			t.Errorf("%s: finding %+v, want one: %v", tt.content, f, tt.want)
		}
	}
}

func TestOnlyImagesThatClaimToBeMinimalMustHaveNoShell(t *testing.T) {
	const tools = `"files": [{"path": "/bin/sh", "mode": "0777", "kind": "link"}, {"path": "/usr/bin/apt-get", "mode": "0755"}]`
	for _, tt := range []struct {
		why, example string
		want         bool
	}{
		{"an ordinary Debian", `"distribution": {"id": "debian", "version": "12", "name": "Debian GNU/Linux 12 (bookworm)"}`, false},
		{"an ordinary Alpine", `"distribution": {"id": "alpine", "version": "3.22.1", "name": "Alpine Linux v3.22"}`, false},
		{"no os-release", `"distribution": {}`, true},
		{"os-release of distroless", `"distribution": {"id": "debian", "version": "12", "name": "Distroless"}`, true},
		{"packages in status.d alone", `"packages": [{"type": "deb", "name": "tzdata", "path": "/var/lib/dpkg/status.d/tzdata"}]`, true},
		{"packages in both", `"packages": [{"type": "deb", "name": "tzdata", "path": "/var/lib/dpkg/status.d/tzdata"}, {"type": "deb", "name": "bash", "path": "/var/lib/dpkg/status"}]`, false},
	} {
		if got := one(t, check(t, decode(t, `{"config": {"User": "app"}, `+tools+`, `+tt.example+`}`), ""), "image-minimal-with-tools") != nil; got != tt.want {
			t.Errorf("%s: finding = %v, want %v", tt.why, got, tt.want)
		}
	}
	for base, want := range map[string]bool{
		"gcr.io/distroless/static-debian12:nonroot": true, "envoyproxy/envoy:distroless-v1.31": true, "scratch": true, "docker.io/library/scratch": true,
		"cgr.dev/chainguard/python:latest": true, "cgr.dev/chainguard/static@sha256:00": true, "registry.example:5000/base/static:1": true,
		"cgr.dev/chainguard/python:latest-dev": false, "cgr.dev/chainguard/wolfi-base": false, "docker.io/library/python:3.13-slim": false,
		"registry.example/static/site:1": false, "shop/statics": false, "": false,
	} {
		inv := decode(t, fmt.Sprintf(`{"config": {"User": "app", "Labels": {"org.opencontainers.image.base.name": %q}}, %s}`, base, tools))
		if got := one(t, check(t, inv, ""), "image-minimal-with-tools") != nil; got != want {
			t.Errorf("base %q: finding = %v, want %v", base, got, want)
		}
	}
	inv := decode(t, `{"config": {"User": "app"}, "distribution": {}, `+tools+`}`)
	inv.Image = nil
	if f := one(t, check(t, inv, ""), "image-minimal-with-tools"); f != nil {
		t.Errorf("a directory is no image: %s", f.Message)
	}
}

func TestLabelsAreHeldToTheImageSpecification(t *testing.T) {
	for label, want := range map[string]string{
		"created=2026-03-01T12:00:00Z": "", "created=2026-03-01": "RFC 3339", "created=${BUILD_DATE}": "variable",
		"source=https://example.org/r": "", "source=git@example.org:shop/web.git": "URL", "url=example.org": "URL", "documentation={{ docs }}": "variable",
		"licenses=Apache-2.0": "", "licenses=NOASSERTION": "", "licenses=Apache License 2": "SPDX",
		"revision=0123abc": "", "revision=r1234": "", "revision=unknown": "revision", "revision=$GIT_SHA": "variable", "revision=fix the build": "revision",
		"base.digest=sha256:" + strings.Repeat("0", 64): "", "base.digest=latest": "digest",
		"version=anything at all": "", "title=costs 5$": "", "vendor=": "", "revision= ": "", "license=MIT": "none of those",
	} {
		name, value, _ := strings.Cut(label, "=")
		inv := decode(t, fmt.Sprintf(`{"config": {"User": "app", "Labels": {"org.opencontainers.image.%s": %q}}, "history": ["LABEL org.opencontainers.image.%s=x"]}`, name, value, name))
		f := one(t, check(t, inv, ""), "image-label-malformed")
		switch {
		case want == "" && f != nil:
			t.Errorf("%s: %s", label, f.Message)
		case want != "" && (f == nil || !strings.Contains(f.Message, want)):
			t.Errorf("%s: finding %+v, want one that says %q", label, f, want)
		case f != nil && f.Locations[0].Layer != inv.Image.Layers[0].DiffID:
			t.Errorf("%s: not at the instruction that set it: %+v", label, f.Locations)
		}
	}
	if f := check(t, decode(t, `{"config": {"User": "app", "Labels": {"created": "yesterday", "org.label-schema.url": "x"}}}`), ""); len(f) != 0 {
		t.Errorf("other labels: %+v", f)
	}
}

func TestOnlyADateThatIsKnownMakesAnImageOld(t *testing.T) {
	for _, tt := range []struct {
		why     string
		created time.Time
		opts    imageconfig.Options
		want    bool
	}{
		{"181 days", now.AddDate(0, 0, -181), imageconfig.Options{Now: now}, true},
		{"179 days", now.AddDate(0, 0, -179), imageconfig.Options{Now: now}, false},
		{"a threshold of its own", now.AddDate(0, 0, -31), imageconfig.Options{Now: now, MaxAge: 30 * 24 * time.Hour}, true},
		{"1970", time.Unix(0, 0), imageconfig.Options{Now: now}, false},
		{"1980", time.Date(1980, 1, 1, 0, 0, 1, 0, time.UTC), imageconfig.Options{Now: now}, false},
		{"no date", time.Time{}, imageconfig.Options{Now: now}, false},
		{"the future", now.AddDate(1, 0, 0), imageconfig.Options{Now: now}, false},
		{"no clock", now.AddDate(-1, 0, 0), imageconfig.Options{}, false},
	} {
		inv := decode(t, `{"config": {"User": "app"}}`)
		inv.Image.Created = tt.created
		if got := one(t, checkWith(t, inv, tt.opts, "image-age"), "image-age") != nil; got != tt.want {
			t.Errorf("%s: finding = %v, want %v", tt.why, got, tt.want)
		}
		if one(t, checkWith(t, inv, tt.opts, ""), "image-age") != nil {
			t.Errorf("%s: found though the rule is off", tt.why)
		}
	}
}

func TestADistributionIsPastItsEndAfterTheLastDay(t *testing.T) {
	end := &imageconfig.SupportEnd{Release: "Debian:11", Day: time.Date(2026, 8, 31, 0, 0, 0, 0, time.UTC), Source: "distro-info-data"}
	inv := decode(t, `{"config": {"User": "app"}}`)
	inv.Distro.Place = inventory.Place{Path: "/usr/lib/os-release", Layer: "sha256:base"}
	for at, want := range map[string]bool{"2026-08-31T23:00:00Z": false, "2026-09-01T00:00:01Z": true, "2030-01-01T00:00:00Z": true} {
		when, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		f := one(t, checkWith(t, inv, imageconfig.Options{Now: when, SupportEnd: end}, ""), imageconfig.EndOfLifeRule)
		if (f != nil) != want {
			t.Errorf("%s: finding %+v, want one: %v", at, f, want)
		}
		if f != nil && (f.Severity != finding.High || !strings.Contains(f.Message, "since 2026-08-31 (distro-info-data)") || f.Locations[0].Path != "/usr/lib/os-release" || f.Locations[0].Layer != "sha256:base") {
			t.Errorf("%s: finding %+v", at, f)
		}
	}
	if f := one(t, checkWith(t, inv, imageconfig.Options{SupportEnd: end}, ""), imageconfig.EndOfLifeRule); f != nil {
		t.Errorf("without a clock: %s", f.Message)
	}
	// An SBOM says nothing of files.
	sbom := inventory.Inventory{Distro: &inventory.Distro{ID: "debian", Version: "11"}}
	if f := one(t, checkWith(t, sbom, imageconfig.Options{Now: now, SupportEnd: end}, ""), imageconfig.EndOfLifeRule); f == nil || f.Locations[0].Path != "/etc/os-release" {
		t.Errorf("of an SBOM: finding %+v", f)
	}
}

// TestRulesNameTheirControls holds that each rule is mapped to both catalogues,
// but for those that one of them does not speak of.
func TestRulesNameTheirControls(t *testing.T) {
	noCIS := map[string]bool{
		"image-world-writable": true, "image-path-relative": true, "image-file-capabilities": true, "image-device-file": true, "image-ambiguous-archive": true, "image-package-list-deleted": true, "image-duplicate-entry": true, "image-empty-password": true, "image-second-root": true,
		"image-duplicate-account": true, "image-sudo-nopasswd": true, "image-sshd-weak": true, "image-authorized-keys": true, "image-exposed-admin-port": true,
	}
	noNIST := map[string]bool{"image-no-healthcheck": true}
	neither := map[string]bool{"image-package-cache": true, "image-no-labels": true, "image-label-malformed": true}
	for _, r := range imageconfig.Rules() {
		has := func(prefix string) bool {
			return slices.ContainsFunc(r.Tags, func(tag string) bool { return strings.HasPrefix(tag, prefix) })
		}
		if got, want := has("CIS-Docker-4."), !noCIS[r.ID] && !neither[r.ID]; got != want {
			t.Errorf("%s: control of the CIS Docker Benchmark = %v, want %v (%v)", r.ID, got, want, r.Tags)
		}
		if got, want := has("NIST-SP-800-190-4.1."), !noNIST[r.ID] && !neither[r.ID]; got != want {
			t.Errorf("%s: section of NIST SP 800-190 = %v, want %v (%v)", r.ID, got, want, r.Tags)
		}
	}
}
