package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/portcullis-ci/portcullis/internal/cli"
	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/osvtest"
	"github.com/portcullis-ci/portcullis/internal/report"
)

// scriptTime is when scripts run: distributions come to their end of life and
// waivers expire, and the stories shall not change with that.
var scriptTime = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"portcullis": func() {
			program := cli.Program{
				Args: os.Args[1:], Getenv: os.Getenv, Environ: os.Environ, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
				Clock: func() time.Time { return scriptTime }, Transport: http.DefaultTransport,
			}
			os.Stdout = os.Stderr // as the program does
			os.Exit(int(program.Main(context.Background())))
		},
	})
}

// TestScripts runs the stories in testdata/script: one file a user story.
func TestScripts(t *testing.T) {
	advisories, err := filepath.Abs("../../testdata/advisories")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("ADVISORIES", advisories)
			env.Setenv("HOME", env.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"image":    writeImage,
			"spoil":    spoilLayers,
			"index":    writeIndex,
			"include":  writeInclude,
			"registry": startRegistry,
			"daemon":   startDaemon,
			"clamd":    startClamd,
			"mirror":   startMirror,
			"osv":      startOSV,
			"garble":   garbleFile,
			"findings": extractFindings,
			"prints":   extractFingerprints,
			"exits":    exitsWith,
			"clause":   clauseIs,
			"refused":  policyIsRefused,
			"harmless": isHarmless,
			"subst":    substitute,
			"damage":   damageLayer,
			"cut":      cutReports,

			"cmpshards": sameShards,
		},
	})
}

