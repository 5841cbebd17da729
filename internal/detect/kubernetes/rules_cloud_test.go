package kubernetes

// run is a Cloud Run service with an annotation and a service account.
func run(annotation, spec string) string {
	return "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata:\n  name: s\n  labels: {cloud.googleapis.com/location: x}\n  annotations: {" + annotation + "}\nspec:\n  template:\n    spec:\n      " + spec + "\n"
}

func account(annotation string) string {
	return "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web, namespace: shop, annotations: {" + annotation + "}}\n"
}

// ecs is a task definition with fields of its container, ecsTask one with
// fields of its own.
func ecs(fields string) string {
	return "{\"family\": \"f\", \"containerDefinitions\": [\n  {\"name\": \"a\", " + fields + "}\n]}\n"
}

func ecsTask(fields string) string {
	return "{\"family\": \"f\", " + fields + ", \"containerDefinitions\": [{\"name\": \"a\"}]}\n"
}

// noTask are cases that every rule about task definitions must leave alone.
var noTask = []ruleCase{
	{"is silent about a Pod", bareContainer("")},
	{"is silent about JSON of another sort", "{\"family\": \"f\", \"containers\": []}"},
	{"is silent about a Kubernetes object with such a field", "{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"containerDefinitions\": [{\"privileged\": true}]}"},
}

func withNoTask(cases ...ruleCase) []ruleCase { return append(cases, noTask...) }

