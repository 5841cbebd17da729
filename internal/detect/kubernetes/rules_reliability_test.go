package kubernetes

// deployment is one with lines of its spec and a container with fields.
func deployment(spec, containerFields string) string {
	return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  " + spec + "\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n      containers:\n        - " + containerFields + "\n"
}

func probeCases(field string) []ruleCase {
	return []ruleCase{
		{"fires at the container", deployment("replicas: 2", "➤name: a")},
		{"fires at an empty one", deployment("replicas: 2", "{name: a, ➤"+field+": null}")},
		{"fires for each container", deployment("replicas: 2", "➤name: a\n        - ➤name: b")},
		{"fires in a StatefulSet", inWorkload("apps/v1", "StatefulSet", "containers:\n  - ➤name: a")},
		{"is silent with one", deployment("replicas: 2", "{name: a, "+field+": {tcpSocket: {port: 1}}}")},
		{"is silent about a Job, which ends", inWorkload("batch/v1", "Job", "containers:\n  - name: a")},
		{"is silent about a Pod that stands alone", bareContainer("")},
		{"is silent about init containers", inWorkload("apps/v1", "Deployment", "initContainers: [{name: i}]")},
	}
}

func pdb(spec string) string {
	return "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: p}\nspec: {" + spec + "}\n"
}

func marked(kind, spec string) string {
	return "apiVersion: apps/v1\n➤kind: " + kind + "\nmetadata: {name: web}\nspec:\n  " + spec + "\n  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: a}]}\n"
}

const hpaForWeb = "---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: h}\nspec: {scaleTargetRef: {kind: Deployment, name: web}}\n"

