FROM node:22-alpine
RUN mkdir -p /usr/src/app && chown node:node /usr/src/app
WORKDIR /usr/src/app
USER node
ONBUILD ARG NODE_ENV=production
ONBUILD ENV NODE_ENV=$NODE_ENV
ONBUILD COPY package.json package-lock.json ./
ONBUILD RUN npm ci && npm cache clean --force
ONBUILD COPY . .
CMD ["npm", "start"]
