package kubernetes

func caps(list string) string {
	return container("securityContext:\n  capabilities:\n    add: " + list)
}

var capabilityCases = map[string][]ruleCase{
	"k8s-caps-dangerous": {
		{"fires on SYS_ADMIN", caps("[➤SYS_ADMIN]")},
		{"fires on ALL in small letters", caps("[➤all]")},
		{"fires on the name with its prefix", caps("[➤CAP_NET_ADMIN]")},
		{"fires on each one in a list", caps("\n      - ➤SYS_PTRACE\n      - CHOWN\n      - ➤BPF")},
		{"fires on DAC_READ_SEARCH in a Job", inWorkload("batch/v1", "Job", "containers:\n  - name: app\n    securityContext: {capabilities: {add: [➤DAC_READ_SEARCH]}}")},
		{"is silent about dropping ALL", container("securityContext:\n  capabilities:\n    drop: [ALL]")},
		{"is silent about NET_BIND_SERVICE", caps("[NET_BIND_SERVICE]")},
		{"is silent about SYS_TIME, which another rule reports", caps("[SYS_TIME]")},
		{"is silent about an empty list", caps("[]")},
	},
	"k8s-caps-baseline": {
		{"fires on SYS_TIME", caps("[➤SYS_TIME]")},
		{"fires on NET_RAW, which is not in the baseline", caps("[➤NET_RAW]")},
		{"fires on a name that nobody knows", caps("[➤FLY]")},
		{"fires on a spelling that the standard does not accept", caps("[➤chown]")},
		{"fires on each one in a list", caps("[➤SYSLOG, KILL, ➤IPC_LOCK]")},
		{"is silent about the baseline's own", caps("[CHOWN, SETUID, SETGID, NET_BIND_SERVICE]")},
		{"is silent about SYS_ADMIN, which another rule reports", caps("[SYS_ADMIN]")},
		{"is silent about dropping", container("securityContext:\n  capabilities:\n    drop: [SYS_TIME]")},
		{"is silent where nothing is said", bareContainer("")},
	},
	"k8s-caps-restricted-add": {
		{"fires on CHOWN", caps("[➤CHOWN]")},
		{"fires on each one in a list", caps("[➤SETUID, NET_BIND_SERVICE, ➤SETGID]")},
		{"fires on an ephemeral container", pod("ephemeralContainers: [{name: e, securityContext: {capabilities: {add: [➤KILL]}}}]")},
		{"fires although all were dropped", container("securityContext: {capabilities: {drop: [ALL], add: [➤DAC_OVERRIDE]}}")},
		{"is silent about NET_BIND_SERVICE", caps("[NET_BIND_SERVICE]")},
		{"is silent about NET_RAW, which another rule reports", caps("[NET_RAW]")},
		{"is silent about SYS_ADMIN, which another rule reports", caps("[SYS_ADMIN]")},
		{"is silent about dropping", container("securityContext: {capabilities: {drop: [CHOWN]}}")},
	},
	"k8s-caps-drop-all": {
		{"fires at the container that says nothing", bareContainer("➤")},
		{"fires at the securityContext", container("➤securityContext: {runAsNonRoot: true}")},
		{"fires at the capabilities that only add", container("securityContext:\n  ➤capabilities: {add: [NET_BIND_SERVICE]}")},
		{"fires at the list that drops something else", container("securityContext: {capabilities: {➤drop: [NET_RAW]}}")},
		{"fires at the word in small letters", container("securityContext: {capabilities: {drop: [➤all]}}")},
		{"is silent about ALL", container("securityContext: {capabilities: {drop: [ALL]}}")},
		{"is silent about ALL among others", container("securityContext: {capabilities: {drop: [NET_RAW, \"ALL\"]}}")},
		{"is silent about a privileged container, where it means nothing", container("securityContext: {privileged: true}")},
		{"is silent about Windows", inWorkload("apps/v1", "Deployment", windows+"\ncontainers:\n  - name: app")},
	},
}
