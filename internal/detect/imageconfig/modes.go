package imageconfig

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

const (
	setuid        = 0o4000
	setgid        = 0o2000
	worldWritable = 0o002
)

func modeRules() []rule {
	return []rule{
		{
			Rule: rules.Rule{
				ID: "image-setuid-unexpected", Aliases: []string{"CIS-DI-0008"}, Kind: finding.ImageConfig,
				Title: "File with setuid or setgid that no base system ships", Severity: finding.Medium, Since: "0.1",
				Why:          "Such a file runs with the rights of its owner whoever starts it. A flaw in it, or a shell with the bit set, makes any user of the container root.",
				Fix:          "Remove the bits in the step that brings the file: `RUN chmod ug-s FILE`, or remove the program.",
				WhenToIgnore: "The program needs the bit and the container runs with no-new-privileges, where it has no effect.",
				References:   []string{"https://csrc.nist.gov/pubs/sp/800/190/final"},
				Tags:         []string{"external/cwe/cwe-250", "CIS-Docker-4.8"},
				Bad:          `{"config": {"User": "app"}, "files": [{"path": "/usr/local/bin/helper", "mode": "4755"}]}`,
				Good:         `{"config": {"User": "app"}, "files": [{"path": "/usr/local/bin/helper", "mode": "0755"}]}`, Language: "json",
			},
			check: func(p *pass) {
				for _, f := range p.files(func(f inventory.File) bool {
					return f.Mode&(setuid|setgid) != 0 && !knownSetuid[inventory.UnderUsr(f.Path)]
				}) {
					p.report(report{message: describeSetuid(f), severity: setuidSeverity(f), files: []inventory.File{f}, key: []string{f.Path}})
				}
			},
		},
		{
			Rule: rules.Rule{
				ID: "image-setuid-distribution", Aliases: []string{"CIS-DI-0008"}, Kind: finding.ImageConfig,
				Title: "Programs of the distribution with setuid or setgid", Severity: finding.Info, Since: "0.1",
				Why:          "Base systems ship some programs that need the rights of their owner (su, mount, passwd). In a container hardly any is used, and each widens what an attacker can try.",
				Fix:          "Take the bits away in one step: `RUN find / -xdev -perm /6000 -type f -exec chmod a-s {} +`, or use a base image without these programs.",
				WhenToIgnore: "The container runs with no-new-privileges.",
				References:   []string{"https://csrc.nist.gov/pubs/sp/800/190/final"},
				Tags:         []string{"CIS-Docker-4.8"},
				Bad:          `{"config": {"User": "app"}, "files": [{"path": "/usr/bin/su", "mode": "4755"}]}`,
				Good:         `{"config": {"User": "app"}, "files": [{"path": "/usr/bin/su", "mode": "0755"}]}`, Language: "json",
			},
			check: func(p *pass) {
				p.reportFiles(p.files(func(f inventory.File) bool {
					return f.Mode&(setuid|setgid) != 0 && knownSetuid[inventory.UnderUsr(f.Path)]
				}),
					finding.Unknown, "program of the distribution with setuid or setgid")
			},
		},
		{
			Rule: rules.Rule{
				ID: "image-world-writable", Kind: finding.ImageConfig,
				Title: "File or directory that everybody may change", Severity: finding.Low, Since: "0.1",
				Why:          "Any process in the container can replace what another one, perhaps with more rights, will run or read.",
				Fix:          "Take the right away in the step that makes the file: `chmod o-w`, or `COPY --chmod=0755`. Directories for temporary files need the sticky bit (mode 1777), and do not belong on the PATH.",
				WhenToIgnore: "The container has a single user and nothing else is started in it.",
				References:   []string{"https://csrc.nist.gov/pubs/sp/800/190/final"},
				Tags:         []string{"external/cwe/cwe-732"},
				Bad:          `{"config": {"User": "app"}, "files": [{"path": "/app/run.sh", "mode": "0777"}]}`,
				Good:         `{"config": {"User": "app"}, "files": [{"path": "/app/run.sh", "mode": "0755"}, {"path": "/tmp", "mode": "1777", "kind": "directory"}]}`, Language: "json",
			},
			check: checkWorldWritable,
		},
		{
			Rule: rules.Rule{
				ID: "image-path-relative", Kind: finding.ImageConfig,
				Title: "Commands are looked for in the working directory", Severity: finding.Low, Since: "0.1",
				Why:          "A part of PATH that is empty or no absolute path stands for the directory in which a process happens to be: whoever can put a file there, such as an upload, puts it in place of a command. An empty part often comes of a variable that was not set when PATH was made, or of a colon at its end.",
				Fix:          "Name directories by absolute paths, and leave no colon at either end: `ENV PATH=/app/bin:$PATH`.",
				WhenToIgnore: "The image is for development, and commands of the checkout are meant to be found.",
				References:   []string{"https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap08.html#tag_08_03", "https://csrc.nist.gov/pubs/sp/800/190/final"},
				Tags:         []string{"external/cwe/cwe-426"},
				Bad:          `{"config": {"User": "app", "Env": ["PATH=/usr/bin:"]}}`,
				Good:         `{"config": {"User": "app", "Env": ["PATH=/app/bin:/usr/bin"]}}`, Language: "json",
			},
			check: checkRelativePath,
		},
		{
			Rule: rules.Rule{
				ID: "image-file-capabilities", Kind: finding.ImageConfig,
				Title: "Program with file capabilities", Severity: finding.Low, Since: "0.1",
				Why:          "File capabilities give a program rights of root, like setuid, whoever starts it.",
				Fix:          "Remove them with `setcap -r FILE`, or give the container as a whole the one capability that it needs.",
				WhenToIgnore: "The program needs the capability, such as cap_net_bind_service for a low port.",
				References:   []string{"https://man7.org/linux/man-pages/man7/capabilities.7.html"},
				Tags:         []string{"external/cwe/cwe-250"},
				Bad:          `{"config": {"User": "app"}, "files": [{"path": "/usr/bin/tool", "mode": "0755", "capabilities": "0100000200002000000000000000000000000000"}]}`,
				Good:         `{"config": {"User": "app"}, "files": [{"path": "/usr/bin/tool", "mode": "0755"}]}`, Language: "json",
			},
			check: checkCapabilities,
		},
		{
			Rule: rules.Rule{
				ID: "image-device-file", Kind: finding.ImageConfig,
				Title: "Device file in the image", Severity: finding.Medium, Since: "0.1",
				Why:          "Runtimes make the devices that a container needs. One that comes with the image gives direct access to a disk or to memory where the container has the right to open devices.",
				Fix:          "Remove the device file from the image.",
				WhenToIgnore: "The image is a root file system for a machine, not for a container.",
				References:   []string{"https://csrc.nist.gov/pubs/sp/800/190/final"},
				Bad:          `{"config": {"User": "app"}, "files": [{"path": "/opt/disk", "mode": "0600", "kind": "block-device"}]}`,
				Good:         `{"config": {"User": "app"}, "files": [{"path": "/dev/null", "mode": "0666", "kind": "char-device"}]}`, Language: "json",
			},
			check: func(p *pass) {
				p.reportFiles(p.filter(func(f inventory.File) bool {
					return (f.Kind == inventory.BlockDevice || f.Kind == inventory.CharDevice) && !standardDevices[f.Path]
				}), finding.Unknown, "device file that no base system ships")
			},
		},
	}
}

