package dockerfile

var variableCases = table{
	"PC-DF117": {
		{name: "the one before", text: "ENV A=1 B=«$A»\n"},
		{name: "the one after", text: "ENV B=x«${A}» A=1\n"},
		{name: "in quotes over lines", text: "ENV A=1 \\\n    B=\"«${A}»/b\"\n"},
		{name: "behind ONBUILD", text: "ONBUILD ENV A=1 B=«$A»\n"},
		{name: "two instructions", text: "ENV A=1\nENV B=$A\n"},
		{name: "its own old value", text: "ENV PATH=/x:$PATH B=1\n"},
		{name: "defined before as well", text: "ARG A=1\nENV A=2 B=$A\n"},
		{name: "a name that begins alike", text: "ENV A=1 B=$AB\n"},
		{name: "an escaped dollar sign", text: "ENV A=1 B=\\$A\n"},
		{name: "single quotes", text: "ENV A=1 B='$A'\n"},
	},
	"PC-DF118": {
		{name: "defined further down", text: "WORKDIR /srv/«$APP»\nARG APP=x\n"},
		{name: "a global ARG", text: "ARG V=1\nFROM a:$V\nENV X=«${V}»\n"},
		{name: "an automatic ARG", text: "COPY bin-«$TARGETARCH» /x\n"},
		{name: "from scratch", text: "FROM scratch\nCOPY a «$DIR»\n"},
		{name: "a flag", text: "COPY --chown=«$U» a /b\nARG U=1\n"},
		{name: "declared", text: "ARG APP\nWORKDIR /srv/$APP\n"},
		{name: "perhaps of the base image", text: "WORKDIR $GOPATH/src\n"},
		{name: "with a default", text: "ARG V=1\nFROM a:1\nENV X=${V:-2}\n"},
		{name: "inherited", text: "FROM a:1 AS x\nENV D=/x\nFROM x\nWORKDIR $D\n"},
		{name: "RUN is the shell's", text: "RUN echo $V\nARG V=1\n"},
		{name: "the search path", text: "FROM scratch\nENV PATH=/x:$PATH\n"},
	},
}
