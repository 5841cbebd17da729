package imageconfig_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/credential/credentialtest"
	"github.com/portcullis-ci/portcullis/internal/detect/imageconfig"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// example is the form of the examples in rules: an image configuration, the
// commands of its history and some of its files.
type example struct {
	Config struct {
		User         string
		Env          []string
		Cmd          []string
		Entrypoint   []string
		Labels       map[string]string
		ExposedPorts map[string]struct{}
		Healthcheck  *struct{ Test []string }
	} `json:"config"`
	History []string `json:"history"`
	Files   []struct {
		Path, Mode, Kind, Capabilities string
		Content                        *string
		UID                            int
	} `json:"files"`
	Caches []struct {
		Tool, Path string
		Files      int
		Size       int64
	} `json:"caches"`
	Packages []struct{ Type, Name, Path string } `json:"packages"`
	// Ambiguous are entries of the archive of a layer.
	Ambiguous []struct {
		Path, Reason, Layer string
		Repeated            bool
	} `json:"ambiguous"`
	// Restored are lists of packages that a later layer deletes.
	Restored []string  `json:"restored"`
	Created  time.Time `json:"created"`
	// Distribution is Debian 12 unless the example says something else; one
	// without an id is none.
	Distribution *struct {
		ID, Version, Name string
		EndOfLife         string `json:"end-of-life"`
	} `json:"distribution"`
}

// now is the time at which examples are judged.
var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func decode(t testing.TB, text string) inventory.Inventory {
	t.Helper()
	var e example
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&e); err != nil {
		t.Fatalf("example %s: %v", text, err)
	}
	img := &inventory.Image{Name: "shop/web", Platform: "linux/amd64", Config: inventory.Config{
		User: e.Config.User, Env: e.Config.Env, Cmd: e.Config.Cmd, Entrypoint: e.Config.Entrypoint, Labels: e.Config.Labels,
	}}
	for port := range e.Config.ExposedPorts {
		img.Config.ExposedPorts = append(img.Config.ExposedPorts, port)
	}
	if e.Config.Healthcheck != nil {
		img.Config.Healthcheck = e.Config.Healthcheck.Test
	}
	for i, h := range e.History {
		img.History = append(img.History, inventory.History{CreatedBy: h})
		img.Layers = append(img.Layers, inventory.Layer{DiffID: fmt.Sprintf("sha256:%064d", i), History: i})
	}
	inv := inventory.Inventory{Image: img}
	for _, f := range e.Files {
		mode, err := strconv.ParseUint("0"+f.Mode, 8, 32)
		if err != nil {
			t.Fatalf("mode %q: %v", f.Mode, err)
		}
		caps, err := hex.DecodeString(f.Capabilities)
		if err != nil {
			t.Fatalf("capabilities %q: %v", f.Capabilities, err)
		}
		file := inventory.File{Path: f.Path, Mode: uint32(mode), Kind: inventory.FileKind(f.Kind), Capabilities: string(caps), UID: f.UID, Layer: "sha256:layer"}
		if f.Content != nil {
			file.Content = []byte(*f.Content)
		}
		inv.Files = append(inv.Files, file)
	}
	for _, c := range e.Caches {
		inv.Caches = append(inv.Caches, inventory.Cache{Tool: c.Tool, Path: c.Path, Files: c.Files, Size: c.Size, Layer: "sha256:layer"})
	}
	for _, p := range e.Packages {
		inv.Packages = append(inv.Packages, inventory.Package{Type: p.Type, Name: p.Name, Places: []inventory.Place{{Path: p.Path, Layer: "sha256:layer"}}})
	}
	for _, a := range e.Ambiguous {
		inv.Ambiguous = append(inv.Ambiguous, inventory.Ambiguous{Place: inventory.Place{Path: a.Path, Layer: a.Layer}, Reason: a.Reason, Repeated: a.Repeated})
	}
	for _, p := range e.Restored {
		inv.Restored = append(inv.Restored, inventory.Place{Path: p, Layer: "sha256:layer"})
	}
	img.Created = e.Created
	switch d := e.Distribution; {
	case d == nil:
		inv.Distro = &inventory.Distro{ID: "debian", Version: "12"}
	case d.ID != "":
		inv.Distro = &inventory.Distro{ID: d.ID, Version: d.Version, PrettyName: d.Name}
	}
	return inv
}

