package chart

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/template"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/Masterminds/sprig/v3"
	yamlv3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

// maxRepeat bounds what functions make out of a number: a slice, a text.
const maxRepeat = 1_000_000

// maxIncludes bounds how deep templates may include one another, as Helm does.
const maxIncludes = 1000

// functions are those of Helm: sprig's without what looks outside or differs
// from run to run, and Helm's own.
func (e *engine) functions() template.FuncMap {
	f := sprig.TxtFuncMap()
	delete(f, "env")
	delete(f, "expandenv")
	for name, function := range bounded() {
		f[name] = function
	}
	for name, function := range fixed() {
		f[name] = function
	}
	for name, function := range encoders() {
		f[name] = function
	}
	f["include"] = func(name string, data any) (string, error) { return e.include(e.set, name, data) }
	f["tpl"] = func(text string, data any) (string, error) { return e.tpl(e.set, text, data) }
	f["required"] = func(message string, value any) (any, error) {
		if s, isString := value.(string); value == nil || isString && s == "" {
			return nil, errors.New(message)
		}
		return value, nil
	}
	f["fail"] = func(message string) (string, error) { return "", errors.New(message) }
	// There is no cluster and no network to look into, as with `helm template`.
	f["getHostByName"] = func(string) string { return "" }
	f["lookup"] = func(string, string, string, string) map[string]any { return map[string]any{} }
	return e.guarded(f)
}

// include renders a template into text.
func (e *engine) include(set *template.Template, name string, data any) (string, error) {
	e.depth++
	defer func() { e.depth-- }()
	if e.depth > maxIncludes {
		return "", fmt.Errorf("the template %s includes itself without end", name)
	}
	w := &plain{budget: e.budget}
	if err := set.ExecuteTemplate(w, name, data); err != nil {
		return "", err
	}
	return strings.ReplaceAll(w.buf.String(), string(noValue), ""), nil
}

// tpl renders a text that came out of the values.
func (e *engine) tpl(set *template.Template, text string, data any) (string, error) {
	e.depth++
	defer func() { e.depth-- }()
	if e.depth > maxIncludes {
		return "", errors.New("tpl calls itself without end")
	}
	clone, err := set.Clone()
	if err != nil {
		return "", fmt.Errorf("tpl: %w", err)
	}
	clone.Funcs(template.FuncMap{
		"include": e.guard(func(name string, data any) (string, error) { return e.include(clone, name, data) }),
		"tpl":     e.guard(func(text string, data any) (string, error) { return e.tpl(clone, text, data) }),
	})
	t, err := clone.New("tpl").Parse(text)
	if err != nil {
		return "", fmt.Errorf("tpl: %w", err)
	}
	e.markAll(clone)
	w := &plain{budget: e.budget}
	if err := t.Execute(w, data); err != nil {
		return "", fmt.Errorf("tpl: %w", err)
	}
	return strings.ReplaceAll(w.buf.String(), string(noValue), ""), nil
}

// bounded are sprig's functions that make much out of a number.
func bounded() template.FuncMap {
	s := sprig.TxtFuncMap()
	until, _ := s["until"].(func(int) []int)
	step, _ := s["untilStep"].(func(int, int, int) []int)
	tooMuch := func(n int) error {
		if n > maxRepeat || n < -maxRepeat {
			return errTooMuch
		}
		return nil
	}
	return template.FuncMap{
		"until": func(n int) ([]int, error) {
			if err := tooMuch(n); err != nil {
				return nil, err
			}
			return until(n), nil
		},
		"untilStep": func(from, to, by int) ([]int, error) {
			if err := tooMuch(to - from); err != nil {
				return nil, err
			}
			return step(from, to, by), nil
		},
		"repeat": func(n int, text string) (string, error) {
			if n < 0 || n > 0 && len(text) > maxRepeat/n {
				return "", errTooMuch
			}
			return strings.Repeat(text, n), nil
		},
		"indent":  func(n int, text string) (string, error) { return indent(n, text) },
		"nindent": func(n int, text string) (string, error) { s, err := indent(n, text); return "\n" + s, err },
		"seq": func(n ...int) (string, error) {
			for _, i := range n {
				if err := tooMuch(i); err != nil {
					return "", err
				}
			}
			seq, _ := s["seq"].(func(...int) string)
			return seq(n...), nil
		},
	}
}

// placeholder stands for what would be made up anew at each rendering.
func placeholder(n int) (string, error) {
	if n < 0 || n > maxRepeat {
		return "", errTooMuch
	}
	return strings.Repeat("x", n), nil
}

// certificate is what genCA and its like return.
type certificate struct{ Cert, Key string }

