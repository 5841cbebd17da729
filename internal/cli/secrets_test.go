package cli_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/portcullis-ci/portcullis/internal/cli"
	"github.com/portcullis-ci/portcullis/internal/credential"
	"github.com/portcullis-ci/portcullis/internal/credential/credentialtest"
	"github.com/portcullis-ci/portcullis/internal/detect/malware"
	"github.com/portcullis-ci/portcullis/internal/detect/secret"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/imagetest"
	"github.com/portcullis-ci/portcullis/internal/inventory/syftcatalog"
	"github.com/portcullis-ci/portcullis/internal/layers"
	"github.com/portcullis-ci/portcullis/internal/report"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// secretCheckout makes a checkout and an image that hold every secret of the
// corpus: in files of a layer, half of which the next layer deletes, and in
// turn in variables, labels, commands, the history, the Dockerfile and
// manifests.
func secretCheckout(t *testing.T) (values []string) {
	t.Helper()
	var files, deleted []imagetest.File
	var env, history []string
	dockerfile, labels := "FROM debian:12-slim\n", map[string]string{}
	var manifest strings.Builder
	for i, s := range credentialtest.Secrets(t) {
		values = append(values, s.Secret)
		name := fmt.Sprintf("srv/%d%s", i, s.Path)
		files = append(files, imagetest.Text(name, s.Content))
		if i%2 == 0 {
			deleted = append(deleted, imagetest.Text(filepath.Join(filepath.Dir(name), ".wh."+filepath.Base(name)), ""))
		}
		if strings.ContainsAny(s.Secret, "\n\\\"'$ ") {
			continue
		}
		switch i % 6 {
		case 0:
			env = append(env, fmt.Sprintf("S%d_TOKEN=%s", i, s.Secret))
		case 1:
			labels[fmt.Sprintf("s%d.password", i)] = s.Secret
		case 2:
			history = append(history, fmt.Sprintf("RUN |1 S%d_SECRET=%s /bin/sh -c app --password=%s # buildkit", i, s.Secret, s.Secret))
		case 3:
			dockerfile += fmt.Sprintf("ENV S%d_PASSWORD=%s\nRUN curl -u ci:%s -H 'Authorization: Bearer %s' https://a.shop.de\n", i, s.Secret, s.Secret, s.Secret)
		case 4:
			fmt.Fprintf(&manifest, "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s%d, namespace: shop}\nstringData: {password: '%s'}\ndata: {token: %s}\n", i, s.Secret, base64.StdEncoding.EncodeToString([]byte(s.Secret)))
			values = append(values, base64.StdEncoding.EncodeToString([]byte(s.Secret)))
		case 5:
			fmt.Fprintf(&manifest, "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p%d, namespace: shop}\nspec:\n  containers:\n  - name: a\n    image: a@sha256:%064d\n    args: ['--token=%s']\n    env: [{name: DB_PASSWORD, value: '%s'}]\n", i, i, s.Secret, s.Secret)
		}
	}
	// What packages were fetched from ends up in SBOMs and in the cache.
	const inLock, inPython = "Xw8" + "RqmT5vZk2", "h7Lp" + "N3sYcKd9"
	values = append(values, inLock, inPython)
	files = append(files,
		imagetest.Text("app/package-lock.json", `{"name": "shop", "lockfileVersion": 3, "packages": {"node_modules/shop-lib": {"version": "1.0.0", "resolved": "https://ci:`+inLock+`@npm.shop.de/shop-lib-1.0.0.tgz", "integrity": "sha512-x"}}}`),
		imagetest.Text("app/node_modules/shop-lib/package.json", `{"name": "shop-lib", "version": "1.0.0", "repository": "https://ci:`+inLock+`@git.shop.de/lib", "homepage": "https://ci:`+inLock+`@git.shop.de/"}`),
		imagetest.Text("usr/lib/python3/dist-packages/shoplib-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: shoplib\nVersion: 1.0\nHome-page: https://ci:"+inPython+"@git.shop.de/\n"),
		imagetest.Text("usr/lib/python3/dist-packages/shoplib-1.0.dist-info/direct_url.json", `{"url": "https://ci:`+inPython+`@git.shop.de/lib.git", "vcs_info": {"vcs": "git", "commit_id": "0123456789012345678901234567890123456789"}}`))
	b := imagetest.New().Layer("# debian.sh", imagetest.Debian(imagetest.Package{Name: "libc6", Version: "2.36-9+deb12u10"})...).Layer("COPY srv/ /srv/ # buildkit", files...).Layer("RUN /bin/sh -c rm -f /srv/* # buildkit", deleted...).Env(env...)
	for _, h := range history {
		b = b.Empty(h)
	}
	img, err := b.Config(func(c *v1.Config) {
		c.Labels, c.Cmd = labels, []string{"app", "--password", values[len(values)-1]}
	}).Image()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, content := range map[string]string{".git/HEAD": "ref: refs/heads/main\n", "Dockerfile": dockerfile, "k8s/all.yaml": manifest.String()} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := imagetest.WriteLayout(filepath.Join(dir, "image"), "1", img); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	return values
}

