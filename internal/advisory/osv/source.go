package osv

import "strings"

// Source is a publisher of advisories, recognised by the prefix of its ids.
type Source struct {
	// Name as the publisher calls itself.
	Name string
	// Licence is an SPDX identifier, or a few words where there is none.
	Licence string
	// Redistributable says whether the licence lets others pass the data on in
	// changed form. Where it is false or unknown the data may be used where it
	// was fetched, and never enters a published database.
	Redistributable bool
	// Bundles is true for publishers whose records each bundle the fixes of any
	// number of flaws: what they list as aliases are contents.
	Bundles  bool
	prefixes []string
}

// sources names publishers and licences as of 2026-08. Longer prefixes come
// before shorter ones that they begin with.
var sources = []Source{
	{"Go vulnerability database", "CC-BY-4.0", true, false, []string{"GO-"}},
	{"GitHub Advisory Database", "CC-BY-4.0", true, false, []string{"GHSA-"}},
	{"PyPA advisory database", "CC-BY-4.0", true, false, []string{"PYSEC-"}},
	{"RustSec advisory database", "CC0-1.0", true, false, []string{"RUSTSEC-"}},
	{"GitLab advisories-community", "MIT", true, false, []string{"GLC-"}},
	{"OpenSSF malicious packages", "Apache-2.0", true, false, []string{"MAL-"}},
	{"Drupal advisory database", "MIT", true, false, []string{"DRUPAL-"}},
	{"Haskell security advisories", "CC0-1.0", true, false, []string{"HSEC-"}},
	{"R advisory database", "Apache-2.0", true, false, []string{"RSEC-"}},
	{"Erlang Ecosystem Foundation", "CC-BY-4.0", true, false, []string{"EEF-"}},
	{"Bitnami vulnerability database", "Apache-2.0", true, false, []string{"BIT-"}},
	{"Debian security team", "facts published without a licence", true, true, []string{"DEBIAN-", "DSA-", "DLA-", "DTSA-"}},
	{"Ubuntu security team", "CC-BY-SA-4.0", true, true, []string{"UBUNTU-", "USN-", "LSN-"}},
	{"Alpine security database", "facts published without a licence", true, true, []string{"ALPINE-"}},
	{"Red Hat Product Security", "CC-BY-4.0", true, true, []string{"RHSA-", "RHBA-", "RHEA-", "RHEL-", "REDHAT-"}},
	{"AlmaLinux OSV database", "MIT", true, true, []string{"ALSA-", "ALBA-", "ALEA-"}},
	{"Rocky Enterprise Software Foundation", "BSD-3-Clause", true, true, []string{"RLSA-", "RXSA-"}},
	{"Azure Linux vulnerability data", "MIT", true, true, []string{"AZL-"}},
	{"CVE list", "CVE terms of use", true, false, []string{"CVE-"}},
	{"SUSE security team", "not stated", false, true, []string{"SUSE-", "openSUSE-"}},
	{"openEuler security", "not stated", false, true, []string{"OESA-"}},
	{"Mageia security", "not stated", false, true, []string{"MGASA-"}},
	{"MinimOS", "not stated", false, true, []string{"MINI-"}},
	{"Chainguard", "CC-BY-NC-ND-4.0", false, true, []string{"CGA-", "WOLFI-", "CHAINGUARD-"}},
	{"Amazon Linux security centre", "not stated", false, true, []string{"ALAS"}},
	{"Oracle Linux security", "not stated", false, true, []string{"ELSA-", "ELBA-"}},
	{"Photon OS security", "not stated", false, true, []string{"PHSA-", "PHOTON-"}},
	{"Fedora updates", "not stated", false, true, []string{"FEDORA-"}},
	{"Arch Linux security", "not stated", false, true, []string{"AVG-", "ASA-"}},
}

// SourceOf names the publisher of an advisory by its id. An unknown prefix is
// a source of its own whose licence is unknown.
func SourceOf(id string) Source {
	for _, s := range sources {
		for _, prefix := range s.prefixes {
			if strings.HasPrefix(id, prefix) {
				return s
			}
		}
	}
	prefix, _, _ := strings.Cut(id, "-")
	return Source{Name: "unknown publisher of " + prefix, Licence: "unknown"}
}
