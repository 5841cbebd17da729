package feed

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/advisory/osv"
)

// lines shows records as "id ecosystem package[@module] introduced,fixed state".
func lines(records []osv.Record) []string {
	var out []string
	for _, r := range records {
		for _, a := range r.Affected {
			fixed := ""
			for _, e := range a.Ranges[0].Events {
				fixed += e.Fixed
			}
			name := a.Package.Name
			if a.Ecosystem.Module != "" {
				name += "@" + string(a.Ecosystem.Module)
			}
			state := string(a.Ecosystem.FixState + a.Database.FixState)
			out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s <%s %s", r.ID, a.Package.Ecosystem, name, fixed, state)))
		}
	}
	return out
}

const alpine = `{"apkurl":"{{urlprefix}}/{{distroversion}}/{{reponame}}/{{arch}}/{{pkg.name}}-{{pkg.ver}}.apk","archs":["x86_64"],
 "reponame":"community","urlprefix":"https://dl-cdn.alpinelinux.org/alpine","distroversion":"v3.20",
 "packages":[{"pkg":{"name":"xen","secfixes":{"4.10.0-r1":["CVE-2017-17563 XSA-249",""],"0":["CVE-2019-1"],"4.11.0-r0":["XSA-268"]}}},
  {"pkg":{"name":"xen-libs","secfixes":{"4.10.0-r1":["CVE-2017-17563"]}}}]}`

func TestSecDBGivesOneRecordForEachFlaw(t *testing.T) {
	records, err := SecDB([]byte(alpine))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"ALPINE-CVE-2017-17563 Alpine:v3.20 xen <4.10.0-r1",
		"ALPINE-CVE-2017-17563 Alpine:v3.20 xen-libs <4.10.0-r1",
		"ALPINE-XSA-268 Alpine:v3.20 xen <4.11.0-r0",
	}
	if diff := cmp.Diff(want, lines(records)); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"CVE-2017-17563"}, records[0].Upstream); diff != "" {
		t.Error(diff)
	}
}

