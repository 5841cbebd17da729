package policytest

import (
	"cmp"
	"context"
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/portcullis-ci/portcullis/internal/detect/kubernetes"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/policy"
)

// lint holds the manifests of a test against the policy's own rules. What is
// found becomes part of the input, and the ids of the rules are returned, once
// for each finding.
func (t test) lint(p policy.Policy, in *policy.Input) ([]string, error) {
	own, err := kubernetes.CompileOwn(p.ManifestRules)
	if err != nil || len(own) == 0 {
		return nil, err
	}
	var files []kubernetes.File
	for i, m := range t.Manifests {
		text, err := yaml.Marshal(m.Object)
		if err != nil {
			return nil, fmt.Errorf("manifest %d: %w", i+1, err)
		}
		files = append(files, kubernetes.File{Path: fmt.Sprintf("%s#%d.yaml", cmp.Or(m.Path, "test"), i+1), Content: text})
	}
	result := kubernetes.Lint(context.Background(), files, kubernetes.Options{Own: own, OwnOnly: true})
	in.Findings = append(in.Findings, result.Findings...)
	in.Failures = append(in.Failures, result.Failures...)
	var ids []string
	for _, f := range result.Findings {
		if f.Status == finding.Open {
			ids = append(ids, f.RuleID)
		}
	}
	return ids, nil
}
