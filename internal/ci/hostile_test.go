package ci_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/portcullis-ci/portcullis/internal/ci"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report"
	"github.com/portcullis-ci/portcullis/internal/report/document"
	"github.com/portcullis-ci/portcullis/internal/report/markdown"
	"github.com/portcullis-ci/portcullis/internal/report/reporttest"
)

// hostileTexts are what names in images, manifests and feeds are written like
// to be taken for something else by a reader of one of the sinks.
var hostileTexts = map[string]string{
	// Workflow commands of GitHub, Gitea and Forgejo.
	"a command at the start of a line":        "lib\n::error file=a.go,line=1,title=forged::forged",
	"a command after blanks":                  "lib\n \t ::warning::forged",
	"a command after a carriage return":       "lib\r::notice::forged",
	"the old form of a command within a line": "lib##[error]forged",
	"the old form in the runner's own parts":  "lib##[group]forged##[endgroup]##[add-mask]forged",
	"a command made by taking one apart":      "lib#####[[error]]forged ::::error::::forged",
	"a command behind an escaped line end":    "lib%0A::error::forged%0D%0A::error::forged%250A::error::forged",
	"properties of a command":                 "lib,line=7,title=forged::forged:file=x",
	"an end to stopped commands":              "lib\n::stop-commands::forged\n::forged::\n::set-output name=forged::1",
	"a mask for everything":                   "lib\n::add-mask::e\n::add-path::/forged\n::set-env name=FORGED::1\n::save-state name=forged::1",
	"an empty command":                        "::",
	// Files of outputs and variables.
	"the delimiter that a library uses": "lib\n_GitHubActionsFileCommandDelimeter_\nforged=1\nx<<_GitHubActionsFileCommandDelimeter_",
	"a block of an output file":         "lib\nforged<<EOF\n1\nEOF\nghadelimiter_00\nforged=1",
	"a variable of a later job":         "lib\nGATE_FORGED=1\nexport GATE_FORGED=1 # \"x\" 'y' $(z)",
	"a logging command of Azure":        "lib##vso[task.setvariable variable=forged;isOutput=true]1 ##[section]forged ##vso[task.complete result=Succeeded;]",
	"a logging command within a value":  "lib;type=error]forged;code=x]##vso[task.logissue type=error]forged%3B%5D%AZP25",
	"a message of TeamCity":             "lib ##teamcity[buildStatus status='SUCCESS']",
	"a section of GitLab's log":         "lib\x1b[0Ksection_start:1:forged[collapsed=true]\r\x1b[0Kforged section_end:1:forged\r",
	"text longer than the runner keeps": strings.Repeat("long##[error]\n::error::forged ", 200),
	// Markdown.
	"the border of a cell":         "lib | forged | \\| forged \\\\| x",
	"backticks":                    "lib `forged` ``x`` ```\nforged\n``` ~~~ \\`x",
	"markup":                       "lib <b>forged</b> <img src=x onerror=alert(1)> </code></details></table><h1>",
	"entities":                     "lib &amp; &lt;b&gt; &#64;team &#x1b; &copy",
	"a mention":                    "@team @acme/team lib @team (@team) a/@team",
	"a reference":                  "#1 acme/demo#1 GH-1 !7 &3 %2 $4 ~label acme/demo@0123456789abcdef0123456789abcdef01234567",
	"a new block":                  "lib\n\n# forged\n\n- [ ] forged\n\n> forged\n\n    forged\n\n---\n\n| a |\n|---|\n",
	"a link":                       "[forged](https://evil.example) ![x](https://evil.example/x.png) <https://evil.example> [x]: https://evil.example https://evil.example www.evil.example a@evil.example",
	"a link that runs a script":    "[forged](javascript:alert(1)) [x](data:text/html,x)",
	"emphasis and emoji":           "**forged** _forged_ ~~forged~~ :tada: $$x$$ $`x`$ ==x== ^x^",
	"the marker of our comment":    "<!-- portcullis: gate --> --> <!--",
	"an order to GitLab in a note": "/close\n/label ~forged\n/assign @team",
	// HTML and XML.
	"an end of the script":   "</script><script>alert(1)</script><!--<script>",
	"an end of an attribute": "\" onmouseover=alert(1) x=' onfocus=alert(1) autofocus",
	"an end of CDATA":        "lib]]></failure></testcase><testcase name=\"forged\"/><![CDATA[",
	"a document type":        "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>&e;<?xml version=\"1.0\"?>",
	// Terminals and eyes.
	"terminal sequences":     "\x1b[2J\x1b[1;1H\x1b]0;forged\x07\x1b]8;;https://evil.example\x1b\\x\x1b]8;;\x1b\\\u009b31m\x1bP$q\x1b\\\x08\x7f\x00",
	"the clipboard":          "\x1b]52;c;Zm9yZ2Vk\x07\x1b]52;p;Zm9yZ2Vk\x1b\\\x9d52;c;Zm9yZ2Vk\x9c",
	"a note in Jenkins' log": "\x1b[8mha:////4AAAAforged\x1b[0m",
	"bidirectional text":     "lib\u202egnp.exe\u202c \u2066x\u2069 \u200b\u200d\ufeff\u00ad \U000e0041",
	"lines of other kinds":   "lib\u2028::error::forged\u2029##[error]forged\u0085::error::forged\v::error::forged\f::error::forged",
	"bytes that are no text": "lib\xff\xfe\xc3\x28\xed\xa0\x80\xf0\x80\x80\x80",
	// Places.
	"a scheme in front of a path": "debian:10",
	"a path that leads out":       "/../../../etc/passwd\\..\\..\\x/./",
	"an address":                  "https://user:password@evil.example/?a=b#c%zz",
}

