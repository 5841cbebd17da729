package inventory

import (
	"path"
	"strings"
)

// Role says what a well-known program is for.
type Role string

// The roles of programs that an image needs to be built or administrated, and
// seldom to do its work.
const (
	Shell          Role = "shell"
	PackageManager Role = "package manager"
	BuildTool      Role = "build tool"
	SSHDaemon      Role = "ssh daemon"
)

// roles are the programs by their names.
var roles = rolesOf(map[Role][]string{
	Shell: {"sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish", "tcsh", "csh", "busybox", "toybox"},
	PackageManager: {
		"apt", "apt-get", "aptitude", "dpkg", "apk", "rpm", "dnf", "dnf5", "microdnf", "tdnf", "yum", "zypper", "pacman", "opkg", "emerge",
	},
	BuildTool: {
		"gcc", "g++", "cc", "c++", "clang", "clang++", "gfortran", "tcc", "rustc", "cargo", "go", "javac", "ghc", "make", "gmake", "cmake", "ninja",
		"meson", "autoconf", "automake", "mvn", "gradle", "git", "svn", "hg",
	},
	SSHDaemon: {"sshd", "dropbear", "tinysshd"},
})

// compilers are installed under names with a version and a target, such as
// x86_64-linux-gnu-gcc-12.
var compilers = map[string]bool{"gcc": true, "g++": true, "clang": true, "clang++": true, "gfortran": true}

func rolesOf(names map[Role][]string) map[string]Role {
	out := make(map[string]Role)
	for role, list := range names {
		for _, name := range list {
			out[name] = role
		}
	}
	return out
}

// RoleOf returns the role of a program by its path, or "". Only what lies in a
// directory for programs (bin, sbin, or busybox, where debugging variants of
// minimal images keep theirs) is one.
func RoleOf(file string) Role {
	dir, name := path.Split(file)
	switch path.Base(dir) {
	case "bin", "sbin", "busybox":
	default:
		return ""
	}
	if role, ok := roles[name]; ok {
		return role
	}
	name = strings.TrimRight(name, "0123456789.-")
	if compilers[name[strings.LastIndexByte(name, '-')+1:]] {
		return BuildTool
	}
	return ""
}
