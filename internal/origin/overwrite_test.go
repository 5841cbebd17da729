package origin

import (
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/dockerfile"
)

// inStage traces a package of /out/app that a later stage copies from the stage
// with the instructions.
func inStage(t *testing.T, instructions string, pkg, path string) (place, evidence string) {
	t.Helper()
	text := "FROM golang:1.22 AS build\nWORKDIR /src\n" + instructions + "\nFROM debian:12-slim\nCOPY --from=build " + path + " " + path + "\nCMD [\"app\"]\n"
	file := fileAt("Dockerfile", text)
	image := record(byBuildKit, file, debianBase)
	tracer := NewWith(image, Options{Dockerfiles: []*dockerfile.File{file}})
	got := tracer.Trace(vulnerable(pkg, path, image.Layers[len(image.Layers)-1].DiffID))
	return show(got.Locations[0]), originOf(got)
}

func TestACommandThatMayHaveWrittenTheFileAnewLowersTheConfidence(t *testing.T) {
	for _, run := range []string{
		"RUN ./replace.sh",
		"RUN sh replace.sh",
		"RUN sh < replace.sh",
		"RUN make install",
		"RUN $TOOL",
		"RUN curl https://example.com/install | sh",
		"RUN cp other /out/app",
		"RUN cp other /out/",
		"RUN mv bin/* /out",
		"RUN sudo ./replace.sh",
		"RUN [\"./replace.sh\"]",
		"RUN <<EOF\n./replace.sh\nEOF",
		"RUN <<EOF python3\nopen('/out/app', 'w')\nEOF",
		"RUN echo x > /out/app",
		"RUN echo x >> ${WHERE}",
		"RUN cat other | tee /out/app",
		"RUN ls bin | xargs -I{} cp {} /out",
		"RUN cd /out && curl -O https://example.com/app",
		"RUN tar -C /out -xf app.tar",
		"RUN go generate ./... && ./tool",
		"RUN if true; then ./replace.sh; fi",
		"RUN dd if=x of=/out/app",
		"RUN python3 - <<EOF\nprint(1)\nEOF",
		"RUN .  ./env.sh",
		"RUN 'unclosed",
		"COPY . /out",
		"COPY bin /out/",
	} {
		place, evidence := inStage(t, "RUN go build -o /out/app .\n"+run, "golang/example.com/x@v1", "/out/app")
		if !strings.HasPrefix(place, "Dockerfile:") || strings.HasPrefix(place, "Dockerfile:3:") || !strings.HasPrefix(evidence, Likely) || !strings.Contains(evidence, "line 4") {
			t.Errorf("%s: got %s; %s", run, place, evidence)
		}
	}
}

func TestACommandThatLeavesTheFileAloneDoesNotLowerTheConfidence(t *testing.T) {
	for _, run := range []string{
		"RUN chmod +x /out/app",
		"RUN strip /out/app && ls -l /out",
		"RUN go test ./...",
		"RUN go vet ./... && go mod verify",
		"RUN go build -o /out/other ./cmd/other",
		"RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*",
		"RUN apk add --no-cache ca-certificates",
		"RUN adduser -D app && mkdir -p /data && chown app /data",
		"RUN cp config.yaml /etc/config.yaml",
		"RUN curl -fsSLo /usr/bin/tool https://example.com/tool",
		"RUN echo build > /etc/build-info 2>/dev/null",
		"RUN sudo chmod 755 /out/app",
		"RUN sh -c 'chmod 755 /out/app'",
		"RUN set -eux; test -f /out/app",
		"RUN <<EOF\nset -e\nchmod 755 /out/app\nEOF",
		"RUN X=1",
		"RUN touch /src/done",
		"COPY config /etc/config/",
		"COPY README.md /out/README.md",
		"ENV A=b",
	} {
		place, evidence := inStage(t, "RUN go build -o /out/app .\n"+run, "golang/example.com/x@v1", "/out/app")
		if place != "Dockerfile:3:1-27" || !strings.HasPrefix(evidence, Exact) {
			t.Errorf("%s: got %s; %s", run, place, evidence)
		}
	}
}

