package download

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/portcullis-ci/portcullis/internal/atomicfile"
)

// Info is kept beside a downloaded file, as NAME.info.json.
type Info struct {
	URL          string    `json:"url"`
	ETag         string    `json:"etag,omitempty"`
	LastModified string    `json:"lastModified,omitempty"`
	Size         int64     `json:"size"`
	Fetched      time.Time `json:"fetched"`
}

// InfoSuffix is what the name of a file's Info ends in.
const InfoSuffix = ".info.json"

// ReadInfo reads what is kept beside a file; it is empty when nothing is.
func ReadInfo(path string) Info {
	var i Info
	data, err := os.ReadFile(path + InfoSuffix)
	if err != nil || json.Unmarshal(data, &i) != nil {
		return Info{}
	}
	return i
}

// WriteInfo keeps an Info beside a file.
func WriteInfo(path string, i Info) error {
	data, err := json.MarshalIndent(i, "", "  ")
	if err != nil {
		return fmt.Errorf("note about %s: %w", path, err)
	}
	return atomicfile.WriteBytes(path+InfoSuffix, append(data, '\n'))
}

// File fetches an address into a file of at most limit bytes. A file that is
// there and has not changed on the server is kept. What a cut left behind is
// taken up again. Now is the time that is noted; changed says whether the file
// is new.
func (c *Client) File(ctx context.Context, address, path string, limit int64, now time.Time) (changed bool, err error) {
	if err := c.checkURL(address); err != nil {
		return false, err
	}
	f := &transfer{client: c, url: address, path: path, limit: limit, now: now, old: ReadInfo(path)}
	if s, err := os.Stat(path); err != nil || s.Size() != f.old.Size || f.old.URL != address {
		f.old = Info{} // not the file that the note is about: the ETag would be a lie
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return false, err
	}
	err = c.repeat(ctx, func() error { return f.try(ctx) })
	if err != nil {
		// Of no use to a later transfer, which cannot know what it is part of.
		if gone := os.Remove(f.partPath()); !errors.Is(gone, os.ErrNotExist) {
			err = errors.Join(err, gone)
		}
		return false, fmt.Errorf("fetch %s: %w", Redact(address), err)
	}
	return f.changed, nil
}

// transfer is one file on its way.
type transfer struct {
	client    *Client
	url, path string
	limit     int64
	now       time.Time
	// old is the note of the file that is there.
	old     Info
	changed bool
	// part is the open remainder of an earlier attempt of this transfer, etag
	// the version that it is of.
	done int64
	etag string
	// whole is the size that a partial answer tells; 0 for others.
	whole int64
}

func (f *transfer) partPath() string { return f.path + ".part" }

// try makes one attempt, taking up after what the last one got.
func (f *transfer) try(ctx context.Context) error {
	req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodGet, f.url, nil)
	if err != nil {
		return permanent{err}
	}
	switch {
	case f.done > 0:
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", f.done))
		req.Header.Set("If-Range", f.etag)
	case f.old.ETag != "":
		req.Header.Set("If-None-Match", f.old.ETag)
	case f.old.LastModified != "":
		req.Header.Set("If-Modified-Since", f.old.LastModified)
	}
	// Compressed in transit, neither ranges nor checksums would fit.
	req.Header.Set("Accept-Encoding", "identity")
	resp, err := f.client.requester().Do(req)
	if err != nil {
		return permanent{err}
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	return f.receive(resp)
}

func (f *transfer) receive(resp *http.Response) error {
	switch resp.StatusCode {
	case http.StatusNotModified:
		if f.old.Size == 0 {
			return permanent{fmt.Errorf("the server says that nothing changed, but there is no file")}
		}
		f.old.Fetched = f.now
		return f.note(f.old)
	case http.StatusPartialContent:
		var err error
		if f.whole, err = rest(resp, f.done, f.etag); err != nil {
			f.restart()
			return err
		}
	case http.StatusOK:
		f.restart()
	case http.StatusRequestedRangeNotSatisfiable:
		f.restart()
		return &StatusError{Redact(f.url), resp.StatusCode}
	default:
		return permanent{&StatusError{Redact(f.url), resp.StatusCode}}
	}
	return f.store(resp)
}

