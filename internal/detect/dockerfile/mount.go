package dockerfile

import df "github.com/portcullis-ci/portcullis/internal/dockerfile"

// mount is a --mount flag of RUN.
type mount struct {
	kind, target string
}

// mounts are the mounts of a RUN instruction with variables replaced.
func mounts(in *df.Instruction) []mount {
	var out []mount
	for _, f := range in.Flags {
		if f.Name != "mount" {
			continue
		}
		m := mount{kind: "bind"}
		for _, field := range df.MountFields(f) {
			switch field.Key {
			case "type":
				m.kind = field.Value
			case "target", "dst", "destination":
				m.target = in.Expand(field.Value).Text
			}
		}
		out = append(out, m)
	}
	return out
}
