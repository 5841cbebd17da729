package layers

import (
	"bytes"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// executableMagics are the first bytes of ELF, PE (MZ) and Mach-O files of
// both byte orders and widths and fat ones.
var executableMagics = [][]byte{
	[]byte("\x7fELF"), []byte("MZ"),
	{0xfe, 0xed, 0xfa, 0xce},
	{0xfe, 0xed, 0xfa, 0xcf},
	{0xce, 0xfa, 0xed, 0xfe},
	{0xcf, 0xfa, 0xed, 0xfe},
	{0xca, 0xfe, 0xba, 0xbe},
	{0xca, 0xfe, 0xba, 0xbf},
}

// executableType returns the MIME type of an executable by its first bytes,
// and "" for everything else. Nobody asks for other types.
func executableType(head []byte) string {
	for _, magic := range executableMagics {
		if !bytes.HasPrefix(head, magic) {
			continue
		}
		t, _, _ := strings.Cut(mimetype.Detect(head).String(), ";")
		switch t {
		case "application/x-java-applet", "application/octet-stream", "text/plain":
			return ""
		}
		return t
	}
	return ""
}

// JavaArchive is the MIME type of a zip archive that begins as Java's tools begin
// theirs, whatever its name is: with the directory of the manifest, of which
// readers of streams want that it comes first (java.util.jar.JarInputStream).
const JavaArchive = "application/java-archive"

// zipHeader is the size of the fixed part of the header of an entry
// (APPNOTE.TXT, 4.3.7), after which its name comes.
const zipHeader = 30

// isJavaArchive reports whether a file begins as a Java archive does.
func isJavaArchive(head []byte) bool {
	return bytes.HasPrefix(head, []byte("PK\x03\x04")) && len(head) > zipHeader && bytes.HasPrefix(head[zipHeader:], []byte("META-INF/"))
}

// Signature is a byte string that tells what is in an executable.
type Signature struct {
	// Bytes are at least two. The longer they are, the faster is the search.
	Bytes []byte
	// Within is the number of bytes from the beginning among which it counts;
	// 0 for all of them.
	Within int64
}
