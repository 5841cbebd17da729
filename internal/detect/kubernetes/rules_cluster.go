package kubernetes

import (
	"maps"
	"slices"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// clusterRules are about namespaces, and about what a cluster no longer has.
var clusterRules = []rule{
	namespacePSA, defaultNamespace, inSystemNamespace, namespaceQuota, nakedPod,
	deprecatedAPI, deprecatedField, removedSoftware,
}

const docPSA = "https://kubernetes.io/docs/concepts/security/pod-security-admission/"

// systemNamespace reports whether a namespace belongs to the cluster itself.
func systemNamespace(name string) bool {
	return name == "kube-system" || name == "kube-public" || name == "kube-node-lease"
}

var namespacePSA = rule{
	Rule: rules.Rule{
		ID: "k8s-namespace-psa", Aliases: []string{"C-0192"},
		Title:        "Namespace enforces no Pod Security Standard",
		Severity:     finding.Medium,
		Why:          "Without the label the cluster lets privileged pods into the namespace, whatever was reviewed before: a change by hand or a new chart is enough.",
		Fix:          "Add the label `pod-security.kubernetes.io/enforce: restricted`, or `baseline`.",
		WhenToIgnore: "Clusters in which another admission controller enforces the same.",
		References:   []string{docPSA, docPSS},
		Tags:         []string{"cis-5.2.1", "nsa-pod-security"},
		Bad:          replaced(exampleNamespace, "  labels:\n    pod-security.kubernetes.io/enforce: restricted\n", ""),
		Good:         exampleNamespace,
	},
	object: func(p *pass, o *manifest.Object) {
		if !o.Is("Namespace", "") || systemNamespace(o.Name) {
			return
		}
		at := o.At("metadata", "labels", "pod-security.kubernetes.io/enforce")
		switch at.Text() {
		case "baseline", "restricted":
		case "":
			p.report(at, "Namespace %q lets every pod in; add the label pod-security.kubernetes.io/enforce: restricted.", o.Name)
		default:
			p.report(at, "Namespace %q lets every pod in at the level %q; use restricted or baseline.", o.Name, at.Text())
		}
	},
}

var defaultNamespace = rule{
	Rule: rules.Rule{
		ID: "k8s-default-namespace", Aliases: []string{"KSV-0110", "C-0061", "C-0212", "CKV_K8S_21", "use-namespace"},
		Title:        "Object is put into the default namespace",
		Severity:     finding.Info,
		Why:          "The default namespace is where everything ends up that nobody thought about; access rules, quotas and network policies are hard to keep narrow there.",
		Fix:          "Give the application a namespace of its own.",
		WhenToIgnore: "Clusters with one application.",
		References:   []string{"https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/"},
		Tags:         []string{"cis-5.7.4", "nsa-network"},
		Bad:          replaced(exampleRole, "namespace: shop", "namespace: default"),
		Good:         exampleRole,
	},
	object: func(p *pass, o *manifest.Object) {
		// An object that names no namespace gets one when it is deployed.
		_, rendered := p.linter.rendered[o.File]
		if at := o.At("metadata", "namespace"); at.Text() == "default" && !rendered {
			p.report(at, "%s is put into the default namespace; give the application one of its own.", o.ID())
		}
	},
}

var inSystemNamespace = rule{
	Rule: rules.Rule{
		ID: "k8s-system-namespace", Aliases: []string{"KSV-0037"},
		Title:        "Workload runs among the system's own",
		Severity:     finding.Medium,
		Why:          "kube-system holds what the cluster itself needs, with powerful service accounts and usually without Pod Security Standards. Among them a foreign pod has more power and is less noticed.",
		Fix:          "Give the workload a namespace of its own.",
		WhenToIgnore: "Parts of the cluster itself, such as network plugins.",
		References:   []string{docPSA},
		Tags:         []string{"external/mitre-attack/T1036", "cis-5.7.1"},
		Bad:          strings.ReplaceAll(hardenedWorkload, "namespace: shop", "namespace: kube-system"),
		Good:         hardenedWorkload,
	},
	pod: func(p *pass, pod *manifest.Pod) {
		if at := pod.Object.At("metadata", "namespace"); systemNamespace(at.Text()) {
			p.report(at, "%s runs in %s, among what the cluster itself needs; give it a namespace of its own.", pod.Object.ID(), at.Text())
		}
	},
}

var namespaceQuota = rule{
	Rule: rules.Rule{
		ID: "k8s-namespace-quota", Aliases: []string{"KSV-0039", "KSV-0040"},
		Title:        "Namespace has no quota",
		Severity:     finding.Info,
		Why:          "Without a ResourceQuota or LimitRange one namespace can use up the cluster, by mistake or by an intruder's miners.",
		Fix:          "Add a ResourceQuota, or a LimitRange with defaults.",
		WhenToIgnore: "Clusters with one tenant.",
		References:   []string{"https://kubernetes.io/docs/concepts/policy/resource-quotas/"},
		Tags:         []string{tagDoS, "nsa-network"},
		Bad:          exampleNamespace[:strings.LastIndex(exampleNamespace, "---\n")],
		Good:         exampleNamespace,
	},
	object: func(p *pass, o *manifest.Object) {
		if !o.Is("Namespace", "") || systemNamespace(o.Name) {
			return
		}
		for _, kind := range []string{"ResourceQuota", "LimitRange"} {
			for _, q := range p.set.byKind[kind] {
				if sameNamespace(q.Namespace, o.Name) {
					return
				}
			}
		}
		p.report(o.At("metadata", "name"), "Namespace %q may use up the cluster; add a ResourceQuota or LimitRange.", o.Name)
	},
}

var nakedPod = rule{
	Rule: rules.Rule{
		ID: "k8s-naked-pod", Aliases: []string{"C-0073"},
		Title:        "Pod stands alone",
		Severity:     finding.Info,
		Why:          "A pod that no controller made is not started again when its node fails, and it cannot be updated without an interruption.",
		Fix:          "Use a Deployment, StatefulSet or Job.",
		WhenToIgnore: "Pods for a test or for debugging, and static pods.",
		References:   []string{"https://kubernetes.io/docs/concepts/workloads/controllers/"},
		Bad:          nakedExample(),
		Good:         hardenedWorkload,
	},
	object: func(p *pass, o *manifest.Object) {
		if !o.Is("Pod", "") || len(o.At("metadata", "ownerReferences").Items()) > 0 || o.Annotation("helm.sh/hook").Exists() {
			return
		}
		p.report(o.At("kind"), "%s is not started again when its node fails; use a Deployment, StatefulSet or Job.", o.ID())
	},
}

// nakedExample is the hardened workload as a bare pod.
func nakedExample() string {
	text := replaced(hardenedWorkload, `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
`, "")
	body, rest, _ := strings.Cut(text, "---\n")
	body = strings.ReplaceAll("\n"+strings.TrimSuffix(body, "\n"), "\n      ", "\n  ")[1:]
	return "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  namespace: shop\nspec:\n" + body + "\n---\n" + rest
}

// removedAPI says since when the API server does not know an API any more.
type removedAPI struct {
	minor int
	// instead is the API to use; empty where there is none.
	instead string
}

// removedAPIs by API version and kind, https://kubernetes.io/docs/reference/using-api/deprecation-guide/
var removedAPIs = map[string]map[string]removedAPI{
	"extensions/v1beta1": {
		"Deployment": {16, "apps/v1"}, "DaemonSet": {16, "apps/v1"}, "ReplicaSet": {16, "apps/v1"},
		"NetworkPolicy": {16, "networking.k8s.io/v1"}, "PodSecurityPolicy": {16, ""}, "Ingress": {22, "networking.k8s.io/v1"},
	},
	"apps/v1beta1":                   {"Deployment": {16, "apps/v1"}, "StatefulSet": {16, "apps/v1"}},
	"apps/v1beta2":                   {"Deployment": {16, "apps/v1"}, "StatefulSet": {16, "apps/v1"}, "DaemonSet": {16, "apps/v1"}, "ReplicaSet": {16, "apps/v1"}},
	"networking.k8s.io/v1beta1":      {"Ingress": {22, "networking.k8s.io/v1"}, "IngressClass": {22, "networking.k8s.io/v1"}},
	"apiextensions.k8s.io/v1beta1":   {"CustomResourceDefinition": {22, "apiextensions.k8s.io/v1"}},
	"apiregistration.k8s.io/v1beta1": {"APIService": {22, "apiregistration.k8s.io/v1"}},
	"admissionregistration.k8s.io/v1beta1": {
		"ValidatingWebhookConfiguration": {22, "admissionregistration.k8s.io/v1"}, "MutatingWebhookConfiguration": {22, "admissionregistration.k8s.io/v1"},
	},
	"rbac.authorization.k8s.io/v1beta1": {
		"Role": {22, "rbac.authorization.k8s.io/v1"}, "ClusterRole": {22, "rbac.authorization.k8s.io/v1"},
		"RoleBinding": {22, "rbac.authorization.k8s.io/v1"}, "ClusterRoleBinding": {22, "rbac.authorization.k8s.io/v1"},
	},
	"rbac.authorization.k8s.io/v1alpha1": {
		"Role": {22, "rbac.authorization.k8s.io/v1"}, "ClusterRole": {22, "rbac.authorization.k8s.io/v1"},
		"RoleBinding": {22, "rbac.authorization.k8s.io/v1"}, "ClusterRoleBinding": {22, "rbac.authorization.k8s.io/v1"},
	},
	"certificates.k8s.io/v1beta1": {"CertificateSigningRequest": {22, "certificates.k8s.io/v1"}},
	"coordination.k8s.io/v1beta1": {"Lease": {22, "coordination.k8s.io/v1"}},
	"scheduling.k8s.io/v1beta1":   {"PriorityClass": {22, "scheduling.k8s.io/v1"}},
	"storage.k8s.io/v1beta1": {
		"StorageClass": {22, "storage.k8s.io/v1"}, "CSIDriver": {22, "storage.k8s.io/v1"}, "CSINode": {22, "storage.k8s.io/v1"},
		"VolumeAttachment": {22, "storage.k8s.io/v1"}, "CSIStorageCapacity": {27, "storage.k8s.io/v1"},
	},
	"batch/v1beta1":                        {"CronJob": {25, "batch/v1"}},
	"discovery.k8s.io/v1beta1":             {"EndpointSlice": {25, "discovery.k8s.io/v1"}},
	"events.k8s.io/v1beta1":                {"Event": {25, "events.k8s.io/v1"}},
	"autoscaling/v2beta1":                  {"HorizontalPodAutoscaler": {25, "autoscaling/v2"}},
	"autoscaling/v2beta2":                  {"HorizontalPodAutoscaler": {26, "autoscaling/v2"}},
	"policy/v1beta1":                       {"PodDisruptionBudget": {25, "policy/v1"}, "PodSecurityPolicy": {25, ""}},
	"node.k8s.io/v1beta1":                  {"RuntimeClass": {25, "node.k8s.io/v1"}},
	"flowcontrol.apiserver.k8s.io/v1beta1": {"FlowSchema": {26, "flowcontrol.apiserver.k8s.io/v1"}, "PriorityLevelConfiguration": {26, "flowcontrol.apiserver.k8s.io/v1"}},
	"flowcontrol.apiserver.k8s.io/v1beta2": {"FlowSchema": {29, "flowcontrol.apiserver.k8s.io/v1"}, "PriorityLevelConfiguration": {29, "flowcontrol.apiserver.k8s.io/v1"}},
	"flowcontrol.apiserver.k8s.io/v1beta3": {"FlowSchema": {32, "flowcontrol.apiserver.k8s.io/v1"}, "PriorityLevelConfiguration": {32, "flowcontrol.apiserver.k8s.io/v1"}},
}

var deprecatedAPI = rule{
	Rule: rules.Rule{
		ID: "k8s-deprecated-api", Aliases: []string{"KSV-0107", "no-extensions-v1beta"},
		Title:        "API is not served any more",
		Severity:     finding.Medium,
		Why:          "The API server of this version refuses the object: what it should protect or limit is then not there.",
		Fix:          "Use the API version that took its place, and check the fields that changed.",
		WhenToIgnore: "Clusters older than the version that is configured; set the version instead.",
		References:   []string{"https://kubernetes.io/docs/reference/using-api/deprecation-guide/"},
		Bad:          "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata:\n  name: web\n  namespace: shop\nspec:\n  maxUnavailable: 1\n  selector:\n    matchLabels: {app: web}\n",
		Good:         "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata:\n  name: web\n  namespace: shop\nspec:\n  maxUnavailable: 1\n  selector:\n    matchLabels: {app: web}\n",
	},
	object: func(p *pass, o *manifest.Object) {
		removed, ok := removedAPIs[o.APIVersion][o.Kind]
		if !ok || p.set.minor < removed.minor {
			return
		}
		instead := "there is nothing in its place"
		if removed.instead != "" {
			instead = "use " + removed.instead
		}
		p.report(o.At("apiVersion"), "%s of %s is not served since Kubernetes 1.%d; %s.", o.Kind, o.APIVersion, removed.minor, instead)
	},
}

// deprecatedNodeLabels were replaced by labels without beta.
var deprecatedNodeLabels = map[string]string{
	"beta.kubernetes.io/os": "kubernetes.io/os", "beta.kubernetes.io/arch": "kubernetes.io/arch",
	"beta.kubernetes.io/instance-type":         "node.kubernetes.io/instance-type",
	"failure-domain.beta.kubernetes.io/zone":   "topology.kubernetes.io/zone",
	"failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
}

var deprecatedField = rule{
	Rule: rules.Rule{
		ID: "k8s-deprecated-field", Aliases: []string{"deprecated-service-account-field"},
		Title:        "Field has no effect any more, or soon",
		Severity:     finding.Medium,
		Why:          "A setting that newer clusters ignore protects nothing, while it looks as if it did.",
		Fix:          "Use the field that took its place.",
		WhenToIgnore: "Manifests that must work on old clusters too.",
		References:   []string{"https://kubernetes.io/docs/reference/using-api/deprecation-guide/"},
		Bad:          hardened("serviceAccountName: web", "serviceAccount: web"),
		Good:         hardenedWorkload,
	},
	object: checkDeprecatedField,
}

func checkDeprecatedField(p *pass, o *manifest.Object) {
	if at := o.Annotation("kubernetes.io/ingress.class"); isIngress(o) && at.Exists() && p.set.minor >= 18 {
		p.report(at, "The annotation %s is deprecated since 1.18; use spec.ingressClassName.", at.Name())
	}
	if at := o.At("spec", "loadBalancerIP"); isService(o) && at.Text() != "" {
		p.report(at, "loadBalancerIP is deprecated since 1.24, and clouds read it differently; use the cloud's annotation.")
	}
	for _, pod := range manifest.Pods(o) {
		if at := pod.Spec.At("serviceAccount"); at.Exists() && !pod.Spec.At("serviceAccountName").Exists() {
			p.report(at, "serviceAccount is deprecated; write serviceAccountName: %s.", at.Text())
		}
		for _, at := range pod.Spec.At("nodeSelector").Fields() {
			if now, old := deprecatedNodeLabels[at.Name()]; old {
				p.report(at, "The label %s is deprecated; use %s.", at.Name(), now)
			}
		}
		for _, at := range pod.Metadata().At("annotations").Fields() {
			switch name := at.Name(); {
			case strings.Contains(name, "seccomp.security.alpha.kubernetes.io/") && p.set.minor >= 27:
				p.report(at, "The annotation %s has no effect since 1.27; use securityContext.seccompProfile.", name)
			case strings.HasPrefix(name, appArmorAnnotation) && p.set.minor >= 30:
				p.report(at, "The annotation %s is deprecated since 1.30; use securityContext.appArmorProfile.", name)
			}
		}
	}
}

// removedImages end the repository of software that is given up, with what
// became of it.
var removedImages = map[string]string{
	"kubernetes-helm/tiller":     "Tiller is gone since Helm 3 and gives everybody in the cluster its own rights; remove it",
	"helm/tiller":                "Tiller is gone since Helm 3 and gives everybody in the cluster its own rights; remove it",
	"kubernetesui/dashboard":     "the Kubernetes Dashboard is retired; remove it",
	"kubernetes-dashboard-amd64": "this Kubernetes Dashboard has known holes and is given up; remove it",
	"ingress-nginx/controller":   "ingress-nginx gets no security fixes since March 2026; move to a Gateway API implementation",
	"nginx-ingress-controller":   "this ingress-nginx is given up; move to a Gateway API implementation",
	"heapster-amd64":             "Heapster is given up; use the metrics server",
	"aad-pod-identity/nmi":       "aad-pod-identity is given up; use workload identity",
	"aad-pod-identity/mic":       "aad-pod-identity is given up; use workload identity",
}

var removedSoftware = rule{
	Rule: rules.Rule{
		ID: "k8s-removed-software", Aliases: []string{"KSV-0102", "C-0292", "CKV_K8S_33", "CKV_K8S_34", "CKV_K8S_44"},
		Title:        "Software is given up by its makers",
		Severity:     finding.Medium,
		Why:          "Software with rights in the cluster that gets no fixes any more is a way in that stays open.",
		Fix:          "Replace it by what its makers name.",
		WhenToIgnore: "Vendors who maintain a fork under the same name.",
		References:   []string{"https://kubernetes.io/blog/2025/11/11/ingress-nginx-retirement/"},
		Tags:         []string{"external/cwe/cwe-1104"},
		Bad:          hardened("registry.example/shop/web", "registry.k8s.io/ingress-nginx/controller"),
		Good:         hardenedWorkload,
	},
	container: func(p *pass, c *manifest.Container) {
		at := c.Place.At("image")
		ref, ok := parseImage(at.Text())
		for _, name := range slices.Sorted(maps.Keys(removedImages)) {
			if ok && strings.HasSuffix(ref.Path, "/"+name) {
				p.report(at, "The image %q: %s.", at.Text(), removedImages[name])
				return
			}
		}
	},
}
