package imageconfig

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

func leftoverRules() []rule {
	return []rule{
		{
			Rule: rules.Rule{
				ID: "image-package-cache", Aliases: []string{"DKL-DI-0005"}, Kind: finding.ImageConfig,
				Title: "Cache of a package manager in the image", Severity: finding.Info, Since: "0.1",
				Why:          "What a package manager downloaded to install from is of no use to the container. Each host pulls it and each registry stores it, and old lists lead a later `install` to versions that are gone. From 64 MiB on the finding is low.",
				Fix:          "Remove the cache in the step that fills it, or keep it out of the image with `RUN --mount=type=cache,target=DIRECTORY`.",
				WhenToIgnore: "The image is a build environment that works from the cache.",
				References:   []string{"https://docs.docker.com/build/building/best-practices/#apt-get", "https://docs.docker.com/build/cache/optimize/#use-cache-mounts"},
				Bad:          `{"config": {"User": "app"}, "caches": [{"tool": "apt", "path": "/var/lib/apt/lists", "files": 9, "size": 19000000}]}`,
				Good:         `{"config": {"User": "app"}, "caches": [{"tool": "apt", "path": "/var/lib/apt/lists", "files": 1, "size": 200}]}`, Language: "json",
			},
			check: checkCaches,
		},
		{
			Rule: rules.Rule{
				ID: "image-build-tools", Kind: finding.ImageConfig,
				Title: "Tools for building in the image", Severity: finding.Info, Since: "0.1",
				Why:          "Compilers, version control and headers are needed to build a program, not to run it. They bring most of the vulnerabilities that scanners report, and let an attacker build on the spot what could not be brought in.",
				Fix:          "Build in a stage of its own and copy the result: `FROM … AS build`, then `COPY --from=build`. Else remove the packages in the step that installs them.",
				WhenToIgnore: "The image is one in which things are built, or the program compiles while it runs.",
				References:   []string{"https://docs.docker.com/build/building/multi-stage/", "https://csrc.nist.gov/pubs/sp/800/190/final"},
				Tags:         []string{"CIS-Docker-4.3"},
				Bad:          `{"config": {"User": "app"}, "files": [{"path": "/usr/bin/x86_64-linux-gnu-gcc-12", "mode": "0755"}], "packages": [{"type": "deb", "name": "libssl-dev", "path": "/var/lib/dpkg/status"}]}`,
				Good:         `{"config": {"User": "app"}, "files": [{"path": "/usr/bin/perl", "mode": "0755"}], "packages": [{"type": "deb", "name": "gcc-12-base", "path": "/var/lib/dpkg/status"}]}`, Language: "json",
			},
			check: checkBuildTools,
		},
	}
}

const (
	// smallCache is the size in bytes up to which nobody needs to hear of a
	// cache: lock files and indexes of indexes.
	smallCache = 256 << 10
	// largeCache is the size from which a cache costs every pull.
	largeCache = 64 << 20
)

// cacheFixes are how caches are kept out of an image, by package manager.
var cacheFixes = map[string]string{
	"apt":      "End the step with `apt-get clean && rm -rf /var/lib/apt/lists/*`.",
	"apk":      "Install with `apk add --no-cache`.",
	"dnf":      "End the step with `dnf clean all` (or `microdnf clean all`).",
	"yum":      "End the step with `yum clean all`.",
	"zypper":   "End the step with `zypper clean --all`.",
	"pacman":   "End the step with `pacman -Scc --noconfirm`.",
	"pip":      "Install with `pip install --no-cache-dir`, or set PIP_NO_CACHE_DIR=1.",
	"uv":       "Set UV_NO_CACHE=1 in the step.",
	"npm":      "End the step with `npm cache clean --force`.",
	"yarn":     "End the step with `yarn cache clean`.",
	"go":       "Build in a stage of its own and copy the program, or end the step with `go clean -cache -modcache`.",
	"cargo":    "Build in a stage of its own and copy the program.",
	"maven":    "Build in a stage of its own and copy the archive.",
	"gradle":   "Build in a stage of its own and copy the archive.",
	"composer": "End the step with `composer clear-cache`.",
}

