// Package dockerfile reads a Dockerfile into a model that keeps the true place
// of every token: stages and their ancestry, instructions with flags, words
// and here-documents, the values of ARG and ENV where they can be known, and
// all comments. It uses BuildKit's parser, so that what it accepts is what the
// builder accepts, and goes on after errors, which it collects as Problems.
//
// It holds no rules and judges nothing; that is the work of package
// internal/detect/dockerfile. It does not read files either: the caller hands
// over the bytes. The main type is File.
package dockerfile
