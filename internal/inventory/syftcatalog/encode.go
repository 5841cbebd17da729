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
	"sync"
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
// number and namespace are made from the content. The format must be one of
// [Options.SBOM], unless the target is an SBOM itself.
func (s *SBOM) Write(w io.Writer, f Format, now time.Time) error {
	document, err := s.document(f)
	if err == nil {
		document, err = finish(document, f, now)
	}
	if err == nil {
		_, err = w.Write(document)
	}
	if err != nil {
		return fmt.Errorf("write SBOM as %s: %w", f, err)
	}
	return nil
}

// begin has the formats encoded in the background, while the rest of what an
// image holds is looked at: for 2,000 packages it took 0.3 s.
func (s *SBOM) begin(formats []Format) {
	s.documents = make(map[Format]func() ([]byte, error), len(formats))
	for _, f := range formats {
		encoded := sync.OnceValues(func() ([]byte, error) { return s.encode(f) })
		s.documents[f] = encoded
		go func() { _, _ = encoded() }() // who asks for it gets the error
	}
}

// document returns the SBOM in a format, as [finish] takes it. It is what takes
// the time and is kept for the next one who asks, in this run or in a later one.
func (s *SBOM) document(f Format) ([]byte, error) {
	if document := s.documents[f]; document != nil {
		return document()
	}
	return s.encode(f)
}

func (s *SBOM) encode(f Format) (data []byte, err error) {
	defer recovered.As(&err, fmt.Sprintf("encode SBOM as %s", f))
	switch {
	case s.model == nil:
		return nil, errors.New("it was not asked for when the image was read")
	case f == CycloneDX:
		data, err = s.cycloneDX()
	case f == SPDX:
		data, err = s.spdx()
	default:
		err = fmt.Errorf("unknown format %q", f)
	}
	if err != nil {
		return nil, err
	}
	return neutralise.JSON(credential.WithholdJSON(data)), nil
}

// What a document has in place of its time and of the unique part of its name.
const (
	noTime = "0001-01-01T00:00:00Z"
	noID   = "00000000-0000-0000-0000-000000000000"
)

// finish sets the time, and makes the unique part of the document's name from
// its content with that time. The first field of the name is meant in each case:
// text in the document cannot hold one, since its quotes are escaped.
func finish(document []byte, f Format, now time.Time) ([]byte, error) {
	timeField, idField := `"timestamp": "`, `"serialNumber": "urn:uuid:`
	if f == SPDX {
		timeField, idField = `"created": "`, `"documentNamespace": "`
	}
	out := bytes.Clone(document)
	fill := func(field, placeholder, value string) error {
		_, rest, found := bytes.Cut(out, []byte(field))
		if i := bytes.Index(rest, []byte(placeholder)); found && i >= 0 && len(value) == len(placeholder) {
			copy(rest[i:], value)
			return nil
		}
		return fmt.Errorf("no place for %q in the document", value)
	}
	if err := fill(timeField, noTime, now.UTC().Format(time.RFC3339)); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(out)
	return out, fill(idField, noID, uuid.NewHash(sha256.New(), uuid.NameSpaceURL, sum[:], 8).String())
}

const gitlabSchema = "gitlab:meta:schema_version"

func (s *SBOM) cycloneDX() ([]byte, error) {
	bom := cyclonedxhelpers.ToFormatModel(*s.model)
	if bom.Metadata == nil {
		bom.Metadata = &cyclonedx.Metadata{}
	}
	bom.SerialNumber = "urn:uuid:" + noID
	bom.Metadata.Timestamp = noTime
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
	var buf bytes.Buffer
	encoder := cyclonedx.NewBOMEncoder(&buf, cyclonedx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false)
	if err := encoder.EncodeVersion(bom, cyclonedx.SpecVersion1_6); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

func sortComponents(components []cyclonedx.Component) {
	slices.SortStableFunc(components, func(a, b cyclonedx.Component) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.PackageURL, b.PackageURL), cmp.Compare(a.Name, b.Name),
			cmp.Compare(a.Version, b.Version), cmp.Compare(a.BOMRef, b.BOMRef))
	})
}

func (s *SBOM) spdx() ([]byte, error) {
	doc := spdxhelpers.ToFormatModel(*s.model)
	if doc == nil || doc.CreationInfo == nil {
		return nil, errors.New("the SBOM has no SPDX form")
	}
	doc.CreationInfo.Created = noTime
	doc.CreationInfo.Creators = []spdx.Creator{{CreatorType: "Tool", Creator: "portcullis-" + cmp.Or(s.version, "unknown")}}
	slices.SortStableFunc(doc.Packages, func(a, b *spdx.Package) int {
		return cmp.Or(cmp.Compare(a.PackageName, b.PackageName), cmp.Compare(a.PackageVersion, b.PackageVersion),
			cmp.Compare(a.PackageSPDXIdentifier, b.PackageSPDXIdentifier))
	})
	slices.SortStableFunc(doc.Relationships, func(a, b *spdx.Relationship) int {
		return cmp.Or(cmp.Compare(a.RefA.ElementRefID, b.RefA.ElementRefID), cmp.Compare(a.Relationship, b.Relationship),
			cmp.Compare(a.RefB.ElementRefID, b.RefB.ElementRefID), cmp.Compare(a.RelationshipComment, b.RelationshipComment))
	})
	doc.DocumentNamespace = "https://portcullis-ci.github.io/spdx/" + url.PathEscape(doc.DocumentName) + "-" + noID
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(doc)
	return buf.Bytes(), err
}
