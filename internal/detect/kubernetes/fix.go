package kubernetes

import (
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
)

// fixes are the values that mend a finding by themselves, by the rule and the
// last key of the field. They are offered for the field that is wrong, or
// added where it is missing. What decides over who can reach a workload, such
// as hostNetwork or the type of a Service, is left to people.
var fixes = map[string]map[string]string{
	"k8s-privileged":              {"privileged": "false"},
	"k8s-host-pid":                {"hostPID": "false"},
	"k8s-host-ipc":                {"hostIPC": "false"},
	"k8s-privilege-escalation":    {"allowPrivilegeEscalation": "false"},
	"k8s-read-only-root-fs":       {"readOnlyRootFilesystem": "true"},
	"k8s-run-as-non-root":         {"runAsNonRoot": "true"},
	"k8s-seccomp-unconfined":      {"type": "RuntimeDefault"},
	"k8s-apparmor-unconfined":     {"type": "RuntimeDefault"},
	"k8s-automount-token":         {"automountServiceAccountToken": "false"},
	"k8s-share-process-namespace": {"shareProcessNamespace": "false"},
	"k8s-windows-host-process":    {"hostProcess": "false"},
	"k8s-hostpath-writable":       {"readOnly": "true"},
	"k8s-rolling-update":          {"type": "RollingUpdate"},
	"ecs-privileged":              {"privileged": "false"},
	"ecs-read-only-root-fs":       {"readonlyRootFilesystem": "true"},
}

// edits returns the changes that mend a finding at a place, or none.
func edits(ruleID, file string, at *manifest.Place) []finding.Edit {
	value, ok := fixes[ruleID][at.Name()]
	if !ok {
		return nil
	}
	if at.Node != nil {
		return replace(file, at, value)
	}
	return insert(file, at, value)
}

// replace puts a value in the place of a scalar that stands in one line.
func replace(file string, at *manifest.Place, value string) []finding.Edit {
	n := at.Node
	if n.Kind == manifest.Map || n.Kind == manifest.List || n.Block || n.Span().EndColumn <= n.Span().Column {
		return nil
	}
	if strings.HasPrefix(n.Value, "\"") || at.Key != nil && at.Key.Quoted && value != "true" && value != "false" {
		// JSON wants quotes around words.
		value = `"` + value + `"`
	}
	return []finding.Edit{{
		Path: file, Line: n.Span().Line, Column: n.Span().Column, EndLine: n.Span().Line, EndColumn: n.Span().EndColumn, NewText: value,
	}}
}

// insert adds a missing field, and the maps in which it lies, in front of the
// first field of the nearest map that is there.
func insert(file string, at *manifest.Place, value string) []finding.Edit {
	var keys []string
	for at.Node == nil {
		keys = append([]string{at.Name()}, keys...)
		if at = at.Up(); at == nil {
			return nil
		}
	}
	if at.Node.Kind != manifest.Map || len(at.Node.Fields()) == 0 {
		return nil
	}
	first := at.Node.Fields()[0].Key
	// What a merge key brought in stands elsewhere.
	if !at.Node.Flow && first.Span() != (manifest.Span{Line: at.Node.Span().Line, Column: at.Node.Span().Column, EndColumn: first.Span().EndColumn}) {
		return nil
	}
	text := blockText(keys, value, first.Span().Column-1)
	if at.Node.Flow {
		text = flowText(keys, value, first.Quoted)
	}
	return []finding.Edit{{
		Path: file, Line: first.Span().Line, Column: first.Span().Column, EndLine: first.Span().Line, EndColumn: first.Span().Column, NewText: text,
	}}
}

// blockText writes nested keys at an indentation, ending where the first field
// of the map begins.
func blockText(keys []string, value string, indent int) string {
	var b strings.Builder
	for i, key := range keys {
		b.WriteString(key + ":")
		if i == len(keys)-1 {
			b.WriteString(" " + value)
			indent -= 2 * i
		} else {
			indent += 2
		}
		b.WriteString("\n" + strings.Repeat(" ", indent))
	}
	return b.String()
}

func flowText(keys []string, value string, quoted bool) string {
	text := value
	if quoted && value != "true" && value != "false" {
		text = `"` + value + `"`
	}
	for i := len(keys) - 1; i >= 0; i-- {
		key := keys[i]
		if quoted {
			key = `"` + key + `"`
		}
		text = key + ": " + text
		if i > 0 {
			text = "{" + text + "}"
		}
	}
	return text + ", "
}
