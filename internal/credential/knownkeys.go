package credential

// wellKnown are digests of the public keys of private keys that everybody has:
// they come with programs and libraries for tests, or stand in documents. The
// first 16 digits of the SHA-256 of the public key, or of the key itself where
// that is not read.
var wellKnown = map[string]string{
	"226acd9b52f57319": "the example key of Go's package crypto/tls",
	"fc7575b99276181d": "a test key of Go's package crypto/x509", "e7c98a2e73e33d7d": "a test key of Go's package crypto/x509", "f4bc33af9551538b": "a test key of Go's package crypto/x509",
	"524482b3ee5521db": "a test key of Go's package crypto/x509", "5df27b5f54a222bb": "a test key of Go's package crypto/x509", "a3be0fb09189936d": "a test key of Go's package crypto/x509",
	"df3dfda8bb499fb2": "a test key of Go's package crypto/x509", "5b4987056f18a931": "a test key of Go's package crypto/x509",
	"8fb6bad671cfe698": "a test key of Go's package crypto", "88b8f4f874a353fb": "a test key of Go's package crypto/rsa", "5d2c9394e69d9116": "a test key of Go's package crypto/rsa",
	"540101906e8daff6": "a test key of Go's package crypto/rsa", "d5b9cfda5e2be4d9": "a test key of Go's package crypto/rsa", "9a9e5b0f404f4e2d": "a test key of Go's package crypto/rsa",
	"6c6f211b38eb2e24": "a test key of Go's package crypto/rsa", "a966992050beefe3": "a test key of Go's package crypto/rsa", "b2826a5439e55ac2": "a test key of Go's package crypto/rsa",
	"de600bb9cc846f37": "a test key of Go's package crypto/rsa", "587125d7590f8322": "a test key of Go's package crypto/rsa", "77c013569a205432": "a test key of Go's package crypto/rsa",
	"bbb3a427090d44d7": "a test key of Go's package crypto/tls", "76a40ff8b96916f0": "a test key of Go's package crypto/tls", "26be8791d8fcde93": "a test key of Go's package crypto/tls",
	"e97178009fc19e70": "a test key of Go's package crypto/tls", "ce3aa306f6b57893": "a test key of Go's package crypto/tls", "e156fa5bb9673db2": "a test key of Go's package crypto/tls",
	"a4d1449297eced86": "the test authority of urllib3", "15f827f9a2bd16bc": "the test server of urllib3",
	"329799340ca9e9cf": "a test key of requests", "82f1794f17693e8f": "a test key of requests", "fc74a5b691c55b75": "a test key of requests", "52eae116e12064ee": "a test key of requests",
	"7ed1483c0051bdf1": "a test key of boto", "ef5ee52829413aea": "the example key of xmlsec1", "f0365bbc34a1479b": "the example key of IO::Socket::SSL",
	"87e288dc7dbc29a2": "a key of the self tests of GnuTLS", "d245e52c341a7664": "a key of the self tests of GnuTLS", "0294b4406902e33b": "a key of the self tests of GnuTLS",
	"5bd7bad40971be90": "a key of the self tests of GnuTLS", "09f1c1a4680df80b": "a key of the self tests of GnuTLS", "5a9214aa789ffe02": "a key of the self tests of GnuTLS",
	"f56c8b01227f62dd": "the example key of jwt.io", "a40f0f2e2974dc76": "the example key of jwt.io",
	"de40cc4b0335adda": "a test key of Netty",
	"bde93142b0780b2a": "the insecure key of Vagrant", "d4ce11ce13325ae1": "the insecure key of Vagrant", "5a4bea8e7c8f01e0": "the insecure key of Vagrant",
	"a1e9156054e04fac": "the example key of RFC 8410", "06e3fd8fda29bb60": "a test key of RFC 8032", "deb2ded39dc26fce": "a test key of RFC 8032",
}
