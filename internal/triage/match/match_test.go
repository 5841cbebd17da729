package match

import (
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
)

func TestAPackageURLCoversWhatItDoesNotContradict(t *testing.T) {
	const curl = "pkg:deb/debian/libcurl4@7.88.1-10%2Bdeb12u1?arch=amd64&distro=debian-12.1&upstream=curl"
	tests := []struct {
		name, pattern, purl string
		want                bool
	}{
		{"the package of any version", "pkg:deb/debian/libcurl4", curl, true},
		{"the same version", "pkg:deb/debian/libcurl4@7.88.1-10%2Bdeb12u1", curl, true},
		{"the same version with a bare plus sign", "pkg:deb/debian/libcurl4@7.88.1-10+deb12u1", curl, true},
		{"one of the qualifiers", "pkg:deb/debian/libcurl4?arch=amd64", curl, true},
		{"another architecture", "pkg:deb/debian/libcurl4?arch=arm64", curl, false},
		{"a qualifier that the package lacks", "pkg:deb/debian/libcurl4?epoch=1", curl, false},
		{"another version", "pkg:deb/debian/libcurl4@7.88.1-10", curl, false},
		{"another distribution", "pkg:deb/ubuntu/libcurl4", curl, false},
		{"another name with the same beginning", "pkg:deb/debian/libcurl", curl, false},
		{"a scope in a npm name", "pkg:npm/%40babel/core", "pkg:npm/%40babel/core@7.0.0", true},
		{"a scope left out", "pkg:npm/core", "pkg:npm/%40babel/core@7.0.0", false},
		{"a name in another letter case where the ecosystem folds it", "pkg:pypi/Django", "pkg:pypi/django@4.2", true},
		{"a Go module", "pkg:golang/golang.org/x/text", "pkg:golang/golang.org/x/text@v0.3.5", true},
		{"a parent of a Go module", "pkg:golang/golang.org/x", "pkg:golang/golang.org/x/text@v0.3.5", false},
		{"a subpath", "pkg:golang/example.org/x#cmd/a", "pkg:golang/example.org/x@v1#cmd/a", true},
		{"another subpath", "pkg:golang/example.org/x#cmd/a", "pkg:golang/example.org/x@v1#cmd/b", false},
		{"a package without a package URL", "pkg:npm/core", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := ParsePURL(tt.pattern)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.CoversPackage(&finding.Package{PURL: tt.purl}); got != tt.want {
				t.Errorf("%s covers %s: got %v", tt.pattern, tt.purl, got)
			}
		})
	}
}

func TestAPackageURLIsOfAPackageWhateverItsVersion(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"pkg:npm/qs", "pkg:npm/qs@6.5.2", true},
		{"pkg:npm/qs@6.5.1", "pkg:npm/qs@6.5.2?x=y#lib", true},
		{"pkg:npm/%40scope/qs", "pkg:npm/qs", false},
		{"pkg:npm/qs", "pkg:pypi/qs", false},
		{"pkg:npm/qs", "pkg:npm/lodash", false},
	} {
		a, errA := ParsePURL(tt.a)
		b, errB := ParsePURL(tt.b)
		if errA != nil || errB != nil || a.IsOf(b) != tt.want || b.IsOf(a) != tt.want {
			t.Errorf("%s and %s: %v, want %v (%v, %v)", tt.a, tt.b, a.IsOf(b), tt.want, errA, errB)
		}
	}
}

func TestAPackageURLTakesAVersionAndKeepsTheRest(t *testing.T) {
	p, err := ParsePURL("pkg:deb/debian/libc6?arch=amd64")
	if err != nil {
		t.Fatal(err)
	}
	with := p.WithVersion("1:2.36-9")
	if got := with.String(); got != "pkg:deb/debian/libc6@1:2.36-9?arch=amd64" || with.Version() != "1:2.36-9" {
		t.Errorf("got %s with version %s", got, with.Version())
	}
	if p.Version() != "" {
		t.Error("the pattern itself has changed")
	}
}

