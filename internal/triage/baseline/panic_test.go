package baseline

import (
	"errors"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/recovered"
)

func TestAPanicOfTheParserIsAReportThatCannotBeRead(t *testing.T) {
	report, err := decodeWith(func([]byte, any) error { panic("index out of range") }, "report.json", []byte("{}"))
	if p := (*recovered.Panic)(nil); !errors.As(err, &p) || !strings.HasPrefix(err.Error(), "report.json: ") || len(report.Findings) > 0 {
		t.Errorf("got %+v, %v", report, err)
	}
}
