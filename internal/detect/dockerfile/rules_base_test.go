package dockerfile

var args = func(kv ...string) Options {
	m := make(map[string]string)
	for i := 0; i+1 < len(kv); i += 2 {
		m[kv[i]] = kv[i+1]
	}
	return Options{BuildArgs: m}
}

var baseCases = table{
	"PC-DF005": {
		{name: "a bare name", text: "FROM «debian»\n"},
		{name: "a registry with a port", text: "FROM «localhost:5000/team/app» AS x\n"},
		{name: "an ARG with an untagged default", text: "ARG BASE=debian\nFROM «${BASE}»\n"},
		{name: "an untagged build argument", text: "ARG BASE=debian:12\nFROM «$BASE»\n", opts: args("BASE", "ubuntu")},
		{name: "every untagged stage", text: "FROM «golang» AS build\nFROM «alpine»\n"},
		{name: "with a platform", text: "FROM --platform=linux/amd64 «alpine»\n"},
		{name: "a default in braces", text: "ARG BASE\nFROM «${BASE:-debian}»\n"},
		{name: "the name of a later stage is an image", text: "FROM «app»\nFROM debian:12 AS app\n"},
		{name: "a tag", text: "FROM debian:12\n"},
		{name: "a digest", text: "FROM debian@sha256:0000000000000000000000000000000000000000000000000000000000000000\n"},
		{name: "scratch", text: "FROM scratch\n"},
		{name: "an earlier stage in other letter case", text: "FROM golang:1 AS Build\nFROM build\n"},
		{name: "an ARG without a value", text: "ARG BASE\nFROM $BASE\n"},
		{name: "an undefined variable", text: "FROM $BASE\n"},
		{name: "a tagged build argument", text: "ARG BASE=debian\nFROM $BASE\n", opts: args("BASE", "debian:12")},
		{name: "a tag in a variable", text: "ARG V=12\nFROM debian:${V}\n"},
		{name: "an unknown tag", text: "FROM debian:${V}\n"},
		{name: "an unknown tail of the name", text: "FROM debian-$TARGETARCH\n"},
	},
	"PC-DF006": {
		{name: "latest", text: "FROM «debian:latest»\n"},
		{name: "latest of a private registry", text: "FROM «registry.example.com:5000/app:latest» AS x\n"},
		{name: "an ARG with latest", text: "ARG TAG=latest\nFROM «debian:$TAG»\n"},
		{name: "a build argument", text: "ARG TAG=12\nFROM «debian:$TAG»\n", opts: args("TAG", "latest")},
		{name: "one ARG set twice", text: "FROM debian:12 AS a\nARG V=1\nARG V=2\nFROM «alpine:latest»\n"},
		{name: "a version", text: "FROM debian:12\n"},
		{name: "latest with a digest", text: "FROM debian:latest@sha256:0000000000000000000000000000000000000000000000000000000000000000\n"},
		{name: "latest inside a longer tag", text: "FROM node:latest-slim\n"},
		{name: "an unknown tag", text: "ARG TAG\nFROM debian:$TAG\n"},
		{name: "a stage of that name", text: "FROM debian:12 AS latest\nFROM latest\n"},
	},
	"PC-DF007": {
		{name: "a tag alone", text: "FROM «debian:12»\n"},
		{name: "a full version", text: "FROM «alpine:3.22.1» AS x\n"},
		{name: "a tag in a variable", text: "ARG V=12\nFROM «debian:$V»\n"},
		{name: "two stages", text: "FROM «golang:1.24» AS build\nFROM «gcr.io/distroless/static:nonroot»\n"},
		{name: "a digest", text: "FROM debian:12@sha256:0000000000000000000000000000000000000000000000000000000000000000\n"},
		{name: "a digest in a variable", text: "ARG D=sha256:0000000000000000000000000000000000000000000000000000000000000000\nFROM debian@$D\n"},
		{name: "scratch", text: "FROM scratch\n"},
		{name: "no tag, of which another rule speaks", text: "FROM debian\n"},
		{name: "an unknown image", text: "ARG B\nFROM $B\n"},
		{name: "an earlier stage", text: "FROM a@sha256:0000000000000000000000000000000000000000000000000000000000000000 AS x\nFROM x\n"},
	},
}