// images are the images that scripts use, by name.
var images = map[string]func() *imagetest.Builder{
	"shop": func() *imagetest.Builder {
		base := []imagetest.Package{
			{Name: "libc6", Version: "2.36-9+deb12u1", Source: "glibc"},
			{Name: "zlib1g", Version: "1:1.2.13.dfsg-1", Source: "zlib"},
		}
		all := append(base, imagetest.Package{Name: "curl", Version: "7.88.1-10+deb12u1"},
			imagetest.Package{Name: "libssl3", Version: "3.0.9-1", Source: "openssl"})
		added := imagetest.Debian(all...)
		kept := added[:0:0]
		for _, f := range added {
			// The lists of the base's packages are not written again.
			if !strings.HasSuffix(f.Path, "/libc6.list") && !strings.HasSuffix(f.Path, "/zlib1g.list") {
				kept = append(kept, f)
			}
		}
		return imagetest.New().
			Layer("# debian.sh --arch 'amd64' out/ 'bookworm'", imagetest.Debian(base...)...).
			Env("TZ=UTC").
			Layer("RUN /bin/sh -c apt-get update   && apt-get install -y     curl # buildkit", kept...).
			Layer("COPY node_modules /app/node_modules # buildkit", imagetest.NPM("/app", "lodash@4.17.20", "left-pad@1.3.0")...).
			User("10001")
	},
	"base": func() *imagetest.Builder { // what shop is built on
		return imagetest.New().Layer("# debian.sh --arch 'amd64' out/ 'bookworm'", imagetest.Debian(
			imagetest.Package{Name: "libc6", Version: "2.36-9+deb12u1", Source: "glibc"},
			imagetest.Package{Name: "zlib1g", Version: "1:1.2.13.dfsg-1", Source: "zlib"},
		)...)
	},
	// A base image with a library of its own, and what is built on an older one.
	"library": func() *imagetest.Builder {
		return imagetest.New().Layer("# debian.sh", imagetest.Debian(imagetest.Package{Name: "libc6", Version: "2.36-9+deb12u1", Source: "glibc"})...).
			Layer("RUN npm install -g lodash", imagetest.NPM("/usr/lib", "lodash@4.17.20")...)
	},
	"library-above": func() *imagetest.Builder {
		return imagetest.New().Layer("# debian.sh of last week", lastWeek()...).
			Layer("RUN npm install -g lodash # last week", imagetest.NPM("/usr/lib", "lodash@4.17.20")...).User("10001")
	},
	"library-copied": func() *imagetest.Builder {
		return imagetest.New().Layer("# debian.sh of last week", lastWeek()...).
			Layer("COPY node_modules /app/node_modules # buildkit", imagetest.NPM("/app", "lodash@4.17.20")...).User("10001")
	},
	"fixed": func() *imagetest.Builder {
		return imagetest.New().
			Layer("# debian.sh", imagetest.Debian(imagetest.Package{Name: "libc6", Version: "2.36-9+deb12u13", Source: "glibc"})...).
			User("10001")
	},
	"empty": func() *imagetest.Builder {
		return imagetest.New().Layer("COPY app /app # buildkit", imagetest.Text("app", "no package")).User("10001")
	},
	// An rpm database that nobody can read beside a dpkg database.
	"torn": func() *imagetest.Builder {
		return imagetest.New().
			Layer("# debian.sh", imagetest.Debian(imagetest.Package{Name: "libc6", Version: "2.36-9+deb12u13", Source: "glibc"})...).
			Layer("RUN rpm -i x.rpm", imagetest.Text("var/lib/rpm/Packages", strings.Repeat("noise", 1000))).User("10001")
	},
	// An empty list of dpkg beside the packages of another package manager.
	"blank": func() *imagetest.Builder {
		return imagetest.New().
			Layer("ADD rootfs /", imagetest.Alpine("3.22.1", imagetest.Package{Name: "busybox", Version: "1.36.1-r29"})...).
			Layer("RUN apk add dpkg", imagetest.Text("var/lib/dpkg/status", "")).User("10001")
	},
	// A distribution whose list of packages went in the step that installed them.
	"listless": func() *imagetest.Builder {
		return imagetest.New().Layer("ADD rootfs /", append(imagetest.NPM("/app", "left-pad@1.3.0"),
			imagetest.Text("etc/os-release", "ID=fedora\nVERSION_ID=43\nPRETTY_NAME=\"Fedora Linux 43\"\n"))...).User("10001")
	},
	// A list of apk that was cut behind its first package.
	"cut-list": func() *imagetest.Builder {
		files := imagetest.Alpine("3.22.1", imagetest.Package{Name: "busybox", Version: "1.36.1-r29"})
		list := &files[len(files)-1]
		list.Body = append(list.Body, "C:Q1AAAAAAAAAAAAAAAAAAAAAAAAAAA=\nP:open"...)
		return imagetest.New().Layer("ADD rootfs /", files...).User("10001")
	},
	"foreign": func() *imagetest.Builder {
		return imagetest.New().Layer("ADD rootfs /",
			append(imagetest.Debian(imagetest.Package{Name: "bash", Version: "5.2"}),
				imagetest.Text("usr/lib/os-release", "ID=frobnix\nVERSION_ID=1\nPRETTY_NAME=\"Frobnix 1\"\n"))...).User("10001")
	},
	"hostile": func() *imagetest.Builder {
		evil := "evil\x1b[31m\n::error::forged ##[error]forged <script>alert(1)</script>"
		return imagetest.New().Layer("ADD rootfs / "+evil,
			append(imagetest.Debian(imagetest.Package{Name: "bash", Version: "5.2"}),
				imagetest.Text("usr/lib/os-release", "ID=debian\nVERSION_ID=12\nPRETTY_NAME=\"Debian \x1b[31m ##[error]forged\"\n"),
				imagetest.Text("app/node_modules/a/package.json", `{"name": "minimist", "version": "1.2.5", "description": "`+"##[error]forged"+`"}`),
				imagetest.File{Path: "opt/##[error]forged\x1b[31m::error::x", Mode: 0o4755, Body: []byte("x")})...)
	},
	"tampered-debian": tamperedDebian, "tampered-alpine": tamperedAlpine, "tampered-rpm": tamperedRPM(""), "berkeley-rpm": berkeleyRPM, "new-rpm": newRPM, "cut-rpm": cutRPM, "damaged-rpm": damagedRPM, "pending-rpm": tamperedRPM("\x37\x7f\x06\x82 changes"), "infected": infected,
	"old": func() *imagetest.Builder {
		return imagetest.New().Layer("ADD rootfs /",
			append(imagetest.Debian(imagetest.Package{Name: "bash", Version: "4.4-5"}),
				imagetest.Text("etc/debian_version", "9.13\n"),
				imagetest.Text("usr/lib/os-release", "ID=debian\nVERSION_ID=9\nPRETTY_NAME=\"Debian GNU/Linux 9 (stretch)\"\n"))...).User("10001")
	},
}

// lastWeek is the base of "library" before it was rebuilt.
func lastWeek() []imagetest.File {
	return append(imagetest.Debian(imagetest.Package{Name: "libc6", Version: "2.36-9+deb12u1", Source: "glibc"}), imagetest.Text("etc/built", "last week\n"))
}

func build(ts *testscript.TestScript, name string) v1.Image {
	b, ok := images[name]
	if !ok {
		ts.Fatalf("no image is called %q", name)
	}
	img, err := b().Image()
	ts.Check(err)
	return img
}

