package main

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
)

// zipOf is an archive of names and texts in turn.
func zipOf(parts ...string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(parts); i += 2 {
		f, err := w.Create(parts[i])
		if err == nil {
			_, _ = io.WriteString(f, parts[i+1])
		}
	}
	_ = w.Close()
	return b.Bytes()
}

func jarManifest(name string) string {
	return "Manifest-Version: 1.0\nImplementation-Title: " + name + "\nImplementation-Version: 1.0\n"
}

// nested is a jar that holds wide jars, each of which does the same.
func nested(wide, depth int) []byte {
	parts := []string{"META-INF/MANIFEST.MF", jarManifest(fmt.Sprint("jar", depth))}
	if depth > 0 {
		inner := string(nested(wide, depth-1))
		for i := range wide {
			parts = append(parts, fmt.Sprintf("lib/%d.jar", i), inner)
		}
	}
	return zipOf(parts...)
}

// overlapping is a zip archive whose many entries are all the same bytes.
func overlapping(entries, inflated int) []byte {
	whole := zipOf("a.jar", string(make([]byte, inflated)))
	at := bytes.LastIndex(whole, []byte("PK\x05\x06"))
	directory := bytes.Index(whole, []byte("PK\x01\x02"))
	entry := whole[directory:at]
	out := append([]byte(nil), whole[:directory]...)
	for range entries {
		out = append(out, entry...)
	}
	end := append([]byte(nil), whole[at:]...)
	binary.LittleEndian.PutUint16(end[8:], uint16(entries))
	binary.LittleEndian.PutUint16(end[10:], uint16(entries))
	binary.LittleEndian.PutUint32(end[12:], uint32(entries*len(entry)))
	return append(out, end...)
}

func laughs() string {
	entities := `<!ENTITY a0 "lol"><!ENTITY xxe SYSTEM "file:///etc/passwd">`
	for i := range 12 {
		entities += fmt.Sprintf("<!ENTITY a%d \"%s\">", i+1, strings.Repeat(fmt.Sprintf("&a%d;", i), 10))
	}
	return `<?xml version="1.0"?><!DOCTYPE p [` + entities + `]><project><groupId>&a12;&xxe;</groupId><artifactId>x</artifactId><version>1</version></project>`
}

// inflating is a zlib stream of n zeros.
func inflating(n int64) []byte {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, _ = io.CopyN(z, zeros{}, n)
	_ = z.Close()
	return b.Bytes()
}

