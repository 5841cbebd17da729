package manifest

import (
	"fmt"
	"strings"
)

// Path leads from an object, or a part of one, to a field, such as
// spec.containers[*].image or metadata.labels["example.com/team"].
type Path struct {
	steps []step
}

// step is a key, or every item of a list.
type step struct {
	key   string
	items bool
}

// ParsePath reads a path. Keys are separated by dots; one with dots or
// brackets in it is written as ["key"]; [*] stands for every item of a list.
func ParsePath(text string) (Path, error) {
	var p Path
	rest := text
	for rest != "" {
		switch {
		case strings.HasPrefix(rest, "[*]"):
			p.steps = append(p.steps, step{items: true})
			rest = rest[len("[*]"):]
		case strings.HasPrefix(rest, `["`):
			key, after, ok := strings.Cut(rest[len(`["`):], `"]`)
			if !ok || key == "" {
				return Path{}, fmt.Errorf("field %q: %q has no end", text, rest)
			}
			p.steps = append(p.steps, step{key: key})
			rest = after
		default:
			rest = strings.TrimPrefix(rest, ".")
			end := strings.IndexAny(rest, ".[")
			if end < 0 {
				end = len(rest)
			}
			if end == 0 {
				return Path{}, fmt.Errorf("field %q: expected a key, [*] or [\"key\"] at %q", text, rest)
			}
			p.steps = append(p.steps, step{key: rest[:end]})
			rest = rest[end:]
		}
	}
	if len(p.steps) == 0 {
		return Path{}, fmt.Errorf("field is empty")
	}
	return p, nil
}

// Empty reports whether the path leads nowhere else.
func (p Path) Empty() bool { return len(p.steps) == 0 }

// Many reports whether the path may lead to several places.
func (p Path) Many() bool {
	for _, s := range p.steps {
		if s.items {
			return true
		}
	}
	return false
}

// Places are where the path leads to: fields that are missing, too, but no
// items of lists that are.
func (p Path) Places(from *Place) []*Place {
	at := []*Place{from}
	for _, s := range p.steps {
		var next []*Place
		for _, place := range at {
			if s.items {
				next = append(next, place.Items()...)
			} else {
				next = append(next, place.At(s.key))
			}
		}
		at = next
	}
	return at
}