// sink is one reader of what portcullis writes. Structure reduces its text to
// what no foreign text may change, as the reader sees it.
type sink struct {
	write     func(*testing.T, outcome.Outcome, report.Options) string
	structure func(*testing.T, string) []string
	// raw says that the sink is a file of values that nobody is shown.
	raw bool
}

func sinks() map[string]sink {
	all := map[string]sink{
		"workflow commands":   {write: publishedOn("github", ""), structure: workflowCommands},
		"outputs of a step":   {write: publishedOn("github", "GITHUB_OUTPUT"), structure: outputFile, raw: true},
		"summary of a step":   {write: publishedOn("github", "GITHUB_STEP_SUMMARY"), structure: markdownTree},
		"comment of a change": {write: comment, structure: markdownTree},
		"commands of Azure":   {write: publishedOn("azure", ""), structure: azureCommands},
	}
	structures := map[string]func(*testing.T, string) []string{
		"markdown": markdownTree, "html": elements, "junit": xmlTree, "gitlab-dotenv": variables, "terminal": nothing,
	}
	for _, f := range report.Formats() {
		s := sink{structure: structures[f.Name], write: func(t *testing.T, o outcome.Outcome, opts report.Options) string {
			var b bytes.Buffer
			if err := f.Write(t.Context(), &b, o, opts); err != nil {
				t.Fatal(err)
			}
			return b.String()
		}}
		if s.structure == nil {
			s.structure = jsonTree
		}
		all["report "+f.Name] = s
	}
	return all
}

// publishedOn is what ci.Publish prints on a host, or writes into the file that
// the variable names.
func publishedOn(host, variable string) func(*testing.T, outcome.Outcome, report.Options) string {
	return func(t *testing.T, o outcome.Outcome, opts report.Options) string {
		env := recorded(t, host)
		folder := t.TempDir()
		for _, name := range []string{"GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"} {
			env[name] = filepath.Join(folder, name)
		}
		var b bytes.Buffer
		request := ci.Request{Getenv: lookup(env), Log: &b, Outcome: o, Options: opts, Files: map[string]string{"sarif": "out.sarif"}}
		if err := ci.Publish(t.Context(), request); err != nil {
			t.Fatal(err)
		}
		if variable == "" {
			return b.String()
		}
		content, err := os.ReadFile(env[variable])
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
}

func comment(_ *testing.T, o outcome.Outcome, opts report.Options) string {
	return markdown.Render(o, opts, markdown.Comment)
}

func nothing(*testing.T, string) []string { return nil }

// TestHostileTextChangesNothingButText writes every hostile text into every
// field of an outcome that may hold foreign text, and reads every sink as its
// reader does: what is not text must be the same as with harmless text.
func TestHostileTextChangesNothingButText(t *testing.T) {
	outcomes := map[string]func() outcome.Outcome{"failed": reporttest.Outcome, "incomplete": reporttest.Incomplete}
	for sinkName, s := range sinks() {
		for outcomeName, make := range outcomes {
			for textName, text := range hostileTexts {
				t.Run(sinkName+"/"+outcomeName+"/"+textName, func(t *testing.T) {
					harmless := harmless(text)
					want := s.structure(t, s.write(t, poisoned(make(), harmless), optionsFor(make(), harmless)))
					written := s.write(t, poisoned(make(), text), optionsFor(make(), text))
					got := s.structure(t, written)
					if len(text) > 1000 {
						// What is cut for its length is not cut at the same place.
						got = slices.DeleteFunc(got, func(s string) bool { return slices.Contains(want, s) })
						want = nil
					}
					if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
						t.Errorf("the text changed more than text (-harmless +hostile):\n%s", diff)
					}
					if !s.raw {
						reporttest.NoRawControls(t, []byte(written), false)
					}
					if sinkName != "workflow commands" && sinkName != "commands of Azure" && !s.raw {
						inALog(t, written)
					}
				})
			}
		}
	}
}

