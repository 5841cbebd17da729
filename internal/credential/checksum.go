package credential

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
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
	return checksum(encodeBase62(crc32.ChecksumIEEE([]byte(body[:split]))) == body[split:])
}

// checkGrafana verifies tokens of service accounts: after 32 characters and an
// underscore comes the CRC-32 of what stands before, its low byte first.
// https://github.com/grafana/grafana/tree/main/pkg/components/satokengen
func checkGrafana(value string) verdict {
	if !strings.HasPrefix(value, "glsa_") {
		return checkEncodedJSON(strings.TrimPrefix(value, "glc_"), "o", "n", "k")
	}
	split := len(value) - 9
	sum := binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(value[:split])))
	return checksum(hex.EncodeToString(sum) == strings.ToLower(value[split+1:]))
}

// checkAtlassian verifies API tokens: the last eight characters are the CRC-32
// of what stands before them, the equals sign included. App passwords
// (ATBB) have no sum that is known.
func checkAtlassian(value string) verdict {
	if strings.HasPrefix(value, "ATBB") {
		return verdict{}
	}
	split := len(value) - 8
	return checksum(fmt.Sprintf("%08X", crc32.ChecksumIEEE([]byte(value[:split]))) == strings.ToUpper(value[split:]))
}

// checkCloudflare verifies tokens of forty characters and the CRC-32 of these.
// https://developers.cloudflare.com/fundamentals/api/get-started/token-formats/
func checkCloudflare(value string) verdict {
	_, body, _ := strings.Cut(value, "_")
	return checksum(fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(body[:40]))) == body[40:])
}

// checkCrates verifies tokens of trusted publishing: after the prefix come 31
// characters, and one that stands for the exclusive or of these. It rules out
// most of what only looks like a token, and proves none.
// https://github.com/rust-lang/crates.io/blob/main/crates/crates_io_trustpub/src/access_token.rs
func checkCrates(value string) verdict {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	last, sum := len(value)-1, byte(0)
	for i := len("cio_tp_"); i < last; i++ {
		sum ^= value[i]
	}
	return verdict{reject: value[last] != digits[int(sum)%len(digits)]}
}

// checksum is the verdict about a value whose checksum was computed.
func checksum(holds bool) verdict {
	if !holds {
		return rejected
	}
	return proven(checksumFact, "the token's own checksum holds")
}

// checkEncodedJSON requires an object in base 64 with one of the keys at least,
// where there are any.
func checkEncodedJSON(value string, keys ...string) verdict {
	var object map[string]json.RawMessage
	raw, err := base64.RawStdEncoding.DecodeString(strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(value, "=")))
	if err != nil || json.Unmarshal(raw, &object) != nil {
		return rejected
	}
	for _, k := range keys {
		if object[k] != nil {
			return proven(structureFact, objectFact)
		}
	}
	if len(keys) > 0 {
		return rejected
	}
	return proven(structureFact, objectFact)
}

const objectFact = "an object in base 64, as its issuer makes them"

// checkSentry looks into tokens of organisations, which name the server; those
// of users are random.
// https://github.com/getsentry/rfcs/blob/main/text/0091-ci-upload-tokens.md
func checkSentry(value string) verdict {
	body, ok := strings.CutPrefix(value, "sntrys_")
	if !ok {
		return verdict{}
	}
	if i := strings.IndexAny(body, "_="); i >= 0 {
		body = body[:i]
	}
	return checkEncodedJSON(body, "iat", "url", "org")
}

// checkMapbox looks into secret tokens, which name the user.
func checkMapbox(value string) verdict {
	return checkEncodedJSON(strings.Split(value, ".")[1], "u", "a")
}

// checkOnePassword looks into tokens of service accounts.
func checkOnePassword(value string) verdict {
	return checkEncodedJSON(strings.TrimPrefix(value, "ops_"))
}

// checkArtifactory looks into reference tokens, which are texts in base 64.
func checkArtifactory(value string) verdict {
	if !strings.HasPrefix(value, "cmVmdGtu") {
		return verdict{}
	}
	raw, err := base64.StdEncoding.DecodeString(value)
	if err != nil || strings.Count(string(raw), ":") != 3 || !strings.HasPrefix(string(raw), "reftkn:") {
		return rejected
	}
	return proven(structureFact, "a reference token")
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
	return checksum(strings.Repeat("0", 7-len(sum))+sum == last[2:])
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

// checkPyPI reads the macaroon of version 2 that a token of PyPI is: fields of
// a type, a length and a value, of which the first is the server, the second
// the token's number and the last a signature of 32 bytes.
// https://pypi.org/help/#apitoken
func checkPyPI(value string) verdict {
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(strings.TrimPrefix(value, "pypi-"), "="))
	if err != nil || len(raw) == 0 || raw[0] != 2 {
		return rejected
	}
	const server, number, end, signature = 1, 2, 0, 6
	var seen [signature + 1][]byte
	for raw = raw[1:]; len(raw) > 0; {
		kind := raw[0]
		if raw = raw[1:]; kind == end {
			continue
		}
		length, n := binary.Uvarint(raw)
		if kind > signature || n <= 0 || length > uint64(len(raw)-n) {
			return rejected
		}
		if seen[kind] == nil { // Caveats have numbers of their own.
			seen[kind] = raw[n : n+int(length)]
		}
		raw = raw[n+int(length):]
	}
	if host := string(seen[server]); host != "pypi.org" && host != "test.pypi.org" || len(seen[number]) == 0 || len(seen[signature]) != 32 {
		return rejected
	}
	return proven(structureFact, "a macaroon of "+string(seen[server]))
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
