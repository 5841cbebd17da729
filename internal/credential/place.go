package credential

import (
	"bytes"
	"path"
	"strings"
)

// Text is how much of a file is taken for the words of its author.
type text int

const (
	// binaryText is no text: only tokens with a prefix of their own count.
	binaryText text = iota
	// proseText explains: names are followed by words, not by values.
	proseText
	// codeText is a program: what follows a name is mostly code.
	codeText
	// configText is settings: what follows a name is its value.
	configText
	// envText has a setting a line, and nothing else.
	envText
	// tokenText is generated: only tokens count.
	tokenText
)

// place is what the path of a file says about what is in it.
type place struct {
	text text
	// foreign files belong to a package that was published, and were not
	// written by who built the image.
	foreign bool
	// trial files are tests, examples and documentation.
	trial bool
	// blanks: a name and its value are kept apart by a blank (.netrc).
	blanks bool
	// shell: values need no quotes in a program.
	shell bool
	// lines: a value takes the rest of its line, blanks included.
	lines bool
}

var textsByName = map[string]text{
	"package-lock.json": tokenText, "npm-shrinkwrap.json": tokenText, "yarn.lock": tokenText, "pnpm-lock.yaml": tokenText, "gemfile.lock": tokenText, "poetry.lock": tokenText,
	"cargo.lock": tokenText, "go.sum": tokenText, "composer.lock": tokenText, "pdm.lock": tokenText, "uv.lock": tokenText, "flake.lock": tokenText, "deno.lock": tokenText,
	"bun.lock": tokenText, "packages.lock.json": tokenText, "pipfile.lock": tokenText, ".package-lock.json": tokenText, "record": tokenText, "metadata": proseText, "pkg-info": proseText,
	"dockerfile": configText, "makefile": codeText, "readme": proseText, "license": proseText, "copying": proseText, "copyright": proseText, "changelog": proseText, "news": proseText,
	".netrc": envText, "_netrc": envText, ".npmrc": envText, ".pypirc": envText, ".pgpass": envText, ".my.cnf": envText, ".s3cfg": envText, "credentials": envText, ".boto": envText,
	".bashrc": codeText, ".profile": codeText, ".bash_history": codeText, ".zshrc": codeText, "environment": envText, ".htpasswd": tokenText, "shadow": tokenText, "passwd": tokenText,
}

var textsByExt = func() map[string]text {
	m := map[string]text{}
	for t, exts := range map[text]string{
		envText:    ".env .properties .cnf .secret .secrets .credentials .pass .pw",
		configText: ".ini .cfg .conf .config .tfvars .service .yml .yaml .json .toml .xml .plist .hcl .tf .tfstate .reg .neon .edn .kubeconfig .ovpn .rdp .settings .gradle .sbt .jsonc .json5 .bak .dockerfile .htaccess .dist .local .prod .production .dev",
		codeText:   ".py .js .mjs .cjs .ts .tsx .jsx .go .rb .php .java .kt .scala .groovy .c .h .cc .cpp .hpp .cs .rs .pl .pm .lua .swift .m .ex .exs .erl .clj .r .vue .svelte .sh .bash .zsh .ksh .fish .ps1 .psm1 .bat .cmd .sql .awk .tcl .vb .vbs .mk .tpl .j2 .erb .ejs .inc .in .mo.py .pyi .dart .hs .ml",
		proseText:  ".md .rst .txt .adoc .html .htm .xhtml .tex .log .1 .2 .3 .4 .5 .6 .7 .8 .pod .texi .info .changes .mdx .csv .tsv",
		tokenText:  ".lock .sum .map .css .scss .svg .po .pot .mo .strings .pem .crt .cer .asc .gpg .pub .key .list .md5sums .sha256sums .xliff .xlf .ftl .resx .d.ts .snap .ipynb .geojson .bib .xsd .dtd .rng .wsdl .pb .proto .pyc",
	} {
		for ext := range strings.FieldsSeq(exts) {
			m[ext] = t
		}
	}
	return m
}()

var (
	foreignParts = []string{"/node_modules/", "/site-packages/", "/dist-packages/", "/vendor/", "/gems/", "/pkg/mod/", "/.cargo/registry/", "/bower_components/", "/.m2/repository/", "/usr/share/", "/usr/lib/", "/usr/lib64/", "/usr/local/lib/", "/usr/local/share/", "/usr/local/go/", "/usr/include/", "/usr/src/", "/opt/conda/", "/var/lib/dpkg/", "/var/lib/apt/", "/usr/libexec/", "/web-inf/lib/", "/boot-inf/lib/", ".whl!/", ".egg!/", ".nupkg!/", ".crate!/", "/_cacache/"}
	trialParts   = []string{"/test/", "/tests/", "/_test/", "/_tests/", "/testdata/", "/test-data/", "/fixtures/", "/fixture/", "/example/", "/examples/", "/sample/", "/samples/", "/doc/", "/docs/", "/spec/", "/specs/", "/__tests__/", "/man/", "/i18n/", "/locale/", "/locales/", "/lang/", "/translations/", "/testing/", "/mocks/", "/__mocks__/", "/demo/", "/demos/", "/benchmarks/"}
)

// folder is what the directory in a path says. Files of one directory mostly
// come one after the other.
type folder struct {
	name           string
	foreign, trial bool
	// published is set where a published file is there for tests.
	published bool
}

