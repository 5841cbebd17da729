package ecosystem

import "strings"

// table is the one place to add an ecosystem or a distribution.
var table = []*Ecosystem{
	// Languages and applications.
	{Name: "Go", PURLTypes: []string{"golang"}, Scheme: golang, Native: []string{"GO-"}},
	{Name: "npm", PURLTypes: []string{"npm"}, Scheme: semver},
	{Name: "PyPI", PURLTypes: []string{"pypi"}, Scheme: pypi, Native: []string{"PYSEC-"}, fold: foldPyPI},
	{Name: "Maven", PURLTypes: []string{"maven"}, Scheme: maven},
	{Name: "RubyGems", PURLTypes: []string{"gem"}, Scheme: rubygems},
	{Name: "crates.io", PURLTypes: []string{"cargo"}, Scheme: semver, Native: []string{"RUSTSEC-"}},
	{Name: "NuGet", PURLTypes: []string{"nuget"}, Scheme: nuget, fold: strings.ToLower},
	{Name: "Packagist", PURLTypes: []string{"composer"}, Scheme: packagist, Native: []string{"DRUPAL-"}, fold: strings.ToLower},
	{Name: "Hex", PURLTypes: []string{"hex"}, Scheme: semver, Native: []string{"EEF-"}, fold: strings.ToLower},
	{Name: "Pub", PURLTypes: []string{"pub"}, Scheme: pub},
	{Name: "Hackage", PURLTypes: []string{"hackage"}, Scheme: hackage, Native: []string{"HSEC-"}},
	{Name: "CRAN", PURLTypes: []string{"cran"}, Scheme: cran, Native: []string{"RSEC-"}},
	{Name: "SwiftURL", PURLTypes: []string{"swift"}, Scheme: semver, fold: foldURL},
	{Name: "ConanCenter", PURLTypes: []string{"conan"}, Scheme: conan},
	{Name: "Bitnami", PURLTypes: []string{"bitnami"}, Scheme: bitnami, Native: []string{"BIT-"}, fold: strings.ToLower},
	{Name: "GitHub Actions", PURLTypes: []string{"github"}, Scheme: looseSemver, fold: strings.ToLower},

	// Distributions with deb packages.
	{Name: "Debian", PURLTypes: []string{"deb"}, Scheme: debian, Native: []string{"DEBIAN-"}, Distribution: &Distribution{
		IDs: []string{"debian"}, Names: SourceName, TracksUnfixed: true, release: debianRelease, split: plainSuffix,
	}},
	{Name: "Ubuntu", PURLTypes: []string{"deb"}, Scheme: debian, Native: []string{"UBUNTU-"}, Distribution: &Distribution{
		IDs: []string{"ubuntu"}, Names: SourceName, TracksUnfixed: true, release: versionID, split: ubuntuSuffix, accepts: ubuntuAccepts,
	}},

	// Distributions with apk packages.
	{Name: "Alpine", PURLTypes: []string{"apk"}, Scheme: alpine, Distribution: &Distribution{
		IDs: []string{"alpine"}, Names: SourceName, release: alpineRelease, split: plainSuffix,
	}},
	{Name: "Wolfi", PURLTypes: []string{"apk"}, Scheme: alpine, Distribution: rolling("wolfi", SourceName)},
	{Name: "Chainguard", PURLTypes: []string{"apk"}, Scheme: alpine, Distribution: rolling("chainguard", SourceName)},
	{Name: "MinimOS", PURLTypes: []string{"apk"}, Scheme: alpine, Distribution: rolling("minimos", SourceName)},

	// Distributions with rpm packages.
	{Name: "Red Hat", PURLTypes: []string{"rpm"}, Scheme: rpm, Distribution: &Distribution{
		IDs: []string{"rhel", "redhat", "centos"}, Names: BinaryThenSource, TracksUnfixed: true, Modular: true,
		Vendors: []string{"Red Hat", "CentOS"}, release: redHatRelease, split: redHatSuffix,
	}},
	{Name: "AlmaLinux", PURLTypes: []string{"rpm"}, Scheme: rpm, Distribution: &Distribution{
		IDs: []string{"almalinux"}, Names: BinaryThenSource, Modular: true,
		Vendors: []string{"AlmaLinux"}, release: almaRelease, split: plainSuffix,
	}},
	{Name: "Rocky Linux", PURLTypes: []string{"rpm"}, Scheme: rpm, Distribution: &Distribution{
		IDs: []string{"rocky"}, Names: BinaryThenSource, Modular: true,
		Vendors: []string{"Rocky"}, release: majorVersion, split: plainSuffix,
	}},
	{Name: "SUSE", PURLTypes: []string{"rpm"}, Scheme: rpm, Native: []string{"SUSE-CVE-"}, Distribution: &Distribution{
		IDs: []string{"sles", "sled", "sles_sap"}, Names: BinaryThenSource,
		Vendors: []string{"SUSE"}, release: suseRelease, split: suseSuffix, accepts: suseAccepts,
	}},
	{Name: "openSUSE", PURLTypes: []string{"rpm"}, Scheme: rpm, Native: []string{"SUSE-CVE-"}, Distribution: &Distribution{
		IDs: []string{"opensuse-leap", "opensuse-tumbleweed", "opensuse"}, Names: BinaryThenSource,
		Vendors: []string{"openSUSE", "SUSE"}, release: openSUSERelease, split: plainSuffix,
	}},
	{Name: "Azure Linux", PURLTypes: []string{"rpm"}, Scheme: rpm, Distribution: &Distribution{
		IDs: []string{"azurelinux", "mariner"}, Names: BinaryThenSource, TracksUnfixed: true,
		Vendors: []string{"Microsoft"}, release: majorVersion, split: plainSuffix,
	}},
	{Name: "openEuler", PURLTypes: []string{"rpm"}, Scheme: rpm, Distribution: &Distribution{
		IDs: []string{"openeuler"}, Names: BinaryThenSource, Vendors: []string{"openEuler"},
		release: openEulerRelease, split: plainSuffix,
	}},
	{Name: "Mageia", PURLTypes: []string{"rpm"}, Scheme: rpm, Distribution: &Distribution{
		IDs: []string{"mageia"}, Names: BinaryThenSource, Vendors: []string{"Mageia"},
		release: versionID, split: plainSuffix,
	}},
	{Name: "Photon OS", PURLTypes: []string{"rpm"}, Scheme: rpm, Distribution: &Distribution{
		IDs: []string{"photon"}, Names: BinaryThenSource, Vendors: []string{"VMware", "Broadcom"},
		release: versionID, split: plainSuffix,
	}},
	{Name: "Amazon Linux", PURLTypes: []string{"rpm"}, Scheme: rpm, Distribution: &Distribution{
		IDs: []string{"amzn"}, Names: BinaryThenSource, Vendors: []string{"Amazon"},
		release: versionID, split: plainSuffix,
	}},
	{Name: "Oracle Linux", PURLTypes: []string{"rpm"}, Scheme: rpm, Distribution: &Distribution{
		IDs: []string{"ol"}, Names: BinaryThenSource, Modular: true, Vendors: []string{"Oracle"},
		release: majorVersion, split: plainSuffix,
	}},
	{Name: "Fedora", PURLTypes: []string{"rpm"}, Scheme: rpm, Distribution: &Distribution{
		IDs: []string{"fedora"}, Names: BinaryThenSource, Modular: true, Vendors: []string{"Fedora"},
		release: versionID, split: plainSuffix,
	}},

	// Distributions with pacman packages, whose versions compare like rpm's.
	{Name: "Arch", PURLTypes: []string{"alpm"}, Scheme: rpm, Distribution: &Distribution{
		IDs: []string{"arch"}, Names: BinaryThenSource, TracksUnfixed: true, release: rollingRelease, split: rollingSuffix,
	}},
}