func (f *transfer) restart() { f.done, f.etag, f.whole = 0, "", 0 }

// rest checks that a partial answer goes on where what is there ends, in the
// same version, and returns the size of the whole. A server may send less than
// was asked for (RFC 9110, section 15.3.7), so that the end of such an answer
// need not be the end of the file.
// https://www.rfc-editor.org/rfc/rfc9110#section-15.3.7
func rest(resp *http.Response, done int64, etag string) (whole int64, err error) {
	header := resp.Header.Get("Content-Range") // bytes 100-199/200
	text, _ := strings.CutPrefix(header, "bytes ")
	places, size, _ := strings.Cut(text, "/")
	first, _, _ := strings.Cut(places, "-")
	start, startErr := strconv.ParseInt(first, 10, 64)
	whole, sizeErr := strconv.ParseInt(size, 10, 64)
	switch {
	case startErr != nil || sizeErr != nil || done == 0 || start != done || whole <= done:
		return 0, fmt.Errorf("the server sent another range than asked for: %q", header)
	case resp.Header.Get("ETag") != etag:
		return 0, fmt.Errorf("the server sent the rest of another version: %q, not %q", resp.Header.Get("ETag"), etag)
	}
	return whole, nil
}

// store appends the body to the part and, when all is there, puts it in place.
func (f *transfer) store(resp *http.Response) error {
	if resp.ContentLength > 0 && f.done+resp.ContentLength > f.limit {
		return permanent{fmt.Errorf("%w: %d, limit %d", ErrTooLarge, f.done+resp.ContentLength, f.limit)}
	}
	etag := resp.Header.Get("ETag")
	n, err := f.write(resp.Body)
	if n > f.limit {
		return permanent{fmt.Errorf("%w: limit %d", ErrTooLarge, f.limit)}
	}
	if err == nil && f.whole > 0 && n != f.whole {
		err = fmt.Errorf("the server sent %d of %d bytes", n, f.whole)
	}
	if err != nil {
		// Only a strong tag says that the rest will be of the same bytes.
		if f.done, f.etag = n, etag; etag == "" || strings.HasPrefix(etag, "W/") {
			f.restart()
		}
		return err
	}
	if err := f.verify(resp); err != nil {
		f.restart()
		return err
	}
	if err := os.Rename(f.partPath(), f.path); err != nil {
		return permanent{err}
	}
	f.changed = true
	return f.note(Info{URL: f.url, ETag: etag, LastModified: resp.Header.Get("Last-Modified"), Size: n, Fetched: f.now})
}

// write adds the body behind what is done and returns the size of the part.
func (f *transfer) write(body io.Reader) (int64, error) {
	part, err := os.OpenFile(f.partPath(), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return 0, permanent{err}
	}
	err = part.Truncate(f.done)
	if err == nil {
		_, err = part.Seek(f.done, io.SeekStart)
	}
	n := int64(0)
	if err == nil {
		n, err = io.Copy(part, io.LimitReader(body, f.limit-f.done+1))
	}
	if err == nil {
		err = part.Sync()
	}
	err = errors.Join(err, part.Close())
	var disk *fs.PathError
	if errors.As(err, &disk) {
		err = permanent{err} // Another attempt would not find more room.
	}
	return f.done + n, err
}

// verify compares the whole part with the server's checksum.
func (f *transfer) verify(resp *http.Response) error {
	s := newSum(resp)
	if !s.has {
		return nil
	}
	part, err := os.Open(f.partPath())
	if err != nil {
		return permanent{err}
	}
	defer part.Close() //nolint:errcheck // only read
	if _, err := io.Copy(s, part); err != nil {
		return permanent{err}
	}
	return s.check()
}

func (f *transfer) note(i Info) error {
	if err := WriteInfo(f.path, i); err != nil {
		return permanent{err}
	}
	return nil
}
