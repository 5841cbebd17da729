package cli

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// BuildVersion is set by the linker in releases built with make, as
// -X …/internal/cli.BuildVersion=1.2.3. With `go install` the module's version
// takes its place.
var BuildVersion string

// Build says which build of the program this is.
type Build struct {
	// Version is a semantic version without a leading v.
	Version string `json:"version"`
	// Commit is the revision of the sources, empty when the build does not
	// know it.
	Commit   string `json:"commit,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// developmentVersion is what a build from a checkout calls itself.
const developmentVersion = "0.1.0-dev"

// Version reads the build's identity from the linker's setting or the build
// information in the binary.
func Version() Build {
	b := Build{Version: BuildVersion, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				b.Commit = s.Value
			case "vcs.modified":
				b.Modified = s.Value == "true"
			}
		}
		if b.Version == "" && info.Main.Version != "(devel)" {
			b.Version = strings.TrimPrefix(info.Main.Version, "v")
		}
	}
	if b.Version == "" {
		b.Version = developmentVersion
	}
	return b
}

func (p Program) versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version of this build",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			b := Version()
			if asJSON {
				return json.NewEncoder(p.Stdout).Encode(b)
			}
			_, err := fmt.Fprintf(p.Stdout, "portcullis %s (%s, %s)\n", b.Version, b.Go, b.Platform)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
