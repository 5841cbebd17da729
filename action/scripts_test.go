// Package action holds the scripts of the composite action; its tests run them
// with a stand-in for the binary.
package action

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// run runs one of the scripts in a folder with nothing but the given variables
// and PATH.
func run(t *testing.T, script, folder string, env ...string) (output string, code int) {
	t.Helper()
	script, argument, _ := strings.Cut(script, " ")
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("bash is not installed")
	}
	path, err := filepath.Abs(script)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "bash", path, argument)
	cmd.Dir = folder
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "RUNNER_TEMP=" + t.TempDir()}, env...)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// outputs reads the last value of each output.
func outputs(t *testing.T, path string) map[string]string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for line := range strings.Lines(string(content)) {
		if name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "="); ok {
			got[name] = value
		}
	}
	return got
}

// fake is a binary that records its arguments and the login it was given,
// writes a SARIF file and ends with a code.
func fake(t *testing.T, code int) (binary, args string) {
	t.Helper()
	folder := t.TempDir()
	binary, args = filepath.Join(folder, "portcullis"), filepath.Join(folder, "args")
	script := fmt.Sprintf(`#!/bin/sh
printf '%%s\n' "$@" > %[1]s
cat "$DOCKER_CONFIG/config.json" > %[1]s.login 2> /dev/null
env > %[1]s.env
for a in "$@"; do case $a in --output=sarif=*) echo '{}' > "${a#--output=sarif=}";; esac; done
exit %[2]d
`, args, code)
	if err := os.WriteFile(binary, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return binary, args
}

func gate(t *testing.T, code int, folder string, env ...string) (args []string, out map[string]string, log string) {
	t.Helper()
	binary, argsFile := fake(t, code)
	outputFile := filepath.Join(t.TempDir(), "output")
	log, exitCode := run(t, "gate.sh", folder, append(env, "IN_BIN="+binary, "GITHUB_OUTPUT="+outputFile)...)
	if exitCode != 0 {
		t.Fatalf("the script ended with %d:\n%s", exitCode, log)
	}
	if content, err := os.ReadFile(argsFile); err == nil {
		args = strings.Split(strings.TrimSuffix(string(content), "\n"), "\n")
	}
	return args, outputs(t, outputFile), log
}

func checkout(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for _, name := range []string{"Dockerfile", "a b/Dockerfile", "k8s/one.yaml", "k8s/two.yaml"} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func TestInputsBecomeArguments(t *testing.T) {
	args, out, _ := gate(t, 1, checkout(t),
		"IN_IMAGE=registry.example/a b:1", "IN_DOCKERFILE=Dockerfile\n  a b/Docker*  \n", "IN_K8S=k8s/*.yaml", "IN_FAIL_ON=high",
		"IN_IMAGE_NAME=shop/web", "IN_ONLY_FIXED=true", "IN_OFFLINE=false", "IN_SBOM_FILE=bom.json", "IN_SBOM_FORMAT=spdx-json",
		"IN_BASELINE=base.json", "IN_VEX=k8s/one.yaml", "IN_WAIVERS=w a.yaml", "IN_ONLY_NEW=true")
	for _, want := range []string{
		"gate", "--image=registry.example/a b:1", "--dockerfile=Dockerfile", "--dockerfile=a b/Dockerfile",
		"--manifests=k8s/one.yaml", "--manifests=k8s/two.yaml", "--name=shop/web", "--fail-on=high", "--only-fixed", "--sbom-out=bom.json", "--sbom-format=spdx-json",
		"--baseline=base.json", "--vex=k8s/one.yaml", "--waivers=w a.yaml", "--only-new",
	} {
		if !slices.Contains(args, want) {
			t.Errorf("no %q in %q", want, args)
		}
	}
	if slices.Contains(args, "--offline") {
		t.Error("offline is false, but was given")
	}
	if out["exit-code"] != "1" || out["upload"] != "true" {
		t.Errorf("outputs %v", out)
	}
}

func TestHostileInputsStayOneArgument(t *testing.T) {
	hostile := `$(touch forged);"'` + "`touch forged`" + ` --fail-on=none`
	folder := checkout(t)
	args, _, _ := gate(t, 0, folder, "IN_IMAGE="+hostile)
	if !slices.Contains(args, "--image="+hostile) {
		t.Errorf("arguments %q", args)
	}
	if _, err := os.Stat(filepath.Join(folder, "forged")); err == nil {
		t.Error("a command of the input was run")
	}
}

func TestWrongInputsAreUsageErrorsAndNeverAPass(t *testing.T) {
	tests := map[string][]string{
		"nothing to examine":           nil,
		"a pattern that matches none":  {"IN_DOCKERFILE=missing/Dockerfile\nDockerfile"},
		"a boolean that is none":       {"IN_DOCKERFILE=Dockerfile", "IN_ONLY_FIXED=yes"},
		"an upload that is none":       {"IN_DOCKERFILE=Dockerfile", "IN_UPLOAD_SARIF=maybe"},
		"a folder that does not exist": {"IN_DOCKERFILE=Dockerfile", "IN_WORKING_DIRECTORY=missing"},
		"a pattern with a command":     {"IN_DOCKERFILE=x%0A::error::forged"},
	}
	for name, env := range tests {
		t.Run(name, func(t *testing.T) {
			_, out, log := gate(t, 0, checkout(t), env...)
			if out["exit-code"] != "2" || out["result"] != "error" || out["upload"] == "true" {
				t.Errorf("outputs %v", out)
			}
			if strings.Count(log, "::error ") != 1 || strings.Contains(log, "::forged") {
				t.Errorf("log %q", log)
			}
		})
	}
}

func TestTheLinesOfAPullRequestReachTheBinary(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	folder := checkout(t)
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false"}, args...)...)
		cmd.Dir = folder
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	change := func(name, content string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		git("add", "-A")
		git("commit", "-qm", name)
	}
	git("init", "-q", "-b", "main")
	change("Dockerfile", "FROM a\n")
	base := git("rev-parse", "HEAD")
	git("checkout", "-q", "-b", "topic")
	change("Dockerfile", "FROM a\nRUN b\n")
	topic := git("rev-parse", "HEAD")
	git("checkout", "-q", "main")
	change("other", "x\n")
	git("merge", "-q", "--no-edit", "topic")
	merged := git("rev-parse", "HEAD")

	for name, tt := range map[string]struct {
		commit string
		env    []string
		want   bool
	}{
		"the merge commit of the run":     {merged, []string{"GITHUB_REF=refs/pull/7/merge", "IN_BASE_SHA=" + base}, true},
		"the head of the request":         {topic, []string{"GITHUB_REF=refs/heads/topic", "IN_BASE_SHA=" + base}, true},
		"a base that was not fetched":     {topic, []string{"IN_BASE_SHA=" + strings.Repeat("ab", 20)}, false},
		"a base that is an option of git": {topic, []string{"IN_BASE_SHA=--output=/tmp/x"}, false},
		"no pull request":                 {merged, nil, false},
	} {
		git("checkout", "-q", tt.commit)
		binary, args := fake(t, 0)
		temp := t.TempDir()
		if log, code := run(t, "gate.sh", folder, append(tt.env, "IN_BIN="+binary, "IN_DOCKERFILE=Dockerfile", "RUNNER_TEMP="+temp, "GITHUB_OUTPUT="+filepath.Join(temp, "output"))...); code != 0 {
			t.Fatalf("%s: %d\n%s", name, code, log)
		}
		env, err := os.ReadFile(args + ".env")
		if err != nil {
			t.Fatal(err)
		}
		_, path, found := strings.Cut(string(env), "PORTCULLIS_DIFF=")
		if found != tt.want {
			t.Errorf("%s: a diff is given: %v", name, found)
			continue
		}
		if !found {
			continue
		}
		path, _, _ = strings.Cut(path, "\n")
		content, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(content), "+RUN b") || strings.Contains(string(content), "other") {
			t.Errorf("%s: %v\n%s", name, err, content)
		}
	}
}

func TestUploadIsDecidedByCodeAndToken(t *testing.T) {
	tests := map[string]struct {
		code int
		env  []string
		want string
	}{
		"a pass":                              {0, nil, "true"},
		"a fail":                              {1, nil, "true"},
		"a pass with warnings":                {3, nil, "true"},
		"a target that was not examined":      {4, nil, "false"},
		"missing data":                        {5, []string{"IN_UPLOAD_SARIF=true"}, "false"},
		"a pull request of a fork":            {1, []string{"IN_FORK=true"}, "false"},
		"a fork whose owner insists":          {1, []string{"IN_FORK=true", "IN_UPLOAD_SARIF=true"}, "true"},
		"a pull request of Dependabot":        {1, []string{"GITHUB_ACTOR=dependabot[bot]"}, "false"},
		"Gitea, which has no code scanning":   {1, []string{"GITEA_ACTIONS=true"}, "false"},
		"Forgejo, which has no code scanning": {1, []string{"FORGEJO_ACTIONS=true"}, "false"},
		"switched off":                        {1, []string{"IN_UPLOAD_SARIF=false"}, "false"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, out, _ := gate(t, tt.code, checkout(t), append(tt.env, "IN_DOCKERFILE=Dockerfile")...)
			if out["upload"] != tt.want || out["exit-code"] != fmt.Sprint(tt.code) {
				t.Errorf("outputs %v", out)
			}
		})
	}
}

