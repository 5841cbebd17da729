package syftcatalog

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"

	"github.com/anchore/syft/syft/artifact"
	"github.com/anchore/syft/syft/file"
	"github.com/anchore/syft/syft/pkg"
	"github.com/anchore/syft/syft/pkg/cataloger/generic"
	"github.com/klauspost/compress/zip"
	"github.com/package-url/packageurl-go"
)

// pythonZips are applications and packages that Python runs out of a zip archive
// (https://docs.python.org/3/library/zipapp.html, PEP 441), as pex and shiv make
// them, and eggs. The packages in them are installed nowhere else.
var pythonZips = []string{"**/*.pex", "**/*.pyz", "**/*.egg"}

// newPythonZipCataloger returns a cataloger of the packages in pythonZips. Syft has
// none.
func newPythonZipCataloger() pkg.Cataloger {
	return generic.NewCataloger("python-zip-cataloger").WithParserByGlobs(parsePythonZip, pythonZips...)
}

const (
	// maxPythonMetadata is what is read of what is said of one package: the
	// description that follows the fields is not wanted.
	maxPythonMetadata = 1 << 20
	// maxPythonArchive is that of all packages of an archive. Applications have
	// hundreds with a few kilobytes each; entries of an archive may be the same
	// bytes many times over.
	maxPythonArchive = 64 << 20
)

func parsePythonZip(ctx context.Context, _ file.Resolver, _ *generic.Environment, in file.LocationReadCloser) ([]pkg.Package, []artifact.Relationship, error) {
	content, ok := in.ReadCloser.(interface {
		io.ReaderAt
		Size() int64
	})
	if !ok {
		return nil, nil, fmt.Errorf("%T cannot be read at any place", in.ReadCloser)
	}
	said, err := pythonPackagesIn(content, content.Size())
	var out []pkg.Package
	for _, m := range said {
		out = append(out, m.pack(ctx, in.Location))
	}
	return out, nil, err
}

// pythonPackagesIn is what an archive says of the packages in it. With an error it
// returns what could be read.
func pythonPackagesIn(r io.ReaderAt, size int64) (out []pythonMetadata, err error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("read a Python archive: %w", err)
	}
	left, bad := int64(maxPythonArchive), 0
	for _, f := range z.File {
		if !describesPythonPackage(f.Name) {
			continue
		}
		if left <= 0 {
			return out, errors.Join(err, fmt.Errorf("more than %d MB are said of the packages in it", maxPythonArchive>>20))
		}
		said, read, unread := readPythonMetadata(f)
		left -= max(read, 1<<10)
		if unread != nil {
			if bad++; bad <= maxBroken {
				err = errors.Join(err, fmt.Errorf("%s: %w", f.Name[:min(len(f.Name), maxBrokenName)], unread))
			}
			continue
		}
		out = append(out, said)
	}
	return out, err
}

// describesPythonPackage reports whether a file in an archive is what an installer
// leaves of a package, see
// https://packaging.python.org/en/latest/specifications/core-metadata/.
func describesPythonPackage(name string) bool {
	dir := path.Base(path.Dir(name))
	switch path.Base(name) {
	case "METADATA":
		return strings.HasSuffix(dir, ".dist-info")
	case "PKG-INFO":
		return strings.HasSuffix(dir, ".egg-info") || dir == "EGG-INFO"
	}
	return false
}

// pythonMetadata are fields that are said of a package.
type pythonMetadata struct{ name, version, license string }

// readPythonMetadata also returns how many bytes it read.
func readPythonMetadata(f *zip.File) (said pythonMetadata, read int64, err error) {
	r, err := f.Open()
	if err != nil {
		return said, 0, err
	}
	defer func() { _ = r.Close() }() // only read
	bounded := &io.LimitedReader{R: r, N: maxPythonMetadata}
	defer func() { read = maxPythonMetadata - bounded.N }()
	lines := bufio.NewScanner(bounded)
	lines.Buffer(nil, maxPythonMetadata)
	for lines.Scan() && lines.Text() != "" {
		field, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimSpace(value)
		switch strings.ToLower(field) {
		case "name":
			said.name = value
		case "version":
			said.version = value
		case "license":
			if said.license == "" {
				said.license = value
			}
		case "license-expression":
			said.license = value
		}
	}
	if err := lines.Err(); err != nil {
		return said, 0, err
	}
	if said.name == "" {
		return said, 0, errors.New("it does not name the package")
	}
	return said, 0, nil
}

// separators are written as one hyphen in the name of a Python package
// (https://packaging.python.org/en/latest/specifications/name-normalization/).
var separators = regexp.MustCompile(`[-_.]+`)

func (m pythonMetadata) pack(ctx context.Context, at file.Location) pkg.Package {
	name := strings.ToLower(separators.ReplaceAllString(m.name, "-"))
	out := pkg.Package{
		Name: name, Version: m.version, Language: pkg.Python, Type: pkg.PythonPkg,
		PURL:      packageurl.NewPackageURL(packageurl.TypePyPi, "", name, m.version, nil, "").ToString(),
		Locations: file.NewLocationSet(at.WithAnnotation(pkg.EvidenceAnnotationKey, pkg.PrimaryEvidenceAnnotation)),
		Metadata:  pkg.PythonPackage{Name: m.name, Version: m.version},
	}
	if m.license != "" {
		out.Licenses = pkg.NewLicenseSet(pkg.NewLicensesFromValuesWithContext(ctx, m.license)...)
	}
	out.SetID()
	return out
}
