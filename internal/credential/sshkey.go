package credential

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"strconv"
	"strings"
)

// sshFields reads the strings of the SSH protocol, RFC 4251 section 5: each has
// its length before it.
type sshFields struct {
	rest []byte
	bad  bool
}

func (f *sshFields) next() []byte {
	if len(f.rest) < 4 {
		f.bad = true
		return nil
	}
	n := int64(binary.BigEndian.Uint32(f.rest))
	if n > int64(len(f.rest)-4) {
		f.bad = true
		return nil
	}
	v := f.rest[4 : 4+n]
	f.rest = f.rest[4+n:]
	return v
}

// openSSH reads OpenSSH's own format: cipher, key derivation, public keys,
// private part. Without a cipher the private part begins with the same number
// twice, holds a key of the same type as the public part, and ends with a
// padding of 1, 2, 3 and so on.
// https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key
func openSSH(b []byte) (parsedKey, error) {
	b, ok := bytes.CutPrefix(b, []byte("openssh-key-v1\x00"))
	if !ok {
		return parsedKey{}, errNoKey
	}
	f := sshFields{rest: b}
	cipher := string(f.next())
	f.next() // name of the key derivation
	f.next() // its options
	if len(f.rest) < 4 || binary.BigEndian.Uint32(f.rest) != 1 {
		return parsedKey{}, errNoKey
	}
	f.rest = f.rest[4:]
	public, private := f.next(), f.next()
	if f.bad || len(private) < 16 {
		return parsedKey{}, errNoKey
	}
	if cipher != "none" {
		return parsedKey{kind: "encrypted private key", encrypted: true, public: public}, nil
	}
	kind := sshFields{rest: public}
	if !bytes.Equal(private[:4], private[4:8]) || !sshPrivatePart(private[8:], string(kind.next())) {
		return parsedKey{}, errNoKey
	}
	return parsedKey{kind: "SSH private key", public: public}, nil
}

// sshParts are how many strings follow the type of a private key, the comment
// included.
var sshParts = map[string]int{
	"ssh-rsa": 7, "ssh-dss": 6, "ssh-ed25519": 3, "ecdsa-sha2-nistp256": 4, "ecdsa-sha2-nistp384": 4, "ecdsa-sha2-nistp521": 4,
}

// sshPrivatePart reports whether a text is a key of that type with its comment
// and padding. Of a type that is not known here the name has to do.
func sshPrivatePart(b []byte, kind string) bool {
	f := sshFields{rest: b}
	if got := string(f.next()); f.bad || got == "" || got != kind {
		return false
	}
	parts, known := sshParts[kind]
	if !known {
		return true
	}
	for range parts {
		f.next()
	}
	for i, c := range f.rest {
		if int(c) != i+1 {
			return false
		}
	}
	return !f.bad
}

// ppk is a file of PuTTY's format, versions 2 and 3.
// https://the.earth.li/~sgtatham/putty/0.81/htmldoc/AppendixC.html
type ppk struct {
	version, algorithm, encryption, comment string
	public, private                         []byte
	mac                                     string
	// length is that of the file's text.
	length int
}

// readPPK reads the lines up to the MAC.
func readPPK(data []byte) (f ppk, ok bool) {
	lines := bytes.SplitAfter(data, []byte("\n"))
	for i := 0; i < len(lines); i++ {
		f.length += len(lines[i])
		name, value, _ := strings.Cut(strings.TrimRight(string(lines[i]), "\r\n"), ": ")
		blob := func() []byte {
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 || n >= len(lines)-i {
				return nil
			}
			var text []byte
			for range n {
				i++
				f.length += len(lines[i])
				text = append(text, bytes.TrimSpace(lines[i])...)
			}
			raw, err := base64.StdEncoding.DecodeString(string(text))
			if err != nil {
				return nil
			}
			return raw
		}
		switch name {
		case "PuTTY-User-Key-File-2", "PuTTY-User-Key-File-3":
			f.version, f.algorithm = name[len(name)-1:], value
		case "Encryption":
			f.encryption = value
		case "Comment":
			f.comment = value
		case "Public-Lines":
			f.public = blob()
		case "Private-Lines":
			f.private = blob()
		case "Private-MAC":
			f.mac = value
			return f, f.version != "" && len(f.public) > 0 && len(f.private) >= 16
		}
	}
	return f, false
}

// holds verifies the MAC of a file that is not encrypted.
func (f ppk) holds() bool {
	var mac hash.Hash
	if f.version == "2" {
		key := sha1.Sum([]byte("putty-private-key-file-mac-key"))
		mac = hmac.New(sha1.New, key[:])
	} else {
		mac = hmac.New(sha256.New, nil)
	}
	for _, part := range [][]byte{[]byte(f.algorithm), []byte(f.encryption), []byte(f.comment), f.public, f.private} {
		mac.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		mac.Write(part)
	}
	return hex.EncodeToString(mac.Sum(nil)) == f.mac
}

// puttyKey reads a key of PuTTY. One without a passphrase has a MAC that
// everybody can verify.
func puttyKey(data []byte) (parsedKey, int, error) {
	f, ok := readPPK(data)
	switch {
	case !ok:
		return parsedKey{}, 0, errNoKey
	case f.encryption != "none":
		return parsedKey{kind: "encrypted private key", encrypted: true, public: f.public}, f.length, nil
	case !f.holds():
		return parsedKey{}, 0, errNoKey
	}
	return parsedKey{kind: "SSH private key", public: f.public}, f.length, nil
}
