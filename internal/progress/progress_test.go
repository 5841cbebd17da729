package progress

import (
	"strings"
	"testing"
	"time"
)

// clock advances by a second at every look.
func clock() func() time.Time {
	t := time.Unix(0, 0)
	return func() time.Time { t = t.Add(time.Second); return t }
}

func TestPlainOutputIsALineAStage(t *testing.T) {
	var out strings.Builder
	d := New(&out, false, clock())
	image := d.Start("image")
	d.Note("reading %s", "shop/web")
	image("3 layers")
	d.Close()
	want := "reading shop/web\nimage             1.0s  3 layers\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestATerminalEndsWithNothingLeftOnItsLine(t *testing.T) {
	var out strings.Builder
	d := New(&out, true, clock())
	image := d.Start("image")
	d.Start("dockerfile")
	image("3 layers")
	d.Close()
	if !strings.HasSuffix(out.String(), "… dockerfile\r\x1b[K") {
		t.Errorf("the running stage is not erased: %q", out.String())
	}
}

func TestHostileDetailCannotReachTheTerminal(t *testing.T) {
	var out strings.Builder
	d := New(&out, false, clock())
	d.Start("image")("name \x1b[31mred\n::error::forged")
	if strings.ContainsRune(out.String(), '\x1b') || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("control characters got through: %q", out.String())
	}
}

func TestANilDisplayIsSilent(t *testing.T) {
	var d *Display
	d.Start("image")("done")
	d.Note("x")
	d.Close()
}
