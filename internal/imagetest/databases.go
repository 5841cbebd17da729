package imagetest

import (
	"fmt"
	"strings"
)

// Package is one entry of a package database.
type Package struct {
	Name         string
	Version      string
	Architecture string
	// Source is the source or origin package; empty when it has the same name.
	Source string
	// SourceVersion is the source package's version where it differs (deb).
	SourceVersion string
	// Files are the absolute paths that the package owns.
	Files []string
}

// Debian returns the files of a dpkg database: status, the lists and checksums
// of files, and os-release of Debian 12.
func Debian(packages ...Package) []File {
	var status strings.Builder
	files := []File{
		Dir("etc"), Dir("usr"), Dir("usr/lib"), Dir("var"), Dir("var/lib"), Dir("var/lib/dpkg"), Dir("var/lib/dpkg/info"),
		Text("usr/lib/os-release", debianRelease), Symlink("etc/os-release", "../usr/lib/os-release"),
		Text("etc/debian_version", "12.5\n"),
	}
	for _, p := range packages {
		arch := orDefault(p.Architecture, "amd64")
		fmt.Fprintf(&status, "Package: %s\nStatus: install ok installed\nPriority: optional\nSection: libs\nInstalled-Size: 100\n", p.Name)
		fmt.Fprintf(&status, "Maintainer: Debian Maintainers <debian@example.org>\nArchitecture: %s\n", arch)
		if p.Source != "" && p.SourceVersion != "" {
			fmt.Fprintf(&status, "Source: %s (%s)\n", p.Source, p.SourceVersion)
		} else if p.Source != "" {
			fmt.Fprintf(&status, "Source: %s\n", p.Source)
		}
		fmt.Fprintf(&status, "Version: %s\nDescription: test package\n\n", p.Version)
		var sums strings.Builder
		for _, f := range p.Files {
			fmt.Fprintf(&sums, "d41d8cd98f00b204e9800998ecf8427e  %s\n", strings.TrimPrefix(f, "/"))
		}
		files = append(files,
			Text("var/lib/dpkg/info/"+p.Name+".list", strings.Join(append([]string{"/."}, p.Files...), "\n")+"\n"),
			Text("var/lib/dpkg/info/"+p.Name+".md5sums", sums.String()))
	}
	return append(files, Text("var/lib/dpkg/status", status.String()))
}

const debianRelease = `PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION="12 (bookworm)"
VERSION_CODENAME=bookworm
ID=debian
HOME_URL="https://www.debian.org/"
SUPPORT_URL="https://www.debian.org/support"
BUG_REPORT_URL="https://bugs.debian.org/"
`

// Alpine returns the files of an apk database and os-release of Alpine with
// the given version, such as 3.20.1.
func Alpine(version string, packages ...Package) []File {
	var db strings.Builder
	for _, p := range packages {
		fmt.Fprintf(&db, "C:Q1AAAAAAAAAAAAAAAAAAAAAAAAAAA=\nP:%s\nV:%s\nA:%s\nS:100\nI:100\nT:test package\nU:https://example.org\nL:MIT\no:%s\n",
			p.Name, p.Version, orDefault(p.Architecture, "x86_64"), orDefault(p.Source, p.Name))
		for _, f := range p.Files {
			dir, name := f[:strings.LastIndexByte(f, '/')], f[strings.LastIndexByte(f, '/')+1:]
			fmt.Fprintf(&db, "F:%s\nR:%s\n", strings.TrimPrefix(dir, "/"), name)
		}
		db.WriteString("\n")
	}
	release := fmt.Sprintf("NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=%s\nPRETTY_NAME=\"Alpine Linux v%s\"\nHOME_URL=\"https://alpinelinux.org/\"\n",
		version, version[:strings.LastIndexByte(version, '.')])
	return []File{
		Dir("etc"), Dir("lib"), Dir("lib/apk"), Dir("lib/apk/db"),
		Text("etc/os-release", release), Text("etc/alpine-release", version+"\n"),
		Text("lib/apk/db/installed", db.String()),
	}
}

// NPM returns the package.json of installed npm packages ("name@version")
// below root, such as /app.
func NPM(root string, packages ...string) []File {
	var files []File
	for _, p := range packages {
		at := strings.LastIndexByte(p, '@')
		name, version := p[:at], p[at+1:]
		body := fmt.Sprintf("{\n  \"name\": %q,\n  \"version\": %q,\n  \"license\": \"MIT\"\n}\n", name, version)
		files = append(files, Text(strings.TrimSuffix(root, "/")+"/node_modules/"+name+"/package.json", body))
	}
	return files
}

// Python returns the dist-info of installed Python packages ("name@version")
// below dir, such as /usr/lib/python3/dist-packages.
func Python(dir string, packages ...string) []File {
	var files []File
	for _, p := range packages {
		name, version, _ := strings.Cut(p, "@")
		info := fmt.Sprintf("%s/%s-%s.dist-info/", strings.TrimSuffix(dir, "/"), strings.ReplaceAll(name, "-", "_"), version)
		files = append(files,
			Text(info+"METADATA", fmt.Sprintf("Metadata-Version: 2.1\nName: %s\nVersion: %s\nLicense: MIT\n\n", name, version)),
			Text(info+"RECORD", info[strings.LastIndexByte(strings.TrimSuffix(info, "/"), '/')+1:]+"METADATA,,\n"),
		)
	}
	return files
}

func orDefault(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}
