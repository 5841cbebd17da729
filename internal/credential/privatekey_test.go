package credential

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"hash"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// keyFactory makes keys in all forms, with chance that is always the same.
type keyFactory struct {
	t      *testing.T
	random *rand.ChaCha8
}

func (f keyFactory) bytes(n int) []byte {
	b := make([]byte, n)
	_, _ = f.random.Read(b)
	return b
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func armoured(kind string, der []byte, headers map[string]string) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind + " KEY", Bytes: der, Headers: headers}))
}

func sshString(parts ...string) string {
	out := ""
	for _, p := range parts {
		out += string(binary.BigEndian.AppendUint32(nil, uint32(len(p)))) + p
	}
	return out
}

// openSSH writes OpenSSH's format; the fields are those of the private part.
func (f keyFactory) openSSH(cipher string, public string, fields ...string) []byte {
	private := "\x01\x02\x03\x04\x01\x02\x03\x04" + sshString(fields...)
	for i := byte(1); len(private)%8 != 0; i++ {
		private += string([]byte{i})
	}
	if cipher != "none" {
		private = string(f.bytes(len(private)))
	}
	return []byte("openssh-key-v1\x00" + sshString(cipher, "bcrypt", "options") + "\x00\x00\x00\x01" + sshString(public, private))
}

// putty writes PuTTY's format with its MAC.
func putty(version, encryption, algorithm string, public, private []byte) string {
	var mac hash.Hash = hmac.New(sha256.New, nil)
	if version == "2" {
		key := sha1.Sum([]byte("putty-private-key-file-mac-key"))
		mac = hmac.New(sha1.New, key[:])
	}
	mac.Write([]byte(sshString(algorithm, encryption, "ci", string(public), string(private))))
	lines := func(b []byte) string {
		text, n := base64.StdEncoding.EncodeToString(b), 0
		var out strings.Builder
		for ; len(text) > 0; n++ {
			out.WriteString(text[:min(64, len(text))] + "\n")
			text = text[min(64, len(text)):]
		}
		return fmt.Sprintf("%d\n%s", n, out.String())
	}
	return fmt.Sprintf("PuTTY-User-Key-File-%s: %s\nEncryption: %s\nComment: ci\nPublic-Lines: %sPrivate-Lines: %sPrivate-MAC: %s\n",
		version, algorithm, encryption, lines(public), lines(private), hex.EncodeToString(mac.Sum(nil)))
}

// openPGP writes the packet of an Ed25519 key of version 4.
func (f keyFactory) openPGP(usage byte) []byte {
	number := func(b []byte) []byte {
		n := new(big.Int).SetBytes(b)
		return append(binary.BigEndian.AppendUint16(nil, uint16(n.BitLen())), n.Bytes()...)
	}
	body := append([]byte{4, 0x60, 0, 0, 0, 22, 9}, 0x2b, 6, 1, 4, 1, 0xda, 0x47, 0x0f, 1)
	body = append(body, number(append([]byte{0x40}, f.bytes(32)...))...)
	secret := number(f.bytes(32))
	body = append(body, usage)
	if usage != 0 {
		body = append(append(body, 7, 3, 8), f.bytes(8+1+16+len(secret))...)
	} else {
		sum := uint16(0)
		for _, c := range secret {
			sum += uint16(c)
		}
		body = binary.BigEndian.AppendUint16(append(body, secret...), sum)
	}
	return append([]byte{0x94, byte(len(body))}, body...)
}

func pgpArmour(packet []byte) string {
	return "-----BEGIN PGP PRIVATE " + "KEY BLOCK-----\n\n" + base64.StdEncoding.EncodeToString(packet) + "\n=AbCd\n-----END PGP PRIVATE " + "KEY BLOCK-----\n"
}

// shrouded is the frame of a key that a passphrase protects, RFC 5958.
func (f keyFactory) shrouded() []byte {
	type algorithm struct {
		ID     asn1.ObjectIdentifier
		Params []int
	}
	return must[[]byte](f.t)(asn1.Marshal(struct {
		Algorithm algorithm
		Data      []byte
	}{algorithm{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}, []int{1}}, f.bytes(128)}))
}

// pkcs12 writes a key store that holds a bag of the given kind.
func (f keyFactory) pkcs12(bag []byte) []byte {
	content := must[[]byte](f.t)(asn1.Marshal(append(slices.Clone(bag), f.bytes(100)...)))
	explicit := must[[]byte](f.t)(asn1.Marshal(asn1.RawValue{Class: 2, Tag: 0, IsCompound: true, Bytes: content}))
	return must[[]byte](f.t)(asn1.Marshal(struct {
		Version int
		Content struct {
			Type asn1.ObjectIdentifier
			Data asn1.RawValue
		}
	}{3, struct {
		Type asn1.ObjectIdentifier
		Data asn1.RawValue
	}{oidData, asn1.RawValue{FullBytes: explicit}}}))
}

// keyStore writes one of Java with one entry.
func keyStore(tag byte, entry []byte) []byte {
	out := []byte{0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, tag, 0, 1, 'a', 0, 0, 1, 0, 0, 0, 0, 0}
	if tag == 2 {
		out = append(out, "\x00\x05X.509"...)
	}
	out = binary.BigEndian.AppendUint32(out, uint32(len(entry)))
	return append(append(out, entry...), make([]byte, 24)...)
}