// standardDevices are what debootstrap and other tools put into a root file
// system.
var standardDevices = set("/dev/console", "/dev/full", "/dev/fd", "/dev/null", "/dev/ptmx", "/dev/random", "/dev/tty", "/dev/urandom", "/dev/zero", "/dev/kmsg", "/dev/fuse",
	"/dev/tty0", "/dev/tty1", "/dev/ppp", "/dev/net/tun")

// knownSetuid are the programs with setuid or setgid that Debian, Ubuntu,
// Alpine, Fedora and their kin ship in base images, under /usr.
var knownSetuid = set(
	"/usr/bin/chage", "/usr/bin/chfn", "/usr/bin/chsh", "/usr/bin/expiry", "/usr/bin/gpasswd", "/usr/bin/mount", "/usr/bin/newgrp", "/usr/bin/newgidmap",
	"/usr/bin/newuidmap", "/usr/bin/passwd", "/usr/bin/su", "/usr/bin/umount", "/usr/bin/wall", "/usr/bin/write", "/usr/bin/write.ul", "/usr/bin/bsd-write",
	"/usr/bin/ssh-agent", "/usr/bin/crontab", "/usr/bin/at", "/usr/bin/fusermount", "/usr/bin/fusermount3", "/usr/bin/dotlockfile", "/usr/bin/bbsuid", "/usr/bin/sg",
	"/usr/sbin/unix_chkpwd", "/usr/sbin/pam_timestamp_check", "/usr/sbin/pam_extrausers_chkpwd", "/usr/sbin/usernetctl", "/usr/sbin/grub2-set-bootflag", "/usr/sbin/lockdev", "/usr/sbin/mount.nfs",
	"/usr/lib/openssh/ssh-keysign", "/usr/libexec/openssh/ssh-keysign", "/usr/lib/dbus-1.0/dbus-daemon-launch-helper", "/usr/libexec/dbus-1/dbus-daemon-launch-helper",
	"/usr/lib/polkit-1/polkit-agent-helper-1", "/usr/libexec/utempter/utempter", "/usr/lib/utempter/utempter", "/usr/bin/utempter",
)

