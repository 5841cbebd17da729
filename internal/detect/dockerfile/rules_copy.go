package dockerfile

import (
	"regexp"
	"strings"

	df "github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

var copyRules = []Rule{
	{
		Rule: rules.Rule{
			ID: "PC-DF013", Aliases: []string{"DL3020", "DS-0005", "CIS-DI-0009", "CKV_DOCKER_4"}, Kind: finding.Dockerfile,
			Severity: finding.Medium, Since: "0.1",
			Title:        "ADD where COPY would do",
			Why:          "ADD unpacks archives and fetches URLs without being asked; for plain files COPY does just what it says.",
			Fix:          "Write COPY.",
			WhenToIgnore: "The source is an archive under an unusual name that must be unpacked.",
			References:   []string{dockerDocs + "#add", bestPractices + "#add-or-copy"},
			Language:     "dockerfile",
			Bad:          onDebian + "ADD app.py /srv/\n" + nonRoot,
			Good:         onDebian + "COPY app.py /srv/\n" + nonRoot,
		},
		Instruction: checkAddForCopy,
	},
	{
		Rule: rules.Rule{
			ID: "PC-DF014", Kind: finding.Dockerfile, Severity: finding.High, Since: "0.1",
			Title:        "ADD of a URL without a checksum",
			Why:          "Whoever controls the server, or the way to it, decides what is in the image, and no build notices.",
			Fix:          "Add `--checksum=sha256:…`; for a Git repository name the commit: `repo.git#COMMIT`.",
			WhenToIgnore: "The content is meant to change and is verified in a later step.",
			References:   []string{dockerDocs + "#add---checksum"},
			Tags:         []string{"external/cwe/cwe-494"}, Language: "dockerfile",
			Bad:  onDebian + "ADD https://example.com/app.tar.gz /srv/\n" + nonRoot,
			Good: onDebian + "ADD --checksum=sha256:6d2b2a9a5c8e5d2d9b0d0d8f4f3f8c3c2e7c5c1e2f1a4b6c8d9e0f1a2b3c4d5e https://example.com/app.tar.gz /srv/\n" + nonRoot,
		},
		Instruction: checkAddChecksum,
	},
}

var (
	remoteSource = regexp.MustCompile(`^(?i:https?|ftp|git|ssh)://|^git@[^\s:]+:|\.git(?:#|\?|$)`)
	gitSource    = regexp.MustCompile(`^(?i:git|ssh)://|^git@|\.git(?:#|\?|$)`)
	gitCommit    = regexp.MustCompile(`#[0-9a-f]{40}(?:[0-9a-f]{24})?(?::|$)|[?&](?:commit|checksum)=[0-9a-f]{7,64}`)
	archive      = regexp.MustCompile(`(?i)\.(?:tar|tgz|tbz2?|txz|tzst|tlz|taz|tar\.[a-z0-9]+|gz|bz2|xz|zst|lzma|z)$`)
)

// unpacks reports a source that ADD treats in a way that COPY would not, or
// that cannot be told because of a variable.
func unpacks(w df.Word) bool {
	s := strings.TrimRight(w.Value.Text, "*?")
	return !w.Value.Known || remoteSource.MatchString(s) || archive.MatchString(s) || strings.Contains(s, ".tar")
}

func checkAddForCopy(p *Pass, in *df.Instruction) {
	if in.Keyword != "ADD" || len(in.Args) < 2 {
		return
	}
	for _, f := range in.Flags {
		switch f.Name {
		case "checksum", "keep-git-dir", "unpack":
			return
		}
	}
	plain := ""
	for _, a := range in.Args[:len(in.Args)-1] {
		if unpacks(a) {
			return // one source that needs ADD justifies it for all
		}
		plain = a.Value.Text
	}
	p.Reportf(in, in.KeywordSpan, in.Body.S,
		"ADD of %s, which is neither an archive nor a URL; write COPY, which has no side effects.", quote(plain)).
		Fix("Write COPY.", Replacement{At: in.KeywordSpan, NewText: matchCase(p.source(in.KeywordSpan), "COPY")})
}

// matchCase gives a keyword the letter case of another.
func matchCase(like, keyword string) string {
	if like == strings.ToLower(like) {
		return strings.ToLower(keyword)
	}
	return keyword
}

func checkAddChecksum(p *Pass, in *df.Instruction) {
	if in.Keyword != "ADD" {
		return
	}
	if f, ok := in.Flag("checksum"); ok && f.Value.Text != "" {
		return
	}
	for _, src := range sources(in) {
		s := src.Value.Text
		if !remoteSource.MatchString(s) || gitSource.MatchString(s) && gitCommit.MatchString(s) {
			continue
		}
		want := "add `--checksum=sha256:…`"
		if gitSource.MatchString(s) {
			want = "name the commit behind `#`"
		}
		p.Reportf(in, src.Span, "ADD "+urlWithoutSecrets(s), "ADD fetches %s and takes whatever comes; %s.", quote(urlWithoutSecrets(s)), want)
	}
}

var userinfo = regexp.MustCompile(`://[^/@\s]*@`)

// urlWithoutSecrets takes user, password and query off a URL for messages.
func urlWithoutSecrets(s string) string {
	s = userinfo.ReplaceAllString(s, "://")
	if i := strings.IndexByte(s, '?'); i >= 0 {
		s = s[:i]
	}
	return s
}
