package dockerfile

import (
	"strings"
	"testing"
)

var pinCases = table{
	"PC-DF201": {
		{name: "one", text: "RUN apt-get install -y «curl»\n"},
		{name: "the first without", text: "RUN apt-get install -y \\\n  a=1.0 \\\n  «b» \\\n  c\n"},
		{name: "a list in a variable", text: "ENV PKGS=\"a b\"\nRUN apt-get install -y «$PKGS»\n"},
		{name: "a list of the script", text: "RUN P='a b'; apt-get install -y «$P»\n"},
		{name: "apt", text: "RUN apt install -y «curl»\n"},
		{name: "a release named by an option", text: "RUN apt-get -t bookworm install -y «a»\n"},
		{name: "pinned", text: "RUN apt-get install -y a=1.0 b=2.*\n"},
		{name: "a version in a variable", text: "RUN apt-get install -y a=$V\n"},
		{name: "a list that is not known", text: "RUN apt-get install -y $PKGS\n"},
		{name: "a pinned list", text: "ENV PKGS=\"a=1 b=2\"\nRUN apt-get install -y $PKGS\n"},
		{name: "a file", text: "RUN apt-get install -y ./a.deb /tmp/b.deb\n"},
		{name: "a release", text: "RUN apt-get install -y a/bookworm-backports\n"},
		{name: "removal", text: "RUN apt-get remove -y a\n"},
		{name: "the output of a command", text: "RUN apt-get install -y $(cat list)\n"},
	},
	"PC-DF202": {
		{name: "one", text: "RUN apk add «curl»\n"},
		{name: "behind a virtual package", text: "RUN apk add --no-cache --virtual .deps «gcc» musl-dev\n"},
		{name: "with the short option", text: "RUN apk add -t .deps «gcc»\n"},
		{name: "a repository", text: "RUN apk add --repository https://x/edge «a»\n"},
		{name: "a tagged repository", text: "RUN apk add «a@edge»\n"},
		{name: "pinned", text: "RUN apk add a=1.0-r0 b~=2 'c>3'\n"},
		{name: "a conflict", text: "RUN apk add a=1 '!pyc'\n"},
		{name: "a file", text: "RUN apk add ./a.apk\n"},
		{name: "removal", text: "RUN apk del .deps\n"},
		{name: "a version in a variable", text: "ARG V\nRUN apk add a=${V}\n"},
	},
	"PC-DF203": {
		{name: "one", text: "RUN pip install «flask»\n"},
		{name: "as a module", text: "RUN python3 -m pip install --upgrade «pip»\n"},
		{name: "pip3", text: "RUN pip3 install a==1 «b[extra]»\n"},
		{name: "a repository without revision", text: "RUN pip install «git+https://github.com/a/b.git»\n"},
		{name: "pipx", text: "RUN pipx install «black»\n"},
		{name: "uv", text: "RUN uv pip install --system «flask»\n"},
		{name: "pinned", text: "RUN pip install a==1 'b>=2,<3' c~=1.2\n"},
		{name: "requirements", text: "RUN pip install -r requirements.txt\n"},
		{name: "constraints", text: "RUN pip install -c constraints.txt flask\n"},
		{name: "this folder", text: "RUN pip install . ./x /y/z.whl\n"},
		{name: "a revision", text: "RUN pip install git+https://github.com/a/b.git@v1\n"},
		{name: "an editable folder", text: "RUN pip install -e .\n"},
		{name: "a version in a variable", text: "RUN pip install a==$V \"b==${W}\"\n"},
		{name: "another command", text: "RUN pip uninstall -y flask\n"},
	},
	"PC-DF204": {
		{name: "global", text: "RUN npm install -g «serve»\n"},
		{name: "short", text: "RUN npm i «a»\n"},
		{name: "a scope", text: "RUN npm install «@vue/cli»\n"},
		{name: "a repository without commit", text: "RUN npm install «git+https://github.com/a/b.git»\n"},
		{name: "a moving tag", text: "RUN npm install -g a@1.0 «b@latest»\n"},
		{name: "pinned", text: "RUN npm install -g serve@14.2.4 @vue/cli@5.0.8\n"},
		{name: "a lock file", text: "RUN npm ci\n"},
		{name: "package.json", text: "RUN npm install --omit=dev\n"},
		{name: "a file", text: "RUN npm install ./a.tgz\n"},
		{name: "a commit", text: "RUN npm install a/b#0123abc\n"},
		{name: "a version in a variable", text: "RUN npm install -g pnpm@$V\n"},
		{name: "an option with a value", text: "RUN npm install --registry https://x a@1\n"},
	},
	"PC-DF205": {
		{name: "one", text: "RUN gem install «rake»\n"},
		{name: "the second", text: "RUN gem install a:1.0 «b»\n"},
		{name: "with options", text: "RUN gem install --no-document «rake»\n"},
		{name: "build options", text: "RUN gem install «nokogiri» -- --use-system-libraries\n"},
		{name: "-v", text: "RUN gem install rake -v 13.0.0\n"},
		{name: "--version", text: "RUN gem install --version '~> 13' rake\n"},
		{name: "with a colon", text: "RUN gem install rake:13.0.0\n"},
		{name: "a file", text: "RUN gem install ./a.gem\n"},
		{name: "bundler", text: "RUN bundle install\n"},
	},
	"PC-DF206": {
		{name: "latest", text: "RUN go install «example.com/a@latest»\n"},
		{name: "none", text: "RUN go install «example.com/a/cmd/b»\n"},
		{name: "get", text: "RUN go get -u «github.com/a/b»\n"},
		{name: "run", text: "RUN go run «example.com/a@main» generate x.y/z\n"},
		{name: "pinned", text: "RUN go install example.com/a@v1.2.3\n"},
		{name: "this module", text: "RUN go install ./... && go run main.go && go run .\n"},
		{name: "with the module's source", text: "COPY . .\nRUN go install example.com/a/cmd/b\n"},
		{name: "the standard library", text: "RUN go install std cmd/vet\n"},
		{name: "build", text: "RUN go build -o /x example.com/a\n"},
		{name: "a version in a variable", text: "RUN go install example.com/a@$V\n"},
		{name: "options with values", text: "RUN go install -ldflags '-s -w' example.com/a@v1\n"},
	},
	"PC-DF207": {
		{name: "one", text: "RUN yum install -y «httpd»\n"},
		{name: "the second", text: "RUN yum -y install a-1.0 «b»\n"},
		{name: "a digit in the name", text: "RUN yum install -y «python3»\n"},
		{name: "a list in a variable", text: "ARG P=\"a b\"\nRUN yum install -y «$P»\n"},
		{name: "pinned", text: "RUN yum install -y httpd-2.4.6 mod_ssl-2.4.6-99.el7\n"},
		{name: "a file", text: "RUN yum install -y ./a.rpm https://x/b.rpm\n"},
		{name: "a group", text: "RUN yum install -y @development\n"},
		{name: "an unknown list", text: "RUN yum install -y $P\n"},
		{name: "another command", text: "RUN yum remove -y httpd\n"},
	},
	"PC-DF208": {
		{name: "one", text: "RUN dnf install -y «httpd»\n"},
		{name: "microdnf", text: "RUN microdnf install -y «httpd»\n"},
		{name: "with a setting", text: "RUN dnf install -y --setopt install_weak_deps=0 «a»\n"},
		{name: "the second", text: "RUN dnf install -y a-1.0 «b» c\n"},
		{name: "pinned", text: "RUN dnf install -y httpd-2.4.6-1.fc42\n"},
		{name: "a module stream", text: "RUN dnf module install -y nodejs:22\n"},
		{name: "a version in a variable", text: "RUN dnf install -y httpd-$V\n"},
		{name: "a file", text: "RUN dnf install -y /tmp/a.rpm\n"},
	},
	"PC-DF209": {
		{name: "one", text: "RUN zypper -n install «httpd»\n"},
		{name: "in", text: "RUN zypper -n in «httpd»\n"},
		{name: "the second", text: "RUN zypper install -y a=1 «b»\n"},
		{name: "with a repository", text: "RUN zypper -n install --from repo «a»\n"},
		{name: "pinned", text: "RUN zypper -n install a=1.0 'b>=2'\n"},
		{name: "a pattern", text: "RUN zypper -n install -t pattern devel_basis\n"},
		{name: "a file", text: "RUN zypper -n install ./a.rpm\n"},
		{name: "an unknown list", text: "RUN zypper -n install $P\n"},
	},
}

func TestMessagesCallPipAsItWasCalled(t *testing.T) {
	for command, want := range map[string]string{
		"pip3 install x": "pip3 install takes", "python3.12 -m pip install x": "python3.12 -m pip install takes", "uv pip install x": "uv pip install takes",
	} {
		var messages []string
		for _, f := range lint(t, "FROM a:1\nRUN "+command+"\n", Options{}).Findings {
			if f.RuleID == "PC-DF203" {
				messages = append(messages, f.Message)
			}
		}
		if len(messages) != 1 || !strings.HasPrefix(messages[0], want) {
			t.Errorf("%s: %q", command, messages)
		}
	}
}
