package baseline

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/outcome"
)

func layered(diffIDs ...string) *inventory.Image {
	img := &inventory.Image{Name: image}
	for _, id := range diffIDs {
		img.Layers = append(img.Layers, inventory.Layer{DiffID: id})
	}
	return img
}

func inLayer(name, version, layer string) finding.Finding {
	f := vulnerability("CVE-1", name, version)
	f.Locations = []finding.Location{
		{Space: finding.Repository, Path: "Dockerfile", Line: 1},
		{Space: finding.InImage, Path: "/var/lib/dpkg/info/" + name + ".list", Layer: layer},
		{Space: finding.InImage, Path: "/var/lib/dpkg/status", Layer: "app"},
	}
	return f
}

func TestWhatComesFromTheBaseImageIsInherited(t *testing.T) {
	ours, withLayers := layered("b1", "b2", "app"), Base{Reference: "debian:12", Layers: []string{"b1", "b2"}}
	withPackages := Base{
		Reference: "debian:12", Layers: []string{"rebuilt"}, PackageURLs: []string{"pkg:deb/debian/curl@1?arch=amd64", "pkg:npm/qs@1", "pkg:npm/left@1"},
		Places: []PackagePlace{{"pkg:npm/qs@1", "/usr/lib/node_modules/qs/package.json", ""}, {"pkg:npm/qs@2", "/opt/qs/package.json", ""}},
	}
	deb := func(version string) finding.Finding {
		f := inLayer("curl", version, "b1")
		f.Package.PURL = "pkg:deb/debian/curl@" + version + "?arch=amd64&distro=debian-12"
		return f
	}
	npm := func(name string, paths ...string) finding.Finding {
		f := vulnerability("CVE-1", name, "1")
		f.Locations = []finding.Location{{Space: finding.Repository, Path: "package-lock.json", Line: 1}}
		for _, path := range paths {
			f.Locations = append(f.Locations, finding.Location{Space: finding.InImage, Path: path, Layer: "app"})
		}
		return f
	}
	other := inLayer("curl", "1", "b1")
	other.Target = "registry.example/shop/api"
	waived := inLayer("curl", "1", "b1")
	waived.Status = finding.Waived
	config := lint("image-user-root")
	config.Kind, config.Target = finding.ImageConfig, image
	secret := inLayer("x", "1", "b2")
	secret.Kind, secret.Package, secret.Locations = finding.Secret, nil, secret.Locations[1:2]
	files := secret
	files.Kind = finding.ImageConfig
	files.Locations = []finding.Location{secret.Locations[0], {Space: finding.InImage, Path: "/srv/tool", Layer: "app"}}
	inDockerfile := lint("PC-DF009")
	inDockerfile.Target = image
	tests := []struct {
		name    string
		base    Base
		image   *inventory.Image
		finding finding.Finding
		want    bool
	}{
		{"in a layer of the base", withLayers, ours, inLayer("curl", "1", "b1"), true},
		{"in a layer of ours", withLayers, ours, inLayer("curl", "1", "app"), false},
		{"a secret in a layer of the base", withLayers, ours, secret, true},
		{"files of the base and one of ours", withLayers, ours, files, false},
		{"a setting without a layer", withLayers, ours, config, false},
		{"a Dockerfile's finding", withLayers, ours, inDockerfile, false},
		{"another image", withLayers, ours, other, false},
		{"waived already", withLayers, ours, waived, false},
		{"layers of another image", Base{Reference: "x", Layers: []string{"b2", "b1"}}, ours, inLayer("curl", "1", "b1"), false},
		{"more layers than the image has", Base{Reference: "x", Layers: []string{"b1", "b2", "app", "more"}}, ours, inLayer("curl", "1", "b1"), false},
		{"a base of which nothing is known", Base{Reference: "x"}, ours, inLayer("curl", "1", "b1"), false},
		{"a layer of the base that ours repeats", withLayers, layered("b1", "b2", "b1"), inLayer("curl", "1", "b1"), false},
		{"a package of the base that was rebuilt", withPackages, ours, deb("1"), true},
		{"another version than the rebuilt base has", withPackages, ours, deb("2"), false},
		{"a library where the rebuilt base has it", withPackages, ours, npm("qs", "/usr/lib/node_modules/qs/package.json"), true},
		{"a library of the rebuilt base, elsewhere", withPackages, ours, npm("qs", "/app/node_modules/qs/package.json"), false},
		{"a library there and elsewhere", withPackages, ours, npm("qs", "/app/qs/package.json", "/usr/lib/node_modules/qs/package.json"), false},
		{"a library where the rebuilt base has another version", withPackages, ours, npm("qs", "/opt/qs/package.json"), false},
		{"a library of which the rebuilt base has no place", withPackages, ours, npm("left", "/app/left/package.json"), false},
		{"a library without a place", withPackages, ours, npm("qs"), false},
		{"no image", withLayers, nil, inLayer("curl", "1", "b1"), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			given := []finding.Finding{tt.finding}
			got := Inherit(given, tt.base, tt.image)
			if inherited := got[0].Status == finding.Inherited; inherited != tt.want {
				t.Errorf("inherited is %v: %s", inherited, got[0].StatusReason)
			}
			if diff := cmp.Diff(tt.finding, given[0]); diff != "" {
				t.Errorf("changed in place:\n%s", diff)
			}
			if diff := cmp.Diff(got, Inherit(got, tt.base, tt.image)); diff != "" {
				t.Errorf("applied twice:\n%s", diff)
			}
		})
	}
}

