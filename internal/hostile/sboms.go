package main

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf16"
)

func utf16le(text string) []byte {
	out := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(text)) {
		out = append(out, byte(u), byte(u>>8))
	}
	return out
}

const cyclone = `{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"components":[{"type":"operating-system","name":"debian","version":"12"},` +
	`{"type":"library","bom-ref":"a","name":"bash","version":"5.2-1","purl":"pkg:deb/debian/bash@5.2-1?arch=amd64&distro=debian-12"}]}`

// sbomCases are rows 82 to 91: SBOM files in place of an image.
func sbomCases() []hostileCase {
	sbom := func(row, name string, exits []int, says string, make func() []byte) hostileCase {
		return hostileCase{row: row, name: name, exits: exits, says: says, seconds: 90, megabytes: 1536, prepare: func(s *scene) ([]string, error) {
			path, err := s.write("bom.json", make())
			return []string{"gate", "--sbom", path, "--db", s.database, "--db-max-age", "any", "--output", "terminal=-", "--output", "json=report.json"}, err
		}}
	}
	text := func(t string) func() []byte { return func() []byte { return []byte(t) } }
	return []hostileCase{
		sbom("1", "sbom-ok", passed, "", text(cyclone)),
		sbom("82", "sbom-cut", refused, "", text(cyclone[:len(cyclone)/2])),
		sbom("83", "sbom-deep", refused, "", func() []byte {
			const deep = 1_000_000
			return []byte(strings.Replace(cyclone, `"version":1,`, `"version":1,"x":`+strings.Repeat("[", deep)+strings.Repeat("]", deep)+`,`, 1))
		}),
		sbom("84", "sbom-large-with-cycles", either, "", func() []byte {
			var b bytes.Buffer
			b.WriteString(`{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"components":[{"type":"operating-system","name":"debian","version":"12"}`)
			for i := range 100_000 {
				fmt.Fprintf(&b, `,{"type":"library","bom-ref":"r%d","name":"n%d","version":"1.%d","purl":"pkg:npm/n%d@1.%d"}`, i, i, i, i, i)
			}
			b.WriteString(`],"dependencies":[{"ref":"r0","dependsOn":["r99999"]}`)
			for i := 1; i < 100_000; i++ {
				fmt.Fprintf(&b, `,{"ref":"r%d","dependsOn":["r%d"]}`, i, i-1)
			}
			b.WriteString("]}")
			return b.Bytes()
		}),
		sbom("85", "sbom-duplicate-keys", refused, "twice|duplicate", text(cyclone[:len(cyclone)-1]+`,"components":[]}`)),
		sbom("86", "sbom-unknown-version", refused, "version|format|SBOM", text(strings.Replace(cyclone, `"1.6"`, `"9.9"`, 1))),
		sbom("87", "sbom-injection", either, "", text(strings.ReplaceAll(cyclone, "bash", `ba\u001b[31m\n::error::x<script>\u202e`))),
		{row: "88", name: "sbom-xxe", exits: either, hides: "root:x:0", seconds: 90, megabytes: 1536, prepare: func(s *scene) ([]string, error) {
			path, err := s.write("bom.xml", []byte(`<?xml version="1.0"?><!DOCTYPE b [<!ENTITY x SYSTEM "file://`+s.host+`/secret">]><bom xmlns="http://cyclonedx.org/schema/bom/1.6" version="1"><components><component type="library"><name>&x;</name><version>1</version></component></components></bom>`))
			return []string{"gate", "--sbom", path, "--db", s.database, "--db-max-age", "any", "--output", "terminal=-", "--output", "json=report.json"}, err
		}},
		sbom("89", "sbom-wrong-types", refused, "", text(strings.Replace(cyclone, `"name":"bash"`, `"name":{"a":[1]}`, 1))),
		sbom("90", "sbom-encoding", refused, "", func() []byte { return utf16le(cyclone) }),
		sbom("91", "sbom-empty", refused, "", text("")),
		sbom("91", "sbom-without-packages", refused, "no package", text(`{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"components":[]}`)),
	}
}
