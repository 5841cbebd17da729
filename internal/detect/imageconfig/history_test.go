package imageconfig_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portcullis-ci/portcullis/internal/credential/credentialtest"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/inventory"
)

// secretsIn are rule, object and severity of the findings of secrets in a
// configuration and its history, sorted. No finding may hold a value.
func secretsIn(t *testing.T, config inventory.Config, values []string, history ...string) (said []string, found []finding.Finding) {
	t.Helper()
	config.User = "app"
	img := &inventory.Image{Name: "shop/web", Platform: "linux/amd64", Config: config}
	for _, h := range history {
		img.History = append(img.History, inventory.History{CreatedBy: h})
	}
	for _, f := range check(t, inventory.Inventory{Image: img}, "") {
		if f.Kind != finding.Secret {
			continue
		}
		said, found = append(said, f.RuleID+" "+f.Object+" "+f.Severity.String()), append(found, f)
		for _, v := range values {
			if text, _ := json.Marshal(f); strings.Contains(string(text), v) {
				t.Errorf("the finding gives the value away: %s", text)
			}
		}
	}
	slices.Sort(said)
	return said, found
}

func TestWhatALaterStepSetAnewStaysInTheHistory(t *testing.T) {
	tok, password := credentialtest.GitHubToken(1), "Tr0ub4dor-and-3"
	health := func(command string) string {
		return `HEALTHCHECK &{["CMD-SHELL" "` + command + `"] "30s" "3s" "0s" "0s" '\x00'}`
	}
	for name, tc := range map[string]struct {
		config  inventory.Config
		history []string
		want    []string
	}{
		"a variable that was emptied": {
			inventory.Config{Env: []string{"GITHUB_TOKEN="}},
			[]string{"ENV GITHUB_TOKEN=" + tok, "ENV GITHUB_TOKEN="},
			[]string{"image-secret-history GITHUB_TOKEN critical"},
		},
		"a variable that became a part of itself": {
			inventory.Config{Env: []string{"GITHUB_TOKEN=ghp"}},
			[]string{"ENV GITHUB_TOKEN=" + tok, "ENV GITHUB_TOKEN=ghp"},
			[]string{"image-secret-history GITHUB_TOKEN critical"},
		},
		"the second variable of a step": {
			inventory.Config{Env: []string{"FOO=bar", "GITHUB_TOKEN="}},
			[]string{"ENV FOO=bar GITHUB_TOKEN=" + tok, "ENV GITHUB_TOKEN="},
			[]string{"image-secret-history GITHUB_TOKEN critical"},
		},
		"a value in quotes before another": {
			inventory.Config{Env: []string{"DB_PASSWORD=", "A=b c"}},
			[]string{`/bin/sh -c #(nop) ENV DB_PASSWORD="` + password + `" A="b c"`},
			[]string{"image-secret-history DB_PASSWORD high"},
		},
		"a value with blanks":               {inventory.Config{Env: []string{"GREETING="}}, []string{"ENV GREETING=use " + tok + " there A=b"}, []string{"image-secret-history GREETING critical"}},
		"a variable without an equals sign": {inventory.Config{}, []string{"ENV GITHUB_TOKEN " + tok}, []string{"image-secret-history GITHUB_TOKEN critical"}},
		"an instruction in small letters":   {inventory.Config{}, []string{"env GITHUB_TOKEN=" + tok}, []string{"image-secret-history GITHUB_TOKEN critical"}},
		"a private key of several lines":    {inventory.Config{}, []string{"ENV KEY=" + privateKey(t)}, []string{"image-secret-history KEY critical"}},
		"a value that ends with equals signs": {
			inventory.Config{Env: []string{"JWT_SECRET="}},
			[]string{"ENV JWT_SECRET=QWxhZGRpbjpvcGVuc2VzYW1lMTIzNDU2Nzg5MA==", "ENV JWT_SECRET="},
			[]string{"image-secret-history JWT_SECRET high"},
		},
		"a value that looks like a pair":                {inventory.Config{Env: []string{"DB_PASSWORD="}}, []string{"ENV DB_PASSWORD=foo=" + password + " A=b", "ENV DB_PASSWORD="}, []string{"image-secret-history DB_PASSWORD high"}},
		"a value that looks like a pair, as the second": {inventory.Config{Env: []string{"DB_PASSWORD="}}, []string{"ENV A=b=c DB_PASSWORD=foo=" + password}, []string{"image-secret-history DB_PASSWORD high"}},
		"a label whose value has an equals sign":        {inventory.Config{}, []string{"LABEL x.password=Tr0ub4dor=and-3"}, []string{"image-secret-history x.password high"}},
		"a value with an equals sign behind a blank":    {inventory.Config{}, []string{"ENV DB_PASSWORD foo=" + password}, []string{"image-secret-history DB_PASSWORD high"}},
		"a label that was emptied":                      {inventory.Config{Labels: map[string]string{"token": ""}}, []string{"LABEL token=" + tok, "LABEL token="}, []string{"image-secret-history token critical"}},
		"a label whose name is in quotes":               {inventory.Config{}, []string{`LABEL "com.shop.token"="` + tok + `" "a"="b"`}, []string{"image-secret-history com.shop.token critical"}},
		"a command":                                     {inventory.Config{Cmd: []string{"app"}}, []string{`CMD ["app" "--token=` + tok + `"]`, `CMD ["app"]`}, []string{"image-secret-history token critical"}},
		"a command with an option and its word":         {inventory.Config{Cmd: []string{"app"}}, []string{`CMD ["app" "--password" "` + password + `"]`, `CMD ["app"]`}, []string{"image-secret-history password high"}},
		"a command as JSON":                             {inventory.Config{Cmd: []string{"app"}}, []string{`CMD ["app", "--password=` + password + `"]`}, []string{"image-secret-history password high"}},
		"a command as a line":                           {inventory.Config{Cmd: []string{"app"}}, []string{"CMD app --password=" + password}, []string{"image-secret-history password high"}},
		"an entrypoint":                                 {inventory.Config{Entrypoint: []string{"app"}}, []string{`ENTRYPOINT ["app" "` + tok + `"]`, `ENTRYPOINT ["app"]`}, []string{"image-secret-history GitHub token critical"}},
		"a health check that was switched off":          {inventory.Config{Healthcheck: []string{"NONE"}}, []string{health("curl -H x:" + tok + " http://localhost"), `HEALTHCHECK &{["NONE"] "0s" "0s" "0s" "0s" '\x00'}`}, []string{"image-secret-history GitHub token critical"}},
		"a shell":                                       {inventory.Config{Shell: []string{"/bin/sh"}}, []string{"SHELL [/bin/sh --password=" + password + "]"}, []string{"image-secret-history password high"}},
		"an instruction for later builds":               {inventory.Config{}, []string{"ONBUILD ENV GITHUB_TOKEN=" + tok}, []string{"image-secret-history GitHub token critical"}},
		"a token behind a password":                     {inventory.Config{Cmd: []string{"app"}}, []string{`CMD ["app" "--password=sunflower" "--token=` + tok + `"]`}, []string{"image-secret-history password medium", "image-secret-history token critical"}},
		"a build argument with blanks, before another": {
			inventory.Config{},
			[]string{"RUN |3 DB_PASSWORD=" + password + " and more  EMPTY= B=c d= e /bin/sh -c make"},
			[]string{"image-secret-history DB_PASSWORD high"},
		},
		"a build argument with equals signs": {
			inventory.Config{},
			[]string{"RUN |1 JWT_SECRET=QWxhZGRpbjpvcGVuc2VzYW1lMTIzNDU2Nzg5MA== /bin/sh -c make"},
			[]string{"image-secret-history JWT_SECRET high"},
		},
		"two build arguments and a command": {
			inventory.Config{},
			[]string{"RUN |1 DB_PASSWORD=" + password + " /bin/sh -c DB_PASSWORD=" + password + " make --token=" + tok + " # buildkit"},
			[]string{"image-secret-history DB_PASSWORD high", "image-secret-history GitHub token critical"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := secretsIn(t, tc.config, []string{tok, password}, tc.history...)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatIsStillConfiguredIsToldOnce(t *testing.T) {
	tok, password := credentialtest.GitHubToken(1), "Tr0ub4dor-and-3"
	for name, tc := range map[string]struct {
		config  inventory.Config
		history []string
		want    []string
	}{
		"one variable of several":        {inventory.Config{Env: []string{"A=1", "DB_PASSWORD=" + password, "B=x y"}}, []string{"ENV A=1 DB_PASSWORD=" + password + " B=x y"}, []string{"image-secret-env DB_PASSWORD high"}},
		"a variable in quotes":           {inventory.Config{Env: []string{"DB_PASSWORD=" + password}}, []string{`ENV DB_PASSWORD="` + password + `"`}, []string{"image-secret-env DB_PASSWORD high"}},
		"a variable that moved":          {inventory.Config{Env: []string{"OLD=", "GITHUB_TOKEN=" + tok}}, []string{"ENV OLD=" + tok, "ENV OLD= GITHUB_TOKEN=" + tok}, []string{"image-secret-env GITHUB_TOKEN critical"}},
		"a variable with an equals sign": {inventory.Config{Env: []string{"DB_PASSWORD=foo=" + password + "=="}}, []string{"ENV A=1 DB_PASSWORD=foo=" + password + "== B=2"}, []string{"image-secret-env DB_PASSWORD high"}},
		"a URL":                          {inventory.Config{Env: []string{"DB=postgres://a:" + password + "@db/x"}}, []string{"ENV DB=postgres://a:" + password + "@db/x"}, []string{"image-secret-env DB high"}},
		"a label":                        {inventory.Config{Labels: map[string]string{"a.password": password}}, []string{"LABEL a.password=" + password}, []string{"image-secret-label a.password high"}},
		"a command":                      {inventory.Config{Cmd: []string{"app", "--token=" + tok}}, []string{`CMD ["app" "--token=` + tok + `"]`}, []string{"image-secret-command token critical"}},
		"an option and its word":         {inventory.Config{Cmd: []string{"app", "--password", password}}, []string{`CMD ["app" "--password" "` + password + `"]`}, []string{"image-secret-command password high"}},
		"a command with escaped letters": {inventory.Config{Cmd: []string{"sh", "-c", "app --password=\"" + password + "\"\n"}}, []string{`CMD ["sh" "-c" "app --password=\"` + password + `\"\n"]`}, []string{"image-secret-command password high"}},
		"a header with a token":          {inventory.Config{Cmd: []string{"app", "--auth-token=Bearer " + tok}}, nil, []string{"image-secret-command auth-token critical"}},
		"an instruction for later builds": {
			inventory.Config{OnBuild: []string{"RUN curl -H x:" + tok + " https://a.shop.de"}},
			[]string{"ONBUILD RUN curl -H x:" + tok + " https://a.shop.de"},
			[]string{"image-secret-command GitHub token critical"},
		},
		"a health check": {
			inventory.Config{Healthcheck: []string{"CMD-SHELL", "app --password=" + password + " || exit 1"}},
			[]string{`HEALTHCHECK &{["CMD-SHELL" "app --password=` + password + ` || exit 1"] "30s" "3s" "0s" "0s" '\x00'}`},
			[]string{"image-secret-command password high"},
		},
		"two tokens in one variable": {inventory.Config{Env: []string{"TOKENS=" + tok + "," + credentialtest.GitHubToken(2)}}, []string{"ENV TOKENS=" + tok + "," + credentialtest.GitHubToken(2)}, []string{"image-secret-env TOKENS critical", "image-secret-env TOKENS critical"}},
		"settings without a secret":  {inventory.Config{}, []string{"ENV PATH=/usr/bin LANG=C.UTF-8 JAVA_OPTS=-Xmx1g -Dfoo=bar", "ENV MODE=password=no OPTS=a=b=c== PASSWORD= X=1", `LABEL maintainer="A B <a@shop.de>" version=1`, `CMD ["nginx" "-g" "daemon off;"]`, "ONBUILD RUN npm ci", "SHELL [/bin/bash -o pipefail -c]"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := secretsIn(t, tc.config, []string{tok, password}, tc.history...)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestASecretThatReplacesAnotherIsANewProblem(t *testing.T) {
	of := func(value string) map[string]string {
		_, found := secretsIn(t, inventory.Config{
			Env: []string{"GITHUB_TOKEN=" + value}, Labels: map[string]string{"deploy.token": value}, Cmd: []string{"app", "--api-token=" + value},
		}, nil, "RUN |1 NPM_TOKEN="+value+" /bin/sh -c npm ci # buildkit")
		out := map[string]string{}
		for _, f := range found {
			out[f.RuleID] = f.Fingerprint
		}
		if len(out) != 4 {
			t.Fatalf("%d rules of %+v, want 4", len(out), found)
		}
		return out
	}
	one, same, other := of(credentialtest.GitHubToken(1)), of(credentialtest.GitHubToken(1)), of(credentialtest.GitHubToken(2))
	for rule := range one {
		if one[rule] != same[rule] || one[rule] == other[rule] {
			t.Errorf("%s: fingerprints %s, again %s, of another token %s", rule, one[rule], same[rule], other[rule])
		}
	}
	// Nothing that could be tried out is made of passwords that people think up.
	if a, b := of("Tr0ub4dor-and-3"), of("sunflower-7"); !cmp.Equal(a, b) {
		t.Errorf("fingerprints of passwords differ: %s", cmp.Diff(a, b))
	}
}

func TestTheCommentOfAStepIsSearchedWhateverTheStepSets(t *testing.T) {
	img := &inventory.Image{Name: "shop/web", Config: inventory.Config{User: "app", Env: []string{"A=b"}}, History: []inventory.History{{CreatedBy: "ENV A=b", Comment: "made with " + credentialtest.GitHubToken(1)}}}
	if found := check(t, inventory.Inventory{Image: img}, ""); !slices.Contains(ids(found), "image-secret-history") {
		t.Errorf("findings = %v, want one of the history", ids(found))
	}
}

func TestAStepThatIsMadeToTakeLongDoesNot(t *testing.T) {
	for name, step := range map[string]string{
		"quotes that nothing ends":  "ENV " + strings.Repeat(`a="b `, 100_000),
		"names alone":               "LABEL " + strings.Repeat(`a= `, 100_000),
		"a list that is none":       "CMD [" + strings.Repeat(`"a`, 100_000),
		"a build argument of words": "RUN |1 A=" + strings.Repeat(`b `, 300_000),
		"many build arguments":      "RUN |100000 " + strings.Repeat(`A=b c `, 100_000),
		"secrets without end":       "CMD " + strings.Repeat(`--password=Tr0ub4dor-and-3 `, 10_000),
	} {
		start := time.Now()
		if _, _ = secretsIn(t, inventory.Config{}, nil, step); time.Since(start) > 10*time.Second {
			t.Errorf("%s: took %s", name, time.Since(start))
		}
	}
}
