FROM rust:1.88-alpine AS build
RUN apk add --no-cache musl-dev
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
COPY src ./src
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked && cp target/release/agent /agent

FROM alpine:3.22 AS certs
RUN apk add --no-cache ca-certificates && adduser -D -u 10001 agent

FROM scratch
COPY --from=certs /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=certs /etc/passwd /etc/passwd
COPY --from=build /agent /agent
USER 10001
ENTRYPOINT ["/agent"]
