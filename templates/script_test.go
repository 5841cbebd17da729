package templates

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// job is what the template makes of its inputs.
type job struct {
	Variables map[string]string
	Script    []string
	Artifacts struct {
		Paths   []string
		Reports map[string]any
	}
	AllowFailure struct {
		ExitCodes any `yaml:"exit_codes"`
	} `yaml:"allow_failure"`
}

// expand reads the template's job as GitLab does: with the defaults of its
// inputs, or the given values.
func expand(t *testing.T, inputs map[string]string) job {
	t.Helper()
	content, err := os.ReadFile("gate.yml")
	if err != nil {
		t.Fatal(err)
	}
	head, body, ok := strings.Cut(string(content), "\n---\n")
	if !ok {
		t.Fatal("the template has no header")
	}
	var header struct {
		Spec struct {
			Inputs map[string]struct {
				Description string
				Default     any
			}
		}
	}
	if err := yaml.Unmarshal([]byte(head), &header); err != nil {
		t.Fatal(err)
	}
	for name, input := range header.Spec.Inputs {
		value, given := inputs[name]
		if !given {
			value = fmt.Sprint(input.Default)
		}
		body = strings.ReplaceAll(body, "$[[ inputs."+name+" ]]", value)
		if input.Description == "" {
			t.Errorf("the input %s is not described", name)
		}
	}
	if strings.Contains(body, "$[[") {
		t.Error("the job uses an input that is not declared")
	}
	var jobs map[string]job
	if err := yaml.Unmarshal([]byte(body), &jobs); err != nil {
		t.Fatal(err)
	}
	return jobs[".portcullis"]
}

// result is what the script of the job did.
type result struct {
	args []string
	log  string
	code int
	// login and authorities are the files that the binary was pointed to.
	login, authorities string
	folder             string
}

