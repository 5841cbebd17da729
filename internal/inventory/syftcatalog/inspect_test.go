package syftcatalog_test

import (
	"fmt"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/inventory/syftcatalog"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

// counter counts the bytes of all files of a layer.
type counter struct{ files, bytes int }

func (counter) Name() string                       { return "counter/1" }
func (counter) Begin(int) layers.Inspection        { return &counter{} }
func (c *counter) File(*layers.Entry, []byte) bool { c.files++; return true }
func (c *counter) Chunk(data []byte)               { c.bytes += len(data) }
func (c *counter) EndFile()                        {}
func (c *counter) Result() ([]byte, error)         { return fmt.Appendf(nil, "%d %d", c.files, c.bytes), nil }

func TestInspectorsAreFedFromThePassOverTheLayers(t *testing.T) {
	img, err := imagetest.New().
		Layer("ADD /", imagetest.Text("etc/os-release", "ID=debian\n"), imagetest.Text("gone", "12345"), imagetest.Text("stays", "123")).
		Layer("RUN rm gone", imagetest.Text(".wh.gone", "")).Image()
	must(t, err)
	target := open(t, layout(t, img))
	var got *layers.Inspections
	_, bom, err := syftcatalog.Catalog(t.Context(), target, syftcatalog.Options{
		Inspectors: []layers.Inspector{counter{}},
		Inspected:  func(i *layers.Inspections) { got = i },
	})
	must(t, err)
	if got == nil || got.Layers != 2 || string(got.Result("counter/1", 0)) != "3 18" || string(got.Result("counter/1", 1)) != "0 0" {
		t.Fatalf("inspections = %+v, want 3 files of 18 bytes in the first layer and none in the second", got)
	}
	if got.Visible(0, "/gone") || !got.Visible(0, "/stays") {
		t.Error("the deleted file is called visible, or the other one is not")
	}
	if n := bom.Stats().Rereads; n != 0 {
		t.Errorf("%d second passes over layers", n)
	}
}
