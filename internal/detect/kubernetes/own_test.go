package kubernetes

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/policy"
)

const ownManifest = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels:
    tier: front
spec:
  replicas: 1
  template:
    spec:
      hostNetwork: true
      containers:
        - name: app
          image: docker.io/shop/web:1
        - name: proxy
          image: registry.example/proxy:2
---
apiVersion: v1
kind: Service
metadata: {name: web}
`

func lintOwn(t *testing.T, text string, written ...policy.ManifestRule) Result {
	t.Helper()
	own, err := CompileOwn(written)
	if err != nil {
		t.Fatal(err)
	}
	return Lint(context.Background(), []File{{Path: "k8s/web.yaml", Content: []byte(text)}}, Options{Own: own})
}

func TestOwnRulesPointAtTheirField(t *testing.T) {
	tests := []struct {
		name string
		rule policy.ManifestRule
		want []string
	}{
		{
			"a field that is missing, at the map that it belongs into",
			policy.ManifestRule{Kinds: []string{"Deployment"}, Field: "metadata.labels.team", Text: "value == null"},
			[]string{"5:3 Deployment/web"},
		},
		{
			"a field that is wrong",
			policy.ManifestRule{Kinds: []string{"apps/Deployment"}, Field: "spec.replicas", Text: "value != null && value < 2"},
			[]string{"8:3 Deployment/web"},
		},
		{
			"each item of a list",
			policy.ManifestRule{Field: "spec.template.spec.containers[*].image", Text: `value != null && !value.startsWith("registry.example/")`},
			[]string{"14:11 Deployment/web"},
		},
		{
			"a field of each container, below the container",
			policy.ManifestRule{Field: "resources", Text: "!has(container.resources)"},
			[]string{"13:11 Deployment/web, container app", "15:11 Deployment/web, container proxy"},
		},
		{
			"a field of each pod, below its template",
			policy.ManifestRule{Field: "spec.hostNetwork", Text: "pod.spec.?hostNetwork.orValue(false) == true"},
			[]string{"11:7 Deployment/web"},
		},
		{
			"an object without a field, at its name",
			policy.ManifestRule{Kinds: []string{"Service"}, Text: "!has(object.spec)"},
			[]string{"20:12 Service/web"},
		},
		{
			"an object beside others",
			policy.ManifestRule{Kinds: []string{"Service"}, Text: `objects.exists(o, o.kind == "Deployment" && o.metadata.name == object.metadata.name)`},
			[]string{"20:12 Service/web"},
		},
		{
			"another group of the same kind",
			policy.ManifestRule{Kinds: []string{"extensions/Deployment"}, Text: "true"},
			nil,
		},
		{
			"a key with dots",
			policy.ManifestRule{Kinds: []string{"Service"}, Field: `metadata.annotations["example.com/team"]`, Text: "value == null"},
			[]string{"20:1 Service/web"},
		},
		{
			"a list that is not there",
			policy.ManifestRule{Field: "spec.volumes[*].name", Text: "value == null"},
			nil,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.rule.ID, tt.rule.Message, tt.rule.Severity = "shop-rule", "It is so.", finding.High
			result := lintOwn(t, ownManifest, tt.rule)
			checkResult(t, result)
			var got []string
			for _, f := range result.Findings {
				if f.RuleID == "shop-rule" {
					got = append(got, fmt.Sprintf("%d:%d %s", f.Locations[0].Line, f.Locations[0].Column, f.Object))
					if f.Severity != finding.High || f.Message != "It is so." {
						t.Errorf("got severity %v and message %q", f.Severity, f.Message)
					}
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestOwnRulesAreIgnoredByTheirName(t *testing.T) {
	rule := policy.ManifestRule{ID: "shop-replicas", Field: "spec.replicas", Text: "value == 1", Message: "One is not enough", Severity: finding.High}
	result := lintOwn(t, strings.Replace(ownManifest, "  replicas: 1", "  # portcullis:ignore shop-replicas reason=a demo\n  replicas: 1", 1), rule)
	i := slices.IndexFunc(result.Findings, func(f finding.Finding) bool { return f.RuleID == "shop-replicas" })
	if i < 0 || result.Findings[i].Status != finding.Waived {
		t.Errorf("the finding is not waived: %v", result.Findings)
	}
	for _, f := range result.Findings {
		if strings.HasPrefix(f.RuleID, "k8s-ignore") {
			t.Errorf("the ignore is reported: %s", f.Message)
		}
	}
}

func TestAConditionWithoutAValueFailsTheRun(t *testing.T) {
	result := lintOwn(t, ownManifest, policy.ManifestRule{ID: "shop-rule", Text: "object.spec.replicas < 2", Message: "no", Severity: finding.Low})
	if len(result.Failures) != 1 || !strings.Contains(result.Failures[0].Message, "shop-rule has no value for Service/web") {
		t.Errorf("got %v", result.Failures)
	}
}
