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
	_, tests["Arch cut off"] = Arch([]byte(arch[:50]))
	for why, err := range tests {
		if !errors.Is(err, osv.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", why, err)
		}
	}
}

func TestDocumentsAreToldApartByTheirKeys(t *testing.T) {
	for name, tt := range map[string]struct {
		doc         string
		secdb, csaf bool
	}{
		"secdb": {alpine, true, false}, "vex": {vex, false, true},
		"osv": {`{"id":"X-1","affected":[]}`, false, false}, "other": {`{"packages":[]}`, false, false},
	} {
		var keys map[string]json.RawMessage
		if err := json.Unmarshal([]byte(tt.doc), &keys); err != nil {
			t.Fatal(err)
		}
		if IsSecDB(keys) != tt.secdb || IsCSAF(keys) != tt.csaf {
			t.Errorf("%s: secdb %v, CSAF %v", name, IsSecDB(keys), IsCSAF(keys))
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
	for _, seed := range []string{alpine, debian, vex, updates, arch} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		secdb, errA := SecDB(data)
		csaf, errB := CSAF(data)
		var tracker []osv.Record
		errC := DebianTracker(strings.NewReader(string(data)), func(r osv.Record) error { tracker = append(tracker, r); return nil })
		errD := UpdateInfo(strings.NewReader(string(data)), func(r osv.Record) error { tracker = append(tracker, r); return nil })
		groups, errE := Arch(data)
		for _, err := range []error{errA, errB, errC, errD, errE} {
			if err != nil && !errors.Is(err, osv.ErrInvalid) {
				t.Fatalf("error %v does not wrap ErrInvalid", err)
			}
		}
		for _, list := range [][]osv.Record{secdb, csaf, tracker, groups} {
			for _, r := range list {
				if _, err := osv.Check(r); err != nil {
					t.Errorf("record %s: %v", r.ID, err)
				}
			}
		}
	})
}
