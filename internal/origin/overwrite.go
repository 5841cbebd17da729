package origin

import (
	"path"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/shellscript"
)

// What is known of the programs that follow a build in its stage. The layers of
// a build stage are gone with it, so only its text can say whether a later
// command may have written the file anew. Programs that are not listed may.
var (
	// harmless write no file of an application, whatever their arguments are:
	// they look, change marks of files or the list of users, or drop parts of a
	// program that stay the same program.
	harmless = []string{
		"chmod", "chown", "chgrp", "strip", "objcopy", "upx", "setcap", "ls", "rm", "rmdir", "mkdir", "test", "[", "file", "ldd", "find", "du",
		"stat", "cat", "echo", "printf", "true", "false", ":", "export", "set", "unset", "readelf", "nm", "sha256sum", "sha512sum", "md5sum",
		"which", "type", "command", "id", "whoami", "env", "sleep", "date", "uname", "grep", "egrep", "head", "tail", "wc", "cut", "sort", "uniq", "tr",
		"useradd", "adduser", "groupadd", "addgroup", "usermod", "update-ca-certificates", "ldconfig", "locale-gen", "exit", "cd", "pushd", "popd",
	}
	// system install packages of the distribution, into its folders alone.
	system = []string{"apt-get", "apt", "apk", "yum", "dnf", "dnf5", "microdnf", "tdnf", "zypper", "apt-cache", "apt-mark", "dpkg-query"}
	// arguments write to what their arguments name and nowhere else.
	arguments = []string{"cp", "mv", "install", "ln", "touch", "tee", "sed", "mktemp", "truncate", "chrpath", "patchelf", "dd", "cmp", "diff", "gzip", "xz", "zstd"}
	// local write to what their arguments name and below the working directory.
	local = []string{
		"go", "gcc", "g++", "cc", "c++", "clang", "clang++", "ld", "rustc", "tinygo", "garble", "cargo", "curl", "wget", "tar", "unzip", "gunzip", "git",
		"npm", "yarn", "pnpm", "bun", "npx", "node", "tsc", "vite", "webpack", "mvn", "mvnw", "gradle", "gradlew", "javac", "jar", "dotnet", "composer",
		"poetry", "bundle", "golangci-lint", "gofmt", "pytest", "flake8", "eslint",
	}
	// ofProject run what the project's own file says, which leaves the
	// packages that were installed as they are.
	ofProject      = []string{"npm", "yarn", "pnpm", "bun"}
	ofProjectVerbs = []string{"run", "test", "build", "start", "cache", "config", "exec", "lint", "version", "--version"}
)

// distributionFolders are those that packages of a distribution install to.
var distributionFolders = []string{"/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib64", "/usr/share", "/usr/libexec", "/bin", "/sbin", "/lib", "/lib64", "/etc", "/var"}

// mayWrite reports whether a RUN may write a file anew, or put another one into
// its place.
func (s script) mayWrite(in *dockerfile.Instruction, file string) bool {
	if s.Err != nil {
		return true
	}
	moves := s.moves()
	return slices.ContainsFunc(s.Commands, func(c *shellscript.Command) bool { return s.commandMayWrite(in, c, file, moves) })
}

func (s script) commandMayWrite(in *dockerfile.Instruction, c *shellscript.Command, file string, moves bool) bool {
	touches := func(a shellscript.Arg) bool { return !a.Known || argumentTouches(in, a.Text, file, moves) }
	if slices.ContainsFunc(c.Redirects, touches) {
		return true
	}
	switch name := c.Name; {
	case slices.Contains(harmless, name), name == "" && len(c.Assigns) > 0 && len(c.Args) == 0:
		return false
	case s.runsOther(c):
		return false // which is looked at by itself
	case c.Via != nil && c.Via.Name == "xargs":
		return true
	case slices.Contains(system, name):
		return slices.ContainsFunc(distributionFolders, func(folder string) bool { return inside(file, folder) })
	case slices.Contains(ofProject, name) && strings.Contains(file, "/node_modules/") && hasVerb(c, ofProjectVerbs):
		return false
	case slices.Contains(arguments, name):
		return slices.ContainsFunc(c.Args, touches)
	case slices.Contains(local, name):
		return writesBelow(in, c, file, moves) || slices.ContainsFunc(c.Args, touches)
	}
	return true
}

// runsOther reports that a command runs one that stands in the script, as sudo
// and sh -c do.
func (s script) runsOther(c *shellscript.Command) bool {
	return slices.ContainsFunc(s.Commands, func(other *shellscript.Command) bool { return other.Via == c })
}

// writesBelow reports whether the folder in which a command works may be one
// above the file.
func writesBelow(in *dockerfile.Instruction, c *shellscript.Command, file string, moves bool) bool {
	if out, ok := outputOf(c); ok && strings.HasPrefix(out, "/") {
		return false // it is an argument
	}
	if c.Name == "go" && hasVerb(c, []string{"test", "vet", "mod", "version", "env", "list", "fmt"}) {
		return false
	}
	folder, told := worksIn(c)
	work, known := absolute(in, folder)
	return moves || !told || !known || inside(file, work)
}

// argumentTouches reports whether a word may be the path of the file, or of a
// folder above it.
func argumentTouches(in *dockerfile.Instruction, text, file string, moves bool) bool {
	if _, value, ok := strings.Cut(text, "="); ok && strings.HasPrefix(text, "-") {
		text = value
	}
	if strings.HasPrefix(text, "-") || text == "" {
		return false
	}
	if strings.ContainsAny(text, "*?[") {
		text = path.Dir(text[:strings.IndexAny(text, "*?[")] + "x")
	}
	if !strings.HasPrefix(text, "/") && moves {
		return true
	}
	p, known := absolute(in, text)
	return !known || p != "/" && inside(file, p)
}
