ARG BASE=debian
ARG RELEASE=bookworm-slim
ARG REGISTRY
FROM ${REGISTRY}${BASE}:${RELEASE} AS common
ARG RELEASE
LABEL com.example.release="${RELEASE}"
ENV LANG=C.UTF-8
WORKDIR /srv

FROM common AS tools
COPY tools/ ./
RUN ./install-tools.sh

FROM common AS test
COPY --from=tools /srv/bin /usr/local/bin
USER 1000
CMD ["run-tests", "--all"]

FROM common AS release
COPY --from=tools /srv/bin/app /usr/local/bin/app
USER 1000
CMD ["app"]