// fixed are functions whose results would differ from run to run, or take
// long; the same chart must give the same findings each time.
func fixed() template.FuncMap {
	made := func(...any) certificate { return certificate{Cert: "xxxx", Key: "xxxx"} }
	text := func(...any) string { return "xxxx" }
	return template.FuncMap{
		"randAlphaNum": placeholder, "randAlpha": placeholder, "randAscii": placeholder, "randNumeric": placeholder, "randBytes": placeholder,
		"randInt":       func(from, _ int) int { return from },
		"shuffle":       func(s string) string { return s },
		"uuidv4":        func() string { return "00000000-0000-4000-8000-000000000000" },
		"now":           func() time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"genPrivateKey": text, "derivePassword": text, "bcrypt": text, "htpasswd": text, "encryptAES": text, "decryptAES": text,
		"genCA": made, "genCAWithKey": made, "genSelfSignedCert": made, "genSelfSignedCertWithKey": made,
		"genSignedCert": made, "genSignedCertWithKey": made, "buildCustomCert": made,
	}
}

// encoders are Helm's functions for YAML and JSON. As in Helm, those without
// "must" give nothing for what cannot be encoded, and an Error entry for what
// cannot be decoded.
func encoders() template.FuncMap {
	toYAML := func(v any) string {
		data, err := yaml.Marshal(v)
		if err != nil {
			return ""
		}
		return strings.TrimSuffix(string(data), "\n")
	}
	mustYAML := func(v any) (string, error) {
		data, err := yaml.Marshal(v)
		return strings.TrimSuffix(string(data), "\n"), err
	}
	toJSON := func(v any) string {
		data, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return string(data)
	}
	decode := func(text string) map[string]any {
		m := make(map[string]any)
		if err := yaml.Unmarshal([]byte(text), &m); err != nil {
			m["Error"] = err.Error()
		}
		return m
	}
	array := func(text string) []any {
		a := []any{}
		if err := yaml.Unmarshal([]byte(text), &a); err != nil {
			a = []any{err.Error()}
		}
		return a
	}
	return template.FuncMap{
		"toYaml": toYAML, "toYamlPretty": prettyYAML, "mustToYaml": mustYAML, "toJson": toJSON,
		"mustToJson": func(v any) (string, error) { data, err := json.Marshal(v); return string(data), err },
		"fromYaml":   decode, "fromJson": decode, "fromYamlArray": array, "fromJsonArray": array,
		"toToml": func(v any) string {
			text, err := toTOML(v)
			if err != nil {
				return err.Error()
			}
			return text
		},
		"mustToToml": toTOML,
		"fromToml": func(text string) map[string]any {
			m := make(map[string]any)
			if err := toml.Unmarshal([]byte(text), &m); err != nil {
				m["Error"] = err.Error()
			}
			return m
		},
	}
}

func toTOML(v any) (string, error) {
	var b strings.Builder
	err := toml.NewEncoder(&b).Encode(v)
	return b.String(), err
}

// prettyYAML indents the items of lists.
func prettyYAML(v any) string {
	var b strings.Builder
	encoder := yamlv3.NewEncoder(&b)
	encoder.SetIndent(2)
	if err := encoder.Encode(v); err != nil {
		return ""
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// capabilities are what templates may ask about the cluster.
type capabilities struct {
	KubeVersion kubeVersion
	APIVersions apiVersions
	HelmVersion map[string]string
}

type kubeVersion struct{ Version, Major, Minor, GitVersion string }

// String is the version, as templates print it.
func (v kubeVersion) String() string { return v.Version }

type apiVersions []string

// Has reports whether the cluster serves an API, given as group/version or
// group/version/Kind.
func (a apiVersions) Has(api string) bool {
	for _, known := range a {
		if api == known || strings.HasPrefix(api, known+"/") {
			return true
		}
	}
	return false
}

// servedAPIs are those of a plain cluster.
var servedAPIs = apiVersions{
	"v1", "apps/v1", "batch/v1", "autoscaling/v1", "autoscaling/v2", "networking.k8s.io/v1", "policy/v1", "rbac.authorization.k8s.io/v1",
	"storage.k8s.io/v1", "admissionregistration.k8s.io/v1", "apiextensions.k8s.io/v1", "apiregistration.k8s.io/v1", "coordination.k8s.io/v1",
	"certificates.k8s.io/v1", "discovery.k8s.io/v1", "events.k8s.io/v1", "node.k8s.io/v1", "scheduling.k8s.io/v1", "authentication.k8s.io/v1", "authorization.k8s.io/v1",
}

func newCapabilities(version string) capabilities {
	if version == "" {
		version = "1.37"
	}
	version = "v" + strings.TrimPrefix(version, "v")
	if strings.Count(version, ".") == 1 {
		version += ".0"
	}
	major, rest, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	minor, _, _ := strings.Cut(rest, ".")
	return capabilities{
		KubeVersion: kubeVersion{Version: version, Major: major, Minor: minor, GitVersion: version},
		APIVersions: servedAPIs,
		HelmVersion: map[string]string{"Version": "v3.22.0"},
	}
}
