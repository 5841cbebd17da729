package kubernetes

import (
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// grantRules are about single rights that lead to more than they seem.
var grantRules = []rule{
	rbacSecretsRead,
	rbacEscalate,
	rbacBind,
	rbacImpersonate,
	rbacManageRBAC,
	rbacPodCreate,
	rbacPodExec,
	rbacPortForward,
	rbacNodesProxy,
	rbacWebhooks,
	rbacCSRApprove,
	rbacTokenCreate,
	rbacPVCreate,
	rbacNetworking,
	rbacConfigMapsWrite,
	rbacLogsDelete,
}

// roleExample is a Role that grants one verb on one resource.
func roleExample(group, resource, verb string) string {
	return "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: web\n  namespace: shop\nrules:\n  - apiGroups: [" + group + "]\n    resources: [" + resource + "]\n    verbs: [" + verb + "]\n"
}

var rbacSecretsRead = rule{
	Rule: rules.Rule{
		ID: "k8s-rbac-secrets-read", Aliases: []string{"KSV-0041", "KSV-0113", "C-0015", "C-0186", "CKV2_K8S_5", "access-to-secrets"},
		Title:        "Role may read Secrets",
		Severity:     finding.High,
		Why:          "Who may read the Secrets of a namespace has its passwords and the tokens of its service accounts, and with these their rights. `list` and `watch` show the contents too.",
		Fix:          "Take `secrets` out of the rule, or name the ones that are needed in `resourceNames` with the verb `get`.",
		WhenToIgnore: "Operators that distribute Secrets.",
		References:   []string{docRBACGood, docRBAC},
		Tags:         []string{"external/cwe/cwe-269", "cis-5.1.2", "external/mitre-attack/T1552.007", "nsa-authorization"},
		Bad:          roleExample(`""`, "secrets", "get"),
		Good:         exampleRole,
	},
	object: checkGrant("%s grants %s on %s, and so the contents of Secrets; name the ones that are needed in resourceNames.",
		grant{groups: []string{""}, resources: []string{"secrets"}, verbs: []string{"get", "list", "watch"}, unnamed: true},
	),
}

var rbacEscalate = rule{
	Rule: rules.Rule{
		ID: "k8s-rbac-escalate", Aliases: []string{"KSV-0050", "C-0191", "CKV_K8S_158"},
		Title:        "Role may raise its own rights",
		Severity:     finding.Critical,
		Why:          "The verb `escalate` lifts the rule that nobody may grant more than they have: the subject can write itself a role that may do anything.",
		Fix:          "Remove the verb `escalate`.",
		WhenToIgnore: "Operators that manage roles for a whole cluster.",
		References:   []string{docRBACGood, docRBAC},
		Tags:         []string{"external/cwe/cwe-269", "cis-5.1.8", "external/mitre-attack/T1098.006", "nsa-authorization"},
		Bad:          roleExample(`"rbac.authorization.k8s.io"`, "clusterroles", "escalate"),
		Good:         exampleRole,
	},
	object: checkGrant("%s grants %s on %s, so its subjects can write themselves any right; remove escalate.",
		grant{groups: []string{"rbac.authorization.k8s.io"}, resources: []string{"roles", "clusterroles"}, verbs: []string{"escalate"}},
	),
}

var rbacBind = rule{
	Rule: rules.Rule{
		ID: "k8s-rbac-bind", Aliases: []string{"KSV-0050", "C-0191", "CKV_K8S_157"},
		Title:        "Role may bind any role",
		Severity:     finding.Critical,
		Why:          "The verb `bind` lets the subject bind roles with more rights than its own, `cluster-admin` among them, to itself.",
		Fix:          "Remove the verb `bind`, or name the roles that may be bound in `resourceNames`.",
		WhenToIgnore: "Operators that manage bindings for a whole cluster.",
		References:   []string{docRBACGood, docRBAC},
		Tags:         []string{"external/cwe/cwe-269", "cis-5.1.8", "external/mitre-attack/T1098.006", "nsa-authorization"},
		Bad:          roleExample(`"rbac.authorization.k8s.io"`, "clusterroles", "bind"),
		Good:         exampleRole,
	},
	object: checkGrant("%s grants %s on %s, so its subjects can bind cluster-admin to themselves; remove bind or name the roles in resourceNames.",
		grant{groups: []string{"rbac.authorization.k8s.io"}, resources: []string{"roles", "clusterroles"}, verbs: []string{"bind"}, unnamed: true},
	),
}

var rbacImpersonate = rule{
	Rule: rules.Rule{
		ID: "k8s-rbac-impersonate", Aliases: []string{"KSV-0043", "C-0065", "C-0191", "CKV2_K8S_3"},
		Title:        "Role may act as others",
		Severity:     finding.Critical,
		Why:          "Who may impersonate can act as any user or group, system:masters among them, and the audit log shows the other one's name.",
		Fix:          "Remove the verb `impersonate`, or name the users in `resourceNames`.",
		WhenToIgnore: "Gateways and portals that act for signed-in users.",
		References:   []string{docRBACGood, docRBAC},
		Tags:         []string{"external/cwe/cwe-269", "cis-5.1.8", "external/mitre-attack/T1078", "nsa-authorization"},
		Bad:          roleExample(`""`, "users", "impersonate"),
		Good:         exampleRole,
	},
	object: checkGrant("%s grants %s on %s, so its subjects can act as somebody with more rights; remove impersonate or name the users in resourceNames.",
		grant{groups: []string{""}, resources: []string{"users", "groups", "serviceaccounts"}, verbs: []string{"impersonate"}, unnamed: true},
		grant{groups: []string{"authentication.k8s.io"}, resources: []string{"userextras", "uids"}, verbs: []string{"impersonate"}, unnamed: true},
	),
}

var rbacManageRBAC = rule{
	Rule: rules.Rule{
		ID: "k8s-rbac-manage-rbac", Aliases: []string{"KSV-0051", "KSV-0052", "KSV-0055", "CKV2_K8S_1"},
		Title:        "Role may change access rules",
		Severity:     finding.High,
		Why:          "Who may write roles and bindings decides who may do what. Kubernetes keeps them within their own rights, but those can be passed on to anybody.",
		Fix:          "Take roles and bindings out of the rule.",
		WhenToIgnore: "Operators and deployment tools that install software with its roles.",
		References:   []string{docRBACGood, docRBAC},
		Tags:         []string{"external/cwe/cwe-269", "cis-5.1.8", "external/mitre-attack/T1098.006", "nsa-authorization"},
		Bad:          roleExample(`"rbac.authorization.k8s.io"`, "rolebindings", "create"),
		Good:         exampleRole,
	},
	object: checkGrant("%s grants %s on %s, and so the means to pass rights on; take it out of the rule.",
		grant{groups: []string{"rbac.authorization.k8s.io"}, resources: []string{"roles", "clusterroles", "rolebindings", "clusterrolebindings"}, verbs: writeVerbs},
	),
}

var rbacPodCreate = rule{
	Rule: rules.Rule{
		ID: "k8s-rbac-pod-create", Aliases: []string{"KSV-0048", "C-0188", "access-to-create-pods"},
		Title:        "Role may create pods",
		Severity:     finding.Medium,
		Why:          "Who may create pods, or workloads that do, can use every Secret and service account of the namespace and, where nothing forbids it, the node.",
		Fix:          "Take the verb out of the rule, and enforce Pod Security Standards in the namespace.",
		WhenToIgnore: "Deployment tools and operators.",
		References:   []string{docRBACGood, docRBAC},
		Tags:         []string{"external/cwe/cwe-269", "cis-5.1.4", "external/mitre-attack/T1610", "nsa-authorization"},
		Bad:          roleExample(`""`, "pods", "create"),
		Good:         exampleRole,
	},
	object: checkGrant("%s grants %s on %s, and so the use of every service account of the namespace; grant it to deployment tools only.",
		grant{groups: []string{""}, resources: []string{"pods", "replicationcontrollers"}, verbs: []string{"create", "update", "patch"}},
		grant{groups: []string{"apps", "extensions"}, resources: []string{"deployments", "daemonsets", "statefulsets", "replicasets"}, verbs: []string{"create", "update", "patch"}},
		grant{groups: []string{"batch"}, resources: []string{"jobs", "cronjobs"}, verbs: []string{"create", "update", "patch"}},
	),
}

var rbacPodExec = rule{
	Rule: rules.Rule{
		ID: "k8s-rbac-pod-exec", Aliases: []string{"KSV-0053", "KSV-0054", "C-0002", "CKV2_K8S_2"},
		Title:        "Role may run commands in pods",
		Severity:     finding.High,
		Why:          "exec, attach and ephemeral containers let the subject into every container of the namespace, with what is mounted there: Secrets, tokens, data.",
		Fix:          "Take the subresource out of the rule.",
		WhenToIgnore: "Tools for debugging, in namespaces without production data.",
		References:   []string{docRBACGood, docRBAC},
		Tags:         []string{"external/cwe/cwe-269", "external/mitre-attack/T1609", "nsa-authorization"},
		Bad:          roleExample(`""`, "pods/exec", "create"),
		Good:         exampleRole,
	},
	object: checkGrant("%s grants %s on %s, and so a shell in every container; take it out of the rule.",
		grant{groups: []string{""}, resources: []string{"pods/exec", "pods/attach"}, verbs: []string{"create", "get"}},
		grant{groups: []string{""}, resources: []string{"pods/ephemeralcontainers"}, verbs: []string{"update", "patch"}},
	),
}

var rbacPortForward = rule{
	Rule: rules.Rule{
		ID: "k8s-rbac-portforward", Aliases: []string{"C-0063"},
		Title:        "Role may forward ports",
		Severity:     finding.Low,
		Why:          "Forwarding reaches every port of a pod from outside, past Services and NetworkPolicies.",
		Fix:          "Take `pods/portforward` out of the rule.",
		WhenToIgnore: "Tools for debugging.",
		References:   []string{docRBACGood, docRBAC},
		Tags:         []string{"external/cwe/cwe-269", "external/mitre-attack/T1090", "nsa-authorization"},
		Bad:          roleExample(`""`, "pods/portforward", "create"),
		Good:         exampleRole,
	},
	object: checkGrant("%s grants %s on %s, and so a way to every port past NetworkPolicies; take it out of the rule.",
		grant{groups: []string{""}, resources: []string{"pods/portforward"}, verbs: []string{"create", "get"}},
	),
}

var rbacNodesProxy = rule{
	Rule: rules.Rule{
		ID: "k8s-rbac-nodes-proxy", Aliases: []string{"KSV-0047", "C-0279", "CKV2_K8S_2"},
		Title:        "Role may use the kubelets' API",
		Severity:     finding.High,
		Why:          "`nodes/proxy` reaches the kubelet itself: commands in every pod of the node, without admission control and without a trace in the audit log.",
		Fix:          "Grant `nodes/metrics` or `nodes/stats` instead.",
		WhenToIgnore: "Monitoring that does not know the narrower resources.",
		References:   []string{docRBACGood, docRBAC},
		Tags:         []string{"external/cwe/cwe-269", "cis-5.1.10", "external/mitre-attack/T1611", "nsa-authorization"},
		Bad:          roleExample(`""`, "nodes/proxy", "get"),
		Good:         exampleRole,
	},
	object: checkGrant("%s grants %s on %s, and so commands in every pod past the audit log; grant nodes/metrics or nodes/stats instead.",
		grant{groups: []string{""}, resources: []string{"nodes/proxy"}, verbs: []string{"get", "create", "update", "patch", "delete"}},
	),
}

var rbacWebhooks = rule{
	Rule: rules.Rule{
		ID: "k8s-rbac-webhooks", Aliases: []string{"KSV-0114", "C-0281", "CKV_K8S_155"},
		Title:        "Role may change admission webhooks",
		Severity:     finding.High,
		Why:          "Who may write webhook configurations can read and change every object on its way into the cluster, or switch off the checks that are made there.",
		Fix:          "Take the configurations out of the rule, or name them in `resourceNames`.",
		WhenToIgnore: "Operators that manage their own webhook; name it in `resourceNames`.",
		References:   []string{docRBACGood, docRBAC},
		Tags:         []string{"external/cwe/cwe-269", "cis-5.1.12", "external/mitre-attack/T1562", "nsa-authorization"},
		Bad:          roleExample(`"admissionregistration.k8s.io"`, "mutatingwebhookconfigurations", "update"),
		Good:         exampleRole,
	},
	object: checkGrant("%s grants %s on %s, and so the power over every object that enters the cluster; take it out of the rule or name the configuration in resourceNames.",
		grant{groups: []string{"admissionregistration.k8s.io"}, resources: []string{"validatingwebhookconfigurations", "mutatingwebhookconfigurations", "validatingadmissionpolicies", "validatingadmissionpolicybindings", "mutatingadmissionpolicies", "mutatingadmissionpolicybindings"}, verbs: writeVerbs, unnamed: true},
	),
}

var rbacCSRApprove = rule{
	Rule: rules.Rule{
		ID: "k8s-rbac-csr-approve", Aliases: []string{"C-0280", "CKV_K8S_156"},
		Title:        "Role may approve certificates",
		Severity:     finding.High,
		Why:          "Who may approve certificate requests can have one issued for any user, an administrator or a node among them.",
		Fix:          "Take `certificatesigningrequests/approval` and `signers` out of the rule.",
		WhenToIgnore: "Approvers of kubelet certificates, with the signer in `resourceNames`.",
		References:   []string{docRBACGood, docRBAC},
		Tags:         []string{"external/cwe/cwe-269", "cis-5.1.11", "external/mitre-attack/T1098", "nsa-authorization"},
		Bad:          roleExample(`"certificates.k8s.io"`, "certificatesigningrequests/approval", "update"),
		Good:         exampleRole,
	},
	object: checkGrant("%s grants %s on %s, and so certificates in anybody's name; take it out of the rule or name the signer in resourceNames.",
		grant{groups: []string{"certificates.k8s.io"}, resources: []string{"certificatesigningrequests/approval"}, verbs: []string{"update", "patch"}, unnamed: true},
		grant{groups: []string{"certificates.k8s.io"}, resources: []string{"signers"}, verbs: []string{"approve", "sign"}, unnamed: true},
	),
}

var rbacTokenCreate = rule{
	Rule: rules.Rule{
		ID: "k8s-rbac-token-create", Aliases: []string{"C-0282"},
		Title:        "Role may issue service account tokens",
		Severity:     finding.High,
		Why:          "Who may create tokens of service accounts has the rights of all of them.",
		Fix:          "Take `serviceaccounts/token` out of the rule, or name the accounts in `resourceNames`.",
		WhenToIgnore: "Vaults that issue tokens on purpose.",
		References:   []string{docRBACGood, docRBAC},
		Tags:         []string{"external/cwe/cwe-269", "cis-5.1.13", "external/mitre-attack/T1528", "nsa-authorization"},
		Bad:          roleExample(`""`, "serviceaccounts/token", "create"),
		Good:         exampleRole,
	},
	object: checkGrant("%s grants %s on %s, and so the rights of every service account; name the accounts in resourceNames.",
		grant{groups: []string{""}, resources: []string{"serviceaccounts/token"}, verbs: []string{"create"}, unnamed: true},
	),
}

var rbacPVCreate = rule{
	Rule: rules.Rule{
		ID: "k8s-rbac-pv-create", Aliases: []string{"C-0278"},
		Title:        "Role may create persistent volumes",
		Severity:     finding.Low,
		Why:          "A PersistentVolume may be a directory of a node: who may create one gets at the node's files without a hostPath in any pod.",
		Fix:          "Take `persistentvolumes` out of the rule; claims are enough for workloads.",
		WhenToIgnore: "Storage drivers.",
		References:   []string{docRBACGood, docRBAC},
		Tags:         []string{"external/cwe/cwe-269", "cis-5.1.9", "external/mitre-attack/T1611", "nsa-authorization"},
		Bad:          roleExample(`""`, "persistentvolumes", "create"),
		Good:         exampleRole,
	},
	object: checkGrant("%s grants %s on %s, and so a way to directories of the nodes; claims are enough for workloads.",
		grant{groups: []string{""}, resources: []string{"persistentvolumes"}, verbs: []string{"create"}},
	),
}

var rbacNetworking = rule{
	Rule: rules.Rule{
		ID: "k8s-rbac-networking", Aliases: []string{"KSV-0056", "CKV2_K8S_4"},
		Title:        "Role may change the network",
		Severity:     finding.Low,
		Why:          "Who may write Services, Ingresses and NetworkPolicies can divert traffic to themselves or take down the walls between workloads.",
		Fix:          "Take these resources out of the rule.",
		WhenToIgnore: "Deployment tools and network operators.",
		References:   []string{docRBACGood, docRBAC},
		Tags:         []string{"external/cwe/cwe-269", "external/mitre-attack/T1557", "nsa-authorization"},
		Bad:          roleExample(`""`, "services", "update"),
		Good:         exampleRole,
	},
	object: checkGrant("%s grants %s on %s, and so the means to divert traffic; take it out of the rule.",
		grant{groups: []string{""}, resources: []string{"services", "endpoints"}, verbs: []string{"create", "update", "patch"}},
		grant{groups: []string{"discovery.k8s.io"}, resources: []string{"endpointslices"}, verbs: []string{"create", "update", "patch"}},
		grant{groups: []string{"networking.k8s.io", "extensions"}, resources: []string{"networkpolicies", "ingresses"}, verbs: writeVerbs},
	),
}

var rbacConfigMapsWrite = rule{
	Rule: rules.Rule{
		ID: "k8s-rbac-configmaps-write", Aliases: []string{"KSV-0049"},
		Title:        "Role may change ConfigMaps",
		Severity:     finding.Info,
		Why:          "ConfigMaps tell programs what to do; who may write them can change what runs in other pods of the namespace.",
		Fix:          "Name the ConfigMaps in `resourceNames`.",
		WhenToIgnore: "Controllers that keep their state in a ConfigMap; name it in `resourceNames`.",
		References:   []string{docRBACGood, docRBAC},
		Tags:         []string{"external/cwe/cwe-269", "nsa-authorization"},
		Bad:          roleExample(`""`, "configmaps", "update"),
		Good:         exampleRole,
	},
	object: checkGrant("%s grants %s on %s, and so a hand in what other pods do; name the ConfigMaps in resourceNames.",
		grant{groups: []string{""}, resources: []string{"configmaps"}, verbs: writeVerbs, unnamed: true},
	),
}

var rbacLogsDelete = rule{
	Rule: rules.Rule{
		ID: "k8s-rbac-logs-delete", Aliases: []string{"KSV-0042", "C-0031"},
		Title:        "Role may delete traces",
		Severity:     finding.Low,
		Why:          "Events and logs are what is left to see after an attack. Who may delete them can cover their tracks.",
		Fix:          "Take the verb out of the rule.",
		WhenToIgnore: "Clean-up jobs.",
		References:   []string{docRBACGood, docRBAC},
		Tags:         []string{"external/cwe/cwe-269", "external/mitre-attack/T1070", "nsa-logging"},
		Bad:          roleExample(`""`, "events", "delete"),
		Good:         exampleRole,
	},
	object: checkGrant("%s grants %s on %s, and so the means to cover tracks; take the verb out of the rule.",
		grant{groups: []string{"", "events.k8s.io"}, resources: []string{"events"}, verbs: []string{"delete", "deletecollection"}},
		grant{groups: []string{""}, resources: []string{"pods/log"}, verbs: []string{"delete", "deletecollection"}},
	),
}