func TestCredentialsReachTheBinaryInAFileOnly(t *testing.T) {
	for image, host := range map[string]string{
		"registry.example:5000/shop/web:1": "registry.example:5000",
		"registry:ghcr.io/acme/web":        "ghcr.io",
		"acme/web":                         "https://index.docker.io/v1/",
		"alpine":                           "https://index.docker.io/v1/",
	} {
		binary, argsFile := fake(t, 0)
		log, _ := run(t, "gate.sh", checkout(t), "IN_BIN="+binary, "GITHUB_OUTPUT="+filepath.Join(t.TempDir(), "o"),
			"IN_IMAGE="+image, "IN_REGISTRY_USERNAME=robot", "IN_REGISTRY_PASSWORD=s3cr3t pass")
		login, err := os.ReadFile(argsFile + ".login")
		want := fmt.Sprintf(`{"auths":{"%s":{"auth":"cm9ib3Q6czNjcjN0IHBhc3M="}}}`+"\n", host)
		if err != nil || string(login) != want {
			t.Errorf("%s: login %q, %v, want %q", image, login, err, want)
		}
		env, err := os.ReadFile(argsFile + ".env")
		if err != nil || bytes.Contains(env, []byte("s3cr3t")) {
			t.Errorf("%s: the password is in the environment of the binary (%v)", image, err)
		}
		if strings.ReplaceAll(log, "::add-mask::s3cr3t pass", "") != "\n" {
			t.Errorf("%s: log %q", image, log)
		}
	}
}

