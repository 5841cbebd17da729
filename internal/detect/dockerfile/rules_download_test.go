package dockerfile

var downloadCases = table{
	"PC-DF015": {
		{name: "curl to sh", text: "RUN «curl -fsSL https://x/i.sh» | sh\n"},
		{name: "wget to bash with arguments", text: "RUN a && «wget -qO- https://x/i.sh» | bash -s -- -y\n"},
		{name: "with sudo between", text: "RUN «curl https://x» | sudo -E bash -\n"},
		{name: "through a filter", text: "RUN «curl https://x» | sed s/a/b/ | sh\n"},
		{name: "a substitution", text: "RUN sh -c \"$(«curl -fsSL https://x»)\"\n"},
		{name: "a process substitution", text: "SHELL [\"/bin/bash\", \"-c\"]\nRUN bash <(«curl https://x»)\n"},
		{name: "eval", text: "RUN eval \"$(«curl https://x»)\"\n"},
		{name: "to python", text: "RUN «curl -sSL https://x» | python3 -\n"},
		{name: "in exec form", text: "RUN [\"bash\", \"-c\", \"«curl https://x» | sh\"]\n"},
		{name: "to a file", text: "RUN curl -o i.sh https://x && sh i.sh\n"},
		{name: "to tar", text: "RUN curl -L https://x | tar xz\n"},
		{name: "to a script's input", text: "RUN curl https://x | python3 parse.py\n"},
		{name: "to python -c", text: "RUN curl https://x | python3 -c 'import json'\n"},
		{name: "a version number", text: "RUN V=$(curl https://x) && echo $V | sh -c cat\n"},
		{name: "to gpg", text: "RUN curl https://x | gpg --dearmor -o /k\n"},
		{name: "a saved file beside a pipe", text: "RUN wget https://x | tee log\n"},
	},
}
