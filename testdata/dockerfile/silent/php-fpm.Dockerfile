FROM composer:2.8 AS vendor
WORKDIR /app
COPY composer.json composer.lock ./
RUN composer install --no-dev --no-interaction --no-scripts --prefer-dist

FROM php:8.4-fpm-alpine
ENV PHPIZE_DEPS="autoconf dpkg-dev dpkg file g++ gcc libc-dev make pkgconf re2c"
RUN set -eux; \
    apk add --no-cache icu-libs libzip; \
    apk add --no-cache --virtual .build-deps $PHPIZE_DEPS icu-dev libzip-dev; \
    docker-php-ext-install -j"$(nproc)" intl opcache zip; \
    apk del --no-network .build-deps; \
    rm -rf /tmp/pear
WORKDIR /var/www/html
COPY --from=vendor /app/vendor ./vendor
COPY --chown=www-data:www-data public ./public
COPY --chown=www-data:www-data src ./src
USER www-data
EXPOSE 9000
CMD ["php-fpm"]
