package dockerfile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
)

var (
	noIgnores   = Options{Inline: InlineIgnores{Disallow: true}}
	withReasons = Options{Inline: InlineIgnores{RequireReason: true}}
)

var ignoreCases = table{
	"PC-DF223": {
		{name: "ours", text: "«# portcullis ignore=PC-DF003 x»\nUSER app\n"},
		{name: "hadolint's", text: "«# hadolint ignore=DL3066»\nUSER app\n"},
		{name: "global", text: "«# hadolint global ignore=DL3066,DL3006»\nFROM debian\nUSER app\n"},
		{name: "inside an instruction", text: "RUN a \\\n  «# hadolint ignore=DL3004»\n  && b\n"},
		{name: "none", text: "USER app\n"},
		{name: "another comment", text: "# ignore DL3066\nUSER app\n"},
		{name: "the shell", text: "# hadolint shell=bash\nUSER app\n"},
		{name: "in a here-document", text: "RUN <<EOF\n# hadolint ignore=DL3066\nEOF\n"},
	},
	"PC-DF401": {
		{name: "a number too high", text: "# hadolint ignore=«DL9999»\nUSER app\n"},
		{name: "one of several", text: "# portcullis ignore=PC-DF003, «PC-XX» why\nUSER app\n"},
		{name: "a word", text: "# hadolint ignore=«everything»\nUSER app\n"},
		{name: "global", text: "# hadolint global ignore=«DL1»\nFROM a:1\n"},
		{name: "ours", text: "# portcullis ignore=PC-DF003\nUSER app\n"},
		{name: "an alias", text: "# hadolint ignore=DL3066,CKV_DOCKER_8\nUSER app\n"},
		{name: "ShellCheck's", text: "# hadolint ignore=SC1091\nRUN . /x\n"},
		{name: "of another detector", text: "# portcullis ignore=k8s-x\nUSER app\n", opts: Options{KnownRule: func(n string) bool { return n == "k8s-x" }}},
	},
	"PC-DF402": {
		{name: "nothing there", text: "# hadolint ignore=«DL3066»\nUSER 1\n"},
		{name: "one of two", text: "# hadolint ignore=DL3066,«DL3002»\nUSER app\n"},
		{name: "a blank line between", text: "# hadolint ignore=«DL3066»\n\nUSER app\n"},
		{name: "the wrong stage", text: "FROM a:1\n# hadolint stage ignore=«DL3066»\nRUN true\nFROM b:1\nUSER app\n"},
		{name: "of use", text: "# hadolint ignore=DL3066\nUSER app\n"},
		{name: "ShellCheck's", text: "# hadolint ignore=SC1091\nRUN . /x\n"},
		{name: "stacked", text: "# hadolint ignore=DL3064\n# note\nENV TOKEN=abc\n# hadolint ignore=DL3066\n# hadolint ignore=DL3066\nUSER app\n"},
		{name: "not allowed at all", text: "# hadolint ignore=DL3066\nUSER 1\n", opts: noIgnores},
	},
	"PC-DF403": {
		{name: "not allowed", text: "«# hadolint ignore=DL3066 why»\nUSER app\n", opts: noIgnores},
		{name: "once a comment", text: "«# hadolint ignore=DL3066,DL3002»\nUSER app\n", opts: noIgnores},
		{name: "no reason", text: "«# portcullis ignore=PC-DF003»\nUSER app\n", opts: withReasons},
		{name: "an empty reason", text: "«# hadolint ignore=DL3066 #»\nUSER app\n", opts: withReasons},
		{name: "a reason", text: "# portcullis ignore=PC-DF003 the cluster maps it\nUSER app\n", opts: withReasons},
		{name: "hadolint's reason", text: "# hadolint ignore=DL3066 # the cluster maps it\nUSER app\n", opts: withReasons},
		{name: "allowed", text: "# hadolint ignore=DL3066\nUSER app\n"},
		{name: "none", text: "USER app\n", opts: noIgnores},
	},
}

// waived lists the places of the rule's findings that a comment waived.
func waived(t *testing.T, text, id string, opts Options) (waived, open []int) {
	t.Helper()
	for _, f := range lint(t, text, opts).Findings {
		switch {
		case f.RuleID != id:
		case f.Status == finding.Waived:
			waived = append(waived, f.Locations[0].Line)
		default:
			open = append(open, f.Locations[0].Line)
		}
	}
	return waived, open
}

