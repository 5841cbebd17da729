package dockerfile

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	df "github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// InlineIgnores is the policy about ignore comments in Dockerfiles.
type InlineIgnores struct {
	// Disallow makes all ignore comments void.
	Disallow bool
	// RequireReason makes ignore comments without a reason void.
	RequireReason bool
}

// ignore is one rule named by an ignore comment:
//
//	# portcullis ignore=RULE[,RULE] reason
//	# hadolint ignore=DL3008,SC2086 # reason
//
// Both also with "stage" or "global" before the word ignore.
type ignore struct {
	name    string
	reason  string
	comment df.Comment
	at      df.Span
	// first and last are the lines on which findings are ignored.
	first, last int
	sort        int // of its scope: one of the constants below
	void        bool
	used        bool
	// same is an earlier comment that says the same of the same lines.
	same *ignore
}

// The sorts of scopes.
const (
	belowComment = iota
	insideInstruction
	inStage
	inFile
)

var ignoreComment = regexp.MustCompile(`(?i)^(?:portcullis|hadolint)\s+(?:(global|stage)\s+)?ignore\s*=\s*([a-z0-9_-]+(?:\s*,\s*[a-z0-9_-]+)*)[\s,]*(.*)$`)

// ignoresOf reads all ignore comments of a file.
func ignoresOf(f *df.File, policy InlineIgnores) []*ignore {
	var out []*ignore
	below := codeBelow(f)
	for _, c := range f.Comments {
		m := ignoreComment.FindStringSubmatchIndex(c.Text)
		if m == nil {
			continue
		}
		scope := ""
		if m[2] >= 0 {
			scope = strings.ToLower(c.Text[m[2]:m[3]])
		}
		reason := strings.TrimSpace(strings.TrimLeft(c.Text[m[6]:m[7]], "#-–—: \t"))
		first, last, sort := linesOf(f, c, scope, below[c.Line])
		textStart := c.Span.Start + strings.Index(f.Content[c.Span.Start:c.Span.End], c.Text)
		pos := m[4]
		for part := range strings.SplitSeq(c.Text[m[4]:m[5]], ",") {
			name := strings.TrimSpace(part)
			start := textStart + pos + strings.Index(part, name)
			out = append(out, &ignore{
				name: name, reason: reason, comment: c, at: df.Span{Start: start, End: start + len(name)}, first: first, last: last, sort: sort,
				void: policy.Disallow || policy.RequireReason && reason == "",
			})
			pos += len(part) + 1
		}
	}
	return out
}

// linesOf is the range of lines that a comment speaks of: the whole file, its
// stage, the instruction below it, or, inside an instruction, the next line.
// Other comments may stand between. The range is empty when nothing follows.
func linesOf(f *df.File, c df.Comment, scope string, line int) (first, last, sort int) {
	if scope == "global" {
		return 1, f.Lines(), inFile
	}
	at := instructionAt(f, c.Span.Start)
	if at != nil && scope == "" {
		return line, line, insideInstruction
	}
	i, _ := slices.BinarySearchFunc(f.Instructions, line, func(in *df.Instruction, line int) int { return in.Line - line })
	var below *df.Instruction
	if i < len(f.Instructions) && f.Instructions[i].Line == line {
		below = f.Instructions[i]
	}
	if scope == "" {
		if below == nil {
			return 1, 0, belowComment
		}
		return below.Line, below.EndLine, belowComment
	}
	stage := stageAround(f, c, below)
	if stage == nil {
		return 1, 0, belowComment
	}
	end := stage.From.EndLine
	if n := len(stage.Instructions); n > 0 {
		end = stage.Instructions[n-1].EndLine
	}
	return stage.From.Line, end, inStage
}

