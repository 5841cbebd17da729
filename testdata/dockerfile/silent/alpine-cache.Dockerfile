FROM alpine:3.22
RUN addgroup -S -g 1000 cache && adduser -S -G cache -u 999 cache
RUN apk add --no-cache 'su-exec>=0.2' tzdata
ARG CACHE_VERSION=8.0.2
ARG CACHE_SHA256=e9296b67b54c91befbcca046d67071c780a1f7c9f9e1ae5ed94773c3bb9b542f
RUN set -eux; \
    apk add --no-cache --virtual .build-deps coreutils gcc linux-headers make musl-dev; \
    wget -O cache.tar.gz "https://download.example.com/cache-$CACHE_VERSION.tar.gz"; \
    echo "$CACHE_SHA256 *cache.tar.gz" | sha256sum -c -; \
    mkdir -p /usr/src/cache; \
    tar -xzf cache.tar.gz -C /usr/src/cache --strip-components=1; \
    rm cache.tar.gz; \
    make -C /usr/src/cache -j "$(nproc)" all; \
    make -C /usr/src/cache install; \
    rm -r /usr/src/cache; \
    apk del --no-network .build-deps
RUN mkdir /data && chown cache:cache /data
VOLUME /data
WORKDIR /data
USER cache
EXPOSE 6379
CMD ["cache-server"]
