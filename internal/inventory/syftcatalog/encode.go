package syftcatalog

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"
	"github.com/anchore/syft/syft/format/common/cyclonedxhelpers"
	"github.com/anchore/syft/syft/format/common/spdxhelpers"
	"github.com/google/uuid"
	"github.com/spdx/tools-golang/spdx"

	"github.com/portcullis-ci/portcullis/internal/credential"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
	"github.com/portcullis-ci/portcullis/internal/recovered"
)

// Format is a format in which an SBOM can be written.
type Format string

// The formats. Their versions are fixed here and do not move with syft.
const (
	// CycloneDX is CycloneDX 1.6 JSON, https://cyclonedx.org/docs/1.6/json/.
	CycloneDX Format = "cyclonedx-json"
	// SPDX is SPDX 2.3 JSON, https://spdx.github.io/spdx-spec/v2.3/.
	SPDX Format = "spdx-json"
)

// Formats lists the formats.
func Formats() []Format { return []Format{CycloneDX, SPDX} }

// ParseFormat reads the name of a format; the error is a usage error.
func ParseFormat(name string) (Format, error) {
	switch strings.ToLower(name) {
	case "cyclonedx", "cyclonedx-json":
		return CycloneDX, nil
	case "spdx", "spdx-json":
		return SPDX, nil
	}
	return "", &exit.Error{
		Code: exit.Usage, Doing: "choose SBOM format", Err: fmt.Errorf("unknown format %q", name),
		Hint: "use cyclonedx-json or spdx-json",
	}
}

// Write writes the SBOM, without the passwords and tokens that URLs in lock files
// hold. The same SBOM and time give the same bytes: serial
// number and namespace are made from the content.
func (s *SBOM) Write(w io.Writer, f Format, now time.Time) (err error) {
	defer recovered.As(&err, fmt.Sprintf("write SBOM as %s", f))
	var data []byte
	if err := s.load(); err != nil {
		return fmt.Errorf("write SBOM as %s: %w", f, err)
	}
	switch f {
	case CycloneDX:
		data, err = s.cycloneDX(now)
	case SPDX:
		data, err = s.spdx(now)
	default:
		err = fmt.Errorf("unknown format %q", f)
	}
	if err == nil {
		_, err = w.Write(neutralise.JSON(credential.WithholdJSON(data)))
	}
	if err != nil {
		return fmt.Errorf("write SBOM as %s: %w", f, err)
	}
	return nil
}

// load makes the model that was put off.
func (s *SBOM) load() error {
	if s.later == nil {
		return nil
	}
	model, err := s.later()
	if err == nil {
		s.model, s.later = *model, nil
	}
	return err
}

// documentID makes the unique part of a document's name from its content.
func documentID(content []byte) uuid.UUID {
	sum := sha256.Sum256(content)
	return uuid.NewHash(sha256.New(), uuid.NameSpaceURL, sum[:], 8)
}

const gitlabSchema = "gitlab:meta:schema_version"

func (s *SBOM) cycloneDX(now time.Time) ([]byte, error) {
	bom := cyclonedxhelpers.ToFormatModel(s.model)
	if bom.Metadata == nil {
		bom.Metadata = &cyclonedx.Metadata{}
	}
	bom.SerialNumber = ""
	bom.Metadata.Timestamp = now.UTC().Format(time.RFC3339)
	bom.Metadata.Tools = &cyclonedx.ToolsChoice{Components: &[]cyclonedx.Component{{
		Type: cyclonedx.ComponentTypeApplication, Name: "portcullis", Version: s.version,
	}}}
	properties := []cyclonedx.Property{{Name: gitlabSchema, Value: "1"}}
	if bom.Metadata.Properties != nil {
		properties = append(properties, *bom.Metadata.Properties...)
	}
	bom.Metadata.Properties = &properties
	if bom.Components != nil {
		sortComponents(*bom.Components)
	}
	content, err := encodeCycloneDX(bom)
	if err != nil {
		return nil, err
	}
	bom.SerialNumber = documentID(content).URN()
	return encodeCycloneDX(bom)
}

func sortComponents(components []cyclonedx.Component) {
	slices.SortStableFunc(components, func(a, b cyclonedx.Component) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.PackageURL, b.PackageURL), cmp.Compare(a.Name, b.Name),
			cmp.Compare(a.Version, b.Version), cmp.Compare(a.BOMRef, b.BOMRef))
	})
}

func encodeCycloneDX(bom *cyclonedx.BOM) ([]byte, error) {
	var buf bytes.Buffer
	encoder := cyclonedx.NewBOMEncoder(&buf, cyclonedx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false)
	if err := encoder.EncodeVersion(bom, cyclonedx.SpecVersion1_6); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

func (s *SBOM) spdx(now time.Time) ([]byte, error) {
	doc := spdxhelpers.ToFormatModel(s.model)
	if doc == nil || doc.CreationInfo == nil {
		return nil, errors.New("the SBOM has no SPDX form")
	}
	doc.CreationInfo.Created = now.UTC().Format(time.RFC3339)
	doc.CreationInfo.Creators = []spdx.Creator{{CreatorType: "Tool", Creator: "portcullis-" + cmp.Or(s.version, "unknown")}}
	slices.SortStableFunc(doc.Packages, func(a, b *spdx.Package) int {
		return cmp.Or(cmp.Compare(a.PackageName, b.PackageName), cmp.Compare(a.PackageVersion, b.PackageVersion),
			cmp.Compare(a.PackageSPDXIdentifier, b.PackageSPDXIdentifier))
	})
	slices.SortStableFunc(doc.Relationships, func(a, b *spdx.Relationship) int {
		return cmp.Or(cmp.Compare(a.RefA.ElementRefID, b.RefA.ElementRefID), cmp.Compare(a.Relationship, b.Relationship),
			cmp.Compare(a.RefB.ElementRefID, b.RefB.ElementRefID), cmp.Compare(a.RelationshipComment, b.RelationshipComment))
	})
	doc.DocumentNamespace = ""
	content, err := encodeJSON(doc)
	if err != nil {
		return nil, err
	}
	doc.DocumentNamespace = "https://portcullis-ci.github.io/spdx/" + url.PathEscape(doc.DocumentName) + "-" + documentID(content).String()
	return encodeJSON(doc)
}

func encodeJSON(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return buf.Bytes(), err
}