// stageAround is the stage that begins right below the comment, else the one
// in which the comment stands.
func stageAround(f *df.File, c df.Comment, below *df.Instruction) *df.Stage {
	if below != nil && below.Keyword == "FROM" {
		return below.Stage
	}
	i, _ := slices.BinarySearchFunc(f.Stages, c.Line, func(s *df.Stage, line int) int { return s.From.Line - line })
	if i == 0 {
		return nil
	}
	return f.Stages[i-1]
}

// codeBelow is, for the line of each comment, the first line below it that is
// no comment.
func codeBelow(f *df.File) map[int]int {
	below := make(map[int]int, len(f.Comments))
	for i := len(f.Comments) - 1; i >= 0; i-- {
		line := f.Comments[i].Line
		next := line + 1
		if further, ok := below[next]; ok {
			next = further
		}
		below[line] = next
	}
	return below
}

// ignoreIndex finds the ignore comments for a line. Ranges of one sort do not
// overlap, so that each sort gives at most one comment.
type ignoreIndex map[string]*[4][]*ignore

func indexIgnores(ignores []*ignore) ignoreIndex {
	index := make(ignoreIndex)
	type key struct {
		name        string
		first, last int
	}
	seen := make(map[key]*ignore)
	for _, ig := range ignores {
		k := key{strings.ToLower(ig.name), ig.first, ig.last}
		if other := seen[k]; other != nil && other.void == ig.void {
			ig.same = other
			continue
		}
		seen[k] = ig
		if index[k.name] == nil {
			index[k.name] = &[4][]*ignore{}
		}
		sorts := index[k.name]
		sorts[ig.sort] = append(sorts[ig.sort], ig)
	}
	for _, sorts := range index {
		for _, list := range sorts {
			slices.SortStableFunc(list, func(a, b *ignore) int { return a.first - b.first })
		}
	}
	return index
}

// of are the comments that name the rule and speak of the line.
func (x ignoreIndex) of(r Rule, line int) []*ignore {
	var out []*ignore
	for _, name := range append([]string{r.ID}, r.Aliases...) {
		sorts := x[strings.ToLower(name)]
		if sorts == nil {
			continue
		}
		for _, list := range sorts {
			i, _ := slices.BinarySearchFunc(list, line+1, func(ig *ignore, line int) int { return ig.first - line })
			for i--; i >= 0 && list[i].last >= line; i-- {
				out = append(out, list[i])
			}
		}
	}
	return out
}

// waive marks the finding as waived when a comment or the configuration says
// so, and notes which comments were of use.
func (l *linter) waive(f finding.Finding, r *Report, ignores ignoreIndex) finding.Finding {
	line := f.Locations[0].Line
	for _, ig := range ignores.of(*r.rule, line) {
		ig.used = true
		if ig.void || f.Status != finding.Open {
			continue
		}
		f.Status = finding.Waived
		f.StatusReason = fmt.Sprintf("ignore comment on line %d", ig.comment.Line)
		if ig.reason != "" {
			f.StatusReason += ": " + ig.reason
		}
	}
	if f.Status == finding.Open {
		if why, ok := l.ignored[r.rule.ID]; ok {
			f.Status, f.StatusReason = finding.Waived, why
		}
	}
	return f
}

const ignoreDocs = "https://github.com/hadolint/hadolint#inline-ignores"

