package syftcatalog

import (
	"context"
	"io"
	"slices"

	sync "github.com/anchore/go-sync"
	"github.com/anchore/syft/syft"
	"github.com/anchore/syft/syft/artifact"
	"github.com/anchore/syft/syft/cataloging"
	"github.com/anchore/syft/syft/cataloging/pkgcataloging"
	"github.com/anchore/syft/syft/file"
	"github.com/anchore/syft/syft/pkg"
	"github.com/anchore/syft/syft/pkg/cataloger/binary"
	"github.com/anchore/syft/syft/pkg/cataloger/dotnet"
	"github.com/anchore/syft/syft/pkg/cataloger/golang"
	"github.com/anchore/syft/syft/pkg/cataloger/java"
	"github.com/anchore/syft/syft/pkg/cataloger/nix"
	"github.com/anchore/syft/syft/pkg/cataloger/rust"

	"github.com/portcullis-ci/portcullis/internal/layers"
)

// The signatures by which catalogers of executables find what they read, as
// bits of layers.Entry.Signs.
const (
	// goBuildInfo precedes the build information of Go programs.
	goBuildInfo = 1 << iota
	// upxPacked is in the head of programs that are packed with UPX, which syft
	// unpacks to look for the build information of Go.
	upxPacked
	// cargoAuditable is the section in which cargo-auditable keeps the list of
	// crates.
	cargoAuditable
	// packageNote is the section that names the package of an ELF file.
	packageNote
	// nativeImage is a symbol of GraalVM's native images, which hold an SBOM.
	nativeImage
	// dotnetBundle marks .NET programs of a single file.
	dotnetBundle
	// cargoAuditableOld is the name of that section before it was settled.
	cargoAuditableOld
	// pyInstaller begins the end of programs into which PyInstaller packed Python
	// and packages, and nodeApplication stands in a node that has an application
	// in itself. Nothing says which packages those are.
	pyInstaller
	nodeApplication
	// rustProgram is in the paths of sources that programs of Rust name when they
	// panic. Without cargo-auditable nothing says of which crates they are made.
	rustProgram

	// opaque are the signatures of what no cataloger reads, see opaquePrograms.
	opaque = pyInstaller | nodeApplication | rustProgram
)

// signatures are in the order of the bits.
var signatures = []layers.Signature{
	{Bytes: []byte("\xff Go buildinf:")},
	{Bytes: []byte("UPX!"), Within: 8192},
	{Bytes: []byte("dep-v0")}, // .dep-v0, and rdep-v0 in Mach-O
	{Bytes: []byte(".note.package")},
	{Bytes: []byte("__svm_version_info")},
	{Bytes: []byte{
		0x8b, 0x12, 0x02, 0xb9, 0x6a, 0x61, 0x20, 0x38, 0x72, 0x7b, 0x93, 0x02, 0x14, 0xd7, 0xa0, 0x32,
		0x13, 0xf5, 0xb9, 0xe6, 0xef, 0xae, 0x33, 0x18, 0xee, 0x3b, 0x2d, 0xce, 0x24, 0xb3, 0x6a, 0xae,
	}},
	{Bytes: []byte("rust-deps-v0")},
	{Bytes: []byte("MEI\x0c\x0b\x0a\x0b\x0e")},
	{Bytes: []byte("NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2:1")},
	{Bytes: []byte("library/std/src/")},
}

// withNarrowedCatalogers has each cataloger of executables look only at those that
// hold its signature: in the others it would find nothing, having read them, some
// of them whole. The one of Nix sees only the store, of all files.
//
// Without an SBOM, the settings of Go programs that stand only there are not read.
func withNarrowedCatalogers(cfg *syft.CreateSBOMConfig, sbom bool) *syft.CreateSBOMConfig {
	var names []string
	for _, c := range []pkg.Cataloger{
		executables{Cataloger: golang.NewGoModuleBinaryCataloger(cfg.Packages.Golang), signs: goBuildInfo | upxPacked, goPrograms: true, settings: sbom},
		executables{Cataloger: rust.NewAuditBinaryCataloger(), signs: cargoAuditable | cargoAuditableOld, check: checkCrates},
		executables{Cataloger: binary.NewELFPackageCataloger(), signs: packageNote},
		executables{Cataloger: java.NewNativeImageCataloger(), signs: nativeImage},
		executables{Cataloger: dotnet.NewDotnetDepsBinaryCataloger(cfg.Packages.Dotnet), signs: dotnetBundle},
		nixStore{nix.NewCataloger(cfg.Packages.Nix)},
	} {
		names = append(names, c.Name())
		cfg = cfg.WithCatalogers(pkgcataloging.NewAlwaysEnabledCatalogerReference(c))
	}
	for _, c := range ownCatalogers() {
		cfg = cfg.WithCatalogers(pkgcataloging.NewAlwaysEnabledCatalogerReference(c))
	}
	return cfg.WithCatalogerSelection(cataloging.NewSelectionRequest().WithRemovals(names...))
}

// ownCatalogers find what syft has no cataloger for, and ownGlobs are the files that
// they ask for.
func ownCatalogers() []pkg.Cataloger {
	return []pkg.Cataloger{newPlugNPlayCataloger(), newPythonZipCataloger()}
}

var ownGlobs = slices.Concat(plugNPlayFiles, pythonZips)

// executables is a cataloger that is shown only executables with certain
// signatures.
type executables struct {
	pkg.Cataloger
	signs uint32
	// goPrograms: what was not kept of an executable is shown as zeros, see
	// executableParts. The cryptographic settings of it are shown if settings is set.
	goPrograms, settings bool
	// check refuses contents that the cataloger would choke on; nil for none.
	check func(io.ReaderAt) error
}

// Catalog implements pkg.Cataloger.
func (c executables) Catalog(ctx context.Context, r file.Resolver) ([]pkg.Package, []artifact.Relationship, error) {
	// One after the other: what it takes to read the symbols of one large
	// program counts many times otherwise.
	ctx = sync.SetContextExecutor(ctx, cataloging.ExecutorFile, sync.NewExecutor(1))
	own, ok := r.(*resolver)
	if !ok {
		return c.Cataloger.Catalog(ctx, r)
	}
	return c.Cataloger.Catalog(ctx, signedResolver{resolver: own, executables: c})
}

// signedResolver is the tree of files as a cataloger of executables sees it.
type signedResolver struct {
	*resolver
	executables executables
}

// FilesByMIMEType returns the executables of the given types that hold one of
// the signatures.
func (r signedResolver) FilesByMIMEType(types ...string) ([]file.Location, error) {
	return r.resolver.executables(r.executables.signs, types...)
}

// FileContentsByLocation opens a file.
func (r signedResolver) FileContentsByLocation(l file.Location) (io.ReadCloser, error) {
	c, err := r.contents(l)
	if err != nil {
		return nil, err
	}
	if r.executables.goPrograms {
		c = c.ZeroHoles()
		if !r.executables.settings {
			return withoutCryptoSettings(c), nil
		}
	}
	if check := r.executables.check; check != nil {
		if err := check(c); err != nil {
			// The parser passes on what reading says, and so the file is told.
			r.reach(l.RealPath, err)
			return refused{err}, c.Close()
		}
	}
	return c, nil
}

var _ file.Resolver = signedResolver{}
