// Package inventory holds what is in an examined target as plain data: the
// image's description, its packages, its distribution and its files of
// interest. It is a leaf. How an inventory is made lives in the subpackage
// syftcatalog, the only one that imports syft, so that detectors and their
// tests do not link it.
package inventory

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/package-url/packageurl-go"
)

// Inventory is everything that was found in one target.
type Inventory struct {
	// Image describes the image; nil for an SBOM or a root file system.
	Image *Image
	// Subject says by which names and digests the image is known, so that places
	// which name an image can be compared with it.
	Subject Subject
	// Distro is the operating system, nil when none could be recognised.
	Distro *Distro
	// Packages in the order of type, name, version, first path.
	Packages []Package
	// Files are the files of interest to detectors, in the order of paths.
	Files []File
	// Caches are the caches of package managers that lie in the image, in the
	// order of paths and layers.
	Caches []Cache
	// GoBinaries say which functions the Go binaries hold in which packages
	// were found, in the order of paths.
	GoBinaries []GoBinary
	// Owned are the regular files of the image that packages of the operating
	// system own, by their real path: links in directories are followed, and a
	// hard link stands for the file whose content it shares. Nil for an SBOM.
	Owned map[string]OwnedFile
	// Removed are the files of packages that a later layer deleted: the IDs of
	// the packages by the files' paths.
	Removed map[string]string
	// Unreadable lists files that a cataloger could not make sense of. They
	// count against coverage.
	Unreadable []Unreadable
	// Ambiguous lists entries of layers' archives of which readers may make
	// different things, so that what was examined need not be what runs.
	Ambiguous []Ambiguous
	// SourcesUnknown is set where an SBOM names no source packages, by which
	// advisories go for the packages of Debian, Ubuntu and Alpine.
	SourcesUnknown bool
	// Restored are lists of the packages of the system that a later layer deletes
	// or empties, and that were read as they were before: the packages are there
	// still.
	Restored []Place
}

// Ambiguous is an entry of a layer's archive that leads somewhere else in some
// readers, or hides what follows it.
type Ambiguous struct {
	Place
	// Reason says what is odd about it.
	Reason string
	// Repeated is set for a path that a layer holds several times, and not
	// always as the same: what was examined is the last entry, as it is what
	// container runtimes take.
	Repeated bool
}

// Subject identifies the image that an inventory is about. Both lists are empty
// where nothing is known: for a root file system, and for an archive whose
// builder wrote no names.
type Subject struct {
	// References name the image: a repository, with tag or digest where that is
	// known. The names of files are no references.
	References []string
	// Digests are those of manifests: the image's own, and that of the index
	// which leads to it.
	Digests []string
}

// Join returns the names and digests of both, each once.
func (s Subject) Join(other Subject) Subject {
	join := func(a, b []string) []string {
		var all []string
		for _, text := range slices.Concat(a, b) {
			if text != "" && !slices.Contains(all, text) {
				all = append(all, text)
			}
		}
		return all
	}
	return Subject{References: join(s.References, other.References), Digests: join(s.Digests, other.Digests)}
}

// Image is the description of one image of one platform, as far as it is the
// same however the image was transported.
type Image struct {
	// Name is the repository name without tag and digest, such as
	// registry.example/shop/web; for an archive or layout its file name
	// without suffix. It never changes from build to build.
	Name string
	// Reference is what the user asked for.
	Reference string
	// Source says where it was read from: registry, oci, oci-archive,
	// docker-archive, daemon.
	Source string
	// Digest is the manifest digest (sha256:…) that was read; empty where the
	// transport has none (docker archive, daemon).
	Digest string
	// IndexDigest is the digest of the multi-platform index, if there was one.
	IndexDigest string
	// ID is the digest of the image configuration: equal for every transport.
	ID string
	// Platform is os/architecture[/variant]; of several platforms that were
	// examined together, all of them with commas between.
	Platform string
	// Platforms are the images that were examined together; nil for one alone.
	// Digest and ID are then those of the index.
	Platforms []Platform
	Created   time.Time
	Config    Config
	// History in the order of the build; entries without a layer are marked.
	History []History
	// Layers from the bottom up.
	Layers []Layer
}