func TestIgnoreScopes(t *testing.T) {
	tests := []struct {
		name, text   string
		opts         Options
		waived, open []int
	}{
		{"the instruction below", "FROM a:1\n# hadolint ignore=DL3004\nRUN a \\\n && sudo b\nRUN sudo c\n", Options{}, []int{4}, []int{5}},
		{"in any letter case", "FROM a:1\n# Portcullis ignore=pc-df004\nRUN sudo b\n", Options{}, []int{3}, nil},
		{"stacked comments", "FROM a:1\n# hadolint ignore=DL3004\n# hadolint ignore=DL3027\n# note\nRUN sudo b\n", Options{}, []int{5}, nil},
		{"an unknown name does not void the others", "FROM a:1\n# hadolint ignore=DL3004,DLX\nRUN sudo b\n", Options{}, []int{3}, nil},
		{"a line inside an instruction", "FROM a:1\nRUN sudo a \\\n # portcullis ignore=PC-DF004 x\n && sudo b \\\n && sudo c\n", Options{}, []int{4}, []int{2, 5}},
		{"a stage from above FROM", "# hadolint stage ignore=DL3004\nFROM a:1\nRUN sudo a\nFROM b:1\nRUN sudo b\n", Options{}, []int{3}, []int{5}},
		{"a stage from inside", "FROM a:1\nRUN sudo a\n# hadolint stage ignore=DL3004\nRUN sudo b\nFROM b:1\nRUN sudo c\n", Options{}, []int{2, 4}, []int{6}},
		{"the whole file", "# hadolint global ignore=DL3004\n\nFROM a:1\nRUN sudo a\nRUN sudo b\n", Options{}, []int{4, 5}, nil},
		{"not when disallowed", "FROM a:1\n# hadolint ignore=DL3004\nRUN sudo a\n", noIgnores, nil, []int{3}},
		{"not without a demanded reason", "FROM a:1\n# hadolint ignore=DL3004\nRUN sudo a\n# hadolint ignore=DL3004 ok\nRUN sudo b\n", withReasons, []int{5}, []int{3}},
		{"by configuration", "FROM a:1\nRUN sudo a\n", Options{Ignore: map[string]string{"DL3004": "old"}}, []int{2}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			gotWaived, gotOpen := waived(t, tt.text, "PC-DF004", tt.opts)
			if diff := cmp.Diff([][]int{tt.waived, tt.open}, [][]int{gotWaived, gotOpen}); diff != "" {
				t.Errorf("waived and open lines (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheReasonIsKept(t *testing.T) {
	for _, f := range lint(t, "FROM a:1\n# hadolint ignore=DL3004 # the base needs it\nRUN sudo a\n", Options{}).Findings {
		if f.RuleID == "PC-DF004" && f.StatusReason != "ignore comment on line 2: the base needs it" {
			t.Errorf("reason = %q", f.StatusReason)
		}
	}
}

func TestHadolintConfiguration(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", "dockerfile", "hadolint.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	h, err := ParseHadolint(".hadolint.yaml", content)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"format", "something-new"}, h.Unknown); diff != "" {
		t.Errorf("unknown keys (-want +got):\n%s", diff)
	}
	opts := h.Apply(Options{})
	text := "FROM quay.io/a/b\n# hadolint ignore=DL3002\nUSER root\nRUN apt-get install -y x\nLABEL version=one\nHEALTHCHECK NONE\n"
	got := make(map[string]string)
	for _, f := range Lint(context.Background(), []File{{Path: "Dockerfile", Content: []byte(text)}}, opts).Findings {
		got[f.RuleID] = f.Severity.String() + " " + string(f.Status) + " " + f.SeveritySource
	}
	want := map[string]string{
		"PC-DF001": "high open portcullis",       // the comment is void
		"PC-DF005": "high open .hadolint.yaml",   // override: error
		"PC-DF008": "high open portcullis",       // trustedRegistries
		"PC-DF201": "info waived portcullis",     // ignored
		"PC-DF211": "medium open .hadolint.yaml", // override: warning
		"PC-DF301": "info open portcullis",       // label-schema: maintainer
		"PC-DF308": "medium open portcullis",     // label-schema: version
		"PC-DF403": "medium open portcullis",     // disable-ignore-pragma
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

func TestFaultyHadolintConfigurationsAreUsageErrors(t *testing.T) {
	for name, content := range map[string]string{
		"no YAML":               "ignored: [DL3008\nx: {",
		"a list":                "- DL3008\n",
		"a word":                "https://user@example.com\n",
		"a number for a list":   "ignored: {a: 1}\n",
		"an unknown threshold":  "failure-threshold: fatal\n",
		"an unknown label type": "label-schema:\n  a: colour\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseHadolint(".hadolint.yaml", []byte(content))
			var e *exit.Error
			if !errors.As(err, &e) || e.Code != exit.Usage {
				t.Errorf("error = %v, want one with exit code 2", err)
			}
		})
	}
	for _, empty := range []string{"", "---\n", "# nothing\n", "~\n"} {
		if h, err := ParseHadolint(".hadolint.yaml", []byte(empty)); err != nil || len(h.Ignored) != 0 {
			t.Errorf("an empty file %q: %v", empty, err)
		}
	}
}

func TestHadolintEnvironment(t *testing.T) {
	h, err := HadolintEnv(Hadolint{Ignored: []string{"DL3000"}}, []string{
		"HADOLINT_IGNORE=DL3008, DL3009", "HADOLINT_OVERRIDE_ERROR=DL3002", "HADOLINT_FAILURE_THRESHOLD=warning", "HADOLINT_NOFAIL=true",
		"HADOLINT_REQUIRE_LABELS=a:semver,b:text", "HADOLINT_STRICT_LABELS=1", "PATH=/bin",
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"DL3000", "DL3008", "DL3009"}, h.Ignored); diff != "" {
		t.Errorf("ignored (-want +got):\n%s", diff)
	}
	severity, fails, _ := h.Threshold()
	if severity != finding.Medium || fails || h.LabelSchema["a"] != "semver" || !h.StrictLabels {
		t.Errorf("threshold %s, fails %v, labels %v", severity, fails, h.LabelSchema)
	}
	if _, err := HadolintEnv(Hadolint{}, []string{"HADOLINT_FAILURE_THRESHOLD=x"}); exit.CodeOf(err) != exit.Usage {
		t.Errorf("a faulty threshold: %v", err)
	}
}

// FuzzHadolint: a configuration is read or refused with exit code 2, and what
// was read can be applied.
func FuzzHadolint(f *testing.F) {
	f.Add("ignored: [DL3008]\noverride:\n  error: [DL3006]\nlabel-schema: {a: semver}\n")
	f.Add("failure-threshold: none\nstrict-labels: yes\n- x")
	f.Fuzz(func(t *testing.T, content string) {
		h, err := ParseHadolint(".hadolint.yaml", []byte(content))
		if err != nil {
			if exit.CodeOf(err) != exit.Usage {
				t.Errorf("exit code %d for %v", exit.CodeOf(err), err)
			}
			return
		}
		newLinter(h.Apply(Options{}))
	})
}

func TestRetiredNamesOfHadolintStillIgnore(t *testing.T) {
	for name, command := range map[string]string{
		"DL3005": "apt-get -y dist-upgrade", "DL3017": "apk upgrade", "DL3031": "yum -y update", "DL3039": "dnf -y update",
	} {
		gotWaived, gotOpen := waived(t, "FROM a:1\n# hadolint ignore="+name+"\nRUN "+command+"\n", "PC-DF033", Options{})
		if len(gotWaived) != 1 || len(gotOpen) != 0 {
			t.Errorf("%s: waived %v, open %v", name, gotWaived, gotOpen)
		}
	}
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("index out of range") }

func TestAPanicIsAHadolintFileThatCannotBeRead(t *testing.T) {
	h, err := readHadolint(".hadolint.yaml", panicking{})
	if err == nil || !strings.Contains(err.Error(), "read hadolint configuration .hadolint.yaml: read YAML: the parser gave up: index out of range") || len(h.Ignored) > 0 {
		t.Errorf("got %+v, %v", h, err)
	}
	if known := (*exit.Error)(nil); !errors.As(err, &known) || known.Code != exit.Usage {
		t.Errorf("got %v, want a usage error", err)
	}
}