// fileCases are rows 69 to 81: files in which packages are looked for.
func fileCases() []hostileCase {
	one := func(path string, make func() []byte) func(s *scene) ([]string, error) {
		return files(func(*scene) []imagetest.File {
			return []imagetest.File{{Path: path, Body: make(), Mode: 0o755}}
		})
	}
	return []hostileCase{
		{row: "69", name: "jar-nested-bomb", exits: refused, says: "nested|archive", seconds: 60, megabytes: 1024, prepare: one("app/a.jar", func() []byte { return nested(7, 8) })},
		{row: "70", name: "jar-overlapping", exits: []int{1, 4}, says: "jar", seconds: 60, megabytes: 1024, prepare: one("app/a.jar", func() []byte { return overlapping(60_000, 8<<20) })},
		{row: "70", name: "jar-overlapping-inside", exits: refused, says: "a.war: limit reached", seconds: 60, megabytes: 1024, prepare: one("app/a.war", func() []byte {
			return zipOf("WEB-INF/lib/a.jar", string(overlapping(60_000, 8<<20)))
		})},
		{row: "70", name: "jar-zeros-inside", exits: refused, says: "a.zip: limit reached", seconds: 60, megabytes: 1024, prepare: one("app/a.zip", func() []byte {
			return zipOf("a.jar", string(overlapping(20, 1<<30)))
		})},
		{row: "71", name: "jar-bad-end-record", exits: either, seconds: 60, megabytes: 1024, prepare: one("app/a.jar", func() []byte {
			return append([]byte("PK\x05\x06"), bytes.Repeat([]byte{0xff}, 18)...)
		})},
		{row: "72", name: "jar-slip", exits: unfed, seconds: 60, megabytes: 1024, prepare: func(s *scene) ([]string, error) {
			return one("app/a.jar", func() []byte {
				return zipOf("META-INF/MANIFEST.MF", jarManifest("a"), "../../../../../../../.."+s.host+"/slip.jar", string(zipOf("META-INF/MANIFEST.MF", jarManifest("b"))))
			})(s)
		}},
		{row: "73", name: "pom-xml-bomb", exits: unfed, hides: "root:x:0", seconds: 60, megabytes: 1024, prepare: one("app/a.jar", func() []byte {
			return zipOf("META-INF/MANIFEST.MF", jarManifest("a"), "META-INF/maven/g/a/pom.xml", laughs(), "META-INF/maven/g/a/pom.properties", "groupId=g\nartifactId=pomjar\nversion=1.0\n")
		})},
		{row: "74", name: "elf-malformed", exits: either, seconds: 60, megabytes: 768, prepare: files(func(*scene) []imagetest.File {
			bad := imagetest.ELF(".go.buildinfo", bytes.Repeat([]byte{0xff}, 200))
			var out []imagetest.File
			for i := range 64 {
				damaged := append([]byte(nil), bad...)
				damaged[16+i%48] ^= 0xff
				out = append(out, imagetest.File{Path: fmt.Sprintf("usr/bin/e%d", i), Mode: 0o755, Body: append(damaged, "\xff Go buildinf:"...)})
			}
			return append(out, imagetest.File{Path: "usr/bin/pe.exe", Mode: 0o755, Body: append([]byte("MZ"), bytes.Repeat([]byte{0xff}, 400)...)},
				imagetest.File{Path: "usr/bin/macho", Mode: 0o755, Body: append([]byte{0xcf, 0xfa, 0xed, 0xfe}, append(bytes.Repeat([]byte{0xff}, 400), "\xff Go buildinf:"...)...)},
				imagetest.File{Path: "usr/bin/fat", Mode: 0o755, Body: append([]byte{0xca, 0xfe, 0xba, 0xbe, 0x7f, 0xff, 0xff, 0xff}, append(bytes.Repeat([]byte{0xff}, 400), "\xff Go buildinf:"...)...)})
		})},
		{row: "75", name: "elf-rust-audit-bomb", exits: []int{1, 4}, says: "usr/bin/bomb: limit reached", seconds: 60, megabytes: 768, prepare: one("usr/bin/bomb", func() []byte {
			return imagetest.ELF(".dep-v0", inflating(2<<30))
		})},
		// Rows 76 to 78: what is installed is read in an image, not lock files.
		{row: "76", name: "npm-lock-deep", exits: passed, seconds: 60, megabytes: 768, prepare: one("app/package-lock.json", func() []byte {
			const deep = 200_000
			return []byte(`{"name":"a","lockfileVersion":1,"dependencies":` + strings.Repeat(`{"a":{"version":"1","dependencies":`, deep) + "{}" + strings.Repeat("}}", deep) + "}")
		})},
		{row: "77", name: "yaml-bomb-in-image", exits: passed, seconds: 60, megabytes: 768, prepare: files(func(*scene) []imagetest.File {
			return []imagetest.File{imagetest.Text("app/pnpm-lock.yaml", "lockfileVersion: '9.0'\n"+yamlLaughs()), imagetest.Text("app/pubspec.lock", "packages:\n"+yamlLaughs())}
		})},
		{row: "78", name: "toml-deep", exits: passed, seconds: 60, megabytes: 768, prepare: files(func(*scene) []imagetest.File {
			deep := "a = " + strings.Repeat("[", 500_000) + strings.Repeat("]", 500_000) + "\n"
			return []imagetest.File{imagetest.Text("app/Cargo.lock", deep), imagetest.Text("app/poetry.lock", deep), imagetest.Text("app/uv.lock", deep)}
		})},
		{row: "79", name: "name-injection", exits: either, seconds: 120, megabytes: 1024, prepare: files(func(*scene) []imagetest.File {
			var out []imagetest.File
			for i, name := range []string{"\x1b[2J\x1b[31m", "x\n::set-output name=a::b", "<script>alert(1)</script>", "`a`|b|c", "\u202egnp.exe", "](javascript:alert(1))"} {
				out = append(out, imagetest.File{Path: fmt.Sprintf("app/node_modules/p%d/package.json", i), Body: marshal(document{"name": name, "version": name, "license": name})},
					imagetest.Text("app/"+strings.ReplaceAll(name, "/", "_")+".key", "-----BEGIN RSA PRIVATE KEY-----\n"+strings.Repeat("MIIEvgIBADANBgkqhkiG9w0BAQEFAASC\n", 20)+"-----END RSA PRIVATE KEY-----\n"))
			}
			return append(out, imagetest.Text("var/lib/dpkg/status", status("a\x1b[31m\r::error::x")))
		})},
		{row: "80", name: "os-release-hostile", exits: either, seconds: 120, megabytes: 1024, prepare: files(func(*scene) []imagetest.File {
			return []imagetest.File{imagetest.Text("usr/lib/os-release", "ID=\x1b[31m$(reboot)\nVERSION_ID=`id`\nPRETTY_NAME=\"::error::x\n=\n\""+strings.Repeat("A", 10<<20))}
		})},
		{row: "81", name: "regex-load", exits: either, seconds: 120, megabytes: 1024, prepare: one("usr/lib/libcrypto.so.3", func() []byte {
			b := imagetest.ELF(".rodata", nil)
			piece := []byte("OpenSSL 1.1.1 OpenSSL 1.1.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa PHP/7.7.7. GIT_VERSION=1. Go1. go version node.js/v ")
			return append(b, bytes.Repeat(piece, (256<<20)/len(piece))...)
		})},
	}
}

// yamlLaughs are anchors that repeat each other ten times.
func yamlLaughs() string {
	var b strings.Builder
	b.WriteString("  x0: &x0 [l, l, l, l, l, l, l, l, l, l]\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&b, "  x%d: &x%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*x%d, ", i-1), 10), ", "))
	}
	return b.String()
}
