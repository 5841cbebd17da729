package dockerfile

// Beginnings and ends of the rules' examples: base images pinned by digest and
// a user that is not root, so that an example shows just what its rule is about.
const (
	onDebian = "FROM debian:12.11-slim@sha256:2424c1850714a4d94666ec928e24d86de958646737b1d113f5b2207be44d37d8\n"
	onAlpine = "FROM alpine:3.22.1@sha256:4bcff63911fcb4448bd4fdacec207030997caf25e9bea4045fa6c8c44de311d1\n"
	onFedora = "FROM fedora:42@sha256:1fa5ed5d7ee2d5a2c4c9c6e3a2e8a2b25b8c3ee7e4dd0ec9bf3a2f9a46a1f9aa\n"
	onSUSE   = "FROM opensuse/leap:15.6@sha256:9d3d2d5b8a36a0dd4c4f4cb1a8c4c53c0e1c8f6c0e3fb2dcb1fbf1df9a0e2c11\n"
	onPython = "FROM python:3.13.5-slim@sha256:4c2cf9917bd1cbacc5e9b07320025bdb7cdf2df7b0ceaccb55e9dd7e30987419\n"
	onNode   = "FROM node:22.17.0-slim@sha256:b04ce4ae4e95b522112c2e5c52f781471a5cbc3b594527bcddedee9bc48c03a0\n"
	onGolang = "FROM golang:1.24.4@sha256:3494bbe140127d12656113203ec91b8e3ff34e8a2b06f0b2c2f4a5c0f1d1b6a5\n"
	onRuby   = "FROM ruby:3.4.4-slim@sha256:eec8d3ac1d8a1e6f2e8bc1e0a1b7c1c1f0c4ea1f9e3b31f2a3a1b4d5e6f7a8b9\n"
	nonRoot  = "USER 65532\n"
)

const (
	dockerDocs    = "https://docs.docker.com/reference/dockerfile/"
	bestPractices = "https://docs.docker.com/build/building/best-practices/"
)