// spoilLayers: spoil DIR empties the blobs of a layout that are no JSON.
func spoilLayers(ts *testscript.TestScript, _ bool, args []string) {
	blobs, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	spoilt := 0
	for _, blob := range blobs {
		file := filepath.Join(ts.MkAbs(args[0]), blob.Name())
		data, err := os.ReadFile(file)
		ts.Check(err)
		if !json.Valid(data) {
			ts.Check(os.WriteFile(file, nil, 0o600))
			spoilt++
		}
	}
	if spoilt == 0 {
		ts.Fatalf("%s holds no layers", args[0])
	}
}

// writeImage: image NAME DIR writes the image as DIR/layout, DIR/oci.tar and
// DIR/docker.tar, all tagged shop/web:1.
func writeImage(ts *testscript.TestScript, _ bool, args []string) {
	img, dir := build(ts, args[0]), ts.MkAbs(args[1])
	ts.Check(os.MkdirAll(dir, 0o755))
	ts.Check(imagetest.WriteLayout(filepath.Join(dir, "layout"), "1", img))
	ts.Check(imagetest.WriteOCIArchive(filepath.Join(dir, "oci.tar"), "1", img))
	ts.Check(imagetest.WriteDockerArchive(filepath.Join(dir, "docker.tar"), "shop/web:1", img))
}

// writeIndex: index DIR IMAGE=PLATFORM… writes an OCI layout with an index of
// images, each for a platform.
func writeIndex(ts *testscript.TestScript, _ bool, args []string) {
	var all []v1.Image
	for _, arg := range args[1:] {
		name, platform, _ := strings.Cut(arg, "=")
		img, err := images[name]().Platform(platform).Image()
		ts.Check(err)
		all = append(all, img)
	}
	index, err := imagetest.Index(all...)
	ts.Check(err)
	ts.Check(imagetest.WriteIndexLayout(ts.MkAbs(args[0]), "1", index))
}

// startRegistry: registry NAME starts a registry that holds the image as
// shop/web:1 and sets $REF, $REGISTRY and $DIGEST.
func startRegistry(ts *testscript.TestScript, _ bool, args []string) {
	reg := imagetest.NewRegistry()
	ts.Defer(reg.Close)
	img := build(ts, args[0])
	ref, err := reg.Push("shop/web:1", img)
	ts.Check(err)
	digest, err := img.Digest()
	ts.Check(err)
	ts.Setenv("REF", ref)
	ts.Setenv("DIGEST", digest.String())
	ts.Setenv("REGISTRY", reg.Host)
}

// writeInclude: include FILE REPOSITORY DIGEST writes a configuration that
// includes an artifact; the digest is in a file.
func writeInclude(ts *testscript.TestScript, _ bool, args []string) {
	content := "include: oci://" + args[1] + "@" + ts.ReadFile(args[2])
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(content), 0o600))
}

// startDaemon: daemon NAME starts a container daemon that knows the image as
// shop/web:1 and sets $DOCKER_HOST.
func startDaemon(ts *testscript.TestScript, _ bool, args []string) {
	// A socket's path must be short, whatever the work directory's is.
	dir, err := os.MkdirTemp("", "pc")
	ts.Check(err)
	d, err := imagetest.NewDaemon(filepath.Join(dir, "s"), map[string]v1.Image{"shop/web:1": build(ts, args[0])})
	ts.Check(err)
	ts.Defer(func() {
		ts.Check(d.Close())
		ts.Check(os.RemoveAll(dir))
	})
	ts.Setenv("DOCKER_HOST", d.Host)
}

// startMirror: mirror DIR starts a web server that holds the directory's files
// and sets $MIRROR.
func startMirror(ts *testscript.TestScript, _ bool, args []string) {
	server := httptest.NewServer(http.FileServer(http.Dir(ts.MkAbs(args[0]))))
	ts.Defer(server.Close)
	ts.Setenv("MIRROR", server.URL)
}

// startOSV: osv DIR… starts a server that serves the records as osv.dev does, both
// as bulk export and as API, and sets $OSV; further files are served below /feeds.
func startOSV(ts *testscript.TestScript, _ bool, args []string) {
	osv, err := osvtest.New(ts.MkAbs(args[0]))
	ts.Check(err)
	mux := http.NewServeMux()
	mux.Handle("/", osv)
	if len(args) > 1 {
		mux.Handle("/feeds/", http.StripPrefix("/feeds/", http.FileServer(http.Dir(ts.MkAbs(args[1])))))
	}
	server := httptest.NewServer(mux)
	ts.Defer(server.Close)
	ts.Setenv("OSV", server.URL)
}

