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
		return parsedKey{kind: "encrypted private key", encrypted: true}, ciphertext(block)
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
		return encryptedPKCS8(block.Bytes)
	case "DSA PRIVATE KEY":
		return dsaKey(block.Bytes)
	case "OPENSSH PRIVATE KEY":
		return openSSH(block.Bytes)
	}
	return parsedKey{}, errNoKey
}

// ciphertext checks what OpenSSL's own encryption leaves, RFC 1421: whole blocks
// of the cipher that the header names.
func ciphertext(block *pem.Block) error {
	if block.Headers["DEK-Info"] == "" || len(block.Bytes) < 64 || len(block.Bytes)%8 != 0 {
		return errNoKey
	}
	return nil
}

// encryptedPKCS8 reads the frame of RFC 5958, section 3: an algorithm and what
// it made of a key.
func encryptedPKCS8(der []byte) (parsedKey, error) {
	var frame struct {
		Algorithm struct {
			ID     asn1.ObjectIdentifier
			Params asn1.RawValue `asn1:"optional"`
		}
		Data []byte
	}
	rest, err := asn1.Unmarshal(der, &frame)
	if err != nil || len(rest) > 0 || len(frame.Data) < 32 || len(frame.Algorithm.ID) < 6 {
		return parsedKey{}, errNoKey
	}
	return parsedKey{kind: "encrypted private key", encrypted: true}, nil
}

// dsaKey reads OpenSSL's form of DSA keys, in which the public number follows
// from the private one.
func dsaKey(der []byte) (parsedKey, error) {
	var key struct {
		Version       int
		P, Q, G, Y, X *big.Int
	}
	rest, err := asn1.Unmarshal(der, &key)
	if err != nil || len(rest) > 0 || key.P.Sign() <= 0 || key.P.BitLen() > 8192 || key.X.Sign() <= 0 || key.X.Cmp(key.P) >= 0 || new(big.Int).Exp(key.G, key.X, key.P).Cmp(key.Y) != 0 {
		return parsedKey{}, errNoKey
	}
	return parsedKey{kind: "DSA private key"}, nil
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

// keyMatch makes a match of a private key.
func keyMatch(k parsedKey) Match {
	m := Match{Class: PrivateKey, Kind: k.kind, Severity: finding.High, Redacted: "-----BEGIN … PRIVATE KEY-----"}
	identity := k.text
	if k.public != nil {
		identity = k.public
	}
	m.Fingerprint = fingerprint(string(identity), false)
	sum := sha256.Sum256(identity)
	what, known := wellKnown[hex.EncodeToString(sum[:8])]
	switch {
	case known:
		m.Severity = finding.Low
		m.Facts = append(m.Facts, finding.Fact{Name: "known", Value: what})
	case k.encrypted:
		m.Severity = finding.Medium
	}
	if k.encrypted {
		m.Facts = append(m.Facts, finding.Fact{Name: structureFact, Value: "a private key that a passphrase protects"})
	} else {
		m.Facts = append(m.Facts, finding.Fact{Name: structureFact, Value: "parses as a private key"})
	}
	return m
}
