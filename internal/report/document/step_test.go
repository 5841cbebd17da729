package document

import "testing"

func TestStepShowsTheInstructionButNoValues(t *testing.T) {
	tests := map[string]string{
		"RUN /bin/sh -c apt-get install -y curl # buildkit":      "RUN apt-get install -y curl",
		"/bin/sh -c apt-get install -y curl":                     "RUN apt-get install -y curl",
		"RUN |1 TOKEN=abc def /bin/sh -c make install":           "RUN with build arguments",
		"|2 TOKEN=abc USER=x /bin/sh -c make install":            "RUN with build arguments",
		"/bin/sh -c #(nop)  ENV API_TOKEN=abc OTHER=def":         "ENV API_TOKEN=…",
		"ENV API_TOKEN=abc":                                      "ENV API_TOKEN=…",
		"ARG TOKEN=abc":                                          "ARG TOKEN=…",
		"ARG TOKEN":                                              "ARG TOKEN",
		"/bin/sh -c #(nop)  LABEL key=abc":                       "LABEL key=…",
		"/bin/sh -c #(nop) COPY file:0123 in /app ":              "COPY file:0123 in /app",
		"COPY app /app # buildkit":                               "COPY app /app",
		"# debian.sh --arch 'amd64' out/ 'bookworm' '@17000000'": "# debian.sh --arch 'amd64' out/ 'bookworm' '@17000000'",
	}
	for createdBy, want := range tests {
		if got := Step(createdBy); got != want {
			t.Errorf("%s:\n got %q\nwant %q", createdBy, got, want)
		}
	}
}
