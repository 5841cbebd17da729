# A file as it should not be: one long RUN, secrets, an old base, root.
ARG BASE=ubuntu
FROM $BASE AS Build
MAINTAINER shop@example.com
ENV API_KEY changeme
ADD . /src
RUN apt-get update && \
    apt-get install curl wget && \
    # the installer of our tool
    curl -fsSLk https://tools.example.com/install.sh | sudo bash && \

    cd /src && make && chmod -R 777 /src
# hadolint ignore=DL3059
EXPOSE 22 80800
COPY --from=biuld /a b

FROM node:latest
COPY package.json .npmrc ./
RUN npm install -g pm2 \
 && npm config set strict-ssl false
USER root
CMD pm2 start app.js
