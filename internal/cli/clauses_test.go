package cli_test

import (
	"encoding/json"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// clauseIs: clause RESULT NAME POLICY [ARG…] judges what $TARGET examines by a
// policy, and holds that its clause NAME passes, warns or fails and that the
// exit code agrees: 0, 0 or 1. The result incomplete stands for a clause that
// fails with code 4 or 5.
func clauseIs(ts *testscript.TestScript, _ bool, args []string) {
	result, name, policy := args[0], args[1], args[2]
	ts.Check(os.WriteFile(ts.MkAbs("policy.yaml"), []byte(policy+"\n"), 0o600))
	command := append(strings.Fields(ts.Getenv("TARGET")), "--config", "policy.yaml", "--quiet", "--output", "json=verdict.json")
	code := "0"
	if err := ts.Exec("portcullis", append(command, args[3:]...)...); err != nil {
		code = strings.TrimPrefix(err.Error(), "exit status ")
	}
	want := map[string]string{"pass": "0", "warn": "0", "fail": "1", "incomplete": "4 5"}[result]
	if want == "" || !strings.Contains(want, code) {
		ts.Fatalf("%s: exit code %s, want %s (%s)", policy, code, want, result)
	}
	var report struct {
		Policy []struct {
			Name           string
			Broken, Warned bool
			Reason         string
		}
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("verdict.json")), &report))
	for _, c := range report.Policy {
		if c.Name != name {
			continue
		}
		got := "pass"
		switch {
		case c.Broken:
			got = "fail"
		case c.Warned:
			got = "warn"
		}
		if got != result && !(got == "fail" && result == "incomplete") || (got == "pass") != (c.Reason == "") {
			ts.Fatalf("%s: clause %s is %s (%s), want %s", policy, name, got, c.Reason, result)
		}
		return
	}
	ts.Fatalf("%s: the verdict has no clause %s: %+v", policy, name, report.Policy)
}

// policyIsRefused: refused POLICY TEXT holds that a policy is an error of the
// configuration whose message has the text behind its place.
func policyIsRefused(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs("policy.yaml"), []byte(args[0]+"\n"), 0o600))
	exitsWith(ts, false, []string{"2", "portcullis", "config", "validate", "--config", "policy.yaml"})
	message := ts.ReadFile("stderr")
	if place := "policy.yaml:1:"; !strings.Contains(message, place) || !strings.Contains(message, args[1]) {
		ts.Fatalf("%s: %s does not tell %q with %q", args[0], message, args[1], place)
	}
}