// garbleFile: garble GLOB changes a byte in the middle of a file.
func garbleFile(ts *testscript.TestScript, _ bool, args []string) {
	paths, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(paths) != 1 {
		ts.Fatalf("%s names %d files", args[0], len(paths))
	}
	data, err := os.ReadFile(paths[0])
	ts.Check(err)
	data[len(data)/2] ^= 0xff
	ts.Check(os.WriteFile(paths[0], data, 0o600))
}

// extractFindings: findings REPORT.json FILE writes the findings of a report
// byte for byte.
func extractFindings(ts *testscript.TestScript, _ bool, args []string) {
	var report struct{ Findings json.RawMessage }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &report))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), report.Findings, 0o600))
}

// extractFingerprints: prints REPORT.json KIND FILE writes the ids and
// fingerprints of a report's findings of a kind, sorted.
func extractFingerprints(ts *testscript.TestScript, _ bool, args []string) {
	var report struct {
		Findings []struct{ ID, Kind, Fingerprint string }
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &report))
	var lines []string
	for _, f := range report.Findings {
		if f.Kind == args[1] {
			lines = append(lines, f.ID+" "+f.Fingerprint+"\n")
		}
	}
	slices.Sort(lines)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(strings.Join(lines, "")), 0o600))
}

// exitsWith: exits CODE COMMAND… runs a command that must end with the code.
func exitsWith(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("%s: got %q, want exit code %s", strings.Join(args[1:], " "), got, args[0])
	}
}

// cutReports: cut N lints Dockerfile into a report of each format while no file
// may grow beyond N blocks of 512 bytes, and holds that each report is written
// with success, or is the old one after exit code 4.
func cutReports(ts *testscript.TestScript, _ bool, args []string) {
	const old = "the old report"
	dir := ts.MkAbs("out")
	for _, format := range report.Formats() {
		path := filepath.Join(dir, "gate")
		ts.Check(os.WriteFile(path, []byte(old), 0o600))
		err := ts.Exec("sh", "-c", "ulimit -f "+args[0]+"; exec portcullis lint Dockerfile --quiet --fail-on none --output "+format.Name+"=out/gate")
		written := ts.ReadFile("out/gate")
		switch {
		case err == nil && written != old && len(written) > 0:
		case err != nil && err.Error() == "exit status 4" && written == old:
		default:
			ts.Fatalf("%s, %s blocks: %v, and the report is %.40q", format.Name, args[0], err, written)
		}
		left, err := os.ReadDir(dir)
		ts.Check(err)
		if len(left) != 1 {
			ts.Fatalf("%s, %s blocks: %d files are left, want the report alone", format.Name, args[0], len(left))
		}
	}
}

// isHarmless: harmless FILE… holds that files have no raw control characters
// and nothing that a CI runner would take for a command.
func isHarmless(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		for line := range strings.Lines(ts.ReadFile(name)) {
			trimmed := strings.TrimSpace(line)
			if strings.ContainsAny(line, "\x1b\x00\r\x07\x08") || strings.Contains(line, "##[") ||
				strings.HasPrefix(trimmed, "::") || strings.Contains(line, "<script>alert") {
				ts.Fatalf("%s holds %q", name, trimmed)
			}
		}
	}
}

// sameShards: cmpshards DIR DIR holds that two databases have the same files,
// but for the manifest, which holds the time of the build.
func sameShards(ts *testscript.TestScript, _ bool, args []string) {
	a, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "*.zst"))
	ts.Check(err)
	if len(a) == 0 {
		ts.Fatalf("%s has no shards", args[0])
	}
	for _, path := range a {
		if ts.ReadFile(path) != ts.ReadFile(filepath.Join(ts.MkAbs(args[1]), filepath.Base(path))) {
			ts.Fatalf("%s differs", filepath.Base(path))
		}
	}
}

// substitute: subst FILE OLD NEW replaces a word in a file.
func substitute(ts *testscript.TestScript, _ bool, args []string) {
	content := strings.ReplaceAll(ts.ReadFile(args[0]), args[1], args[2])
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(content), 0o600))
}

// damageLayer: damage LAYOUT flips a byte in the layers of an OCI layout.
func damageLayer(ts *testscript.TestScript, _ bool, args []string) {
	blobs, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "blobs", "sha256", "*"))
	ts.Check(err)
	damaged := 0
	for _, path := range blobs {
		blob, err := os.ReadFile(path)
		ts.Check(err)
		if bytes.HasPrefix(blob, []byte{0x1f, 0x8b}) { // gzip: a layer
			blob[len(blob)/2] ^= 0xff
			ts.Check(os.WriteFile(path, blob, 0o600))
			damaged++
		}
	}
	if damaged == 0 {
		ts.Fatalf("%s has no layer to damage", args[0])
	}
}
