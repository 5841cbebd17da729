package ci_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	renderer "github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"golang.org/x/net/html"
)

// This file reads what portcullis writes as its readers do.

// runnerLines are the lines that a runner reads: a carriage return ends one
// too.
func runnerLines(log string) []string {
	return strings.FieldsFunc(log, func(r rune) bool { return r == '\r' || r == '\n' })
}

// unescape undoes what the runner undoes in a command.
func unescape(s string, property bool) string {
	if property {
		s = strings.NewReplacer("%3A", ":", "%2C", ",").Replace(s)
	}
	return strings.ReplaceAll(strings.NewReplacer("%0D", "\r", "%0A", "\n").Replace(s), "%25", "%")
}

// workflowCommands are the commands that GitHub's runner reads in a log, with
// their properties and the number of lines that each message has:
// https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
func workflowCommands(t *testing.T, log string) []string {
	t.Helper()
	var all []string
	for _, line := range runnerLines(log) {
		// The runner tries the other form first, but other runners may not.
		if i := strings.Index(line, "##["); i >= 0 && strings.Contains(line[i:], "]") {
			all = append(all, "old form: "+line[i:min(i+40, len(line))])
			continue
		}
		rest, found := strings.CutPrefix(strings.TrimLeft(line, " \t\v\f\u00a0\u2028\u2029\u0085"), "::")
		info, message, ended := strings.Cut(rest, "::")
		if !found || !ended {
			continue
		}
		name, properties, _ := strings.Cut(strings.TrimSpace(info), " ")
		command := name
		for _, property := range strings.Split(properties, ",") {
			key, value, _ := strings.Cut(property, "=")
			command += " " + key
			if value = unescape(value, true); strings.ContainsAny(value, "\r\n") {
				t.Errorf("the property %s has several lines: %q", key, value)
			}
		}
		message = unescape(message, false)
		if message == "" || len(message) > 4096 {
			t.Errorf("%s: a message of %d bytes", name, len(message))
		}
		if strings.Contains(message, "\r") {
			t.Errorf("%s: the message has a carriage return: %q", name, message)
		}
		for _, line := range strings.Split(message, "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "##[") {
				t.Errorf("%s: a line of the message is a command: %q", name, line)
			}
		}
		all = append(all, command)
	}
	return all
}

// azureCommands are the commands that the agent of Azure Pipelines reads,
// https://github.com/microsoft/azure-pipelines-agent/blob/master/src/Microsoft.VisualStudio.Services.Agent/Command.cs
func azureCommands(t *testing.T, log string) []string {
	t.Helper()
	var all []string
	for _, line := range runnerLines(log) {
		if _, formatting, found := strings.Cut(line, "##["); found && strings.Contains(formatting, "]") {
			all = append(all, "formatting: "+formatting)
		}
		_, rest, found := strings.Cut(line, "##vso[")
		info, message, ended := strings.Cut(rest, "]")
		if !found || !ended {
			continue
		}
		if strings.Contains(message, "##vso[") {
			t.Errorf("a command within the message of one: %q", line)
		}
		name, properties, _ := strings.Cut(info, " ")
		for _, property := range strings.Split(properties, ";") {
			key, _, _ := strings.Cut(property, "=")
			name += " " + key
		}
		all = append(all, name)
	}
	return all
}

// outputFile are the names of the outputs that the runner reads.
func outputFile(t *testing.T, content string) []string {
	t.Helper()
	var names []string
	lines := strings.Split(content, "\n")
	for i := 0; i < len(lines); i++ {
		if lines[i] == "" {
			continue
		}
		name, delimiter, block := strings.Cut(lines[i], "<<")
		if !block {
			t.Errorf("an output without a delimiter: %q", lines[i])
			continue
		}
		for i++; i < len(lines) && lines[i] != delimiter; i++ {
		}
		if i == len(lines) {
			t.Errorf("the output %s does not end", name)
		}
		names = append(names, name)
	}
	return names
}

// variables are the names in a dotenv report, which knows no quoting.
func variables(t *testing.T, content string) []string {
	t.Helper()
	var names []string
	for line := range strings.Lines(content) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if !regexp.MustCompile(`^[A-Za-z0-9_:.-]+$`).MatchString(value) {
			t.Errorf("the value of %s needs quoting: %q", name, value)
		}
		// What is not a digest is left out, whatever text stands in its place.
		names = append(names, name)
	}
	return names
}

// reference matches what hosts link in the text of rendered Markdown: people,
// issues, merge requests, labels and addresses of mail.
var reference = regexp.MustCompile(`(^|\W)[@!~$%][A-Za-z0-9]|#\d|(?i)\bGH-\d|[\w.+-]@[\w-]+\.\w`)

// order matches what GitLab obeys at the start of a line of a note.
var order = regexp.MustCompile(`(?m)^[ \t]*/[a-z]`)

func markdownDocument(t *testing.T, source string) ast.Node {
	t.Helper()
	return goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader([]byte(source)))
}

