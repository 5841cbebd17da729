// Package sarif writes SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/)
// as GitHub code scanning reads it: a run for each part of the gate under a
// stable category, one result for each rule and line, GitHub's own line hash
// on files of the repository, and everything within the host's limits. Waived
// findings are left out, because hosts open alerts for suppressed results too;
// they are in the JSON report.
package sarif

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/portcullis-ci/portcullis/internal/neutralise"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report/document"
)

// limits are what a host takes.
type limits struct {
	// results of one run, and bytes of the whole file after gzip.
	results, gzip int
}

// codeScanning are the limits of GitHub, which rejects more than 10 MB of gzip
// and keeps 5,000 results of a run, in an order of its own choosing.
var codeScanning = limits{results: 5000, gzip: 9_000_000}

// Write writes the outcome's findings as one SARIF log. When the log would be
// too large for GitHub it first shortens the help of rules, then leaves out
// the least severe results, and says so in a notification and in opts.Cuts.
func Write(ctx context.Context, w io.Writer, o outcome.Outcome, opts document.Options) error {
	return writeWithin(ctx, codeScanning, w, o, opts)
}

func writeWithin(ctx context.Context, most limits, w io.Writer, o outcome.Outcome, opts document.Options) error {
	plan := budget{results: most.results}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		log, cut := build(o, opts, plan)
		encoded, err := encode(log)
		if err != nil {
			return err
		}
		fits, err := fits(encoded, most.gzip)
		if err != nil {
			return err
		}
		if fits || plan.results <= 1 {
			opts.Cuts.Add(cut)
			_, err := w.Write(encoded)
			return err
		}
		plan = plan.smaller()
	}
}

// budget is how much of the outcome goes into the file.
type budget struct {
	results   int
	shortHelp bool
}

func (b budget) smaller() budget {
	if !b.shortHelp {
		return budget{results: b.results, shortHelp: true}
	}
	return budget{results: b.results / 2, shortHelp: true}
}

func encode(r *report) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	if err := enc.Encode(r); err != nil {
		return nil, fmt.Errorf("encode SARIF: %w", err)
	}
	return neutralise.JSON(b.Bytes()), nil
}

// fits reports whether gzip gets a log below the limit. The quick level is
// tried first: what it gets below the limit the thorough one does too.
func fits(encoded []byte, limit int) (bool, error) {
	if len(encoded) <= limit {
		return true, nil
	}
	for _, level := range []int{gzip.BestSpeed, gzip.DefaultCompression} {
		size, err := gzipSize(encoded, level)
		if err != nil || size <= limit {
			return err == nil, err
		}
	}
	return false, nil
}

func gzipSize(encoded []byte, level int) (int, error) {
	var n counter
	z, err := gzip.NewWriterLevel(&n, level)
	if err != nil {
		return 0, fmt.Errorf("measure SARIF: %w", err)
	}
	if _, err := z.Write(encoded); err != nil {
		return 0, fmt.Errorf("measure SARIF: %w", err)
	}
	if err := z.Close(); err != nil {
		return 0, fmt.Errorf("measure SARIF: %w", err)
	}
	return int(n), nil
}

type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
