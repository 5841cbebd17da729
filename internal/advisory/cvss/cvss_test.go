package cvss

import (
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

func TestParseScoresEveryVersion(t *testing.T) {
	tests := []struct {
		vector, version string
		base            float64
		severity        finding.Severity
	}{
		{"AV:N/AC:L/Au:N/C:P/I:P/A:P", "2.0", 7.5, finding.High},
		{"(AV:N/AC:L/Au:N/C:N/I:N/A:C)", "2.0", 7.8, finding.High},
		{"AV:N/AC:L/Au:N/C:C/I:C/A:C", "2.0", 10, finding.High},
		{"AV:L/AC:H/Au:M/C:N/I:N/A:N", "2.0", 0, finding.Info},
		{"CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "3.0", 9.8, finding.Critical},
		{"CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", "3.1", 7.8, finding.High},
		{"CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:L/A:N", "3.1", 3.7, finding.Low},
		{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", "3.1", 0, finding.Info},
		{"CVSS:4.0/AV:N/AC:L/AT:P/PR:H/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "4.0", 7.5, finding.High},
		{"CVSS:4.0/AV:N/AC:L/AT:P/PR:H/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:U", "4.0", 7.5, finding.High},
	}
	for _, tt := range tests {
		s, err := Parse(tt.vector)
		if err != nil {
			t.Errorf("%s: %v", tt.vector, err)
			continue
		}
		if s.Version != tt.version || s.Base != tt.base || s.Severity != tt.severity {
			t.Errorf("%s: got %s %.1f %s, want %s %.1f %s", tt.vector, s.Version, s.Base, s.Severity, tt.version, tt.base, tt.severity)
		}
	}
}

func TestParseRefusesWhatIsNoVector(t *testing.T) {
	for _, vector := range []string{"", "9.8", "CVSS:3.1/AV:N", "CVSS:5.0/AV:N", "AV:N/AC:L", strings.Repeat("A", 5000)} {
		if s, err := Parse(vector); err == nil {
			t.Errorf("%.40q: scored %v", vector, s)
		}
	}
}

// FuzzParse checks that scores stay in bounds and agree with the severity.
func FuzzParse(f *testing.F) {
	f.Add("CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H")
	f.Add("CVSS:4.0/AV:N/AC:L/AT:P/PR:H/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:U")
	f.Add("AV:N/AC:L/Au:N/C:P/I:P/A:P")
	f.Fuzz(func(t *testing.T, vector string) {
		s, err := Parse(vector)
		want := finding.SeverityFromScore(s.Base)
		if s.Version == "2.0" {
			want = min(want, finding.High)
		}
		if err == nil && (s.Base < 0 || s.Base > 10 || s.Severity != want) {
			t.Errorf("%q scored %v", vector, s)
		}
	})
}