type keySample struct {
	name, content, kind string
	severity            finding.Severity
	// checked keys have a structure or a sum that a changed byte breaks.
	checked bool
}

func keySamples(t *testing.T) []keySample {
	f := keyFactory{t, rand.NewChaCha8([32]byte{9})}
	rsaKey := must[*rsa.PrivateKey](t)(rsa.GenerateKey(f.random, 2048))
	ecKey := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P384(), f.random))
	_, edKey, err := ed25519.GenerateKey(f.random)
	if err != nil {
		t.Fatal(err)
	}
	p, g, x := must[*big.Int](t)(smallPrime()), big.NewInt(5), new(big.Int).SetBytes(f.bytes(19))
	dsaDER := must[[]byte](t)(asn1.Marshal(struct {
		Version       int
		P, Q, G, Y, X *big.Int
	}{0, p, big.NewInt(7919), g, new(big.Int).Exp(g, x, p), x}))
	pkcs1, pkcs8 := x509.MarshalPKCS1PrivateKey(rsaKey), must[[]byte](t)(x509.MarshalPKCS8PrivateKey(edKey))
	sec1 := must[[]byte](t)(x509.MarshalECPrivateKey(ecKey))
	edPublic := sshString("ssh-ed25519", string(edKey.Public().(ed25519.PublicKey)))
	edFields := []string{"ssh-ed25519", string(edKey.Public().(ed25519.PublicKey)), string(edKey), "ci@shop"}
	rsaFields := []string{"ssh-rsa", string(rsaKey.N.Bytes()), "\x01\x00\x01", string(rsaKey.D.Bytes()), "q", string(rsaKey.Primes[0].Bytes()), string(rsaKey.Primes[1].Bytes()), "ci"}
	rsaPublic := sshString("ssh-rsa", "\x01\x00\x01", string(rsaKey.N.Bytes()))
	dek := map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-128-CBC,00112233445566778899AABBCCDDEEFF"}
	const locked = "encrypted private key"
	return []keySample{
		{"PKCS #1", armoured("RSA PRIVATE", pkcs1, nil), "RSA private key", finding.High, true},
		{"PKCS #8", armoured("PRIVATE", pkcs8, nil), "Ed25519 private key", finding.High, false},
		{"SEC 1", armoured("EC PRIVATE", sec1, nil), "EC private key", finding.High, false},
		{"DSA", armoured("DSA PRIVATE", dsaDER, nil), "DSA private key", finding.High, true},
		{"PEM with a passphrase", armoured("RSA PRIVATE", f.bytes(640), dek), locked, finding.Medium, false},
		{"PKCS #8 with a passphrase", armoured("ENCRYPTED PRIVATE", f.shrouded(), nil), locked, finding.Medium, false},
		{"OpenSSH, Ed25519", armoured("OPENSSH PRIVATE", f.openSSH("none", edPublic, edFields...), nil), "SSH private key", finding.High, false},
		{"OpenSSH, RSA", armoured("OPENSSH PRIVATE", f.openSSH("none", rsaPublic, rsaFields...), nil), "SSH private key", finding.High, false},
		{"OpenSSH with a passphrase", armoured("OPENSSH PRIVATE", f.openSSH("aes256-ctr", edPublic, edFields...), nil), locked, finding.Medium, false},
		{"PuTTY, version 2", putty("2", "none", "ssh-ed25519", []byte(edPublic), f.bytes(36)), "SSH private key", finding.High, true},
		{"PuTTY, version 3", putty("3", "none", "ssh-ed25519", []byte(edPublic), f.bytes(36)), "SSH private key", finding.High, true},
		{"PuTTY with a passphrase", putty("3", "aes256-cbc", "ssh-ed25519", []byte(edPublic), f.bytes(48)), locked, finding.Medium, false},
		{"OpenPGP", pgpArmour(f.openPGP(0)), "OpenPGP private key", finding.High, true},
		{"OpenPGP with a passphrase", pgpArmour(f.openPGP(254)), locked, finding.Medium, false},
		{"a file of DER, PKCS #1", string(pkcs1), "RSA private key", finding.High, true},
		{"a file of DER, PKCS #8", string(pkcs8), "Ed25519 private key", finding.High, false},
		{"a file of DER, SEC 1", string(sec1), "EC private key", finding.High, false},
		{"a file of DER with a passphrase", string(f.shrouded()), locked, finding.Medium, false},
		{"PKCS #12", string(f.pkcs12(shroudedKeyBag)), locked, finding.Medium, false},
		{"PKCS #12 without a password", string(f.pkcs12(keyBag)), "private key", finding.High, false},
		{"a key store of Java", string(keyStore(1, f.shrouded())), locked, finding.Medium, false},
		{"an OpenPGP key ring", string(f.openPGP(0)), "OpenPGP private key", finding.High, true},
		{"a key of GnuPG's agent", "Created: 20240101T000000\nKey: (private-key (ecc (curve Ed25519)(flags eddsa)(q #40AA#)(d #BB#)))\n", "OpenPGP private key", finding.High, false},
		{"a key of GnuPG's agent with a passphrase", "(21:protected-private-key(3:rsa(1:n257:" + string(f.bytes(257)) + ")))", locked, finding.Medium, false},
	}
}