// run runs the job's script in a checkout with a stand-in for the binary.
func run(t *testing.T, inputs map[string]string, code int, env ...string) result {
	t.Helper()
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no sh")
	}
	folder, j := t.TempDir(), expand(t, inputs)
	recorded := filepath.Join(folder, "recorded")
	binary := fmt.Sprintf("#!/bin/sh\nprintf '%%s\\n' \"$@\" >> %[1]s\n"+
		"cat \"$DOCKER_CONFIG/config.json\" > %[1]s.login 2> /dev/null\ncat \"$SSL_CERT_FILE\" > %[1]s.ca 2> /dev/null\nexit %[2]d\n", recorded, code)
	write(t, filepath.Join(folder, "bin", "portcullis"), binary)
	checkout := filepath.Join(folder, "checkout")
	write(t, filepath.Join(checkout, "Dockerfile"), "FROM scratch\n")
	cmd := exec.CommandContext(t.Context(), shell, "-c", strings.Join(j.Script, "\n"))
	cmd.Dir = checkout
	cmd.Env = []string{"PATH=" + filepath.Join(folder, "bin") + ":" + os.Getenv("PATH"), "TMPDIR=" + t.TempDir(), "CI_COMMIT_SHA=c0ffee", "CI_COMMIT_REF_SLUG=topic"}
	for name, value := range j.Variables {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	r := result{log: string(out), code: cmd.ProcessState.ExitCode(), folder: checkout}
	read := func(name string) string {
		content, err := os.ReadFile(name)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		return string(content)
	}
	if args := read(recorded); args != "" {
		r.args = strings.Split(strings.TrimSuffix(args, "\n"), "\n")
	}
	r.login, r.authorities = read(recorded+".login"), read(recorded+".ca")
	return r
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestTheJobEndsWithTheCodeOfTheGate(t *testing.T) {
	for _, code := range []int{0, 1, 2, 3, 4, 5} {
		if got := run(t, nil, code); got.code != code {
			t.Errorf("code %d, want %d:\n%s", got.code, code, got.log)
		}
	}
}

// Every report that the gate writes is collected, and none is collected that it
// does not write.
func TestWhatIsWrittenIsCollected(t *testing.T) {
	j := expand(t, nil)
	got := run(t, map[string]string{"image-ref": "acme/web:1"}, 0)
	written := map[string]bool{}
	for _, arg := range got.args {
		name, file, _ := strings.Cut(arg, "=")
		switch name {
		case "--output":
			_, file, _ = strings.Cut(file, "=")
		case "--sbom-out":
		default:
			continue
		}
		written[file] = true
	}
	collected := func(file string) bool {
		for _, pattern := range j.Artifacts.Paths {
			if ok, err := filepath.Match(pattern, file); err == nil && ok {
				return true
			}
		}
		return false
	}
	reported := map[string]bool{}
	for kind, pattern := range j.Artifacts.Reports {
		hits := 0
		for file := range written {
			if ok, err := filepath.Match(fmt.Sprint(pattern), file); err == nil && ok {
				reported[file], hits = true, hits+1
			}
		}
		if hits != 1 {
			t.Errorf("reports:%s takes %d of the written files", kind, hits)
		}
	}
	for file := range written {
		if !reported[file] && !collected(file) {
			t.Errorf("%s is written and not collected", file)
		}
	}
	// The SBOMs of several platforms.
	for _, file := range []string{"gl-sbom-portcullis-linux-amd64.cdx.json", "gl-sbom-portcullis-linux-arm-v7.cdx.json"} {
		if ok, err := filepath.Match(fmt.Sprint(j.Artifacts.Reports["cyclonedx"]), file); err != nil || !ok {
			t.Errorf("%s is no report", file)
		}
	}
}

// The variables of GitLab's container scanning are either used or named in the
// log with what to do.
// https://docs.gitlab.com/user/application_security/container_scanning/#available-cicd-variables
func TestVariablesOfContainerScanning(t *testing.T) {
	image := "CS_IMAGE=registry.example/shop/web:1"
	tests := map[string]struct {
		inputs map[string]string
		env    []string
		args   []string
		not    []string // beginnings of arguments that must not be there
		log    string   // "" for silence
	}{
		"the image":                               {env: []string{image}, args: []string{"--image=registry.example/shop/web:1"}, not: []string{"--name"}},
		"an input before the image":               {inputs: map[string]string{"image-ref": "other:1"}, env: []string{image}, args: []string{"--image=other:1"}},
		"the image of the pipeline":               {env: []string{"CI_REGISTRY_IMAGE=registry.example/shop"}, args: []string{"--image=registry.example/shop/topic:c0ffee", "--name=registry.example/shop"}},
		"repository and tag":                      {env: []string{"CI_REGISTRY_IMAGE=registry.example/shop", "CI_APPLICATION_REPOSITORY=registry.example/x", "CI_APPLICATION_TAG=7"}, args: []string{"--image=registry.example/x:7"}},
		"a repository without a registry":         {env: []string{"CI_APPLICATION_REPOSITORY=registry.example/x"}, args: []string{"--image=registry.example/x:c0ffee", "--name=registry.example/x"}},
		"no image at all":                         {not: []string{"--image", "--name", "--sbom-out"}},
		"an image that is not wanted":             {inputs: map[string]string{"image-ref": "none"}, env: []string{"CI_REGISTRY_IMAGE=registry.example/shop"}, not: []string{"--image", "--sbom-out"}},
		"the name on the default branch":          {env: []string{image, "CS_DEFAULT_BRANCH_IMAGE=registry.example:5000/shop/main:2"}, args: []string{"--name=registry.example:5000/shop/main"}},
		"the Dockerfile":                          {env: []string{"CS_DOCKERFILE_PATH=build/Dockerfile"}, args: []string{"--dockerfile=build/Dockerfile"}, not: []string{"--dockerfile=Dockerfile"}},
		"the Dockerfile at the root":              {args: []string{"--dockerfile=Dockerfile"}},
		"the threshold":                           {env: []string{"CS_SEVERITY_THRESHOLD=HIGH"}, args: []string{"--report-severity=HIGH"}},
		"the lowest threshold":                    {env: []string{"CS_SEVERITY_THRESHOLD=UNKNOWN"}, not: []string{"--report-severity"}},
		"warnings":                                {inputs: map[string]string{"allow-warnings": "true"}, args: []string{"--warn-exit"}},
		"no warnings":                             {not: []string{"--warn-exit"}},
		"unfixed":                                 {env: []string{"CS_IGNORE_UNFIXED=true"}, args: []string{"--only-fixed"}},
		"unfixed counts":                          {env: []string{"CS_IGNORE_UNFIXED=false"}, not: []string{"--only-fixed"}},
		"statuses":                                {env: []string{"CS_IGNORE_STATUSES=will_not_fix,fix_deferred, under_investigation,end_of_life,affected,unknown,fixed"}, args: []string{"--pass-fix-states=wont-fix,deferred,under-investigation,end-of-life,not-fixed,unknown,fixed"}},
		"a status that never fails":               {env: []string{"CS_IGNORE_STATUSES=not_affected"}, not: []string{"--pass-fix-states"}},
		"a status that is none":                   {env: []string{"CS_IGNORE_STATUSES=wontfix *"}, args: []string{"--pass-fix-states=wontfix"}},
		"an input before the statuses":            {inputs: map[string]string{"pass-fix-states": "deferred"}, env: []string{"CS_IGNORE_STATUSES=will_not_fix"}, not: []string{"--pass-fix-states"}},
		"quiet":                                   {env: []string{"CS_QUIET=true"}, args: []string{"--quiet"}},
		"not quiet":                               {env: []string{"CS_QUIET=false", "SECURE_LOG_LEVEL=info"}, not: []string{"--quiet"}},
		"errors only":                             {env: []string{"SECURE_LOG_LEVEL=error"}, args: []string{"--quiet"}},
		"plain HTTP":                              {env: []string{"CS_REGISTRY_INSECURE=true"}, args: []string{"--insecure"}},
		"the platform":                            {env: []string{image, "TRIVY_PLATFORM=linux/arm64"}, args: []string{"--platform=linux/arm64"}},
		"an input before the platform":            {inputs: map[string]string{"platform": "all"}, env: []string{image, "TRIVY_PLATFORM=linux/arm64"}, not: []string{"--platform"}},
		"the time that it may take":               {env: []string{"TRIVY_TIMEOUT=10m0s"}, args: []string{"--timeout=10m0s"}},
		"licences, which the SBOM always has":     {env: []string{"CS_INCLUDE_LICENSES=true", "CS_DISABLE_DEPENDENCY_LIST=true"}},
		"languages are examined":                  {env: []string{"CS_DISABLE_LANGUAGE_VULNERABILITY_SCAN=true"}, log: "CS_DISABLE_LANGUAGE_VULNERABILITY_SCAN is not used: "},
		"languages, which are examined anyway":    {env: []string{"CS_DISABLE_LANGUAGE_VULNERABILITY_SCAN=false"}},
		"certificates are verified":               {env: []string{"CS_DOCKER_INSECURE=true"}, not: []string{"--insecure"}, log: "CS_DOCKER_INSECURE is not used: "},
		"the image of GitLab's analyzer":          {env: []string{"CS_ANALYZER_IMAGE=x"}, log: "CS_ANALYZER_IMAGE is not used: "},
		"the kind of GitLab's analyzer":           {env: []string{"CS_IMAGE_SUFFIX=-fips"}, log: "CS_IMAGE_SUFFIX is not used: "},
		"the end of a distribution":               {env: []string{"CS_REPORT_OS_EOL=true"}, log: "CS_REPORT_OS_EOL is not used: "},
		"the severity of the end":                 {env: []string{"CS_REPORT_OS_EOL_SEVERITY=High"}, log: "CS_REPORT_OS_EOL_SEVERITY is not used: "},
		"the database of another tool":            {env: []string{"CS_TRIVY_JAVA_DB=x"}, log: "CS_TRIVY_JAVA_DB is not used: "},
		"the matching of another tool":            {env: []string{"CS_TRIVY_DETECTION_PRIORITY=precise"}, log: "CS_TRIVY_DETECTION_PRIORITY is not used: "},
		"names that hold commands stay arguments": {env: []string{"CS_IMAGE=$(touch forged);`touch forged` --fail-on=none"}, args: []string{"--image=$(touch forged);`touch forged` --fail-on=none"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := run(t, tt.inputs, 0, tt.env...)
			if got.code != 0 || got.args[0] != "gate" {
				t.Fatalf("code %d, %q:\n%s", got.code, got.args, got.log)
			}
			for _, want := range tt.args {
				if !slices.Contains(got.args, want) {
					t.Errorf("no %q in %q", want, got.args)
				}
			}
			for _, not := range tt.not {
				if slices.ContainsFunc(got.args, func(arg string) bool { return strings.HasPrefix(arg, not) }) {
					t.Errorf("%q in %q", not, got.args)
				}
			}
			if !strings.HasPrefix(got.log, tt.log) || (tt.log == "") != (got.log == "") {
				t.Errorf("log %q", got.log)
			}
			if _, err := os.Stat(filepath.Join(got.folder, "forged")); err == nil {
				t.Error("a command of a variable was run")
			}
		})
	}
}

func TestCredentialsOfTheTemplate(t *testing.T) {
	own := []string{"CI_REGISTRY=registry.example", "CI_REGISTRY_USER=job", "CI_REGISTRY_PASSWORD=token"}
	for name, tt := range map[string]struct {
		env  []string
		want string
	}{
		"those of the job for the project's registry": {[]string{"CS_IMAGE=registry.example/shop/web:1"}, `{"auths":{"registry.example":{"auth":"am9iOnRva2Vu"}}}`},
		"none of the job's for another registry":      {[]string{"CS_IMAGE=evil.example/registry.example/web:1"}, ""},
		"those that were given":                       {[]string{"CS_IMAGE=other.example/web:1", "CS_REGISTRY_USER=u", "CS_REGISTRY_PASSWORD=p"}, `{"auths":{"other.example":{"auth":"dTpw"}}}`},
		"those of Docker Hub":                         {[]string{"CS_IMAGE=acme/web:1", "CS_REGISTRY_USER=u", "CS_REGISTRY_PASSWORD=p"}, `{"auths":{"https://index.docker.io/v1/":{"auth":"dTpw"}}}`},
		"a scheme is no part of the host":             {[]string{"CS_IMAGE=registry:ghcr.io/acme/web:1", "CS_REGISTRY_USER=u", "CS_REGISTRY_PASSWORD=p"}, `{"auths":{"ghcr.io":{"auth":"dTpw"}}}`},
		"given ones go before the job's":              {[]string{"CS_IMAGE=registry.example/web:1", "CS_REGISTRY_USER=u", "CS_REGISTRY_PASSWORD=p"}, `{"auths":{"registry.example":{"auth":"dTpw"}}}`},
	} {
		got := run(t, nil, 0, append(slices.Clone(own), tt.env...)...)
		if strings.TrimSpace(got.login) != tt.want || got.log != "" {
			t.Errorf("%s: login %q, want %q, log %q", name, got.login, tt.want, got.log)
		}
	}
	if got := run(t, nil, 0, `CS_IMAGE=x.y","z/web:1`, "CS_REGISTRY_USER=u", "CS_REGISTRY_PASSWORD=p"); got.code != 2 || got.args != nil {
		t.Errorf("a registry that is none: code %d, %q", got.code, got.args)
	}
	text := "-----BEGIN CERTIFICATE-----\nown\n-----END CERTIFICATE-----"
	if got := run(t, nil, 0, "ADDITIONAL_CA_CERT_BUNDLE="+text); !strings.HasPrefix(got.authorities, text+"\n") {
		t.Errorf("authorities %q", got.authorities)
	}
}