// markdownTree are the blocks and spans of a text as GitHub parses it, and the
// markup in it.
func markdownTree(t *testing.T, source string) []string {
	t.Helper()
	for _, text := range renderedText(t, source) {
		if found := reference.FindString(text); found != "" {
			t.Errorf("a reference to somebody or something: %q in %q", found, text)
		}
	}
	if found := order.FindString(source); found != "" {
		t.Errorf("an order to GitLab: %q", found)
	}
	var all []string
	err := ast.Walk(markdownDocument(t, source), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Text, *ast.String:
			return ast.WalkContinue, nil
		case *ast.RawHTML:
			// Foreign text may become code, which is text too.
			if tag := string(n.Segments.Value([]byte(source))); !slices.Contains([]string{"<code>", "</code>", "<span>", "</span>"}, tag) {
				all = append(all, tag)
			}
		case *ast.HTMLBlock:
			all = append(all, string(n.Lines().Value([]byte(source))))
		default:
			all = append(all, n.Kind().String())
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// renderedText are the pieces of text of rendered Markdown in which hosts look
// for references: outside of links and code, except that an address of mail is
// made a link in code too, where no tag keeps its parts apart.
func renderedText(t *testing.T, source string) []string {
	t.Helper()
	var page bytes.Buffer
	markdown := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(renderer.WithUnsafe()))
	if err := markdown.Convert([]byte(source), &page); err != nil {
		t.Fatal(err)
	}
	var all []string
	inside := 0
	htmlTokens(t, page.String(), func(token html.Token) {
		if token.Data == "a" || token.Data == "code" {
			switch token.Type {
			case html.StartTagToken:
				inside++
			case html.EndTagToken:
				inside--
			}
		}
		if token.Type != html.TextToken {
			return
		}
		if inside == 0 {
			all = append(all, token.Data)
		} else if address := mail.FindString(token.Data); address != "" {
			t.Errorf("an address of mail in code or a link: %q", token.Data)
		}
	})
	return all
}

// mail matches what GitHub makes a link to an address of mail.
var mail = regexp.MustCompile(`[\w.+-]@[\w-]+(\.[\w-]+)*\.[\w-]*[A-Za-z]\b`)

func markdownLinks(t *testing.T, source string) []string {
	t.Helper()
	var all []string
	err := ast.Walk(markdownDocument(t, source), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Link:
			all = append(all, string(n.Destination))
		case *ast.Image:
			t.Errorf("an image: %s", n.Destination)
		case *ast.AutoLink:
			all = append(all, string(n.URL([]byte(source))))
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func htmlTokens(t *testing.T, page string, each func(html.Token)) {
	t.Helper()
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		if z.Next() == html.ErrorToken {
			if !errors.Is(z.Err(), io.EOF) {
				t.Fatal(z.Err())
			}
			return
		}
		each(z.Token())
	}
}

// elements are the tags of a page with the names of their attributes.
func elements(t *testing.T, page string) []string {
	t.Helper()
	var all []string
	htmlTokens(t, page, func(token html.Token) {
		if token.Type == html.TextToken || token.Data == "code" && len(token.Attr) == 0 {
			return // foreign text may become code, which is text too
		}
		if token.Type == html.CommentToken {
			all = append(all, "comment")
			return
		}
		tag := token.Type.String() + " " + token.Data
		for _, a := range token.Attr {
			tag += " " + a.Key
		}
		all = append(all, tag)
	})
	return all
}

func htmlLinks(t *testing.T, page string) []string {
	t.Helper()
	var all []string
	htmlTokens(t, page, func(token html.Token) {
		for _, a := range token.Attr {
			if a.Key == "href" || a.Key == "src" {
				all = append(all, a.Val)
			}
		}
		// The script makes links of these alone.
		if token.Type == html.TextToken && strings.HasPrefix(token.Data, `{"findings":`) {
			var data struct {
				Findings []struct{ Links []string }
				Files    []struct{ Link string }
			}
			if err := json.Unmarshal([]byte(token.Data), &data); err != nil {
				t.Fatal(err)
			}
			for _, f := range data.Findings {
				all = append(all, f.Links...)
			}
			for _, f := range data.Files {
				if f.Link != "" {
					all = append(all, f.Link)
				}
			}
		}
	})
	return all
}

// xmlTree are the elements of a document with the names of their attributes.
func xmlTree(t *testing.T, document string) []string {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(document))
	var all []string
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("it is no XML: %v", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			tag := token.Name.Local
			for _, a := range token.Attr {
				tag += " " + a.Name.Local
			}
			all = append(all, tag)
		case xml.Comment, xml.Directive:
			all = append(all, "comment or directive")
		}
	}
}

// jsonTree are the paths of a JSON document, sorted: keys made of foreign text
// count as one. URIs of a SARIF log must be relative.
func jsonTree(t *testing.T, document string) []string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(document), &v); err != nil {
		t.Fatalf("it is no JSON: %v", err)
	}
	var all []string
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, value := range v {
				if key == "uri" && strings.HasSuffix(path, ".artifactLocation") {
					u, err := url.Parse(value.(string))
					if err != nil || u.IsAbs() || u.Host != "" || u.Path == "" || strings.HasPrefix(u.Path, "/") || slices.Contains(strings.Split(u.Path, "/"), "..") {
						t.Errorf("the place %q is not relative to the repository: %v", value, err)
					}
				}
				if strings.HasSuffix(path, ".packages") {
					key = "type"
				}
				walk(path+"."+key, value)
			}
		case []any:
			for _, value := range v {
				walk(path+"[]", value)
			}
		default:
			all = append(all, path)
		}
	}
	walk("", v)
	slices.Sort(all)
	return all
}
