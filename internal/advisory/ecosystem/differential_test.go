package ecosystem

import (
	"os/exec"
	"testing"
)

// TestDebianAgreesWithDpkg compares with the distribution's own tool where it
// is installed. The cases are those of deb-version(7) and of Debian policy.
func TestDebianAgreesWithDpkg(t *testing.T) {
	dpkg, err := exec.LookPath("dpkg")
	if err != nil {
		t.Skip("dpkg is not installed here; the table of known orders still runs")
	}
	versions := []string{
		"1.0~~", "1.0~~a", "1.0~", "1.0", "1.0-0", "1.0-1", "1.0-1~bpo12+1", "1.0-1+b1", "1.0-1+deb12u1", "1.0-1.1", "1.0a", "1.0+dfsg-1",
		"1:0.9", "0:1.0", "2.36-9+deb12u3", "2.36-9+deb12u10", "1.2.13.dfsg-1", "3.0.11-1~deb12u1", "1.0.0-r1", "09", "9", "1.10", "1.9",
	}
	for _, a := range versions {
		for _, b := range versions {
			v, errV := debian.Parse(a)
			w, errW := debian.Bound(b)
			if errV != nil || errW != nil {
				t.Fatalf("%s, %s: %v, %v", a, b, errV, errW)
			}
			less := exec.Command(dpkg, "--compare-versions", a, "lt", b).Run() == nil
			if got := v.Compare(w) < 0; got != less {
				t.Errorf("%s < %s: got %v, dpkg says %v", a, b, got, less)
			}
		}
	}
}

var semverOrder = []string{"1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "2.0.0", "2.1.0", "2.1.1"}

// TestOrdersThatEcosystemsPublish holds each list, which its ecosystem gives in
// ascending order, against the comparator.
func TestOrdersThatEcosystemsPublish(t *testing.T) {
	lists := map[string][]string{
		// https://semver.org/#spec-item-11
		"npm": semverOrder,
		// https://peps.python.org/pep-0440/#summary-of-permitted-suffixes-and-relative-ordering
		"PyPI": {"1.dev0", "1.0.dev456", "1.0a1", "1.0a2.dev456", "1.0a12.dev456", "1.0a12", "1.0b1.dev456", "1.0b2", "1.0b2.post345.dev456", "1.0b2.post345", "1.0rc1.dev456", "1.0rc1", "1.0", "1.0+abc.5", "1.0+abc.7", "1.0+5", "1.0.post456.dev34", "1.0.post456", "1.0.15", "1.1.dev1"},
		// https://maven.apache.org/pom.html#version-order-specification
		"Maven": {"1-alpha-1", "1-beta-1", "1-milestone-1", "1-rc-1", "1-SNAPSHOT", "1", "1-sp-1", "1.1", "1.2", "1.10"},
		// https://man7.org/linux/man-pages/man7/deb-version.7.html
		"Debian": {"1.0~~", "1.0~~a", "1.0~", "1.0", "1.0a"},
		// https://rpm-software-management.github.io/rpm/man/rpm-version.7
		"AlmaLinux": {"1.0~rc1-1", "1.0-1", "1.0^20240101-1", "1.0.1-1", "1.10-1", "1:0.1-1"},
		// https://github.com/alpinelinux/apk-tools/blob/master/doc/apk-package.5.scd
		"Alpine": {"1.0_alpha1-r0", "1.0_beta1-r0", "1.0_pre1-r0", "1.0_rc1-r0", "1.0-r0", "1.0-r1", "1.0_p1-r0", "1.0a-r0", "1.0.1-r0", "1.10-r0"},
		// https://guides.rubygems.org/patterns/#prerelease-gems
		"RubyGems": {"1.0.a1", "1.0.b1", "1.0.rc1", "1.0", "1.0.1", "1.1.pre1", "1.1", "1.10"},
		// https://learn.microsoft.com/nuget/concepts/package-versioning#pre-release-versions
		"NuGet": {"1.0.1-alpha", "1.0.1-alpha10", "1.0.1-beta", "1.0.1-rc.2", "1.0.1-rc.10", "1.0.1-zzz", "1.0.1", "1.0.1.1"},
		// https://go.dev/ref/mod#pseudo-versions
		"Go": {"v0.0.0-20190101000000-abcdefabcdef", "v0.0.0-20200101000000-abcdefabcdef", "v1.2.3-0.20200101000000-abcdefabcdef", "v1.2.3-pre", "v1.2.3-pre.0.20200101000000-abcdefabcdef", "v1.2.3", "v1.2.4-0.20200101000000-abcdefabcdef", "v1.2.4"},
		// https://semver.org/#spec-item-11 holds for all of these.
		"crates.io":      semverOrder,
		"Hex":            semverOrder,
		"SwiftURL":       semverOrder,
		"GitHub Actions": semverOrder,
		"Bitnami":        semverOrder,
		// https://pub.dev/documentation/pub_semver/latest/#semantics: a build comes
		// after the version without one.
		"Pub": {"1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0-rc.1+build.1", "1.0.0", "1.0.0+0.3.7", "1.3.7+build", "1.3.7+build.2.b8f12d7", "1.3.7+build.11.e0f985a"},
		// https://pvp.haskell.org/#version-numbers: components as a sequence.
		"Hackage": {"0.9", "1", "1.0", "1.0.0", "1.0.1", "1.2", "1.10", "2.0"},
		// https://rdrr.io/r/base/numeric_version.html: dots and dashes separate alike.
		"CRAN": {"0.9", "1.0", "1.0-1", "1.0.2", "1.0-10", "1.1", "1.10"},
		// https://docs.conan.io/2/tutorial/versioning/version_ranges.html
		"ConanCenter": {"1.0-alpha", "1.0-beta", "1.0", "1.0.1", "1.1.1", "1.1.1a", "1.1.1k", "1.2", "1.10"},
		// https://getcomposer.org/doc/articles/versions.md#stability
		"Packagist": {"1.0.0-dev", "1.0.0-alpha1", "1.0.0-beta1", "1.0.0-RC1", "1.0.0", "1.0.0-patch1", "1.0.1"},
	}
	covered := make(map[*Scheme]bool)
	for name := range lists {
		if e, ok := ByName(name); ok {
			covered[e.Scheme] = true
		}
	}
	for _, e := range All() {
		if !covered[e.Scheme] {
			t.Errorf("no published order for the versions of %s", e.Name)
		}
	}
	for name, list := range lists {
		e, ok := ByName(name)
		if !ok {
			t.Fatalf("no ecosystem %s", name)
		}
		for i, a := range list {
			for j, b := range list {
				v, errV := e.Scheme.Parse(a)
				w, errW := e.Scheme.Bound(b)
				if errV != nil || errW != nil {
					t.Fatalf("%s: %v, %v", name, errV, errW)
				}
				if got, want := sign(v.Compare(w)), sign(i-j); got != want {
					t.Errorf("%s: %s and %s compare as %d, published as %d", name, a, b, got, want)
				}
			}
		}
	}
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	default:
		return 0
	}
}
