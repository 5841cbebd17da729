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
	"fmt"
	"html/template"
	"io"
	"strings"

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
	data, err := encode(dataOf(o, opts))
	if err != nil {
		return err
	}
	var b bytes.Buffer
	err = page.Execute(&b, view{
		Summary: summarise(o, opts),
		Policy:  securityPolicy(),
		Style:   template.CSS(styleText),
		Script:  template.JS(scriptText),
		Data:    template.JS(data),
	})
	if err != nil {
		return fmt.Errorf("render HTML report: %w", err)
	}
	_, err = w.Write(neutralise.Markup(b.Bytes()))
	return err
}

// view is what the template fills in.
type view struct {
	Summary summary
	Policy  string
	Style   template.CSS
	Script  template.JS
	Data    template.JS
}

// securityPolicy allows the page's own style and script by their hashes.
func securityPolicy() string {
	return fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'", hash(styleText), hash(scriptText))
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// encode makes JSON for a script element: "<", ">" and "&" are escaped by the
// encoder, so no text can end the element.
func encode(d data) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	if err := enc.Encode(d); err != nil {
		return "", fmt.Errorf("encode data of the HTML report: %w", err)
	}
	return strings.TrimSpace(string(neutralise.JSON(b.Bytes()))), nil
}
