package reporttest

import (
	"slices"
	"time"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

func repo(path string, line, column, endColumn int) finding.Location {
	return finding.Location{Space: finding.Repository, Path: path, Line: line, Column: column, EndLine: line, EndColumn: endColumn}
}

func inImage(path, layer string) finding.Location {
	return finding.Location{Space: finding.InImage, Path: path, Layer: layer}
}

func deb(name, version, source string) *finding.Package {
	return &finding.Package{Name: name, Version: version, Type: "deb", PURL: "pkg:deb/debian/" + name + "@" + version + "?distro=debian-12", Source: source}
}

func npm(name, version string) *finding.Package {
	return &finding.Package{Name: name, Version: version, Type: "npm", PURL: "pkg:npm/" + name + "@" + version}
}

func fixedIn(version string) finding.Fix {
	return finding.Fix{State: finding.Fixed, Version: version, Text: "Upgrade to " + version + "."}
}

func vulnerability(id string, severity finding.Severity, score float64, p *finding.Package, fix finding.Fix, at ...finding.Location) finding.Finding {
	return finding.Finding{
		RuleID: id, Kind: finding.Vulnerability, Severity: severity, SeveritySource: "NVD", Score: score,
		Title:   "A flaw in " + p.Name,
		Message: p.Name + " " + p.Version + " is affected by " + id + ".",
		Target:  imageName, Package: p, Locations: at, Fix: fix,
		References:  []string{"https://nvd.nist.gov/vuln/detail/" + id},
		Fingerprint: finding.Fingerprint(finding.Vulnerability, id, imageName, p.Type, p.Name),
		Status:      finding.Open,
	}
}

func findings() []finding.Finding {
	all := slices.Concat(vulnerabilities(), triaged(), lint(), []finding.Finding{hostile()})
	finding.Sort(all)
	return all
}

func vulnerabilities() []finding.Finding {
	from := repo("Dockerfile", 1, 1, 31)
	apt := repo("Dockerfile", 4, 1, 56)
	ssl := fixedIn("3.0.15-1~deb12u1")
	openssl := vulnerability("CVE-2024-5535", finding.Critical, 9.1, deb("openssl", "3.0.11-1~deb12u2", ""), ssl, apt, inImage("/var/lib/dpkg/status", layerApt))
	openssl.Aliases = []string{"DSA-5764-1", "GHSA-4fc7-mvrr-wv2c"}
	openssl.Vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:H"
	openssl.Risk = &finding.Risk{EPSS: 0.42, Percentile: 0.97, KnownExploited: start.AddDate(-1, 0, 0), Ransomware: true}
	openssl.Origin = finding.FromBuild
	openssl.Evidence = []finding.Fact{{Name: "CWE", Value: "CWE-200, CWE-126"}, {Name: "EPSS", Value: "0.42"}}
	libssl := vulnerability("CVE-2024-5535", finding.Critical, 9.1, deb("libssl3", "3.0.11-1~deb12u2", "openssl"), ssl, apt, inImage("/var/lib/dpkg/status", layerApt))
	libssl.Aliases = openssl.Aliases
	libssl.Risk = openssl.Risk
	zlib := vulnerability("CVE-2023-45853", finding.Critical, 9.8, deb("zlib1g", "1:1.2.13.dfsg-1", "zlib"), finding.Fix{State: finding.WontFix, Text: "Debian will not fix it; the affected code is not built."}, from)
	zlib.Origin = finding.FromBaseImage
	zlib.Baseline = finding.Comparison{State: finding.BaselineNew, Cause: finding.DataLearned, Reason: "the advisory is newer than the baseline"}
	tar := vulnerability("CVE-2005-2541", finding.Info, 0, deb("tar", "1.34+dfsg-1.2", ""), finding.Fix{State: finding.NotFixed}, from)
	tar.SeveritySource = "Debian: unimportant"
	qs := vulnerability("CVE-2022-24999", finding.High, 7.5, npm("qs", "6.5.2"), fixedIn("6.5.3"), repo("package-lock.json", 6, 5, 26), inImage("/app/node_modules/qs/package.json", layerApp))
	lodash := vulnerability("GHSA-35jh-r3h4-6jhm", finding.High, 7.2, npm("lodash", "4.17.20"), fixedIn("4.17.21"), inImage("/app/node_modules/lodash/package.json", layerApp))
	unknown := vulnerability("GO-2024-2687", finding.Unknown, 0, &finding.Package{Name: "golang.org/x/net", Version: "v0.17.0", Type: "golang", PURL: "pkg:golang/golang.org/x/net@v0.17.0"}, fixedIn("0.23.0"), inImage("/usr/local/bin/probe", layerApp))
	unknown.SeveritySource = ""
	return []finding.Finding{openssl, libssl, zlib, tar, qs, lodash, unknown}
}

func triaged() []finding.Finding {
	from := repo("Dockerfile", 1, 1, 31)
	waived := vulnerability("CVE-2023-4911", finding.High, 7.8, deb("libc6", "2.36-9+deb12u1", "glibc"), fixedIn("2.36-9+deb12u3"), from)
	waived.Status, waived.StatusReason = finding.Waived, "setuid files are removed; until 2026-12-31, by security@example.org"
	waived.StatusSource, waived.StatusUntil = ".portcullis-waivers.yaml:3", time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)
	ruledOut := vulnerability("CVE-2023-31484", finding.High, 8.1, deb("perl-base", "5.36.0-7", "perl"), finding.Fix{State: finding.NotFixed}, from)
	ruledOut.Status, ruledOut.StatusReason = finding.NotAffected, "VEX: vulnerable code not in execute path "+Hostile
	inherited := vulnerability("CVE-2024-28085", finding.Low, 3.3, deb("util-linux", "2.38.1-5", ""), fixedIn("2.38.1-5+deb12u1"), from)
	inherited.Status, inherited.StatusReason = finding.Inherited, "from base image debian:12-slim"
	known := vulnerability("CVE-2024-0553", finding.Medium, 5.9, deb("libgnutls30", "3.7.9-2", "gnutls28"), fixedIn("3.7.9-2+deb12u2"), from)
	known.Status, known.StatusReason = finding.Known, "in the baseline of 2026-11-01"
	return []finding.Finding{waived, ruledOut, inherited, known}
}

