package dockerfile

import (
	"context"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// excusing has every key of hadolint that makes a run milder, half of them with
// a reason.
const excusing = `ignored:
  - DL3002
  # the mirror's packages are pinned by date
  - DL3008
  - DL3006 # a base of our own
override:
  style: [DL3059]
  info:
    - DL3025 # our shells hand signals on
  error: [DL3020]
failure-threshold: none
no-fail: true
trustedRegistries: [evil.example]
label-schema: {anything: text}
`

func TestWhatThePolicyAboutIgnoreCommentsLeavesOfAHadolintFile(t *testing.T) {
	high, medium := finding.High, finding.Medium
	tests := []struct {
		name    string
		content string
		policy  InlineIgnores
		failOn  *finding.Severity
		void    []string
		ignored []string
	}{
		{"all where comments are allowed", excusing, InlineIgnores{}, &high, nil, []string{"DL3002", "DL3008", "DL3006"}},
		{
			"nothing milder where there must be none", excusing, noIgnores.Inline, &high,
			[]string{"ignored DL3002", "ignored DL3008", "ignored DL3006", "override DL3025", "no-fail", "failure-threshold"},
			[]string{},
		},
		{
			"what has a comment where a reason is needed", excusing, withReasons.Inline, &high,
			[]string{"ignored DL3002", "no-fail", "failure-threshold"},
			[]string{"DL3008", "DL3006"},
		},
		{"a comment for the whole list", "# agreed on in May\nignored: [DL3002, DL3008]\n", withReasons.Inline, &high, nil, []string{"DL3002", "DL3008"}},
		{"an empty comment is no reason", "ignored:\n  - DL3002 #  \n", withReasons.Inline, &high, []string{"ignored DL3002"}, []string{}},
		{"a lower threshold makes stricter", "failure-threshold: warning\n", noIgnores.Inline, &high, nil, nil},
		{"an equal threshold changes nothing", "failure-threshold: warning\n", noIgnores.Inline, &medium, nil, nil},
		{"a higher threshold makes milder", "failure-threshold: error\n", noIgnores.Inline, &medium, []string{"failure-threshold"}, nil},
		{"any threshold is stricter than none", "failure-threshold: error\n", noIgnores.Inline, nil, nil, nil},
		{"a threshold with a reason", "failure-threshold: none # being introduced\n", withReasons.Inline, &high, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, err := ParseHadolint(".hadolint.yaml", []byte(tt.content))
			if err != nil {
				t.Fatal(err)
			}
			got, void := h.Accept(tt.policy, tt.failOn)
			if diff := cmp.Diff(tt.void, void); diff != "" {
				t.Errorf("void (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.ignored, got.Ignored); diff != "" {
				t.Errorf("ignored (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAVoidOverrideRaisesSeveritiesAndLowersNone(t *testing.T) {
	const text = "FROM a/b:1\nRUN curl http://a.example/x | sh\nADD a /a\nUSER root\n"
	severities := func(h Hadolint) map[string]string {
		got := make(map[string]string)
		for _, f := range Lint(context.Background(), []File{{Path: "Dockerfile", Content: []byte(text)}}, h.Apply(Options{})).Findings {
			got[f.RuleID] = f.Severity.String()
		}
		return got
	}
	plain := severities(Hadolint{})
	h, err := ParseHadolint(".hadolint.yaml", []byte("override: {style: [DL3002], error: [DL3057], warning: [DL3020, DL4006]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := severities(h); got["PC-DF001"] != "info" || got["PC-DF013"] != "medium" {
		t.Fatalf("where comments are allowed, the overrides do not count: %v", got)
	}
	h, _ = h.Accept(noIgnores.Inline, nil)
	want := maps.Clone(plain)
	want["PC-DF017"], want["PC-DF034"] = "medium", "high" // raised, and switched on
	if diff := cmp.Diff(want, severities(h)); diff != "" {
		t.Errorf("severities (-want +got):\n%s", diff)
	}
	// The variables are the job's, and lower what they like.
	h, err = HadolintEnv(h, []string{"HADOLINT_OVERRIDE_STYLE=DL3002"})
	if err != nil {
		t.Fatal(err)
	}
	if got := severities(h)["PC-DF001"]; got != "info" {
		t.Errorf("with the variable PC-DF001 is %s, want info", got)
	}
}

func TestWhatTheVariablesTrustIsNotAddedToByAFileThatExcusesNothing(t *testing.T) {
	environ := []string{"HADOLINT_TRUSTED_REGISTRIES=good.example", "HADOLINT_REQUIRE_LABELS=team:text"}
	for _, tt := range []struct {
		name   string
		policy InlineIgnores
		want   []string
		labels map[string]string
	}{
		{"allowed", InlineIgnores{}, []string{"evil.example", "good.example"}, map[string]string{"anything": "text", "team": "text"}},
		{"none", noIgnores.Inline, []string{"good.example"}, map[string]string{"team": "text"}},
	} {
		h, err := ParseHadolint(".hadolint.yaml", []byte(excusing))
		if err != nil {
			t.Fatal(err)
		}
		h, _ = h.Accept(tt.policy, nil)
		alone := h.Apply(Options{}).TrustedRegistries
		if diff := cmp.Diff([]string{"evil.example"}, alone); diff != "" {
			t.Errorf("%s: a list where none is set only makes stricter (-want +got):\n%s", tt.name, diff)
		}
		h, err = HadolintEnv(h, environ)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, h.TrustedRegistries); diff != "" {
			t.Errorf("%s: trusted registries (-want +got):\n%s", tt.name, diff)
		}
		if diff := cmp.Diff(tt.labels, h.LabelSchema); diff != "" {
			t.Errorf("%s: labels (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestTheReasonOfAHadolintFileIsKept(t *testing.T) {
	h, err := ParseHadolint("/repo/.hadolint.yaml", []byte("ignored:\n  - DL3002 # its init   drops privileges\n  - DL3006\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"DL3002": "ignored by .hadolint.yaml: its init drops privileges", "DL3006": "ignored by .hadolint.yaml"}
	if diff := cmp.Diff(want, h.Apply(Options{}).Ignore); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
}

func TestARuleThatIsInsistedOnIsNotIgnoredByAnyOfItsNames(t *testing.T) {
	for _, tt := range []struct {
		name   string
		insist []string
		want   finding.Status
	}{
		{"nobody insists", nil, finding.Waived},
		{"somebody insists", []string{"PC-DF001"}, finding.Open},
		{"somebody insists by the alias", []string{"dl3002"}, finding.Open},
		{"somebody insists on another", []string{"PC-DF005"}, finding.Waived},
	} {
		opts := Options{Ignore: map[string]string{"DL3002": "agreed"}, Insist: tt.insist}
		for _, f := range lint(t, "FROM a:1\nUSER root\n", opts).Findings {
			if f.RuleID == "PC-DF001" && f.Status != tt.want {
				t.Errorf("%s: the finding is %s, want %s", tt.name, f.Status, tt.want)
			}
		}
	}
	// A comment is no part of what is insisted on: it has a policy of its own.
	text := "FROM a:1\n# hadolint ignore=DL3002\nUSER root\n"
	gotWaived, _ := waived(t, text, "PC-DF001", Options{Insist: []string{"PC-DF001"}})
	if len(gotWaived) != 1 {
		t.Error("the ignore comment does not count")
	}
}

func TestOfTwoNamesOfOneRuleTheMoreSevereOverrideCounts(t *testing.T) {
	h, err := ParseHadolint(".hadolint.yaml", []byte("override: {style: [PC-DF001], warning: [DL3002]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		for _, f := range lint(t, "FROM a:1\nUSER root\n", h.Apply(Options{})).Findings {
			if f.RuleID == "PC-DF001" && f.Severity != finding.Medium {
				t.Fatalf("PC-DF001 is %s, want medium", f.Severity)
			}
		}
	}
}
