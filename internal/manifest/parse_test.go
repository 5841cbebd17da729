package manifest

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

// parseOne parses text that must be one readable document.
func parseOne(t *testing.T, text string) *Document {
	t.Helper()
	docs := Parse(File{Path: "a.yaml", Content: []byte(text)}, Limits{})
	if len(docs) != 1 {
		t.Fatalf("%d documents, want 1: %+v", len(docs), docs)
	}
	if docs[0].Root == nil {
		t.Fatalf("the document cannot be read: %+v", docs[0].Problems)
	}
	return &docs[0]
}

func TestSpansPointAtKeyAndValue(t *testing.T) {
	tests := []struct {
		name, text string
		path       []string
		want       Span
	}{
		{"a plain value ends with its last character", "a: 1\nspec:\n  key: value  # note\n", []string{"spec", "key"}, Span{3, 3, 13}},
		{"a double-quoted value includes its quotes", `key: "a\"b" `, []string{"key"}, Span{1, 1, 12}},
		{"a single-quoted value includes its quotes", "key: 'it''s' # x", []string{"key"}, Span{1, 1, 13}},
		{"a map's key stands alone", "spec:\n  key: value\n", []string{"spec"}, Span{1, 1, 5}},
		{"a missing field is at the key that encloses it", "spec:\n  key: value\n", []string{"spec", "other", "more"}, Span{1, 1, 5}},
		{"flow style has columns too", "spec: {a: 1, key: value}", []string{"spec", "key"}, Span{1, 14, 24}},
		{"columns count code points, not bytes", "é🙂: {ü: 1, key: v}", []string{"é🙂", "key"}, Span{1, 12, 18}},
		{"a block scalar ends with its header", "key: |-\n  text\n", []string{"key"}, Span{1, 1, 8}},
		{"an anchor belongs to the value", "key: &a value", []string{"key"}, Span{1, 1, 14}},
		{"a tag belongs to the value", "key: !!str true", []string{"key"}, Span{1, 1, 16}},
		{"a plain value of several lines ends with the first", "key: one\n  two\n", []string{"key"}, Span{1, 1, 9}},
		{"a quoted value of several lines ends with the first", "key: \"one\n  two\"\n", []string{"key"}, Span{1, 1, 10}},
		{"windows line ends count as one", "a: 1\r\nkey: value\r\n", []string{"key"}, Span{2, 1, 11}},
		{"JSON is read with tabs", "{\n\t\"spec\": {\n\t\t\"key\": \"v\"\n\t}\n}", []string{"spec", "key"}, Span{3, 3, 13}},
		{"the separator U+2028 is no new line to an editor", "a: \"x\u2028y\"\nkey: v\n", []string{"key"}, Span{2, 1, 7}},
		{"an escaped surrogate pair does not break JSON", `{"a": "\ud83d\ude00", "key": 1}`, []string{"key"}, Span{1, 23, 31}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			doc := parseOne(t, tt.text)
			got := NewPlace(doc.Root).At(tt.path...).Span()
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("span (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAliasesAndMergeKeysPointAtTheAnchor(t *testing.T) {
	doc := parseOne(t, "base: &base\n  a: 1\n  b: 2\nalias: *base\nmerged:\n  <<: *base\n  b: 3\nmany:\n  <<: [{a: 7}, {a: 8, c: 9}]\n")
	root := NewPlace(doc.Root)
	for _, tt := range []struct {
		path  []string
		value string
		line  int
	}{
		{[]string{"alias", "a"}, "1", 2},
		{[]string{"merged", "a"}, "1", 2},
		{[]string{"merged", "b"}, "3", 7},
		{[]string{"many", "a"}, "7", 9},
		{[]string{"many", "c"}, "9", 9},
	} {
		p := root.At(tt.path...)
		if p.Text() != tt.value || p.Span().Line != tt.line {
			t.Errorf("%v = %q on line %d, want %q on line %d", tt.path, p.Text(), p.Span().Line, tt.value, tt.line)
		}
	}
}

func TestScalarsAreReadAsTheAPIServerReadsThem(t *testing.T) {
	doc := parseOne(t, `plain: yes
quoted: "yes"
single: 'true'
off: {v: Off}
tagged: !!str true
bool: TRUE
int: 0755
hex: 0x1F
under: 1_000
float: 1.5
nothing:
tilde: ~
date: 2024-01-01
block: |
  true
text: yes please
`)
	var got []string
	for _, f := range doc.Root.Fields() {
		got = append(got, fmt.Sprintf("%s %s", f.Key.Value, f.Value.Kind))
	}
	want := []string{
		"plain a boolean", "quoted a string", "single a string", "false a map", "tagged a string", "bool a boolean",
		"int an integer", "hex an integer", "under an integer", "float a number", "nothing null", "tilde null",
		"date a string", "block a string", "text a string",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
	for key, want := range map[string]int64{"int": 0o755, "hex": 31, "under": 1000} {
		if n, ok := NewPlace(doc.Root).At(key).Int(); !ok || n != want {
			t.Errorf("%s = %d, want %d", key, n, want)
		}
	}
}

func TestDocumentsAreFoundWhereverTheyBegin(t *testing.T) {
	tests := []struct {
		name, text string
		lines      []int
	}{
		{"three documents", "a: 1\n---\nb: 1\n---\nc: 1\n", []int{1, 2, 4}},
		{"a comment behind the marker", "a: 1\n--- # second\nb: 1\n", []int{1, 2}},
		{"content behind the marker", "a: 1\n--- {b: 1}\n", []int{1, 2}},
		{"an end marker", "a: 1\n...\nb: 1\n", []int{1, 3}},
		{"a directive in front of each", "%YAML 1.1\n---\na: 1\n...\n%YAML 1.2\n---\nb: 1\n", []int{1, 5}},
		{"an unknown version in a directive", "%YAML 2.0\n---\na: 1\n", []int{1}},
		{"empty documents do not count", "---\n---\n# nothing\n---\na: 1\n---\n", []int{4}},
		{"windows line ends", "a: 1\r\n---\r\nb: 1\r\n", []int{1, 2}},
		{"a marker inside of a block scalar ends it", "a: |\n  text\n---\nb: 1\n", []int{1, 3}},
		{"an indented marker is text", "a: |\n  x\n  ---\n  y\n", []int{1}},
		{"a word that begins like a marker is text", "---a: 1\n", []int{1}},
		{"a comment right behind the dashes", "a: 1\n---# second\nb: 1\n", []int{1, 2}},
		{"JSON values one after the other", "{\"a\": 1}\n{\"b\": 2} {\"c\": 3}\n", []int{1, 2, 2}},
		{"a byte order mark", "\ufeffa: 1\n---\nb: 1\n", []int{1, 2}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var lines []int
			for _, doc := range Parse(File{Path: "a.yaml", Content: []byte(tt.text)}, Limits{}) {
				if doc.Root == nil {
					t.Errorf("document on line %d cannot be read: %v", doc.Line, doc.Problems)
				}
				lines = append(lines, doc.Line)
			}
			if diff := cmp.Diff(tt.lines, lines); diff != "" {
				t.Errorf("first lines (-want +got):\n%s", diff)
			}
		})
	}
}

// Templates that trim one line end too many are common, and Helm installs what
// they make.
func TestDocumentsOfChartsBeginRightBehindTheMarker(t *testing.T) {
	text := "---a: 1\nb: 2\n---  c: 3\n---# note\nd: 4\n--- # note\ne: 5\n---\nf: 6\n"
	var got []string
	for _, doc := range Parse(File{Path: "a.yaml", Content: []byte(text), Chart: true}, Limits{}) {
		if doc.Root == nil {
			t.Fatalf("document on line %d cannot be read: %v", doc.Line, doc.Problems)
		}
		for _, f := range NewPlace(doc.Root).Fields() {
			got = append(got, fmt.Sprintf("%d %s %d:%d-%d", doc.Index, f.Name(), f.Span().Line, f.Span().Column, f.Span().EndColumn))
		}
	}
	want := []string{"0 a 1:4-8", "0 b 2:1-5", "1 c 3:6-10", "2 d 5:1-5", "3 e 7:1-5", "4 f 9:1-5"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	for _, plain := range []string{"a: |\n  x\n  ---b\nc: 1\n", "a: 1\n--b: 2\n"} {
		if docs := Parse(File{Path: "a.yaml", Content: []byte(plain), Chart: true}, Limits{}); len(docs) != 1 {
			t.Errorf("%q: %d documents, want 1", plain, len(docs))
		}
	}
}

func TestABrokenDocumentHidesNoOther(t *testing.T) {
	docs := Parse(File{Path: "a.yaml", Content: []byte("a: 1\n---\nb: [1,\n  2\nc: {\n---\nd: \"x\n---\ne: 1\n")}, Limits{})
	var got []string
	for _, d := range docs {
		got = append(got, fmt.Sprintf("%d %v", d.Line, d.Root != nil))
	}
	if diff := cmp.Diff([]string{"1 true", "2 false", "6 false", "8 true"}, got); diff != "" {
		t.Errorf("documents (-want +got):\n%s", diff)
	}
}

func TestProblemsAreNamedAtTheirLine(t *testing.T) {
	laughs := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	merges := "m0: &m0 {" + manyKeys(50) + "}\n"
	for i := 1; i < 12; i++ {
		ref := fmt.Sprintf("*a%d", i-1)
		laughs += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(ref+", ", 10), ", "))
		merges += fmt.Sprintf("m%d: &m%d {a%d: *m%d, b%d: *m%d, <<: *m%d}\n", i, i, i, i-1, i, i-1, i-1)
	}
	tests := []struct {
		name, text, message string
		line                int
	}{
		{"a tab in front of a key", "spec:\n\tkey: 1\n", "tab", 2},
		{"an unclosed quote", "a: 1\nb: \"x\nc: 1\n", "unexpected end of stream", 2},
		{"a key inside of a value", "a: 1\nb: c: d\n", "mapping values", 2},
		{"a duplicate key", "a: 1\nb: 2\na: 3\n", `the key "a" is there twice, first on line 1`, 3},
		{"a duplicate key that differs in its quotes", "a:\n  b: 1\n  \"b\": 2\n", `the key "b" is there twice`, 3},
		{"an alias to nothing", "a: 1\nb: *x\n", "unknown anchor", 2},
		{"an alias to itself", "a: &a\n  b: *a\n", "part of its own anchor", 2},
		{"a billion laughs", laughs, "aliases counted as often as they are used", 6},
		{"a merge bomb", merges, "aliases counted as often as they are used", 9},
		{"deep flow lists", "a: " + strings.Repeat("[", 500) + strings.Repeat("]", 500), "nested more than 200 levels", 1},
		{"very deep flow lists", "a: " + strings.Repeat("[", 20000) + strings.Repeat("]", 20000), "depth", 1},
		{"a map as a key", "a: 1\n? {b: c}\n: d\n", "keys have to be strings", 2},
		{"a merge key with text", "a: 1\nb:\n  <<: text\n", "merge key << needs a map", 3},
		{"bytes that are no text", "a: \xff\xfe", "neither UTF-8 nor UTF-16", 1},
		{"a zero byte", "a: 1\nb: \x00 c\n", "control characters", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			docs := Parse(File{Path: "a.yaml", Content: []byte(tt.text)}, Limits{Nodes: 1_000_000})
			if len(docs) != 1 || len(docs[0].Problems) == 0 {
				t.Fatalf("no problem found: %+v", docs)
			}
			p := docs[0].Problems[0]
			if !strings.Contains(p.Message, tt.message) || p.Span.Line != tt.line {
				t.Errorf("line %d: %s; want line %d and %q", p.Span.Line, p.Message, tt.line, tt.message)
			}
		})
	}
}

func manyKeys(n int) string {
	var keys []string
	for i := range n {
		keys = append(keys, fmt.Sprintf("k%d: 1", i))
	}
	return strings.Join(keys, ", ")
}

func TestUTF16IsRead(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, mark := range []string{"\ufeff", ""} {
			var content []byte
			for _, u := range utf16.Encode([]rune(mark + "a: 1\nkey: ü🙂\n")) {
				content = order.AppendUint16(content, u)
			}
			docs := Parse(File{Path: "a.yaml", Content: content}, Limits{})
			if len(docs) != 1 || docs[0].Root.Get("key").Value != "ü🙂" {
				t.Errorf("%v with mark %q: %+v", order, mark, docs)
			}
		}
	}
}

