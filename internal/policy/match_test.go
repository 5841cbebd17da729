package policy

import (
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
)

func TestAStarStandsForAnyText(t *testing.T) {
	tests := []struct {
		pattern, text string
		want          bool
	}{
		{"a", "a", true},
		{"a", "ab", false},
		{"*", "", true},
		{"a*", "a", true},
		{"a*a", "a", false},
		{"a*a", "aa", true},
		{"/app/*", "/app/x/y", true},
		{"/app/*", "/apps", false},
		{"*.jar", "/lib/a.jar", true},
		{"*b*d", "abcd", true},
		{"*d*b", "abcd", false},
		{"a*b*", "a-b", true},
		{"", "", true},
		{"", "a", false},
	}
	for _, tt := range tests {
		if got := like(tt.pattern, tt.text); got != tt.want {
			t.Errorf("%q and %q: %v", tt.pattern, tt.text, got)
		}
	}
}

// FuzzLike holds patterns against a plain matcher.
func FuzzLike(f *testing.F) {
	f.Add("a*b", "aab")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 20 || len(text) > 20 {
			return
		}
		if got, want := like(pattern, text), plainLike(pattern, text); got != want {
			t.Errorf("%q and %q: %v, want %v", pattern, text, got, want)
		}
	})
}

func plainLike(pattern, text string) bool {
	switch {
	case pattern == "":
		return text == ""
	case pattern[0] == '*':
		return plainLike(pattern[1:], text) || text != "" && plainLike(pattern, text[1:])
	default:
		return text != "" && text[0] == pattern[0] && plainLike(pattern[1:], text[1:])
	}
}

func TestTheOriginIsReadFromTheFindingOrItsPlace(t *testing.T) {
	inImage := finding.Location{Space: finding.InImage, Path: "/a"}
	line := finding.Location{Space: finding.Repository, Path: "Dockerfile", Line: 3}
	base := line
	base.Note = "base image"
	tests := []struct {
		name string
		f    finding.Finding
		want finding.Origin
	}{
		{"what the finding says", finding.Finding{Origin: finding.FromBuild, Locations: []finding.Location{base, inImage}}, finding.FromBuild},
		{"led to the base image", finding.Finding{Locations: []finding.Location{base, inImage}}, finding.FromBaseImage},
		{"led to an instruction", finding.Finding{Locations: []finding.Location{line, inImage}}, finding.FromBuild},
		{"a line of the user's own", finding.Finding{Kind: finding.Dockerfile, Locations: []finding.Location{line}}, finding.FromBuild},
		{"led to a line that names the image", finding.Finding{Locations: []finding.Location{{Space: finding.Repository, Path: "web.yaml", Note: finding.NamesTheImage}, inImage}}, ""},
		{"led nowhere", finding.Finding{Kind: finding.Vulnerability, Locations: []finding.Location{inImage}}, ""},
		{"without a place", finding.Finding{}, ""},
	}
	for _, tt := range tests {
		if got := OriginOf(tt.f); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestAPathSparesOnlyWhatLiesThereAndRestrictsWhatIsSeenThere(t *testing.T) {
	f := finding.Finding{Kind: finding.Vulnerability, Locations: []finding.Location{
		{Space: finding.Repository, Path: "web/Dockerfile", Line: 3},
		{Space: finding.InImage, Path: "/app/a.jar"},
		{Space: finding.InImage, Path: "/lib/a.jar"},
		{Space: finding.Repository, Path: "k8s/dev/x.yaml", Line: 7, Note: finding.RunsHere + ": privileged"},
	}}
	tests := []struct {
		paths           []string
		spares, selects bool
	}{
		{[]string{"web/*"}, true, true},
		{[]string{"k8s/dev/*"}, false, true},
		{[]string{"/app/*"}, false, true},
		{[]string{"/app/*", "/lib/*"}, true, true},
		{[]string{"*"}, true, true},
		{[]string{"/srv/*"}, false, false},
		{nil, true, true},
	}
	for _, tt := range tests {
		m := Match{Kinds: []finding.Kind{finding.Vulnerability}, Paths: tt.paths}
		if m.Spares(f) != tt.spares || m.Holds(f) != tt.selects {
			t.Errorf("%v: spares %v, want %v; selects %v, want %v", tt.paths, m.Spares(f), tt.spares, m.Holds(f), tt.selects)
		}
		if m.Kinds = []finding.Kind{finding.Secret}; m.Spares(f) || m.Holds(f) {
			t.Errorf("%v: another kind is selected", tt.paths)
		}
	}
}

// TestAHostileLicenceIsJudged holds that an expression with more choices than
// can be listed is judged all the same.
func TestAHostileLicenceIsJudged(t *testing.T) {
	many := strings.Repeat("(MIT OR ISC) AND ", 200) + "MIT"
	l := Licences{Allow: []string{"MIT"}}
	for _, tt := range []struct {
		text            string
		refused, unread bool
	}{
		{many, false, false},
		{many + " AND GPL-2.0-only", true, false},
		{strings.Repeat("(", 2000) + "MIT" + strings.Repeat(")", 2000), false, false},
		{strings.Repeat("(", 2000), false, true},
		{strings.Repeat("MIT OR ", 5000) + "MIT", false, true},
	} {
		refused, unread := l.judge(inventory.Package{Licenses: []string{tt.text}})
		if (refused != "") != tt.refused || (unread != "") != tt.unread {
			t.Errorf("%.40s…: refused %v, unread %v", tt.text, refused != "", unread != "")
		}
	}
}

// FuzzLicence holds that whoever allows everything refuses nothing that can be
// read, and whoever denies everything accepts nothing.
func FuzzLicence(f *testing.F) {
	f.Add("(ZPL-2.0 WITHClasspath-exception-2.0)")
	f.Add("MIT AND (Apache-2.0 OR GPL-2.0+ WITH Classpath-exception-2.0)")
	f.Fuzz(func(t *testing.T, text string) {
		p := inventory.Package{Licenses: []string{text}}
		if refused, _ := (Licences{Allow: []string{"*"}}).judge(p); refused != "" {
			t.Errorf("%q is refused although all are allowed", text)
		}
		refused, unread := (Licences{Deny: []string{"*"}}).judge(p)
		if refused == "" && unread == "" {
			t.Errorf("%q is accepted although all are denied", text)
		}
	})
}
