package kubernetes

import "testing"

// resourceField are the cases of an amount that has to be set.
func resourceField(kind, name, value string) []ruleCase {
	return []ruleCase{
		{"fires at the container that says nothing", bareContainer("➤")},
		{"fires at resources without it", container("➤resources: {claims: []}")},
		{"fires at the kind of amount without it", container("resources:\n  ➤" + kind + ": {example.com/gpu: 1}")},
		{"fires on an init container", inWorkload("apps/v1", "Deployment", "initContainers:\n  - ➤name: i")},
		{"is silent where it is set", container("resources: {" + kind + ": {" + name + ": " + value + "}}")},
		{"is silent about an ephemeral container", inWorkload("apps/v1", "Deployment", "ephemeralContainers:\n  - name: e")},
		{"is silent about objects without pods", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"},
		{"is silent where it is set for a number", container("resources: {" + kind + ": {" + name + ": 1}}")},
	}
}

const limitRangeFor = "apiVersion: v1\nkind: LimitRange\nmetadata: {name: l, namespace: shop}\nspec: {limits: [{type: Container, default: {memory: 1Gi}}]}\n---\n"

var resourceCases = map[string][]ruleCase{
	"k8s-memory-limit": append(resourceField("limits", "memory", "1Gi"),
		ruleCase{"is silent where the pod has a limit as a whole", pod("resources: {limits: {memory: 1Gi}}")},
		ruleCase{"is silent where a LimitRange gives one", limitRangeFor + bareContainer("")}),
	"k8s-memory-request": append(resourceField("requests", "memory", "1Gi"),
		ruleCase{"is silent where a limit is the request", container("resources: {limits: {memory: 1Gi}}")}),
	"k8s-cpu-request": append(resourceField("requests", "cpu", "100m"),
		ruleCase{"is silent where a limit is the request", container("resources: {limits: {cpu: 1}}")}),
	"k8s-cpu-limit":         resourceField("limits", "cpu", "100m"),
	"k8s-ephemeral-storage": resourceField("limits", "ephemeral-storage", "1Gi"),
	"k8s-requests-exceed-limits": {
		{"fires on memory", container("resources: {requests: {➤memory: 2Gi}, limits: {memory: 1Gi}}")},
		{"fires on CPU in other units", container("resources: {requests: {➤cpu: 1.5}, limits: {cpu: 1400m}}")},
		{"fires on units of ten and of two", container("resources: {requests: {➤memory: 1Gi}, limits: {memory: 1G}}")},
		{"fires on each", container("resources:\n  requests: {➤cpu: 2, ➤memory: 2Gi}\n  limits: {cpu: 1, memory: 1Gi}")},
		{"is silent where both are equal in other units", container("resources: {requests: {cpu: 1}, limits: {cpu: 1000m}}")},
		{"is silent where the limit is higher", container("resources: {requests: {memory: 1e9}, limits: {memory: 1Gi}}")},
		{"is silent without a limit", container("resources: {requests: {memory: 1Gi}}")},
		{"is silent about what is no amount", container("resources: {requests: {memory: lots}, limits: {memory: 1Gi}}")},
	},
}

func TestQuantitiesAreReadInAllNotations(t *testing.T) {
	for text, want := range map[string]string{
		"1": "1", "100m": "1/10", "1.5": "3/2", "1Ki": "1024", "1k": "1000", "1e3": "1000", "2E": "2000000000000000000", "1.": "1", ".5": "1/2", "-1": "-1",
	} {
		if got, ok := quantity(text); !ok || got.RatString() != want {
			t.Errorf("quantity(%q) = %v, want %s", text, got, want)
		}
	}
	for _, text := range []string{"", "1KB", "one", "1 Gi", "0x10", "1e9999"} {
		if got, ok := quantity(text); ok {
			t.Errorf("quantity(%q) = %v, want none", text, got)
		}
	}
}
