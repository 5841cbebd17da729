package origin

import (
	"fmt"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/inventory"
)

// The builders whose records the tests make.
const (
	byBuildKit     = "buildkit"
	byClassic      = "classic"
	bySquash       = "classic --squash"
	byKaniko       = "kaniko"
	byKanikoSingle = "kaniko --single-snapshot"
	byBuildah      = "buildah --layers"
	byBuildahWhole = "buildah"
)

// debianBase is what a base image brings along.
var debianBase = []inventory.History{
	{CreatedBy: "/bin/sh -c #(nop) ADD file:0123456789abcdef in / "},
	{CreatedBy: `/bin/sh -c #(nop)  CMD ["bash"]`, EmptyLayer: true},
}

// recorder writes the history of a build the way a builder does:
// BuildKit's frontend/dockerfile/dockerfile2llb/convert.go, Docker's
// builder/dockerfile/internals.go, kaniko's pkg/executor/build.go, buildah's
// imagebuildah/stage_executor.go.
type recorder struct {
	builder string
	image   *inventory.Image
	args    []string
}

// record makes the image of the file's final stage. The diff id of a layer is
// "line N" for the instruction on that line, "base" for the base image and
// "merged" for a layer of the whole build.
func record(builder string, file *dockerfile.File, base []inventory.History) *inventory.Image {
	r := &recorder{builder: builder, image: &inventory.Image{Name: "registry.example/shop/web"}}
	for _, h := range base {
		r.add(h, "base")
	}
	steps := stepsOf(file.Final())
	for i, in := range steps {
		r.configure(in)
		r.step(in, i == len(steps)-1)
	}
	root := file.Final().Root().Base.Value.Text
	switch builder {
	case bySquash:
		r.add(inventory.History{Comment: "merge sha256:aa to sha256:bb"}, "merged")
	case byKanikoSingle:
		r.add(inventory.History{Author: "kaniko", CreatedBy: source(steps[len(steps)-1])}, "merged")
	case byBuildahWhole:
		r.add(inventory.History{CreatedBy: "/bin/sh", Comment: "FROM " + root}, "merged")
	}
	return r.image
}

func (r *recorder) add(h inventory.History, layer string) {
	r.image.History = append(r.image.History, h)
	if !h.EmptyLayer {
		r.image.Layers = append(r.image.Layers, inventory.Layer{DiffID: layer, History: len(r.image.History) - 1})
	}
}

// configure sets what the instruction sets in the image's configuration.
func (r *recorder) configure(in *dockerfile.Instruction) {
	c := &r.image.Config
	if in.Problem != nil || len(in.Args)+len(in.Pairs) == 0 {
		return
	}
	switch in.Keyword {
	case "CMD":
		c.Cmd = commandOf(in)
	case "ENTRYPOINT":
		c.Entrypoint = commandOf(in)
	case "USER":
		c.User = in.Args[0].Value.Text
	case "ENV":
		for _, p := range in.Pairs {
			c.Env = append(c.Env, p.Key+"="+p.Value.Text)
		}
	}
}

func (r *recorder) step(in *dockerfile.Instruction, last bool) {
	layer, empty := fmt.Sprintf("line %d", in.Line), !filesOnly(in)
	if len(in.Args)+len(in.Pairs) == 0 {
		// No builder gets that far; the reader must cope with it all the same.
		r.add(inventory.History{CreatedBy: in.Keyword + " " + in.Body.S, EmptyLayer: empty}, layer)
		return
	}
	switch r.builder {
	case byBuildKit:
		if in.Keyword != "ONBUILD" {
			r.add(inventory.History{CreatedBy: r.buildkit(in), Comment: "buildkit.dockerfile.v0", EmptyLayer: empty}, layer)
		}
	case byClassic, byBuildah:
		r.add(inventory.History{CreatedBy: r.classic(in), EmptyLayer: empty}, layer)
	case bySquash:
		r.add(inventory.History{CreatedBy: r.classic(in), EmptyLayer: true}, layer)
	case byKaniko:
		if !empty || last {
			r.add(inventory.History{Author: "kaniko", CreatedBy: source(in)}, layer)
		}
	}
}

// source is the instruction as it is written, without its line breaks.
func source(in *dockerfile.Instruction) string {
	text := in.Text.S
	for _, doc := range in.Heredocs {
		text += "\n" + doc.Content + doc.Name
	}
	return text
}

func (r *recorder) pairs(in *dockerfile.Instruction) string {
	var out []string
	for _, p := range in.Pairs {
		value := p.Value.Text
		if in.Keyword == "ARG" {
			r.args = append(r.args, p.Key+"="+value)
			if !p.HasValue {
				out = append(out, p.Key)
				continue
			}
		}
		out = append(out, p.Key+"="+value)
	}
	return in.Keyword + " " + strings.Join(out, " ")
}

// command is what the builder runs, with the declared build arguments.
func (r *recorder) command(in *dockerfile.Instruction) string {
	text := in.Body.S
	for _, doc := range in.Heredocs {
		if strings.HasPrefix(strings.TrimSpace(text), "<<") {
			text = doc.Content
		} else {
			text += "\n" + doc.Content + doc.Name
		}
	}
	if in.Exec {
		text = strings.Join(commandOf(in), " ")
	} else {
		text = "/bin/sh -c " + text
	}
	if len(r.args) > 0 {
		text = fmt.Sprintf("|%d %s %s", len(r.args), strings.Join(r.args, " "), text)
	}
	return text
}

func values(in *dockerfile.Instruction) []string {
	var out []string
	for _, a := range in.Args {
		out = append(out, a.Value.Text)
	}
	return out
}

func (r *recorder) buildkit(in *dockerfile.Instruction) string {
	switch in.Keyword {
	case "RUN":
		return "RUN " + r.command(in) + " # buildkit"
	case "COPY", "ADD":
		return in.Keyword + " " + strings.Join(values(in), " ") + " # buildkit"
	case "ENV", "LABEL", "ARG":
		return r.pairs(in)
	case "CMD", "ENTRYPOINT":
		return fmt.Sprintf("%s %q", in.Keyword, commandOf(in))
	case "WORKDIR":
		to, _ := absolute(in, in.Args[0].Value.Text)
		if to == "" {
			to = in.Args[0].Value.Text
		}
		return "WORKDIR " + to
	default:
		return in.Keyword + " " + strings.Join(values(in), " ")
	}
}

func (r *recorder) classic(in *dockerfile.Instruction) string {
	const nop = "/bin/sh -c #(nop) "
	switch in.Keyword {
	case "RUN":
		return r.command(in)
	case "COPY", "ADD":
		v := values(in)
		return fmt.Sprintf("%s%s file:0123abcd in %s ", nop, in.Keyword, v[len(v)-1])
	case "ENV", "LABEL", "ARG":
		return nop + " " + r.pairs(in)
	case "ONBUILD":
		return nop + " ONBUILD " + in.Body.S
	case "CMD", "ENTRYPOINT":
		return fmt.Sprintf("%s %s %q", nop, in.Keyword, commandOf(in))
	default:
		return nop + " " + in.Keyword + " " + strings.Join(values(in), " ")
	}
}