// ignoreRules speak about ignore comments. They run when all others are done.
var ignoreRules = []Rule{
	{
		Rule: rules.Rule{
			ID: "PC-DF223", Aliases: []string{"DL1001"}, Severity: finding.Info, Off: true,
			Title:        "An ignore comment is used",
			Why:          "Where exceptions are agreed on centrally, a comment in the file goes past that agreement.",
			Fix:          "Remove the comment and mend the finding, or ask for a waiver.",
			WhenToIgnore: "Exceptions are made in the file itself.",
			References:   []string{ignoreDocs},
			Bad:          onDebian + "# hadolint ignore=SC1091\nRUN . /etc/os-release\n" + nonRoot,
			Good:         onDebian + nonRoot,
		},
		Last: func(p *Pass) {
			p.eachIgnoreComment(func(ig *ignore) {
				p.Reportf(nil, ig.comment.Span, ig.name, "This comment ignores %s.", quote(ig.name))
			})
		},
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF401", Severity: finding.Medium,
			Title:        "Unknown rule in an ignore comment",
			Why:          "No rule has this name, so the comment ignores nothing; the finding that was meant still counts.",
			Fix:          "Correct the name.",
			WhenToIgnore: "The name is that of a rule of another linter.",
			References:   []string{ignoreDocs},
			Bad:          "# portcullis ignore=PC-DF9999 no such rule\n" + onDebian + nonRoot,
			Good:         onDebian + nonRoot,
		},
		Last: func(p *Pass) {
			for _, ig := range p.shared.ignores {
				if !p.knownRule(ig.name) {
					p.Reportf(nil, ig.at, "ignore="+ig.name, "No rule is named %s; the comment ignores nothing.", quote(ig.name))
				}
			}
		},
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF402", Severity: finding.Info,
			Title:        "Ignore comment without effect",
			Why:          "The rule finds nothing here any more; the comment would hide the next finding.",
			Fix:          "Remove the comment.",
			WhenToIgnore: "Another tool needs the comment.",
			References:   []string{ignoreDocs},
			Bad:          "# portcullis ignore=PC-DF006 a left-over\n" + onDebian + nonRoot,
			Good:         onDebian + nonRoot,
		},
		Last: checkUnusedIgnores,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF403", Severity: finding.Medium,
			Title:        "Ignore comment that the policy does not accept",
			Why:          "The policy does not allow ignore comments, or demands a reason in them; the comment has no effect.",
			Fix:          "Write the reason behind the rule's name, or remove the comment.",
			WhenToIgnore: "Never: the comment has no effect.",
			References:   []string{ignoreDocs},
			Bad:          "# portcullis ignore=PC-DF007\nFROM debian@sha256:2424c1850714a4d94666ec928e24d86de958646737b1d113f5b2207be44d37d8\n" + nonRoot,
			Good:         onDebian + nonRoot,
		},
		Last: func(p *Pass) {
			p.eachIgnoreComment(func(ig *ignore) {
				switch {
				case p.Opts.Inline.Disallow:
					p.Reportf(nil, ig.comment.Span, ig.name, "Ignore comments are not allowed; this one has no effect.")
				case ig.void:
					p.Reportf(nil, ig.comment.Span, ig.name, "This ignore comment gives no reason, so it has no effect; write it behind %s.", quote(ig.name))
				}
			})
		},
	},
}

// eachIgnoreComment calls f once a comment, with its first rule.
func (p *Pass) eachIgnoreComment(f func(*ignore)) {
	for i, ig := range p.shared.ignores {
		if i == 0 || p.shared.ignores[i-1].comment.Line != ig.comment.Line {
			f(ig)
		}
	}
}

var shellCheckID = regexp.MustCompile(`^(?i:SC)\d{4}$`)

// knownRule reports whether any rule has the name: a Dockerfile rule, one of
// ShellCheck, or one that the caller knows of.
func (p *Pass) knownRule(name string) bool {
	return shellCheckID.MatchString(name) || slices.ContainsFunc(p.shared.all, func(r Rule) bool { return named(r, []string{name}) }) ||
		p.Opts.KnownRule != nil && p.Opts.KnownRule(name)
}

func checkUnusedIgnores(p *Pass) {
	if p.Opts.Inline.Disallow {
		return
	}
	for _, ig := range p.shared.ignores {
		running := slices.ContainsFunc(p.shared.rules, func(r Rule) bool { return named(r, []string{ig.name}) && r.Last == nil })
		if ig.same != nil {
			ig.used = ig.same.used
		}
		if !ig.used && running && !ig.void {
			p.Reportf(nil, ig.at, "ignore="+ig.name, "%s finds nothing here; remove the comment.", quote(ig.name))
		}
	}
}
