package ecosystem

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/inventory"
)

func TestLocateFilesOSVEcosystems(t *testing.T) {
	tests := []struct {
		osv, shard, name, variant string
		known                     bool
	}{
		{"npm", "npm", "npm", "", true},
		{"Debian:12", "debian-12", "Debian:12", "", true},
		{"Debian", "", "", "", false},
		{"Ubuntu:22.04:LTS", "ubuntu-22.04", "Ubuntu:22.04", "", true},
		{"Ubuntu:23.10", "ubuntu-23.10", "Ubuntu:23.10", "", true},
		{"Ubuntu:Pro:22.04:LTS", "ubuntu-22.04", "Ubuntu:22.04", "Pro", true},
		{"Ubuntu:Pro:FIPS-updates:22.04:LTS", "ubuntu-22.04", "Ubuntu:22.04", "Pro:FIPS-updates", true},
		{"Alpine:v3.19", "alpine-v3.19", "Alpine:v3.19", "", true},
		{"Alpine:edge", "alpine-edge", "Alpine:edge", "", true},
		{"Red Hat:enterprise_linux:9::appstream", "red-hat-9", "Red Hat:9", "appstream", true},
		{"Red Hat:enterprise_linux:8", "red-hat-8", "Red Hat:8", "", true},
		{"Red Hat:rhel_eus:9.2::appstream", "red-hat-9.2-eus", "Red Hat:9.2 EUS", "appstream", true},
		{"Red Hat:rhel_els:7", "red-hat-7-els", "Red Hat:7 ELS", "", true},
		{"Red Hat:openshift:4.12::el8", "", "", "", false},
		{"SUSE:Linux Enterprise Server 15 SP5", "suse-15-sp5", "SUSE:15 SP5", "Linux Enterprise Server", true},
		{"SUSE:Linux Enterprise Module for Basesystem 15 SP5", "suse-15-sp5", "SUSE:15 SP5", "Linux Enterprise Module for Basesystem", true},
		{"SUSE:Linux Enterprise Server 15 SP3-LTSS", "suse-linux-enterprise-server-15-sp3-ltss", "SUSE:Linux Enterprise Server 15 SP3-LTSS", "", true},
		{"Packagist:https://packages.drupal.org/8", "packagist", "Packagist", "https://packages.drupal.org/8", true},
		{"crates.io", "crates.io", "crates.io", "", true},
		{"GitHub Actions", "github-actions", "GitHub Actions", "", true},
		{"Wolfi", "wolfi", "Wolfi", "", true},
		{"Android", "", "", "", false},
		{"", "", "", "", false},
	}
	for _, tt := range tests {
		p, ok := Locate(tt.osv)
		if ok != tt.known {
			t.Errorf("Locate(%q) known = %v, want %v", tt.osv, ok, tt.known)
			continue
		}
		if !ok {
			continue
		}
		got := []string{p.Shard(), p.OSVName(), p.Variant}
		if diff := cmp.Diff([]string{tt.shard, tt.name, tt.variant}, got); diff != "" {
			t.Errorf("Locate(%q) (-want +got):\n%s", tt.osv, diff)
		}
	}
}

