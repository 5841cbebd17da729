package origin

import (
	"testing"

	"github.com/portcullis-ci/portcullis/internal/inventory"
)

func TestEntriesAgreeWithTheInstructionsThatMadeThem(t *testing.T) {
	tests := []struct {
		name, instruction, recorded string
		agrees                      bool
	}{
		{"BuildKit's command", "RUN apk add curl", "RUN /bin/sh -c apk add curl # buildkit", true},
		{"with build arguments that hold blanks", "RUN apk add curl", "RUN |2 A=x y B=1 /bin/sh -c apk add curl # buildkit", true},
		{"the end of another command", "RUN add curl", "RUN /bin/sh -c apk add curl # buildkit", false},
		{"a command that only begins alike", "RUN apk add curl", "RUN /bin/sh -c apk add curl git # buildkit", false},
		{"continued lines", "RUN apk add \\\n    # why\n    curl", "RUN /bin/sh -c apk add     curl # buildkit", true},
		{"exec form", `RUN ["apk", "add", "curl"]`, "RUN apk add curl # buildkit", true},
		{"exec form with build arguments", `RUN ["apk", "add", "curl"]`, "RUN |1 A=b apk add curl # buildkit", true},
		{"exec form in kaniko", `RUN ["apk", "add"]`, `RUN ["apk", "add"]`, true},
		{"mounts in kaniko", "RUN --mount=type=cache,target=/c apk add curl", "RUN --mount=type=cache,target=/c apk add curl", true},
		{"another shell", "SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]\nRUN a | b", "RUN /bin/bash -o pipefail -c a | b # buildkit", true},
		{"the classic builder's command", "RUN apk add curl", "|1 A=b /bin/sh -c apk add curl", true},
		{"a here-document", "RUN <<EOF\nset -e\napk add curl\nEOF", "RUN /bin/sh -c set -e\napk add curl\n # buildkit", true},
		{"a here-document with another line", "RUN <<EOF\nset -e\napk add git\nEOF", "RUN /bin/sh -c set -e\napk add curl\n # buildkit", false},
		{"a here-document for a command", "RUN sh <<EOF\napk add curl\nEOF", "RUN /bin/sh -c sh <<EOF\napk add curl\nEOF # buildkit", true},
		{"a copy", "COPY a b /c/", "COPY a b /c/ # buildkit", true},
		{"a copy with flags", "COPY --from=x --chown=1:1 --chmod=755 a /c", "COPY --chown=1:1 --chmod=755 a /c # buildkit", true},
		{"a copy of something else", "COPY a /c", "COPY b /c # buildkit", false},
		{"a copy to a folder whose name ends alike", "COPY a app", "COPY a /srv/myapp # buildkit", false},
		{"a classic copy", "COPY a b /c/", "/bin/sh -c #(nop) COPY multi:0123 in /c/ ", true},
		{"a classic copy with an owner", "COPY --chown=1 a /c", "/bin/sh -c #(nop) COPY --chown=1 file:0123 in /c ", true},
		{"a classic copy to somewhere else", "COPY a /c", "/bin/sh -c #(nop) COPY file:0123 in /d ", false},
		{"a relative copy recorded in full", "WORKDIR /srv\nCOPY a ./", "/bin/sh -c #(nop) COPY file:0123 in /srv ", true},
		{"ADD is not COPY", "ADD a /c", "COPY a /c # buildkit", false},
		{"a variable in a source", "ARG V\nCOPY app-$V.jar /c", "COPY app-1.2.jar /c # buildkit", true},
		{"a variable and another name", "ARG V\nCOPY app-$V.jar /c", "COPY lib-1.2.jar /c # buildkit", false},
		{"values", "ENV A=1 B=\"x y\"", "ENV A=1 B=x y", true},
		{"the old form", "ENV A x y", "ENV A=x y", true},
		{"another value that begins alike", "ENV A=1", "ENV A=10", false},
		{"another name that ends alike", "ENV PATH=/x", "ENV MYPATH=/x", false},
		{"an argument with a value", "ARG A=1", "ARG A=2", true},
		{"another argument", "ARG A=1", "ARG AB=1", false},
		{"a relative folder recorded in full", "WORKDIR app", "WORKDIR /srv/app", true},
		{"a folder whose name ends alike", "WORKDIR app", "WORKDIR /srv/myapp", false},
		{"a label", `LABEL a.b="c d"`, "LABEL a.b=c d", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := fileAt("Dockerfile", "FROM a\n"+tt.instruction+"\n")
			in := file.Instructions[len(file.Instructions)-1]
			why := readStep(inventory.History{CreatedBy: tt.recorded}).disagrees(in, nil)
			if (why == "") != tt.agrees {
				t.Errorf("%q against %q: %q", tt.instruction, tt.recorded, why)
			}
		})
	}
}