// What our own sentences quote of a foreign text is code, and nothing else.
func TestHostileTextInAQuotationChangesNothingButText(t *testing.T) {
	for name, text := range hostileTexts {
		t.Run(name, func(t *testing.T) {
			for _, sentence := range []string{"the user `%` is root: `USER %`.", "package % holds `%`", "`%`", "$`%`$ % `%`!"} {
				source := neutralise.MarkdownSpans(strings.ReplaceAll(sentence, "%", text))
				got := slices.DeleteFunc(markdownTree(t, source), func(kind string) bool { return kind == "CodeSpan" })
				if want := []string{"Document", "Paragraph"}; !slices.Equal(got, want) {
					t.Errorf("%q makes %v of %q", sentence, got, source)
				}
			}
		})
	}
}

// harmless is text of the same shape as a path, without anything else.
func harmless(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '/' {
			return r
		}
		return 'x'
	}, text)
}

// inALog fails the test if a report that is printed into the log of a job
// makes a command there.
func inALog(t *testing.T, report string) {
	t.Helper()
	if got := append(workflowCommands(t, report), azureCommands(t, report)...); len(got) > 0 {
		t.Errorf("printed into a log it makes commands: %q", got)
	}
	if strings.Contains(report, "##teamcity[") {
		t.Error("printed into a log it holds a message of TeamCity")
	}
}

// optionsFor has a repository whose files of the outcome's places hold the
// text too.
func optionsFor(o outcome.Outcome, text string) report.Options {
	files := fstest.MapFS{}
	line := "RUN echo " + strings.NewReplacer("\n", " ", "\r", " ").Replace(text) + "\n"
	for _, f := range o.Findings {
		for _, l := range f.Locations {
			if name := l.Path + text; l.Space == finding.Repository && fs.ValidPath(name) {
				files[name] = &fstest.MapFile{Data: []byte(strings.Repeat(line, 20))}
			}
		}
	}
	return report.Options{Catalogue: reporttest.Catalogue(), Root: files, Command: "portcullis gate " + text}
}

// poisoned appends text to every string of the outcome that something foreign
// may have brought in.
func poisoned(o outcome.Outcome, text string) outcome.Outcome {
	poison(reflect.ValueOf(&o).Elem(), text)
	return o
}

// ours are the fields of an outcome that only portcullis fills: its own name,
// and fingerprints, which are hexadecimal sums. Links have a test of their own,
// because a link with other text may be none.
var ours = map[string]bool{"Tool": true, "Fingerprint": true, "Unresolved": true, "References": true}

func poison(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		// Words of ours, such as kinds, have types of their own.
		if v.Type() == reflect.TypeFor[string]() {
			v.SetString(v.String() + text)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			fresh := reflect.New(v.Type().Elem())
			fresh.Elem().Set(v.Elem())
			poison(fresh.Elem(), text)
			v.Set(fresh)
		}
	case reflect.Slice:
		fresh := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(fresh, v)
		for i := range fresh.Len() {
			poison(fresh.Index(i), text)
		}
		v.Set(fresh)
	case reflect.Map:
		fresh := reflect.MakeMap(v.Type())
		for _, key := range v.MapKeys() {
			k := reflect.New(v.Type().Key()).Elem()
			k.Set(key)
			poison(k, text)
			fresh.SetMapIndex(k, v.MapIndex(key))
		}
		v.Set(fresh)
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			fingerprints := field.Name == "Findings" && field.Type == reflect.TypeFor[[]string]()
			if field.IsExported() && !ours[field.Name] && !fingerprints {
				poison(v.Field(i), text)
			}
		}
	}
}

// TestHostileAddressesMakeNoLinks is the same for links: whatever a feed gives
// as a reference, a report links to web addresses only.
func TestHostileAddressesMakeNoLinks(t *testing.T) {
	addresses := []string{
		"javascript:alert(1)", "JaVaScRiPt://example.org/%0aalert(1)", "data:text/html,<script>alert(1)</script>", "vbscript:x", "file:///etc/passwd",
		"//evil.example/x", "https://user:password@evil.example/", "https://evil.example/ onclick=alert(1)", "https://", "", "debian:10",
		"https://evil.example/\x1b]8;;x\x07", "https://evil.example/\u202e", strings.Repeat("https://evil.example/", 1000),
	}
	for _, text := range hostileTexts {
		addresses = append(addresses, text, "https://example.org/"+text)
	}
	links := map[string]func(*testing.T, string) []string{"report html": htmlLinks, "report markdown": markdownLinks, "summary of a step": markdownLinks, "comment of a change": markdownLinks}
	all := sinks()
	for _, address := range addresses {
		o := reporttest.Outcome()
		for i := range o.Findings {
			o.Findings[i].References = []string{address}
		}
		for name, read := range links {
			written := all[name].write(t, o, report.Options{Links: document.Links{Job: address, Report: address, Source: address}})
			for _, link := range read(t, written) {
				if !strings.HasPrefix(link, "https://") && !strings.HasPrefix(link, "http://") && !strings.HasPrefix(link, "#") || strings.Contains(link, "password") {
					t.Errorf("%s: %q makes a link to %q", name, address, link)
				}
			}
			reporttest.NoRawControls(t, []byte(written), false)
		}
	}
}
