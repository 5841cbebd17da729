package ecosystem

import "time"

// EndOfLife returns the day on which, by the table of the program, the
// release's last security support that is free for everyone ended or will end,
// and whether it is known.
func (p Place) EndOfLife() (time.Time, bool) {
	day, ok := endOfLife[p.SupportName()]
	if !ok {
		return time.Time{}, false
	}
	end, err := time.Parse(time.DateOnly, day)
	return end, err == nil
}

// SupportName names the release whose support dates hold: its OSVName, but for
// products that use the advisories of another one (CentOS Linux).
func (p Place) SupportName() string {
	if p.support != "" {
		return p.support
	}
	return p.OSVName()
}

// endOfLife holds the last day of security support without a contract,
// including long term support by volunteers (Debian LTS). As of 2026-08.
//
// Sources: Debian and Ubuntu by the package distro-info-data of Debian (column
// eol-lts of Debian, eol of Ubuntu); Alpine, AlmaLinux, Rocky Linux, Fedora,
// openSUSE, SUSE and Azure Linux by https://endoflife.date, which names their
// own pages; Red Hat and CentOS by
// https://access.redhat.com/support/policy/updates/errata; Amazon Linux by
// https://aws.amazon.com/linux/amazon-linux-2023/faqs/ and
// https://aws.amazon.com/amazon-linux-2/faqs/; Oracle Linux, of which only the
// months are published, by
// https://www.oracle.com/a/ocom/docs/elsp-lifetime-069338.pdf.
var endOfLife = map[string]string{
	"Debian:6": "2016-02-29", "Debian:7": "2018-05-31", "Debian:8": "2020-06-30", "Debian:9": "2022-06-30",
	"Debian:10": "2024-06-30", "Debian:11": "2026-08-31", "Debian:12": "2028-06-30", "Debian:13": "2030-06-30",

	"Ubuntu:14.04": "2019-04-25", "Ubuntu:16.04": "2021-04-30", "Ubuntu:18.04": "2023-05-31", "Ubuntu:20.04": "2025-05-29",
	"Ubuntu:22.04": "2027-06-01", "Ubuntu:24.04": "2029-05-31", "Ubuntu:26.04": "2031-05-29",
	"Ubuntu:14.10": "2015-07-23", "Ubuntu:15.04": "2016-02-04", "Ubuntu:15.10": "2016-07-28", "Ubuntu:16.10": "2017-07-20",
	"Ubuntu:17.04": "2018-01-13", "Ubuntu:17.10": "2018-07-19", "Ubuntu:18.10": "2019-07-18", "Ubuntu:19.04": "2020-01-23",
	"Ubuntu:19.10": "2020-07-17", "Ubuntu:20.10": "2021-07-22", "Ubuntu:21.04": "2022-01-20", "Ubuntu:21.10": "2022-07-14",
	"Ubuntu:22.10": "2023-07-20", "Ubuntu:23.04": "2024-01-25", "Ubuntu:23.10": "2024-07-11", "Ubuntu:24.10": "2025-07-10",
	"Ubuntu:25.04": "2026-01-15", "Ubuntu:25.10": "2026-07-09", "Ubuntu:26.10": "2027-07-15",

	"Alpine:v3.0": "2016-05-01", "Alpine:v3.1": "2016-11-01", "Alpine:v3.2": "2017-05-01",
	"Alpine:v3.3": "2017-11-01", "Alpine:v3.4": "2018-05-01", "Alpine:v3.5": "2018-11-01",
	"Alpine:v3.6": "2019-05-01", "Alpine:v3.7": "2019-11-01", "Alpine:v3.8": "2020-05-01",
	"Alpine:v3.9": "2020-11-01", "Alpine:v3.10": "2021-05-01", "Alpine:v3.11": "2021-11-01",
	"Alpine:v3.12": "2022-05-01", "Alpine:v3.13": "2022-11-01", "Alpine:v3.14": "2023-05-01",
	"Alpine:v3.15": "2023-11-01", "Alpine:v3.16": "2024-05-23", "Alpine:v3.17": "2024-11-22",
	"Alpine:v3.18": "2025-05-09", "Alpine:v3.19": "2025-11-01", "Alpine:v3.20": "2026-04-01",
	"Alpine:v3.21": "2026-11-01", "Alpine:v3.22": "2027-05-01", "Alpine:v3.23": "2027-11-01",

	"Red Hat:5": "2017-03-31", "Red Hat:6": "2020-11-30", "Red Hat:7": "2024-06-30",
	"Red Hat:8": "2029-05-31", "Red Hat:9": "2032-05-31", "Red Hat:10": "2035-05-31",
	"CentOS:5": "2017-03-31", "CentOS:6": "2020-11-30", "CentOS:7": "2024-06-30", "CentOS:8": "2021-12-31",
	"AlmaLinux:8": "2029-03-01", "AlmaLinux:9": "2032-05-31", "AlmaLinux:10": "2035-05-31",
	"Rocky Linux:8": "2029-05-31", "Rocky Linux:9": "2032-05-31", "Rocky Linux:10": "2035-05-31",
	"Oracle Linux:6": "2021-03-31", "Oracle Linux:7": "2024-12-31", "Oracle Linux:8": "2029-07-31",
	"Oracle Linux:9": "2032-06-30", "Oracle Linux:10": "2035-06-30",

	"Amazon Linux:2018.03": "2023-12-31", "Amazon Linux:2": "2026-06-30", "Amazon Linux:2023": "2029-06-30",
	"Fedora:34": "2022-06-07", "Fedora:35": "2022-12-13", "Fedora:36": "2023-05-16", "Fedora:37": "2023-12-05", "Fedora:38": "2024-05-21",
	"Fedora:39": "2024-11-26", "Fedora:40": "2025-05-13", "Fedora:41": "2025-12-15", "Fedora:42": "2026-05-13", "Fedora:43": "2026-12-09",
	"openSUSE:Leap 42.3": "2019-07-01", "openSUSE:Leap 15.0": "2019-12-03", "openSUSE:Leap 15.1": "2021-02-02", "openSUSE:Leap 15.2": "2022-01-04",
	"openSUSE:Leap 15.3": "2022-12-31", "openSUSE:Leap 15.4": "2023-12-07", "openSUSE:Leap 15.5": "2024-12-31",
	"openSUSE:Leap 15.6": "2026-04-30", "openSUSE:Leap 16.0": "2027-10-31",
	"SUSE:12": "2016-06-30", "SUSE:12 SP1": "2017-05-31", "SUSE:12 SP2": "2018-03-31", "SUSE:12 SP3": "2019-06-30",
	"SUSE:12 SP4": "2020-06-30", "SUSE:12 SP5": "2024-10-31", "SUSE:15": "2019-12-31", "SUSE:15 SP1": "2021-01-31",
	"SUSE:15 SP2": "2021-12-31", "SUSE:15 SP3": "2022-12-31", "SUSE:15 SP4": "2023-12-31", "SUSE:15 SP5": "2024-12-31",
	"SUSE:15 SP6": "2025-12-31", "SUSE:15 SP7": "2031-07-31",
	"Azure Linux:1": "2023-08-31", "Azure Linux:2": "2025-07-31", "Azure Linux:3": "2027-08-31",
	"Photon OS:1.0": "2022-02-28", "Photon OS:2.0": "2022-12-31", "Photon OS:3.0": "2024-03-01",
}
