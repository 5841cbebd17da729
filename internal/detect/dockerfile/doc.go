// Package dockerfile holds the Dockerfile rules and the engine that runs them:
// it takes files, asks internal/dockerfile for the parsed model, runs every
// rule and returns findings on the line and column that caused them. Ignore
// comments, hadolint configurations, Compose and bake files are understood
// here too. It does not decide what a finding means for the gate, and reads
// nothing from disk but in Discover.
//
// To add a rule, write one Rule value in the file of its family and one table
// of cases in the family's test; nothing else needs to be touched.
package dockerfile
