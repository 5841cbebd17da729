package gate

import (
	"bytes"

	"go.yaml.in/yaml/v3"

	"github.com/portcullis-ci/portcullis/internal/policy"
	"github.com/portcullis-ci/portcullis/internal/repository"
)

// maxObjectFile bounds the files whose objects expressions of the policy can
// see, in bytes.
const maxObjectFile = 4 << 20

// objects decodes the manifests for expressions of the policy; nothing is done
// when there are none. What does not decode here was reported by the linter.
func (r run) objects(files []repository.File) []policy.Manifest {
	if len(r.Policy.Deny)+len(r.Policy.Warn) == 0 {
		return nil
	}
	var out []policy.Manifest
	for _, f := range files {
		if len(f.Content) > maxObjectFile {
			continue
		}
		dec := yaml.NewDecoder(bytes.NewReader(f.Content))
		for {
			var node yaml.Node
			if err := dec.Decode(&node); err != nil {
				break
			}
			var object map[string]any
			if err := node.Decode(&object); err == nil && object["kind"] != nil {
				out = append(out, policy.Manifest{Path: f.Name, Line: node.Content[0].Line, Object: object})
			}
		}
	}
	return out
}
