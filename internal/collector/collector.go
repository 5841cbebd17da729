// Package collector keeps the garbage collector at rest while the program starts.
// What packages allocate before main, they keep, and looking for garbage in it is a
// third of the processor's time for the start. Packages are initialised in the
// order of their import paths as far as what they import allows
// (https://go.dev/ref/spec#Package_initialization): this one comes before most of
// those that allocate much.
//
// Importing it changes the process, so that it is for package main alone, which has
// to call Resume or to set another pace.
package collector

import "runtime/debug"

// usual is the pace that the runtime takes from the environment.
var usual = debug.SetGCPercent(-1)

// Resume has the collector run at its usual pace: that of the variable GOGC.
func Resume() { debug.SetGCPercent(usual) }
