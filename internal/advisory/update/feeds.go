package update

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/portcullis-ci/portcullis/internal/advisory/download"
	"github.com/portcullis-ci/portcullis/internal/advisory/osv"
)

// document is one file of a publisher beside OSV's export.
type document struct {
	// file is its path in the copy; the builder knows what it is by its name.
	file, url string
	// pointer says that at the address is not the document but its name, which
	// changes with each edition.
	pointer bool
}

// feeds lists the documents of each feed as of a day.
var feeds = map[string]func(now time.Time) []document{
	// https://www.first.org/epss/data_stats
	"epss": func(time.Time) []document {
		return []document{{"epss_scores-current.csv.gz", "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz", false}}
	},
	// https://www.cisa.gov/known-exploited-vulnerabilities-catalog
	"kev": func(time.Time) []document {
		return []document{{"known_exploited_vulnerabilities.json", "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json", false}}
	},
	// https://nvd.nist.gov/vuln/data-feeds
	"nvd": func(now time.Time) []document {
		var list []document
		for year := 2002; year <= now.Year(); year++ {
			file := fmt.Sprintf("nvdcve-2.0-%d.json.gz", year)
			list = append(list, document{file: file, url: "https://nvd.nist.gov/feeds/json/cve/2.0/" + file})
		}
		return list
	},
	// https://security-tracker.debian.org/tracker/
	"debian": func(time.Time) []document {
		return []document{{"debian-security-tracker.json", "https://security-tracker.debian.org/tracker/data/json", false}}
	},
	// https://secdb.alpinelinux.org
	"alpine": func(time.Time) []document {
		var list []document
		for _, release := range []string{"v3.19", "v3.20", "v3.21", "v3.22", "v3.23", "edge"} {
			for _, repository := range []string{"main", "community"} {
				file := "alpine-secdb/" + release + "/" + repository + ".json"
				list = append(list, document{file: file, url: "https://secdb.alpinelinux.org/" + release + "/" + repository + ".json"})
			}
		}
		return list
	},
	// https://linux.oracle.com/security/
	"oracle": func(time.Time) []document {
		return []document{{"com.oracle.elsa-all.xml.bz2", "https://linux.oracle.com/security/oval/com.oracle.elsa-all.xml.bz2", false}}
	},
	// https://packages.broadcom.com/photon/photon_cve_metadata/
	"photon": func(time.Time) []document {
		var list []document
		for _, release := range []string{"4.0", "5.0"} {
			file := "cve_data_photon" + release + ".json"
			list = append(list, document{file: file, url: "https://packages.broadcom.com/photon/photon_cve_metadata/" + file})
		}
		return list
	},
	// https://www.redhat.com/en/blog/csaf-vex-documents-now-generally-available
	"redhat": func(time.Time) []document {
		return []document{{"csaf-vex.tar.zst", "https://security.access.redhat.com/data/csaf/v2/vex/archive_latest.txt", true}}
	},
	// https://security.archlinux.org
	"arch": func(time.Time) []document {
		return []document{{"arch-linux.json", "https://security.archlinux.org/all.json", false}}
	},
}

// FeedNames lists the feeds that Feeds knows.
func FeedNames() []string { return slices.Sorted(maps.Keys(feeds)) }

// ErrUnknownFeed is wrapped by errors about a feed that is not one of
// FeedNames.
var ErrUnknownFeed = errors.New("no such feed")

// maxDocument bounds one document, in bytes; Debian's is the largest with 70 MB.
const maxDocument = 1 << 30

// FeedRequest says which feeds to keep up to date.
type FeedRequest struct {
	Client *download.Client
	Names  []string
	// Dir is the directory of the copy.
	Dir string
	Now time.Time
	// Address maps the public address of a document to the one that is asked;
	// nil for the public one.
	Address func(string) string
}

// Feeds brings the copies of the named feeds up to date, each document only
// where it changed. Documents are independent: the error joins what failed, and
// the others are done all the same. It returns the number of documents that
// changed.
func Feeds(ctx context.Context, req FeedRequest) (changed int, err error) {
	var wanted []document
	for _, name := range req.Names {
		list, ok := feeds[name]
		if !ok {
			return 0, fmt.Errorf("update feeds: %q: %w; known are %s", name, ErrUnknownFeed, strings.Join(FeedNames(), ", "))
		}
		wanted = append(wanted, list(req.Now)...)
	}
	if err := os.MkdirAll(req.Dir, 0o755); err != nil {
		return 0, fmt.Errorf("update feeds: %w", err)
	}
	unlock, err := lockedfile.MutexAt(filepath.Join(req.Dir, ".lock")).Lock()
	if err != nil {
		return 0, fmt.Errorf("update feeds: lock %s: %w", req.Dir, err)
	}
	defer unlock()
	var errs []error
	for _, d := range wanted {
		if ctx.Err() != nil {
			return changed, ctx.Err()
		}
		address := d.url
		if req.Address != nil {
			address = req.Address(address)
		}
		isNew, err := d.fetch(ctx, req, address)
		if err != nil {
			errs = append(errs, fmt.Errorf("update feeds: %w", err))
		}
		if isNew {
			changed++
		}
	}
	return changed, errors.Join(errs...)
}

// fetch brings the copy of the document up to date.
func (d document) fetch(ctx context.Context, req FeedRequest, address string) (changed bool, err error) {
	if d.pointer {
		data, err := req.Client.Bytes(ctx, address, maxPointer)
		if err != nil {
			return false, err
		}
		edition := strings.TrimSpace(string(data))
		if !editionName.MatchString(edition) {
			return false, fmt.Errorf("%w: %s names the edition %q", osv.ErrInvalid, download.Redact(address), edition)
		}
		address = address[:strings.LastIndex(address, "/")+1] + edition
	}
	return req.Client.File(ctx, address, filepath.Join(req.Dir, filepath.FromSlash(d.file)), maxDocument, req.Now)
}

// maxPointer bounds a file that holds a name, in bytes.
const maxPointer = 4096

// editionName is what the name of an edition may look like.
var editionName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
