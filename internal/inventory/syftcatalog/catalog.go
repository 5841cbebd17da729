// Package syftcatalog makes inventories with syft: it feeds syft's catalogers
// from package layers instead of unpacking images, turns what they find into
// plain package inventory values, reads SBOM files, and writes SBOMs. It is
// the only package that imports syft. It judges nothing.
package syftcatalog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/anchore/syft/syft"
	"github.com/anchore/syft/syft/cataloging"
	"github.com/anchore/syft/syft/pkg"
	"github.com/anchore/syft/syft/sbom"
	"golang.org/x/sync/errgroup"
	// The RPM cataloger needs a driver of the name sqlite; without one every
	// scan fails.
	_ "modernc.org/sqlite"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/layers"
	"github.com/portcullis-ci/portcullis/internal/recovered"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// Options are what a caller may choose.
type Options struct {
	// ToolVersion is the version of portcullis that SBOMs name.
	ToolVersion string
	// Limits bound the reading of layers.
	Limits layers.Limits
	// Heap is how much memory in bytes the program may use while packages are
	// read; 0 means 4 GiB.
	Heap int64
	// Inspectors look at the contents of all files while the layers are read.
	Inspectors []layers.Inspector
	// Inspected is told what they found as soon as all layers are read, before
	// packages are looked for; so it learns of it also when that fails. It is
	// not called for an SBOM file, which has no layers. May be nil.
	Inspected func(*layers.Inspections)
	// SBOM are the formats in which the SBOM will be written; none if it will not
	// be.
	SBOM []Format
	// Licences says that the licences of packages will be looked at. They are
	// there when an SBOM will be written, too, and otherwise left out: to tell
	// them by their texts takes time that nobody gains from.
	Licences bool
	// Cache keeps inventories and layers for the next run; may be nil.
	Cache layers.Cache
	// Build identifies the build of the program: what another one has put into
	// the cache is not used. Without it the cache is not used at all.
	Build string
}

// SBOM is the bill of materials of one target, ready to be written.
type SBOM struct {
	// model is nil where no SBOM was asked for, or where the documents came from
	// the cache.
	model   *sbom.SBOM
	version string
	stats   layers.Stats
	// inspections are the results of the inspectors, to be kept with the rest.
	inspections *layers.Inspections
	// documents are those that were or are being made already, see document.
	documents map[Format]func() ([]byte, error)
}

// Stats says what reading the layers cost; zero for an SBOM file.
func (s *SBOM) Stats() layers.Stats { return s.stats }

// Catalog takes stock of a target. What single files could not be understood
// is in Inventory.Unreadable; anything that puts the whole in doubt is an
// *exit.Error with the code NotExamined. With an error the inventory holds no
// more than the description of the image, whose configuration can be judged
// all the same, and, where a limit was reached, of what was read until then.
func Catalog(ctx context.Context, t *target.Target, opts Options) (inventory.Inventory, *SBOM, error) {
	bom := &SBOM{version: opts.ToolVersion}
	inv, err := bom.catalog(ctx, t, opts)
	if err != nil {
		if ctx.Err() != nil {
			// Whatever broke, it broke because the run was ended.
			err = context.Cause(ctx)
		}
		inv.Image = t.Image
		return inv, nil, explain(t, err)
	}
	return inv, bom, nil
}

// explain gives an error its code and a hint.
func explain(t *target.Target, err error) error {
	var known *exit.Error
	if errors.As(err, &known) {
		return err
	}
	hint := "check that the image is whole; if other tools can read it, please report this"
	if errors.Is(err, fs.ErrPermission) {
		hint = "let this user read it"
	}
	if fetch := target.FetchHint(err); fetch != "" {
		hint = fetch
	}
	var limit *layers.LimitError
	if errors.As(err, &limit) {
		hint = "the limit is fixed, and real images stay far below it: look at what is in this one"
		if flag, ok := limitFlags[limit.Field]; ok {
			hint = "if this target may be trusted to be that large, raise the limit with " + flag
		}
	}
	return &exit.Error{Code: exit.NotExamined, Doing: fmt.Sprintf("take inventory of %s %s", t.Kind, t.Name), Hint: hint, Err: err}
}

// limitFlags are the flags that raise a limit, by the name of its field.
var limitFlags = map[string]string{
	"ImageSize": "--max-image-size", "Files": "--max-files", heapField: "--max-memory",
}

