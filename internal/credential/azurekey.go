package credential

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
)

// Keys that Azure has issued since 2022 or so are random bytes, four fixed
// characters that name the service, and a checksum: Marvin32 of what stands
// before it, with a seed for each kind of key. Older keys have neither.
// https://github.com/microsoft/security-utilities

// azureKey is a kind of key with such a checksum.
type azureKey struct {
	service   string
	signature string
	// form is the whole key, with the signature in the middle.
	form  string
	seeds []string
}

// Lengths of keys: 64, 40, 39 and 32 bytes in base 64.
const (
	azure64 = "{b76}%s{b6}=="
	azure40 = "{s44}%s{s6}=="
	azure39 = "{b42}%s{b6}"
	azure32 = "{b33}%s{b6}="
)

// messaging are the seeds of the services that pass messages on, by what a key
// is for.
var messaging = []string{"Send0000", "Listen00", "Manage00", "System00", "Unknown0"}

var azureKeys = []azureKey{
	{"Azure storage key", "+ASt", azure64, []string{"Default0"}},
	{"Azure Cosmos DB key", "ACDb", azure64, []string{"MastRO00", "MastRW00"}},
	{"Azure Batch key", "+ABa", azure64, []string{"AbAcct00"}},
	{"Azure service bus key", "+ASb", azure32, messaging},
	{"Azure event hub key", "+AEh", azure32, messaging},
	{"Azure relay key", "+ARm", azure32, messaging},
	{"Azure IoT key", "AIoT", azure32, []string{"IoTHub00", "DpsKey00", "Device00"}},
	{"Azure container registry key", "+ACR", azure39, []string{"ACRDflt0"}},
	{"Azure search key", "AzSe", azure39, []string{"Query000", "PAdmin00"}},
	{"Azure function key", "AzFu", azure40, []string{"Functi00", "System00", "Master00"}},
}

// addAzureKeys adds the actions that look for these keys. The signature is what
// the prefilter looks for.
func (e *engine) addAzureKeys() {
	for _, k := range azureKeys {
		shape := parseForm(fmt.Sprintf(k.form, k.signature))
		set, before := shape[0].set, shape[0].min
		f := format{kind: k.service, shown: -1, check: func(value string) verdict { return checkAzure(value, k.seeds) }}
		e.add(action{keyword: k.signature, before: set, after: set, binary: true, run: func(s *search, at int) {
			s.addForm(f, shape, at-before)
		}})
	}
	for _, shape := range []form{parseForm("{w52}JQQJ99{w26}"), parseForm("{w52}JQQJ99{w28}==")} {
		f := format{kind: "Azure key", shown: -1, check: checkAnnotated}
		e.add(action{keyword: "JQQJ99", before: charsets['w'], after: charsets['w'], binary: true, run: func(s *search, at int) {
			s.addForm(f, shape, at-52)
		}})
	}
}

// checkAzure verifies the checksum in the last four bytes of a key.
func checkAzure(value string, seeds []string) verdict {
	value = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(value, "="))
	raw, err := base64.RawStdEncoding.DecodeString(value)
	if err != nil || len(raw) < 24 {
		return rejected
	}
	data, sum := raw[:len(raw)-4], binary.LittleEndian.Uint32(raw[len(raw)-4:])
	if !slices.ContainsFunc(seeds, func(s string) bool { return marvin32(data, seedOf(s)) == sum }) {
		return rejected
	}
	return proven(checksumFact, "the key's own checksum holds")
}

// checkAnnotated verifies the form that all of Azure's services are moving to:
// JQQJ99, the year and month as letters, what the service is, and the first
// three bytes of the checksum, or all of it. Not all published keys have the sum
// that is documented, so that one with another sum counts for less, not for
// nothing.
func checkAnnotated(value string) verdict {
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(value, "="))
	if err != nil || len(raw) < 63 || value[58] < 'A' || value[58] > 'Z' || value[59] < 'A' || value[59] > 'L' {
		return rejected
	}
	var sum [4]byte
	binary.LittleEndian.PutUint32(sum[:], marvin32(raw[:60], seedOf("Default0")))
	if string(sum[:len(raw)-60]) != string(raw[60:]) {
		return verdict{severity: finding.Medium}
	}
	return proven(checksumFact, "the key's own checksum holds")
}

// checkAzureStorage verifies a key of a connection string where it has the
// signature; older ones have none.
func checkAzureStorage(value string) verdict {
	_, key, _ := strings.Cut(value, "=")
	for _, k := range azureKeys {
		if at := len(strings.TrimRight(key, "=")) - 6 - len(k.signature); at > 0 && key[at:at+len(k.signature)] == k.signature {
			return checkAzure(key, k.seeds)
		}
	}
	return verdict{}
}

// checkEntra verifies client secrets of Entra ID with 8Q~: the last three
// characters are the first ones of the checksum. Those with 7Q~ have none.
func checkEntra(value string) verdict {
	if value[3] != '8' {
		return verdict{}
	}
	const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ1234567890.-_~"
	split := len(value) - 3
	var digits []byte
	for n := marvin32([]byte(value[:split]), seedOf("AadPwd00")); n > 0; n /= uint32(len(alphabet)) {
		digits = append(digits, alphabet[n%uint32(len(alphabet))])
	}
	slices.Reverse(digits)
	if len(digits) < 3 || string(digits[:3]) != value[split:] {
		return rejected
	}
	return proven(checksumFact, "the secret's own checksum holds")
}

// seedOf is the number of a seed that is written as eight characters.
func seedOf(name string) uint64 { return binary.BigEndian.Uint64([]byte(name)) }

// marvin32 is Microsoft's checksum of that name.
func marvin32(data []byte, seed uint64) uint32 {
	a, b := uint32(seed), uint32(seed>>32)
	mix := func(word uint32) {
		a += word
		b ^= a
		a = bits.RotateLeft32(a, 20) + b
		b = bits.RotateLeft32(b, 9) ^ a
		a = bits.RotateLeft32(a, 27) + b
		b = bits.RotateLeft32(b, 19)
	}
	for ; len(data) >= 4; data = data[4:] {
		mix(binary.LittleEndian.Uint32(data))
	}
	var last [4]byte
	last[copy(last[:], data)] = 0x80
	mix(binary.LittleEndian.Uint32(last[:]))
	mix(0)
	return a ^ b
}
