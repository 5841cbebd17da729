package syftcatalog

import (
	"errors"
	"strings"
	"testing"

	"github.com/anchore/syft/syft/file"
	"github.com/anchore/syft/syft/pkg"
	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/inventory"
)

func TestConvertPackageOfAnRPMDatabase(t *testing.T) {
	module := "nodejs:18:8080020230503:rhel8"
	for name, tc := range map[string]struct {
		version, purl, source, module string
		want                          inventory.Package
	}{
		"a source of the same name and version is none": {
			version: "2.3.1-4.el9", purl: "pkg:rpm/ol/acl@2.3.1-4.el9?arch=x86_64&upstream=acl-2.3.1-4.el9.src.rpm", source: "acl-2.3.1-4.el9.src.rpm",
			want: inventory.Package{Name: "acl"},
		},
		"an epoch makes no other source": {
			version: "1:2.3.1-4.el9", purl: "pkg:rpm/ol/acl@2.3.1-4.el9?arch=x86_64&epoch=1", source: "acl-2.3.1-4.el9.src.rpm",
			want: inventory.Package{Name: "acl"},
		},
		"a source of another name": {
			version: "1:2.3.1-4.el9", purl: "pkg:rpm/ol/acl@2.3.1-4.el9?arch=x86_64&epoch=1", source: "acl-tools-2.3.1-4.el9.src.rpm",
			want: inventory.Package{Name: "acl", Source: &inventory.Source{Name: "acl-tools"}},
		},
		"a source of another version": {
			version: "2.3.1-4.el9", purl: "pkg:rpm/ol/acl@2.3.1-4.el9?arch=x86_64", source: "acl-9-1.el9.nosrc.rpm",
			want: inventory.Package{Name: "acl", Source: &inventory.Source{Name: "acl", Version: "9-1.el9"}},
		},
		"a module": {
			version: "18-1", purl: "pkg:rpm/redhat/acl@18-1?arch=x86_64", module: module,
			want: inventory.Package{Name: "acl", Module: "nodejs:18"},
		},
		"a source that is no file name": {
			version: "1-1", purl: "pkg:rpm/redhat/acl@1-1?arch=x86_64", source: "(none)",
			want: inventory.Package{Name: "acl"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := pkg.Package{
				Name: "acl", Version: tc.version, Type: pkg.RpmPkg, PURL: tc.purl,
				Metadata: pkg.RpmDBEntry{Arch: "x86_64", Vendor: "Vendor", SourceRpm: tc.source, ModularityLabel: &tc.module},
			}
			want := tc.want
			want.Version, want.PURL, want.Type, want.Architecture, want.Vendor = tc.version, tc.purl, "rpm", "x86_64", "Vendor"
			if diff := cmp.Diff(want, convertPackage(p)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestConvertPackageOfAForeignSBOM(t *testing.T) {
	p := pkg.Package{Name: "libssl3", Version: "3.0.11-1", Type: pkg.DebPkg, PURL: "pkg:deb/debian/libssl3@3.0.11-1?arch=arm64&upstream=openssl%403.0.11"}
	want := inventory.Package{
		Name: "libssl3", Version: "3.0.11-1", Type: "deb", PURL: p.PURL, Architecture: "arm64", Source: &inventory.Source{Name: "openssl", Version: "3.0.11"},
	}
	if diff := cmp.Diff(want, convertPackage(p)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	p = pkg.Package{Name: "x", Version: "1", Type: pkg.NpmPkg, PURL: "no package URL", Locations: file.NewLocationSet(file.NewLocation("/b"), file.NewLocation("/a"), file.NewLocation("/a"))}
	want = inventory.Package{Name: "x", Version: "1", Type: "npm", Places: []inventory.Place{{Path: "/a"}, {Path: "/b"}}}
	if diff := cmp.Diff(want, convertPackage(p)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPasswordsInNamesAndVersionsAreWithheld(t *testing.T) {
	const secret = "q7wZr2Lk9x"
	p := convertPackage(pkg.Package{Name: "https://ci:" + secret + "@git.shop.de/a", Version: "git+https://ci:" + secret + "@git.shop.de/a", Type: pkg.NpmPkg})
	if strings.Contains(p.Name+p.Version, secret) || p.Name == "" || p.Version == "" {
		t.Errorf("%q %q", p.Name, p.Version)
	}
}

func TestAFullDiskIsToldFromABrokenArchive(t *testing.T) {
	for reason, full := range map[string]bool{
		"failed to unpack: write /tmp/x/inner.jar: no space left on device": true,
		"open /tmp/x: read-only file system":                                true,
		"zip: not a valid zip file":                                         false,
		"":                                                                  false,
	} {
		err := noRoom([]inventory.Unreadable{{Path: "/app/other.jar", Reason: "unexpected EOF"}, {Path: "/app/app.jar", Reason: reason}})
		var known *exit.Error
		if errors.As(err, &known) != full || full && (known.Code != exit.NotExamined || !strings.Contains(err.Error(), "/app/app.jar")) {
			t.Errorf("%q: %v", reason, err)
		}
	}
}

func TestAnRPMWithoutVendorIsNobodys(t *testing.T) {
	packages := []inventory.Package{
		{Type: "rpm", Name: "mine"}, {Type: "rpm", Name: "theirs", Vendor: "Red Hat, Inc."}, {Type: "rpm", Name: "gpg-pubkey"}, {Type: "deb", Name: "any"},
	}
	nameNoVendor(packages)
	for i, want := range []string{"(none)", "Red Hat, Inc.", "", ""} {
		if packages[i].Vendor != want {
			t.Errorf("%s: vendor %q, want %q", packages[i].Name, packages[i].Vendor, want)
		}
	}
}

func TestAnSBOMOfTooManyComponentsIsRefused(t *testing.T) {
	components := func(n int) []byte {
		return []byte(`{"components":[` + strings.Repeat(`{"purl":"pkg:npm/a"},`, n-1) + `{"purl":"pkg:npm/a"}]}`)
	}
	if l, err := readListed(components(1000)); err != nil || len(l.purls) != 1000 {
		t.Errorf("%d components, %v", len(l.purls), err)
	}
	if _, err := readListed(components(maxPackages + 1)); err == nil || !strings.Contains(err.Error(), "more than the limit") {
		t.Errorf("error = %v", err)
	}
}
