# syntax=docker/dockerfile:1

# The image of the gate itself: one static binary and the certificates that it
# needs to talk to registries.
# portcullis ignore=PC-DF007 the tag names the exact version of Go, and a digest would have to be looked up at each change of it
FROM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY cmd ./cmd
COPY internal ./internal
ARG VERSION=""
RUN CGO_ENABLED=0 go build -trimpath -tags disable_grpc_modules,grpcnotrace \
      -gcflags=github.com/aws/...=-l -gcflags=cloud.google.com/...=-l -gcflags=google.golang.org/api/...=-l -gcflags=google.golang.org/grpc/...=-l \
      -ldflags "-s -w -X github.com/portcullis-ci/portcullis/internal/cli.BuildVersion=${VERSION}" \
      -o /out/portcullis ./cmd/portcullis

# For CI hosts that run scripts inside the image, such as GitLab: the same with
# a shell. Built with --target ci.
# portcullis ignore=PC-DF007 the tag names the exact version, as above
FROM busybox:1.37.0 AS ci
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/portcullis /usr/local/bin/portcullis
USER 65532:65532
WORKDIR /work

FROM scratch
LABEL org.opencontainers.image.title="Portcullis" \
      org.opencontainers.image.description="A container security gate for CI/CD" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/portcullis-ci/portcullis"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/portcullis /usr/local/bin/portcullis
USER 65532:65532
WORKDIR /work
ENTRYPOINT ["/usr/local/bin/portcullis"]
