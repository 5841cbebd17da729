package dockerfile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"

	df "github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
	"github.com/portcullis-ci/portcullis/internal/shellscript"
)

// Rule is one check with all that a person needs to know about it. At least
// one of the functions is set; each is called for the things it names, in the
// order of the file.
type Rule struct {
	rules.Rule
	// File is called once a file.
	File func(*Pass)
	// Instruction is called for every instruction that the builder accepts,
	// and for the triggers of ONBUILD.
	Instruction func(*Pass, *df.Instruction)
	// Run is called for every shell script of a RUN.
	Run func(*Pass, *Run)
	// Command is called for every command of these scripts.
	Command func(*Pass, *Run, *shellscript.Command)
	// Last is called once a file when all other rules are done with it.
	Last func(*Pass)

	sorted []string // the aliases, sorted; findings share them
}

// families are all rules, a slice for each file of rules.
func families() [][]Rule {
	return [][]Rule{
		parseRules, userRules, baseRules, secretRules, copyRules, downloadRules, tlsRules, signatureRules,
		runRules, stageRules, commandRules, pathRules, portRules, variableRules, formRules, shellRules, installRules,
		pinRules, cacheRules, optionalRules, labelRules, ignoreRules, scriptRules,
		{shellCheckRule},
	}
}

// allRules are the rules of all families with what they have in common.
func allRules() []Rule { return assembled() }

// assembled makes the list once; nobody changes it afterwards.
var assembled = sync.OnceValue(func() []Rule {
	all := slices.Concat(families()...)
	for i := range all {
		r := &all[i]
		r.sorted = slices.Clip(slices.Sorted(slices.Values(r.Aliases)))
		r.Kind, r.Since, r.Language = cmp.Or(r.Kind, finding.Dockerfile), cmp.Or(r.Since, "0.1"), "dockerfile"
	}
	return all
})

// Rules returns the metadata of all Dockerfile rules for the catalogue.
func Rules() []rules.Rule {
	all := allRules()
	out := make([]rules.Rule, len(all))
	for i, r := range all {
		out[i] = r.Rule
	}
	return out
}

// Pass is one rule at work on one file.
type Pass struct {
	// File is the parsed Dockerfile and Input what the caller gave.
	File  *df.File
	Input File
	Opts  *Options

	rule   *Rule
	shared *shared
	found  []*Report
}

// shared is what the rules of one file need alike.
type shared struct {
	runs    []*Run
	ignores []*ignore
	rules   []Rule // those that run
	all     []Rule
	// What follows is worked out when it is first asked for, so that no rule
	// walks over the whole file for each of its lines.
	mentions map[string]map[*df.Stage]int
	shipping map[*df.Stage]bool
	copies   map[*df.Stage]int
	names    []string
	relinked map[*df.Stage]int
}

// Report is a finding in the making.
type Report struct {
	In       *df.Instruction
	At       df.Span
	Key      string
	Message  string
	FixText  string
	Edits    []Replacement
	Severity finding.Severity
	Evidence []finding.Fact
	rule     *Rule
}

// Replacement is a change of the file's text.
type Replacement struct {
	At      df.Span
	NewText string
}

// Reportf reports a finding at a place of the instruction. The key is the
// offending text without versions, digests and secret values: what makes this
// the same problem tomorrow.
func (p *Pass) Reportf(in *df.Instruction, at df.Span, key, format string, args ...any) *Report {
	if len(key) > 1000 {
		key = key[:1000] // enough to tell problems apart
	}
	r := &Report{In: in, At: at, Key: key, Message: fmt.Sprintf(format, args...), rule: p.rule}
	p.found = append(p.found, r)
	return r
}

// Fix says what to do in this case, with the changes that do it.
func (r *Report) Fix(text string, edits ...Replacement) *Report {
	r.FixText, r.Edits = text, edits
	return r
}

// Level sets the severity where it differs from the rule's.
func (r *Report) Level(s finding.Severity) *Report {
	r.Severity = s
	return r
}

// Fact adds a piece of evidence.
func (r *Report) Fact(name, value string) *Report {
	r.Evidence = append(r.Evidence, finding.Fact{Name: name, Value: value})
	return r
}

// Runs are the scripts of all RUN instructions.
func (p *Pass) Runs() []*Run { return p.shared.runs }

// source is the text of the file at a span.
func (p *Pass) source(s df.Span) string { return p.File.Content[s.Start:s.End] }

// quote shows a piece of the user's text in a message: on one line, in quotes,
// not too long, and without what looks like a credential.
func quote(s string) string {
	if len(s) > 1000 {
		s = strings.ToValidUTF8(s[:1000], "")
	}
	s = strings.Join(strings.Fields(s), " ")
	s = redact(s)
	if r := []rune(s); len(r) > 80 {
		s = string(r[:77]) + "…"
	}
	return "`" + s + "`"
}