var reliabilityCases = map[string][]ruleCase{
	"k8s-liveness-probe":  probeCases("livenessProbe"),
	"k8s-readiness-probe": probeCases("readinessProbe"),
	"k8s-probe-port": {
		{"fires on a name that is not there", container("livenessProbe: {httpGet: {➤port: http}}")},
		{"fires on another name", container("ports: [{name: https, containerPort: 1}]\nreadinessProbe: {tcpSocket: {➤port: http}}")},
		{"fires on a startup probe", container("startupProbe: {httpGet: {➤port: web}}")},
		{"fires on each", container("livenessProbe: {httpGet: {➤port: a}}\nreadinessProbe: {httpGet: {➤port: b}}")},
		{"is silent about a number", container("livenessProbe: {httpGet: {port: 80}}")},
		{"is silent about a quoted number", container("livenessProbe: {httpGet: {port: \"80\"}}")},
		{"is silent about a name that is there", container("ports: [{name: http, containerPort: 80}]\nlivenessProbe: {httpGet: {port: http}}")},
		{"is silent about a command", container("livenessProbe: {exec: {command: [a]}}")},
	},
	"k8s-replicas": {
		{"fires on one", deployment("➤replicas: 1", "name: a")},
		{"fires at the spec without it", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n➤spec: {template: {spec: {containers: []}}}\n"},
		{"fires in a StatefulSet", "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: web}\nspec: {➤replicas: 1}\n"},
		{"fires where the autoscaler is for another", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: db}\nspec: {➤replicas: 1}\n" + hpaForWeb},
		{"is silent about three", deployment("replicas: 3", "name: a")},
		{"is silent about none, which is switched off", deployment("replicas: 0", "name: a")},
		{"is silent with an autoscaler", deployment("replicas: 1", "name: a") + hpaForWeb},
		{"is silent about a DaemonSet", inWorkload("apps/v1", "DaemonSet", "containers: []")},
	},
	"k8s-pdb-missing": {
		{"fires without one", marked("Deployment", "replicas: 3")},
		{"fires in a StatefulSet", marked("StatefulSet", "replicas: 2")},
		{"fires where it selects others", marked("Deployment", "replicas: 3") + "---\n" + pdb("selector: {matchLabels: {app: db}}")},
		{"fires with an autoscaler", marked("Deployment", "paused: false") + hpaForWeb},
		{"is silent with one", deployment("replicas: 3", "name: a") + "---\n" + pdb("selector: {matchLabels: {app: web}}")},
		{"is silent with one for all", deployment("replicas: 3", "name: a") + "---\n" + pdb("selector: {}")},
		{"is silent about a single replica", deployment("replicas: 1", "name: a")},
		{"is silent about a Job", inWorkload("batch/v1", "Job", "containers: []")},
	},
	"k8s-pdb-blocks": {
		{"fires on none", pdb("➤maxUnavailable: 0")},
		{"fires on no percent", pdb("➤maxUnavailable: 0%")},
		{"fires on all", pdb("➤minAvailable: 100%")},
		{"fires on quoted text", pdb("➤minAvailable: \"100%\"")},
		{"is silent about one", pdb("maxUnavailable: 1")},
		{"is silent about a half", pdb("minAvailable: 50%")},
		{"is silent about a number to stay", pdb("minAvailable: 2")},
		{"is silent about other kinds", service("maxUnavailable: 0")},
	},
	"k8s-anti-affinity": {
		{"fires at the spec of the pods", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 2\n  template:\n    ➤spec: {containers: []}\n"},
		{"fires at an empty list", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 2, template: {spec: {➤topologySpreadConstraints: []}}}\n"},
		{"fires in a StatefulSet", "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: web}\nspec: {replicas: 3, template: {➤spec: {containers: []}}}\n"},
		{"fires with an affinity to nodes alone", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 2, template: {➤spec: {affinity: {nodeAffinity: {}}}}}\n"},
		{"is silent with constraints", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 2, template: {spec: {topologySpreadConstraints: [{maxSkew: 1}]}}}\n"},
		{"is silent with an anti-affinity", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 2, template: {spec: {affinity: {podAntiAffinity: {}}}}}\n"},
		{"is silent about a single replica", deployment("replicas: 1", "name: a")},
		{"is silent about a DaemonSet", inWorkload("apps/v1", "DaemonSet", "containers: []")},
	},
	"k8s-rolling-update": {
		{"fires on Recreate", deployment("strategy: {➤type: Recreate}", "name: a")},
		{"fires in block style", deployment("strategy:\n    ➤type: Recreate", "name: a")},
		{"fires on a quoted value", deployment("strategy: {➤type: \"Recreate\"}", "name: a")},
		{"fires in a list", "apiVersion: v1\nkind: List\nitems: [{apiVersion: apps/v1, kind: Deployment, spec: {strategy: {➤type: Recreate}}}]\n"},
		{"is silent about RollingUpdate", deployment("strategy: {type: RollingUpdate}", "name: a")},
		{"is silent where nothing is said", deployment("replicas: 2", "name: a")},
		{"is silent about a StatefulSet", "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: web}\nspec: {strategy: {type: Recreate}}\n"},
		{"is silent about other APIs", "apiVersion: example.com/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {strategy: {type: Recreate}}\n"},
	},
	"k8s-duplicate-env": {
		{"fires on the second", container("env:\n  - {name: A, value: a}\n  - {➤name: A, value: b}")},
		{"fires on the third too", container("env:\n  - {name: A}\n  - {➤name: A}\n  - {➤name: A}")},
		{"fires on an init container", inWorkload("apps/v1", "Deployment", "initContainers: [{name: i, env: [{name: A}, {➤name: A}]}]")},
		{"fires whatever it comes from", container("env:\n  - {name: A, value: a}\n  - {➤name: A, valueFrom: {fieldRef: {fieldPath: a}}}")},
		{"is silent about two names", container("env: [{name: A}, {name: B}]")},
		{"is silent about capitals", container("env: [{name: A}, {name: a}]")},
		{"is silent about two containers", deployment("replicas: 1", "{name: a, env: [{name: A}]}\n        - {name: b, env: [{name: A}]}")},
		{"is silent without variables", bareContainer("")},
	},
}
