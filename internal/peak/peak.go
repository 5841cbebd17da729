// Package peak tells how much memory a process took. It is for the programs that
// measure this one. The main function is Memory.
package peak
