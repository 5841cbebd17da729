// Package vex reads statements about whether products are affected by
// vulnerabilities (VEX) from OpenVEX, CycloneDX and CSAF files, applies them to
// findings, and writes what the gate itself has found out as OpenVEX. It trusts
// the files that it is given: who may give them is the user's decision. It
// drops no finding and reads nothing from a network.
package vex

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/portcullis-ci/portcullis/internal/recovered"
	"github.com/portcullis-ci/portcullis/internal/triage/match"
)

// Format is the form of a VEX file.
type Format string

// The formats that can be read.
const (
	// OpenVEX 0.0.1 and 0.2, https://github.com/openvex/spec
	OpenVEX Format = "OpenVEX"
	// CycloneDX JSON with vulnerabilities, https://cyclonedx.org/capabilities/vex/
	CycloneDX Format = "CycloneDX"
	// CSAF 2.0 with the VEX profile,
	// https://docs.oasis-open.org/csaf/csaf/v2.0/os/csaf-v2.0-os.html#45-profile-5-vex
	CSAF Format = "CSAF"
)

// Status is what a statement says, in the words of OpenVEX.
type Status string

// The statuses. Only the first two rule a finding out.
const (
	NotAffected        Status = "not_affected"
	Fixed              Status = "fixed"
	Affected           Status = "affected"
	UnderInvestigation Status = "under_investigation"
)

const (
	// maxSize bounds a file in bytes. Vendors' largest CSAF files have about
	// 20 MB.
	maxSize = 64 << 20
	// maxStatements bounds what one file may grow to in memory: CSAF makes a
	// statement of each pair of vulnerability and product.
	maxStatements = 1_000_000
)

// Document is a decoded VEX file.
type Document struct {
	// Name is the file's name.
	Name   string
	Format Format
	// Author is who makes the statements, where the file says so.
	Author     string
	Statements []Statement
	// Notes say what in the file cannot be applied and why.
	Notes []string
}

// Statement says how one vulnerability concerns some products.
type Statement struct {
	// IDs are the vulnerability's id and all of its aliases.
	IDs []string
	// Products are alternatives: the statement is about each.
	Products []Product
	Status   Status
	// Justification is a label of OpenVEX and CSAF, or empty.
	Justification string
	// Detail is what the author says about it in words.
	Detail string
	// Time is when the statement was last changed; of several about one
	// finding the latest counts.
	Time time.Time
	// Source names file and statement.
	Source string
}

// Product is what a statement is about: a product as a whole, or packages in
// it.
type Product struct {
	// Names identify the product, each by itself: package URL, digest or image
	// reference. Nil means that the file says nothing about a product and the
	// packages alone count.
	Names []string
	// Components are the packages; none means the product as a whole.
	Components []Component
}

// Component is a package of a product.
type Component struct {
	PURL match.PURL
	// Version further limits the package URL; empty for none.
	Version string
}

// Decode reads a VEX file of any of the formats, which it tells by the
// content. Everything that the statements need must be there and in order.
func Decode(name string, content []byte) (Document, error) {
	return decodeWith(json.Unmarshal, name, content)
}

// decodeWith is Decode with a parser of JSON for the kind of the file.
func decodeWith(unmarshal func([]byte, any) error, name string, content []byte) (doc Document, err error) {
	defer recovered.As(&err, name)
	if len(content) > maxSize {
		return Document{}, fmt.Errorf("%s: %d bytes, at most %d are read", name, len(content), maxSize)
	}
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
	var probe struct {
		Context   json.RawMessage `json:"@context"`
		BOMFormat string          `json:"bomFormat"`
		Document  json.RawMessage `json:"document"`
	}
	if err := unmarshal(content, &probe); err != nil {
		return Document{}, fmt.Errorf("%s: read VEX: %w", name, err)
	}
	d := Document{Name: name}
	switch {
	case strings.Contains(string(probe.Context), "openvex.dev"):
		d.Format, err = OpenVEX, d.decodeOpenVEX(content)
	case probe.BOMFormat == "CycloneDX":
		d.Format, err = CycloneDX, d.decodeCycloneDX(content)
	case probe.Document != nil:
		d.Format, err = CSAF, d.decodeCSAF(content)
	default:
		err = errors.New("is neither OpenVEX nor CycloneDX nor CSAF: expected @context, bomFormat or document")
	}
	if err != nil {
		return Document{}, fmt.Errorf("%s: %w", name, err)
	}
	return d, nil
}

// add keeps a statement that has products.
func (d *Document) add(s Statement) error {
	if len(d.Statements) >= maxStatements {
		return fmt.Errorf("more than %d statements", maxStatements)
	}
	d.Statements = append(d.Statements, s)
	return nil
}

// maxNotes bounds the notes of one file: a vendor's file may name thousands of
// products that no image can be.
const maxNotes = 20

func (d *Document) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	switch {
	case len(d.Notes) > maxNotes || slices.Contains(d.Notes, text):
	case len(d.Notes) == maxNotes:
		d.Notes = append(d.Notes, "further notes are left out")
	default:
		d.Notes = append(d.Notes, text)
	}
}

// justifications are the labels of OpenVEX, which are those of CSAF.
// https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md#status-justifications
var justifications = []string{
	"component_not_present", "vulnerable_code_not_present", "vulnerable_code_not_in_execute_path",
	"vulnerable_code_cannot_be_controlled_by_adversary", "inline_mitigations_already_exist",
}

// parseTime reads a moment as the formats write it; empty is the zero time.
func parseTime(what, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s is %.40q: expected a moment such as 2026-11-01T12:00:00Z", what, s)
	}
	return t.UTC(), nil
}

// first returns the first of the texts that is not empty.
func first(texts ...string) string {
	for _, s := range texts {
		if strings.TrimSpace(s) != "" {
			return strings.TrimSpace(s)
		}
	}
	return ""
}

// hashName is a digest as images have it, or "" for other algorithms.
func hashName(algorithm, value string) string {
	switch strings.ToLower(algorithm) {
	case "sha-256", "sha256":
		return "sha256:" + strings.ToLower(strings.TrimPrefix(value, "sha256:"))
	}
	return ""
}
