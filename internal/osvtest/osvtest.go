// Package osvtest stands in for osv.dev in tests: one handler that serves
// records both as the bulk export does (<ecosystem>/all.zip, modified_id.csv,
// single records) and as the API does (querybatch, vulns). It is not for
// anything but tests.
package osvtest

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/portcullis-ci/portcullis/internal/advisory"
	"github.com/portcullis-ci/portcullis/internal/advisory/osv"
)

// Server serves the records. Its fields may be read while it is not in use.
type Server struct {
	// Requests are the methods and paths of all requests, in order.
	Requests []string
	// Batches counts the calls of querybatch.
	Batches int
	// Trick, when set, may answer in place of the server and then returns true.
	Trick func(w http.ResponseWriter, r *http.Request) bool

	mu        sync.Mutex
	records   map[string]record
	byPackage map[string][]string
	folders   map[string][]string
}

type record struct {
	data     []byte
	modified time.Time
}

// New reads every record below the directories. Ecosystems of the export are
// those of the records, without what follows a colon.
func New(dirs ...string) (*Server, error) {
	s := &Server{records: make(map[string]record), byPackage: make(map[string][]string), folders: make(map[string][]string)}
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".json") {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			// Files that are no records lie beside them.
			if r, err := osv.Decode(data); err == nil {
				s.Put(r, data)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Put adds a record or replaces the one with its id.
func (s *Server) Put(r osv.Record, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records[r.ID] = record{data, r.Modified}
	add := func(m map[string][]string, key string) {
		if !slices.Contains(m[key], r.ID) {
			m[key] = append(m[key], r.ID)
		}
	}
	for _, a := range r.Affected {
		folder, _, _ := strings.Cut(a.Package.Ecosystem, ":")
		add(s.folders, folder)
		add(s.byPackage, a.Package.Ecosystem+"/"+strings.ToLower(a.Package.Name))
	}
}

// ServeHTTP answers as osv.dev would.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Requests = append(s.Requests, r.Method+" "+r.URL.Path)
	if s.Trick != nil && s.Trick(w, r) {
		return
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case r.URL.Path == "/v1/querybatch" && r.Method == http.MethodPost:
		s.batch(w, r)
	case len(parts) == 3 && parts[0] == "v1" && parts[1] == "vulns" && s.records[parts[2]].data != nil:
		_, _ = w.Write(s.records[parts[2]].data)
	case len(parts) == 2 && s.folders[parts[0]] != nil:
		s.export(w, r, s.folders[parts[0]], parts[1])
	default:
		http.NotFound(w, r)
	}
}

// batch answers with two ids a page and ignores versions, which is allowed:
// the caller compares itself.
func (s *Server) batch(w http.ResponseWriter, r *http.Request) {
	s.Batches++
	var in struct {
		Queries []struct {
			Package struct{ Name, Ecosystem string }
			Page    string `json:"page_token"`
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || len(in.Queries) > 1000 {
		http.Error(w, "bad question", http.StatusBadRequest)
		return
	}
	type vuln struct {
		ID string `json:"id"`
	}
	type result struct {
		Vulns []vuln `json:"vulns,omitempty"`
		Next  string `json:"next_page_token,omitempty"`
	}
	results := make([]result, len(in.Queries))
	for i, q := range in.Queries {
		ids := s.byPackage[q.Package.Ecosystem+"/"+strings.ToLower(q.Package.Name)]
		if q.Page != "" {
			ids = ids[slices.Index(ids, q.Page)+1:]
		}
		for _, id := range ids[:min(2, len(ids))] {
			results[i].Vulns = append(results[i].Vulns, vuln{id})
		}
		if len(ids) > 2 {
			results[i].Next = ids[1]
		}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"results": results})
}

// export serves one file of the bulk export.
func (s *Server) export(w http.ResponseWriter, r *http.Request, ids []string, file string) {
	ids = slices.Clone(ids)
	slices.SortFunc(ids, func(a, b string) int { return s.records[b].modified.Compare(s.records[a].modified) })
	switch file {
	case "modified_id.csv":
		for _, id := range ids {
			fmt.Fprintf(w, "%s,%s\n", s.records[id].modified.Format(time.RFC3339Nano), id)
		}
	case "all.zip":
		data := s.archive(ids)
		w.Header().Set("ETag", `"`+advisory.Digest(data)+`"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	default:
		rec := s.records[strings.TrimSuffix(file, ".json")]
		if rec.data == nil {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(rec.data)
	}
}

func (s *Server) archive(ids []string) []byte {
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, id := range ids {
		if f, err := z.Create(id + ".json"); err == nil {
			_, _ = f.Write(s.records[id].data)
		}
	}
	_ = z.Close() // into memory
	return buf.Bytes()
}
