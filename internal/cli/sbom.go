package cli

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/portcullis-ci/portcullis/internal/gate"
	"github.com/portcullis-ci/portcullis/internal/inventory/syftcatalog"
	"github.com/portcullis-ci/portcullis/internal/progress"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// sbomFlags are the flags of the sbom command.
type sbomFlags struct {
	out    []string
	format []string
	rootfs string
	quiet  bool
	imageFlags
	limitFlags
	cacheFlags
}

func (p Program) sbomCommand() *cobra.Command {
	var f sbomFlags
	cmd := &cobra.Command{
		Use:   "sbom [REF]",
		Short: "Write the SBOM of an image or a root file system",
		Example: `  portcullis sbom registry.example/shop/web:1.2
  portcullis sbom registry.example/shop/web:1.2 --platform all --sbom-out web.cdx.json
  portcullis sbom oci:build/image --sbom-out a.cdx.json --sbom-format cyclonedx-json --sbom-out a.spdx.json --sbom-format spdx-json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if f.rootfs != "" {
				return noArgs(cmd, args)
			}
			return exactlyOne("one image reference")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			reference := ""
			if len(args) == 1 {
				reference = args[0]
			}
			return p.sbom(cmd.Context(), &f, cmd.Flags(), reference)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringArrayVar(&f.out, "sbom-out", nil, "file to write to, - for standard output (repeatable, default -)")
	flags.StringArrayVar(&f.format, "sbom-format", nil, "format of the file at the same place: "+sbomFormats()+" (default cyclonedx-json)")
	flags.StringVar(&f.rootfs, "rootfs", "", "root file system to list in place of an image")
	flags.BoolVar(&f.quiet, "quiet", false, "no progress")
	f.imageFlags.register(flags, true)
	f.limitFlags.register(flags)
	f.cacheFlags.register(flags)
	return cmd
}

// sbom writes the SBOM. An SBOM without packages is written with a warning:
// a scratch image with a single static binary may truly have none.
func (p Program) sbom(ctx context.Context, f *sbomFlags, flags *pflag.FlagSet, reference string) (err error) {
	if _, err := p.flagsFromEnvironment(flags); err != nil {
		return err
	}
	if err := f.check(); err != nil {
		return err
	}
	if p.Crash != "" {
		return p.crashed()
	}
	if err := p.limitMemory(f.limitFlags); err != nil {
		return err
	}
	if f.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, f.timeout, gate.TimeoutError(f.timeout))
		defer cancel()
	}
	if len(f.out) == 0 {
		f.out = []string{stdoutPath}
	}
	outputs, err := p.sbomOutputs(f.out, f.format)
	if err != nil {
		return err
	}
	if _, err := p.apart(destinations(nil, outputs, vexOutFlags{})); err != nil {
		return err
	}
	if f.rootfs == "" {
		if err := f.eachInAFile(outputs); err != nil {
			return err
		}
	}
	var display *progress.Display
	if !f.quiet {
		display = progress.New(p.Stderr, p.isTerminal(p.Stderr), p.Clock)
		defer display.Close()
	}
	targets, err := p.openTargets(ctx, f, reference, display)
	defer func() {
		for _, t := range targets {
			err = errors.Join(err, t.Close())
		}
	}()
	if err != nil {
		return err
	}
	var sboms []gate.SBOM
	for _, t := range targets {
		document, err := p.listTarget(ctx, f, t, formatsOf(outputs), display)
		if err != nil {
			return err
		}
		sboms = append(sboms, document)
	}
	_, err = writeSBOMs(documents(outputs, sboms), p.Stdout, p.Clock())
	return err
}

// listTarget takes stock of one image or root file system.
func (p Program) listTarget(ctx context.Context, f *sbomFlags, t *target.Target, formats []syftcatalog.Format, display *progress.Display) (gate.SBOM, error) {
	document, stage := gate.SBOM{}, "sbom"
	if f.platform == target.AllPlatforms && t.Image != nil {
		document.Platform = t.Image.Platform
		stage += " " + document.Platform
	}
	done := display.Start(stage)
	inv, sbom, err := syftcatalog.Catalog(ctx, t, syftcatalog.Options{
		SBOM:        formats,
		ToolVersion: Version().Version, Limits: f.layers(), Heap: int64(f.memory), Cache: f.openCache(p, display), Build: buildIdentity(),
	})
	if err != nil {
		done("not made")
		return gate.SBOM{}, err
	}
	done(countPackages(len(inv.Packages)))
	for _, u := range inv.Unreadable {
		display.Note("not read: %s: %s", u.Path, u.Reason)
	}
	document.SBOM = sbom
	return document, nil
}

// openTargets opens what is to be listed: with --platform all every image of an
// index, all of them or none.
func (p Program) openTargets(ctx context.Context, f *sbomFlags, reference string, display *progress.Display) ([]*target.Target, error) {
	if f.rootfs != "" {
		t, err := target.OpenRootFS(ctx, f.rootfs)
		if err != nil {
			return nil, err
		}
		return []*target.Target{t}, nil
	}
	return target.OpenAll(ctx, f.request(reference), target.Environment{
		Getenv: p.Getenv, HTTP: p.Transport, TempDir: os.TempDir(),
		Announce: func(message string) { display.Note("%s", message) },
	})
}

func countPackages(n int) string {
	if n == 0 {
		return "no packages were found: check that this is what you expect"
	}
	if n == 1 {
		return "1 package"
	}
	return fmt.Sprintf("%d packages", n)
}
