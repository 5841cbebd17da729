// Package html writes the report as one HTML file that needs no network and no
// other file: summary, charts and coverage are plain markup, and a small script
// adds search, filters, sorting and the views by file and by layer. A content
// security policy allows nothing but the file's own style and script, and
// foreign text reaches the page as text only.
package html

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"

	"github.com/portcullis-ci/portcullis/internal/neutralise"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report/document"
)

//go:embed page.html
var pageText string

//go:embed style.css
var styleText string

//go:embed app.js
var scriptText string

// Write writes the report.
func Write(_ context.Context, w io.Writer, o outcome.Outcome, opts document.Options) error {
	page, err := template.New("page").Funcs(template.FuncMap{"line": neutralise.Line}).Parse(pageText)
	if err != nil {
		return fmt.Errorf("parse HTML template: %w", err)
	}
	var b bytes.Buffer
	err = page.Execute(&b, view{
		Summary: summarise(o, opts),
		Policy:  securityPolicy(),
		Style:   template.CSS(styleText),
		Script:  template.JS(scriptText),
	})
	if err != nil {
		return fmt.Errorf("render HTML report: %w", err)
	}
	before, after, found := bytes.Cut(b.Bytes(), dataElement)
	if !found {
		return errors.New("render HTML report: the page has no place for its data")
	}
	if _, err := w.Write(append(neutralise.Markup(before), dataElement...)); err != nil {
		return err
	}
	if err := writeData(w, o, opts); err != nil {
		return err
	}
	_, err = w.Write(neutralise.Markup(after))
	return err
}

// dataElement is what stands before the data of the script. Foreign text cannot
// hold it: there "<" is escaped.
var dataElement = []byte(`<script type="application/json" id="data">`)

// view is what the template fills in.
type view struct {
	Summary summary
	Policy  string
	Style   template.CSS
	Script  template.JS
}

// securityPolicy allows the page's own style and script by their hashes.
func securityPolicy() string {
	return fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'", hash(styleText), hash(scriptText))
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// writeData writes what the script of the page works on: an object with the
// findings, files and layers. The findings are written one by one, since
// together they take several times the memory of all else. "<", ">" and "&" are
// escaped by the encoder, so no text can end the element.
func writeData(w io.Writer, o outcome.Outcome, opts document.Options) error {
	out := &jsonWriter{w: w}
	out.text(`{"findings":[`)
	failed := o.Verdict.Failed()
	between := ""
	for _, f := range document.Sorted(o.Findings) {
		if len(f.Locations) > 0 {
			out.text(between)
			out.value(rowOf(f, failed[f.Fingerprint], o))
			between = ","
		}
	}
	out.text(`],"files":`)
	out.value(sources(o.Findings, opts))
	out.text(`,"layers":`)
	out.value(layers(o))
	out.text("}")
	return out.err
}

// jsonWriter writes pieces of JSON up to the first error.
type jsonWriter struct {
	w   io.Writer
	err error
}

func (j *jsonWriter) text(s string) {
	if j.err == nil {
		_, j.err = io.WriteString(j.w, s)
	}
}

func (j *jsonWriter) value(v any) {
	if j.err != nil {
		return
	}
	encoded, err := json.Marshal(v)
	if err != nil {
		j.err = fmt.Errorf("encode data of the HTML report: %w", err)
		return
	}
	_, j.err = j.w.Write(neutralise.JSON(encoded))
}
