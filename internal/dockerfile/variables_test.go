package dockerfile

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBaseImages checks what FROM comes to. A question mark stands before what
// is not known.
func TestBaseImages(t *testing.T) {
	tests := []struct {
		name, text string
		args       map[string]string
		want       string
	}{
		{"as written", "FROM debian:12", nil, "debian:12"},
		{"default of an ARG", "ARG V=12\nFROM debian:${V}", nil, "debian:12"},
		{"an ARG made of another", "ARG A=deb\nARG B=${A}ian\nFROM $B", nil, "debian"},
		{"a build argument wins", "ARG V=12\nFROM debian:$V", map[string]string{"V": "13"}, "debian:13"},
		{"an ARG without value is unknown", "ARG V\nFROM debian:$V", nil, "?debian:$V"},
		{"an undefined variable is unknown", "FROM debian:$V", nil, "?debian:$V"},
		{"the default in braces applies", "ARG V\nFROM debian:${V:-11}", nil, "debian:11"},
		{"a platform ARG is unknown", "FROM debian-$TARGETARCH", nil, "?debian-$TARGETARCH"},
		{"ENV of a stage is not seen by FROM", "FROM a\nENV V=1\nFROM b:$V", nil, "?b:$V"},
		{"quotes are taken off", "ARG V=\"12\"\nFROM debian:$V", nil, "debian:12"},
		{"a suffix is cut", "ARG V=12.5\nFROM debian:${V%.*}", nil, "debian:12"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := Parse("Dockerfile", []byte(tt.text), Options{BuildArgs: tt.args})
			v := f.Final().Base.Value
			got := v.Text
			if !v.Known {
				got = "?" + got
			}
			if got != tt.want {
				t.Errorf("base image = %s, want %s", got, tt.want)
			}
		})
	}
}

func TestScopes(t *testing.T) {
	text := `ARG G=global
FROM base AS parent
ARG G
ARG L=local
ENV E=$L-$G
USER app
WORKDIR /srv
SHELL ["/bin/bash", "-c"]
FROM parent AS child
WORKDIR sub
ENV F=$E U=$UNKNOWN L=env
ARG L=arg
RUN true
FROM other
RUN true
`
	f := parse(t, text)
	child := f.Stages[1].Instructions[3]
	other := f.Stages[2].Instructions[0]
	show := func(in *Instruction, name string) string {
		v, ok := in.Lookup(name)
		switch {
		case !ok:
			return "undefined"
		case !v.Known:
			return "?" + v.Text
		}
		return v.Text
	}
	got := []string{
		show(child, "G"), show(child, "E"), show(child, "F"), show(child, "U"), show(child, "L"),
		child.Workdir.Path, child.Shell[0], child.User.Args[0].Raw,
		show(other, "G"), show(other, "E"), other.Workdir.Path,
	}
	want := []string{
		"global", "local-global", "local-global", "?$UNKNOWN", "env",
		"/srv/sub", "/bin/bash", "app",
		"undefined", "undefined", "",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

func TestStageReferences(t *testing.T) {
	f := parse(t, `FROM golang AS Build
FROM alpine AS unused
FROM debian
COPY --from=build /a /b
COPY --from=0 /a /b
COPY --from=nginx:1 /a /b
RUN --mount=type=bind,from=build,target=/x true
COPY --from=2 /a /b
`)
	var got []string
	for _, in := range f.Final().Instructions {
		for _, r := range in.StageRefs() {
			name := "image"
			if r.Stage != nil {
				name = r.Stage.Label()
			}
			got = append(got, at(f, r.Span)+" = "+name)
		}
	}
	want := []string{
		"4:13 build = Build", "5:13 0 = Build", "6:13 nginx:1 = image", "7:28 build = Build", "8:13 2 = image",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
	if used := f.Used(); used[f.Stages[1]] || !used[f.Stages[0]] || len(used) != 2 {
		t.Errorf("used stages: %d", len(used))
	}
}

func TestChainRunsThroughParents(t *testing.T) {
	f := Parse("Dockerfile", []byte("FROM a AS x\nRUN one\nFROM x AS y\nRUN two\nFROM z\nRUN three\n"), Options{Target: "y"})
	var got []string
	for _, in := range f.Final().Chain() {
		got = append(got, in.Resolved())
	}
	want := []string{"FROM a AS x", "RUN one", "FROM x AS y", "RUN two"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("chain (-want +got):\n%s", diff)
	}
}

func TestReferences(t *testing.T) {
	word := `a$B-${C:-$D}'$E'\$F"${G}"$1${H+x}`
	var got []string
	for _, r := range References(word, '\\') {
		got = append(got, r.Name+" "+r.Modifier+" "+word[r.Start:r.End])
	}
	want := []string{"B  $B", "C :- ${C:-$D}", "D  $D", "G  ${G}", "H + ${H+x}"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
}
