// Package target opens what is to be examined: an image in a registry, an OCI
// layout or archive, a docker archive or a container daemon; a root file
// system; an SBOM file. It finds the manifest and configuration, verifies them
// and names the layers; it does not read layers (package layers) and knows
// nothing of what is in them. The main type is Target.
package target

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

// Kind is the sort of target.
type Kind string

// The kinds of targets.
const (
	Image  Kind = "image"
	RootFS Kind = "rootfs"
	SBOM   Kind = "sbom"
)

// Request says what to open.
type Request struct {
	// Reference names the image, with or without one of the schemes
	// registry:, oci:, oci-archive:, docker-archive:, daemon:. Without a
	// scheme an existing directory that holds oci-layout is an OCI layout, an
	// existing file is an archive of the kind that its content shows, and
	// everything else a registry reference. A daemon is asked only with its
	// scheme, so that the same reference means the same image on a developer's
	// machine and in CI.
	Reference string
	// Platform is os/architecture[/variant]; empty means linux on this
	// machine's architecture. OpenAll takes AllPlatforms as well.
	Platform string
	// Insecure allows plain http to registries other than loopback ones. It
	// never switches off the verification of certificates.
	Insecure bool
	// Offline forbids any network. Files and unix sockets stay allowed.
	Offline bool
	// AuthHosts are further host names to which registry credentials may be
	// sent when a registry names them as its token service.
	AuthHosts []string
}

// Environment is what opening needs from outside.
type Environment struct {
	// Getenv reads environment variables (DOCKER_HOST, XDG_RUNTIME_DIR); nil
	// means that none is set.
	Getenv func(string) string
	// Keychain finds registry credentials; nil means the docker configuration
	// of the user.
	Keychain authn.Keychain
	// HTTP carries requests; nil means a copy of http.DefaultTransport with
	// timeouts.
	HTTP http.RoundTripper
	// Announce is told each remote access before it happens; may be nil.
	Announce func(message string)
	// Retry bounds repeated requests; zero fields mean the default.
	Retry Retry
	// TempDir is where the export of a daemon is spooled; empty means the
	// default of the operating system.
	TempDir string
}

// Retry bounds how often and how long a registry is asked again after 429,
// 5xx and connection errors.
type Retry struct {
	// Attempts is the number of requests in all. Default 4.
	Attempts int
	// MinWait and MaxWait bound the pause between two attempts, also where
	// the registry asks for a longer one. Default 500 ms and 10 s.
	MinWait time.Duration
	MaxWait time.Duration
	// Stall is how long a registry may send nothing; after the second time in a
	// row it is given up. Default 25 s.
	Stall time.Duration
}

// Target is an opened target. The caller closes it.
type Target struct {
	Kind Kind
	// Name is stable from build to build: the repository without tag and
	// digest; for archives, layouts, directories and SBOMs the base name.
	Name string
	// Image describes the image; nil for other kinds.
	Image *inventory.Image
	// Layers from the bottom up; a root file system is one layer without
	// digests.
	Layers []layers.Blob
	// Path is the directory or file of a root file system or SBOM.
	Path string
	// Stream is an SBOM that has no file, and is read once; Path then says where
	// it comes from.
	Stream io.Reader
	// MediaType, RawManifest and RawConfig are as transported; the manifest is
	// empty where the transport has none.
	MediaType   string
	RawManifest []byte
	RawConfig   []byte
	// Tags are the references under which the transport knows the image.
	Tags []string

	closers []func() error
}

// Subject says by which names and digests the image is known: what a registry
// or daemon was asked for, and what an archive or layout has written down.
func (t *Target) Subject() inventory.Subject {
	if t.Image == nil {
		return inventory.Subject{}
	}
	s := inventory.Subject{References: t.Tags, Digests: []string{t.Image.Digest, t.Image.IndexDigest}}
	if source := t.Image.Source; source == "registry" || source == "daemon" {
		_, reference := splitScheme(t.Image.Reference)
		s.References = append([]string{reference}, t.Tags...)
	}
	return s.Join(inventory.Subject{})
}