// supportEnd is the end of life that an example names.
func supportEnd(t testing.TB, text string) *imageconfig.SupportEnd {
	t.Helper()
	var e example
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		t.Fatal(err)
	}
	if e.Distribution == nil || e.Distribution.EndOfLife == "" {
		return nil
	}
	day, err := time.Parse(time.DateOnly, e.Distribution.EndOfLife)
	if err != nil {
		t.Fatal(err)
	}
	return &imageconfig.SupportEnd{Release: "Debian:" + e.Distribution.Version, Day: day, Source: "example"}
}

// check runs all rules that are on, and the named one.
func check(t testing.TB, inv inventory.Inventory, also string) []finding.Finding {
	t.Helper()
	return checkWith(t, inv, imageconfig.Options{Now: now}, also)
}

func checkWith(t testing.TB, inv inventory.Inventory, opts imageconfig.Options, also string) []finding.Finding {
	t.Helper()
	opts.Enabled = func(r rules.Rule) bool { return !r.Off || r.ID == also }
	result := imageconfig.Check(t.Context(), inv, opts)
	if len(result.Failures) > 0 {
		t.Fatalf("failures: %+v", result.Failures)
	}
	for _, f := range result.Findings {
		if err := f.Validate(); err != nil {
			t.Error(err)
		}
	}
	return result.Findings
}

func ids(findings []finding.Finding) []string {
	out := []string{}
	for _, f := range findings {
		out = append(out, f.RuleID)
	}
	return slices.Compact(out)
}

func TestExamplesOfRules(t *testing.T) {
	if _, err := rules.NewCatalogue(imageconfig.Rules()); err != nil {
		t.Fatal(err)
	}
	for _, r := range imageconfig.Rules() {
		t.Run(r.ID, func(t *testing.T) {
			if diff := cmp.Diff([]string{r.ID}, ids(checkWith(t, decode(t, r.Bad), imageconfig.Options{Now: now, SupportEnd: supportEnd(t, r.Bad)}, r.ID))); diff != "" {
				t.Errorf("the bad example (-want +got):\n%s", diff)
			}
			if got := ids(checkWith(t, decode(t, r.Good), imageconfig.Options{Now: now, SupportEnd: supportEnd(t, r.Good)}, r.ID)); len(got) != 0 {
				t.Errorf("the good example breaks %v", got)
			}
		})
	}
}

func TestUserIsRootInEverySpelling(t *testing.T) {
	passwd := `"files": [{"path": "/etc/passwd", "content": "root:x:0:0:root:/root:/bin/sh\nadmin:x:0:0::/:/bin/sh\napp:x:1000:1000::/:/bin/sh\n"}]`
	for user, root := range map[string]bool{
		"": true, "root": true, "0": true, "0:0": true, "root:app": true, "00": true, ":1000": true, "admin": true,
		"1000": false, "app": false, "app:root": false, "1000:0": false, "nobody": false, "65532": false,
	} {
		got := slices.Contains(ids(check(t, decode(t, fmt.Sprintf(`{"config": {"User": %q}, %s}`, user, passwd)), "")), "image-root-user")
		if got != root {
			t.Errorf("user %q: finding = %v, want %v", user, got, root)
		}
	}
	inv := decode(t, `{"config": {"User": "root"}, "history": ["USER app", "USER root", "CMD [\"app\"]"]}`)
	f := check(t, inv, "")[0]
	if want := (finding.Fact{Name: "history", Value: "1"}); !slices.Contains(f.Evidence, want) || f.Locations[0].Layer != inv.Image.Layers[1].DiffID {
		t.Errorf("finding = %+v, want the history entry 1 and its layer", f)
	}
	inv.Image.Platform = "windows/amd64"
	if got := check(t, inv, ""); len(got) != 0 {
		t.Errorf("a Windows image breaks %v", ids(got))
	}
}

