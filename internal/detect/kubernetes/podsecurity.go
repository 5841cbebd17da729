package kubernetes

import "slices"

// Level is a level of the Pod Security Standards.
type Level string

// The levels that forbid something.
const (
	Baseline   Level = "baseline"
	Restricted Level = "restricted"
)

// standardSince are the first minor versions in whose Pod Security Standards a
// rule is, where that is not the first version of all.
var standardSince = map[string]int{
	"k8s-privilege-escalation": 8,
	"k8s-seccomp-missing":      19,
	"k8s-caps-drop-all":        22,
	"k8s-caps-restricted-add":  22,
	"k8s-run-as-root-uid":      23,
	"k8s-probe-host":           34,
}

// inStandard reports whether a rule runs at the level that the options ask
// for: rules of the Pod Security Standards are then kept to that level and to
// the cluster's version, all others run as ever.
func (r rule) inStandard(opts Options) bool {
	if opts.PodSecurity == "" || !slices.Contains(r.Tags, tagBaseline) && !slices.Contains(r.Tags, tagRestricted) {
		return true
	}
	if opts.PodSecurity == Baseline && !slices.Contains(r.Tags, tagBaseline) {
		return false
	}
	return minorVersion(opts.KubeVersion) >= standardSince[r.ID]
}

// relaxed reports whether the standard lets the pod be any user: since 1.35 in
// a user namespace. Without a level to keep to, root is reported there too,
// since nodes may lack support for it.
func (s *set) relaxed(hostUsersFalse bool) bool {
	return s.opts.PodSecurity != "" && s.minor >= 35 && hostUsersFalse
}

// exempts reports whether a pod for Windows is exempt from the rules about
// Linux: since 1.25 in the standards, and where no level is asked for.
func (s *set) exempts(windows bool) bool {
	return windows && (s.opts.PodSecurity == "" || s.minor >= 25)
}
