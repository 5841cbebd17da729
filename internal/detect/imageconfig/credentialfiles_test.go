package imageconfig_test

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/inventory"
)

func TestCredentialFilesAreJudgedByTheirText(t *testing.T) {
	const secret = "Tr0ub4dor-and-3"
	auth := base64.StdEncoding.EncodeToString([]byte("ci:" + secret))
	for _, tc := range []struct {
		path, text string
		loud       bool
	}{
		{"/root/.aws/credentials", "[default]\naws_access_key_id = AKIAIOSFODNN7ABCDEFG\naws_secret_access_key = " + secret + "\n", true},
		{"/root/.aws/credentials", "[default]\naws_access_key_id = x\naws_secret_access_key = ${SECRET}\n", false},
		{"/root/.docker/config.json", `{"auths": {"r.example": {"auth": "` + auth + `"}}}`, true},
		{"/root/.docker/config.json", `{"credsStore": "ecr-login", "auths": {"r.example": {}}}`, false},
		{"/root/.docker/config.json", `not JSON`, false},
		{"/root/.git-credentials", "https://ci:" + secret + "@git.example\n", true},
		{"/home/ci/.netrc", "machine a\nlogin ci\npassword " + secret + "\n", true},
		{"/home/ci/.netrc", "machine a\nlogin ci\n", false},
		{"/home/ci/.pgpass", "*:*:*:app:" + secret + "\n", true},
		{"/home/ci/.pgpass", "# host:port:db:user:password\n", false},
		{"/app/.npmrc", "//npm.example/:_authToken=" + secret + "\n", true},
		{"/app/.npmrc", "save-exact=true\n//npm.example/:_authToken=${NPM_TOKEN}\n", false},
		{"/root/.pypirc", "[pypi]\nusername = __token__\npassword = " + secret + "\n", true},
		{"/root/.kube/config", "users:\n- name: ci\n  user:\n    token: " + secret + "\n", true},
		{"/root/.kube/config", "clusters:\n- name: c\n", false},
	} {
		inv := inventory.Inventory{Files: []inventory.File{{Path: tc.path, Mode: 0o600, Content: []byte(tc.text)}}}
		found := check(t, inv, "")
		if got := slices.Equal(ids(found), []string{"image-credential-file"}); got != tc.loud || (!tc.loud && len(found) > 0) {
			t.Errorf("%s with %q: findings %v, want one = %v", tc.path, tc.text, ids(found), tc.loud)
		}
		if text, _ := json.Marshal(found); strings.Contains(string(text), secret) || strings.Contains(string(text), auth) {
			t.Errorf("%s: the finding gives the value away: %s", tc.path, text)
		}
	}
}

func TestAccountsAreJudgedByTheirLines(t *testing.T) {
	for name, tc := range map[string]struct {
		path, text string
		want       []string
		line       int
	}{
		"locked accounts are silent":                             {"/etc/shadow", "root:*:19000::::::\nbin:!:1::::::\nx:!!:1::::::\n", []string{}, 0},
		"an empty password of a late line":                       {"/etc/shadow", "root:*:19000::::::\napp::1::::::\n", []string{"image-empty-password"}, 2},
		"an empty field of passwd":                               {"/etc/passwd", "root:x:0:0::/:/bin/sh\n\napp::1:1::/:/bin/sh\n", []string{"image-empty-password"}, 3},
		"a locked hash is a hash":                                {"/etc/shadow", "app:!$y$j9T$saltsaltsalt$" + strings.Repeat("h", 43) + ":1::::::\n", []string{"image-password-hash"}, 1},
		"lines that are none are left out":                       {"/etc/passwd", "# comment\n+::::::\nbroken\n", []string{}, 0},
		"sudo for a group":                                       {"/etc/sudoers", "Defaults env_reset\n%sudo ALL=(ALL:ALL) NOPASSWD:ALL\n", []string{"image-sudo-nopasswd"}, 2},
		"sudo with a password is silent":                         {"/etc/sudoers", "%sudo ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n", []string{}, 0},
		"sudo with tabs":                                         {"/etc/sudoers.d/app", "app\tALL=(ALL)\tNOPASSWD:\tALL\n", []string{"image-sudo-nopasswd"}, 1},
		"sudo that asks nobody":                                  {"/etc/sudoers", "Defaults\tenv_reset, !authenticate\n", []string{"image-sudo-nopasswd"}, 1},
		"sudo for one command":                                   {"/etc/sudoers", "app ALL = PASSWD: /bin/ls, NOPASSWD: /bin/kill\n", []string{"image-sudo-nopasswd"}, 1},
		"doas":                                                   {"/etc/doas.conf", "# comment\npermit persist :wheel\npermit keepenv nopass app as root\n", []string{"image-sudo-nopasswd"}, 3},
		"doas for one command":                                   {"/etc/doas.d/app.conf", "permit nopass setenv { PATH=/bin } app cmd apk args update", []string{"image-sudo-nopasswd"}, 1},
		"doas with a password, for root, as another one, denied": {"/etc/doas.conf", "permit app as root\npermit nopass root\npermit nopass app as web\ndeny nopass\npermit nopass\n", []string{}, 0},
		"root needs no password":                                 {"/etc/sudoers", "root ALL=(ALL:ALL) NOPASSWD: ALL\n", []string{}, 0},
		"a name that holds the word":                             {"/etc/sudoers", "NOPASSWDERS ALL=(ALL) ALL\nDefaults lecture=\"authenticate\"\n", []string{}, 0},
		"one name twice in shadow":                               {"/etc/shadow", "a:*:1::::::\nb:*:1::::::\na:!:1::::::\n", []string{"image-duplicate-account"}, 3},
		"ssh options in odd letter case":                         {"/etc/ssh/sshd_config.d/x.conf", "\npermitROOTlogin = YES\n", []string{"image-sshd-weak"}, 2},
		"root by key is silent":                                  {"/etc/ssh/sshd_config", "PermitRootLogin prohibit-password\n", []string{}, 0},
		"one name twice":                                         {"/etc/passwd", "a:x:5:5::/:/bin/sh\na:x:6:6::/:/bin/sh\n", []string{"image-duplicate-account"}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			found := check(t, inventory.Inventory{Files: []inventory.File{{Path: tc.path, Mode: 0o600, Content: []byte(tc.text)}}}, "")
			if !slices.Equal(ids(found), tc.want) {
				t.Fatalf("findings %v, want %v", ids(found), tc.want)
			}
			if len(found) > 0 && found[0].Locations[0].Line != tc.line {
				t.Errorf("line = %d, want %d", found[0].Locations[0].Line, tc.line)
			}
		})
	}
}
