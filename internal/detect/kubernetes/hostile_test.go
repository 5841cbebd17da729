package kubernetes

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/portcullis-ci/portcullis/internal/exit"
)

const privilegedPod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n    - name: c\n      securityContext:\n        privileged: true\n"

// laughs makes anchors that repeat each other ten times.
func laughs() string {
	var b strings.Builder
	b.WriteString(privilegedPod + "x0: &x0 [l, l, l, l, l, l, l, l, l, l]\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&b, "x%d: &x%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*x%d, ", i-1), 10), ", "))
	}
	return b.String()
}

// merges makes maps that merge and repeat each other.
func merges() string {
	var b strings.Builder
	b.WriteString(privilegedPod + "m0: &m0 {a: 1, b: 2}\n")
	for i := 1; i < 40; i++ {
		fmt.Fprintf(&b, "m%d: &m%d {<<: [*m%d, *m%d], k%d: *m%d, l%d: *m%d}\n", i, i, i-1, i-1, i, i-1, i, i-1)
	}
	return b.String()
}

func inUTF16(text string) string {
	var b strings.Builder
	b.WriteString("\xff\xfe")
	for _, u := range utf16.Encode([]rune(text)) {
		b.WriteByte(byte(u))
		b.WriteByte(byte(u >> 8))
	}
	return b.String()
}

// TestHostileManifestsAreNeverPassedQuietly feeds what an attacker would: each
// file must either show its privileged container or be counted as unreadable.
func TestHostileManifestsAreNeverPassedQuietly(t *testing.T) {
	many := strings.Repeat("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n---\n", 50_000)
	tests := []struct {
		name, manifest    string
		fires, unreadable bool
	}{
		{"a billion laughs", laughs(), false, true},
		{"maps that merge each other", merges(), false, true},
		{"a pod behind many billion laughs", strings.Repeat(laughs()+"---\n", 30) + privilegedPod, true, true},
		{"a pod behind maps that merge each other", merges() + "---\n" + privilegedPod, true, true},
		{"an alias to itself", privilegedPod + "x: &x [*x]\n", false, true},
		{"deep block style", privilegedPod + "x:\n" + deepBlock(1000), false, true},
		{"deep flow style", privilegedPod + "x: " + strings.Repeat("{a: ", 3000) + strings.Repeat("}", 3000) + "\n", false, true},
		{"fifty thousand documents", many + privilegedPod, true, false},
		{"a document behind a marker with a comment", "a: 1\n--- # more\n" + privilegedPod, true, false},
		{"a document behind an end marker", "a: 1\n...\n" + privilegedPod, true, false},
		{"a broken document in the middle", "a: 1\n---\nb: [\n---\n" + privilegedPod, true, true},
		{"a key that is there twice", privilegedPod + "        privileged: false\n", false, true},
		{"a list inside of a list", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n  - {apiVersion: v1, kind: Pod, spec: {containers: [{name: c, securityContext: {privileged: true}}]}}\n", true, false},
		{"a typed list", "{\"apiVersion\": \"v1\", \"kind\": \"PodList\", \"items\": [{\"spec\": {\"containers\": [{\"securityContext\": {\"privileged\": true}}]}}]}", true, false},
		{"an odd spelling of true", strings.Replace(privilegedPod, "true", "YES", 1), true, false},
		{"a quoted true", strings.Replace(privilegedPod, "true", "\"true\"", 1), true, false},
		{"a tagged key", strings.Replace(privilegedPod, "privileged: true", "!!str privileged: !!bool \"true\"", 1), true, false},
		{"an escaped key", strings.Replace(privilegedPod, "privileged", "\"privi\\u006ceged\"", 1), true, false},
		{"a key that is asked for", strings.Replace(privilegedPod, "privileged: true", "? privileged\n        : true", 1), true, false},
		{"escape codes in a name", strings.Replace(privilegedPod, "name: c", "name: \"c\\e[31m\\n::error::x\"", 1), true, false},
		{"a template that nobody rendered", strings.Replace(privilegedPod, "name: c", "name: {{ .Values.name }}", 1), false, true},
		{"UTF-16", inUTF16(privilegedPod), true, false},
		{"Latin-1", privilegedPod + "# \xe9\n", false, true},
		{"windows line ends", strings.ReplaceAll(privilegedPod, "\n", "\r\n"), true, false},
		{"old Macintosh line ends", strings.ReplaceAll(privilegedPod, "\n", "\r"), true, false},
		{"a byte order mark and a directive", "\ufeff%YAML 1.2\n---\n" + privilegedPod, true, false},
		{"a long scalar", privilegedPod + "x: \"" + strings.Repeat("x", 4<<20) + "\"\n", true, false},
		{"JSON values in a row", "{\"a\": 1}{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"spec\": {\"containers\": [{\"securityContext\": {\"privileged\": true}}]}}", true, false},
		{"a long list in one line", `{"apiVersion": "v1", "kind": "List", "items": [` + strings.Repeat(`{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}},`, 8000) + `{"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"securityContext": {"privileged": true}}]}}]}`, true, false},
		{"a pod in an object that lacks a version", strings.Replace(privilegedPod, "apiVersion: v1\n", "", 1), false, true},
		{"tabs", strings.ReplaceAll(privilegedPod, "    ", "\t"), false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			result := Lint(context.Background(), []File{{Path: "a.yaml", Content: []byte(tt.manifest)}}, Options{})
			checkResult(t, result)
			fires := len(places(result, "k8s-privileged")) > 0
			told := len(places(result, "k8s-unreadable")) > 0
			if fires != tt.fires || told != tt.unreadable || (result.Unreadable > 0) != tt.unreadable {
				t.Errorf("fires %v, unreadable %v (%d counted); want %v and %v", fires, told, result.Unreadable, tt.fires, tt.unreadable)
			}
		})
	}
}

func deepBlock(depth int) string {
	var b strings.Builder
	for i := range depth {
		b.WriteString(strings.Repeat(" ", i+1) + "a:\n")
	}
	return b.String()
}

func TestFindingsBeyondTheBoundAreCounted(t *testing.T) {
	content := strings.Repeat("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, image: a}]}\n---\n", 20)
	lint := func(most int) Result {
		return Lint(t.Context(), []File{{Path: "a.yaml", Content: []byte(content)}}, Options{Findings: most})
	}
	all := lint(0)
	if len(all.Failures) > 0 || len(all.Findings) < 100 {
		t.Fatalf("%d findings and failures %v without a bound that matters", len(all.Findings), all.Failures)
	}
	some := lint(50)
	if len(some.Findings) != 50 || len(some.Failures) != 1 {
		t.Fatalf("%d findings and failures %v, want 50 and one", len(some.Findings), some.Failures)
	}
	want := fmt.Sprintf("the manifests hold %d more findings than the 50 that are listed at most", len(all.Findings)+len(all.Vulnerable)-50)
	if got := some.Failures[0]; got.Message != want || got.Code != exit.NotExamined {
		t.Errorf("failure %+v, want %q", got, want)
	}
}
