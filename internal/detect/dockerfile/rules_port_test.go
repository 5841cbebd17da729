package dockerfile

var portCases = table{
	"PC-DF029": {
		{name: "22", text: "EXPOSE «22»\n"},
		{name: "with a protocol", text: "EXPOSE 80 «22/tcp»\n"},
		{name: "in a range", text: "EXPOSE «20-25»\n"},
		{name: "from a variable", text: "ARG P=22\nEXPOSE «$P»\n"},
		{name: "another port", text: "EXPOSE 2222 8022\n"},
		{name: "UDP", text: "EXPOSE 22/udp\n"},
		{name: "an unknown variable", text: "EXPOSE $P\n"},
		{name: "a range beside it", text: "EXPOSE 23-30\n"},
	},
	"PC-DF105": {
		{name: "too high", text: "EXPOSE «80800»\n"},
		{name: "the first one too high", text: "EXPOSE 80 «65536/tcp»\n"},
		{name: "a range", text: "EXPOSE «65000-70000»\n"},
		{name: "a very long number", text: "EXPOSE «99999999999999999999»\n"},
		{name: "from a variable", text: "ENV P=70000\nEXPOSE «$P»\n"},
		{name: "the highest", text: "EXPOSE 65535\n"},
		{name: "several", text: "EXPOSE 80 443/tcp 53/udp\n"},
		{name: "a range", text: "EXPOSE 8000-8010\n"},
		{name: "an unknown variable", text: "EXPOSE ${P}\n"},
	},
	"PC-DF106": {
		{name: "a mapping", text: "EXPOSE «8080:80»\n"},
		{name: "an address", text: "EXPOSE «127.0.0.1:80:80»\n"},
		{name: "upper case", text: "EXPOSE 80 «443/TCP»\n"},
		{name: "mixed case", text: "EXPOSE «53/Udp»\n"},
		{name: "a port", text: "EXPOSE 80\n"},
		{name: "protocols", text: "EXPOSE 80/tcp 53/udp 9/sctp\n"},
		{name: "a range", text: "EXPOSE 1-2/tcp\n"},
		{name: "an unknown variable", text: "EXPOSE $HOST:80\n"},
	},
}
