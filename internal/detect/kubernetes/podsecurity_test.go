package kubernetes

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	psapi "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"

	"github.com/portcullis-ci/portcullis/internal/rules"
)

// forbidden reports whether a rule of the Pod Security Standards fires.
func forbidden(t *testing.T, content []byte, level Level, version string) []string {
	t.Helper()
	result := Lint(context.Background(), []File{{Path: "pod.yaml", Content: content}}, Options{PodSecurity: level, KubeVersion: version})
	checkResult(t, result)
	standard := make(map[string]bool)
	for _, r := range Rules() {
		standard[r.ID] = slices.Contains(r.Tags, tagBaseline) || slices.Contains(r.Tags, tagRestricted)
	}
	var ids []string
	for _, f := range result.Findings {
		if standard[f.RuleID] || f.RuleID == unreadable.ID {
			ids = append(ids, f.RuleID)
		}
	}
	return slices.Compact(ids)
}

// TestPodSecurityStandardsFixtures holds the rules against the fixtures that
// the module of the Pod Security Standards publishes for its own tests.
func TestPodSecurityStandardsFixtures(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "k8s.io/pod-security-admission").Output()
	if err != nil {
		t.Fatalf("find the module that holds the fixtures: %v", err)
	}
	root := filepath.Join(strings.TrimSpace(string(out)), "test", "testdata")
	files, err := filepath.Glob(filepath.Join(root, "*", "*", "*", "*.yaml"))
	if err != nil || len(files) < 4000 {
		t.Fatalf("%d fixtures found under %s: %v", len(files), root, err)
	}
	wrong := 0
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name, _ := filepath.Rel(root, file)
		parts := strings.Split(filepath.ToSlash(name), "/")
		got := forbidden(t, content, Level(parts[0]), parts[1])
		if want := parts[2] == "fail"; (len(got) > 0) != want {
			wrong++
			if wrong <= 30 {
				t.Errorf("%s: fired %v, want a finding: %v", name, got, want)
			}
		}
	}
	t.Logf("%d of %d fixtures agree", len(files)-wrong, len(files))
}

// TestPodSecurityStandardsOracle makes random pods and asks the admission
// controller's own evaluator.
func TestPodSecurityStandardsOracle(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 600 {
		content := []byte(randomPod(random))
		var pod corev1.Pod
		if err := yaml.UnmarshalStrict(content, &pod); err != nil {
			t.Fatalf("pod %d is no pod: %v\n%s", i, err, content)
		}
		applyDefaults(&pod.Spec)
		minor := 19 + random.IntN(newestMinor-18)
		for _, level := range []Level{Baseline, Restricted} {
			results := evaluator.EvaluatePod(psapi.LevelVersion{Level: psapi.Level(level), Version: psapi.MajorMinorVersion(1, minor)}, &pod.ObjectMeta, &pod.Spec)
			var want []string
			for _, r := range results {
				if !r.Allowed {
					want = append(want, r.ForbiddenReason)
				}
			}
			got := forbidden(t, content, level, fmt.Sprintf("1.%d", minor))
			if (len(got) > 0) != (len(want) > 0) {
				t.Errorf("pod %d at %s 1.%d: fired %v, the standard forbids %v\n%s", i, level, minor, got, want, content)
			}
		}
	}
}

// applyDefaults does what the API server does before admission, as far as the
// standards depend on it.
func applyDefaults(spec *corev1.PodSpec) {
	for i := range spec.Volumes {
		source, _ := json.Marshal(spec.Volumes[i].VolumeSource)
		if string(source) == "{}" {
			spec.Volumes[i].EmptyDir = &corev1.EmptyDirVolumeSource{}
		}
	}
	if !spec.HostNetwork {
		return
	}
	for _, containers := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range containers {
			for j := range containers[i].Ports {
				containers[i].Ports[j].HostPort = containers[i].Ports[j].ContainerPort
			}
		}
	}
}