func TestByDistroNamesTheRelease(t *testing.T) {
	tests := []struct {
		why    string
		distro inventory.Distro
		want   string // OSV name, "" for unknown
	}{
		{"a Debian point release", inventory.Distro{ID: "debian", Version: "12.5"}, "Debian:12"},
		{"Debian testing has a codename only", inventory.Distro{ID: "debian", Codename: "trixie"}, "Debian:13"},
		{"Debian unstable has neither", inventory.Distro{ID: "debian", Codename: "sid"}, ""},
		{"Ubuntu LTS", inventory.Distro{ID: "ubuntu", Version: "22.04"}, "Ubuntu:22.04"},
		{"Ubuntu interim", inventory.Distro{ID: "ubuntu", Version: "23.10"}, "Ubuntu:23.10"},
		{"Alpine patch release", inventory.Distro{ID: "alpine", Version: "3.19.1"}, "Alpine:v3.19"},
		{"Alpine edge", inventory.Distro{ID: "alpine", Version: "3.21.0_alpha20240923"}, "Alpine:edge"},
		{"a candidate of Alpine has the repositories of the release", inventory.Distro{ID: "alpine", Version: "3.22.0_rc1"}, "Alpine:v3.22"},
		{"Alpine without version", inventory.Distro{ID: "alpine"}, ""},
		{"AlmaLinux minor", inventory.Distro{ID: "almalinux", Version: "9.3"}, "AlmaLinux:9"},
		{"AlmaLinux Kitten runs ahead", inventory.Distro{ID: "almalinux", Version: "10", Name: "AlmaLinux Kitten", PrettyName: "AlmaLinux Kitten 10 (Lion Cub)"}, ""},
		{"RHEL minor", inventory.Distro{ID: "rhel", Version: "9.4"}, "Red Hat:9"},
		{"CentOS Linux has RHEL's packages", inventory.Distro{ID: "centos", Version: "7", Name: "CentOS Linux"}, "Red Hat:7"},
		{"CentOS Stream has not", inventory.Distro{ID: "centos", Version: "9", Name: "CentOS Stream"}, ""},
		{"Rocky is not RHEL", inventory.Distro{ID: "rocky", Version: "9.1"}, "Rocky Linux:9"},
		{"SLES by pretty name", inventory.Distro{ID: "sles", Version: "15.5", PrettyName: "SUSE Linux Enterprise Server 15 SP5"}, "SUSE:15 SP5"},
		{"Leap by pretty name", inventory.Distro{ID: "opensuse-leap", Version: "15.5", PrettyName: "openSUSE Leap 15.5"}, "openSUSE:Leap 15.5"},
		{"openEuler LTS", inventory.Distro{ID: "openEuler", PrettyName: "openEuler 22.03 (LTS-SP3)"}, "openEuler:22.03-LTS-SP3"},
		{"Azure Linux", inventory.Distro{ID: "azurelinux", Version: "3.0"}, "Azure Linux:3"},
		{"Mariner", inventory.Distro{ID: "mariner", Version: "2.0"}, "Azure Linux:2"},
		{"Wolfi rolls", inventory.Distro{ID: "wolfi", Version: "20230201"}, "Wolfi"},
		{"Mageia", inventory.Distro{ID: "mageia", Version: "9"}, "Mageia:9"},
		{"Photon", inventory.Distro{ID: "photon", Version: "5.0"}, "Photon OS:5.0"},
		{"Amazon Linux", inventory.Distro{ID: "amzn", Version: "2023"}, "Amazon Linux:2023"},
		{"an unknown system", inventory.Distro{ID: "plan9", Version: "4"}, ""},
		{"a derivative is not its parent", inventory.Distro{ID: "linuxmint", IDLike: []string{"ubuntu"}, Version: "21"}, ""},
	}
	for _, tt := range tests {
		p, ok := ByDistro(tt.distro)
		got := ""
		if ok {
			got = p.OSVName()
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.why, got, tt.want)
		}
	}
}

