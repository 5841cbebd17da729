package credential

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// maxKey is the largest private key that is looked at: an RSA key of 16384
// bits takes some 12 KiB.
const maxKey = 16 << 10

var errNoKey = errors.New("no private key")

// parsedKey is what is known about a private key.
type parsedKey struct {
	kind      string
	encrypted bool
	// public is the DER form of the public key, nil where it was not derived.
	public []byte
	// text is the key as it stands.
	text []byte
}

// privateKeyAt parses the private key that begins where data does. Line ends
// may be written as escapes, as in JSON.
func privateKeyAt(data []byte) (parsedKey, int, error) {
	data = data[:min(len(data), maxKey)]
	if bytes.HasPrefix(data, []byte("PuTTY-User-Key-File-")) {
		return puttyKey(data)
	}
	mark := []byte("PRIVATE KEY")
	head, _, ok := bytes.Cut(data[:min(len(data), 64)], mark)
	if !ok || bytes.ContainsAny(head, "\n") {
		return parsedKey{}, 0, errNoKey
	}
	end := bytes.Index(data, []byte("-----END "))
	if end < 0 {
		return parsedKey{}, 0, errNoKey
	}
	length := end + len("-----END ")
	if i := bytes.Index(data[length:], []byte("-----")); i >= 0 && i < 40 {
		length += i + 5
	}
	text := unescape(data[:length])
	if bytes.Contains(head, []byte("PGP")) || bytes.Contains(text[:min(len(text), 40)], []byte("PGP PRIVATE KEY BLOCK")) {
		return pgpKey(text, length)
	}
	block, _ := pem.Decode(unindent(text))
	if block == nil {
		return parsedKey{}, 0, errNoKey
	}
	k, err := parseBlock(block)
	k.text = block.Bytes
	return k, length, err
}

// unescape turns written line ends into real ones.
func unescape(text []byte) []byte {
	if !bytes.Contains(text, []byte(`\n`)) {
		return text
	}
	text = bytes.ReplaceAll(text, []byte(`\\n`), []byte("\n"))
	text = bytes.ReplaceAll(text, []byte(`\r`), nil)
	return bytes.ReplaceAll(text, []byte(`\n`), []byte("\n"))
}

// unindent takes away what stands before each line, as in YAML, or around it,
// as in source code. A plus may end a line of the key itself.
func unindent(text []byte) []byte {
	var out []byte
	for line := range bytes.Lines(text) {
		line = bytes.Trim(line, " \t\r\n,;")
		if rest, ok := bytes.CutSuffix(line, []byte("+")); ok {
			if rest = bytes.TrimRight(rest, " \t"); len(rest) == 0 || bytes.HasSuffix(rest, []byte{'"'}) || bytes.HasSuffix(rest, []byte{'\''}) {
				line = rest
			}
		}
		out = append(append(out, bytes.Trim(line, "\"'`")...), '\n')
	}
	return out
}

func parseBlock(block *pem.Block) (parsedKey, error) {
	if strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
		return parsedKey{kind: "encrypted private key", encrypted: true}, lengthy(block.Bytes)
	}
	switch block.Type {
	case "RSA PRIVATE KEY":
		key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
		if err != nil {
			return parsedKey{}, err
		}
		return ofPublic("RSA private key", &key.PublicKey)
	case "EC PRIVATE KEY":
		key, err := x509.ParseECPrivateKey(block.Bytes)
		if err != nil {
			return ecOther(block.Bytes, err)
		}
		return ofPublic("EC private key", &key.PublicKey)
	case "PRIVATE KEY":
		return pkcs8(block.Bytes)
	case "ENCRYPTED PRIVATE KEY":
		return parsedKey{kind: "encrypted private key", encrypted: true}, isSequence(block.Bytes)
	case "DSA PRIVATE KEY":
		var key struct {
			Version       int
			P, Q, G, Y, X *big.Int
		}
		_, err := asn1.Unmarshal(block.Bytes, &key)
		return parsedKey{kind: "DSA private key"}, err
	case "OPENSSH PRIVATE KEY":
		return openSSH(block.Bytes)
	}
	return parsedKey{}, errNoKey
}

func lengthy(b []byte) error {
	if len(b) < 64 {
		return errNoKey
	}
	return nil
}