// Close frees what the target holds.
func (t *Target) Close() error {
	var errs []error
	for _, c := range t.closers {
		errs = append(errs, c())
	}
	t.closers = nil
	return errors.Join(errs...)
}

// opener is one call of Open.
type opener struct {
	req      Request
	env      Environment
	platform v1.Platform
	// explicit is set when the user named the platform, all when that is every
	// one.
	explicit bool
	all      bool
	// followed counts the entries of indexes that were looked at.
	followed int
}

// AllPlatforms is the platform of a Request that means every image of an index.
const AllPlatforms = "all"

// Open opens an image. Errors are *exit.Error with the code Usage for a bad
// reference or platform and NotExamined for everything else.
func Open(ctx context.Context, req Request, env Environment) (*Target, error) {
	if req.Platform == AllPlatforms {
		return nil, usage("read platform "+req.Platform, errors.New("one image is looked at here, not all of an index"), "write for example linux/arm64")
	}
	targets, err := open(ctx, req, env)
	if err != nil {
		return nil, err
	}
	return targets[0], nil
}

// OpenAll opens the images of all platforms that the request means, in the
// order of the index; with a platform other than AllPlatforms that is one. The
// error says which could not be opened; the others are returned beside it.
func OpenAll(ctx context.Context, req Request, env Environment) ([]*Target, error) {
	return open(ctx, req, env)
}

func open(ctx context.Context, req Request, env Environment) ([]*Target, error) {
	o := &opener{req: req, env: env, explicit: req.Platform != "", all: req.Platform == AllPlatforms}
	if strings.TrimSpace(req.Reference) == "" {
		return nil, usage("open image", errors.New("no image reference given"), "name an image, such as registry.example/app:1.0")
	}
	if err := o.setPlatform(); err != nil {
		return nil, err
	}
	scheme, rest := splitScheme(req.Reference)
	if scheme == "" {
		var err error
		if scheme, err = guess(rest); err != nil {
			return nil, notExamined("open image "+req.Reference, err, pathHint(err))
		}
	}
	open, ok := map[string]func(context.Context, string) ([]*Target, error){
		"registry": o.registry, "oci": o.layout, "oci-archive": o.ociArchive,
		"docker-archive": o.dockerArchive, "daemon": o.daemon,
	}[scheme]
	if !ok {
		return nil, usage("open image "+req.Reference, fmt.Errorf("unknown scheme %q", scheme),
			"use registry:, oci:, oci-archive:, docker-archive: or daemon:")
	}
	if rest == "" {
		return nil, usage("open image "+req.Reference, errors.New("nothing follows the scheme"), "name an image after "+scheme+":")
	}
	targets, err := open(ctx, rest)
	for _, t := range targets {
		t.Image.Reference, t.Image.Source = req.Reference, scheme
		t.Image.Name = t.Name
	}
	if err != nil {
		return targets, o.explain(ctx, err)
	}
	return targets, nil
}

func (o *opener) setPlatform() error {
	p := o.req.Platform
	if p == "" || o.all {
		p = "linux/" + runtime.GOARCH
	}
	parsed, err := v1.ParsePlatform(p)
	if err != nil || parsed.OS == "" || parsed.Architecture == "" {
		return usage("read platform "+p, errors.New("not of the form os/architecture[/variant]"), "write for example linux/arm64")
	}
	o.platform = normal(*parsed)
	return nil
}

func (o *opener) announce(format string, args ...any) {
	if o.env.Announce != nil {
		o.env.Announce(fmt.Sprintf(format, args...))
	}
}

func (o *opener) getenv(name string) string {
	if o.env.Getenv == nil {
		return ""
	}
	return o.env.Getenv(name)
}

// explain gives an error its code and removes credentials from it.
func (o *opener) explain(ctx context.Context, err error) error {
	var e *exit.Error
	if errors.As(err, &e) {
		return err
	}
	return notExamined("open image "+redactText(o.req.Reference), redact(err), hintFor(ctx, err))
}

var schemes = []string{"registry", "oci", "oci-archive", "docker-archive", "daemon"}

