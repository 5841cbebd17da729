package dockerfile

func schema(kv ...string) Options {
	m := make(map[string]string)
	for i := 0; i+1 < len(kv); i += 2 {
		m[kv[i]] = kv[i+1]
	}
	return Options{LabelSchema: m}
}

func strict(kv ...string) Options {
	o := schema(kv...)
	o.StrictLabels = true
	return o
}

// typed are cases for a rule about labels of one type.
func typed(kind string, bad, good [3]string) []testCase {
	opts := schema("l", kind)
	return []testCase{
		{name: "the first bad value", text: "LABEL l=«" + bad[0] + "»\n", opts: opts},
		{name: "the second bad value", text: "LABEL a=b \\\n  l=«" + bad[1] + "»\n", opts: opts},
		{name: "the third bad value", text: "LABEL l=«\"" + bad[2] + "\"»\n", opts: opts},
		{name: "of the parent stage", text: "FROM a:1 AS x\nLABEL l=«" + bad[0] + "»\nFROM x\n", opts: opts},
		{name: "the first good value", text: "LABEL l=" + good[0] + "\n", opts: opts},
		{name: "the second good value", text: "LABEL l=\"" + good[1] + "\"\n", opts: opts},
		{name: "the third good value", text: "LABEL \"l\"='" + good[2] + "'\n", opts: opts},
		{name: "another label", text: "LABEL m=" + bad[0] + "\n", opts: opts},
		{name: "an unknown value", text: "ARG V\nLABEL l=$V\n", opts: schema("l", kind)},
		{name: "no schema", text: "LABEL l=" + bad[0] + "\n"},
		{name: "a stage that is thrown away", text: "FROM a:1\nLABEL l=" + bad[0] + "\nFROM b:1\n", opts: opts},
	}
}

var labelCases = table{
	"PC-DF224": {
		{name: "upper case", text: "LABEL «Name»=x\n"},
		{name: "an underscore", text: "LABEL a=b «build_date»=x\n"},
		{name: "two dots", text: "LABEL «a..b»=x\n"},
		{name: "Docker's own", text: "LABEL «com.docker.x»=y\n"},
		{name: "a hyphen at the end", text: "LABEL «a-»=x\n"},
		{name: "a plain word", text: "LABEL name=x\n"},
		{name: "a namespace", text: "LABEL org.opencontainers.image.title=x\n"},
		{name: "hyphens and digits", text: "LABEL com.example.v2-x=y\n"},
		{name: "in quotes", text: "LABEL \"com.example.x\"=\"y\"\n"},
		{name: "ENV", text: "ENV A_B=1\n"},
	},
	"PC-DF301": {
		{name: "missing", text: "FROM «a:1»\n", opts: schema("title", "text")},
		{name: "only in an earlier stage", text: "FROM a:1\nLABEL title=x\nFROM «b:1»\n", opts: schema("title", "text")},
		{name: "one of two", text: "FROM «a:1»\nLABEL title=x\n", opts: schema("title", "text", "rev", "hash")},
		{name: "in the parent missing too", text: "FROM a:1 AS x\nFROM «x»\n", opts: schema("title", "text")},
		{name: "given", text: "LABEL title=x\n", opts: schema("title", "text")},
		{name: "given by the parent", text: "FROM a:1 AS x\nLABEL title=x\nFROM x\n", opts: schema("title", "text")},
		{name: "given in quotes", text: "LABEL \"title\"=x\n", opts: schema("title", "text")},
		{name: "no schema", text: "RUN true\n"},
	},
	"PC-DF302": {
		{name: "one", text: "LABEL «x»=1\n", opts: strict("title", "text")},
		{name: "beside a good one", text: "LABEL title=a «x»=1\n", opts: strict("title", "text")},
		{name: "two", text: "LABEL «x»=1\nLABEL «y»=1\n", opts: strict("title", "text")},
		{name: "of the parent", text: "FROM a:1 AS s\nLABEL «x»=1\nFROM s\n", opts: strict("title", "text")},
		{name: "in the schema", text: "LABEL title=1\n", opts: strict("title", "text")},
		{name: "not strict", text: "LABEL x=1\n", opts: schema("title", "text")},
		{name: "no schema", text: "LABEL x=1\n"},
		{name: "a stage that is thrown away", text: "FROM a:1\nLABEL x=1\nFROM b:1\n", opts: strict("title", "text")},
	},
	"PC-DF303": {
		{name: "nothing", text: "LABEL «l»=\n", opts: schema("l", "text")},
		{name: "quotes", text: "LABEL l=«\"\"»\n", opts: schema("l", "url")},
		{name: "blanks", text: "LABEL l=«\"  \"»\n", opts: schema("l", "text")},
		{name: "of the parent", text: "FROM a:1 AS x\nLABEL l=«''»\nFROM x\n", opts: schema("l", "text")},
		{name: "a value", text: "LABEL l=x\n", opts: schema("l", "text")},
		{name: "another label", text: "LABEL m=\n", opts: schema("l", "text")},
		{name: "no schema", text: "LABEL l=\n"},
		{name: "an unknown value", text: "ARG V\nLABEL l=$V\n", opts: schema("l", "text")},
	},
	"PC-DF304": typed("url", [3]string{"example", "/path", "www.example.com"}, [3]string{"https://example.com", "http://a/b?c", "https://x.y/z"}),
	"PC-DF305": typed("rfc3339", [3]string{"yesterday", "2026-01-01", "2026-01-01 10:00:00"}, [3]string{"2026-01-01T10:00:00Z", "2026-01-01T10:00:00+02:00", "2026-01-01T10:00:00.5Z"}),
	"PC-DF306": typed("spdx", [3]string{"Custom", "GPLv2", "my own licence"}, [3]string{"MIT", "Apache-2.0 OR MIT", "GPL-2.0-or-later"}),
	"PC-DF307": typed("hash", [3]string{"main", "v1.2.3", "0123"}, [3]string{"0123abc", "0123456789012345678901234567890123456789", "abcdef0"}),
	"PC-DF308": typed("semver", [3]string{"1", "v1.2.3", "1.2"}, [3]string{"1.2.3", "1.0.0-rc.1", "1.0.0+build.5"}),
	"PC-DF309": typed("email", [3]string{"me", "me.example.com", "Me <me@x.org>"}, [3]string{"me@example.com", "a.b+c@x.org", "x@y.z"}),
}