// privateKey makes a real key for the test.
func privateKey(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func TestSecretsAreFoundByNameAndForm(t *testing.T) {
	loud := map[string]finding.Severity{
		"DB_PASSWORD=hunter2pass":                                                      finding.Medium,
		"MYSQL_ROOT_PASSWORD=aGVsbG8gd29ybGQgMTIz":                                     finding.High,
		"AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMIK7MDENGbPxRfiCYabcdefghijk":                finding.High,
		"GITHUB=" + credentialtest.GitHubToken(1):                                      finding.Critical,
		"apiToken=0123456789abcdefABCDEF":                                              finding.High,
		"PGPASSWORD=correcthorse":                                                      finding.Medium,
		"DATABASE_URL=postgres://app:s3cretpw@db:5432/app":                             finding.High,
		"PIP_INDEX_URL=https://user:abcdef123456@pypi.example/s":                       finding.High,
		`SECRET_KEY="django-insecure-7f3k2j1h5g6"`:                                     finding.High,
		"SLACK=xoxb-" + "481920375166-730415829364-" + "q7wZr2Lk9xT4" + "mVb1sYd7NcWf": finding.Critical,
		"KEY=" + privateKey(t):                                                         finding.Critical,
		"ENCRYPTION_KEY=/Zm9v0YmFyK2xqZ8s9d7f6g5h4j3k2l1Q==":                           finding.High,
	}
	for env, want := range loud {
		found := check(t, inventory.Inventory{Image: &inventory.Image{Name: "i", Platform: "linux/amd64", Config: inventory.Config{User: "app", Env: []string{env}}}}, "")
		name, value, _ := strings.Cut(env, "=")
		if len(found) != 1 || found[0].RuleID != "image-secret-env" || found[0].Severity != want || found[0].Object != name {
			t.Errorf("%s: findings %+v, want one of severity %s", name, found, want)
			continue
		}
		if text, _ := json.Marshal(found); len(value) > 6 && strings.Contains(string(text), value[6:]) {
			t.Errorf("%s: the finding gives the value away: %s", name, text)
		}
	}
	for _, env := range []string{
		"PATH=/usr/local/sbin:/usr/bin", "GPG_KEY=A035C8C19219BA821ECEA86B64E628F8D684696D", "PYTHON_SHA256=0ea6bf7e3f5f1bf9e9d4d1bca9ae8de9ac8bbb7e73b43dd1ad8d5e9ad4f8c8a2",
		"DB_PASSWORD_FILE=/run/secrets/db", "PASSWORD=", "PASSWORD=${DB_PASSWORD}", "TOKEN=$TOKEN", "API_TOKEN=<your token>", "API_KEY=your-api-key", "TOKEN=xxxxxxxx", "SECRET=********",
		"TOKEN_TTL=3600", "PASSWORD_MIN_LENGTH=12", "TOKENIZERS_PARALLELISM=false", "PWD=/app", "KEYCLOAK_VERSION=24.0.1", "PUBLIC_KEY=ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ",
		"SECRET_NAME=db-credentials", "AUTH_TOKEN_URL=https://auth.example.org/token", "PRIVATE_KEY=/etc/ssl/private/app.pem", "SECRET_PROVIDER=vault", "USE_PASSWORD=true", "TOKEN=none",
		"NODE_VERSION=20.11.1", "COMPASS=north-by-northwest", "REPO=https://github.com/shop/web.git", "PROXY=http://proxy.example:3128", "GIT_URL=https://git@example.org/r", "MONGO_URL=mongodb://$USER:$PASS@db/app",
		"JWT_SECRET=vault:secret/data/jwt#key", "VAULT_TOKEN={{ vault_token }}", "CERT_FINGERPRINT=sha256:abcdef0123456789", "URL=postgres://app:password@localhost/app",
	} {
		found := check(t, inventory.Inventory{Image: &inventory.Image{Name: "i", Platform: "linux/amd64", Config: inventory.Config{User: "app", Env: []string{env}}}}, "")
		if len(found) != 0 {
			t.Errorf("%s: finding %s, want none", env, found[0].Message)
		}
	}
}

func TestSecretsInHistory(t *testing.T) {
	for step, want := range map[string]string{
		"RUN |1 TOKEN=Tr0ub4dor-and-3 /bin/sh -c npm ci # buildkit":                                          "TOKEN",
		"|1 TOKEN=Tr0ub4dor-and-3 /bin/sh -c npm ci":                                                         "TOKEN",
		"|2 A=b c d API_KEY=Tr0ub4dor-and-3 /bin/sh -c make":                                                 "API_KEY",
		"/bin/sh -c #(nop)  ARG PASSWORD=Tr0ub4dor-and-3":                                                    "PASSWORD",
		"ARG PASSWORD=Tr0ub4dor-and-3":                                                                       "PASSWORD",
		"RUN /bin/sh -c curl -u x https://user:Tr0ub4dor3@host/x # buildkit":                                 "password in a URL",
		"RUN /bin/sh -c mysql --password=Tr0ub4dor-and-3 -e 'select 1' # buildkit":                           "password",
		"RUN /bin/sh -c mysql --password Tr0ub4dor-and-3 # buildkit":                                         "password",
		"RUN /bin/sh -c GITHUB_TOKEN=Tr0ub4dor-and-3 make # buildkit":                                        "GITHUB_TOKEN",
		"RUN /bin/sh -c export DB_PASSWORD='Tr0ub4dor and 3'; make # buildkit":                               "DB_PASSWORD",
		"RUN /bin/sh -c git clone https://x:" + credentialtest.GitHubToken(1) + "@github.com/a/b # buildkit": "GitHub token",
		"ENV OLD_TOKEN=Tr0ub4dor-and-3":                                                                      "OLD_TOKEN",
	} {
		found := check(t, decode(t, fmt.Sprintf(`{"config": {"User": "app"}, "history": ["FROM x", %q]}`, step)), "")
		if len(found) != 1 || found[0].RuleID != "image-secret-history" || found[0].Object != want {
			t.Errorf("%s: findings %+v, want one about %s", step, found, want)
			continue
		}
		if !slices.Contains(found[0].Evidence, finding.Fact{Name: "history", Value: "1"}) {
			t.Errorf("%s: evidence %+v, want the history entry 1", step, found[0].Evidence)
		}
		if text, _ := json.Marshal(found); strings.Contains(string(text), "Tr0ub4") {
			t.Errorf("%s: the finding gives the value away: %s", step, text)
		}
	}
	for _, step := range []string{
		"RUN /bin/sh -c apt-get update && apt-get install -y curl # buildkit", "RUN |1 VERSION=1.2.3 /bin/sh -c make # buildkit", "RUN |1 TOKEN= /bin/sh -c make # buildkit",
		"RUN /bin/sh -c curl --user $USER:$PASS https://host # buildkit", "COPY --chown=app:app secret-santa.txt /app # buildkit", "RUN /bin/sh -c cat /run/secrets/token # buildkit",
		"RUN /bin/sh -c TOKEN=$(cat /run/secrets/token) make # buildkit", "RUN /bin/sh -c mysql --password-file=/run/p # buildkit", "ARG PASSWORD", "WORKDIR /pass", "EXPOSE map[8080/tcp:{}]",
		"RUN /bin/sh -c gpg --batch --passphrase '' --import key # buildkit", "RUN /bin/sh -c echo secret # buildkit",
	} {
		if found := check(t, decode(t, fmt.Sprintf(`{"config": {"User": "app"}, "history": [%q]}`, step)), ""); len(found) != 0 {
			t.Errorf("%s: finding %s, want none", step, found[0].Message)
		}
	}
}

func TestASecretThatIsStillSetIsReportedOnce(t *testing.T) {
	inv := decode(t, `{"config": {"User": "app", "Env": ["A=1", "DB_PASSWORD=Tr0ub4dor-and-3"]}, "history": ["ENV A=1 DB_PASSWORD=Tr0ub4dor-and-3"]}`)
	found := check(t, inv, "")
	if len(found) != 1 || found[0].RuleID != "image-secret-env" || !slices.Contains(found[0].Evidence, finding.Fact{Name: "history", Value: "0"}) {
		t.Errorf("findings = %+v, want one that names the history entry 0", found)
	}
}

func TestSetuidSeverityFollowsTheProgram(t *testing.T) {
	for _, tc := range []struct {
		file string
		want finding.Severity
	}{
		{`{"path": "/bin/bash", "mode": "4755"}`, finding.Critical},
		{`{"path": "/usr/bin/python3.11", "mode": "4755"}`, finding.Critical},
		{`{"path": "/opt/tool", "mode": "4755"}`, finding.Medium},
		{`{"path": "/usr/bin/sudo", "mode": "4755"}`, finding.Medium},
		{`{"path": "/opt/tool", "mode": "2755"}`, finding.Low},
		{`{"path": "/opt/tool", "mode": "4755", "uid": 1000}`, finding.Low},
		{`{"path": "/bin/su", "mode": "4755"}`, finding.Info},
	} {
		found := check(t, decode(t, `{"config": {"User": "app"}, "files": [`+tc.file+`]}`), "")
		if len(found) != 1 || found[0].Severity != tc.want {
			t.Errorf("%s: findings %+v, want one of severity %s", tc.file, found, tc.want)
		}
	}
}

func TestCommandsThatEverybodyMayChangeAreWorse(t *testing.T) {
	found := check(t, decode(t, `{"config": {"User": "app", "Env": ["PATH=/app/bin:/usr/bin"]}, "files": [
		{"path": "/app/bin/run", "mode": "0777"}, {"path": "/app/data", "mode": "0777", "kind": "directory"}, {"path": "/app/x", "mode": "0666"}]}`), "")
	if len(found) != 2 || found[0].Severity != finding.High || found[1].Severity != finding.Low || len(found[1].Locations) != 2 {
		t.Errorf("findings = %+v, want the command as high and the two others as one low", found)
	}
}

func TestFingerprintsDoNotDependOnTheBuild(t *testing.T) {
	a := decode(t, `{"config": {"User": "", "Env": ["DB_PASSWORD=Tr0ub4dor-and-3"]}, "files": [{"path": "/opt/x", "mode": "4755"}]}`)
	b := decode(t, `{"config": {"User": "root", "Env": ["OTHER=1", "DB_PASSWORD=another-Secret-1"]}, "history": ["RUN x"], "files": [{"path": "/opt/a", "mode": "0777"}, {"path": "/opt/x", "mode": "6755"}]}`)
	prints := func(inv inventory.Inventory) map[string]string {
		out := map[string]string{}
		for _, f := range check(t, inv, "") {
			out[f.RuleID] = f.Fingerprint
		}
		delete(out, "image-world-writable")
		return out
	}
	if diff := cmp.Diff(prints(a), prints(b)); diff != "" {
		t.Errorf("fingerprints (-first +second):\n%s", diff)
	}
}

func TestARootFileSystemIsJudgedByItsFiles(t *testing.T) {
	inv := inventory.Inventory{Files: []inventory.File{{Path: "/opt/x", Mode: 0o4755}}}
	if diff := cmp.Diff([]string{"image-setuid-unexpected"}, ids(check(t, inv, "image-no-healthcheck"))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCheckStopsWhenTheContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if result := imageconfig.Check(ctx, inventory.Inventory{}, imageconfig.Options{}); len(result.Failures) != 1 {
		t.Errorf("failures = %+v, want one", result.Failures)
	}
}

func FuzzSecretsAreNeverPrinted(f *testing.F) {
	f.Add("DB_PASSWORD", "hunter2pass")
	f.Add("URL", "https://u:p4ssw0rd@h/")
	f.Add("X", "-----BEGIN PRIVATE KEY-----")
	f.Fuzz(func(t *testing.T, name, value string) {
		if len(value) < 8 || strings.Contains(name, value) {
			return // a few letters stand somewhere in any report
		}
		inv := inventory.Inventory{Image: &inventory.Image{
			Name: "i", Config: inventory.Config{User: "app", Env: []string{name + "=" + value}, Cmd: []string{value}, Labels: map[string]string{name: value}},
			History: []inventory.History{
				{CreatedBy: "RUN |1 " + name + "=" + value + " /bin/sh -c x"},
				{CreatedBy: "ENV A=b " + name + "=" + value + " C=d"},
				{CreatedBy: "LABEL " + name + "=" + strconv.Quote(value)},
				{CreatedBy: fmt.Sprintf("CMD %q", []string{"app", "--" + name, value})},
				{CreatedBy: "HEALTHCHECK &{[" + value},
			},
		}}
		for _, found := range imageconfig.Check(t.Context(), inv, imageconfig.Options{}).Findings {
			for _, text := range []string{found.Message, found.Title, fmt.Sprint(found.Evidence), fmt.Sprint(found.Locations)} {
				if found.Kind == finding.Secret && strings.Contains(text, value) && !strings.Contains("value of a variable that is named like a secret", value) {
					t.Errorf("%q is in %q", value, text)
				}
			}
		}
	})
}

func TestWhatEverybodyMayChangeOnThePathIsHigh(t *testing.T) {
	const low, high, none = finding.Low, finding.High, finding.Unknown
	for name, tc := range map[string]struct {
		env, file string
		want      finding.Severity
	}{
		"a directory elsewhere":                         {`"PATH=/usr/bin"`, `{"path": "/opt/bin", "mode": "0777", "kind": "directory"}`, low},
		"a directory on the PATH":                       {`"PATH=/opt/bin/:/usr/bin"`, `{"path": "/opt/bin", "mode": "0777", "kind": "directory"}`, high},
		"the directory for temporary files":             {`"PATH=/usr/bin"`, `{"path": "/tmp", "mode": "1777", "kind": "directory"}`, none},
		"the same on the PATH":                          {`"PATH=/tmp:/usr/bin"`, `{"path": "/tmp", "mode": "1777", "kind": "directory"}`, high},
		"one of the PATH that runtimes set":             {``, `{"path": "/usr/local/bin", "mode": "0777", "kind": "directory"}`, high},
		"the same where the image sets another":         {`"PATH=/app"`, `{"path": "/usr/local/bin", "mode": "0777", "kind": "directory"}`, low},
		"one that the PATH names without /usr":          {`"PATH=/bin"`, `{"path": "/usr/bin", "mode": "0777", "kind": "directory"}`, high},
		"a command":                                     {`"PATH=/bin"`, `{"path": "/usr/bin/tool", "mode": "0777"}`, high},
		"a file that is no command":                     {`"PATH=/bin"`, `{"path": "/usr/bin/tool.txt", "mode": "0666"}`, low},
		"a command below a directory of the PATH":       {`"PATH=/opt"`, `{"path": "/opt/x/tool", "mode": "0777"}`, low},
		"a directory of which only the group may write": {`"PATH=/opt"`, `{"path": "/opt", "mode": "0775", "kind": "directory"}`, none},
	} {
		got := none
		for _, f := range check(t, decode(t, fmt.Sprintf(`{"config": {"User": "app", "Env": [%s]}, "files": [%s]}`, tc.env, tc.file)), "") {
			if f.RuleID == "image-world-writable" {
				got = f.Severity
			}
		}
		if got != tc.want {
			t.Errorf("%s: severity %v, want %v", name, got, tc.want)
		}
	}
}

func TestPartsOfThePathThatMeanTheWorkingDirectory(t *testing.T) {
	for value, want := range map[string]string{
		"PATH=/usr/bin:/bin": "", "PATH=": "", "HOME=.": "", "GOPATH=.": "",
		"PATH=/usr/bin:": "an empty part", "PATH=:/usr/bin": "an empty part", "PATH=/a::/b": "an empty part",
		"PATH=.:/usr/bin": `the part "."`, "PATH=/usr/bin:node_modules/.bin": `the part "node_modules/.bin"`, "PATH=~/bin:/bin": `the part "~/bin"`,
	} {
		inv := decode(t, fmt.Sprintf(`{"config": {"User": "app", "Env": [%q]}, "history": ["ENV PATH=x", "CMD [\"app\"]"]}`, value))
		got := one(t, check(t, inv, ""), "image-path-relative")
		switch {
		case (got == nil) != (want == ""), got != nil && !strings.Contains(got.Message, want):
			t.Errorf("%s: finding %+v, want one about %q", value, got, want)
		case got != nil && got.Locations[0].Note != "env PATH":
			t.Errorf("%s: place %+v", value, got.Locations[0])
		}
	}
}
