package kubernetes

import (
	"context"
	"encoding/base64"
	"testing"
)

func TestASecretThatReplacesAnotherIsANewProblem(t *testing.T) {
	const one, other = "q2Zr8LkxT4mVb1sYd7NcWf3GhJ6pQ", "Z9Kx3Wq7Lm2Vb8Nc4Tf6Hj1Gd5Rs0"
	const guessable, another = "hunter2aaaa", "sunflower-77"
	for rule, manifest := range map[string]func(value string) string{
		"k8s-secret-env-literal": func(v string) string { return env("DB_PASSWORD", "value: "+v) },
		"k8s-secret-args":        func(v string) string { return container("args: [--password=" + v + "]") },
		"k8s-secret-configmap":   func(v string) string { return configMap("password: " + v) },
		"k8s-secret-manifest": func(v string) string {
			return secret("data: {password: " + base64.StdEncoding.EncodeToString([]byte(v)) + "}")
		},
	} {
		of := func(value string) (print string) {
			for _, f := range Lint(context.Background(), []File{{Path: "a.yaml", Content: []byte(manifest(value))}}, Options{}).Findings {
				if f.RuleID == rule {
					print = f.Fingerprint
				}
			}
			if print == "" {
				t.Fatalf("%s: no finding", rule)
			}
			return print
		}
		aws := "AKIA" + "Q7WZR2LK5XT4MVB3"
		if of(one) == of(other) || of(guessable) == of(one) || of(guessable) == of(aws) {
			t.Errorf("%s: a value that is replaced has the fingerprint of the former one", rule)
		}
		if of(guessable) != of(another) {
			t.Errorf("%s: a fingerprint is made of a password that can be guessed", rule)
		}
	}
}
