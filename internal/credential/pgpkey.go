package credential

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
)

// pgpKey reads an armoured OpenPGP key, RFC 9580 section 6.
func pgpKey(text []byte, length int) (parsedKey, int, error) {
	_, armour, ok := bytes.Cut(unindent(text), []byte("\n\n"))
	if !ok {
		return parsedKey{}, 0, errNoKey
	}
	armour, _, _ = bytes.Cut(armour, []byte("-----END"))
	armour, _, _ = bytes.Cut(armour, []byte("\n="))
	raw, err := base64.StdEncoding.DecodeString(string(bytes.ReplaceAll(armour, []byte("\n"), nil)))
	if err != nil {
		return parsedKey{}, 0, errNoKey
	}
	k, ok := pgpPackets(raw)
	if !ok {
		return parsedKey{}, 0, errNoKey
	}
	return k, length, nil
}

// pgpPackets reads the first packet of an OpenPGP key, RFC 9580 section 4.2: a
// secret key has the type 5.
func pgpPackets(raw []byte) (parsedKey, bool) {
	tag, body := pgpPacket(raw)
	if tag != 5 || len(body) < 32 || body[0] < 3 || body[0] > 6 {
		return parsedKey{}, false
	}
	k := parsedKey{kind: "OpenPGP private key", text: raw}
	if body[0] != 4 {
		return k, true // other versions have another layout
	}
	secret, algorithm := pgpSecret(body)
	if len(secret) < 3 {
		return parsedKey{}, false
	}
	if secret[0] != 0 {
		k.kind, k.encrypted = "encrypted private key", true
		return k, true
	}
	return k, pgpSum(secret[1:], algorithm)
}

// pgpPacket returns type and body of the packet at the start.
func pgpPacket(raw []byte) (tag byte, body []byte) {
	if len(raw) < 64 || raw[0]&0x80 == 0 {
		return 0, nil
	}
	head, n := 2, 0
	switch old := raw[0]&0x40 == 0; {
	case old && raw[0]&3 == 0:
		n = int(raw[1])
	case old && raw[0]&3 == 1:
		head, n = 3, int(binary.BigEndian.Uint16(raw[1:]))
	case old && raw[0]&3 == 2, !old && raw[1] == 255:
		head = 5
		if !old {
			head = 6
		}
		n = int(binary.BigEndian.Uint32(raw[head-4:]))
	case old:
		head, n = 1, len(raw)-1 // up to the end
	case raw[1] < 192:
		n = int(raw[1])
	case raw[1] < 224:
		head, n = 3, (int(raw[1])-192)<<8+int(raw[2])+192
	default:
		return 0, nil // parts, which keys must not have
	}
	tag = raw[0] & 0x3f
	if raw[0]&0x40 == 0 {
		tag = raw[0] >> 2 & 0xf
	}
	if n < 0 || n > len(raw)-head {
		return 0, nil // cut off
	}
	return tag, raw[head : head+n]
}

// pgpSecret returns what follows the public part of a secret key of version 4:
// an octet that is 0 when the secret part is not encrypted, and that part.
func pgpSecret(b []byte) (secret []byte, algorithm byte) {
	algorithm = b[5]
	b = b[6:]
	numbers, curve := 2, false
	switch algorithm {
	case 17: // DSA
		numbers = 4
	case 16: // Elgamal
		numbers = 3
	case 18, 19, 22: // ECDH, ECDSA, EdDSA
		numbers, curve = 1, true
	case 25, 27: // X25519, Ed25519: 32 octets and no number
		return b[min(32, len(b)):], algorithm
	}
	if curve && len(b) > 0 && len(b) > int(b[0]) {
		b = b[1+int(b[0]):]
	}
	for range numbers {
		if b = pgpNumber(b); b == nil {
			return nil, algorithm
		}
	}
	if algorithm == 18 && len(b) > 0 && len(b) > int(b[0]) {
		b = b[1+int(b[0]):]
	}
	return b, algorithm
}

// pgpNumber skips a number with its length in bits, nil if there is none.
func pgpNumber(b []byte) []byte {
	if len(b) < 2 {
		return nil
	}
	n := 2 + (int(binary.BigEndian.Uint16(b))+7)/8
	if n > len(b) {
		return nil
	}
	return b[n:]
}

// pgpSum verifies the two octets behind a secret part that is not encrypted:
// the sum of all before, RFC 9580 section 5.5.3.
func pgpSum(secret []byte, algorithm byte) bool {
	numbers := 1
	switch algorithm {
	case 1, 2, 3: // RSA
		numbers = 4
	case 25, 27:
		return len(secret) >= 32
	}
	rest := secret
	for range numbers {
		if rest = pgpNumber(rest); rest == nil {
			return false
		}
	}
	sum := uint16(0)
	for _, c := range secret[:len(secret)-len(rest)] {
		sum += uint16(c)
	}
	return len(rest) >= 2 && binary.BigEndian.Uint16(rest) == sum
}
