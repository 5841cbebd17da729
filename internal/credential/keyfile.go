package credential

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
)

// maxKeyFile is the largest file that is taken for a key as a whole: key stores
// hold certificates beside the key.
const maxKeyFile = 128 << 10

// keyFile reads files that are a private key from their first byte to the last,
// in a binary form: DER, PKCS #12, Java's key stores, OpenPGP, GnuPG's agent.
func keyFile(data []byte) (parsedKey, bool) {
	if len(data) < 40 || len(data) > maxKeyFile {
		return parsedKey{}, false
	}
	k, ok := parsedKey{}, false
	switch {
	case data[0] == 0x30:
		k, ok = derFile(data)
	case bytes.HasPrefix(data, []byte{0xfe, 0xed, 0xfe, 0xed}), bytes.HasPrefix(data, []byte{0xce, 0xce, 0xce, 0xce}):
		k, ok = javaKeyStore(data)
	case data[0] == 0x94, data[0] == 0x95, data[0] == 0xc5:
		k, ok = pgpPackets(data)
	case data[0] == '(', bytes.HasPrefix(data, []byte("Key: (")), bytes.HasPrefix(data, []byte("Created: ")):
		k, ok = agentKey(data)
	}
	if k.text == nil {
		k.text = data
	}
	return k, ok
}

// derFile reads the binary form of what PEM holds. Nothing may follow.
func derFile(der []byte) (parsedKey, bool) {
	if !startsAsKey(der) {
		return parsedKey{}, false
	}
	var whole asn1.RawValue
	if rest, err := asn1.Unmarshal(der, &whole); err != nil || len(rest) > 0 {
		return parsedKey{}, false
	}
	if k, ok := pkcs12(der); ok {
		return k, true
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		k, err := ofPublic("RSA private key", &key.PublicKey)
		return k, err == nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		k, err := ofPublic("EC private key", &key.PublicKey)
		return k, err == nil
	}
	for _, parse := range []func([]byte) (parsedKey, error){pkcs8, encryptedPKCS8} {
		if k, err := parse(der); err == nil {
			return k, true
		}
	}
	return parsedKey{}, false
}

// startsAsKey reports whether a sequence begins as those of keys do: with a
// version, or with the name of how the key is encrypted. Certificates do not.
func startsAsKey(der []byte) bool {
	within := func(der []byte) []byte {
		size := 2
		if len(der) > 1 && der[1] > 0x80 {
			size += int(der[1] & 0x7f)
		}
		return der[min(len(der), size):]
	}
	in := within(der)
	if len(in) == 0 || in[0] == asn1.TagInteger {
		return len(in) > 0
	}
	name := within(in)
	return len(name) > 0 && name[0] == asn1.TagOID
}

var (
	// oidData is the content type of a PKCS #12 file that a password protects,
	// keyBag and shroudedKeyBag are the bags with private keys, RFC 7292. The
	// list of bags is in the clear, what they hold is not.
	oidData        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	keyBag         = []byte{0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x01}
	shroudedKeyBag = []byte{0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x02}
)

// pkcs12 knows key stores with a private key from those with certificates.
func pkcs12(der []byte) (parsedKey, bool) {
	var frame struct {
		Version int
		Content struct {
			Type asn1.ObjectIdentifier
			Data asn1.RawValue `asn1:"explicit,optional,tag:0"`
		}
		MAC asn1.RawValue `asn1:"optional"`
	}
	if _, err := asn1.Unmarshal(der, &frame); err != nil || frame.Version != 3 || !frame.Content.Type.Equal(oidData) {
		return parsedKey{}, false
	}
	switch {
	case bytes.Contains(der, shroudedKeyBag):
		return parsedKey{kind: "encrypted private key", encrypted: true}, true
	case bytes.Contains(der, keyBag):
		return parsedKey{kind: "private key"}, true
	}
	return parsedKey{}, false
}

// javaKeyStore walks the entries of a JKS or JCEKS file up to the first private
// key: a tag, a name, a date, and a key or a certificate.
func javaKeyStore(data []byte) (parsedKey, bool) {
	b := data[4:]
	failed := false
	take := func(n int) []byte {
		if n < 0 || n > len(b) {
			failed = true
			return make([]byte, 4)
		}
		v := b[:n]
		b = b[n:]
		return v
	}
	number := func() int { return int(binary.BigEndian.Uint32(take(4))) }
	text := func() { take(int(binary.BigEndian.Uint16(take(2)))) }
	if version := number(); version != 1 && version != 2 {
		return parsedKey{}, false
	}
	for n := number(); n > 0 && !failed; n-- {
		tag := number()
		text()
		take(8)
		switch tag {
		case 1: // what Java made of a key with a password
			size := number()
			_, err := encryptedPKCS8(take(size))
			return parsedKey{kind: "encrypted private key", encrypted: true}, !failed && err == nil
		case 2:
			text()
			take(number())
		default:
			return parsedKey{}, false
		}
	}
	return parsedKey{}, false
}

// agentKey reads a key of GnuPG's agent: a list of Libgcrypt, alone or behind
// the name Key. https://git.gnupg.org/cgi-bin/gitweb.cgi?p=gnupg.git;f=agent/keyformat.txt
func agentKey(data []byte) (parsedKey, bool) {
	list := data
	if i := bytes.Index(data[:min(len(data), 2048)], []byte("Key: (")); i == 0 || i > 0 && data[i-1] == '\n' {
		list = data[i+len("Key: "):]
	}
	list = bytes.TrimRight(list, "\r\n\x00 ")
	if len(list) < 40 || list[0] != '(' || list[len(list)-1] != ')' {
		return parsedKey{}, false
	}
	for head, k := range map[string]parsedKey{
		"(11:private-key(": {kind: "OpenPGP private key"}, "(private-key (": {kind: "OpenPGP private key"},
		"(21:protected-private-key(": {kind: "encrypted private key", encrypted: true}, "(protected-private-key (": {kind: "encrypted private key", encrypted: true},
	} {
		if bytes.HasPrefix(list, []byte(head)) {
			return k, true
		}
	}
	return parsedKey{}, false
}
