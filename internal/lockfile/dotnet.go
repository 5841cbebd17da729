package lockfile

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

func isProjectFile(name, _ string) bool {
	switch path.Ext(name) {
	case ".csproj", ".fsproj", ".vbproj":
		return true
	}
	return strings.EqualFold(name, "Directory.Packages.props") || name == "packages.config"
}

// parseProjectFile reads the exact versions of packages in the project files of
// .NET: PackageReference, the PackageVersion of central management, and the
// package of packages.config. Ranges, properties and floating versions are no
// entries.
// https://learn.microsoft.com/nuget/consume-packages/package-references-in-project-files
func parseProjectFile(d *document) error {
	dec := xml.NewDecoder(strings.NewReader(d.text))
	dec.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // known to be UTF-8
	reference := ""                                                                        // a PackageReference whose version is an element of its own
	var from, to int
	for depth := 0; ; {
		start := int(dec.InputOffset())
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("parse XML: %w", err)
		}
		switch t := tok.(type) {
		case xml.StartElement:
			if depth++; depth > maxDepth {
				return errTooDeep
			}
			if name, version, ok := projectReference(t); ok {
				reference, from, to = name, start, int(dec.InputOffset())
				d.addProject(name, version, from, to)
			} else if t.Name.Local != "Version" {
				reference = ""
			}
		case xml.EndElement:
			depth--
		case xml.CharData:
			if text := strings.TrimSpace(string(t)); text != "" && reference != "" {
				d.addProject(reference, text, from, to)
				reference = ""
			}
		}
	}
}

// projectReference is the package that an element names, with its version where
// that is an attribute.
func projectReference(t xml.StartElement) (name, version string, ok bool) {
	attr := func(names ...string) string {
		for _, a := range t.Attr {
			for _, n := range names {
				if strings.EqualFold(a.Name.Local, n) {
					return a.Value
				}
			}
		}
		return ""
	}
	switch t.Name.Local {
	case "PackageReference", "PackageVersion", "GlobalPackageReference":
		name, version = attr("Include", "Update"), attr("VersionOverride", "Version")
	case "package":
		name, version = attr("id"), attr("version")
	}
	return name, version, name != ""
}

// addProject enters a package whose name stands between two offsets.
func (d *document) addProject(name, version string, from, to int) {
	if exact, ok := strings.CutPrefix(version, "["); ok {
		version = strings.TrimSuffix(exact, "]")
	}
	if version == "" || strings.ContainsAny(version, "*,$()[]") {
		return
	}
	if i := strings.Index(d.text[from:to], `"`+name+`"`); i >= 0 {
		d.add(Entry{Name: name, Version: version}, from+i+1, from+i+1+len(name))
	}
}
