package syftcatalog

import (
	"bytes"
	"context"
	"io"
	"strconv"
	"testing"

	"github.com/anchore/syft/syft/file"
	"github.com/anchore/syft/syft/pkg"
	"github.com/anchore/syft/syft/sbom"
	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

const (
	anMD5    = "3e2b31c72181b87149ff995e7202c0e3"
	aSHA1    = "bd971bec88149956458a10fc9c5ecb3eb99dd452"
	aSHA256  = "a8076d3d28d21e02012b20eaf7dbf75409a6277134439025f282e368e3305abf"
	sha1Text = "Q1vZcb7IgUmVZFihD8nF7LPrmd1FI="
)

func TestWhatPackageManagersRecordOfFiles(t *testing.T) {
	digest := func(algorithm, value string) *file.Digest { return &file.Digest{Algorithm: algorithm, Value: value} }
	for name, tc := range map[string]struct {
		metadata any
		want     []recorded
	}{
		"dpkg": {
			pkg.DpkgDBEntry{Files: []pkg.DpkgFileRecord{
				{Path: "/usr/bin/x", Digest: digest("md5", anMD5)}, {Path: "/etc/x.conf", Digest: digest("md5", anMD5), IsConfigFile: true}, {Path: "/usr/share/x"},
			}},
			[]recorded{{"/usr/bin/x", "md5:" + anMD5, false}, {"/etc/x.conf", "md5:" + anMD5, true}, {"/usr/share/x", "", false}},
		},
		"apk, where all below /etc is protected": {
			pkg.ApkDBEntry{Files: []pkg.ApkFileRecord{{Path: "/usr/bin/x", Digest: digest("'Q1'+base64(sha1)", sha1Text)}, {Path: "/etc/x", Digest: digest("'Q1'+base64(sha1)", sha1Text)}, {Path: "/bin/broken", Digest: digest("sha1", "Q1!!")}}},
			[]recorded{{"/usr/bin/x", "sha1:" + aSHA1, false}, {"/etc/x", "sha1:" + aSHA1, true}, {"/bin/broken", "", false}},
		},
		"rpm, with configuration and ghosts": {
			pkg.RpmDBEntry{Files: []pkg.RpmFileRecord{
				{Path: "/usr/bin/x", Digest: *digest("sha256", aSHA256)},
				{Path: "/etc/x", Digest: *digest("sha256", aSHA256), Flags: "cn"},
				{Path: "/var/x", Flags: "g"},
				{Path: "/usr/share/doc/x", Digest: *digest("sha256", aSHA256), Flags: "d"},
				{Path: "/usr/bin/odd", Digest: *digest("sha512", aSHA256+aSHA256)},
				{Path: "/usr/bin/short", Digest: *digest("sha256", anMD5)},
			}},
			[]recorded{
				{"/usr/bin/x", "sha256:" + aSHA256, false},
				{"/etc/x", "sha256:" + aSHA256, true},
				{"/var/x", "", true},
				{"/usr/share/doc/x", "sha256:" + aSHA256, false},
				{"/usr/bin/odd", "", false},
				{"/usr/bin/short", "", false},
			},
		},
		"pacman": {
			pkg.AlpmDBEntry{
				Files:  []pkg.AlpmFileRecord{{Path: "/usr/bin/x", Digests: []file.Digest{*digest("md5digest", anMD5), *digest("sha256digest", aSHA256)}}, {Path: "/etc/x", Digests: []file.Digest{*digest("md5", anMD5)}}},
				Backup: []pkg.AlpmFileRecord{{Path: "/etc/x"}},
			},
			[]recorded{{"/usr/bin/x", "sha256:" + aSHA256, false}, {"/etc/x", "md5:" + anMD5, true}},
		},
		"portage":    {pkg.PortageEntry{Files: []pkg.PortageFileRecord{{Path: "/usr/bin/x", Digest: digest("md5", anMD5)}}}, []recorded{{"/usr/bin/x", "md5:" + anMD5, false}}},
		"a language": {pkg.NpmPackage{}, nil},
	} {
		got := recordedFiles(pkg.Package{Metadata: tc.metadata})
		if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(recorded{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestAFileOfSeveralPackagesHasADigestWhereTheyAgree(t *testing.T) {
	const same, other = "3e2b31c72181b87149ff995e7202c0e3", "d41d8cd98f00b204e9800998ecf8427e"
	for name, tc := range map[string]struct {
		sums []string
		want string
	}{
		"one":                        {[]string{same}, "md5:" + same},
		"two that agree":             {[]string{same, same}, "md5:" + same},
		"two that differ":            {[]string{same, other}, ""},
		"a third after two differed": {[]string{same, other, same}, ""},
		"one that does not say":      {[]string{"", same}, "md5:" + same},
	} {
		var model sbom.SBOM
		model.Artifacts.Packages = pkg.NewCollection()
		for n, sum := range tc.sums {
			p := pkg.Package{Name: strconv.Itoa(n), Type: pkg.DebPkg, Metadata: pkg.DpkgDBEntry{Files: []pkg.DpkgFileRecord{{Path: "/bin/x", Digest: &file.Digest{Algorithm: "md5", Value: sum}}}}}
			p.SetID()
			model.Artifacts.Packages.Add(p)
		}
		owned, _, err := ownedFiles(t.Context(), owning(packagesOf(&model)), newResolver(t.Context(), index(t, imagetest.Dir("usr/bin"), imagetest.Symlink("bin", "usr/bin"), imagetest.Text("usr/bin/x", "x"))))
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := owned["/usr/bin/x"]; !ok || got.Digest != tc.want || len(owned) != 1 {
			t.Errorf("%s: %+v, want /usr/bin/x with digest %q", name, owned, tc.want)
		}
	}
}

// index reads one layer.
func index(t *testing.T, files ...imagetest.File) *layers.Index {
	t.Helper()
	archive, err := imagetest.Tar(files...)
	if err != nil {
		t.Fatal(err)
	}
	x, err := layers.Read(t.Context(), []layers.Blob{{Size: -1, Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(archive)), nil
	}}}, selector, layers.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close() })
	return x
}
