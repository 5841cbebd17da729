package kubernetes

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// ignoring is a pod that is privileged, with a comment above the field.
func ignoring(comment string) string {
	return container("securityContext:\n  " + comment + "\n  privileged: true")
}

var ignoreCases = map[string][]ruleCase{
	"k8s-ignore-unused": {
		{"fires on another rule", ignoring("➤# portcullis:ignore k8s-host-pid")},
		{"fires on the wrong place", container("# nothing\n➤# portcullis:ignore k8s-privileged\nimagePullPolicy: Always\nsecurityContext: {privileged: true}")},
		{"fires on one of two rules", ignoring("➤# portcullis:ignore k8s-privileged,k8s-host-pid")},
		{"fires on an annotation", annotated("➤portcullis/ignore: k8s-host-pid reason=x")},
		{"is silent where it is of use", ignoring("# portcullis:ignore k8s-privileged")},
		{"is silent about a rule that is off", ignoring("# portcullis:ignore k8s-replicas,k8s-privileged")},
		{"fires on a comment of another tool", ignoring("➤# trivy:ignore:KSV-0010")},
		{"is silent where another tool's is of use", ignoring("# trivy:ignore:KSV-0017")},
		{"is silent about text in a block scalar", configMap("run.sh: |\n    # portcullis:ignore k8s-host-pid")},
	},
	"k8s-ignore-unknown": {
		{"fires on a rule that does not exist", ignoring("➤# portcullis:ignore k8s-privilegd")},
		{"fires on no rule", ignoring("➤# portcullis:ignore reason=because")},
		{"fires on a bad date", ignoring("➤# portcullis:ignore k8s-privileged until=31.12.2099")},
		{"fires on an unknown word", ignoring("➤# portcullis:ignore k8s-privileged expires=2099-12-31")},
		{"fires on an annotation", annotated("➤portcullis/ignore: k8s-nothing")},
		{"is silent about a rule", ignoring("# portcullis:ignore k8s-privileged")},
		{"is silent about the id of another tool", ignoring("# portcullis:ignore KSV-0017")},
		{"fires on a check of another tool that is not known", ignoring("➤# checkov:skip=CKV_K8S_999:no such check")},
		{"is silent about another tool's own comment", ignoring("# checkov:skip=CKV_K8S_16:an agent")},
		{"is silent about a comment that only talks of it", ignoring("# see portcullis:ignore in the manual")},
	},
	"k8s-ignore-expired": {
		{"fires on a date that has passed", ignoring("➤# portcullis:ignore k8s-privileged until=2026-11-22")},
		{"fires long after", ignoring("➤# portcullis:ignore k8s-privileged until=2001-01-01 reason=x")},
		{"fires on an annotation", annotated("➤portcullis/ignore: k8s-host-users until=2020-01-01")},
		{"fires beside a field", container("securityContext:\n  privileged: true ➤# portcullis:ignore k8s-privileged until=2020-01-01")},
		{"is silent on the last day", ignoring("# portcullis:ignore k8s-privileged until=2026-11-23")},
		{"is silent before", ignoring("# portcullis:ignore k8s-privileged until=2027-01-01")},
		{"is silent without a date", ignoring("# portcullis:ignore k8s-privileged")},
		{"fires on trivy's date", ignoring("➤# trivy:ignore:KSV-0017:exp:2020-01-01")},
		{"is silent before trivy's date", ignoring("# trivy:ignore:KSV-0017:exp:2027-01-01")},
	},
	"k8s-ignore-no-reason": {
		{"fires without a reason", ignoring("➤# portcullis:ignore k8s-privileged")},
		{"fires with a date alone", ignoring("➤# portcullis:ignore k8s-privileged until=2099-01-01")},
		{"fires on an empty reason", ignoring("➤# portcullis:ignore k8s-privileged reason=")},
		{"fires on an annotation", annotated("➤portcullis/ignore: k8s-host-users")},
		{"is silent with a reason", ignoring("# portcullis:ignore k8s-privileged reason=a node agent")},
		{"is silent with an annotation's reason", annotated("portcullis/ignore: k8s-host-users reason=old nodes")},
		{"fires on trivy's form, which has room for none", ignoring("➤# trivy:ignore:KSV-0017")},
		{"is silent with checkov's reason", ignoring("# checkov:skip=CKV_K8S_16:an agent")},
		{"is silent without ignores", bareContainer("")},
	},
}