func (s *SBOM) catalog(ctx context.Context, t *target.Target, opts Options) (inv inventory.Inventory, err error) {
	// Catalogers parse what an attacker wrote. A panic in one must not end the
	// program, and must not look like an empty image.
	defer recovered.As(&err, "take inventory")
	if t.Kind == target.SBOM {
		model, more, err := decode(t)
		if err != nil {
			return inv, err
		}
		s.model = model
		inv = withoutRepeats(convert(model, packagesOf(model)))
		more.complete(&inv)
		inv.Subject = subjectOf(model.Source)
		if inv.Distro == nil {
			inv.Distro = inventory.DistroOfPURLs(inv.Packages)
		}
		return valid(inv, nil)
	}
	opts.Licences = opts.Licences || len(opts.SBOM) > 0
	key := imageKey(t, opts)
	if key == "" {
		return valid(s.catalogLayers(ctx, t, opts))
	}
	if err := ctx.Err(); err != nil {
		return inv, err
	}
	for _, key := range opts.keys(key) {
		if inv, ok := s.fromCache(key, t, opts); ok {
			return inv, nil
		}
	}
	inv, err = valid(s.catalogLayers(ctx, t, opts))
	if err == nil {
		s.keep(key, inv, t, opts)
	}
	return inv, err
}

// valid passes on an inventory that keeps its promises, whatever else went wrong.
func valid(inv inventory.Inventory, err error) (inventory.Inventory, error) {
	if broken := inv.Validate(); broken != nil {
		return inventory.Inventory{}, errors.Join(err, broken)
	}
	return inv, err
}

func (s *SBOM) catalogLayers(ctx context.Context, t *target.Target, opts Options) (inventory.Inventory, error) {
	var cfg *syft.CreateSBOMConfig
	var index *layers.Index
	scanCtx := ctx
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		selector := selector
		selector.Inspectors, selector.Cache = opts.Inspectors, opts.Cache
		if opts.Build != "" {
			selector.Version = programVersion(opts.Build)
		}
		index, err = layers.Read(groupCtx, t.Layers, selector, opts.Limits)
		return err
	})
	group.Go(func() (err error) {
		cfg = config(opts)
		scanCtx, err = licenceContext(ctx, opts.Licences, cfg.Licenses)
		return err
	})
	limit := group.Wait()
	if index != nil {
		defer func() { _ = index.Close() }()
	}
	// What was read before a limit is worth a look, but not the image.
	var reached *layers.LimitError
	if limit != nil && (index == nil || !errors.As(limit, &reached)) {
		return inventory.Inventory{}, limit
	}
	s.inspections = index.Inspections()
	if opts.Inspected != nil {
		opts.Inspected(s.inspections)
	}
	var lists restoredLists
	if limit == nil {
		// Otherwise layers are missing, and nobody knows what later ones delete.
		var err error
		if lists, err = restoreLists(ctx, index); err != nil {
			return inventory.Inventory{}, err
		}
	}
	src := newSource(ctx, t, index)
	cfg, err := withCatalogersFor(cfg, src.resolver)
	if err != nil {
		return inventory.Inventory{}, errors.Join(limit, err)
	}
	model, err := createSBOM(scanCtx, src, cfg, opts.Heap)
	if err != nil {
		return inventory.Inventory{}, errors.Join(limit, fmt.Errorf("catalog packages: %w", err))
	}
	lists.dropUninstalled(model, index)
	if len(opts.SBOM) > 0 {
		s.model = model
		s.begin(opts.SBOM)
	}
	limit = errors.Join(limit, src.resolver.limit())
	inv, err := inventoryOf(ctx, model, src.resolver, lists, opts)
	if err != nil {
		return inventory.Inventory{}, errors.Join(limit, err)
	}
	inv.Image = t.Image
	if limit == nil {
		inv.Unreadable = append(inv.Unreadable, unlisted(inv)...)
	}
	sortUnreadable(inv.Unreadable)
	s.stats = index.Stats()
	return inv, errors.Join(limit, noRoom(inv.Unreadable))
}