func set(items ...string) map[string]bool {
	out := make(map[string]bool, len(items))
	for _, i := range items {
		out[i] = true
	}
	return out
}

// files are the regular files for which keep holds.
func (p *pass) files(keep func(inventory.File) bool) []inventory.File {
	return p.filter(func(f inventory.File) bool { return f.Kind == "" && keep(f) })
}

func (p *pass) filter(keep func(inventory.File) bool) []inventory.File {
	var out []inventory.File
	for _, f := range p.inv.Files {
		if keep(f) {
			out = append(out, f)
		}
	}
	return out
}

// interpreters are programs that give whoever starts them whatever rights they
// run with.
var interpreters = set("sh", "bash", "dash", "ash", "zsh", "busybox", "python", "perl", "ruby", "node", "find", "vim", "vi", "nano", "cp", "mv", "tar", "env", "awk", "gawk", "mawk", "docker", "nsenter", "pkexec")

func setuidSeverity(f inventory.File) finding.Severity {
	name := strings.TrimRight(path.Base(f.Path), "0123456789.")
	if f.Mode&setuid != 0 && f.UID == 0 && interpreters[name] {
		return finding.Critical
	}
	if f.Mode&setuid == 0 || f.UID != 0 {
		return finding.Low
	}
	return finding.Medium
}

func describeSetuid(f inventory.File) string {
	bit, owner := "setuid", fmt.Sprintf("user %d", f.UID)
	if f.Mode&setuid == 0 {
		bit, owner = "setgid", fmt.Sprintf("group %d", f.GID)
	}
	if f.Mode&setuid != 0 && f.UID == 0 {
		owner = "root"
	}
	return fmt.Sprintf("%s has %s (mode %04o) and runs as %s whoever starts it; no base system ships it, so take the bit away", f.Path, bit, f.Mode, owner)
}

func checkWorldWritable(p *pass) {
	onPath := p.commandDirs()
	writable := p.filter(func(f inventory.File) bool {
		return f.Mode&worldWritable != 0 && (f.Kind == "" || f.Kind == inventory.Directory)
	})
	var others, commands []inventory.File
	for _, f := range writable {
		at := inventory.UnderUsr(f.Path)
		isCommand := f.Kind == "" && f.Mode&0o111 != 0 && onPath[path.Dir(at)]
		isDir := f.Kind == inventory.Directory && onPath[path.Dir(inventory.UnderUsr(f.Path+"/x"))]
		switch sticky := f.Kind == inventory.Directory && f.Mode&0o1000 != 0; {
		case isCommand, isDir:
			commands = append(commands, f)
		case !sticky:
			others = append(others, f)
		}
	}
	for _, f := range commands {
		p.report(report{
			message:  fmt.Sprintf("%s (mode %04o) is on the PATH and everybody may change it, so that any process can put its own program in place of a command", f.Path, f.Mode),
			severity: finding.High, files: []inventory.File{f}, key: []string{f.Path},
		})
	}
	p.reportFiles(others, finding.Unknown, "everybody may change it")
}

