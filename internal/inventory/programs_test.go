package inventory

import "testing"

func TestProgramsAreToldByTheirNameInADirectoryOfPrograms(t *testing.T) {
	for path, want := range map[string]Role{
		"/bin/sh": Shell, "/usr/bin/bash": Shell, "/busybox/sh": Shell, "/bin/busybox": Shell,
		"/usr/bin/apt-get": PackageManager, "/sbin/apk": PackageManager, "/usr/bin/microdnf": PackageManager,
		"/usr/bin/gcc": BuildTool, "/usr/bin/x86_64-linux-gnu-gcc-12": BuildTool, "/usr/bin/clang++-14": BuildTool, "/usr/bin/g++": BuildTool,
		"/usr/local/go/bin/go": BuildTool, "/usr/bin/git": BuildTool, "/usr/sbin/sshd": SSHDaemon, "/usr/sbin/dropbear": SSHDaemon,

		"/usr/bin/ssh": "", "/usr/bin/gcc-ranlib": "", "/usr/bin/dh-make": "", "/usr/bin/git-shell": "", "/app/make": "", "/usr/share/doc/git": "",
		"/usr/lib/git-core/git": "", "/usr/share/bash-completion/completions/git": "", "/etc/pam.d/sshd": "", "/usr/bin/rbash": "", "/usr/bin/shasum": "",
		"/app/node_modules/.bin/make": "", "/": "", "": "", "sh": "", "/bin/": "", "/bin/-": "", "/bin/12": "",
	} {
		if got := RoleOf(path); got != want {
			t.Errorf("%s: role %q, want %q", path, got, want)
		}
	}
}
