package syftcatalog

import (
	"slices"
	"strconv"
	"testing"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/layers"
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
	kept := len(catalogerGlobs) + len(furtherGlobs)
	for n, pattern := range slices.Concat(catalogerGlobs, furtherGlobs, []string{"/usr/lib/**", "/usr/**/METADATA", "/go/**", "/g*/**", "/go*", "/usr/lib/*/*.dist-info/*", "/lib*/**/*.ko"}) {
		globs := compileGlob(pattern)
		for _, p := range paths {
			want, err := doublestar.Match(pattern, p)
			if err != nil {
				t.Fatalf("%s: %v", pattern, err)
			}
			if got := slices.ContainsFunc(globs, func(g glob) bool { return g.match(p) }); got != want {
				t.Errorf("%s on %s: %v, doublestar says %v", pattern, p, got, want)
			}
			if want && n < kept && !wanted.keep(p, 0, 1) {
				t.Errorf("%s is asked for by %s, but not kept", p, pattern)
			}
		}
	}
}

// TestASetMatchesWhatOneOfItsPatternsMatches holds the set against its patterns
// one by one, on paths put together of what stands in them.
func TestASetMatchesWhatOneOfItsPatternsMatches(t *testing.T) {
	globs := compileGlobs(slices.Concat(wantedGlobs, []string{"**/*", "a/**"})...)
	dirs := []string{"", "/etc", "/usr/lib", "/var/lib/dpkg", "/x/lib/dpkg/status.d", "/etc/sudoers.d", "/home/x/.ssh", "/a-1.dist-info", "/usr/lib/php8/x", "/nix/store", "/root/buildinfo/content_manifests", "/a/b"}
	names := []string{"a", "status", "id_rsa", "x.json", "x.deps.json", "curl.so", "python3", "libpython3.so.1", "os-release", "x.jar", "x.drv", "COPYING.txt", "licence", ".npmrc", "config", "é", "x.conf"}
	sets := map[string]globSet{}
	for _, g := range globs {
		sets[g.pattern] = newGlobSet([]glob{g})
	}
	for _, dir := range dirs {
		for _, name := range names {
			p := dir + "/" + name
			for _, g := range globs {
				set := sets[g.pattern]
				if got, want := set.match(p), g.match(p); got != want {
					t.Errorf("%s on %s: %v in a set, %v alone", g.pattern, p, got, want)
				}
			}
		}
	}
}

func TestWhatNobodyAsksForIsNotKept(t *testing.T) {
	for _, p := range []string{"/srv/app/node_modules/left-pad/index.js", "/usr/share/man/man1/ls.1.gz", "/var/lib/apt/x", "/etc/hostname", "/usr/lib/libz.so.1"} {
		if wanted.keep(p, 0, 1) {
			t.Errorf("%s is kept", p)
		}
	}
}

func TestANameFindsAllItsEntriesInTheirOrder(t *testing.T) {
	x, entries := newNameIndex(0), make([]layers.Entry, 6)
	for i, name := range []string{"a", "b", "a", "a", "c", "b"} {
		entries[i].Path = "/" + strconv.Itoa(i)
		x.add(name, &entries[i])
	}
	for name, want := range map[string][]string{"a": {"/0", "/2", "/3"}, "b": {"/1", "/5"}, "c": {"/4"}, "d": nil} {
		var got []string
		for _, e := range x.of(name) {
			got = append(got, e.Path)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := x.matching(func(name string) bool { return name != "a" }); len(got) != 3 {
		t.Errorf("%d entries have another name than a, want 3", len(got))
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