func TestContentSetsNameTheExtendedSupport(t *testing.T) {
	tests := []struct {
		why    string
		distro inventory.Distro
		want   string
	}{
		{"EUS of the installed minor release", inventory.Distro{ID: "rhel", Version: "8.4", ContentSets: []string{"rhel-8-for-x86_64-appstream-rpms", "rhel-8-for-x86_64-baseos-eus-rpms"}}, "Red Hat:8.4 EUS"},
		{"the name says the minor release", inventory.Distro{ID: "rhel", Version: "9.4", ContentSets: []string{"rhel-9.2-for-aarch64-baseos-eus-rpms"}}, "Red Hat:9.2 EUS"},
		{"the suffix says the minor release", inventory.Distro{ID: "rhel", Version: "8.6", ContentSets: []string{"rhel-8-for-x86_64-baseos-e4s-rpms__8_DOT_4"}}, "Red Hat:8.4 E4S"},
		{"RHEL 7 has no modules of its repositories", inventory.Distro{ID: "rhel", Version: "7.9", ContentSets: []string{"rhel-7-server-els-rpms"}}, "Red Hat:7 ELS"},
		{"the base product", inventory.Distro{ID: "rhel", Version: "9.4", ContentSets: []string{"rhel-9-for-x86_64-baseos-rpms", "ubi-9-appstream-rpms"}}, ""},
		{"no record", inventory.Distro{ID: "rhel", Version: "9.4"}, ""},
		{"another distribution", inventory.Distro{ID: "almalinux", Version: "9.4", ContentSets: []string{"rhel-9-for-x86_64-baseos-eus-rpms"}}, ""},
	}
	for _, tt := range tests {
		p, _ := ByDistro(tt.distro)
		got := ""
		if extended, ok := p.Extended(tt.distro); ok {
			got = extended.OSVName()
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.why, got, tt.want)
		}
	}
}

func TestSupportOfCentOSEndsBeforeThatOfItsSource(t *testing.T) {
	centos, _ := ByDistro(inventory.Distro{ID: "centos", Version: "8", Name: "CentOS Linux"})
	rhel, _ := ByDistro(inventory.Distro{ID: "rhel", Version: "8.5"})
	a, okA := centos.EndOfLife()
	b, okB := rhel.EndOfLife()
	if !okA || !okB || !a.Before(b) {
		t.Errorf("CentOS 8 ends %v (%v), RHEL 8 %v (%v)", a, okA, b, okB)
	}
	if centos.Shard() != rhel.Shard() {
		t.Errorf("shards differ: %s and %s", centos.Shard(), rhel.Shard())
	}
}

func TestEveryEndOfLifeDateIsADateOfAKnownRelease(t *testing.T) {
	for name := range endOfLife {
		if _, ok := (Place{support: name}).EndOfLife(); !ok {
			t.Errorf("%s: %q is not a date", name, endOfLife[name])
		}
		base, release, _ := strings.Cut(name, ":")
		if e, ok := ByName(base); base != "CentOS" && (!ok || e.Distribution == nil || release == "") {
			t.Errorf("%s is no release of a distribution in the table", name)
		}
	}
}

func TestTableIsConsistent(t *testing.T) {
	names, shards := map[string]bool{}, map[string]string{}
	for _, e := range All() {
		if e.Name == "" || e.Scheme == nil || len(e.PURLTypes) == 0 {
			t.Errorf("entry %q lacks a name, scheme or package URL type", e.Name)
		}
		if names[e.Name] {
			t.Errorf("%s is there twice", e.Name)
		}
		names[e.Name] = true
		s := Place{Ecosystem: e}.Shard()
		if other, taken := shards[s]; taken {
			t.Errorf("%s and %s share the shard %s", e.Name, other, s)
		}
		shards[s] = e.Name
		if _, err := e.Scheme.Bound("0.0.0"); err != nil {
			t.Errorf("%s: %v", e.Name, err)
		}
	}
}

func TestFoldMakesNamesOfOneRegistryEqual(t *testing.T) {
	tests := []struct{ ecosystem, in, want string }{
		{"PyPI", "Ruamel.Yaml_clib", "ruamel-yaml-clib"},
		{"PyPI", "zope.interface", "zope-interface"},
		{"npm", "@Types/Node", "@Types/Node"},
		{"NuGet", "Newtonsoft.Json", "newtonsoft.json"},
		{"Packagist", "Symfony/HTTP-Kernel", "symfony/http-kernel"},
		{"Go", "github.com/Masterminds/semver", "github.com/Masterminds/semver"},
		{"SwiftURL", "https://github.com/Apple/swift-nio.git", "github.com/apple/swift-nio"},
		{"Maven", "org.Foo:Bar", "org.Foo:Bar"},
	}
	for _, tt := range tests {
		e, ok := ByName(tt.ecosystem)
		if !ok {
			t.Fatalf("no ecosystem %s", tt.ecosystem)
		}
		if got := e.Fold(tt.in); got != tt.want {
			t.Errorf("%s: Fold(%q) = %q, want %q", tt.ecosystem, tt.in, got, tt.want)
		}
	}
}