var cloudCases = map[string][]ruleCase{
	"cloudrun-public": {
		{"fires on all", run("➤run.googleapis.com/ingress: all", "containers: []")},
		{"fires where it is missing", "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata:\n  name: s\n  ➤annotations: {run.googleapis.com/launch-stage: BETA}\nspec: {}\n"},
		{"fires at the metadata without annotations", "apiVersion: serving.knative.dev/v1\nkind: Service\n➤metadata: {name: s, labels: {cloud.googleapis.com/location: x}}\nspec: {}\n"},
		{"fires on an empty value", run("➤run.googleapis.com/ingress: \"\"", "containers: []")},
		{"is silent about internal", run("run.googleapis.com/ingress: internal", "containers: []")},
		{"is silent about a load balancer in front", run("run.googleapis.com/ingress: internal-and-cloud-load-balancing", "containers: []")},
		{"is silent about Knative on a cluster", "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: s}\nspec: {}\n"},
		{"is silent about a job", "apiVersion: run.googleapis.com/v1\nkind: Job\nmetadata: {name: j}\nspec: {}\n"},
	},
	"cloudrun-default-sa": {
		{"fires at the spec without one", "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: s, annotations: {run.googleapis.com/ingress: internal}}\nspec:\n  template:\n    ➤spec: {containers: [{image: a}]}\n"},
		{"fires on the default account", run("a: b", "➤serviceAccountName: 1-compute@developer.gserviceaccount.com")},
		{"fires on an empty name", run("a: b", "➤serviceAccountName: \"\"")},
		{"fires on a job", "apiVersion: run.googleapis.com/v1\nkind: Job\nmetadata: {name: j}\nspec: {template: {spec: {template: {➤spec: {containers: []}}}}}\n"},
		{"is silent about an account", run("a: b", "serviceAccountName: web@p.iam.gserviceaccount.com")},
		{"is silent about Knative on a cluster", "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: s}\nspec: {template: {spec: {containers: []}}}\n"},
		{"is silent about a Deployment", inNamespace("Deployment", "namespace: shop")},
		{"is silent about a job with an account", "apiVersion: run.googleapis.com/v1\nkind: Job\nmetadata: {name: j}\nspec: {template: {spec: {template: {spec: {serviceAccountName: a@b}}}}}\n"},
	},
	"knative-cluster-local": {
		{"fires without labels", "apiVersion: serving.knative.dev/v1\nkind: Service\n➤metadata: {name: s}\nspec: {}\n"},
		{"fires at labels without it", "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: s, ➤labels: {a: b}}\nspec: {}\n"},
		{"fires at another value", "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: s, labels: {➤networking.knative.dev/visibility: public}}\nspec: {}\n"},
		{"fires on the older API", "apiVersion: serving.knative.dev/v1beta1\nkind: Service\n➤metadata: {name: s}\n"},
		{"is silent about a local one", "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: s, labels: {networking.knative.dev/visibility: cluster-local}}\n"},
		{"is silent about Cloud Run", run("a: b", "containers: []")},
		{"is silent about a Service of the core", service("type: ClusterIP")},
		{"is silent about a Configuration", "apiVersion: serving.knative.dev/v1\nkind: Configuration\nmetadata: {name: s}\n"},
	},
	"eks-irsa-bad-arn": {
		{"fires on a bare name", account("➤eks.amazonaws.com/role-arn: web")},
		{"fires on a user", account("➤eks.amazonaws.com/role-arn: \"arn:aws:iam::111122223333:user/web\"")},
		{"fires on a short account", account("➤eks.amazonaws.com/role-arn: \"arn:aws:iam::1111:role/web\"")},
		{"fires on an empty value", account("➤eks.amazonaws.com/role-arn: \"\"")},
		{"is silent about a role", account("eks.amazonaws.com/role-arn: \"arn:aws:iam::111122223333:role/web\"")},
		{"is silent about a role of another partition", account("eks.amazonaws.com/role-arn: \"arn:aws-us-gov:iam::111122223333:role/path/web\"")},
		{"is silent about a placeholder", account("eks.amazonaws.com/role-arn: \"${ROLE}\"")},
		{"is silent without it", account("a: b")},
	},
	"aks-host-identity": {
		{"fires on an AzureIdentity", "apiVersion: aadpodidentity.k8s.io/v1\n➤kind: AzureIdentity\nmetadata: {name: a}\n"},
		{"fires on its binding", "apiVersion: aadpodidentity.k8s.io/v1\n➤kind: AzureIdentityBinding\nmetadata: {name: a}\n"},
		{"fires on the label of a Pod", "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {➤aadpodidbinding: a}}\nspec: {containers: []}\n"},
		{"fires on the label of a template", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {template: {metadata: {labels: {➤aadpodidbinding: a}}, spec: {containers: []}}}\n"},
		{"is silent about workload identity", account("azure.workload.identity/client-id: a")},
		{"is silent about the label of workload identity", "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {azure.workload.identity/use: \"true\"}}\nspec: {containers: []}\n"},
		{"is silent about other kinds", "apiVersion: example.com/v1\nkind: AzureIdentity\nmetadata: {name: a}\n"},
		{"is silent about a Deployment's own label, which no pod gets", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d, labels: {aadpodidbinding: a}}\nspec: {template: {spec: {containers: []}}}\n"},
	},
	"gke-metadata": {
		{"fires on a key file", container("env:\n  - ➤name: GOOGLE_APPLICATION_CREDENTIALS\n    value: /k.json")},
		{"fires on an init container", inWorkload("apps/v1", "Deployment", "initContainers: [{name: i, env: [{➤name: GOOGLE_APPLICATION_CREDENTIALS, value: /k}]}]")},
		{"fires where another account has an identity", "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: other, annotations: {iam.gke.io/gcp-service-account: a}}\n---\n" + container("env: [{➤name: GOOGLE_APPLICATION_CREDENTIALS, value: /k}]")},
		{"fires where the account has none", account("a: b") + "---\n" + pod("serviceAccountName: web\ninitContainers: [{name: i, env: [{➤name: GOOGLE_APPLICATION_CREDENTIALS, value: /k}]}]")},
		{"is silent where the account has an identity", account("iam.gke.io/gcp-service-account: a") + "---\n" + pod("serviceAccountName: web\ninitContainers: [{name: i, env: [{name: GOOGLE_APPLICATION_CREDENTIALS, value: /k}]}]")},
		{"is silent about other variables", env("GOOGLE_CLOUD_PROJECT", "value: p")},
		{"is silent about an empty value", env("GOOGLE_APPLICATION_CREDENTIALS", "value: \"\"")},
		{"is silent without variables", bareContainer("")},
	},
	"ecs-privileged": withNoTask(
		ruleCase{"fires on true", ecs("➤\"privileged\": true")},
		ruleCase{"fires on each container", "{\"containerDefinitions\": [{➤\"privileged\": true}, {➤\"privileged\": true}]}"},
		ruleCase{"fires on what the AWS command line prints", "{\"taskDefinition\": {\"containerDefinitions\": [{➤\"privileged\": true}]}}"},
		ruleCase{"fires in YAML", "family: f\ncontainerDefinitions:\n  - name: a\n    ➤privileged: true\n"},
		ruleCase{"is silent about false", ecs("\"privileged\": false")}),
	"ecs-host-mode": withNoTask(
		ruleCase{"fires on the network", ecsTask("➤\"networkMode\": \"host\"")},
		ruleCase{"fires on processes", ecsTask("➤\"pidMode\": \"host\"")},
		ruleCase{"fires on IPC", ecsTask("➤\"ipcMode\": \"host\"")},
		ruleCase{"fires on all", ecsTask("➤\"networkMode\": \"host\", ➤\"pidMode\": \"host\"")},
		ruleCase{"is silent about awsvpc", ecsTask("\"networkMode\": \"awsvpc\"")}),
	"ecs-read-only-root-fs": withNoTask(
		ruleCase{"fires at the container that says nothing", "{\"containerDefinitions\": [{➤\"name\": \"a\"}]}"},
		ruleCase{"fires at false", ecs("➤\"readonlyRootFilesystem\": false")},
		ruleCase{"fires at a quoted true", ecs("➤\"readonlyRootFilesystem\": \"true\"")},
		ruleCase{"fires at null", ecs("➤\"readonlyRootFilesystem\": null")},
		ruleCase{"is silent about true", ecs("\"readonlyRootFilesystem\": true")}),
	"ecs-root-user": withNoTask(
		ruleCase{"fires at the container that says nothing", "{\"containerDefinitions\": [{➤\"name\": \"a\"}]}"},
		ruleCase{"fires on root", ecs("➤\"user\": \"root\"")},
		ruleCase{"fires on zero with a group", ecs("➤\"user\": \"0:1000\"")},
		ruleCase{"fires on an empty name", ecs("➤\"user\": \"\"")},
		ruleCase{"is silent about another user", ecs("\"user\": \"web\"")}),
	"ecs-caps": withNoTask(
		ruleCase{"fires on SYS_ADMIN", ecs("\"linuxParameters\": {\"capabilities\": {\"add\": [➤\"SYS_ADMIN\"]}}")},
		ruleCase{"fires on SYS_PTRACE", ecs("\"linuxParameters\": {\"capabilities\": {\"add\": [➤\"SYS_PTRACE\"]}}")},
		ruleCase{"fires on CHOWN", ecs("\"linuxParameters\": {\"capabilities\": {\"add\": [➤\"CHOWN\"]}}")},
		ruleCase{"fires on each", ecs("\"linuxParameters\": {\"capabilities\": {\"add\": [➤\"KILL\", ➤\"ALL\"]}}")},
		ruleCase{"is silent about dropping", ecs("\"linuxParameters\": {\"capabilities\": {\"drop\": [\"ALL\"]}}")}),
	"ecs-docker-sock": withNoTask(
		ruleCase{"fires on Docker's socket", ecsTask("\"volumes\": [{\"name\": \"d\", \"host\": {➤\"sourcePath\": \"/var/run/docker.sock\"}}]")},
		ruleCase{"fires on its directory", ecsTask("\"volumes\": [{\"name\": \"d\", \"host\": {➤\"sourcePath\": \"/var/run\"}}]")},
		ruleCase{"fires on containerd's socket", ecsTask("\"volumes\": [{\"name\": \"d\", \"host\": {➤\"sourcePath\": \"/run/containerd/containerd.sock\"}}]")},
		ruleCase{"fires on a path with dots", ecsTask("\"volumes\": [{\"name\": \"d\", \"host\": {➤\"sourcePath\": \"/var/run/x/../docker.sock\"}}]")},
		ruleCase{"is silent about data", ecsTask("\"volumes\": [{\"name\": \"d\", \"host\": {\"sourcePath\": \"/srv/data\"}}]")}),
	"ecs-secret-env": withNoTask(
		ruleCase{"fires on a password", ecs("\"environment\": [{\"name\": \"DB_PASSWORD\", ➤\"value\": \"hunter2\"}]")},
		ruleCase{"fires on a token", ecs("\"environment\": [{\"name\": \"apiToken\", ➤\"value\": \"0123456789\"}]")},
		ruleCase{"fires on a URL with a password", ecs("\"environment\": [{\"name\": \"URL\", ➤\"value\": \"redis://:hunter2@cache\"}]")},
		ruleCase{"fires on each", ecs("\"environment\": [{\"name\": \"A_SECRET\", ➤\"value\": \"hunter2\"}, {\"name\": \"B_SECRET\", ➤\"value\": \"hunter2\"}]")},
		ruleCase{"is silent about a reference", ecs("\"secrets\": [{\"name\": \"DB_PASSWORD\", \"valueFrom\": \"arn:aws:ssm:x\"}]")}),
	"ecs-no-logs": withNoTask(
		ruleCase{"fires at the container that says nothing", "{\"containerDefinitions\": [{➤\"name\": \"a\"}]}"},
		ruleCase{"fires at a configuration without a driver", ecs("➤\"logConfiguration\": {}")},
		ruleCase{"fires on none", ecs("\"logConfiguration\": {➤\"logDriver\": \"none\"}")},
		ruleCase{"fires on an empty driver", ecs("\"logConfiguration\": {➤\"logDriver\": \"\"}")},
		ruleCase{"is silent about a driver", ecs("\"logConfiguration\": {\"logDriver\": \"awslogs\"}")}),
}