func TestLimitsAreKept(t *testing.T) {
	big := strings.Repeat("a: [1, 2, 3]\n---\n", 1000)
	for name, limits := range map[string]Limits{"bytes": {Bytes: 100}, "nodes": {Nodes: 100, FileNodes: 100}} {
		docs := Parse(File{Path: "a.yaml", Content: []byte(big)}, limits)
		last := docs[len(docs)-1]
		if name == "nodes" && len(docs) > 30 {
			t.Errorf("%d documents are reported after the limit", len(docs))
		}
		if len(last.Problems) == 0 || name == "bytes" && last.Root != nil {
			t.Errorf("limit of %s: the last document was read all the same", name)
		}
	}
	dense := strings.Repeat("a,", 1000)
	docs := Parse(File{Path: "a.yaml", Content: []byte("[" + dense + "]")}, Limits{Nodes: 100})
	if docs[0].Root != nil {
		t.Error("a dense document was read in spite of the limit")
	}
}

// bombs returns a short document and a long one with more values than 10,000,
// for what their aliases and merge keys repeat.
func bombs() (bomb, wide string) {
	bomb = "b0: &b0 [x, x, x, x, x, x, x, x, x, x]\n"
	wide = "w: {" + manyKeys(4000) + "}\n" + "w0: &w0 {" + manyKeys(50) + "}\n"
	for i := 1; i < 12; i++ {
		bomb += fmt.Sprintf("b%d: &b%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*b%d, ", i-1), 10), ", "))
	}
	wide += "x: {<<: [" + strings.TrimSuffix(strings.Repeat("*w0, ", 300), ", ") + "]}\n"
	return bomb, wide
}