func TestAnImageIsKnownByItsNames(t *testing.T) {
	const digest = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
	const index = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
	const config = "sha256:3333333333333333333333333333333333333333333333333333333333333333"
	const other = "sha256:4444444444444444444444444444444444444444444444444444444444444444"
	web := ImageOf(&inventory.Image{
		Name: "registry.example:5000/shop/web", Reference: "registry.example:5000/shop/web:1.2", Digest: digest,
		IndexDigest: index, ID: config, Platform: "linux/amd64",
	})
	debian := ImageOf(&inventory.Image{Name: "debian", Reference: "debian:12"})
	tests := []struct {
		name, text string
		image      Image
		want       bool
	}{
		{"the bare name of the purl", "pkg:oci/web", web, true},
		{"another name", "pkg:oci/shop", web, false},
		{"the manifest's digest", "pkg:oci/web@sha256%3A1111111111111111111111111111111111111111111111111111111111111111", web, true},
		{"the index's digest", "pkg:oci/web@" + index, web, true},
		{"another digest", "pkg:oci/web@" + other, web, false},
		{"the repository", "pkg:oci/web?repository_url=registry.example:5000/shop/web", web, true},
		{"the repository without the name", "pkg:oci/web?repository_url=registry.example:5000/shop", web, true},
		{"another registry", "pkg:oci/web?repository_url=evil.example/shop/web", web, false},
		{"the tag", "pkg:oci/web?tag=1.2", web, true},
		{"another tag", "pkg:oci/web?tag=1.3", web, false},
		{"another architecture", "pkg:oci/web?arch=arm64", web, false},
		{"the architecture", "pkg:oci/web?arch=amd64", web, true},
		{"a digest alone", digest, web, true},
		{"the digest of the configuration", config, web, true},
		{"another digest alone", other, web, false},
		{"the repository as a reference", "registry.example:5000/shop/web", web, true},
		{"a reference with tag", "registry.example:5000/shop/web:1.2", web, true},
		{"a reference with another tag", "registry.example:5000/shop/web:1.3", web, false},
		{"a reference with digest", "registry.example:5000/shop/web@" + digest, web, true},
		{"a reference with another digest", "registry.example:5000/shop/web@" + other, web, false},
		{"Docker Hub spelled out", "docker.io/library/debian", debian, true},
		{"a docker purl", "pkg:docker/library/debian@12", debian, true},
		{"a docker purl of another tag", "pkg:docker/debian@11", debian, false},
		{"a purl of a package", "pkg:npm/web", web, false},
		{"nothing", "", web, false},
		{"a broken purl", "pkg:", web, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.image.IsNamedBy(tt.text); got != tt.want {
				t.Errorf("%q: got %v", tt.text, got)
			}
		})
	}
	if names := debian.Names(); !slices.Contains(names, "debian:12") || !slices.Contains(names, "docker.io/library/debian") {
		t.Errorf("names of debian are %q", names)
	}
}

func TestAVersionRangeFollowsTheRulesOfTheEcosystem(t *testing.T) {
	tests := []struct {
		name, text, purlType, version string
		want                          bool
	}{
		{"inside", ">=1.2 <1.4", "npm", "1.3.9", true},
		{"at the excluded end", ">=1.2 <1.4", "npm", "1.4.0", false},
		{"numbers are no texts", "<1.10", "npm", "1.9.0", true},
		{"an alternative", "<1 || =2.0.0", "npm", "2.0.0", true},
		{"a bare version", "4.17.20", "npm", "4.17.20", true},
		{"a blank after the operator", ">= 1.2, < 1.4", "npm", "1.3.0", true},
		{"Debian's tilde sorts before", "<3.0.11-1", "deb", "3.0.11-1~deb12u2", true},
		{"Debian's epoch counts first", ">2", "deb", "1:1.2.13.dfsg-1", true},
		{"rpm", "<=3.0.7-24.el9", "rpm", "3.0.7-24.el9", true},
		{"Alpine", "<3.1.4-r1", "apk", "3.1.4-r0", true},
		{"a version that cannot be compared", "<2", "npm", "latest", false},
		{"a type that cannot be compared", "<2", "generic", "1", false},
		{"no range", "", "generic", "anything", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := ParseRange(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if got := r.Holds(tt.purlType, tt.version); got != tt.want {
				t.Errorf("%q holds %s: got %v", tt.text, tt.version, got)
			}
		})
	}
	for _, broken := range []string{">=", "<1 ||", "latest", "^1.2", "1.*", ">=1.0<2.0", "< <1"} {
		if r, err := ParseRange(broken); err == nil {
			t.Errorf("%q is read as %+v", broken, r)
		}
	}
}

func TestAnImageOfSeveralPlatformsIsNotNamedByOneOfThem(t *testing.T) {
	index, one := "sha256:"+strings.Repeat("a", 64), "sha256:"+strings.Repeat("b", 64)
	img := ImageOf(&inventory.Image{
		Name: "registry.example/shop/web", Reference: "registry.example/shop/web:1", Digest: index, IndexDigest: index, ID: index,
		Platform: "linux/amd64, linux/arm64", Platforms: []inventory.Platform{{Name: "linux/amd64", Digest: one}, {Name: "linux/arm64"}},
	})
	for text, want := range map[string]bool{
		index: true, one: false,
		"registry.example/shop/web:1":                              true,
		"registry.example/shop/web@" + one:                         false,
		"pkg:oci/web?repository_url=registry.example/shop/web":     true,
		"pkg:oci/web@" + index:                                     true,
		"pkg:oci/web@" + one:                                       false,
		"pkg:oci/web?arch=amd64":                                   false,
		"pkg:oci/web?arch=amd64&repository_url=registry.example/x": false,
	} {
		if got := img.IsNamedBy(text); got != want {
			t.Errorf("%s names it: %v, want %v", text, got, want)
		}
	}
}
