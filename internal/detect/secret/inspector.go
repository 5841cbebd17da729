package secret

import (
	"encoding/json"
	"fmt"

	"github.com/portcullis-ci/portcullis/internal/credential"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

// Inspector looks for credentials in every file of every layer while the
// layers stream past. What it records holds no value.
type Inspector struct{}

// inspectorName changes with what is recorded.
const inspectorName = "secret/2"

// Name implements layers.Inspector.
func (Inspector) Name() string { return inspectorName }

// Begin implements layers.Inspector.
func (Inspector) Begin(int) layers.Inspection {
	return &inspection{scanner: credential.NewScanner(), holding: map[string]bool{}}
}

// record is what one layer holds.
type record struct {
	Matches []located `json:"matches,omitempty"`
	// More is the number of matches beyond the limit.
	More int `json:"more,omitempty"`
	// Cut are files of which only the start was searched.
	Cut []string `json:"cut,omitempty"`
	// Files and Bytes were searched; Packed files were not, since their
	// content is compressed.
	Files  int   `json:"files"`
	Bytes  int64 `json:"bytes"`
	Packed int   `json:"packed,omitempty"`
	// Sums are the digests of files with matches, where a package of the
	// operating system may have brought the file.
	Sums []contentSums `json:"sums,omitempty"`
}

// located is a match with the file that holds it.
type located struct {
	Path string `json:"path"`
	credential.Match
}

const (
	// maxMatches and maxCut bound what is recorded of a layer.
	maxMatches = 2000
	maxCut     = 200
)

// inspection is the search of one layer.
type inspection struct {
	scanner  *credential.Scanner
	contents contents
	path     string
	// searched is set when the current file is searched, and not only kept.
	searched bool
	record   record
	// holding are the files with a secret, those that are not listed included.
	holding map[string]bool
}

// Withhold implements layers.Withholder.
func (i *inspection) Withhold(path string) bool { return i.holding[path] }

// File implements layers.Inspection.
func (i *inspection) File(e *layers.Entry, head []byte) bool {
	kept := i.contents.begin(e)
	i.searched = false
	switch {
	case e.Size < 8:
		return false
	case credential.Packed(head):
		i.record.Packed++
		return kept
	}
	i.path, i.searched = e.Path, true
	i.record.Files++
	i.record.Bytes += e.Size
	i.scanner.Begin(e.Path, head)
	return true
}

// Chunk implements layers.Inspection.
func (i *inspection) Chunk(data []byte) {
	i.contents.write(data)
	if i.searched {
		i.scanner.Write(data)
	}
}

// EndFile implements layers.Inspection.
func (i *inspection) EndFile() {
	if !i.searched {
		i.contents.end(i.path, false)
		return
	}
	found, cut := i.scanner.End()
	i.contents.end(i.path, len(found) > 0)
	if len(found) > 0 {
		i.holding[i.path] = true
	}
	for _, m := range found {
		if len(i.record.Matches) >= maxMatches {
			i.record.More++
			continue
		}
		i.record.Matches = append(i.record.Matches, located{Path: i.path, Match: m})
	}
	if cut && len(i.record.Cut) < maxCut {
		i.record.Cut = append(i.record.Cut, i.path)
	}
}

// Result implements layers.Inspection.
func (i *inspection) Result() ([]byte, error) {
	i.record.Sums = i.contents.result()
	out, err := json.Marshal(i.record)
	if err != nil {
		return nil, fmt.Errorf("encode what was found: %w", err)
	}
	return out, nil
}
