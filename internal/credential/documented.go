package credential

import (
	"encoding/base64"
	"strings"
)

// documentedValues stand in specifications and manuals, and from there in
// comments and tests everywhere.
var documentedValues = set(
	// RFC 5849 (OAuth 1.0)
	"kd94hf93k423kf44", "hh5s93j4hdidpola", "hdhd0244k9j7ao03", "nnch734d00sl2jdk", "pfkkdhi9sl3r4s00", "9djdj82h48djs9d2", "kkk9d7dh3k39sjv7", "j49sk3j29djd", "dh893hdasih9", "jd83jd92dhsh93js", "ad180jjd733klru7", "0685bd9184jfhq22",
	// RFC 6749 and 6750 (OAuth 2.0), RFC 7636 (PKCE), RFC 7662
	"2YotnFZFEjr1zCsicMWpAA", "tGzv3JOkF0XG5Qx2TlKWIA", "SplxlOBeZQQYbYS6WxSbIA", "czZCaGRSa3F0MzpnWDFmQmF0M2JW", "7Fjfp0ZBr1KtDRbnfVdmIw", "gX1fBat3bV", "mF_9.B5f-4.1JqM", "vF9dft4qmT", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
	// RFC 7617: Aladdin and his open sesame, test and 123£
	"QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "dGVzdDoxMjPCow==",
	// RFC 6455: the nonce of the handshake
	"dGhlIHNhbXBsZSBub25jZQ==",
	// the key that Stripe's documentation uses, the default of Grafana's settings
	"sk_te"+"st_4eC39HqLyjWDarjtT1zdp7dc", "sk_te"+"st_BQokikJOvBiI2HlWgH4olfQ2", "SW2YcwTIb9zpOOhoPsMm",
	// the storage emulator and the Cosmos DB emulator of Azure
	"Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==", "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw==",
)

// documented reports a value out of a specification or a manual.
func documented(value string) bool { return documentedValues[value] }

// textInBase64 returns the text that a value is in base 64: words of people,
// not the output of a machine.
func textInBase64(value string) (string, bool) {
	if len(value) < 12 || len(value)%4 != 0 {
		return "", false
	}
	raw, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		return "", false
	}
	for _, c := range raw {
		if c < ' ' || c > '~' {
			return "", false
		}
	}
	return string(raw), true
}

// wrapped reports whether a text is a piece of base 64 that goes on in the line
// before or behind, as in mails and key files: there, anything occurs.
func wrapped(data []byte, at, length int) bool {
	if at > 0 && data[at-1] == '\n' {
		end := at - 1
		from := end
		for from > 0 && end-from < 60 && charsets['b'].has(data[from-1]) {
			from--
		}
		if end-from >= 60 {
			return true
		}
	}
	next := at + length
	for next < len(data) && next-at-length < 2 && (data[next] == '\r' || data[next] == '\n') {
		next++
	}
	if next == at+length {
		return false
	}
	n := 0
	for next+n < len(data) && n < 60 && charsets['b'].has(data[next+n]) {
		n++
	}
	return n >= 60 && !strings.HasPrefix(string(data[next:next+4]), string(data[at:at+4]))
}