// inventoryOf is what a model and the files of the image, which a resolver has,
// amount to.
func inventoryOf(ctx context.Context, model *sbom.SBOM, r *resolver, lists restoredLists, opts Options) (inventory.Inventory, error) {
	index := r.index
	packages := packagesOf(model)
	inv := convert(model, packages)
	if !opts.Licences {
		for i := range inv.Packages {
			inv.Packages[i].Licenses = nil
		}
	}
	inv.Restored = lists.places(index)
	nameNoVendor(inv.Packages)
	// dpkg's list is there and empty where another package manager brought dpkg:
	// syft calls it unreadable, and it says that nothing is installed.
	inv.Unreadable = slices.DeleteFunc(inv.Unreadable, func(u inventory.Unreadable) bool {
		e := index.Resolve(u.Path, true)
		return u.PackageDatabase() && e != nil && e.Type == layers.Regular && e.Size == 0
	})
	setLayers(&inv, packages, index)
	stock, err := addContents(ctx, &inv, owning(packages), r)
	if err != nil {
		return inventory.Inventory{}, err
	}
	damaged, err := damagedLists(ctx, index)
	if err != nil {
		return inventory.Inventory{}, err
	}
	inv.Files, inv.Caches = stock.files, stock.caches
	inv.Unreadable = r.named(slices.Concat(inv.Unreadable, lists.unreadable, stock.unreadable, damaged, opaquePrograms(inv, index), r.unreadable()))
	for _, p := range index.Problems() {
		inv.Ambiguous = append(inv.Ambiguous, inventory.Ambiguous{
			Place: inventory.Place{Path: p.Path, Layer: index.DiffID(p.Layer)}, Reason: p.Reason, Repeated: p.Kind == layers.Repeated,
		})
		// A finding may be waived. A lost list of packages is no finding alone.
		if lost := (inventory.Unreadable{Path: p.Path, Reason: p.Reason}); p.Kind == layers.Lost && lost.PackageDatabase() {
			inv.Unreadable = append(inv.Unreadable, lost)
		}
	}
	inv.Unreadable = r.withoutEmptyDatabases(inv.Unreadable, inv.Packages)
	return inv, nil
}

// addContents adds what is read of the files themselves: which functions Go
// programs hold, while the rest is looked up.
func addContents(ctx context.Context, inv *inventory.Inventory, owning []pkg.Package, r *resolver) (stock stock, err error) {
	group, ctx := errgroup.WithContext(ctx)
	packages := inv.Packages
	group.Go(func() (err error) {
		defer recovered.As(&err, "read the functions of Go programs")
		inv.GoBinaries, err = goBinaries(ctx, packages, r.index)
		return err
	})
	group.Go(func() (err error) {
		defer recovered.As(&err, "look through the files")
		if inv.Owned, inv.Removed, err = ownedFiles(ctx, owning, r); err != nil {
			return err
		}
		if stock, err = filesOfInterest(ctx, r.index); err != nil || inv.Distro == nil {
			return err
		}
		sets, unread, err := contentSets(ctx, r.index)
		inv.Distro.ContentSets, inv.Distro.Place = sets, releaseFile(r.index)
		stock.unreadable = append(stock.unreadable, unread...)
		return err
	})
	err = group.Wait()
	return stock, err
}

// noRoom is an error where a file could not be read since what catalogers unpack
// of archives in archives found no room: that says nothing about the image, and
// must not look as if it did.
func noRoom(files []inventory.Unreadable) error {
	for _, u := range files {
		for _, cause := range []string{
			"no space left on device", "disk quota exceeded", "not enough space on the disk", "read-only file system",
			"file too large", "too many open files", "input/output error",
		} {
			if strings.Contains(u.Reason, cause) {
				return &exit.Error{
					Code: exit.NotExamined, Doing: "unpack " + u.Path, Err: errors.New(cause),
					Hint: "archives in archives are unpacked into temporary files: see that they can be written in the directory that TMPDIR names, or name another",
				}
			}
		}
	}
	return nil
}

// config is syft's default without what nobody reads: digests and metadata of
// files, and notes about archives that were not expanded. What could not be read
// of a file is kept where packages are found in the rest of it: they are not all.
// And where no SBOM is written, without what stands only there: names of packages
// in the NVD's own scheme (CPE), a relation for each file of each package, and
// which cryptography Go programs hold.
func config(opts Options) *syft.CreateSBOMConfig {
	unknowns := cataloging.DefaultUnknownsConfig()
	unknowns.IncludeExecutablesWithoutPackages = false
	unknowns.IncludeUnexpandedArchives = false
	unknowns.RemoveWhenPackagesDefined = false
	cfg := syft.DefaultCreateSBOMConfig().WithoutFiles().WithUnknownsConfig(unknowns).WithTool("portcullis", opts.ToolVersion)
	cfg = cfg.WithDataGenerationConfig(cfg.DataGeneration.WithGenerateCPEs(len(opts.SBOM) > 0)).
		WithRelationshipsConfig(cfg.Relationships.WithPackageFileOwnership(len(opts.SBOM) > 0))
	return withNarrowedCatalogers(cfg, len(opts.SBOM) > 0)
}