func TestOwnVendorTellsForeignRepositories(t *testing.T) {
	alma, _ := ByName("AlmaLinux")
	for vendor, want := range map[string]bool{
		"AlmaLinux": true, "AlmaLinux OS Foundation": true, "": true, "Fedora Project": false, "Docker": false, "(none)": false,
	} {
		if got := alma.Distribution.OwnVendor(vendor); got != want {
			t.Errorf("OwnVendor(%q) = %v, want %v", vendor, got, want)
		}
	}
}

func TestParseRefusesWhatIsNoVersion(t *testing.T) {
	tests := []struct {
		ecosystem string
		good, bad []string
	}{
		{"Go", []string{"v1.2.3", "1.2.3", "go1.22.5", "go1.22rc1", "go1.21", "v0.0.0-20210520170846-37e1c6afe023", "v2.0.0+incompatible", "go1.22.5 X:boringcrypto"}, []string{"(devel)", "", "master", "devel go1.23-abcdef", "v0.0.0-00010101000000-000000000000"}},
		{"npm", []string{"1.2.3", "v1.2.3", "1.0.0-rc.1+build"}, []string{"1.2", "not a version", "latest", "file:../x", ""}},
		{"PyPI", []string{"1.0", "1.0.post1", "2!1.0rc1", "1.0.dev3+local.1", "1.0-1", "1.0A1"}, []string{"not a version", "1.0-foo-bar", "${version}", ""}},
		{"Maven", []string{"1.0", "1.0.0.Final", "r09", "Finchley.SR1"}, []string{"${project.version}", "", "1.0 2"}},
		{"RubyGems", []string{"1.2.3", "1.2.3.pre1", "1.13.3-x86_64-linux"}, []string{"x.y", "", "1..2"}},
		{"NuGet", []string{"1.2.3.4", "1.0.0-beta"}, []string{"1.2.3.4.5", "x"}},
		{"Packagist", []string{"v1.2.3", "1.0.0-RC1", "2.0.0.1"}, []string{"dev-master", "2.0.x-dev", "x"}},
		{"Debian", []string{"1:2.3-4+deb12u1", "1.0~rc1", "2.36-9+b1"}, []string{"abc", "", "1.0_2"}},
		{"Alpine", []string{"1.2.3-r0", "1.2_rc1-r0", "1.1.1t-r2", "2.0_git20220101~abcdef-r3"}, []string{"1.2.3-rc1", "x", "1.2-r"}},
		{"AlmaLinux", []string{"1:1.1.1k-9.el8", "0:4.4~rc1-2", "1.0^git1-1"}, []string{"", "-", "a b"}},
		{"CRAN", []string{"1.0-3", "0.2"}, []string{"1.0a"}},
		{"Hackage", []string{"1.6.23.0"}, []string{"1.0-rc1"}},
	}
	for _, tt := range tests {
		e, ok := ByName(tt.ecosystem)
		if !ok {
			t.Fatalf("no ecosystem %s", tt.ecosystem)
		}
		for _, v := range tt.good {
			if _, err := e.Scheme.Parse(v); err != nil {
				t.Errorf("%s: %q: %v", tt.ecosystem, v, err)
			}
		}
		for _, v := range tt.bad {
			if _, err := e.Scheme.Parse(v); !errors.Is(err, ErrUnreadable) {
				t.Errorf("%s: %q: got %v, want ErrUnreadable", tt.ecosystem, v, err)
			}
		}
	}
}

