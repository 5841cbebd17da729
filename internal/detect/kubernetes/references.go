package kubernetes

// Sources that many rules share.
const (
	docPSS             = "https://kubernetes.io/docs/concepts/security/pod-security-standards/"
	docSecurityContext = "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/"
	docRBACGood        = "https://kubernetes.io/docs/concepts/security/rbac-good-practices/"
	docRBAC            = "https://kubernetes.io/docs/reference/access-authn-authz/rbac/"
	docSecrets         = "https://kubernetes.io/docs/concepts/security/secrets-good-practices/"
	docImages          = "https://kubernetes.io/docs/concepts/containers/images/"
	docVolumes         = "https://kubernetes.io/docs/concepts/storage/volumes/#hostpath"
	docSeccomp         = "https://kubernetes.io/docs/tutorials/security/seccomp/"
	docAppArmor        = "https://kubernetes.io/docs/tutorials/security/apparmor/"
	docResources       = "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/"
	docServiceAccounts = "https://kubernetes.io/docs/concepts/security/service-accounts/"
	docNetworkPolicy   = "https://kubernetes.io/docs/concepts/services-networking/network-policies/"
	docService         = "https://kubernetes.io/docs/concepts/services-networking/service/"
	docIngress         = "https://kubernetes.io/docs/concepts/services-networking/ingress/"
	docNSA             = "https://media.defense.gov/2022/Aug/29/2003066362/-1/-1/0/CTR_KUBERNETES_HARDENING_GUIDANCE_1.2_20220829.PDF"
)

// Tags that many rules share: Pod Security Standards levels, ATT&CK techniques
// and the set of rules about staying up. Other tags are the recommendations of
// the CIS Kubernetes Benchmark (section 5, numbered as in 1.10 to 1.12) and the
// chapters of the NSA/CISA Kubernetes Hardening Guide 1.2.
const (
	tagBaseline    = "pss-baseline"
	tagRestricted  = "pss-restricted"
	tagEscape      = "external/mitre-attack/T1611"
	tagPrivilege   = "external/cwe/cwe-250"
	tagReliability = "reliability"
)
