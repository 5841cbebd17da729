package finding

import "testing"

func TestAFindingIsRaisedByOneSeverityAndOnce(t *testing.T) {
	for _, tt := range []struct {
		from, to Severity
		source   string
	}{
		{Unknown, Unknown, "nvd"},
		{Info, Info, "nvd"},
		{Low, Medium, "nvd; raised: privileged"},
		{Medium, High, "nvd; raised: privileged"},
		{High, Critical, "nvd; raised: privileged"},
		{Critical, Critical, "nvd"},
	} {
		before := Finding{Severity: tt.from, SeveritySource: "nvd", Score: 5}
		f := before.Raised("privileged").Raised("host network")
		if f.Severity != tt.to || f.SeveritySource != tt.source || f.RatedBy() != "nvd" || f.Score != 5 || before.Severity != tt.from {
			t.Errorf("%s became %s by %q, rated by %q", tt.from, f.Severity, f.SeveritySource, f.RatedBy())
		}
	}
}
