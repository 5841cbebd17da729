package cli

import "testing"

func TestCommandLineCanBeRepeatedAndHoldsNoSecrets(t *testing.T) {
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"plain words", []string{"gate", "--image", "shop/web:1.2"}, "portcullis gate --image shop/web:1.2"},
		{"blanks and quotes", []string{"lint", "my file", "it's"}, `portcullis lint 'my file' 'it'\''s'`},
		{"a build argument", []string{"lint", "--build-arg", "TOKEN=abc", "Dockerfile"}, "portcullis lint Dockerfile"},
		{"a build argument in one word", []string{"lint", "--build-arg=TOKEN=abc", "Dockerfile"}, "portcullis lint Dockerfile"},
		{"places of reports", []string{"gate", "--quiet", "--output", "json=r.json", "--image", "a", "--output=html=r.html", "--sbom-out", "s", "--quiet", "--offline"}, "portcullis gate --image a --offline"},
		{"an empty word", []string{"gate", "--image", ""}, "portcullis gate --image ''"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := commandLine(tt.args); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
