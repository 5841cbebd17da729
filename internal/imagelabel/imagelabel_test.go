package imagelabel

import (
	"strings"
	"testing"
)

func TestFormsOfValues(t *testing.T) {
	for _, tt := range []struct {
		form string
		is   func(string) bool
		good []string
		bad  []string
	}{
		{"url", IsURL, []string{"https://example.org/r", "git+ssh://git@example.org/r", "ssh://git@example.org:22/r"}, []string{"", "example.org/r", "git@example.org:shop/web", "/r", "https://", "shop"}},
		{"time", IsTime, []string{"2026-03-01T12:00:00Z", "2026-03-01T12:00:00.123+02:00"}, []string{"", "yesterday", "2026-03-01", "2026-03-01 12:00:00", "1772366400"}},
		{
			"licence", IsSPDX,
			[]string{"Apache-2.0", "Apache-2.0 OR MIT", "(MIT AND BSD-3-Clause)", "LicenseRef-own", "GPL-2.0-only WITH Classpath-exception-2.0"},
			[]string{"", "my own", "Apache 2", "(MIT", "MIT OR", strings.Repeat("(", 100), strings.Repeat("MIT OR ", 1000) + "MIT"},
		},
	} {
		for _, v := range tt.good {
			if !tt.is(v) {
				t.Errorf("%q is no %s", v, tt.form)
			}
		}
		for _, v := range tt.bad {
			if tt.is(v) {
				t.Errorf("%.40q is a %s", v, tt.form)
			}
		}
	}
}