// Platform is the image of one platform of an index.
type Platform struct {
	// Name is os/architecture[/variant].
	Name string
	// Digest and ID are those of Image.
	Digest string
	ID     string
}

// Layer is one layer of an image.
type Layer struct {
	// DiffID is the digest of the uncompressed layer.
	DiffID string
	// History is the index into Image.History of the entry that made the
	// layer, or -1 when the history does not tell.
	History int
}

// History is one entry of the image's build history.
type History struct {
	CreatedBy  string
	Comment    string
	Author     string
	Created    time.Time
	EmptyLayer bool
}

// Config is the run configuration of an image (OCI image specification,
// config.md), in plain form.
type Config struct {
	User         string
	Env          []string
	Entrypoint   []string
	Cmd          []string
	WorkingDir   string
	ExposedPorts []string
	Volumes      []string
	Labels       map[string]string
	// Healthcheck is nil when none is set, and ["NONE"] when switched off.
	Healthcheck []string
	StopSignal  string
	Shell       []string
	OnBuild     []string
}

// Distro is what os-release says (freedesktop.org, os-release(5)).
type Distro struct {
	ID         string
	IDLike     []string
	Name       string
	PrettyName string
	// Version is VERSION_ID; empty for rolling releases and for Debian's
	// testing and unstable.
	Version  string
	Codename string
	CPE      string
	// ContentSets are the repositories that the image's own build records name
	// (Red Hat's content manifests), sorted; beyond what os-release says.
	ContentSets []string
	// Place is the file that says it; empty for an SBOM.
	Place Place
}

// Place is where in the image a package was found.
type Place struct {
	// Path is absolute inside the image.
	Path string
	// Layer is the diff id of the layer that holds the path.
	Layer string
}

// GoBinary is what the table of functions of one Go binary holds.
type GoBinary struct {
	// Path is absolute inside the image.
	Path string
	// Functions are the marks of package gosymbols, which is asked about them;
	// nil when the binary does not tell.
	Functions []uint64
	// Main is the import path of the main package; empty when it is not known.
	Main string
	// Unknown says why it does not tell; empty when it does.
	Unknown string
}

// Source is the source package from which a binary package was built.
type Source struct {
	Name string
	// Version is empty when it equals the binary package's version.
	Version string
}

// Package is one installed package.
type Package struct {
	// ID is unique within the inventory and the same from run to run.
	ID      string
	Name    string
	Version string
	// Type is the package URL type: deb, apk, rpm, npm, pypi, golang, maven …
	Type string
	PURL string
	// Places has at least one entry, sorted by path, for packages read from an
	// image; packages of an SBOM may have none.
	Places []Place
	// Layer is the diff id of the layer that installed this version. It may
	// differ from the layers of Places, since each installation writes the
	// package manager's database anew. Empty when nothing tells.
	Layer string
	// Source is the source or origin package, nil where there is none.
	Source *Source
	// Module is the modularity label of an rpm as name:stream, or "".
	Module string
	// Architecture is the package's own, such as amd64.
	Architecture string
	// Owner is the ID of the operating system package that ships the files
	// of this language package; that package's vendor patches it. Or "".
	Owner    string
	Licenses []string
	// Vendor is the packager recorded by the package manager (deb Maintainer
	// is not one); used to tell foreign repositories. Often empty.
	Vendor string
	// GuessedGroup is set for a Java archive that does not say in which Maven
	// group it is published: that of the package URL was made up from its manifest
	// or its name.
	GuessedGroup bool
}

