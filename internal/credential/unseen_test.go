package credential_test

import (
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/credential"
	"github.com/portcullis-ci/portcullis/internal/credential/credentialtest"
)

func TestPrecisionAndRecallOnUnseenFiles(t *testing.T) {
	good, bad := credentialtest.Unseen(t)
	s := credential.NewScanner()
	found, wrong := 0, 0
	for _, c := range good {
		hit := false
		for _, m := range scan(s, c.Path, c.Content, 4096) {
			at := strings.Index(c.Content, c.Secret)
			if int(m.Offset) < at+len(c.Secret) && at < int(m.Offset)+m.Length {
				hit = true
			} else {
				wrong++
				t.Errorf("%s: wrong %s at %d in %q", c.Path, m.Kind, m.Offset, c.Content)
			}
		}
		if hit {
			found++
		} else {
			t.Errorf("%s: missed: %q", c.Path, c.Content)
		}
	}
	for _, c := range bad {
		for _, m := range scan(s, c.Path, c.Content, 4096) {
			wrong++
			t.Errorf("%s: a near miss is reported as %s (%s): %q", c.Path, m.Kind, m.Name, c.Content)
		}
	}
	t.Logf("%d of %d secrets found, %d wrong among %d near misses", found, len(good), wrong, len(bad))
}
