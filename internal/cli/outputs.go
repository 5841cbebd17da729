package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/gate"
	"github.com/portcullis-ci/portcullis/internal/inventory/syftcatalog"
	"github.com/portcullis-ci/portcullis/internal/report"
)

// stdoutPath stands for standard output.
const stdoutPath = "-"

// reportFlags are the flags of commands that write reports.
type reportFlags struct {
	output         []string
	quiet          bool
	all            bool
	category       string
	reportSeverity string
}

func (f *reportFlags) register(flags *pflag.FlagSet) {
	var names []string
	for _, format := range report.Formats() {
		names = append(names, format.Name)
	}
	flags.StringArrayVar(&f.output, "output", nil, "FORMAT=FILE to write a report to, - for standard output (repeatable): "+strings.Join(names, ", "))
	flags.BoolVar(&f.all, "all", false, "list every finding on the terminal in place of groups")
	flags.StringVar(&f.reportSeverity, "report-severity", "", "lowest severity that machine-readable reports hold (default: all)")
	flags.StringVar(&f.category, "category", "", "first part of the SARIF category, to tell several gates of one workflow apart (default gate)")
	flags.BoolVar(&f.quiet, "quiet", false, "no progress and no table: only the reports that --output names, and why the run fails")
}

// output is one report to write.
type output struct {
	format report.Format
	path   string
}

// outputs reads the --output flags.
func (f reportFlags) outputs() ([]output, error) {
	var out []output
	if f.reportSeverity != "" {
		if _, err := finding.ParseSeverity(f.reportSeverity); err != nil {
			return nil, &exit.Error{Code: exit.Usage, Doing: "--report-severity", Err: err}
		}
	}
	for _, given := range f.output {
		name, path, found := strings.Cut(given, "=")
		if !found || path == "" {
			return nil, &exit.Error{
				Code: exit.Usage, Doing: fmt.Sprintf("--output %q: expected FORMAT=FILE", given),
				Hint: "for example --output sarif=gate.sarif, or --output json=- for standard output",
			}
		}
		format, err := report.Find(name)
		if err != nil {
			return nil, err
		}
		out = append(out, output{format, path})
	}
	return out, nil
}

// sbomOutput is one SBOM to write.
type sbomOutput struct {
	path   string
	format syftcatalog.Format
	// at is the time that the build gives what it makes; zero for the present.
	at time.Time
	// document is set once there is one.
	document gate.SBOM
}

// sbomOutputs pairs --sbom-out with --sbom-format by their order. Formats that
// are left out are CycloneDX, which CI hosts read.
func (p Program) sbomOutputs(paths, formats []string) ([]sbomOutput, error) {
	if len(formats) > len(paths) {
		return nil, &exit.Error{
			Code: exit.Usage, Doing: fmt.Sprintf("%d --sbom-format for %d --sbom-out", len(formats), len(paths)),
			Hint: "name a file for each format: --sbom-out a.json --sbom-format cyclonedx-json",
		}
	}
	if len(paths) == 0 {
		return nil, nil
	}
	at, err := buildTime(p.Getenv)
	if err != nil {
		return nil, err
	}
	out := make([]sbomOutput, len(paths))
	for i, path := range paths {
		out[i] = sbomOutput{path: path, format: syftcatalog.CycloneDX, at: at}
		if i < len(formats) {
			format, err := syftcatalog.ParseFormat(formats[i])
			if err != nil {
				return nil, err
			}
			out[i].format = format
		}
	}
	return out, nil
}

// buildTime is the time that a reproducible build gives what it makes, in seconds
// since 1970; zero without one. See
// https://reproducible-builds.org/specs/source-date-epoch/.
func buildTime(getenv func(string) string) (time.Time, error) {
	const name = "SOURCE_DATE_EPOCH"
	value := getenv(name)
	if value == "" {
		return time.Time{}, nil
	}
	// RFC 3339 has no year after 9999.
	const last = 253402300799
	seconds, err := strconv.ParseUint(value, 10, 63)
	if err != nil || seconds > last {
		return time.Time{}, &exit.Error{
			Code: exit.Usage, Doing: fmt.Sprintf("%s=%q is no time", name, value),
			Hint: "set it to the seconds since 1970, as of the commit: git log -1 --pretty=%ct",
		}
	}
	return time.Unix(int64(seconds), 0), nil
}

// formatsOf are the formats in which SBOMs are written.
func formatsOf(outputs []sbomOutput) (formats []syftcatalog.Format) {
	for _, o := range outputs {
		if !slices.Contains(formats, o.format) {
			formats = append(formats, o.format)
		}
	}
	return formats
}

// documents gives each output its SBOM. Of an image of several platforms each
// has its own: bom.json becomes bom-linux-arm64.json for linux/arm64.
func documents(outputs []sbomOutput, sboms []gate.SBOM) []sbomOutput {
	var out []sbomOutput
	for _, o := range outputs {
		named := make(map[string]int)
		for _, document := range sboms {
			o := o
			o.document = document
			if len(sboms) > 1 {
				platform := fileName(document.Platform)
				// An index may hold several images for one platform.
				if named[platform]++; named[platform] > 1 {
					platform += "-" + strconv.Itoa(named[platform])
				}
				ext := ending(o.path)
				o.path = strings.TrimSuffix(o.path, ext) + "-" + platform + ext
			}
			out = append(out, o)
		}
	}
	return out
}

// ending is what has to stay at the end of an SBOM's name: collectors look for
// .cdx.json and .spdx.json.
func ending(path string) string {
	ext := filepath.Ext(path)
	if kind := filepath.Ext(strings.TrimSuffix(path, ext)); kind == ".cdx" || kind == ".spdx" {
		return kind + ext
	}
	return ext
}

// fileName is a text of the image as a part of a file's name, which scripts and
// workflows handle: with other characters than these it could be a command.
func fileName(text string) string {
	safe := []rune(text)
	for i, r := range safe {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r)) {
			safe[i] = '-'
		}
	}
	return string(safe[:min(len(safe), 64)])
}

// writeSBOMs writes each SBOM whole or not at all to its file. It returns those
// that were written; one that cannot be does not stop the others.
func writeSBOMs(outputs []sbomOutput, stdout io.Writer, now time.Time) (written []sbomOutput, err error) {
	for _, o := range outputs {
		write := func(w io.Writer) error { return o.document.Write(w, o.format, cmp.Or(o.at, now)) }
		var failed error
		if o.path != stdoutPath {
			failed = report.WholeFile(o.path, "write the SBOM", write)
		} else if failed = write(stdout); failed != nil {
			failed = fmt.Errorf("write the SBOM to standard output: %w", failed)
		}
		if failed == nil {
			written = append(written, o)
		}
		err = errors.Join(err, failed)
	}
	return written, err
}
