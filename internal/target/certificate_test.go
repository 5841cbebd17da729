package target_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// certificate is one of a registry on this machine, with who trusts it.
func certificate(t *testing.T, from, until time.Time) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "registry"}, NotBefore: from, NotAfter: until,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	parsed, err := x509.ParseCertificate(der)
	must(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// Where the clock of a machine is wrong, certificates are not yet or no longer
// valid: the registry is not read, is sent nothing, and is not asked in vain.
func TestACertificateThatIsNotValidNowIsTold(t *testing.T) {
	const year = 365 * 24 * time.Hour
	now := time.Now()
	for name, tt := range map[string]struct {
		from, until time.Time
		stranger    bool
		says, hint  string
	}{
		"not yet valid":  {now.Add(9 * year), now.Add(11 * year), false, "not yet valid", "clock"},
		"expired":        {now.Add(-11 * year), now.Add(-9 * year), false, "expired", "clock"},
		"not trusted":    {now.Add(-year), now.Add(year), true, "unknown authority", "SSL_CERT_FILE"},
		"valid for long": {now.Add(-11 * year), time.Unix(1<<32, 0), false, "", "the tag"},
	} {
		t.Run(name, func(t *testing.T) {
			cert, trusted := certificate(t, tt.from, tt.until)
			if tt.stranger {
				trusted = x509.NewCertPool()
			}
			var asked atomic.Int64
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				asked.Add(1)
				w.WriteHeader(http.StatusNotFound)
			}))
			server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.StartTLS()
			defer server.Close()
			env := target.Environment{Keychain: keychain{}, HTTP: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12}}}
			_, err := open(t, target.Request{Reference: "registry:" + strings.TrimPrefix(server.URL, "https://") + "/shop/web:1"}, env)
			expectError(t, err, exit.NotExamined, tt.says)
			if valid := tt.says == ""; valid != (asked.Load() > 0) {
				t.Errorf("it was asked %d times", asked.Load())
			}
			if hint := exit.HintOf(err); !strings.Contains(hint, tt.hint) {
				t.Errorf("hint %q, want one about %q", hint, tt.hint)
			}
		})
	}
}