// defaultPath is what runtimes set where the image sets no PATH
// (https://github.com/moby/moby/blob/v28.0.0/oci/defaults.go,
// https://github.com/containerd/containerd/blob/v2.0.0/pkg/oci/spec_opts.go).
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// checkRelativePath looks for parts of PATH that mean the working directory or
// one below it (POSIX.1-2024, Base Definitions, 8.3). A PATH that is empty as a
// whole is not one.
func checkRelativePath(p *pass) {
	if p.image() == nil || strings.HasPrefix(p.image().Platform, "windows") {
		return
	}
	for _, part := range strings.Split(p.path(), ":") {
		if strings.HasPrefix(part, "/") {
			continue
		}
		what := fmt.Sprintf("the part %.40q", part)
		if part == "" {
			what = "an empty part"
		}
		p.report(report{
			message: "PATH has " + what + ", so that commands are looked for in the working directory",
			field:   "env PATH", history: p.lastHistoryWith("ENV ", "PATH="),
		})
		return
	}
}

// path is the PATH of the image, or of the runtime where it sets none.
func (p *pass) path() string {
	list := ""
	if p.image() != nil {
		for _, v := range p.image().Config.Env {
			if value, ok := strings.CutPrefix(v, "PATH="); ok {
				list = value
			}
		}
	}
	return cmp.Or(list, defaultPath)
}

// commandDirs are the directories in which commands are looked for, as if /usr
// were merged.
func (p *pass) commandDirs() map[string]bool {
	dirs := map[string]bool{}
	for dir := range strings.SplitSeq(p.path(), ":") {
		dirs[path.Dir(inventory.UnderUsr(path.Clean(dir)+"/x"))] = true
	}
	return dirs
}

// capabilityNames by bit number, linux/capability.h.
var capabilityNames = []string{
	"cap_chown", "cap_dac_override", "cap_dac_read_search", "cap_fowner", "cap_fsetid", "cap_kill", "cap_setgid", "cap_setuid",
	"cap_setpcap", "cap_linux_immutable", "cap_net_bind_service", "cap_net_broadcast", "cap_net_admin", "cap_net_raw", "cap_ipc_lock", "cap_ipc_owner",
	"cap_sys_module", "cap_sys_rawio", "cap_sys_chroot", "cap_sys_ptrace", "cap_sys_pacct", "cap_sys_admin", "cap_sys_boot", "cap_sys_nice",
	"cap_sys_resource", "cap_sys_time", "cap_sys_tty_config", "cap_mknod", "cap_lease", "cap_audit_write", "cap_audit_control", "cap_setfcap",
	"cap_mac_override", "cap_mac_admin", "cap_syslog", "cap_wake_alarm", "cap_block_suspend", "cap_audit_read", "cap_perfmon", "cap_bpf", "cap_checkpoint_restore",
}

// strongCapabilities each lead to root or out of the container.
var strongCapabilities = set("cap_sys_admin", "cap_sys_ptrace", "cap_sys_module", "cap_sys_rawio", "cap_dac_override", "cap_dac_read_search", "cap_setuid", "cap_setgid", "cap_setfcap",
	"cap_chown", "cap_fowner", "cap_bpf", "cap_net_admin", "cap_mknod", "cap_mac_admin", "cap_mac_override", "cap_sys_boot", "cap_sys_chroot", "cap_setpcap")

// capabilities reads the permitted set out of security.capability (struct
// vfs_cap_data): a revision, then pairs of 32-bit words, little endian.
func capabilities(raw string) []string {
	b := []byte(raw)
	if len(b) < 12 {
		return nil
	}
	bits := uint64(binary.LittleEndian.Uint32(b[4:]))
	if len(b) >= 20 {
		bits |= uint64(binary.LittleEndian.Uint32(b[12:])) << 32
	}
	var out []string
	for i := range 64 {
		if bits&(1<<i) == 0 {
			continue
		}
		if i < len(capabilityNames) {
			out = append(out, capabilityNames[i])
		} else {
			out = append(out, fmt.Sprintf("capability %d", i))
		}
	}
	return out
}

func checkCapabilities(p *pass) {
	for _, f := range p.files(func(f inventory.File) bool { return f.Capabilities != "" }) {
		names := capabilities(f.Capabilities)
		if len(names) == 0 {
			continue
		}
		severity := finding.Unknown
		if slices.ContainsFunc(names, func(n string) bool { return strongCapabilities[n] }) {
			severity = finding.High
		}
		p.report(report{
			message:  fmt.Sprintf("%s has the file capabilities %s, whoever starts it", f.Path, strings.Join(names, ", ")),
			severity: severity, files: []inventory.File{f}, key: []string{f.Path},
			evidence: []finding.Fact{{Name: "capabilities", Value: strings.Join(names, ",")}},
		})
	}
}
