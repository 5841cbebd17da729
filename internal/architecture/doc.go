// Package architecture holds no code, only the test that keeps the direction
// of dependencies: along the flow from targets to reports, and down to the
// leaves. docs/architecture.md draws the picture.
package architecture
