package builder

import (
	"archive/zip"
	"compress/bzip2"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/portcullis-ci/portcullis/internal/advisory/download"
	"github.com/portcullis-ci/portcullis/internal/advisory/feed"
	"github.com/portcullis-ci/portcullis/internal/advisory/osv"
)

// document is one file of the input: a record or a native feed.
type document struct {
	// name is how errors call it: a path, with the member behind a bang for
	// those of an archive.
	name string
	data []byte
	// ready is set instead of data where the record was made while reading.
	ready *osv.Record
	// stamp is when the publisher or the archive says that it was written;
	// zero when nothing says so.
	stamp time.Time
	// feed names the download that the document is part of, where a note says
	// when that was made; empty otherwise.
	feed string
}

// maxMembers bounds the number of files in one archive. The largest of
// osv.dev has about a million.
const maxMembers = 4 << 20

// walk hands over every document below the given paths: OSV records as .json,
// archives of them as .zip, and directories of both. The directory out is left
// alone: a database may be built below its input.
func walk(ctx context.Context, from []string, out string, found func(path string) error) error {
	for _, root := range from {
		info, err := os.Stat(root)
		if err != nil {
			return fmt.Errorf("read advisories: %w", err)
		}
		if !info.IsDir() {
			if err := found(root); err != nil {
				return err
			}
			continue
		}
		before := 0
		err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return fmt.Errorf("read advisories: %w", err)
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if d.IsDir() && samePath(path, out) && path != root {
				return filepath.SkipDir
			}
			if d.IsDir() || classify(path) == notData {
				return nil
			}
			before++
			return found(path)
		})
		if err != nil {
			return err
		}
		if before == 0 {
			return fmt.Errorf("read advisories: %s: %w", root, ErrNoInput)
		}
	}
	return nil
}

func samePath(a, b string) bool {
	x, errX := filepath.Abs(a)
	y, errY := filepath.Abs(b)
	return errX == nil && errY == nil && x == y
}

type class int

const (
	notData class = iota
	archive
	tarball
	record
	epss
	kev
	endOfLife
	distroInfo
	nvd
	debianTracker
	updateInfo
	archList
	photonList
	oracleOVAL
)

// photonPrefix begins the names of Photon OS's files; the release follows.
const photonPrefix = "cve_data_photon"

// classify tells by its name what a file of the input is.
func classify(path string) class {
	name := strings.ToLower(filepath.Base(path))
	switch {
	case strings.HasPrefix(name, ".") || strings.HasSuffix(name, download.InfoSuffix):
		return notData
	case strings.HasPrefix(name, "epss_scores") && (strings.HasSuffix(name, ".csv") || strings.HasSuffix(name, ".csv.gz")):
		return epss
	case strings.HasPrefix(name, "known_exploited_vulnerabilities") && strings.HasSuffix(name, ".json"):
		return kev
	case strings.HasPrefix(name, endOfLifePrefix) && strings.HasSuffix(name, ".json"):
		return endOfLife
	case name == "debian.csv" || name == "ubuntu.csv":
		return distroInfo
	case strings.HasPrefix(name, "nvdcve-") && (strings.HasSuffix(name, ".json") || strings.HasSuffix(name, ".json.gz")):
		return nvd
	case strings.HasPrefix(name, "debian-security-tracker") && (strings.HasSuffix(name, ".json") || strings.HasSuffix(name, ".json.gz")):
		return debianTracker
	case strings.Contains(name, "updateinfo") && (strings.HasSuffix(name, ".xml") || strings.HasSuffix(name, ".xml.gz")):
		return updateInfo
	case strings.HasPrefix(name, "arch-linux") && strings.HasSuffix(name, ".json"):
		return archList
	case strings.HasPrefix(name, photonPrefix) && strings.HasSuffix(name, ".json"):
		return photonList
	case strings.HasPrefix(name, "com.oracle.elsa") && (strings.HasSuffix(name, ".xml") || strings.HasSuffix(name, ".xml.bz2")):
		return oracleOVAL
	case strings.HasSuffix(name, ".zip"):
		return archive
	case strings.HasSuffix(name, ".tar.zst"):
		return tarball
	case strings.HasSuffix(name, ".json"):
		return record
	default:
		return notData
	}
}

// readArchive hands over the members of a zip in the order of their names.
func readArchive(ctx context.Context, path string, found func(document) error) error {
	z, err := zip.OpenReader(path)
	if err != nil {
		return fmt.Errorf("open archive %s: %w", path, err)
	}
	defer z.Close() //nolint:errcheck // only read
	if len(z.File) > maxMembers {
		return fmt.Errorf("open archive %s: %d members are more than the limit of %d", path, len(z.File), maxMembers)
	}
	members := slices.DeleteFunc(slices.Clone(z.File), func(f *zip.File) bool {
		return classify(f.Name) != record || f.FileInfo().IsDir()
	})
	if len(members) == 0 {
		return fmt.Errorf("open archive %s: %w", path, ErrNoInput)
	}
	fetched := download.ReadInfo(path).Fetched
	slices.SortFunc(members, func(a, b *zip.File) int { return strings.Compare(a.Name, b.Name) })
	for _, f := range members {
		if err := ctx.Err(); err != nil {
			return err
		}
		data, err := readMember(f)
		if err != nil {
			return fmt.Errorf("read %s!%s: %w", path, f.Name, err)
		}
		d := document{name: path + "!" + f.Name, data: data, stamp: firstSet(fetched, stampOf(f)), feed: feedOf(path, fetched)}
		if err := found(d); err != nil {
			return err
		}
	}
	return nil
}