func isSequence(der []byte) error {
	var raw asn1.RawValue
	rest, err := asn1.Unmarshal(der, &raw)
	if err != nil || len(rest) > 0 || raw.Tag != asn1.TagSequence {
		return errNoKey
	}
	return lengthy(der)
}

// ecOther takes keys on curves that the standard library lacks (secp256k1).
func ecOther(der []byte, err error) (parsedKey, error) {
	var key struct {
		Version int
		Private []byte
		Curve   asn1.ObjectIdentifier `asn1:"optional,explicit,tag:0"`
		Public  asn1.BitString        `asn1:"optional,explicit,tag:1"`
	}
	if _, e := asn1.Unmarshal(der, &key); e != nil || key.Version != 1 || len(key.Private) < 16 {
		return parsedKey{}, err
	}
	return parsedKey{kind: "EC private key"}, nil
}

func pkcs8(der []byte) (parsedKey, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	switch k := key.(type) {
	case *rsa.PrivateKey:
		return ofPublic("RSA private key", &k.PublicKey)
	case *ecdsa.PrivateKey:
		return ofPublic("EC private key", &k.PublicKey)
	case ed25519.PrivateKey:
		return ofPublic("Ed25519 private key", k.Public())
	}
	if err == nil {
		return parsedKey{kind: "private key"}, nil
	}
	// Other algorithms have the same frame, RFC 5208.
	var frame struct {
		Version   int
		Algorithm struct {
			ID     asn1.ObjectIdentifier
			Params asn1.RawValue `asn1:"optional"`
		}
		Key []byte
	}
	if _, e := asn1.Unmarshal(der, &frame); e != nil || len(frame.Key) < 16 {
		return parsedKey{}, err
	}
	return parsedKey{kind: "private key"}, nil
}

func ofPublic(kind string, public crypto.PublicKey) (parsedKey, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		// It is a key all the same, on a curve without a name.
		return parsedKey{kind: kind}, nil //nolint:nilerr
	}
	return parsedKey{kind: kind, public: der}, nil
}

// openSSH reads the frame of OpenSSH's own format: cipher, key derivation,
// public keys, private part. Without a cipher the private part begins with the
// same number twice.
// https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key
func openSSH(b []byte) (parsedKey, error) {
	b, ok := bytes.CutPrefix(b, []byte("openssh-key-v1\x00"))
	if !ok {
		return parsedKey{}, errNoKey
	}
	next := func() []byte {
		if len(b) < 4 {
			ok = false
			return nil
		}
		n := int64(binary.BigEndian.Uint32(b))
		if n > int64(len(b)-4) {
			ok = false
			return nil
		}
		v := b[4 : 4+n]
		b = b[4+n:]
		return v
	}
	cipher := string(next())
	next() // name of the key derivation
	next() // its options
	if len(b) < 4 || binary.BigEndian.Uint32(b) != 1 {
		return parsedKey{}, errNoKey
	}
	b = b[4:]
	public, private := next(), next()
	if !ok || len(private) < 16 {
		return parsedKey{}, errNoKey
	}
	if cipher != "none" {
		return parsedKey{kind: "encrypted private key", encrypted: true, public: public}, nil
	}
	if !bytes.Equal(private[:4], private[4:8]) {
		return parsedKey{}, errNoKey
	}
	return parsedKey{kind: "SSH private key", public: public}, nil
}

// puttyKey reads PuTTY's format, versions 2 and 3.
func puttyKey(data []byte) (parsedKey, int, error) {
	lines := bytes.Split(data, []byte("\n"))
	k := parsedKey{kind: "SSH private key"}
	at, private := 0, false
	for i := 0; i < len(lines); i++ {
		line := bytes.TrimRight(lines[i], "\r")
		at += len(lines[i]) + 1
		name, value, ok := bytes.Cut(line, []byte(": "))
		switch {
		case !ok:
			continue
		case string(name) == "Encryption":
			if k.encrypted = string(value) != "none"; k.encrypted {
				k.kind = "encrypted private key"
			}
		case string(name) == "Private-Lines":
			private = true
			if i+1 < len(lines) {
				raw, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(lines[i+1])))
				if err != nil || len(raw) < 16 {
					return parsedKey{}, 0, errNoKey
				}
				k.text = raw
			}
		case string(name) == "Private-MAC":
			if private {
				return k, min(at, len(data)), nil
			}
		}
	}
	return parsedKey{}, 0, errNoKey
}

