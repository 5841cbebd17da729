// Package peak tells what a process took of memory, disk and processor. It is for
// the programs that measure this one. The main function is Memory.
package peak