func checkCaches(p *pass) {
	byPath := make(map[string][]inventory.Cache)
	var paths []string
	for _, c := range p.inv.Caches {
		if byPath[c.Path] == nil {
			paths = append(paths, c.Path)
		}
		byPath[c.Path] = append(byPath[c.Path], c)
	}
	for _, dir := range paths {
		p.reportCache(byPath[dir])
	}
}

// reportCache tells of one directory, which several layers may have filled.
func (p *pass) reportCache(parts []inventory.Cache) {
	var whole inventory.Cache
	r := report{key: []string{parts[0].Path}, object: parts[0].Tool, fix: cacheFixes[parts[0].Tool]}
	slices.SortStableFunc(parts, func(a, b inventory.Cache) int { return cmp.Compare(b.Size, a.Size) })
	for _, c := range parts {
		whole.Files, whole.Size = whole.Files+c.Files, whole.Size+c.Size
		r.places = append(r.places, finding.Location{Space: finding.InImage, Path: c.Path, Layer: c.Layer, Note: mebibytes(c.Size)})
	}
	if whole.Size < smallCache {
		return
	}
	if whole.Size >= largeCache {
		r.severity = finding.Low
	}
	files := "files"
	if whole.Files == 1 {
		files = "file"
	}
	r.message = fmt.Sprintf("%s holds a cache of %s: %s in %d %s", parts[0].Path, parts[0].Tool, mebibytes(whole.Size), whole.Files, files)
	r.evidence = []finding.Fact{{Name: "size", Value: strconv.FormatInt(whole.Size, 10)}}
	p.report(r)
}

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

// programs are the executable files and links with a role.
func (p *pass) programs(want ...inventory.Role) []inventory.File {
	return p.filter(func(f inventory.File) bool {
		runs := f.Kind == inventory.Link || f.Kind == "" && f.Mode&0o111 != 0
		return runs && slices.Contains(want, inventory.RoleOf(f.Path))
	})
}

// names are the base names of files, each once, in their order.
func names(files []inventory.File) []string {
	var out []string
	for _, f := range files {
		if name := path.Base(f.Path); !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// systemPackages are the packages of the operating system that lie in the image
// and for which keep holds.
func (p *pass) systemPackages(keep func(inventory.Package) bool) []inventory.Package {
	var out []inventory.Package
	for _, pkg := range p.inv.Packages {
		if (pkg.Type == "deb" || pkg.Type == "apk" || pkg.Type == "rpm") && len(pkg.Places) > 0 && keep(pkg) {
			out = append(out, pkg)
		}
	}
	return out
}

// places are those of files, then of packages, up to a bound.
func places(files []inventory.File, packages []inventory.Package) []finding.Location {
	var out []finding.Location
	for _, f := range files {
		out = append(out, placeOf(f))
	}
	for _, pkg := range packages {
		out = append(out, finding.Location{Space: finding.InImage, Path: pkg.Places[0].Path, Layer: cmp.Or(pkg.Layer, pkg.Places[0].Layer), Note: "package " + pkg.Name})
	}
	return out[:min(len(out), maxPlaces)]
}

// metapackages bring a compiler and all that goes with it.
var metapackages = set("build-essential", "build-base", "alpine-sdk", "base-devel")

func isForBuilding(pkg inventory.Package) bool {
	suffix := "-dev"
	if pkg.Type == "rpm" {
		suffix = "-devel"
	}
	return metapackages[pkg.Name] || strings.HasSuffix(pkg.Name, suffix)
}

func checkBuildTools(p *pass) {
	files := p.programs(inventory.BuildTool)
	packages := p.systemPackages(isForBuilding)
	var found []string
	if len(files) > 0 {
		found = append(found, someNames(names(files)))
	}
	if len(packages) > 0 {
		var list []string
		for _, pkg := range packages {
			list = append(list, pkg.Name)
		}
		found = append(found, "the packages "+someNames(list))
	}
	if len(found) > 0 {
		p.report(report{message: "the image holds what is needed for building alone: " + strings.Join(found, "; "), places: places(files, packages)})
	}
}

// someNames lists the first few names and says how many more there are.
func someNames(list []string) string {
	const most = 8
	text := strings.Join(list[:min(most, len(list))], ", ")
	if n := len(list) - most; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}
