package schema

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	nodev1 "k8s.io/api/node/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/portcullis-ci/portcullis/internal/manifest"
)

var update = flag.Bool("update", false, "write the table anew from the Go types")

// TestTableIsThatOfTheGoTypes makes the table from k8s.io/api, which is
// needed for nothing else, and compares.
func TestTableIsThatOfTheGoTypes(t *testing.T) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		admissionregistrationv1.AddToScheme, appsv1.AddToScheme, autoscalingv1.AddToScheme, autoscalingv2.AddToScheme, batchv1.AddToScheme,
		coordinationv1.AddToScheme, corev1.AddToScheme, discoveryv1.AddToScheme, networkingv1.AddToScheme, nodev1.AddToScheme,
		policyv1.AddToScheme, rbacv1.AddToScheme, schedulingv1.AddToScheme, storagev1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	var kinds []string
	w := tableWriter{numbers: make(map[reflect.Type]int)}
	for gvk, typ := range scheme.AllKnownTypes() {
		if _, object := typ.FieldByName("ObjectMeta"); object && gvk.Version != runtime.APIVersionInternal {
			kinds = append(kinds, gvk.GroupVersion().String()+" "+gvk.Kind)
		}
	}
	slices.Sort(kinds)
	var b strings.Builder
	for _, kind := range kinds {
		for gvk, typ := range scheme.AllKnownTypes() {
			if gvk.GroupVersion().String()+" "+gvk.Kind == kind {
				fmt.Fprintf(&b, "k %s %s\n", kind, w.code(typ))
			}
		}
	}
	for i := 0; i < len(w.order); i++ {
		fmt.Fprintf(&b, "t %d%s\n", i, w.fields(w.order[i]))
	}
	if *update {
		if err := os.WriteFile("fields.txt", []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(table, b.String()); diff != "" {
		t.Errorf("the table is not that of the Go types; run go test with -update:\n%.2000s", diff)
	}
}

type tableWriter struct {
	numbers map[reflect.Type]int
	order   []reflect.Type
}

// scalars are types whose JSON is not that of their Go structure.
var scalars = map[string]string{
	"resource.Quantity": "q", "intstr.IntOrString": "x", "v1.Time": "s", "v1.MicroTime": "s", "v1.Duration": "s",
	"runtime.RawExtension": "*", "v1.FieldsV1": "*",
}

func (w *tableWriter) code(t reflect.Type) string {
	if code, ok := scalars[t.String()]; ok {
		return code
	}
	switch t.Kind() {
	case reflect.Pointer:
		return w.code(t.Elem())
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "s"
		}
		return "[" + w.code(t.Elem())
	case reflect.Map:
		return "{" + w.code(t.Elem())
	case reflect.String:
		return "s"
	case reflect.Bool:
		return "b"
	case reflect.Int, reflect.Int32, reflect.Int64:
		return "i"
	case reflect.Float32, reflect.Float64:
		return "n"
	case reflect.Struct:
		if _, known := w.numbers[t]; !known {
			w.numbers[t] = len(w.order)
			w.order = append(w.order, t)
		}
		return fmt.Sprint(w.numbers[t])
	}
	return "*"
}

func (w *tableWriter) fields(t reflect.Type) string {
	var all []string
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-":
		case name == "" && (f.Anonymous || strings.Contains(options, "inline")):
			all = append(all, strings.Fields(w.fields(f.Type))...)
		default:
			all = append(all, name+":"+w.code(f.Type))
		}
	}
	slices.Sort(all)
	if len(all) == 0 {
		return ""
	}
	return " " + strings.Join(all, " ")
}

func TestMismatchesAreFound(t *testing.T) {
	tests := []struct{ name, spec, want string }{
		{"a field in the wrong letters", "hostpid: true", "spec.hostpid is unknown, hostPID?"},
		{"a misspelt field", "securtyContext: {}", "spec.securtyContext is unknown, securityContext?"},
		{"a field that nobody could mean", "colour: red", "spec.colour is unknown, ?"},
		{"a string for a boolean", "hostPID: \"true\"", "spec.hostPID wants true or false"},
		{"a number for a string", "hostname: 1", "spec.hostname wants a string"},
		{"a map for a list", "containers: {}", "spec.containers wants a list"},
		{"a string for a map", "securityContext: none", "spec.securityContext wants a map"},
		{"a quantity as a number", "containers: [{name: a, resources: {limits: {cpu: 1, memory: 1Gi}}}]", ""},
		{"a port by name or number", "containers: [{name: a, livenessProbe: {httpGet: {port: web}}, startupProbe: {tcpSocket: {port: 1}}}]", ""},
		{"what is right", "containers: [{name: a, image: b, env: [{name: X, value: \"1\"}]}]\nnodeSelector: {a: b}", ""},
		{"null, which means absent", "hostPID: null", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {a: b}}\nspec:\n  " + strings.ReplaceAll(tt.spec, "\n", "\n  ") + "\n"
			doc := manifest.Parse(manifest.File{Path: "a", Content: []byte(text)}, manifest.Limits{})[0]
			var got []string
			Check(manifest.NewPlace(doc.Root), Lookup("v1", "Pod"), func(m Mismatch) {
				if m.Unknown {
					got = append(got, m.Place.Path()+" is unknown, "+m.Closest+"?")
				} else {
					got = append(got, m.Place.Path()+" wants "+m.Want)
				}
			})
			if s := strings.Join(got, "; "); s != tt.want {
				t.Errorf("got %q, want %q", s, tt.want)
			}
		})
	}
}

// TestFullObjectsHaveNoMismatch checks the objects with every field set that
// the module of the Go types carries for its own tests.
func TestFullObjectsHaveNoMismatch(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "k8s.io/api").Output()
	if err != nil {
		t.Fatalf("find the module that holds the objects: %v", err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(out)), "testdata", "HEAD", "*.yaml"))
	if err != nil || len(files) < 100 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	checked := 0
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		doc := manifest.Parse(manifest.File{Path: file, Content: content}, manifest.Limits{})[0]
		root := manifest.NewPlace(doc.Root)
		typ := Lookup(root.At("apiVersion").Text(), root.At("kind").Text())
		if typ == nil {
			continue
		}
		checked++
		Check(root, typ, func(m Mismatch) {
			t.Errorf("%s: %s: unknown %v, wants %q", filepath.Base(file), m.Place.Path(), m.Unknown, m.Want)
		})
	}
	if checked < 50 {
		t.Errorf("only %d objects were checked", checked)
	}
}
