# syntax=docker/dockerfile:1
FROM debian:bookworm-slim AS fetch
ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://downloads.example.com/lib-1.0.tar.gz /src/
ADD https://github.com/example/lib.git#9f1c4b2d7f0e6a5c3b1a2d4e5f60718293a4b5c6 /src/lib
ADD vendor.tar.gz /src/vendor/
RUN apt-get update && apt-get install -y --no-install-recommends build-essential git openssh-client \
    && rm -rf /var/lib/apt/lists/*
RUN --mount=type=ssh git clone git@github.com:example/private.git /src/private
RUN cd /src/lib && ./configure --prefix=/opt/lib && make -j"$(nproc)" && make install

FROM debian:bookworm-slim
COPY --link --from=fetch /opt/lib /opt/lib
USER nobody
CMD ["/opt/lib/bin/lib"]
