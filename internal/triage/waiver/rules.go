package waiver

import (
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// rule is a rule about waivers.
type rule rules.Rule

// finding makes a finding of the rule at a place of the waiver file. The
// fingerprint holds what the waiver means and not where it stands.
func (r rule) finding(p Place, subject, message string) finding.Finding {
	return finding.Finding{
		RuleID: r.ID, Kind: finding.Waiver, Severity: r.Severity, SeveritySource: "portcullis",
		Title: r.Title, Message: message, Target: p.File,
		Locations: []finding.Location{{
			Space: finding.Repository, Path: p.File, Line: p.Line, Column: p.Column, EndLine: p.Line, EndColumn: p.EndColumn,
		}},
		Fix: finding.Fix{Text: r.Fix}, References: r.References,
		Fingerprint: finding.Fingerprint(finding.Waiver, r.ID, p.File, subject), Status: finding.Open,
	}
}

// good is the example of a waiver that is in order.
const good = `version: 1
waivers:
  - id: CVE-2024-1234
    package: pkg:npm/qs
    path: services/web/**
    owner: team-shop@example.org
    reason: The parser only sees input that we generate.
    created: 2026-11-01
    expires: 2027-01-15
`

var (
	expiredRule = rule{
		ID: "PC-WAIVER-EXPIRED", Kind: finding.Waiver, Title: "Waiver has expired", Severity: finding.Medium, Since: "0.1",
		Why:          "The time for which somebody accepted the finding is over. The waiver excuses nothing any more: what it matched counts again.",
		Fix:          "Fix what it excused and remove the waiver, or have the exception reviewed and give it a new date.",
		WhenToIgnore: "Never: an expired waiver has no effect and only hides which exceptions are real.",
		Bad: `version: 1
waivers:
  - id: CVE-2024-1234
    owner: team-shop@example.org
    reason: The parser only sees input that we generate.
    created: 2026-01-01
    expires: 2026-03-31
`,
		Good: good, Language: "yaml",
	}
	endingRule = rule{
		ID: "PC-WAIVER-EXPIRING", Kind: finding.Waiver, Title: "Waiver expires soon", Severity: finding.Low, Since: "0.1",
		Why:          "When the waiver ends, what it matches counts again and may fail the gate on a day when nobody has changed anything.",
		Fix:          "Fix what it excuses before that day, or have the exception reviewed and give it a new date.",
		WhenToIgnore: "The fix is on its way and will be in before the waiver ends.",
		Bad: `version: 1
waivers:
  - id: CVE-2024-1234
    owner: team-shop@example.org
    reason: The parser only sees input that we generate.
    created: 2026-11-01
    expires: 2026-11-30
`,
		Good: good, Language: "yaml",
	}
	unusedRule = rule{
		ID: "PC-WAIVER-UNUSED", Kind: finding.Waiver, Title: "Waiver matches no finding", Severity: finding.Low, Since: "0.1",
		Why:          "Either what it excused is fixed, and the waiver would excuse its return without anybody looking; or it is misspelt and excuses nothing.",
		Fix:          "Remove the waiver, or correct what it names.",
		WhenToIgnore: "The finding comes and goes with the branch or platform that is examined.",
		Bad: `version: 1
waivers:
  - id: CVE-2024-4321
    owner: team-shop@example.org
    reason: The parser only sees input that we generate.
    created: 2026-11-01
    expires: 2027-01-15
`,
		Good: good, Language: "yaml",
	}
	malformedRule = rule{
		ID: "PC-WAIVER-MALFORMED", Kind: finding.Waiver, Title: "Waiver is malformed", Severity: finding.High, Since: "0.1",
		Why:          "A waiver that cannot be read as it was meant excuses nothing. Somebody believes that an exception is in force which is not.",
		Fix:          "Correct the entry as the message says.",
		WhenToIgnore: "Never: correct or remove the entry.",
		Bad: `version: 1
waivers:
  - id: CVE-2024-1234
    reson: The parser only sees input that we generate.
    owner: team-shop@example.org
    created: 2026-11-01
    expires: 2027-01-15
`,
		Good: good, Language: "yaml",
	}
	tooLongRule = rule{
		ID: "PC-WAIVER-LIFE", Kind: finding.Waiver, Title: "Waiver lasts longer than the policy allows", Severity: finding.High, Since: "0.1",
		Why:          "The policy limits how long an exception may last, so that each is looked at again. A waiver that asks for more is not in force.",
		Fix:          "Let it expire within the time that the policy allows.",
		WhenToIgnore: "Never: shorten the waiver, or have the policy changed.",
		Bad: `version: 1
waivers:
  - id: CVE-2024-1234
    owner: team-shop@example.org
    reason: The parser only sees input that we generate.
    created: 2026-11-01
    expires: 2036-11-01
`,
		Good: good, Language: "yaml",
	}
)

// Rules lists the rules about waivers, in the order of their ids.
func Rules() []rules.Rule {
	return []rules.Rule{
		rules.Rule(expiredRule), rules.Rule(endingRule), rules.Rule(tooLongRule), rules.Rule(malformedRule), rules.Rule(unusedRule),
	}
}
