package syftcatalog

import (
	"path"
	"slices"
	"strings"

	"github.com/anchore/syft/syft/file"
	"github.com/klauspost/compress/zip"

	"github.com/portcullis-ci/portcullis/internal/layers"
)

// javaPattern is the first pattern that the cataloger of Java archives asks for.
// Its answer holds the archives of other names, too: Java runs a file whatever it
// is called, and applications are copied as /app or kept as app.jar.original.
const javaPattern = "**/*.jar"

// otherArchives are the Java archives whose names no pattern of the cataloger
// matches. It tells what an archive is by the name that it is reached by, so that
// they are given one; where they really are stays.
func (r *resolver) otherArchives() []file.Location {
	var out []file.Location
	for _, e := range r.likeArchives() {
		if r.holdsJava(e) {
			out = append(out, r.location(archiveName(e.Path), e))
		}
	}
	return out
}

// likeArchives are the files of other names that begin as a Java archive does, or
// are named as one in other letters.
func (r *resolver) likeArchives() []*layers.Entry {
	var out []*layers.Entry
	for _, e := range r.files {
		if e.Type != layers.Regular || e.MIME != layers.JavaArchive && !holdsArchives(strings.ToLower(e.Name())) || holdsArchives(e.Name()) {
			continue
		}
		out = append(out, e)
	}
	return out
}

// holdsJava reports whether an archive holds compiled classes, a library, or what
// Maven says of one. Signed add-ons of browsers and packages of Android begin with
// a manifest as well. Of one that begins as it should and cannot be read, the
// cataloger speaks; archives of other kinds are called X.RAR, too.
func (r *resolver) holdsJava(e *layers.Entry) bool {
	content, err := r.index.Open(r.ctx, e)
	if err != nil {
		return true
	}
	z, err := zip.NewReader(content, e.Size)
	if err != nil {
		return e.MIME == layers.JavaArchive
	}
	return slices.ContainsFunc(z.File, func(f *zip.File) bool {
		return strings.HasSuffix(f.Name, ".class") || slices.Contains(javaArchives, path.Ext(f.Name)) || strings.HasPrefix(f.Name, "META-INF/maven/")
	})
}

// archiveName is the path of a Java archive as its builder may have called it:
// /x/a-1.jar of /x/a-1.JAR, of /x/a-1.jar.original and of /x/a-1.
func archiveName(p string) string {
	dir, name := path.Split(p)
	lower := strings.ToLower(name)
	for _, suffix := range javaArchives {
		if at := strings.LastIndex(lower, suffix); at > 0 && !isWord(lower[at+len(suffix):]) {
			return dir + name[:at] + suffix
		}
	}
	return dir + name + javaArchives[0]
}

// isWord reports whether a text begins with a letter or a digit.
func isWord(s string) bool {
	return s != "" && (s[0] >= 'a' && s[0] <= 'z' || s[0] >= '0' && s[0] <= '9')
}
