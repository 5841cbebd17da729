package dockerfile

var copyCases = table{
	"PC-DF013": {
		{name: "a file", text: "«ADD» app.py /srv/\n"},
		{name: "a folder", text: "«ADD» . /srv\n"},
		{name: "several files", text: "«ADD» --chown=1 a b /srv/\n"},
		{name: "in exec form", text: "«ADD» [\"a b\", \"/srv/\"]\n"},
		{name: "in lower case behind ONBUILD", text: "ONBUILD «add» a /srv/\n"},
		{name: "a zip file, which is not unpacked", text: "«ADD» a.zip /srv/\n"},
		{name: "an archive", text: "ADD app.tar.gz /srv/\n"},
		{name: "other archives", text: "ADD a.tgz b.txz c.tar d.tar.zst /srv/\n"},
		{name: "a pattern of archives", text: "ADD rootfs.tar.* /\n"},
		{name: "a URL", text: "ADD https://example.com/a /srv/\n"},
		{name: "a Git repository", text: "ADD git@github.com:a/b.git /srv/\n"},
		{name: "an unknown source", text: "ADD $FILE /srv/\n"},
		{name: "COPY", text: "COPY a /srv/\n"},
		{name: "a file beside an archive", text: "ADD a.tar b /srv/\n"},
		{name: "an explicit unpack", text: "ADD --unpack=true a.bin /srv/\n"},
	},
	"PC-DF014": {
		{name: "https", text: "ADD «https://example.com/a.tgz» /srv/\n"},
		{name: "http", text: "ADD «http://example.com/a» /srv/\n"},
		{name: "a version in a variable", text: "ARG V=1\nADD «https://example.com/a-${V}.tgz» /srv/\n"},
		{name: "two URLs", text: "ADD «https://a/b» «https://a/c» /srv/\n"},
		{name: "a branch of a repository", text: "ADD «https://github.com/a/b.git#main» /srv/\n"},
		{name: "with a checksum", text: "ADD --checksum=sha256:0000000000000000000000000000000000000000000000000000000000000000 https://a/b /srv/\n"},
		{name: "a checksum in a variable", text: "ARG S\nADD --checksum=$S https://a/b /srv/\n"},
		{name: "a local archive", text: "ADD a.tgz /srv/\n"},
		{name: "a commit", text: "ADD https://github.com/a/b.git#0123456789012345678901234567890123456789 /srv/\n"},
		{name: "a local file", text: "ADD http/a.txt /srv/\n"},
	},
}
