// Package templates holds the GitLab template in the layout of a CI/CD
// component.
package templates

import (
	"bytes"
	"os"
	"testing"
)

func TestTheComponentIsTheTemplate(t *testing.T) {
	component, err := os.ReadFile("gate.yml")
	if err != nil {
		t.Fatal(err)
	}
	template, err := os.ReadFile("../.gitlab-ci-template.yml")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(component, template) {
		t.Error("templates/gate.yml differs from .gitlab-ci-template.yml: copy it anew")
	}
}