// folderOf reads a directory in lower case, with the slash at its end.
func folderOf(dir string) folder {
	f := folder{name: dir, foreign: within(dir, foreignParts), trial: within(dir, trialParts)}
	f.published = f.foreign && hasTrialWord(dir[foreignEnd(dir):])
	return f
}

// place reads a path. The start of the content tells programs that have no
// suffix, and binaries whatever their name.
func (f *folder) place(name string, head []byte) place {
	lower := strings.ToLower(name)
	base := path.Base(lower)
	if dir := lower[:strings.LastIndexByte(lower, '/')+1]; f.name != dir {
		*f = folderOf(dir)
	}
	p := place{foreign: f.foreign, trial: f.trial || f.published || isTrialName(base)}
	p.trial = p.trial || p.foreign && hasTrialWord(base)
	p.text = textOf(base, lower, head)
	p.shell = isShell(base, head)
	p.lines = path.Ext(base) == ".properties"
	p.blanks = base == ".netrc" || base == "_netrc"
	if p.foreign && p.text == envText {
		p.text = configText
	}
	return p
}

func within(name string, parts []string) bool {
	for _, part := range parts {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

// foreignEnd is where the last of the places in a path ends at which published
// packages lie.
func foreignEnd(name string) (end int) {
	for _, part := range foreignParts {
		if at := strings.LastIndex(name, part); at >= 0 {
			end = max(end, at+len(part))
		}
	}
	return end
}

// trialWords in the path of a published file say that it is there for tests or
// to show something.
var trialWords = set("test", "tests", "testing", "testutil", "testutils", "testdata", "testonly", "testkeys", "testcerts", "testproxy", "fixture", "fixtures", "mock", "mocks", "example", "examples", "sample", "samples", "demo", "demos", "fuzz", "functest", "selftest")

// hasTrialWord looks for one of them in the names below the place where the
// published package lies, its own name included.
func hasTrialWord(lower string) bool {
	for from := 0; from < len(lower); {
		to := from
		for to < len(lower) && ('a' <= lower[to] && lower[to] <= 'z' || lower[to] >= 0x80) {
			to++
		}
		if trialWords[lower[from:to]] {
			return true
		}
		from = to + 1
	}
	return false
}

func isTrialName(base string) bool {
	stem, _, _ := strings.Cut(base, ".")
	return strings.HasPrefix(base, "test_") || strings.HasSuffix(stem, "_test") || strings.HasSuffix(stem, "_spec") || strings.Contains(base, ".test.") || strings.Contains(base, ".spec.") ||
		strings.Contains(base, "example") || strings.Contains(base, "sample") || strings.HasSuffix(base, ".dist") || strings.HasSuffix(base, ".template") || strings.HasSuffix(base, ".tmpl")
}

func textOf(base, full string, head []byte) text {
	if isBinary(head) {
		return binaryText
	}
	if strings.HasPrefix(base, ".env") || strings.HasSuffix(base, ".env") {
		return envText
	}
	if strings.HasPrefix(base, "dockerfile") {
		return configText
	}
	if t, ok := textsByName[base]; ok {
		return t
	}
	if isMessages(base) {
		return tokenText
	}
	if strings.HasSuffix(base, ".min.js") || strings.HasSuffix(base, ".bundle.js") || strings.HasSuffix(base, ".d.ts") {
		return tokenText
	}
	if t, ok := textsByExt[path.Ext(base)]; ok {
		return t
	}
	switch {
	case len(head) > 2 && head[0] == '#' && head[1] == '!':
		return codeText
	case strings.HasPrefix(full, "/usr/") && !strings.HasPrefix(full, "/usr/src/app/"), strings.HasPrefix(full, "/var/lib/dpkg"), strings.HasPrefix(full, "/proc/"):
		return codeText
	}
	return configText
}

// languages are those that bundles of messages are named for most.
var languages = set("ar", "bg", "ca", "cs", "da", "de", "el", "en", "es", "et", "eu", "fa", "fi", "fr", "gl", "he", "hi", "hr", "hu", "in", "it", "iw", "ja", "ka", "ko", "lt", "lv", "nb", "nl", "nn", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sr", "sv", "th", "tr", "uk", "vi", "zh")

// isMessages reports bundles of what a Java program says, which are named for
// that or for a language: LocalStrings.properties, errors_pt_br.properties.
func isMessages(base string) bool {
	stem, ok := strings.CutSuffix(base, ".properties")
	if !ok {
		return false
	}
	for _, word := range []string{"messages", "localstrings", "resources", "labels"} {
		if strings.HasSuffix(stem, word) {
			return true
		}
	}
	parts := strings.Split(stem, "_")
	for _, part := range parts[1:] {
		if languages[part] {
			return true
		}
	}
	return false
}

// isBinary reports whether a file is no text: it has zero bytes near its
// start, as git tells it.
func isBinary(head []byte) bool {
	return bytes.IndexByte(head, 0) >= 0
}

func isShell(base string, head []byte) bool {
	switch path.Ext(base) {
	case ".sh", ".bash", ".zsh", ".ksh", ".bat", ".cmd", ".mk", ".profile", ".bashrc", ".zshrc", ".bash_history":
		return true
	}
	if base == "makefile" || !bytes.HasPrefix(head, []byte("#!")) {
		return base == "makefile"
	}
	line, _, _ := strings.Cut(string(head[:min(len(head), 64)]), "\n")
	return strings.HasSuffix(strings.TrimSpace(line), "sh")
}
