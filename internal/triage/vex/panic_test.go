package vex

import (
	"errors"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/recovered"
)

func TestAPanicOfTheParserIsAFileThatCannotBeRead(t *testing.T) {
	doc, err := decodeWith(func([]byte, any) error { panic("index out of range") }, "vex.json", []byte("{}"))
	if p := (*recovered.Panic)(nil); !errors.As(err, &p) || !strings.HasPrefix(err.Error(), "vex.json: ") || len(doc.Statements) > 0 {
		t.Errorf("got %+v, %v", doc, err)
	}
}
