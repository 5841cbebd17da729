package credential

import (
	"bytes"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// verdict is what looking into a value came to.
type verdict struct {
	// reject says that the value cannot be what it looks like.
	reject  bool
	facts   []finding.Fact
	expires int64
	// severity replaces that of the format where it is set.
	severity finding.Severity
}

var rejected = verdict{reject: true}

func proven(name, value string) verdict {
	return verdict{facts: []finding.Fact{{Name: name, Value: value}}}
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// encodeBase62 writes a checksum in six digits, as GitHub and npm do.
func encodeBase62(n uint32) string {
	out := []byte("000000")
	for i := len(out) - 1; i >= 0; i-- {
		out[i] = base62[n%62]
		n /= 62
	}
	return string(out)
}

// checkBase62CRC verifies tokens that end with the CRC-32 of what follows the
// prefix, in six digits to the base 62.
// https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
func checkBase62CRC(value string) verdict {
	_, body, _ := strings.Cut(value, "_")
	if len(body) < 7 {
		return rejected
	}
	split := len(body) - 6
	if encodeBase62(crc32.ChecksumIEEE([]byte(body[:split]))) != body[split:] {
		return rejected
	}
	return proven(checksumFact, "the token's own checksum holds")
}

// checkGrafana verifies service account tokens: glsa_ and 32 characters, then
// the CRC-32 of those characters in hexadecimal.
func checkGrafana(value string) verdict {
	body, sum, _ := strings.Cut(strings.TrimPrefix(value, "glsa_"), "_")
	if fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte("glsa_"+body))) == sum || fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(body))) == sum {
		return proven(checksumFact, "the token's own checksum holds")
	}
	return verdict{}
}

// checkGitLab verifies routable tokens: what stands before the last seven
// digits has their value as CRC-32, to the base 36. Older tokens have none.
// https://docs.gitlab.com/security/tokens/
func checkGitLab(value string) verdict {
	parts := strings.Split(value, ".")
	last := parts[len(parts)-1]
	if len(parts) != 3 || len(last) != 9 {
		return verdict{}
	}
	sum := strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(value[:len(value)-7]))), 36)
	if strings.Repeat("0", 7-len(sum))+sum != last[2:] {
		return rejected
	}
	return proven(checksumFact, "the token's own checksum holds")
}

// checkAWSKey decodes the account out of an access key id: its bits 9 to 48
// after the prefix, in base 32, of keys issued since 2019 or so.
func checkAWSKey(value string) verdict {
	raw, err := base32.StdEncoding.DecodeString(value[4:])
	if err != nil {
		return rejected
	}
	var b [8]byte
	copy(b[2:], raw[:6])
	account := (binary.BigEndian.Uint64(b[:]) & 0x7fffffffff80) >> 7
	if account == 0 || account > 999_999_999_999 {
		return verdict{}
	}
	return verdict{facts: []finding.Fact{{Name: "account", Value: fmt.Sprintf("%012d", account)}}}
}

// checkPyPI looks for a macaroon of PyPI in the token.
func checkPyPI(value string) verdict {
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(strings.TrimPrefix(value, "pypi-"), "="))
	if err != nil || !bytes.Contains(raw[:min(len(raw), 32)], []byte("pypi.org")) {
		return rejected
	}
	return proven(structureFact, "a macaroon of pypi.org")
}

// checkJWT requires a header with an algorithm and claims that are JSON
// objects, RFC 7519. An end in the claims is reported.
func checkJWT(value string) verdict {
	parts := strings.Split(value, ".")
	if len(parts) != 3 {
		return rejected
	}
	var header struct {
		Alg string `json:"alg"`
	}
	var claims map[string]json.RawMessage
	if !decodeJSON(parts[0], &header) || header.Alg == "" || !decodeJSON(parts[1], &claims) || len(claims) == 0 {
		return rejected
	}
	v := proven(structureFact, "a signed token, algorithm "+plainWord(header.Alg))
	var exp float64
	if json.Unmarshal(claims["exp"], &exp) == nil && exp > 0 && exp < 1e11 {
		v.expires = int64(exp)
	}
	if claims["iss"] == nil && claims["sub"] == nil && claims["exp"] == nil && claims["iat"] == nil && claims["aud"] == nil {
		// Nobody is named, nothing ends: an example, or a cookie.
		v.severity = finding.Low
	}
	if isDocumentedJWT(claims) || strings.EqualFold(header.Alg, "none") {
		return rejected
	}
	if iss := string(claims["iss"]); strings.Contains(iss, "kubernetes/serviceaccount") {
		v.facts = append(v.facts, finding.Fact{Name: "issuer", Value: "Kubernetes service account"})
	}
	return v
}

// isDocumentedJWT knows the tokens of jwt.io and of RFC 7515, which stand in
// countless documents and tests, and Supabase's demonstration keys.
func isDocumentedJWT(claims map[string]json.RawMessage) bool {
	name, sub, iss := string(claims["name"]), string(claims["sub"]), string(claims["iss"])
	return sub == `"1234567890"` || name == `"John Doe"` || iss == `"joe"` || iss == `"supabase-demo"`
}

func decodeJSON(part string, into any) bool {
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(part, "="))
	return err == nil && json.Unmarshal(raw, into) == nil
}

// plainWord lets letters and digits of a foreign text pass, 16 at most.
func plainWord(s string) string {
	out := strings.Map(func(r rune) rune {
		if r < 128 && (isWord(byte(r)) || r == '-') {
			return r
		}
		return -1
	}, s)
	return out[:min(len(out), 16)]
}

// checkAge verifies the Bech32 checksum of an age secret key, BIP 173.
func checkAge(value string) verdict {
	const charset = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"
	hrp, data := "AGE-SECRET-KEY-", value[len("AGE-SECRET-KEY-1"):]
	sum := uint32(1)
	step := func(v uint32) {
		top := sum >> 25
		sum = sum&0x1ffffff<<5 ^ v
		for i, g := range [5]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>i&1 == 1 {
				sum ^= g
			}
		}
	}
	lower := strings.ToLower(hrp)
	for i := range len(lower) {
		step(uint32(lower[i] >> 5))
	}
	step(0)
	for i := range len(lower) {
		step(uint32(lower[i] & 31))
	}
	for i := range len(data) {
		d := strings.IndexByte(charset, data[i])
		if d < 0 {
			return rejected
		}
		step(uint32(d))
	}
	if sum != 1 {
		return rejected
	}
	return proven(checksumFact, "the key's own checksum holds")
}
