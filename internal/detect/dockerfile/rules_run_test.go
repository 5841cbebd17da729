package dockerfile

var runCases = table{
	"PC-DF028": {
		{name: "777", text: "RUN chmod «777» /x\n"},
		{name: "recursive with four digits", text: "RUN a && chmod -R «0777» /x\n"},
		{name: "setuid", text: "RUN chmod «4755» /x\n"},
		{name: "u+s", text: "RUN chmod «u+s» /x\n"},
		{name: "for all", text: "RUN chmod «a+rwx» /x && chmod «o+w» /y\n"},
		{name: "setgid on many", text: "RUN find /x -type d -exec chmod «g+s» {} +\n"},
		{name: "COPY", text: "COPY «--chmod=777» a /b\n"},
		{name: "install and mkdir", text: "RUN install -m «4755» a /b && mkdir -p -m «777» /c\n"},
		{name: "755", text: "RUN chmod 755 /x && chmod +x /y\n"},
		{name: "the sticky bit of a temporary directory", text: "RUN chmod 1777 /tmp\n"},
		{name: "bits taken away", text: "RUN find / -perm /6000 -exec chmod a-s {} + ; chmod o-w /x\n"},
		{name: "for the group", text: "RUN chmod -R g=u /x && chmod 775 /y\n"},
		{name: "COPY of a plain mode", text: "COPY --chmod=0644 a /b\n"},
		{name: "an unknown mode", text: "RUN chmod $MODE /x\n"},
		{name: "a number elsewhere", text: "RUN echo 777 && useradd -u 7777 x\n"},
	},
	"PC-DF031": {
		{name: "security", text: "RUN «--security=insecure» make\n"},
		{name: "network", text: "RUN «--network=host» make\n"},
		{name: "both", text: "RUN «--network=host» «--security=insecure» make\n"},
		{name: "behind ONBUILD", text: "ONBUILD RUN «--network=host» make\n"},
		{name: "with a mount", text: "RUN --mount=type=cache,target=/x «--network=host» make\n"},
		{name: "the sandbox", text: "RUN --security=sandbox make\n"},
		{name: "no network", text: "RUN --network=none make\n"},
		{name: "the default network", text: "RUN --network=default make\n"},
		{name: "flags of the command", text: "RUN podman run --network=host x\n"},
	},
}
