package inventory

import "testing"

func TestTheDistributionOfAListOfPackageURLs(t *testing.T) {
	tests := []struct {
		why   string
		purls []string
		want  string
	}{
		{"as syft writes it", []string{"pkg:deb/debian/curl@7.74.0-1.3%2Bdeb11u1?arch=amd64&distro=debian-11"}, "debian 11 "},
		{"with a point release, as trivy writes it", []string{"pkg:deb/debian/curl@7?distro=debian-11.5", "pkg:deb/debian/bash@5?distro=debian-11.5"}, "debian 11 "},
		{"a release of Ubuntu keeps its month", []string{"pkg:deb/ubuntu/curl@7?distro=ubuntu-22.04"}, "ubuntu 22.04 "},
		{"by its codename alone", []string{"pkg:deb/debian/curl@7?distro=bookworm"}, "debian  bookworm"},
		{"Red Hat", []string{"pkg:rpm/redhat/curl@7?epoch=0&distro=rhel-9.2", "pkg:rpm/redhat/bash@5?distro=redhat-9.2"}, "rhel 9.2 "},
		{"an id with a dash", []string{"pkg:rpm/opensuse/curl@7?distro=opensuse-leap-15.5"}, "opensuse-leap 15.5 "},
		{"packages of languages have none", []string{"pkg:npm/a@1", "pkg:apk/alpine/musl@1?distro=alpine-3.19.1", "pkg:npm/%40b/c@1?distro=debian-12"}, "alpine 3.19.1 "},
		{"two that differ", []string{"pkg:deb/debian/a@1?distro=debian-11", "pkg:deb/debian/b@1?distro=debian-12"}, ""},
		{"none", []string{"pkg:deb/debian/a@1?arch=amd64", "pkg:deb/debian/b@1", "", "pkg:deb/debian/b@1?distro=%zz"}, ""},
	}
	for _, tt := range tests {
		var packages []Package
		for _, p := range tt.purls {
			packages = append(packages, Package{PURL: p})
		}
		got := ""
		if d := DistroOfPURLs(packages); d != nil {
			got = d.ID + " " + d.Version + " " + d.Codename
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.why, got, tt.want)
		}
	}
}
