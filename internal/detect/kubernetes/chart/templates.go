package chart

import (
	"path"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/portcullis-ci/portcullis/internal/manifest"
	"github.com/portcullis-ci/portcullis/internal/recovered"
)

// Templates returns the files below a chart's directory that Render makes
// manifests of, by their paths: of the chart and of those in its charts/.
func Templates(dir string, files []manifest.File) (templates map[string]bool) {
	templates = make(map[string]bool)
	var broken error // Render breaks down at the same place, and says so
	defer recovered.As(&broken, "read the chart")
	rules, _ := ignoredIn(dir, files) // Render tells of what cannot be read
	kept := rules.without(files)
	types := make(map[string]string)
	for _, f := range kept {
		if path.Base(f.Path) == "Chart.yaml" {
			var meta Metadata
			_ = yaml.Unmarshal(f.Content, &meta) // as above
			types[path.Dir(f.Path)] = meta.Type
		}
	}
	for _, f := range kept {
		at := dir
		for sub, ok := at, true; ok; {
			at = sub
			sub, ok = subchart(at, f.Path, types)
		}
		rel := relative(at, f.Path)
		u := unit{chart: &tree{meta: Metadata{Type: types[at]}}, name: rel, file: f}
		if strings.HasPrefix(rel, "templates/") && renders(u) {
			templates[f.Path] = true
		}
	}
	return templates
}

// IsSubchart reports whether a chart's directory is where the chart in the
// directory outer keeps one that it is rendered with.
func IsSubchart(outer, dir string) bool {
	parts := strings.Split(relative(outer, dir), "/")
	return len(parts) == 2 && parts[0] == "charts" && !strings.ContainsAny(parts[1][:1], "_.")
}

// subchart is the directory of the subchart of a chart in which a file lies.
func subchart(dir, name string, charts map[string]string) (string, bool) {
	parts := strings.Split(relative(dir, name), "/")
	if len(parts) < 3 {
		return "", false
	}
	sub := path.Join(dir, parts[0], parts[1])
	_, is := charts[sub]
	return sub, is && IsSubchart(dir, sub)
}

// relative is a path in a chart's directory as seen from there.
func relative(dir, name string) string {
	if dir == "." {
		return name
	}
	return strings.TrimPrefix(strings.TrimPrefix(name, dir), "/")
}
