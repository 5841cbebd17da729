package kubernetes

import (
	"regexp"
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// cloudRules are about Cloud Run, Knative, and the identities of the three
// large clouds.
var cloudRules = []rule{
	cloudRunPublic, cloudRunDefaultSA, knativeClusterLocal, eksBadARN, aksHostIdentity, gkeMetadata,
}

func exampleCloudRun(ingress, account string) string {
	return "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata:\n  name: web\n  annotations:\n    run.googleapis.com/ingress: " + ingress + `
spec:
  template:
    spec:
      serviceAccountName: ` + account + `
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}, appArmorProfile: {type: RuntimeDefault}}
      containers:
        - image: registry.example/shop/web:1.4.2` + exampleDigest + `
          securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
          resources: {requests: {cpu: 100m, memory: 128Mi}, limits: {memory: 128Mi}}
`
}

var cloudRunPublic = rule{
	Rule: rules.Rule{
		ID:           "cloudrun-public",
		Title:        "Cloud Run service takes traffic from everywhere",
		Severity:     finding.Low,
		Why:          "Without the annotation, or with `all`, the service's address is reachable from the internet, past the load balancer and its firewall.",
		Fix:          "Set `run.googleapis.com/ingress` to `internal` or `internal-and-cloud-load-balancing`.",
		WhenToIgnore: "Services that are made for the public and check who asks.",
		References:   []string{"https://cloud.google.com/run/docs/securing/ingress"},
		Tags:         []string{"external/mitre-attack/T1190"},
		Bad:          exampleCloudRun("all", "web@shop.iam.gserviceaccount.com"),
		Good:         exampleCloudRun("internal", "web@shop.iam.gserviceaccount.com"),
	},
	object: func(p *pass, o *manifest.Object) {
		if at := o.Annotation("run.googleapis.com/ingress"); o.Kind == "Service" && cloudRun(o) && (at.Text() == "" || at.Text() == "all") {
			p.report(at, "%s takes traffic from the whole internet; set run.googleapis.com/ingress to internal or internal-and-cloud-load-balancing.", o.ID())
		}
	},
}

var cloudRunDefaultSA = rule{
	Rule: rules.Rule{
		ID:           "cloudrun-default-sa",
		Title:        "Cloud Run service runs as the project's default account",
		Severity:     finding.Medium,
		Why:          "The default compute service account often is an editor of the whole project: whoever gets into the service can read and change all of it.",
		Fix:          "Make a service account with the rights that the service needs and name it in `serviceAccountName`.",
		WhenToIgnore: "Projects in which the default account has been stripped of its rights.",
		References:   []string{"https://cloud.google.com/run/docs/securing/service-identity"},
		Tags:         []string{"external/cwe/cwe-250", "external/mitre-attack/T1078.004"},
		Bad:          exampleCloudRun("internal", "1234567890-compute@developer.gserviceaccount.com"),
		Good:         exampleCloudRun("internal", "web@shop.iam.gserviceaccount.com"),
	},
	pod: func(p *pass, pod *manifest.Pod) {
		at := pod.Spec.At("serviceAccountName")
		if cloudRun(pod.Object) && (at.Text() == "" || strings.HasSuffix(at.Text(), "-compute@developer.gserviceaccount.com")) {
			p.report(at, "%s runs as the default account of its project; make one for it and set serviceAccountName.", pod.Object.ID())
		}
	},
}

var knativeClusterLocal = rule{
	Rule: rules.Rule{
		ID:           "knative-cluster-local",
		Title:        "Knative service gets a public address",
		Severity:     finding.Info,
		Why:          "A Knative Service is opened to the outside unless it says that it is for the cluster only.",
		Fix:          "Add the label `networking.knative.dev/visibility: cluster-local` where nobody outside needs it.",
		WhenToIgnore: "Services that are made for the public.",
		References:   []string{"https://knative.dev/docs/serving/services/private-services/"},
		Tags:         []string{"external/mitre-attack/T1190"},
		Bad:          knativeExample(""),
		Good:         knativeExample("  labels: {networking.knative.dev/visibility: cluster-local}\n"),
	},
	object: func(p *pass, o *manifest.Object) {
		const label = "networking.knative.dev/visibility"
		if at := o.At("metadata", "labels", label); o.Is("Service", "serving.knative.dev") && !cloudRun(o) && at.Text() != "cluster-local" {
			p.report(at, "%s gets a public address; add the label %s: cluster-local if only the cluster needs it.", o.ID(), label)
		}
	},
}

// knativeExample is the hardened workload as a Knative Service.
func knativeExample(labels string) string {
	return strings.NewReplacer("apiVersion: apps/v1\nkind: Deployment", "apiVersion: serving.knative.dev/v1\nkind: Service",
		"  namespace: shop\nspec:\n  selector:\n    matchLabels: {app: web}\n", "  namespace: shop\n"+labels+"spec:\n").Replace(hardenedWorkload)
}

var roleARN = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+$`)

func exampleAccount(annotation string) string {
	return "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: web\n  namespace: shop\n  annotations:\n    " + annotation + "\nautomountServiceAccountToken: false\n"
}

var eksBadARN = rule{
	Rule: rules.Rule{
		ID:           "eks-irsa-bad-arn",
		Title:        "AWS role of the service account is malformed",
		Severity:     finding.Low,
		Why:          "With a role that does not exist the pod falls back to the node's role, which usually may do more.",
		Fix:          "Write the whole name: `arn:aws:iam::111122223333:role/web`.",
		WhenToIgnore: "Values that are filled in later in a way that is not recognised.",
		References:   []string{"https://docs.aws.amazon.com/eks/latest/userguide/iam-roles-for-service-accounts.html"},
		Tags:         []string{"external/mitre-attack/T1552.005"},
		Bad:          exampleAccount("eks.amazonaws.com/role-arn: web"),
		Good:         exampleAccount("eks.amazonaws.com/role-arn: arn:aws:iam::111122223333:role/web"),
	},
	object: func(p *pass, o *manifest.Object) {
		at := o.Annotation("eks.amazonaws.com/role-arn")
		if text := at.Text(); o.Is("ServiceAccount", "") && at.Exists() && !strings.ContainsAny(text, "${}<>") && !roleARN.MatchString(text) {
			p.report(at, "%q is not the name of an AWS role, so the pods fall back to the node's; write arn:aws:iam::<account>:role/<name>.", text)
		}
	},
}

var aksHostIdentity = rule{
	Rule: rules.Rule{
		ID:           "aks-host-identity",
		Title:        "Pod identity that Azure has given up",
		Severity:     finding.Low,
		Why:          "aad-pod-identity diverts the node's metadata service and gets no fixes any more: where it fails, pods get at the node's own identity.",
		Fix:          "Use Microsoft Entra Workload ID: the annotation `azure.workload.identity/client-id` on the ServiceAccount.",
		WhenToIgnore: "Clusters that are being moved.",
		References:   []string{"https://azure.github.io/azure-workload-identity/docs/"},
		Tags:         []string{"external/mitre-attack/T1552.005"},
		Bad:          hardened("      labels: {app: web}", "      labels: {app: web, aadpodidbinding: web}"),
		Good:         hardened("      labels: {app: web}", "      labels: {app: web, azure.workload.identity/use: \"true\"}"),
	},
	object: func(p *pass, o *manifest.Object) {
		const message = "%s uses aad-pod-identity, which Azure has given up; use workload identity."
		if o.Group() == "aadpodidentity.k8s.io" {
			p.report(o.At("kind"), message, o.ID())
		}
		for _, pod := range manifest.Pods(o) {
			if at := labelsOf(pod).At("aadpodidbinding"); at.Exists() {
				p.report(at, message, o.ID())
			}
		}
	},
}

var gkeMetadata = rule{
	Rule: rules.Rule{
		ID:           "gke-metadata",
		Title:        "Google key file takes the place of workload identity",
		Severity:     finding.Low,
		Why:          "A key file never expires and works from anywhere. Without workload identity the pod can also get at the node's own account by the metadata service.",
		Fix:          "Annotate the ServiceAccount with `iam.gke.io/gcp-service-account`, and remove the key and GOOGLE_APPLICATION_CREDENTIALS.",
		WhenToIgnore: "Clusters outside of Google Cloud, and files that configure workload identity federation.",
		References:   []string{"https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity"},
		Tags:         []string{"external/mitre-attack/T1552.005"},
		Bad:          withContainerField("env:\n  - name: GOOGLE_APPLICATION_CREDENTIALS\n    value: /run/secrets/google/key.json"),
		Good:         hardenedWorkload,
	},
	container: func(p *pass, c *manifest.Container) {
		name, _ := serviceAccountName(c.Pod)
		if sa := p.set.serviceAccount(c.Pod.Object.Namespace, name); sa != nil && sa.Annotation("iam.gke.io/gcp-service-account").Exists() {
			return
		}
		for _, env := range c.Place.At("env").Items() {
			if at := env.At("name"); at.Text() == "GOOGLE_APPLICATION_CREDENTIALS" && env.At("value").Text() != "" {
				p.report(at, "Container %q signs in with a key file, and its service account has no workload identity; annotate it with iam.gke.io/gcp-service-account.", c.Name)
			}
		}
	},
}