func lint() []finding.Finding {
	user := rule("PC-DF002", finding.Dockerfile, finding.High, "Container runs as root", "The last USER of stage runtime is root: add USER 10001 before CMD.", "Dockerfile", repo("Dockerfile", 8, 1, 10))
	user.Fix.Edits = []finding.Edit{{Path: "Dockerfile", Line: 8, Column: 6, EndLine: 8, EndColumn: 10, NewText: "10001"}}
	user.Aliases = []string{"DL3002"}
	pin := rule("PC-DF006", finding.Dockerfile, finding.Low, "Base image is not pinned", "FROM debian:12-slim names a tag that moves: add @sha256: and the digest.", "Dockerfile", repo("Dockerfile", 1, 6, 20))
	privileged := rule("k8s-privileged", finding.Kubernetes, finding.Critical, "Container is privileged", "Container web of Deployment shop/web has privileged: true: remove it.", "k8s/web.yaml", repo("k8s/web.yaml", 13, 13, 29))
	privileged.Object = "Deployment/shop/web"
	secret := rule("PC-SEC001", finding.Secret, finding.Critical, "Private key in the image", "A private key lies in /app/deploy.pem: remove it and revoke the key.", imageName, inImage("/app/deploy.pem", layerApp))
	secret.Evidence = []finding.Fact{{Name: "match", Value: "-----BEGIN … KEY----- (1,704 bytes)"}}
	setuid := rule("PC-IMG003", finding.ImageConfig, finding.Medium, "File with setuid bit", "/usr/bin/mount is setuid root: chmod u-s it.", imageName, inImage("/usr/bin/mount", layerBase))
	coverage := rule("PC-COV001", finding.Coverage, finding.Medium, "File could not be read", "/app/x.jar is not a valid zip file, so packages in it are not assessed.", imageName, inImage("/app/x.jar", layerApp))
	return []finding.Finding{user, pin, privileged, secret, setuid, coverage}
}

func rule(id string, kind finding.Kind, severity finding.Severity, title, message, target string, at finding.Location) finding.Finding {
	return finding.Finding{
		RuleID: id, Kind: kind, Severity: severity, SeveritySource: "rule", Title: title, Message: message, Target: target,
		Locations: []finding.Location{at}, Fix: finding.Fix{Text: "Do what the message says."},
		References:  []string{"https://example.org/rules/" + id},
		Fingerprint: finding.Fingerprint(kind, id, target, at.Path),
		Status:      finding.Open,
	}
}

func hostile() finding.Finding {
	f := vulnerability("CVE-2024-99999", finding.High, 8.8, &finding.Package{Name: Hostile, Version: "1.0\n::error::forged", Type: "npm", PURL: "pkg:npm/evil@1.0"}, fixedIn("2.0"+Hostile), inImage("/app/"+Hostile+"/package.json", layerApp))
	f.Title = "Flaw in " + Hostile
	f.References = []string{"javascript:alert(1)", "https://example.org/" + Hostile}
	f.Evidence = []finding.Fact{{Name: Hostile, Value: Hostile}}
	return f
}