// The pieces of random pods: each is left out, or one is chosen. Those of the
// first group are harmless, so that some pods pass.
var (
	podPieces = [][]string{
		{"hostPID: false", "hostPID: true"},
		{"hostNetwork: false", "hostNetwork: false", "hostNetwork: true"},
		{"hostUsers: false", "hostUsers: true"},
		{"volumes: [{name: v}]", "volumes: [{name: v, emptyDir: {}}]", "volumes: [{name: v, nfs: {server: a, path: /}}]", "volumes: [{name: v, hostPath: {path: /srv}}]", "volumes: [{name: v, image: {reference: a}}]"},
		{"os: {name: linux}", "os: {name: linux}", "os: {name: windows}"},
	}
	podContextPieces = [][]string{
		{"runAsNonRoot: true", "runAsNonRoot: true", "runAsNonRoot: true", "runAsNonRoot: false"},
		{"runAsUser: 1000", "runAsUser: 1000", "runAsUser: 0"},
		{"seccompProfile: {type: RuntimeDefault}", "seccompProfile: {type: RuntimeDefault}", "seccompProfile: {type: Localhost, localhostProfile: a}", "seccompProfile: {type: Unconfined}"},
		{"seLinuxOptions: {type: container_t}", "seLinuxOptions: {type: container_engine_t}", "seLinuxOptions: {user: u}"},
		{"sysctls: [{name: net.ipv4.tcp_syncookies, value: \"1\"}]", "sysctls: [{name: net.ipv4.tcp_rmem, value: \"1\"}]"},
		{"windowsOptions: {hostProcess: false}", "windowsOptions: {hostProcess: false}", "windowsOptions: {hostProcess: true}"},
		{"appArmorProfile: {type: RuntimeDefault}", "appArmorProfile: {type: RuntimeDefault}", "appArmorProfile: {type: Unconfined}"},
	}
	contextPieces = [][]string{
		{"allowPrivilegeEscalation: false", "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true"},
		{"capabilities: {drop: [ALL]}", "capabilities: {drop: [ALL]}", "capabilities: {drop: [ALL]}", "capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}", "capabilities: {drop: [ALL], add: [CHOWN]}", "capabilities: {add: [SYS_TIME]}", "capabilities: {drop: [all]}"},
		{"privileged: false", "privileged: false", "privileged: true"},
		{"runAsNonRoot: true", "runAsNonRoot: true", "runAsNonRoot: false"},
		{"runAsUser: 1000", "runAsUser: 0"},
		{"procMount: Default", "procMount: Unmasked"},
		{"seccompProfile: {type: RuntimeDefault}", "seccompProfile: {type: Unconfined}"},
	}
	containerPieces = [][]string{
		{"ports: [{containerPort: 80}]", "ports: [{containerPort: 80, hostPort: 80}]", "ports: [{containerPort: 80, hostPort: 0}]"},
		{"livenessProbe: {httpGet: {port: 80}}", "livenessProbe: {httpGet: {port: 80}}", "livenessProbe: {tcpSocket: {port: 80, host: a}}"},
	}
)

// choose picks from each group with the given chance in percent, and prefers
// the first piece.
func choose(random *rand.Rand, groups [][]string, percent int) []string {
	var chosen []string
	for _, g := range groups {
		if random.IntN(100) >= percent {
			continue
		}
		piece := g[0]
		if random.IntN(3) == 0 {
			piece = g[random.IntN(len(g))]
		}
		chosen = append(chosen, piece)
	}
	return chosen
}

func randomPod(random *rand.Rand) string {
	var b strings.Builder
	b.WriteString("apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n")
	if random.IntN(20) == 0 {
		b.WriteString("  annotations: {container.apparmor.security.beta.kubernetes.io/a: unconfined}\n")
	}
	b.WriteString("spec:\n  securityContext: {" + strings.Join(choose(random, podContextPieces, 75), ", ") + "}\n")
	for _, piece := range choose(random, podPieces, 40) {
		b.WriteString("  " + piece + "\n")
	}
	for _, list := range []string{"containers", "initContainers"} {
		b.WriteString("  " + list + ":\n    - name: " + list[:1] + "\n")
		for _, piece := range choose(random, containerPieces, 30) {
			b.WriteString("      " + piece + "\n")
		}
		percent := 60
		if random.IntN(3) > 0 {
			percent = 95
		}
		b.WriteString("      securityContext: {" + strings.Join(choose(random, contextPieces, percent), ", ") + "}\n")
	}
	return b.String()
}

func TestALevelLeavesOtherRulesAlone(t *testing.T) {
	for _, r := range Rules() {
		if slices.Contains(r.Tags, tagBaseline) && slices.Contains(r.Tags, tagRestricted) {
			t.Errorf("rule %s is tagged with both levels", r.ID)
		}
	}
	result := Lint(context.Background(), []File{{Path: "a.yaml", Content: []byte(bareContainer(""))}}, Options{PodSecurity: Baseline})
	ids := make(map[string]bool)
	for _, f := range result.Findings {
		ids[f.RuleID] = true
	}
	if ids["k8s-run-as-non-root"] || !ids["k8s-read-only-root-fs"] {
		t.Errorf("at baseline these fired: %v", ids)
	}
	for id := range standardSince {
		if !slices.ContainsFunc(Rules(), func(r rules.Rule) bool { return r.ID == id }) {
			t.Errorf("%s is no rule", id)
		}
	}
}