// HasScheme reports whether a reference begins with one of the schemes of
// Request.Reference.
func HasScheme(ref string) bool {
	scheme, _ := splitScheme(ref)
	return scheme != ""
}

// IsArchive reports whether a file is an archive of an image.
func IsArchive(file string) bool {
	_, err := archiveKind(file)
	return err == nil
}

// splitScheme cuts a scheme off a reference. A colon that does not follow a
// known scheme belongs to the reference (a port or tag), unless the part
// before it can be no host or path: that is a mistyped scheme.
func splitScheme(ref string) (scheme, rest string) {
	before, after, ok := strings.Cut(ref, ":")
	if !ok {
		return "", ref
	}
	for _, s := range schemes {
		if before == s {
			return s, after
		}
	}
	return "", ref
}

// guess finds the scheme of a reference without one. A selector after a colon
// is looked for only behind what must be a path, so that a file named alpine
// does not take the place of alpine:3.20.
func guess(ref string) (string, error) {
	path := strings.HasPrefix(ref, "./") || strings.HasPrefix(ref, "../") || ref == "." || ref == ".." || filepath.IsAbs(ref)
	if path {
		ref, _ = splitPath(ref)
	}
	info, err := os.Stat(ref)
	switch {
	case err != nil && path:
		return "", err
	case errors.Is(err, os.ErrNotExist):
		suffix := filepath.Ext(ref)
		if host, _, _ := strings.Cut(ref, "/"); (suffix == ".tar" || suffix == ".tgz") && !strings.Contains(ref, ":") &&
			(host == ref || !strings.Contains(host, ".")) {
			// Docker Hub could have a repository of this name, but who leaves
			// out host and tag means a file.
			return "", err
		}
		return "registry", nil
	case err != nil:
		// Not a path at all: too long, or a component that is a file.
		return "registry", nil
	case info.IsDir():
		if _, err := os.Stat(filepath.Join(ref, "oci-layout")); err == nil {
			return "oci", nil
		}
		if path {
			return "", errors.New("the directory is no OCI layout: it has no file oci-layout")
		}
		return "registry", nil
	case info.Mode().IsRegular():
		return archiveKind(ref)
	default:
		return "", errors.New("neither a regular file nor a directory")
	}
}

// imagePathHint is for references that are paths.
const imagePathHint = "name an archive that docker save wrote, an OCI archive or an OCI layout; for a directory that holds a root file system use --rootfs, for an SBOM --sbom"

// pathHint is the hint for a path that is no image.
func pathHint(err error) string {
	var packed *packedError
	if errors.As(err, &packed) {
		return "docker load and podman load take the archive as it is: load it and use daemon:, or unpack it"
	}
	return imagePathHint
}

func usage(doing string, err error, hint string) error {
	return &exit.Error{Code: exit.Usage, Doing: doing, Hint: hint, Err: err}
}

func notExamined(doing string, err error, hint string) error {
	return &exit.Error{Code: exit.NotExamined, Doing: doing, Hint: hint, Err: err}
}

// NameOf is the name that an image has when the reference can be opened: the
// repository without tag and digest, or the name of the archive or layout. It
// opens nothing.
func NameOf(reference string) string {
	scheme, rest := splitScheme(reference)
	if scheme == "" {
		var err error
		if scheme, err = guess(rest); err != nil {
			return baseName(rest)
		}
	}
	if scheme == "registry" || scheme == "daemon" {
		return repositoryOf(rest)
	}
	file, selector := splitPath(rest)
	if base := filepath.Base(file); selector == "" && strings.Contains(base, ":") {
		// There is no such file, so that nothing told the selector from it.
		file, _, _ = strings.Cut(base, ":")
	}
	return baseName(file)
}

// FileName is the name that a root file system or an SBOM has.
func FileName(path string) string { return baseName(path) }

// baseName is the name of a file or directory without its suffix.
func baseName(path string) string {
	base := filepath.Base(filepath.Clean(path))
	for _, suffix := range []string{".tar.gz", ".tgz", ".tar", ".json", ".oci"} {
		if cut, ok := strings.CutSuffix(base, suffix); ok && cut != "" {
			return cut
		}
	}
	return base
}
