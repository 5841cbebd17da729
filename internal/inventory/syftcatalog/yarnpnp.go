package syftcatalog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"strings"

	"github.com/anchore/syft/syft/artifact"
	"github.com/anchore/syft/syft/file"
	"github.com/anchore/syft/syft/pkg"
	"github.com/anchore/syft/syft/pkg/cataloger/generic"
	"github.com/package-url/packageurl-go"
)

// plugNPlayFiles say which packages an application of Yarn has and where: it
// leaves them packed in its cache, so that there is no package.json of them. See
// https://yarnpkg.com/features/pnp and https://yarnpkg.com/advanced/pnp-spec.
var plugNPlayFiles = []string{"**/.pnp.cjs", "**/.pnp.js", "**/" + plugNPlayData}

// plugNPlayData is the name of the file that may have the list in the script's place.
const plugNPlayData = ".pnp.data.json"

// newPlugNPlayCataloger returns a cataloger of the packages that Yarn gives
// programs without unpacking them. Syft has none.
func newPlugNPlayCataloger() pkg.Cataloger {
	return generic.NewCataloger("yarn-plug-n-play-cataloger").WithParserByGlobs(parsePlugNPlay, plugNPlayFiles...)
}

func parsePlugNPlay(_ context.Context, r file.Resolver, _ *generic.Environment, in file.LocationReadCloser) ([]pkg.Package, []artifact.Relationship, error) {
	content, err := io.ReadAll(in)
	if err != nil {
		return nil, nil, err
	}
	listed, err := plugNPlayPackages(content)
	if errors.Is(err, errNoRegistry) && bytes.Contains(content, []byte(plugNPlayData)) && r.RelativeFileByPath(in.Location, path.Join(path.Dir(in.RealPath), plugNPlayData)) != nil {
		return nil, nil, nil // The list is in a file of its own.
	}
	var out []pkg.Package
	for _, p := range listed {
		namespace, name, scoped := strings.Cut(p.name, "/")
		if !scoped {
			namespace, name = "", p.name
		}
		found := pkg.Package{
			Name: p.name, Version: p.version, Language: pkg.JavaScript, Type: pkg.NpmPkg,
			PURL:      packageurl.NewPackageURL(packageurl.TypeNPM, namespace, name, p.version, nil, "").ToString(),
			Locations: file.NewLocationSet(in.WithAnnotation(pkg.EvidenceAnnotationKey, pkg.PrimaryEvidenceAnnotation)),
			Metadata:  pkg.YarnLockEntry{Resolved: p.name + "@" + p.reference},
		}
		found.SetID()
		out = append(out, found)
	}
	return out, nil, err
}

// errNoRegistry says that a file holds no list of packages.
var errNoRegistry = errors.New("it holds no list of packages as Yarn writes it")

// plugNPlayPackage is a package that Yarn gives a program.
type plugNPlayPackage struct{ name, version, reference string }

// plugNPlayPackages are the packages that a file lists, each of its versions once,
// without what is no package from elsewhere: the workspaces of the application,
// whose own package.json is there.
func plugNPlayPackages(content []byte) ([]plugNPlayPackage, error) {
	var state struct {
		// Registry are pairs of a name, null for the application, and a list of
		// pairs of a reference and what belongs to it.
		Registry [][2]json.RawMessage `json:"packageRegistryData"`
	}
	document := plugNPlayState(content)
	if document == nil {
		return nil, errNoRegistry
	}
	if err := json.NewDecoder(bytes.NewReader(document)).Decode(&state); err != nil {
		return nil, fmt.Errorf("read Yarn's list of packages: %w", err)
	}
	var out []plugNPlayPackage
	for _, entry := range state.Registry {
		var name *string
		var instances [][2]json.RawMessage
		if err := errors.Join(json.Unmarshal(entry[0], &name), json.Unmarshal(entry[1], &instances)); err != nil {
			return out, fmt.Errorf("read Yarn's list of packages: %w", err)
		}
		if name == nil || *name == "" {
			continue
		}
		known := map[string]bool{}
		for _, instance := range instances {
			var reference *string
			if err := json.Unmarshal(instance[0], &reference); err != nil {
				return out, fmt.Errorf("read Yarn's list of packages: %s: %w", *name, err)
			}
			if reference == nil {
				continue
			}
			version, fetched := versionOfReference(*reference)
			if fetched && !known[version] {
				known[version] = true
				out = append(out, plugNPlayPackage{*name, version, *reference})
			}
		}
	}
	return out, nil
}

// plugNPlayState is the JSON document in a file; nil if there is none. In a script
// it is a string between quotes (https://tc39.es/ecma262/#sec-literals-string-literals),
// or stands there as it is.
func plugNPlayState(content []byte) []byte {
	at := bytes.Index(content, []byte(`"__info"`))
	if at < 0 {
		return nil
	}
	begin := bytes.LastIndexByte(content[:at], '{')
	if begin < 0 {
		return nil
	}
	if begin == 0 || content[begin-1] != '\'' {
		return content[begin:]
	}
	var out []byte
	for rest := content[begin:]; ; {
		i := bytes.IndexAny(rest, `\'`)
		if i < 0 || rest[i] == '\'' || i+1 == len(rest) {
			return append(out, rest[:max(i, 0)]...)
		}
		out = append(out, rest[:i]...)
		switch escaped := rest[i+1]; escaped {
		case '\n': // the string goes on in the next line
		case '\r':
			if i+2 < len(rest) && rest[i+2] == '\n' {
				i++
			}
		default:
			out = append(out, escaped)
		}
		rest = rest[i+2:]
	}
}

// versionOfReference takes the version out of Yarn's reference to a package, ""
// where it has none, and reports whether the package was fetched from elsewhere:
// npm:1.2.3, virtual:0a1b…#npm:1.2.3, patch:name@npm%3A1.2.3#…::version=1.2.3&….
func versionOfReference(reference string) (version string, fetched bool) {
	if inner, virtual := strings.CutPrefix(reference, "virtual:"); virtual {
		_, reference, _ = strings.Cut(inner, "#")
	}
	reference, parameters, _ := strings.Cut(reference, "::")
	protocol, rest, _ := strings.Cut(reference, ":")
	switch protocol {
	case "workspace", "link", "portal":
		return "", false
	case "npm":
		return rest, true
	case "patch":
		if values, err := url.ParseQuery(parameters); err == nil && values.Get("version") != "" {
			return values.Get("version"), true
		}
		source, _, _ := strings.Cut(rest, "#")
		if source, err := url.PathUnescape(source); err == nil {
			if _, version, npm := strings.Cut(source, "@npm:"); npm {
				return version, true
			}
		}
	}
	return "", true
}