// File is a file of the squashed image that a detector may have to judge.
type File struct {
	Path string
	// Layer is the diff id of the layer that holds the file.
	Layer string
	// Mode holds the permission bits with setuid 04000, setgid 02000 and
	// sticky 01000, as in the tar header.
	Mode uint32
	UID  int
	GID  int
	Size int64
	// Kind is empty for a regular file, else directory, char-device,
	// block-device or, for programs alone, link.
	Kind FileKind
	// Capabilities is the raw value of the extended attribute
	// security.capability (capabilities(7)), or "".
	Capabilities string
	// Content is the text of the few small files that detectors read:
	// accounts, sudo and ssh daemon configuration, and files in which programs
	// keep credentials. It may hold secrets and must never be printed. Nil for
	// all others.
	Content []byte
}

// FileKind is the sort of a File.
type FileKind string

// Cache is what one layer holds of a directory in which a package manager keeps
// files that can be downloaded or made again.
type Cache struct {
	// Tool is the package manager: apt, apk, pip …
	Tool string
	// Path is the cache's directory, Layer the diff id of the layer.
	Path  string
	Layer string
	// Files is the number of regular files, Size what they take in bytes.
	Files int
	Size  int64
}

// The kinds of files that are no regular files. A Link is a symbolic link that
// leads to a program.
const (
	Link        FileKind = "link"
	Directory   FileKind = "directory"
	CharDevice  FileKind = "char-device"
	BlockDevice FileKind = "block-device"
)

// Unreadable is a file that should have been understood and was not.
type Unreadable struct {
	Path   string
	Reason string
}

// packageDatabases are where dpkg, rpm and apk keep the list of everything that
// is installed, each possibly below a directory that a root file system was
// copied to.
var packageDatabases = []string{
	"/var/lib/dpkg/status", "/lib/apk/db/installed",
	"/var/lib/rpm/Packages", "/var/lib/rpm/Packages.db", "/var/lib/rpm/rpmdb.sqlite",
	"/usr/share/rpm/Packages", "/usr/share/rpm/Packages.db", "/usr/share/rpm/rpmdb.sqlite",
	"/usr/lib/sysimage/rpm/Packages", "/usr/lib/sysimage/rpm/Packages.db", "/usr/lib/sysimage/rpm/rpmdb.sqlite",
	"/var/lib/rpmmanifest/container-manifest-2",
}

// PackageDatabase reports whether the file is the list of what a package manager
// of the system installed: without it any number of packages is missing, whatever
// else was found.
func (u Unreadable) PackageDatabase() bool {
	return slices.ContainsFunc(packageDatabases, func(file string) bool { return strings.HasSuffix(u.Path, file) })
}

// Validate reports the first broken promise of an inventory: package URLs
// parse and agree with the package, ids are unique, owners exist. Foreign
// inventories (SBOM files) pass through it.
func (inv Inventory) Validate() error {
	ids := make(map[string]bool, len(inv.Packages))
	for _, p := range inv.Packages {
		if p.ID == "" || ids[p.ID] {
			return fmt.Errorf("package %s %s: id %q is empty or used twice", p.Name, p.Version, p.ID)
		}
		ids[p.ID] = true
		if err := p.validate(); err != nil {
			return err
		}
	}
	for _, p := range inv.Packages {
		if p.Owner != "" && !ids[p.Owner] {
			return fmt.Errorf("package %s: owner %q is not in the inventory", p.Name, p.Owner)
		}
	}
	return nil
}

func (p Package) validate() error {
	if p.Name == "" {
		return errors.New("package without a name")
	}
	if p.PURL == "" {
		return nil
	}
	parsed, err := packageurl.FromString(p.PURL)
	if err != nil {
		return fmt.Errorf("package %s: package url %q: %w", p.Name, p.PURL, err)
	}
	if !strings.EqualFold(parsed.Type, p.Type) {
		return fmt.Errorf("package %s: type %q, but package url %q", p.Name, p.Type, p.PURL)
	}
	return nil
}