func readMember(f *zip.File) ([]byte, error) {
	if f.UncompressedSize64 > osv.MaxRecordSize {
		return nil, fmt.Errorf("%d bytes are over the limit of %d", f.UncompressedSize64, osv.MaxRecordSize)
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close() //nolint:errcheck // only read
	return readLimited(r, int64(f.UncompressedSize64), osv.MaxRecordSize)
}

// readLimited reads at most limit bytes; more is an error.
func readLimited(r io.Reader, expected, limit int64) ([]byte, error) {
	buf := make([]byte, 0, min(expected, limit)+1)
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if int64(len(buf)) > limit {
			return nil, fmt.Errorf("more than the limit of %d bytes", limit)
		}
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// stampOf is the member's time, unless it is the zero of the zip format.
func stampOf(f *zip.File) time.Time {
	if f.Modified.Year() <= 1980 {
		return time.Time{}
	}
	return f.Modified.UTC()
}

// maxFeed bounds one file of a vendor's feed, inflated; Debian's has 70 MB.
const maxFeed = 2 << 30

// maxList bounds a list that is read whole; Photon's have some 2 MB.
const maxList = 64 << 20

// readFeed hands over the records of a vendor's feed that is one large file.
func readFeed(path string, kind class, found func(document) error) error {
	in, closeFile, err := openMaybePacked(path)
	if err != nil {
		return err
	}
	defer closeFile()
	in = io.LimitReader(in, maxFeed)
	stamp := download.ReadInfo(path).Fetched
	emit := func(r osv.Record) error {
		return found(document{name: path, ready: &r, stamp: stamp, feed: feedOf(path, stamp)})
	}
	switch kind {
	case debianTracker:
		err = feed.DebianTracker(in, emit)
	case updateInfo:
		err = feed.UpdateInfo(in, emit)
	case oracleOVAL:
		err = feed.OracleOVAL(in, emit)
	case archList:
		err = emitAll(in, emit, feed.Arch)
	case photonList:
		release := strings.TrimSuffix(strings.ToLower(filepath.Base(path))[len(photonPrefix):], ".json")
		err = emitAll(in, emit, func(data []byte) ([]osv.Record, error) { return feed.Photon(data, release) })
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

// emitAll hands over the records of a list that is read whole.
func emitAll(in io.Reader, emit func(osv.Record) error, decode func([]byte) ([]osv.Record, error)) error {
	data, err := readLimited(in, 1<<20, maxList)
	if err != nil {
		return err
	}
	records, err := decode(data)
	if err != nil {
		return err
	}
	for _, r := range records {
		if err := emit(r); err != nil {
			return err
		}
	}
	return nil
}

// openMaybePacked opens a file, inflating it when its name ends in .gz or .bz2.
func openMaybePacked(path string) (in io.Reader, closeFile func(), err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read advisories: %w", err)
	}
	closeFile = func() { _ = f.Close() } // only read
	if strings.HasSuffix(strings.ToLower(path), ".bz2") {
		return bzip2.NewReader(f), closeFile, nil
	}
	if !strings.HasSuffix(strings.ToLower(path), ".gz") {
		return f, closeFile, nil
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		closeFile()
		return nil, nil, fmt.Errorf("read %s: %w", path, err)
	}
	return z, closeFile, nil
}

func readFile(path string, limit int64) (document, error) {
	f, err := os.Open(path)
	if err != nil {
		return document{}, fmt.Errorf("read advisories: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	data, err := readLimited(f, 64<<10, limit)
	if err != nil {
		return document{}, fmt.Errorf("read %s: %w", path, err)
	}
	// Records that were fetched one by one have a common note of when.
	d := document{name: path, data: data, stamp: download.ReadInfo(path).Fetched}
	d.feed = feedOf(path, d.stamp)
	if d.stamp.IsZero() {
		d.stamp = download.ReadInfo(filepath.Join(filepath.Dir(path), "list")).Fetched
		// They complete the archive beside their directory and count with it.
		d.feed = feedOf(filepath.Join(filepath.Dir(filepath.Dir(path)), "all.zip"), d.stamp)
	}
	return d, nil
}

// feedOf names a download by its path, where a note says when it was made.
func feedOf(path string, noted time.Time) string {
	if noted.IsZero() {
		return ""
	}
	return path
}