func TestADocumentThatIsTooMuchHidesNoOther(t *testing.T) {
	bomb, _ := bombs()
	text := "a: 1\n---\n" + strings.Repeat(bomb+"---\n", 20) + "e: [1, 2, 3]\n"
	docs := Parse(File{Path: "a.yaml", Content: []byte(text)}, Limits{Nodes: 10_000})
	if len(docs) != 22 || docs[0].Root == nil || docs[21].Root == nil || len(docs[21].Problems) > 0 {
		t.Fatalf("%d documents, the last %+v", len(docs), docs[len(docs)-1])
	}
	for _, d := range docs[1:21] {
		if d.Root != nil || len(d.Problems) != 1 || !strings.Contains(d.Problems[0].Message, "the document has more than 10000 values") {
			t.Errorf("line %d: %+v", d.Line, d.Problems)
		}
		if at := d.Problems[0].Span.Line; at <= d.Line || at > d.EndLine {
			t.Errorf("the problem of lines %d to %d stands on line %d", d.Line, d.EndLine, at)
		}
	}
}

// What was built of documents that were given up counts, and so does what
// aliases repeat in those that were not: time has an end as well.
func TestTheRestOfAFileThatIsTooMuchIsSaidOnce(t *testing.T) {
	_, wide := bombs()
	for name, tt := range map[string]struct {
		text  string
		nodes int
	}{
		"many documents":                   {strings.Repeat("a: [1, 2, 3]\n---\n", 1000), 100},
		"repeated values":                  {strings.Repeat("a: &a ["+strings.Repeat("1, ", 40)+"1]\nb: *a\n---\n", 1000), 100},
		"documents that cost much":         {strings.Repeat(wide+"---\n", 20), 10_000},
		"documents that the parser splits": {strings.Repeat("a: &a [1, 2, 3]\rb: [*a, *a, *a]\r---\r", 19), 150},
	} {
		docs := Parse(File{Path: "a.yaml", Content: []byte(tt.text + "last: 1\n")}, Limits{Nodes: tt.nodes})
		rest := 0
		for i, d := range docs {
			for _, p := range d.Problems {
				if strings.Contains(p.Message, "what comes after this document was not looked into") {
					rest++
					if i != len(docs)-1 {
						t.Errorf("%s: documents follow the end", name)
					}
				}
			}
		}
		if last := docs[len(docs)-1]; rest != 1 || last.Root != nil && last.Root.Get("last") != nil {
			t.Errorf("%s: %d documents, the end is said %d times", name, len(docs), rest)
		}
	}
}

