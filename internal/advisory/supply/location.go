// Package supply finds the advisory database that a run names: in a directory,
// the cache, a registry, on web servers, at the OSV API, or in the program
// itself. It fetches only the files that the run needs, keeps them for the next
// run, and says what it does. It is not for building databases nor for matching.
package supply

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/portcullis-ci/portcullis/internal/advisory/download"
	"github.com/portcullis-ci/portcullis/internal/advisory/online"
	"github.com/portcullis-ci/portcullis/internal/advisory/snapshot"
)

// Kind is the sort of a place where a database can be.
type Kind int

// The kinds of places.
const (
	// Directory holds a database as the builder writes it.
	Directory Kind = iota
	// Cache is the directory in which commands install databases unless told
	// otherwise.
	Cache
	// Registry is an artifact in a container registry.
	Registry
	// Mirror is a directory on a web server.
	Mirror
	// OnlineAPI is the OSV API, which is asked about every package.
	OnlineAPI
	// Embedded is the snapshot in the program.
	Embedded
)

// Location is one place where a database can be.
type Location struct {
	Kind Kind
	// Value is the directory, reference or address; empty where the kind says
	// it all.
	Value string
}

// The words that name a place by themselves.
const (
	cacheWord      = "cache"
	embeddedWord   = "embedded"
	onlineWord     = "osv-api"
	registryPrefix = "registry:"
	onlinePrefix   = onlineWord + ":"
)

// Default are the places of a run that names none: the database that was
// installed in the cache, or the snapshot.
func Default() []Location { return []Location{{Kind: Cache}, {Kind: Embedded}} }

// ErrLocation is wrapped by errors about a text that names no database.
var ErrLocation = errors.New("not a place of a database: expected a directory, registry:REFERENCE, https://…, osv-api, cache or embedded")

// Parse reads a list of places, separated by commas, best first; an empty one
// is Default. The error wraps ErrLocation.
func Parse(text string) ([]Location, error) {
	if strings.TrimSpace(text) == "" {
		return Default(), nil
	}
	var list []Location
	for part := range strings.SplitSeq(text, ",") {
		l, err := parseOne(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		list = append(list, l)
	}
	for _, l := range list {
		if l.Kind == OnlineAPI && len(list) > 1 {
			return nil, fmt.Errorf("%q: %w; osv-api stands alone: what a service knows and what a file knows are not to be mixed up", text, ErrLocation)
		}
	}
	return list, nil
}

func parseOne(text string) (Location, error) {
	scheme, _, isURL := strings.Cut(text, "://")
	switch {
	case text == "":
		return Location{}, fmt.Errorf("an empty entry: %w", ErrLocation)
	case text == cacheWord:
		return Location{Kind: Cache}, nil
	case text == embeddedWord:
		return Location{Kind: Embedded}, nil
	case text == onlineWord:
		return Location{Kind: OnlineAPI, Value: online.DefaultBase}, nil
	case strings.HasPrefix(text, onlinePrefix):
		return webLocation(OnlineAPI, strings.TrimPrefix(text, onlinePrefix))
	case strings.HasPrefix(text, registryPrefix):
		reference := strings.TrimPrefix(text, registryPrefix)
		if _, err := name.ParseReference(reference); err != nil {
			return Location{}, fmt.Errorf("%q: %w: %w", text, ErrLocation, err)
		}
		return Location{Kind: Registry, Value: reference}, nil
	case isURL && (scheme == "https" || scheme == "http"):
		return webLocation(Mirror, text)
	case isURL:
		return Location{}, fmt.Errorf("%q: scheme %q: %w", download.Redact(text), scheme, ErrLocation)
	default:
		return Location{Kind: Directory, Value: text}, nil
	}
}

func webLocation(kind Kind, address string) (Location, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return Location{}, fmt.Errorf("%q: %w", download.Redact(address), ErrLocation)
	}
	return Location{Kind: kind, Value: address}, nil
}

// String names the place for people, without credentials.
func (l Location) String() string {
	switch l.Kind {
	case Cache:
		return cacheWord
	case Registry:
		return registryPrefix + l.Value
	case Mirror:
		return download.Redact(l.Value)
	case OnlineAPI:
		return "OSV API at " + download.Redact(l.Value)
	case Embedded:
		return snapshot.Name
	default:
		return l.Value
	}
}

// Remote reports whether the network is needed to read the place.
func (l Location) Remote() bool {
	return l.Kind == Registry || l.Kind == Mirror || l.Kind == OnlineAPI
}
