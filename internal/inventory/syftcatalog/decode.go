package syftcatalog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/anchore/syft/syft/format"
	"github.com/anchore/syft/syft/format/cyclonedxjson"
	"github.com/anchore/syft/syft/format/spdxjson"
	"github.com/anchore/syft/syft/format/syftjson"
	"github.com/anchore/syft/syft/sbom"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/target"
)

const (
	// maxSBOM is the size of an SBOM file in bytes; one of 100,000 packages
	// has some 100 MB.
	maxSBOM = 512 << 20
	// maxPackages bounds the packages of an SBOM.
	maxPackages = 1_000_000
	// maxDepth bounds the nesting of an SBOM, whose components may hold
	// components.
	maxDepth = 500
)

// decode reads an SBOM file: syft JSON, CycloneDX JSON or SPDX JSON.
func decode(t *target.Target) (*sbom.SBOM, listed, error) {
	file := t.Path
	raw, err := readSBOM(t)
	if err != nil {
		return nil, listed{}, fmt.Errorf("read SBOM %s: %w", file, err)
	}
	if err := target.CheckJSON(raw, maxDepth); err != nil {
		hint := "make the SBOM again; two readers may understand this one differently"
		if errors.Is(err, target.ErrNotJSON) {
			hint = "name a whole CycloneDX (1.2 to 1.6), SPDX (2.2, 2.3) or syft file in JSON"
		}
		return nil, listed{}, &exit.Error{Code: exit.NotExamined, Doing: "read SBOM " + file, Err: err, Hint: hint}
	}
	decoders := format.NewDecoderCollection(syftjson.NewFormatDecoder(), cyclonedxjson.NewFormatDecoder(), spdxjson.NewFormatDecoder())
	model, id, _, err := decoders.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, listed{}, &exit.Error{
			Code: exit.NotExamined, Doing: "read SBOM " + file, Err: err,
			Hint: "name a CycloneDX (1.2 to 1.6), SPDX (2.2, 2.3) or syft file in JSON",
		}
	}
	if model == nil || model.Artifacts.Packages == nil {
		return nil, listed{}, fmt.Errorf("read SBOM %s (%s): it has no list of packages", file, id)
	}
	if n := model.Artifacts.Packages.PackageCount(); n > maxPackages {
		return nil, listed{}, fmt.Errorf("read SBOM %s: %d packages, more than the limit of %d", file, n, maxPackages)
	}
	more, err := readListed(raw)
	if err != nil {
		return nil, listed{}, fmt.Errorf("read SBOM %s: %w", file, err)
	}
	return model, more, nil
}

func readSBOM(t *target.Target) (raw []byte, err error) {
	in := t.Stream
	if in == nil {
		f, err := os.Open(t.Path)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }() // only read
		in = f
	}
	if raw, err = io.ReadAll(io.LimitReader(in, maxSBOM+1)); err != nil {
		return nil, err
	}
	if len(raw) > maxSBOM {
		return nil, fmt.Errorf("more than %d bytes", maxSBOM)
	}
	return bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")), nil
}