func TestABaseThatWasExaminedKnowsItsLayersAndPackages(t *testing.T) {
	found := inLayer("curl", "1", "b1")
	got := BaseOf("debian:12", outcome.Outcome{
		Image: layered("b1", "b2"), PackageURLs: []string{"pkg:deb/debian/curl@1"}, Findings: []finding.Finding{found, lint("PC-DF009")},
	})
	want := Base{
		Reference: "debian:12", Layers: []string{"b1", "b2"}, PackageURLs: []string{"pkg:deb/debian/curl@1"},
		Places: []PackagePlace{{found.Package.PURL, "/var/lib/dpkg/info/curl.list", ""}, {found.Package.PURL, "/var/lib/dpkg/status", ""}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAPackageOfACopiedRootIsInheritedOnlyFromTheSameRoot(t *testing.T) {
	const purl = "pkg:deb/debian/curl@1"
	in := func(root string) finding.Finding {
		f := vulnerability("CVE-1", "curl", "1")
		f.Package.PURL = purl
		for _, path := range []string{"/usr/share/doc/curl/copyright", "/var/lib/dpkg/status"} {
			f.Locations = append(f.Locations, finding.Location{Space: finding.InImage, Path: root + path, Layer: "app"})
		}
		return f
	}
	fromSBOM := vulnerability("CVE-1", "curl", "1")
	fromSBOM.Package.PURL = purl
	all := func(list ...finding.Finding) []finding.Finding { return list }
	for _, tt := range []struct {
		name    string
		base    []finding.Finding // that the rebuilt base has about the package
		finding finding.Finding
		want    bool
	}{
		{"both their own", all(in("")), in(""), true},
		{"the image's copy, the base's own", all(in("")), in("/opt/root"), false},
		{"the image's own, the base's copy", all(in("/opt/root")), in(""), false},
		{"a copy in one directory", all(in("/opt/root")), in("/opt/root"), true},
		{"copies in two directories", all(in("/opt/root")), in("/srv/root"), false},
		{"the image's own, the base has both", all(in("/opt/root"), in("")), in(""), true},
		{"the image's copy, the base has both", all(in("/opt/root"), in("")), in("/opt/root"), true},
		{"the image's own, no finding in the base", nil, in(""), true},
		{"the image's copy, no finding in the base", nil, in("/opt/root"), false},
		{"a package without a place", all(in("")), fromSBOM, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			base := BaseOf("debian:12", outcome.Outcome{Image: layered("rebuilt"), PackageURLs: []string{purl}, Findings: tt.base})
			got := Inherit([]finding.Finding{tt.finding}, base, layered("b1", "app"))[0]
			if inherited := got.Status == finding.Inherited; inherited != tt.want {
				t.Errorf("inherited is %v: %s", inherited, got.StatusReason)
			}
		})
	}
}
