package target

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxJSONDepth is far above the five levels that a manifest has.
const maxJSONDepth = 64

func checkJSON(raw []byte) error { return CheckJSON(raw, maxJSONDepth) }

// ErrNotJSON is wrapped by errors of CheckJSON about what is no JSON at all.
var ErrNotJSON = errors.New("not JSON")

// CheckJSON refuses a document that two readers may understand differently: an
// object with the same key twice, also in different letter case on the first
// level, where Go's decoder takes them for the same; more than one value; and
// nesting deeper than maxDepth.
func CheckJSON(raw []byte, maxDepth int) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	type level struct {
		keys  map[string]bool
		isKey bool
	}
	var stack []level
	done := false
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			if !done {
				return fmt.Errorf("%w: %w", ErrNotJSON, io.ErrUnexpectedEOF)
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrNotJSON, err)
		}
		if done {
			return fmt.Errorf("%w: more than one value", ErrNotJSON)
		}
		switch tok {
		case json.Delim('{'), json.Delim('['):
			if len(stack) >= maxDepth {
				return fmt.Errorf("nested more than %d deep", maxDepth)
			}
			if len(stack) > 0 {
				stack[len(stack)-1].isKey = true
			}
			l := level{}
			if tok == json.Delim('{') {
				l = level{keys: map[string]bool{}, isKey: true}
			}
			stack = append(stack, l)
			continue
		case json.Delim('}'), json.Delim(']'):
			stack = stack[:len(stack)-1]
		default:
			if len(stack) == 0 {
				break
			}
			top := &stack[len(stack)-1]
			if top.keys == nil {
				continue
			}
			if !top.isKey {
				top.isKey = true
				continue
			}
			key, _ := tok.(string)
			folded := key
			if len(stack) == 1 {
				folded = strings.ToLower(key)
			}
			if top.keys[folded] {
				return fmt.Errorf("ambiguous: the key %q occurs twice in one object", key)
			}
			top.keys[folded], top.isKey = true, false
			continue
		}
		done = len(stack) == 0
	}
}
