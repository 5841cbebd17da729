package waiver

import (
	"errors"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/portcullis-ci/portcullis/internal/recovered"
)

func TestAPanicOfTheParserIsAFileThatCannotBeRead(t *testing.T) {
	broken := func(string, []byte) (*yaml.Node, error) { panic("index out of range") }
	file, err := decodeWith(broken, "waivers.yaml", []byte("x"))
	imported, importErr := importWith(broken, GrypeConfig, "waivers.yaml", []byte("x"), time.Time{})
	if len(file.Waivers)+len(imported.Waivers) > 0 {
		t.Errorf("got %+v and %+v", file, imported)
	}
	for _, err := range []error{err, importErr} {
		if p := (*recovered.Panic)(nil); !errors.As(err, &p) || !strings.HasPrefix(err.Error(), "waivers.yaml: ") {
			t.Errorf("got %v", err)
		}
	}
}