func TestALongScalarIsNoReasonToRefuse(t *testing.T) {
	doc := parseOne(t, "a: \""+strings.Repeat("x", 8<<20)+"\"\nkey: 1\n")
	if got := NewPlace(doc.Root).At("key").Span(); got.Line != 2 {
		t.Errorf("key is on line %d, want 2", got.Line)
	}
}

func TestPathsNameItemsByWhatIdentifiesThem(t *testing.T) {
	doc := parseOne(t, "spec:\n  containers:\n    - name: web\n      args: [--a, --b]\n      securityContext: {capabilities: {add: [CHOWN]}}\n    - image: x\n")
	containers := NewPlace(doc.Root).At("spec", "containers").Items()
	got := []string{
		containers[0].At("args").Items()[1].Path(),
		containers[1].At("image").Path(),
		containers[0].At("securityContext", "capabilities", "add").Items()[0].Path(),
		containers[0].At("securityContext", "privileged").Path(),
	}
	want := []string{"spec.containers[web].args[1]", "spec.containers[1].image", "spec.containers[web].securityContext.capabilities.add[CHOWN]", "spec.containers[web].securityContext.privileged"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"a: 1\n---\nb: &x [1, *y]\n", "{\"a\": [1, {\"b\": null}]}", "a: |\n  x\n# c\n", "\ufeffa: 'x'\r\n", "<<: {a: 1}\n", "? a\n: b\n",
		"a: \"\u2028\"\nb: c\rd: e\n", "%YAML 1.2\n---\na: &a {b: !!int 1}\nc: *a\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		limits := Limits{Nodes: 20_000}
		text, err := toUTF8(content)
		lines := strings.Split(string(text), "\n")
		for _, doc := range Parse(File{Path: "a.yaml", Content: content}, limits) {
			if (doc.Root == nil) != (len(doc.Problems) > 0 && doc.Problems[len(doc.Problems)-1].Fatal) {
				t.Fatalf("a document has either a tree or a fatal problem: %+v", doc)
			}
			if err != nil {
				continue
			}
			for _, p := range doc.Problems {
				checkSpan(t, lines, p.Span)
			}
			checkNode(t, lines, doc.Root)
		}
	})
}

// checkNode asserts that all nodes lie within the file.
func checkNode(t *testing.T, lines []string, n *Node) {
	if n == nil {
		return
	}
	checkSpan(t, lines, n.Span())
	for _, f := range n.Fields() {
		checkNode(t, lines, f.Key)
		checkNode(t, lines, f.Value)
	}
	for _, i := range n.Items() {
		checkNode(t, lines, i)
	}
}

func checkSpan(t *testing.T, lines []string, s Span) {
	if s.Line < 1 || s.Line > len(lines) {
		t.Fatalf("line %d of %d", s.Line, len(lines))
	}
	if width := len([]rune(lines[s.Line-1])); s.Column < 0 || s.Column > width+1 || s.EndColumn > width+1 {
		t.Fatalf("columns %d to %d of %d on line %d %q", s.Column, s.EndColumn, width, s.Line, lines[s.Line-1])
	}
}