// pgpKey reads the first packet of an armoured OpenPGP key, RFC 9580: a secret
// key has tag 5.
func pgpKey(text []byte, length int) (parsedKey, int, error) {
	_, armour, ok := bytes.Cut(unindent(text), []byte("\n\n"))
	if !ok {
		return parsedKey{}, 0, errNoKey
	}
	armour, _, _ = bytes.Cut(armour, []byte("-----END"))
	armour, _, _ = bytes.Cut(armour, []byte("\n="))
	raw, err := base64.StdEncoding.DecodeString(string(bytes.ReplaceAll(armour, []byte("\n"), nil)))
	if err != nil || len(raw) < 64 || raw[0]&0x80 == 0 {
		return parsedKey{}, 0, errNoKey
	}
	tag, head := raw[0]&0x3f, 2
	switch {
	case raw[0]&0x40 == 0:
		tag, head = raw[0]>>2&0xf, 2+int(raw[0]&3)
	case raw[1] >= 192 && raw[1] < 224:
		head = 3
	case raw[1] == 255:
		head = 6
	}
	if tag != 5 {
		return parsedKey{}, 0, errNoKey
	}
	k := parsedKey{kind: "OpenPGP private key", text: raw}
	if usage, ok := pgpUsage(raw[head:]); ok && usage != 0 {
		k.kind, k.encrypted = "encrypted private key", true
	}
	return k, length, nil
}

// pgpUsage returns the octet behind the public part of a secret key of version
// 4, which is 0 when the secret part is not encrypted.
func pgpUsage(b []byte) (byte, bool) {
	if len(b) < 6 || b[0] != 4 {
		return 0, false
	}
	algorithm := b[5]
	b = b[6:]
	numbers, curve := 2, false
	switch algorithm {
	case 17: // DSA
		numbers = 4
	case 16: // Elgamal
		numbers = 3
	case 18, 19, 22: // ECDH, ECDSA, EdDSA
		numbers, curve = 1, true
	}
	if curve && len(b) > 0 && len(b) > int(b[0]) {
		b = b[1+int(b[0]):]
	}
	for range numbers {
		if len(b) < 2 {
			return 0, false
		}
		n := 2 + (int(binary.BigEndian.Uint16(b))+7)/8
		if n > len(b) {
			return 0, false
		}
		b = b[n:]
	}
	if algorithm == 18 && len(b) > 0 && len(b) > int(b[0]) {
		b = b[1+int(b[0]):]
	}
	if len(b) == 0 {
		return 0, false
	}
	return b[0], true
}

// wellKnown are digests of the public keys of private keys that everybody has:
// they come with programs and libraries for tests. The first 16 digits of the
// SHA-256 of the public key.
var wellKnown = map[string]string{
	"226acd9b52f57319": "the example key of Go's package crypto/tls",
	"fc7575b99276181d": "a test key of Go's package crypto/x509",
	"a4d1449297eced86": "the test authority of urllib3", "15f827f9a2bd16bc": "the test server of urllib3",
	"329799340ca9e9cf": "a test key of requests", "82f1794f17693e8f": "a test key of requests", "fc74a5b691c55b75": "a test key of requests", "52eae116e12064ee": "a test key of requests",
	"7ed1483c0051bdf1": "a test key of boto", "ef5ee52829413aea": "the example key of xmlsec1", "f0365bbc34a1479b": "the example key of IO::Socket::SSL",
}

// keyMatch makes a match of a private key.
func keyMatch(k parsedKey) Match {
	m := Match{Class: PrivateKey, Kind: k.kind, Severity: finding.High, Redacted: "-----BEGIN … PRIVATE KEY-----"}
	m.Fingerprint = fingerprint(string(k.text), false)
	if k.public != nil {
		m.Fingerprint = fingerprint(string(k.public), false)
		sum := sha256.Sum256(k.public)
		if what, ok := wellKnown[hex.EncodeToString(sum[:8])]; ok {
			m.Severity = finding.Low
			m.Facts = append(m.Facts, finding.Fact{Name: "known", Value: what})
		}
	}
	switch {
	case k.encrypted:
		m.Severity = finding.Medium
		m.Facts = append(m.Facts, finding.Fact{Name: structureFact, Value: "a private key that a passphrase protects"})
	default:
		m.Facts = append(m.Facts, finding.Fact{Name: structureFact, Value: "parses as a private key"})
	}
	return m
}