// smallPrime is a prime of 160 bits: 2^160 - 47.
func smallPrime() (*big.Int, error) {
	p := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 160), big.NewInt(47))
	if !p.ProbablyPrime(20) {
		return nil, fmt.Errorf("%v is no prime", p)
	}
	return p, nil
}

func scanned(content string) []Match {
	s := NewScanner()
	s.Begin("/srv/conf/thing", []byte(content)[:min(len(content), 3072)])
	s.Write([]byte(content))
	found, _ := s.End()
	return slices.Clone(found)
}

func TestPrivateKeysOfEveryFormAreRecognised(t *testing.T) {
	for _, k := range keySamples(t) {
		found := scanned(k.content)
		if len(found) != 1 || found[0].Class != PrivateKey || found[0].Kind != k.kind || found[0].Severity != k.severity || found[0].Fingerprint == "" || found[0].Line != 1 {
			t.Errorf("%s: %+v, want %s %s", k.name, found, k.severity, k.kind)
		}
	}
}

// A text with the head of a key that is no key is none.
func TestPrivateKeysThatDoNotParseAreNone(t *testing.T) {
	for _, k := range keySamples(t) {
		half := k.content[:len(k.content)/2]
		if found := scanned(half); len(found) > 0 {
			t.Errorf("%s cut in half: %+v", k.name, found)
		}
		if i := strings.Index(k.content, "-----END"); i > 0 {
			for name, content := range map[string]string{
				"without its second half": half + "\n" + k.content[i:],
				"without a body":          k.content[:strings.Index(k.content, "\n")+1] + k.content[i:],
				"of a certificate":        strings.ReplaceAll(strings.ReplaceAll(k.content, "RSA PRIVATE KEY", "CERTIFICATE"), "PRIVATE KEY", "PUBLIC KEY"),
			} {
				if found := scanned(content); len(found) > 0 {
					t.Errorf("%s %s: %+v", k.name, name, found)
				}
			}
		}
		if !k.checked {
			continue
		}
		at := len(k.content) * 2 / 3
		if c := k.content[at]; c == '\n' || c == '-' {
			at++
		}
		for _, c := range []byte{'Q', 'z'} {
			changed := []byte(k.content)
			if changed[at] == c {
				continue
			}
			changed[at] = c
			if found := scanned(string(changed)); len(found) > 0 {
				t.Errorf("%s with another byte at %d: %+v", k.name, at, found)
			}
		}
	}
	f := keyFactory{t, rand.NewChaCha8([32]byte{8})}
	for name, content := range map[string]string{
		"a store of certificates": string(keyStore(2, f.bytes(300))),
		"PKCS #12 without a key":  string(f.pkcs12([]byte{0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x03})),
		"an OpenPGP public key":   string(append([]byte{0x98}, f.openPGP(0)[1:]...)),
		"chance":                  string(append([]byte{0x95}, f.bytes(500)...)),
	} {
		if found := scanned(content); len(found) > 0 {
			t.Errorf("%s: %+v", name, found)
		}
	}
}

func TestPrivateKeysThatEverybodyHasAreLow(t *testing.T) {
	seed, err := hex.DecodeString("d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842")
	if err != nil {
		t.Fatal(err)
	}
	der := must[[]byte](t)(x509.MarshalPKCS8PrivateKey(ed25519.NewKeyFromSeed(seed)))
	for _, content := range []string{armoured("PRIVATE", der, nil), string(der), "key: " + base64.StdEncoding.EncodeToString([]byte(armoured("PRIVATE", der, nil)))} {
		found := scanned(content)
		if len(found) != 1 || found[0].Severity != finding.Low || !slices.Contains(found[0].Facts, finding.Fact{Name: "known", Value: "the example key of RFC 8410"}) {
			t.Errorf("%+v", found)
		}
	}
}

func FuzzPrivateKeysOfForeignFilesDoNotPanic(f *testing.F) {
	factory := keyFactory{&testing.T{}, rand.NewChaCha8([32]byte{7})}
	f.Add([]byte(pgpArmour(factory.openPGP(0))))
	f.Add(factory.openPGP(254))
	f.Add(keyStore(1, factory.bytes(90)))
	f.Add([]byte(putty("3", "none", "ssh-rsa", factory.bytes(40), factory.bytes(40))))
	f.Add([]byte(armoured("OPENSSH PRIVATE", factory.openSSH("none", "x", "y"), nil)))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, m := range scanned(string(data)) {
			if m.Offset < 0 || int(m.Offset)+m.Length > len(data) || m.Line < 1 {
				t.Errorf("place of %+v in %d bytes", m, len(data))
			}
		}
		if k, n, err := privateKeyAt(bytes.Clone(data)); err == nil && (k.kind == "" || n > len(data)) {
			t.Errorf("%+v, %d", k, n)
		}
	})
}
