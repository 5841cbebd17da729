package syftcatalog

import (
	"slices"
	"testing"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/google/go-cmp/cmp"
)

func TestExpandBraces(t *testing.T) {
	for pattern, want := range map[string][]string{
		"a":                 {"a"},
		"a{b,c}d":           {"abd", "acd"},
		"{a,b}{c,d}":        {"ac", "ad", "bc", "bd"},
		"a{b,c{d,e}}":       {"ab", "acd", "ace"},
		"a{b":               {"a{b"},
		"a{,b}":             {"a", "ab"},
		`a\{b,c}`:           {`a\{b,c}`},
		"x/{var/lib,usr}/y": {"x/var/lib/y", "x/usr/y"},
	} {
		if diff := cmp.Diff(want, expandBraces(pattern)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", pattern, diff)
		}
	}
}

// TestGlobsMatchAsDoublestarDoes compares the short cuts with the library on
// syft's own patterns.
func TestGlobsMatchAsDoublestarDoes(t *testing.T) {
	paths := []string{
		"/package.json", "/app/package.json", "/app/x.jar", "/x.jar", "/a.tar.gz", "/usr/lib/python3/PyYAML-6.dist-info/METADATA", "/opt/PyYAML-6.DIST-INFO/METADATA", "/usr/bin/python3.11",
		"/var/lib/dpkg/status", "/var/lib/dpkg/status.d/base", "/lib/apk/db/installed", "/usr/lib/apk/db/installed", "/var/lib/rpm/Packages", "/usr/lib/sysimage/rpm/rpmdb.sqlite", "/usr/share/rpm/Packages.db",
		"/nix/store/abc.drv", "/x/nix/var/nix/db/db.sqlite", "/opt/bitnami/redis/.spdx-redis.spdx", "/a/snap/manifest.yaml", "/usr/lib/php/20220829/curl.so", "/var/db/pkg/a/b/CONTENTS", "/bin/busybox", "/etc/os-release",
		"/lib/modules/6.1/kernel/a.ko", "/usr/lib/ruby/specifications/default/json.gemspec", "/wp-content/plugins/a/a.php", "/x/wp-content/plugins/a/b/a.php", "/foo.app/Contents/Info.plist", "/go", "/usr/local/go/VERSION",
	}
	for _, pattern := range slices.Concat(catalogerGlobs, furtherGlobs) {
		globs := compileGlob(pattern)
		for _, p := range paths {
			want, err := doublestar.Match(pattern, p)
			if err != nil {
				t.Fatalf("%s: %v", pattern, err)
			}
			if got := slices.ContainsFunc(globs, func(g glob) bool { return g.match(p) }); got != want {
				t.Errorf("%s on %s: %v, doublestar says %v", pattern, p, got, want)
			}
			if want && !wanted.keep(p, 0, 1) {
				t.Errorf("%s is asked for by %s, but not kept", p, pattern)
			}
		}
	}
}

func TestLastComponentsMatchAsDoublestarDoes(t *testing.T) {
	names := []string{"", "a", "aba", "abba", "ab", "a*b", "libc.so.6", "lib.so", "liblib.so", "python3.11", "x.jar", ".jar", "jar", "[x]", "a]", "a}b"}
	for _, pattern := range []string{"ab*ba", "lib*.so*", "lib*", "*b", "a?b", "a[bc]a", `a\*b`, "*]", "python[0-9]*", "*.jar", "**", "*", "a"} {
		g := compileGlob("**/" + pattern)[0]
		for _, name := range names {
			want, err := doublestar.Match(pattern, name)
			if err != nil {
				t.Fatalf("%s: %v", pattern, err)
			}
			if got := g.matchBase(name); got != want {
				t.Errorf("%s on %s: %v, doublestar says %v", pattern, name, got, want)
			}
		}
	}
}
