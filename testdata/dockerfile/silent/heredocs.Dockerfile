# syntax=docker/dockerfile:1.7
FROM ubuntu:24.04
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
RUN <<EOF
apt-get update
apt-get install -y --no-install-recommends ca-certificates curl jq python3
rm -rf /var/lib/apt/lists/*
EOF
RUN <<'PY' python3
import pathlib
pathlib.Path("/etc/app").mkdir(exist_ok=True)
print("sudo is not needed here")
PY
COPY <<-"CONF" /etc/app/app.conf
	listen = 0.0.0.0:8080
	# passwords come from /run/secrets
CONF
RUN cat > /usr/local/bin/run-app <<'SH' && chmod 755 /usr/local/bin/run-app
#!/bin/sh
exec app --config /etc/app/app.conf "$@"
SH
RUN curl -fsSL https://api.example.com/releases.json | jq -r '.[0].tag_name' > /etc/app/release
USER 65532:65532
CMD ["run-app"]