func TestAPasswordIsMaskedAsItIs(t *testing.T) {
	for password, want := range map[string]string{
		"100%25":            "::add-mask::100%2525\n",
		"one\n::error::two": "::add-mask::one%0A::error::two\n",
		"":                  "",
	} {
		binary, _ := fake(t, 0)
		log, _ := run(t, "gate.sh", checkout(t), "IN_BIN="+binary, "GITHUB_OUTPUT="+filepath.Join(t.TempDir(), "o"),
			"IN_IMAGE=ghcr.io/acme/web", "IN_REGISTRY_USERNAME=robot", "IN_REGISTRY_PASSWORD="+password)
		if log != want {
			t.Errorf("%q: log %q, want %q", password, log, want)
		}
	}
}

// archive writes a release archive as a release has it and returns its sum.
func archive(t *testing.T, mirror, version, content string) (name, sum string) {
	t.Helper()
	arch := runtime.GOARCH
	name = fmt.Sprintf("portcullis_%s_%s_%s.tar.gz", version, runtime.GOOS, arch)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	if err := w.WriteHeader(&tar.Header{Name: "portcullis", Mode: 0o755, Size: int64(len(content))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(mirror, "v"+version)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name), b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(b.Bytes())
	return name, hex.EncodeToString(digest[:])
}

func install(t *testing.T, env ...string) (log, bin string, code int) {
	t.Helper()
	outputFile := filepath.Join(t.TempDir(), "output")
	if err := os.WriteFile(outputFile, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	log, code = run(t, "install.sh", t.TempDir(), append(env, "GITHUB_OUTPUT="+outputFile)...)
	return log, outputs(t, outputFile)["bin"], code
}

func TestAReleaseIsRunOnlyWithItsSum(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the archive of the test holds a shell script")
	}
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed")
	}
	mirror := t.TempDir()
	name, sum := archive(t, mirror, "1.2.3", "#!/bin/sh\necho installed\n")
	wrong := strings.Repeat("0", 64)
	sums := filepath.Join(t.TempDir(), "SHA256SUMS")
	tests := map[string]struct {
		sums string
		env  []string
		want string
	}{
		"the sum of the action":            {sum + "  " + name, nil, ""},
		"a sum that does not fit":          {wrong + "  " + name, nil, "was expected. The archive was not unpacked"},
		"no sum at all":                    {"# no release yet", nil, "has no sum for a release"},
		"the sum of another platform":      {sum + "  portcullis_1.2.3_plan9_mips.tar.gz", nil, "has no sum for a release"},
		"a version with its sum":           {"", []string{"IN_VERSION=v1.2.3", "IN_SHA256=" + sum}, ""},
		"a version without a sum":          {sum + "  " + name, []string{"IN_VERSION=1.2.3"}, "needs the input sha256"},
		"a version with another sum":       {"", []string{"IN_VERSION=1.2.3", "IN_SHA256=" + wrong}, "The archive was not unpacked"},
		"a version that is a path":         {"", []string{"IN_VERSION=../x", "IN_SHA256=" + sum}, "is not a version"},
		"a release that does not exist":    {"", []string{"IN_VERSION=9.9.9", "IN_SHA256=" + sum}, "could not be downloaded"},
		"a binary that is there":           {"", []string{"PORTCULLIS_BIN=/bin/sh"}, ""},
		"a binary that does not exist":     {"", []string{"PORTCULLIS_BIN=/no/such"}, "does not name an executable"},
		"a system that nothing is made of": {"", []string{"RUNNER_OS=Plan9"}, "no release for this operating system"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(sums, []byte(tt.sums+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			log, bin, code := install(t, append(tt.env, "PORTCULLIS_SUMS="+sums, "PORTCULLIS_MIRROR=file://"+mirror)...)
			if tt.want == "" {
				if code != 0 || bin == "" {
					t.Fatalf("code %d, bin %q:\n%s", code, bin, log)
				}
				return
			}
			if code == 0 || bin != "" || !strings.Contains(log, tt.want) {
				t.Errorf("code %d, bin %q:\n%s", code, bin, log)
			}
		})
	}
}

func TestProvenanceIsVerifiedWhereTheMeansAreThere(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the stand-ins of the test are shell scripts")
	}
	release := t.TempDir()
	name, sum := archive(t, release, "1.2.3", "#!/bin/sh\n")
	sums := filepath.Join(t.TempDir(), "SHA256SUMS")
	if err := os.WriteFile(sums, []byte(sum+"  "+name+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// curl brings the archive without a network; gh says what FAKE_GH says.
	tools := t.TempDir()
	curl := fmt.Sprintf("#!/bin/sh\nwhile [ $# -gt 0 ]; do [ \"$1\" = -o ] && cp %q \"$2\"; shift; done\n", filepath.Join(release, "v1.2.3", name))
	gh := fmt.Sprintf("#!/bin/sh\necho \"$*\" >> %q\nexit ${FAKE_GH:-0}\n", filepath.Join(tools, "calls"))
	for tool, script := range map[string]string{"curl": curl, "gh": gh} {
		if err := os.WriteFile(filepath.Join(tools, tool), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	env := []string{"PATH=" + tools + ":" + os.Getenv("PATH"), "PORTCULLIS_SUMS=" + sums, "GITHUB_SERVER_URL=https://github.com"}

	log, bin, code := install(t, append(env, "GH_TOKEN=x")...)
	calls, err := os.ReadFile(filepath.Join(tools, "calls"))
	if code != 0 || bin == "" || err != nil || !strings.Contains(string(calls), "attestation verify") {
		t.Errorf("code %d, bin %q, calls %q, %v:\n%s", code, bin, calls, err, log)
	}
	log, bin, code = install(t, append(env, "GH_TOKEN=x", "FAKE_GH=1")...)
	if code == 0 || bin != "" || !strings.Contains(log, "could not be verified") {
		t.Errorf("a wrong provenance: code %d, bin %q:\n%s", code, bin, log)
	}
	log, bin, code = install(t, append(env, "FAKE_GH=1")...)
	if code != 0 || bin == "" {
		t.Errorf("without a token the sum has to do: code %d:\n%s", code, log)
	}
}

func TestTheDatabaseIsCachedByDayAndSource(t *testing.T) {
	key := func(env ...string) map[string]string {
		file := filepath.Join(t.TempDir(), "output")
		if log, code := run(t, "db.sh key", t.TempDir(), append(env, "GITHUB_OUTPUT="+file)...); code != 0 {
			t.Fatalf("code %d:\n%s", code, log)
		}
		return outputs(t, file)
	}
	a, again, b := key("IN_DB_REF=registry.example/db:1"), key("IN_DB_REF=registry.example/db:1"), key("IN_DB_MIRROR=https://mirror.example/db")
	if a["key"] != again["key"] || a["key"] == b["key"] || a["folder"] == "" {
		t.Errorf("keys %v, %v, %v", a, again, b)
	}
	if day, ok := strings.CutPrefix(a["key"], a["prefix"]); !ok || len(day) != len("2026-11-23") {
		t.Errorf("key %q of prefix %q", a["key"], a["prefix"])
	}
}

func TestTheDatabaseIsFetchedByTheBinary(t *testing.T) {
	tests := map[string]struct {
		env  []string
		want []string
	}{
		"from a registry":    {[]string{"IN_DB_REF=registry.example/db:1"}, []string{"db", "pull", "--", "registry.example/db:1"}},
		"from mirrors":       {[]string{"IN_DB_MIRROR=https://a.example/\nhttps://b.example/\n"}, []string{"db", "update", "--mirror=https://a.example/", "--mirror=https://b.example/"}},
		"a reference is one": {[]string{"IN_DB_REF=--mirror=$(touch x)"}, []string{"db", "pull", "--", "--mirror=$(touch x)"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			binary, argsFile := fake(t, 0)
			log, code := run(t, "db.sh fetch", t.TempDir(), append(tt.env, "IN_BIN="+binary)...)
			content, err := os.ReadFile(argsFile)
			if err != nil || code != 0 {
				t.Fatalf("code %d, %v:\n%s", code, err, log)
			}
			got := slices.DeleteFunc(strings.Split(strings.TrimSuffix(string(content), "\n"), "\n"), func(a string) bool { return strings.HasPrefix(a, "--db=") })
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	binary, _ := fake(t, 5)
	if log, code := run(t, "db.sh fetch", t.TempDir(), "IN_DB_REF=x", "IN_BIN="+binary); code != 0 || !strings.Contains(log, "::warning ") {
		t.Errorf("a database that cannot be fetched: code %d:\n%s", code, log)
	}
}