func TestIgnoresSilenceTheRuleInTheirScope(t *testing.T) {
	annotation := func(a string) string {
		return "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  annotations:\n    " + a + "\nspec:\n  containers:\n    - name: app\n      securityContext: {privileged: true}\n"
	}
	two := "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n    # portcullis:ignore k8s-privileged reason=agent\n    - name: one\n      securityContext:\n        privileged: true\n    - name: two\n      securityContext:\n        privileged: true\n"
	document := "# portcullis:ignore k8s-privileged reason=agent\n" + container("securityContext: {privileged: true}") + "---\n" + container("securityContext: {privileged: true}")
	template := "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n  template:\n    metadata:\n      annotations:\n        portcullis/ignore: k8s-privileged reason=x\n    spec:\n      containers:\n        - name: a\n          securityContext: {privileged: true}\n"
	tests := []struct {
		name, manifest string
		want           []string
	}{
		{"above the field", ignoring("# portcullis:ignore k8s-privileged reason=agent"), []string{"waived: agent"}},
		{"beside the field", container("securityContext:\n  privileged: true # portcullis:ignore k8s-privileged"), []string{"waived"}},
		{"above the map that holds it", container("# portcullis:ignore k8s-privileged\nsecurityContext:\n  privileged: true"), []string{"waived"}},
		{"above one list item and not the next", two, []string{"waived: agent", "open"}},
		{"above a document and not the next", document, []string{"waived: agent", "open"}},
		{"with the id of another tool", ignoring("# portcullis:ignore CKV_K8S_16"), []string{"waived"}},
		{"as an annotation", annotation("portcullis/ignore: k8s-privileged until=2099-01-01 reason=agent"), []string{"waived: agent (until 2099-01-01)"}},
		{"as an annotation of the template", template, []string{"waived: x"}},
		{"as kube-linter's annotation", annotation("ignore-check.kube-linter.io/privileged-container: agent"), []string{"waived: agent"}},
		{"as kube-linter's annotation for all", annotation("kube-linter.io/ignore-all: legacy"), []string{"waived: legacy"}},
		{"as checkov's annotation", annotation("checkov.io/skip1: CKV_K8S_16=agent"), []string{"waived: agent"}},
		{"as checkov's comment anywhere in the document", container("# checkov:skip=CKV_K8S_16:agent\nimagePullPolicy: Always\nsecurityContext: {privileged: true}"), []string{"waived: agent"}},
		{"as trivy's comment", ignoring("# trivy:ignore:AVD-KSV-0017"), []string{"waived"}},
		{"as trivy's comment with its old id and a date to come", ignoring("# trivy:ignore:KSV017:exp:2099-01-01"), []string{"waived (until 2099-01-01)"}},
		{"not after trivy's date", ignoring("# trivy:ignore:KSV-0017:exp:2020-01-01"), []string{"open"}},
		{"not after our date", ignoring("# portcullis:ignore k8s-privileged until=2020-01-01"), []string{"open"}},
		{"not when it is misspelt", ignoring("# portcullis:ignore k8s-privilegd"), []string{"open"}},
		{"not for other rules", ignoring("# portcullis:ignore k8s-host-pid"), []string{"open"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			opts := Options{Today: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
			result := Lint(context.Background(), []File{{Path: "a.yaml", Content: []byte(tt.manifest)}}, opts)
			checkResult(t, result)
			var got []string
			for _, f := range result.Findings {
				if f.RuleID != "k8s-privileged" {
					continue
				}
				_, reason, _ := strings.Cut(f.StatusReason, "on line ")
				reason = strings.TrimLeft(reason, "0123456789")
				got = append(got, fmt.Sprintf("%s%s", f.Status, reason))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("statuses (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnIgnoreCannotSilenceTheRulesAboutIgnores(t *testing.T) {
	manifest := ignoring("# portcullis:ignore k8s-host-pid,k8s-ignore-unused")
	for _, f := range Lint(context.Background(), []File{{Path: "a.yaml", Content: []byte(manifest)}}, Options{}).Findings {
		if f.RuleID == "k8s-ignore-unused" && f.Status != finding.Open {
			t.Errorf("%s is %s", f.Message, f.Status)
		}
	}
}

func TestWhatIsWrongWithOtherToolsIgnoresIsOnlyInformation(t *testing.T) {
	for _, f := range Lint(context.Background(), []File{{Path: "a.yaml", Content: []byte(ignoring("# checkov:skip=CKV_K8S_999:none"))}}, Options{}).Findings {
		if f.RuleID == "k8s-ignore-unknown" && f.Severity != finding.Info {
			t.Errorf("%s is %s", f.Message, f.Severity)
		}
	}
}

func TestNoIgnoreCountsWhereNoneIsAllowed(t *testing.T) {
	for _, text := range []string{ignoring("# portcullis:ignore k8s-privileged reason=agent"), annotated("kube-linter.io/ignore-all: all")} {
		for _, f := range Lint(context.Background(), []File{{Path: "a.yaml", Content: []byte(text)}}, Options{NoIgnores: true}).Findings {
			if f.Status != finding.Open {
				t.Errorf("%s is %s", f.RuleID, f.Status)
			}
		}
	}
}