func TestTheLastCommandThatIsKnownToWriteTheFileIsTheOne(t *testing.T) {
	for instructions, want := range map[string]string{
		"RUN go build -o /out/app .\nRUN go build -tags x -o /out/app .": "Dockerfile:4:1-35 exact",
		"RUN ./replace.sh\nRUN go build -o /out/app .":                   "Dockerfile:4:1-27 exact",
		"COPY . /out\nRUN go build -o /out/app .":                        "Dockerfile:4:1-27 exact",
		"RUN go build -o /out/app .\nCOPY app /out/app":                  "Dockerfile:4:1-18 exact",
		"RUN go build -o /out/app .\nCOPY app other /out/":               "Dockerfile:4:1-21 exact",
		"COPY app /out/app\nRUN ./sign.sh":                               "Dockerfile:6:1-36 likely",
		"COPY . /out\nRUN make":                                          "Dockerfile:6:1-36 exact", // what made it is not told
		"COPY . /out\nRUN chmod +x /out/app":                             "Dockerfile:6:1-36 likely",
		"RUN mkdir -p /out":                                              "Dockerfile:5:1-36 exact",
	} {
		place, evidence := inStage(t, instructions, "golang/example.com/x@v1", "/out/app")
		confidence, _, _ := strings.Cut(evidence, ":")
		if got := place + " " + confidence; got != want {
			t.Errorf("%q: got %s, want %s; %s", instructions, got, want, evidence)
		}
	}
}

func TestScriptsOfAProjectLeaveItsInstalledPackagesAlone(t *testing.T) {
	for instructions, want := range map[string]string{
		"RUN npm ci\nRUN npm run build":               "Dockerfile:3:1-11 exact",
		"RUN npm ci\nRUN npm test && npm cache clean": "Dockerfile:3:1-11 exact",
		"RUN npm ci\nRUN yarn build":                  "Dockerfile:3:1-11 exact",
		"RUN npm ci\nRUN npm audit fix":               "Dockerfile:6:1-54 likely",
		"RUN npm ci\nRUN npx patch-package":           "Dockerfile:6:1-54 likely",
		"RUN npm ci\nRUN make":                        "Dockerfile:6:1-54 likely",
		"RUN npm ci\nCOPY . .":                        "Dockerfile:6:1-54 likely",
		"COPY . .\nRUN npm ci":                        "Dockerfile:4:1-11 exact",
	} {
		text := "FROM node:20 AS build\nWORKDIR /src\n" + instructions + "\nFROM node:20\nCOPY --from=build /src/node_modules /app/node_modules\nCMD [\"a\"]\n"
		file := fileAt("Dockerfile", text)
		image := record(byBuildKit, file, debianBase)
		got := New(image, []*dockerfile.File{file}, nil).Trace(vulnerable("npm/a@1.0.0", "/app/node_modules/a/package.json", image.Layers[1].DiffID))
		if line := show(got.Locations[0]) + " " + confidenceOf(got); line != want {
			t.Errorf("%q: got %s, want %s; %s", instructions, line, want, originOf(got))
		}
	}
}

func TestInOneLayerOfAllALaterScriptLeavesNoLineForACopiedFile(t *testing.T) {
	for run, want := range map[string]string{
		"RUN chmod +x /srv/app":    "Dockerfile:2:1-18",
		"RUN apt-get install -y x": "Dockerfile:2:1-18",
		"RUN ./replace.sh":         "Dockerfile:0:0-0",
		"RUN mv other /srv":        "Dockerfile:0:0-0",
	} {
		file := fileAt("Dockerfile", "FROM debian:12\nCOPY app /srv/app\n"+run+"\nCMD [\"app\"]\n")
		image := record(byBuildahWhole, file, debianBase)
		got := New(image, []*dockerfile.File{file}, nil).Trace(vulnerable("golang/example.com/x@v1", "/srv/app", "merged"))
		if place := show(got.Locations[0]); place != want || confidenceOf(got) != Likely {
			t.Errorf("%s: got %s, want %s; %s", run, place, want, originOf(got))
		}
	}
}