func TestCompareFollowsTheEcosystemsRules(t *testing.T) {
	tests := []struct{ ecosystem, installed, bound, want string }{
		{"Debian", "1:1.0", "2.0", ">"},
		{"Debian", "1.0~rc1", "1.0", "<"},
		{"Debian", "1.0-1+b1", "1.0-1", ">"},
		{"Alpine", "1.1.1t-r2", "1.1.1s-r9", ">"},
		{"Alpine", "1.2_rc1-r0", "1.2-r0", "<"},
		{"AlmaLinux", "1.1.1k-9.el8", "1:1.1.1k-5.el8", "<"},
		{"AlmaLinux", "0:1.0-1", "1.0-1", "="},
		{"AlmaLinux", "1.0~rc1-1", "1.0-1", "<"},
		{"AlmaLinux", "1.0^git1-1", "1.0-1", ">"},
		{"Go", "v1.2.3", "1.2.3", "="},
		{"Go", "go1.22rc1", "1.22.0-rc.1", "="},
		{"Go", "go1.22rc1", "1.22.0-0", ">"},
		{"Go", "go1.21", "1.21.0", "="},
		{"Go", "v2.0.0+incompatible", "2.0.0", "="},
		{"Go", "v0.0.0-20210520170846-37e1c6afe023", "0.0.0-20210520170845-000000000000", ">"},
		{"Go", "go1.22.5-1.el9", "1.22.5", "="},
		{"npm", "1.2.3-4", "1.2.3", "<"},
		{"npm", "1.0.0+x", "1.0.0", "="},
		{"PyPI", "1.0.post1", "1.0", ">"},
		{"PyPI", "5.2B1", "5.2b1", "="},
		{"Maven", "1.0.0.Final", "1.0.0", "="},
		{"RubyGems", "1.13.3-x86_64-linux", "1.13.3", "="},
		{"RubyGems", "1.0.0.pre", "1.0.0", "<"},
		{"Bitnami", "1.2.3-4", "1.2.3", "="},
		{"ConanCenter", "1.1.1k", "1.1.1", ">"},
		{"ConanCenter", "1.1.1k", "1.1.1l", "<"},
		{"ConanCenter", "1.78.0-rc1", "1.78.0", "<"},
		{"ConanCenter", "1.2.11", "1.2.9", ">"},
		{"Packagist", "v1.2.3", "1.2.3", "="},
	}
	for _, tt := range tests {
		e, _ := ByName(tt.ecosystem)
		v, err := e.Scheme.Parse(tt.installed)
		if err != nil {
			t.Errorf("%s: %v", tt.ecosystem, err)
			continue
		}
		w, err := e.Scheme.Bound(tt.bound)
		if err != nil {
			t.Errorf("%s: %v", tt.ecosystem, err)
			continue
		}
		got := map[int]string{-1: "<", 0: "=", 1: ">"}[v.Compare(w)]
		if got != tt.want {
			t.Errorf("%s: %s %s %s, want %s", tt.ecosystem, tt.installed, got, tt.bound, tt.want)
		}
	}
}

// FuzzCompareIsAnOrder checks that what a scheme accepts can be compared, that
// comparing is antisymmetric and that a version equals itself.
func FuzzCompareIsAnOrder(f *testing.F) {
	f.Add("1.2.3-4", "1.2.4")
	f.Add("1:1.0~rc1", "1.0_p1-r2")
	f.Add("go1.22rc1", "v0.0.0-20210520170846-37e1c6afe023")
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, e := range All() {
			v, errV := e.Scheme.Parse(a)
			w, errW := e.Scheme.Bound(b)
			if errV != nil || errW != nil {
				continue
			}
			if v.Compare(v) != 0 {
				t.Errorf("%s: %q differs from itself", e.Name, a)
			}
			if v.Compare(w) != -w.Compare(v) {
				t.Errorf("%s: %q and %q compare as %d and %d", e.Name, a, b, v.Compare(w), w.Compare(v))
			}
		}
	})
}
