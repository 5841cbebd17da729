package neutralise_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/portcullis-ci/portcullis/internal/neutralise"
)

func TestLine(t *testing.T) {
	tests := map[string]struct{ in, want string }{
		"plain text is left alone":                 {"libssl3 3.0.11-1~deb12u2", "libssl3 3.0.11-1~deb12u2"},
		"umlauts and other scripts are left alone": {"Grüße 日本語", "Grüße 日本語"},
		"an escape sequence is shown as text":      {"a\x1b[31mred", `a\x1b[31mred`},
		"a C1 control is shown as text":            {"a\u009b31m", `a\x9b31m`},
		"line ends are shown as text":              {"a\r\nb", `a\r\nb`},
		"a tab becomes a blank":                    {"a\tb", "a b"},
		"a bidirectional override is shown":        {"abc\u202edef", `abc\u202edef`},
		"a zero-width space is shown":              {"a\u200bb", `a\u200bb`},
		"a Unicode line separator is shown":        {"a\u2028b", `a\u2028b`},
		"invalid UTF-8 is shown byte by byte":      {"a\xff\xfe", `a\xff\xfe`},
		"a tag character is shown":                 {"a\U000e0041", `a\U000e0041`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := neutralise.Line(tt.in); got != tt.want {
				t.Errorf("Line(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestLogBreaksCommands(t *testing.T) {
	tests := map[string]struct{ in, want string }{
		"a workflow command":                     {"::error::forged", ": :error: :forged"},
		"a workflow command after blanks":        {"  ::stop-commands::x", "  : :stop-commands: :x"},
		"a workflow command after a line end":    {"a\n::error::x", `a\n: :error: :x`},
		"an old command inside a line":           {"lib##[error]forged", "lib## [error]forged"},
		"an Azure logging command":               {"##vso[task.complete]", "## vso [task.complete]"},
		"a GitLab section":                       {"section_start:1:x", "section_start :1:x"},
		"a command that appears by the breaking": {":::error:::", ": : :error: : :"},
		"a C++ name stays readable":              {"std::string", "std: :string"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := neutralise.Log(tt.in); got != tt.want {
				t.Errorf("Log(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestMarkdown(t *testing.T) {
	tests := map[string]struct{ in, want string }{
		"an order to GitLab":            {"/close", `\/close`},
		"an order with its object":      {"/label ~x", `\/label &#126;&zwnj;x`},
		"a path is no order":            {"/app/.env holds", "/app/.env holds"},
		"a version stays readable":      {"1.2.3-r0", "1.2.3-r0"},
		"a Debian version stays whole":  {"1~deb12", `1\~deb12`},
		"a path stays readable":         {"/usr/lib/x", "/usr/lib/x"},
		"a table border is escaped":     {"a|b", `a\|b`},
		"a link is escaped":             {"[x](y)", `\[x\](y)`},
		"an image is escaped":           {"![x](y)", `&#33;&zwnj;\[x\](y)`},
		"HTML is escaped":               {"<script>&", "&lt;script&gt;&amp;"},
		"a mention does not notify":     {"@team", "&#64;&zwnj;team"},
		"an issue is not linked":        {"see #12", "see &#35;&zwnj;12"},
		"an address is not linked":      {"https://evil.example", "https&#58;&zwnj;//evil.example"},
		"a code span is escaped":        {"a`b", "a\\`b"},
		"a list at the start is text":   {"- x", `\- x`},
		"a number at the start is text": {"1. x", `1\. x`},
		"a list after blanks is text":   {"  + x", `\+ x`},
		"another list is text":          {"2) x", `2\) x`},
		"a rule is text":                {" ---", `\---`},
		"emphasis is escaped":           {"*a* _b_", `\*a\* \_b\_`},
		"a new line does not end a row": {"a\n| b", `a\\n\| b`},
		"an emoji name is not replaced": {":tada:", "&#58;&zwnj;tada:"},
		"an address of mail is text":    {"a@evil.example", "a&#64;&zwnj;evil.example"},
		"GitHub's other issue is text":  {"GH-1 gh-x", "GH&#45;&zwnj;1 gh-x"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := neutralise.Markdown(tt.in); got != tt.want {
				t.Errorf("Markdown(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestMarkdownProseQuotesWhatStandsInBackticks(t *testing.T) {
	tests := map[string]string{
		"write `USER 10001`, not `*root*`": "write <code>USER 10001</code>, not <code>&#42;root&#42;</code>",
		"a single ` is text":               "a single \\` is text",
		"`<b>` and <b>":                    "<code>&lt;b&gt;</code> and &lt;b&gt;",
		"``":                               "",
	}
	for in, want := range tests {
		if got := neutralise.MarkdownProse(in); got != want {
			t.Errorf("MarkdownProse(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestMarkdownSpansKeepQuotedPiecesAsTheyAreWritten(t *testing.T) {
	for in, want := range map[string]string{
		"write `USER 10001`, not `*root*`": "write `USER 10001`, not `*root*`",
		"`a_b` | *c*":                      "`a_b` \\| \\*c\\*",
		"one ` alone":                      "one \\` alone",
		"two `` in a row":                  "two \\`\\` in a row",
		"``":                               "\\`\\`",
		"`a``b`":                           "\\`a\\`\\`b\\`",
		"` `":                              "\\` \\`",
		"`a@b.example`":                    "\\`a&#64;&zwnj;b.example\\`",
		"<b> `<b>`":                        "&lt;b&gt; `<b>`",
		"\\`a`":                            "\\\\`a`",
		"`a\n`":                            "`a\\n`",
	} {
		if got := neutralise.MarkdownSpans(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestMarkdownCodeKeepsTextThatAPersonCopies(t *testing.T) {
	tests := map[string]struct{ in, want string }{
		"a scope is no mention":            {"@babel/core", "<code>&#64;babel/core</code>"},
		"a version is no address":          {"a@1", "<code>a&#64;1</code>"},
		"an address of mail makes no link": {"me@evil.example", "<code>me<span>&#64;</span>evil.example</code>"},
		"nor does one of the web":          {"www.evil.example", "<code>www&#46;evil.example</code>"},
		"a border of a cell":               {"a|b", "<code>a&#124;b</code>"},
		"an end of the code":               {"</code>", "<code>&lt;/code&gt;</code>"},
		"nothing":                          {"", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := neutralise.MarkdownCode(tt.in); got != tt.want {
				t.Errorf("MarkdownCode(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestEncodedDocumentsHoldNoCommands(t *testing.T) {
	for in, want := range map[string]string{
		`{"a":"lib##[error]x"}`:          `{"a":"lib#\u0023[error]x"}`,
		`{"a":"###vso[task.complete]"}`:  `{"a":"##\u0023vso[task.complete]"}`,
		`{"a":"##"}`:                     `{"a":"##"}`,
		`{"a":"## A heading\n#1"}`:       `{"a":"## A heading\n#1"}`,
		"{\"a\":\"x\u202e##teamcity[\"}": `{"a":"x\u202e#\u0023teamcity["}`,
	} {
		if got := string(neutralise.JSON([]byte(in))); got != want {
			t.Errorf("JSON(%s) = %s, want %s", in, got, want)
		}
	}
	if got := string(neutralise.Markup([]byte(`<a b="###[error]"/>`))); got != `<a b="#&#35;#[error]"/>` {
		t.Errorf("Markup gave %s", got)
	}
}

func TestURLAcceptsOnlyPlainWebAddresses(t *testing.T) {
	for target, want := range map[string]bool{
		"https://nvd.nist.gov/vuln/detail/CVE-2024-1": true,
		"http://example.org/a?b=c":                    true,
		"javascript:alert(1)":                         false,
		"data:text/html,x":                            false,
		"//example.org":                               false,
		"https://user:pw@example.org":                 false,
		"https://example.org/\u202e":                  true, // escaped by net/url
		"ftp://example.org":                           false,
		"":                                            false,
	} {
		got, ok := neutralise.URL(target)
		if ok != want {
			t.Errorf("URL(%q) accepted: %v, want %v", target, ok, want)
		}
		if strings.ContainsFunc(got, func(r rune) bool { return r > 0x7e || r <= ' ' }) {
			t.Errorf("URL(%q) = %q is not plain ASCII", target, got)
		}
	}
}

func TestMarkdownLinkKeepsTheTextWhenTheTargetIsHostile(t *testing.T) {
	if got := neutralise.MarkdownLink("CVE-1", "javascript:alert(1)"); got != "CVE-1" {
		t.Errorf("got %q", got)
	}
	want := "[CVE-1](https://a.example/x%29%7C)"
	if got := neutralise.MarkdownLink("CVE-1", "https://a.example/x)|"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCutNeverSplitsACharacter(t *testing.T) {
	for limit := range 12 {
		got := neutralise.Cut("äöüßéè", limit)
		if len(got) > limit || !utf8.ValidString(got) {
			t.Errorf("Cut to %d bytes gave %q", limit, got)
		}
	}
}

func TestShortKeepsToItsLimitInEveryCase(t *testing.T) {
	for _, s := range []string{"", "abc", strings.Repeat("\x1b", 100), strings.Repeat("ä", 100), strings.Repeat("\xff", 100)} {
		for _, limit := range []int{3, 10, 99, 1000} {
			got := neutralise.Short(s, limit)
			if len(got) > limit || !utf8.ValidString(got) || neutralise.Line(got) != got {
				t.Errorf("Short(%q, %d) = %q", s, limit, got)
			}
		}
	}
}

func FuzzLine(f *testing.F) {
	for _, seed := range []string{"a", "\x1b[2J", "::error::x", "##[error]x", "\u202e", "\xff", "a\r\n b", "##vso[x]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		line := neutralise.Line(s)
		for _, r := range line {
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
				t.Fatalf("Line(%q) holds %U", s, r)
			}
		}
		if !utf8.ValidString(line) || neutralise.Line(line) != line {
			t.Fatalf("Line(%q) = %q is not stable", s, line)
		}
		log := neutralise.Log(s)
		for _, opening := range []string{"::", "##[", "##vso["} {
			if strings.Contains(log, opening) {
				t.Fatalf("Log(%q) = %q holds %s", s, log, opening)
			}
		}
	})
}

func FuzzJSONKeepsValues(f *testing.F) {
	f.Add("a\u202e\u009b\U000e0041\x7f")
	f.Fuzz(func(t *testing.T, s string) {
		encoded, err := json.Marshal(map[string]string{"k": s})
		if err != nil {
			t.Fatal(err)
		}
		safe := neutralise.JSON(encoded)
		var before, after map[string]string
		if json.Unmarshal(encoded, &before) != nil || json.Unmarshal(safe, &after) != nil {
			t.Fatalf("%q does not decode", safe)
		}
		if !reflect.DeepEqual(before, after) {
			t.Fatalf("%q became %q", before, after)
		}
		for _, r := range string(safe) {
			if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
				t.Fatalf("%q holds %U", safe, r)
			}
		}
	})
}