func TestSecDBKnowsWolfiByItsAddress(t *testing.T) {
	records, err := SecDB([]byte(`{"reponame":"os","urlprefix":"https://packages.wolfi.dev","packages":[{"pkg":{"name":"curl","secfixes":{"8.0.0-r0":["CVE-2023-1"]}}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := lines(records); len(got) != 1 || got[0] != "WOLFI-CVE-2023-1 Wolfi curl <8.0.0-r0" {
		t.Errorf("records %q", got)
	}
	if osv.SourceOf(records[0].ID).Redistributable {
		t.Error("Wolfi's data counts as redistributable")
	}
}

const debian = `{"zlib":{"CVE-2023-45853":{"description":"MiniZip in zlib through 1.3 has an integer overflow","scope":"remote","releases":{
   "bookworm":{"status":"open","repositories":{"bookworm":"1:1.2.13.dfsg-1"},"urgency":"not yet assigned","nodsa":"contrib/minizip not built","nodsa_reason":"ignored"},
   "bullseye":{"status":"resolved","repositories":{"bullseye":"1:1.2.11.dfsg-2+deb11u2"},"fixed_version":"1:1.2.11.dfsg-2+deb11u3","urgency":"low"},
   "trixie":{"status":"resolved","fixed_version":"0","urgency":"unimportant"},
   "sid":{"status":"open","urgency":"unimportant"}}}},
 "bash":{"CVE-2022-3715":{"description":"A flaw","releases":{"bookworm":{"status":"open","urgency":"unimportant"}}},
   "TEMP-0841856-B18BAF":{"releases":{"bookworm":{"status":"undetermined","urgency":"not yet assigned"}}},
   "CVE-2020-1":{"releases":{"bookworm":{"status":"open","nodsa":"Minor issue","nodsa_reason":"postponed"}}},
   "CVE-2020-2":{"releases":{"bookworm":{"status":"resolved","fixed_version":"0"}}}}}`

func TestDebianTrackerTellsWhatIsNotFixedAndWhy(t *testing.T) {
	var records []osv.Record
	if err := DebianTracker(strings.NewReader(debian), func(r osv.Record) error { records = append(records, r); return nil }); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"DEBIAN-CVE-2023-45853 Debian:12 zlib < wont-fix",
		"DEBIAN-CVE-2023-45853 Debian:11 zlib <1:1.2.11.dfsg-2+deb11u3",
		"DEBIAN-CVE-2020-1 Debian:12 bash < postponed",
		"DEBIAN-CVE-2022-3715 Debian:12 bash <",
		"DEBIAN-TEMP-0841856-B18BAF Debian:12 bash < under-investigation",
	}
	if diff := cmp.Diff(want, lines(records)); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if got := records[0].Affected[0].Ecosystem.Note; got != "contrib/minizip not built" {
		t.Errorf("note %q", got)
	}
	if got := records[2].Affected[0].Ecosystem.Urgency; got != "unimportant" {
		t.Errorf("urgency %q", got)
	}
	stop := errors.New("stop")
	if err := DebianTracker(strings.NewReader(debian), func(osv.Record) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("the receiver's error: %v", err)
	}
}

const vex = `{"document":{"category":"csaf_vex","title":"ruby: a flaw","aggregate_severity":{"text":"Moderate"},
   "publisher":{"namespace":"https://www.redhat.com"},"tracking":{"id":"CVE-2024-1","initial_release_date":"2024-01-01T00:00:00Z","current_release_date":"2024-05-01T00:00:00Z"}},
 "product_tree":{"branches":[{"category":"vendor","branches":[
    {"product":{"product_id":"rhel8","product_identification_helper":{"cpe":"cpe:/o:redhat:enterprise_linux:8"}}},
    {"product":{"product_id":"rhel9","product_identification_helper":{"cpe":"cpe:/a:redhat:enterprise_linux:9::appstream"}}},
    {"product":{"product_id":"ose","product_identification_helper":{"cpe":"cpe:/a:redhat:openshift:4"}}}]}],
  "relationships":[
    {"full_product_name":{"product_id":"rhel8:ruby:3.1/ruby"},"product_reference":"ruby:3.1/ruby","relates_to_product_reference":"rhel8"},
    {"full_product_name":{"product_id":"rhel9:ruby"},"product_reference":"ruby","relates_to_product_reference":"rhel9"},
    {"full_product_name":{"product_id":"rhel9:rubygem-x"},"product_reference":"rubygem-x","relates_to_product_reference":"rhel9"},
    {"full_product_name":{"product_id":"rhel9:rubygem-y"},"product_reference":"rubygem-y","relates_to_product_reference":"rhel9"},
    {"full_product_name":{"product_id":"ose:ruby"},"product_reference":"ruby","relates_to_product_reference":"ose"}]},
 "vulnerabilities":[{"cve":"CVE-2024-1","product_status":{"known_affected":["rhel8:ruby:3.1/ruby","rhel9:ruby","rhel9:rubygem-x","ose:ruby","unheard-of"],"under_investigation":["rhel9:rubygem-y"],"known_not_affected":["rhel9:other"]},
   "remediations":[{"category":"no_fix_planned","details":"Will not fix","product_ids":["rhel9:ruby"]},{"category":"workaround","details":"Do not","product_ids":["rhel8:ruby:3.1/ruby"]}],
   "scores":[{"cvss_v3":{"vectorString":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}],"threats":[{"category":"impact","details":"Low"}]}]}`

func TestCSAFTellsWhatRedHatHasNotFixed(t *testing.T) {
	records, err := CSAF([]byte(vex))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"REDHAT-CVE-2024-1 Red Hat:enterprise_linux:8 ruby@ruby:3.1 < Affected",
		"REDHAT-CVE-2024-1 Red Hat:enterprise_linux:9::appstream ruby < Will not fix",
		"REDHAT-CVE-2024-1 Red Hat:enterprise_linux:9::appstream rubygem-x < Affected",
		"REDHAT-CVE-2024-1 Red Hat:enterprise_linux:9::appstream rubygem-y < Under investigation",
	}
	if diff := cmp.Diff(want, lines(records)); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if r := records[0]; r.Specific.Severity != "Low" || len(r.Severity) != 1 || r.Modified.Month() != 5 {
		t.Errorf("record %+v", r)
	}
}

const suse = `{"document":{"category":"csaf_vex","title":"CVE-2023-0464","aggregate_severity":{"text":"important"},
   "publisher":{"namespace":"https://www.suse.com/","name":"SUSE Product Security Team"},"tracking":{"initial_release_date":"2023-03-22T00:00:00Z","current_release_date":"2024-05-01T00:00:00Z"}},
 "product_tree":{"branches":[{"category":"vendor","name":"SUSE","branches":[
    {"category":"product_name","product":{"product_id":"SUSE Linux Enterprise Server 15 SP5","product_identification_helper":{"cpe":"cpe:/o:suse:sles:15:sp5"}}},
    {"category":"product_name","product":{"product_id":"SUSE Linux Enterprise Module for Basesystem 15 SP5","product_identification_helper":{"cpe":"cpe:/o:suse:sle-module-basesystem:15:sp5"}}},
    {"category":"product_name","product":{"product_id":"openSUSE Leap 15.5","product_identification_helper":{"cpe":"cpe:/o:opensuse:leap:15.5"}}},
    {"category":"product_name","product":{"product_id":"SUSE Manager Server 4.3","product_identification_helper":{"cpe":"cpe:/o:suse:suse-manager-server:4.3"}}},
    {"category":"product_version","product":{"product_id":"libopenssl1_1-1.1.1l-150500.17.3.1"}},
    {"category":"product_version","product":{"product_id":"openssl-1_0_0"}}]}],
  "relationships":[
    {"full_product_name":{"product_id":"SUSE Linux Enterprise Module for Basesystem 15 SP5:libopenssl1_1-1.1.1l-150500.17.3.1"},"product_reference":"libopenssl1_1-1.1.1l-150500.17.3.1","relates_to_product_reference":"SUSE Linux Enterprise Module for Basesystem 15 SP5"},
    {"full_product_name":{"product_id":"openSUSE Leap 15.5:libopenssl1_1-1.1.1l-150500.17.3.1"},"product_reference":"libopenssl1_1-1.1.1l-150500.17.3.1","relates_to_product_reference":"openSUSE Leap 15.5"},
    {"full_product_name":{"product_id":"SUSE Linux Enterprise Server 15 SP5:openssl-1_0_0"},"product_reference":"openssl-1_0_0","relates_to_product_reference":"SUSE Linux Enterprise Server 15 SP5"},
    {"full_product_name":{"product_id":"SUSE Manager Server 4.3:openssl-1_0_0"},"product_reference":"openssl-1_0_0","relates_to_product_reference":"SUSE Manager Server 4.3"}]},
 "vulnerabilities":[{"cve":"CVE-2023-0464","product_status":{
   "recommended":["SUSE Linux Enterprise Module for Basesystem 15 SP5:libopenssl1_1-1.1.1l-150500.17.3.1","openSUSE Leap 15.5:libopenssl1_1-1.1.1l-150500.17.3.1"],
   "known_affected":["SUSE Linux Enterprise Server 15 SP5:openssl-1_0_0","SUSE Manager Server 4.3:openssl-1_0_0"],"known_not_affected":["SUSE Linux Enterprise Server 15 SP5:other"]},
   "scores":[{"cvss_v3":{"vectorString":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}}]}]}`

func TestCSAFTellsWhatSUSEHasFixedAndWhatNot(t *testing.T) {
	records, err := CSAF([]byte(suse))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"SUSE-CVE-2023-0464 SUSE:Linux Enterprise Module for Basesystem 15 SP5 libopenssl1_1 <1.1.1l-150500.17.3.1",
		"SUSE-CVE-2023-0464 openSUSE:Leap 15.5 libopenssl1_1 <1.1.1l-150500.17.3.1",
		"SUSE-CVE-2023-0464 SUSE:Linux Enterprise Server 15 SP5 openssl-1_0_0 < Affected",
	}
	if diff := cmp.Diff(want, lines(records)); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if r := records[0]; r.Specific.Severity != "important" || len(r.Severity) != 1 || r.Upstream[0] != "CVE-2023-0464" {
		t.Errorf("record %+v", r)
	}
}

const photon = `[{"cve_id":"CVE-2020-11979","pkg":"apache-ant","cve_score":7.5,"aff_ver":"all versions before 1.10.8-2.ph5 are vulnerable","res_ver":"1.10.8-2.ph5"},
 {"cve_id":"CVE-2021-1","pkg":"linux","cve_score":0,"aff_ver":"all versions are vulnerable","res_ver":"NA"},
 {"cve_id":"CVE-2021-1","pkg":"linux-rt","cve_score":9.8,"aff_ver":"all versions before 6.1-1.ph5 are vulnerable","res_ver":"6.1-1.ph5","status":"Fixed"},
 {"cve_id":"CVE-2021-2","pkg":"httpd","aff_ver":"NA","res_ver":"NA","status":"Not Affected"},
 {"cve_id":"BDSA-2021-3","pkg":"httpd","aff_ver":"all versions before 2-1.ph5 are vulnerable","res_ver":"2-1.ph5"}]`

func TestPhotonListsOneReleaseAFile(t *testing.T) {
	records, err := Photon([]byte(photon), "5.0")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"PHOTON-BDSA-2021-3 Photon OS:5.0 httpd <2-1.ph5", "PHOTON-CVE-2020-11979 Photon OS:5.0 apache-ant <1.10.8-2.ph5",
		"PHOTON-CVE-2021-1 Photon OS:5.0 linux <", "PHOTON-CVE-2021-1 Photon OS:5.0 linux-rt <6.1-1.ph5",
	}
	if diff := cmp.Diff(want, lines(records)); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if s := records[1].Affected[0].Severity; len(s) != 1 || s[0].Score != "high" {
		t.Errorf("severity %+v", s)
	}
}

const oval = `<?xml version="1.0" encoding="UTF-8"?>
<oval_definitions xmlns="http://oval.mitre.org/XMLSchema/oval-definitions-5"><generator><x/></generator><definitions>
 <definition id="oval:com.oracle.elsa:def:20190975" class="patch"><metadata><title>ELSA-2019-0975:  container-tools:rhel8 security update (IMPORTANT)</title>
   <reference source="elsa" ref_id="ELSA-2019-0975" ref_url="https://linux.oracle.com/errata/ELSA-2019-0975.html"/><reference source="CVE" ref_id="CVE-2019-5736"/>
   <advisory><severity>IMPORTANT</severity><issued date="2019-07-30"/><cve href="https://linux.oracle.com/cve/CVE-2019-5736.html">CVE-2019-5736</cve></advisory></metadata>
  <criteria operator="AND"><criterion test_ref="1" comment="Oracle Linux 8 is installed"/>
   <criteria operator="OR"><criteria operator="AND"><criterion test_ref="2" comment="Oracle Linux arch is x86_64"/>
     <criteria operator="OR"><criteria operator="AND"><criterion test_ref="3" comment="Module container-tools:ol8 is enabled"/>
       <criterion test_ref="4" comment="buildah is earlier than 0:1.5-3.module+el8.0.0+5215+77f672ad"/><criterion test_ref="5" comment="buildah is signed with the Oracle Linux 8 key"/></criteria></criteria></criteria>
    <criteria operator="AND"><criterion test_ref="6" comment="Oracle Linux arch is aarch64"/><criteria operator="AND"><criterion test_ref="3" comment="Module container-tools:ol8 is enabled"/>
       <criterion test_ref="4" comment="buildah is earlier than 0:1.5-3.module+el8.0.0+5215+77f672ad"/></criteria></criteria></criteria></criteria></definition>
 <definition id="oval:com.oracle.elsa:def:2026500006" class="patch"><metadata><title>ELSA-2026-500006: glibc security update</title>
   <advisory><severity>MODERATE</severity><cve>CVE-2026-4437</cve></advisory></metadata>
  <criteria operator="AND"><criterion comment="glibc is earlier than 2:2.39-121.0.1.ksplice1.el10_2"/><criterion comment="glibc is ksplice-based"/><criterion comment="glibc is earlier than 0:2.39-121.el10_2"/></criteria></definition>
 <definition class="inventory"><metadata><title>Oracle Linux 8</title></metadata></definition>
</definitions><tests><rpminfo_test/></tests></oval_definitions>`

func TestOracleOVALIsReadFromTheCommentsOfItsCriteria(t *testing.T) {
	var records []osv.Record
	if err := OracleOVAL(strings.NewReader(oval), func(r osv.Record) error { records = append(records, r); return nil }); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"ELSA-2019-0975 Oracle Linux:8 buildah@container-tools:ol8 <1.5-3.module+el8.0.0+5215+77f672ad",
		"ELSA-2026-500006 Oracle Linux:10 glibc <2.39-121.el10_2",
	}
	if diff := cmp.Diff(want, lines(records)); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if r := records[0]; r.Specific.Severity != "IMPORTANT" || len(r.Upstream) != 1 || r.Published.Year() != 2019 || !strings.HasPrefix(string(r.Summary), "container-tools") {
		t.Errorf("record %+v", r)
	}
}

const ubuntu = `{"metadata":{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://github.com/canonical/ubuntu-security-notices/blob/main/vex/cve/2025/CVE-2025-5994","author":"Canonical Ltd."},
 "statements":[
  {"vulnerability":{"name":"CVE-2025-5994","description":"A cache poisoning flaw."},"status":"fixed","status_notes":"An update has been published. Ubuntu considers this CVE as of Medium priority.","products":[
   {"@id":"pkg:deb/ubuntu/unbound@1.19.2-1ubuntu3.5?arch=source&distro=noble"},{"@id":"pkg:deb/ubuntu/libunbound8@1.19.2-1ubuntu3.5?arch=amd64&distro=noble"},
   {"@id":"pkg:deb/ubuntu/unbound@1.5.8-1ubuntu1.1%2Besm3?arch=source&distro=esm-infra/xenial"}]},
  {"vulnerability":{"name":"CVE-2025-5994"},"status":"affected","action_statement":"The package is vulnerable and needs fixing.","products":[{"@id":"pkg:deb/ubuntu/unbound@1.13.1-1ubuntu5.10?arch=source&distro=jammy"}]},
  {"vulnerability":{"name":"CVE-2025-5994"},"status":"affected","action_statement":"The problem is understood, but the team decided to not fix it.","products":[{"@id":"pkg:deb/ubuntu/dnsdist@1.6-1?arch=source&distro=jammy"}]},
  {"vulnerability":{"name":"CVE-2025-5994"},"status":"under_investigation","status_notes":"The vulnerability is known but remediation is deferred.","products":[{"@id":"pkg:deb/ubuntu/pdns@4-1?arch=source&distro=focal"}]},
  {"vulnerability":{"name":"CVE-2025-5994"},"status":"under_investigation","status_notes":"Vulnerability assessment is pending.","products":[{"@id":"pkg:deb/ubuntu/bind9@9-1?arch=source&distro=zesty"}]},
  {"vulnerability":{"name":"CVE-2025-5994"},"status":"not_affected","justification":"vulnerable_code_not_present","products":[{"@id":"pkg:deb/ubuntu/unbound?arch=source"}]}]}`

func TestUbuntuVEXTellsWhatIsNotFixedAndWhy(t *testing.T) {
	records, err := UbuntuVEX([]byte(ubuntu))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"UBUNTU-CVE-2025-5994 Ubuntu:24.04 unbound <1.19.2-1ubuntu3.5", "UBUNTU-CVE-2025-5994 Ubuntu:Pro:16.04 unbound <1.5.8-1ubuntu1.1+esm3",
		"UBUNTU-CVE-2025-5994 Ubuntu:22.04 unbound <", "UBUNTU-CVE-2025-5994 Ubuntu:22.04 dnsdist <",
		"UBUNTU-CVE-2025-5994 Ubuntu:20.04 pdns <", "UBUNTU-CVE-2025-5994 Ubuntu:zesty bind9 <",
	}
	if diff := cmp.Diff(want, lines(records)); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	var words []string
	for _, a := range records[0].Affected {
		words = append(words, string(a.Ecosystem.Status))
	}
	if got := strings.Join(words, " "); got != "released released needed ignored deferred needs-triage" {
		t.Errorf("statuses %q", got)
	}
	if s := records[0].Severity; len(s) != 1 || s[0] != (osv.Severity{Type: "Ubuntu", Score: "medium"}) {
		t.Errorf("severity %+v", s)
	}
}

func TestFeedsThatAreBrokenAreRefused(t *testing.T) {
	deep := `{"document":{"publisher":{"namespace":"https://www.redhat.com"}},"product_tree":{"branches":[` +
		strings.Repeat(`{"branches":[`, 40) + strings.Repeat(`]}`, 40) + `]},"vulnerabilities":[]}`
	tests := map[string]error{}
	_, tests["secdb of nobody"] = SecDB([]byte(`{"reponame":"x","urlprefix":"https://example.org","packages":[]}`))
	_, tests["secdb cut off"] = SecDB([]byte(alpine[:200]))
	_, tests["secdb with a bad id"] = SecDB([]byte(strings.Replace(alpine, "XSA-268", "<b>", 1)))
	_, tests["CSAF of another publisher"] = CSAF([]byte(strings.Replace(vex, "redhat.com", "example.org", 1)))
	_, tests["CSAF cut off"] = CSAF([]byte(vex[:300]))
	_, tests["CSAF nested too deep"] = CSAF([]byte(deep))
	tests["tracker cut off"] = DebianTracker(strings.NewReader(debian[:len(debian)-2]), func(osv.Record) error { return nil })
	tests["tracker that is a list"] = DebianTracker(strings.NewReader("[]"), func(osv.Record) error { return nil })
	tests["tracker of texts"] = DebianTracker(strings.NewReader(`{"a":"b"}`), func(osv.Record) error { return nil })
	none := func(osv.Record) error { return nil }
	tests["updateinfo cut off"] = UpdateInfo(strings.NewReader(updates[:500]), none)
	tests["updateinfo of nobody"] = UpdateInfo(strings.NewReader(strings.ReplaceAll(updates, "ELSA-", "XXSA-")), none)
	tests["updateinfo without a tag"] = UpdateInfo(strings.NewReader(strings.ReplaceAll(updates, ".el8_8", "")), none)
	tests["updateinfo that is another file"] = UpdateInfo(strings.NewReader("<html></html>"), none)
	_, tests["Arch with other groups"] = Arch([]byte(`[{"name":"X-1"}]`))
	_, tests["Photon cut off"] = Photon([]byte(photon[:90]), "5.0")
	_, tests["Photon without a package"] = Photon([]byte(`[{"cve_id":"CVE-1"}]`), "5.0")
	tests["OVAL cut off"] = OracleOVAL(strings.NewReader(oval[:900]), none)
	tests["OVAL that is another file"] = OracleOVAL(strings.NewReader("<html><p>x</p></html>"), none)
	tests["OVAL of nobody"] = OracleOVAL(strings.NewReader(strings.ReplaceAll(oval, "ELSA-", "XXSA-")), none)
	tests["OVAL without a release"] = OracleOVAL(strings.NewReader(strings.ReplaceAll(oval, "el10_2", "")), none)
	_, tests["VEX of another author"] = UbuntuVEX([]byte(strings.Replace(ubuntu, "Canonical", "Somebody", 1)))
	_, tests["VEX cut off"] = UbuntuVEX([]byte(ubuntu[:400]))
	_, tests["VEX of no release"] = UbuntuVEX([]byte(strings.Replace(ubuntu, "&distro=noble", "", 1)))
	_, tests["VEX with another status"] = UbuntuVEX([]byte(strings.Replace(ubuntu, `"fixed"`, `"mended"`, 1)))
	_, tests["VEX with a bad package"] = UbuntuVEX([]byte(strings.Replace(ubuntu, "pkg:deb/ubuntu/pdns", "pdns", 1)))
	_, tests["Arch cut off"] = Arch([]byte(arch[:50]))
	for why, err := range tests {
		if !errors.Is(err, osv.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", why, err)
		}
	}
}

func TestDocumentsAreToldApartByTheirKeys(t *testing.T) {
	for name, tt := range map[string]struct {
		doc                  string
		secdb, csaf, openvex bool
	}{
		"secdb": {alpine, true, false, false}, "vex": {vex, false, true, false}, "suse": {suse, false, true, false}, "ubuntu": {ubuntu, false, false, true},
		"osv": {`{"id":"X-1","affected":[]}`, false, false, false}, "other": {`{"packages":[]}`, false, false, false},
		"openvex": {`{"@context":"https://openvex.dev/ns/v0.2.0","statements":[]}`, false, false, true},
	} {
		var keys map[string]json.RawMessage
		if err := json.Unmarshal([]byte(tt.doc), &keys); err != nil {
			t.Fatal(err)
		}
		if IsSecDB(keys) != tt.secdb || IsCSAF(keys) != tt.csaf || IsOpenVEX(keys) != tt.openvex {
			t.Errorf("%s: secdb %v, CSAF %v, OpenVEX %v", name, IsSecDB(keys), IsCSAF(keys), IsOpenVEX(keys))
		}
	}
}

const updates = `<?xml version="1.0" encoding="UTF-8"?>
<updates>
 <update author="linux-security@amazon.com" from="x" status="final" type="security" version="1.4">
  <id>ALAS2023-2023-001</id><title>Amazon Linux 2023 - ALAS2023-2023-001: important priority package update for openssl</title>
  <issued date="2023-03-01 12:00"/><updated date="2023-03-02 12:00"/><severity>important</severity>
  <references><reference href="https://x" id="CVE-2023-0286" type="cve"/><reference href="https://y" id="RHBUG-1" type="bugzilla"/></references>
  <pkglist><collection short="al2023"><name>Amazon Linux 2023</name>
   <package name="openssl" version="3.0.8" release="1.amzn2023.0.1" epoch="1" arch="x86_64" src="s"><filename>f</filename></package>
   <package name="openssl" version="3.0.8" release="1.amzn2023.0.1" epoch="1" arch="aarch64"/>
   <package name="openssl" version="3.0.8" release="1.amzn2023.0.1" epoch="1" arch="src"/>
   <package name="openssl-libs" version="3.0.8" release="1.amzn2023.0.1" epoch="0" arch="x86_64"/></collection></pkglist>
 </update>
 <update type="bugfix"><id>ALAS2023-2023-002</id></update>
 <update type="security"><id>ELSA-2023-1</id><pkglist><collection><package name="curl" version="7.61.1" release="30.el8_8.3" epoch="0" arch="x86_64"/></collection></pkglist></update>
 <update type="security"><id>FEDORA-2023-1</id><pkglist><collection><package name="vim" version="9.0" release="1.fc38" epoch="2" arch="x86_64"/></collection></pkglist></update>
</updates>`

func TestUpdateInfoTellsTheDistributionByIdAndTag(t *testing.T) {
	var records []osv.Record
	if err := UpdateInfo(strings.NewReader(updates), func(r osv.Record) error { records = append(records, r); return nil }); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"ALAS2023-2023-001 Amazon Linux:2023 openssl <1:3.0.8-1.amzn2023.0.1",
		"ALAS2023-2023-001 Amazon Linux:2023 openssl-libs <3.0.8-1.amzn2023.0.1",
		"ELSA-2023-1 Oracle Linux:8 curl <7.61.1-30.el8_8.3",
		"FEDORA-2023-1 Fedora:38 vim <2:9.0-1.fc38",
	}
	if diff := cmp.Diff(want, lines(records)); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if r := records[0]; len(r.Upstream) != 1 || r.Upstream[0] != "CVE-2023-0286" || r.Specific.Severity != "important" || r.Modified.Day() != 2 {
		t.Errorf("record %+v", r)
	}
}

const arch = `[{"name":"AVG-2843","packages":["vivaldi"],"status":"Vulnerable","severity":"High","type":"multiple issues","affected":"6.2-1","fixed":null,"issues":["CVE-2023-1"],"advisories":[]},
 {"name":"AVG-1","packages":["curl","lib32-curl"],"status":"Fixed","severity":"Low","type":"information disclosure","affected":"7.1-1","fixed":"7.2-1","issues":["CVE-2022-1","CVE-2022-2"]},
 {"name":"AVG-2","packages":["x"],"status":"Not affected","issues":["CVE-2022-3"]},
 {"name":"AVG-3","packages":["y"],"status":"Unknown","issues":["CVE-2022-4"]}]`

func TestArchListsGroups(t *testing.T) {
	records, err := Arch([]byte(arch))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"AVG-2843 Arch vivaldi <", "AVG-1 Arch curl <7.2-1", "AVG-1 Arch lib32-curl <7.2-1", "AVG-3 Arch y < under-investigation"}
	if diff := cmp.Diff(want, lines(records)); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

// FuzzFeeds checks that every reader either refuses its input with ErrInvalid
// or gives records that pass the checks of OSV.
func FuzzFeeds(f *testing.F) {
	for _, seed := range []string{alpine, debian, vex, updates, arch, suse, photon, oval, ubuntu} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		secdb, errA := SecDB(data)
		csaf, errB := CSAF(data)
		var tracker []osv.Record
		errC := DebianTracker(strings.NewReader(string(data)), func(r osv.Record) error { tracker = append(tracker, r); return nil })
		errD := UpdateInfo(strings.NewReader(string(data)), func(r osv.Record) error { tracker = append(tracker, r); return nil })
		groups, errE := Arch(data)
		flaws, errF := Photon(data, "5.0")
		openVEX, errG := UbuntuVEX(data)
		errH := OracleOVAL(strings.NewReader(string(data)), func(r osv.Record) error { tracker = append(tracker, r); return nil })
		for _, err := range []error{errA, errB, errC, errD, errE, errF, errG, errH} {
			if err != nil && !errors.Is(err, osv.ErrInvalid) {
				t.Fatalf("error %v does not wrap ErrInvalid", err)
			}
		}
		for _, list := range [][]osv.Record{secdb, csaf, tracker, groups, flaws, openVEX} {
			for _, r := range list {
				if _, err := osv.Check(r); err != nil {
					t.Errorf("record %s: %v", r.ID, err)
				}
			}
		}
	})
}
