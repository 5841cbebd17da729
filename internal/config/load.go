package config

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/portcullis-ci/portcullis/internal/exit"
)

const (
	// maxIncludes and maxIncludeDepth bound what one file can pull in.
	maxIncludes     = 16
	maxIncludeDepth = 4
)

// Request says which configuration to load.
type Request struct {
	// Dir is the working directory; Path the file, or empty to look for it.
	Dir, Path string
	// Profile is the profile to select; empty for none.
	Profile string
	// Fetch reads an OCI artifact by its reference with digest, without the
	// scheme, and checks the digest. Nil means that none can be read.
	Fetch func(ctx context.Context, reference string) ([]byte, error)
}

// Load reads the file at path. An empty path means that the file is optional
// and looked for in dir and its parents up to the repository root (the folder
// that holds .git); then a missing file gives the defaults and the name "".
// Otherwise the name of the file that was read is returned. All errors are
// usage errors.
func Load(dir, path string) (Config, string, error) {
	c, err := LoadProfile(context.Background(), Request{Dir: dir, Path: path})
	if path == "" && len(c.Files) > 0 {
		path = c.Files[0]
	}
	return c, path, err
}

// LoadProfile reads the configuration with what it includes and lays the
// selected profile over it. From the weakest to the strongest: defaults,
// included files in their order, the file itself, then the profile in the
// same order of files. All errors are usage errors.
func LoadProfile(ctx context.Context, req Request) (Config, error) {
	path := req.Path
	if path == "" {
		path = find(req.Dir)
	}
	l := loader{ctx: ctx, fetch: req.Fetch, seen: make(map[string]bool)}
	if path != "" {
		if err := l.file(path); err != nil {
			return Config{}, err
		}
	}
	c, err := l.layer(req.Profile)
	if err != nil {
		return Config{Files: c.Files}, &exit.Error{
			Code: exit.Usage, Doing: "read the configuration", Err: err,
			Hint: "the keys are described in docs/configuration.md",
		}
	}
	return c, nil
}

// loader collects files in the order in which they are laid over each other.
type loader struct {
	ctx       context.Context
	fetch     func(ctx context.Context, reference string) ([]byte, error)
	documents []document
	files     []string
	seen      map[string]bool
	open      []string
}

// file reads the configuration file itself.
func (l *loader) file(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return &exit.Error{
			Code: exit.Usage, Doing: "read the configuration " + path, Err: unwrapPath(err),
			Hint: "name an existing file with --config, or leave the flag out to use the defaults",
		}
	}
	if err := l.add(path, content); err != nil {
		return &exit.Error{
			Code: exit.Usage, Doing: "read the configuration", Err: err,
			Hint: "the keys are described in docs/configuration.md",
		}
	}
	return nil
}

// add parses a file and adds what it includes before it.
func (l *loader) add(name string, content []byte) error {
	id := identity(name)
	l.seen[id] = true
	l.files = append(l.files, name)
	doc, err := parse(name, content)
	if err != nil || doc.root == nil {
		return err
	}
	l.open = append(l.open, id)
	defer func() { l.open = l.open[:len(l.open)-1] }()
	for _, ref := range doc.includes() {
		if err := l.include(name, ref); err != nil {
			return err
		}
	}
	l.documents = append(l.documents, doc)
	return nil
}

// includes returns the references of a document as far as they can be read;
// decoding reports the others.
func (d document) includes() []value {
	if d.root.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(d.root.Content); i += 2 {
		if d.root.Content[i].Value == "include" {
			if refs, err := includes(value{Node: d.root.Content[i+1], file: d.name, path: "include"}); err == nil {
				return refs
			}
		}
	}
	return nil
}

// include reads one included file, once.
func (l *loader) include(from string, ref value) error {
	name := ref.Value
	remote := ociReference.MatchString(name)
	if !remote {
		if ociReference.MatchString(from) {
			return ref.errorf("include %q: an artifact can include other artifacts only, by digest", name)
		}
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(from), filepath.FromSlash(name))
		}
	}
	switch {
	case slices.Contains(l.open, identity(name)):
		return ref.errorf("include %q: the files include each other", ref.Value)
	case l.seen[identity(name)]:
		return nil
	case len(l.open) > maxIncludeDepth:
		return ref.errorf("include %q: files are nested deeper than %d", ref.Value, maxIncludeDepth)
	case len(l.files) > maxIncludes:
		return ref.errorf("include %q: more than %d files", ref.Value, maxIncludes)
	}
	content, err := l.read(name, remote)
	if err != nil {
		return ref.errorf("include %q: %w", ref.Value, err)
	}
	return l.add(name, content)
}

func (l *loader) read(name string, remote bool) ([]byte, error) {
	if !remote {
		content, err := os.ReadFile(name)
		return content, unwrapPath(err)
	}
	if l.fetch == nil {
		return nil, errors.New("artifacts in registries cannot be read here")
	}
	return l.fetch(l.ctx, strings.TrimPrefix(name, "oci://"))
}

// identity is equal for names of one file.
func identity(name string) string {
	if abs, err := filepath.Abs(name); err == nil && !ociReference.MatchString(name) {
		return abs
	}
	return name
}

// layer decodes the files over the defaults and then the profile.
func (l *loader) layer(profile string) (Config, error) {
	c := Default()
	c.Files = l.files
	var errs []error
	for _, doc := range l.documents {
		errs = append(errs, decodeRecord(&c, doc.value(&c, ""), topKeys()))
	}
	if err := errors.Join(errs...); err != nil || profile == "" {
		return c, err
	}
	if !slices.Contains(c.Profiles, profile) {
		if len(c.Profiles) == 0 {
			return c, fmt.Errorf("profile %q: the configuration defines no profiles", profile)
		}
		return c, fmt.Errorf("profile %q is not defined%s", profile, suggestion(profile, c.Profiles, "there are "))
	}
	c.Profile = profile
	for _, doc := range l.documents {
		if v, ok := doc.profile(&c, profile); ok {
			errs = append(errs, decodeRecord(&c, v, keys()))
		}
	}
	return c, errors.Join(errs...)
}

// profile returns a profile of the document.
func (d document) profile(c *Config, name string) (value, bool) {
	v := d.value(c, name)
	for _, key := range []string{"profiles", name} {
		pairs, err := v.pairs()
		i := slices.IndexFunc(pairs, func(p pair) bool { return p.key.Value == key })
		if err != nil || i < 0 {
			return value{}, false
		}
		v = pairs[i].value
	}
	return v, true
}

// find walks up from dir to the repository's root and returns the first
// configuration file, or "". Outside of a repository only dir itself counts:
// above it, such as in a directory for temporary files, anybody may have left
// a file.
func find(dir string) string {
	found := ""
	for at := dir; ; at = filepath.Dir(at) {
		candidate := filepath.Join(at, FileName)
		if info, err := os.Stat(candidate); found == "" && err == nil && info.Mode().IsRegular() {
			found = candidate
		}
		if _, err := os.Lstat(filepath.Join(at, ".git")); err == nil {
			return found
		}
		if at == filepath.Dir(at) {
			break
		}
	}
	if filepath.Dir(found) == filepath.Clean(dir) {
		return found
	}
	return ""
}

// unwrapPath drops the path from an error of package os, since the message
// names it already.
func unwrapPath(err error) error {
	var pathErr *os.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}