// No value of the corpus may be in anything that the program writes, in no
// encoding that a format uses: reports, SBOMs, the files of the cache, and what
// is said on the way. The second run is fed from the cache.
func TestNoOutputHoldsASecretValue(t *testing.T) {
	if testing.Short() {
		t.Skip("takes an inventory, some seconds")
	}
	values := secretCheckout(t)
	args := []string{
		"gate", "--image", "oci:image", "--dockerfile", "Dockerfile", "--manifests", "k8s", "--fail-on", "info", "--vex-out", "out/vex.json", "--vex-author", "shop",
		"--sbom-out", "out/sbom.cdx.json", "--sbom-out", "out/sbom.spdx.json", "--sbom-format", "cyclonedx-json", "--sbom-format", "spdx-json",
	}
	for _, f := range report.Formats() {
		args = append(args, "--output", f.Name+"=out/report."+f.Name)
	}
	if err := os.Mkdir("out", 0o755); err != nil {
		t.Fatal(err)
	}
	outputs := map[string]string{}
	run := func(name string, codes []exit.Code, args ...string) {
		var stdout, stderr bytes.Buffer
		code := cli.Program{
			Args: args, Getenv: exampleEnvironment, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
			Clock: func() time.Time { return time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC) },
		}.Main(t.Context())
		if !slices.Contains(codes, code) {
			t.Fatalf("%s: exit code %d: %s", name, code, stderr.String())
		}
		outputs["standard output of "+name], outputs["standard error of "+name] = stdout.String(), stderr.String()
	}
	judged, failed := []exit.Code{exit.Passed, exit.PolicyBroken, exit.DataMissing}, []exit.Code{exit.PolicyBroken, exit.DataMissing, exit.NotExamined, exit.Usage}
	args = append(args, "--cache-dir", "out/cache")
	run("gate", judged, args...)
	run("gate with a cache", judged, args...)
	run("sbom", judged, "sbom", "oci:image", "--cache-dir", "out/cache")
	run("lint", judged, "lint", "Dockerfile", "k8s")
	run("lint with a diff", judged, "lint", "--diff", "Dockerfile")
	// An image that cannot be read, and addresses with a password at which there
	// is nothing.
	nothing := httptest.NewServer(http.NotFoundHandler())
	defer nothing.Close()
	host, inAddress := strings.TrimPrefix(nothing.URL, "http://"), values[len(values)-1]
	run("gate of a broken image", failed, "gate", "--image", "oci:k8s", "--dockerfile", "Dockerfile")
	run("gate with a password in the address of the database", failed, "gate", "--image", "oci:image", "--no-cache", "--insecure", "--db", "http://ci:"+inAddress+"@"+host+"/db")
	run("gate with a password in the address of the image", failed, "gate", "--image", "registry:http://ci:"+inAddress+"@"+host+"/shop/web:1", "--insecure")
	err := filepath.WalkDir("out", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		outputs[filepath.Base(path)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, entry := range plainEntries(t) {
		outputs[fmt.Sprintf("entry %d of the cache, before it is sealed", i)] = entry
	}
	if len(outputs) < len(report.Formats())+20 {
		t.Fatalf("outputs = %d, want one of each format and more", len(outputs))
	}
	if kept, err := filepath.Glob("out/cache/*/*"); err != nil || len(kept) < 3 {
		t.Errorf("the cache holds %v (%v), want the layers", kept, err)
	}
	for _, name := range []string{"sbom.cdx.json", "sbom.spdx.json"} {
		if !strings.Contains(outputs[name], "ci:"+credential.Withheld+"@") {
			t.Errorf("%s does not name the place of a package without its password", name)
		}
	}
	// The reports speak of the secrets, or there would be nothing to hide.
	for _, rule := range []string{"secret-token", "secret-private-key", "secret-url-password", "secret-named-value", "image-credential-file", "image-secret-env", "image-secret-label", "image-secret-history", "image-secret-command", "PC-DF009", "k8s-secret-manifest", "k8s-secret-env-literal"} {
		if !strings.Contains(outputs["report.json"], rule) {
			t.Errorf("the report has no finding of %s", rule)
		}
	}
	for name, text := range outputs {
		for _, v := range values {
			for how, form := range map[string]string{
				"as it is": v, "escaped for JSON": jsonText(v), "escaped for a URL": url.QueryEscape(v), "escaped for HTML": html.EscapeString(v),
				"in hexadecimal": hex.EncodeToString([]byte(v)), "in base 64": base64.StdEncoding.EncodeToString([]byte(v)),
			} {
				if strings.Contains(text, form) {
					t.Errorf("%s holds %s…, %s", name, form[:min(len(form), 6)], how)
				}
			}
		}
		// Base 64 of something around a value hides it.
		for _, piece := range inBase64.FindAllString(text, -1) {
			plain, _ := base64.StdEncoding.DecodeString(piece[:len(piece)/4*4])
			for _, v := range values {
				if bytes.Contains(plain, []byte(v)) {
					t.Errorf("%s holds %s… within base 64", name, v[:min(len(v), 6)])
				}
			}
		}
	}
}

// plain is a cache that keeps nothing and notes what it was to keep: the files of
// the real one are packed and sealed.
type plain struct {
	mu      sync.Mutex
	entries []string
}

func (*plain) Get(string, func(io.Reader) error) bool { return false }

func (c *plain) Put(_ string, write func(io.Writer) error) {
	var b bytes.Buffer
	if write(&b) != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries = append(c.entries, b.String())
}

// plainEntries are what the gate puts into the cache of the image.
func plainEntries(t *testing.T) []string {
	t.Helper()
	image, err := target.Open(t.Context(), target.Request{Reference: "oci:image"}, target.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = image.Close() }()
	var cache plain
	if _, _, err := syftcatalog.Catalog(t.Context(), image, syftcatalog.Options{
		Cache: &cache, Build: "test", SBOM: syftcatalog.Formats(), Inspectors: []layers.Inspector{secret.Inspector{}, malware.Inspector{}},
	}); err != nil {
		t.Fatal(err)
	}
	if len(cache.entries) < 3 {
		t.Fatalf("%d entries, want those of the layers", len(cache.entries))
	}
	return cache.entries
}

var inBase64 = regexp.MustCompile(`[A-Za-z0-9+/]{24,}={0,2}`)

func jsonText(v string) string {
	out, _ := json.Marshal(v)
	return strings.Trim(string(out), `"`)
}
