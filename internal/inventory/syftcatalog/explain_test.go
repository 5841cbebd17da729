package syftcatalog

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/layers"
	"github.com/portcullis-ci/portcullis/internal/target"
)

func TestTheHintSaysWhatToDoAboutTheCause(t *testing.T) {
	for _, tt := range []struct {
		cause error
		want  string
	}{
		{fmt.Errorf("layer 1: %w", &fs.PathError{Op: "open", Path: "blobs/sha256/0", Err: fs.ErrPermission}), "let this user read it"},
		{&layers.LimitError{Field: "Files"}, "--max-files"},
		{errors.New("unexpected end"), "check that the image is whole"},
	} {
		if err := explain(&target.Target{Name: "x"}, tt.cause); !strings.Contains(exit.HintOf(err), tt.want) || exit.CodeOf(err) != exit.NotExamined {
			t.Errorf("%v: hint %q, want %q", tt.cause, exit.HintOf(err), tt.want)
		}
	}
}
