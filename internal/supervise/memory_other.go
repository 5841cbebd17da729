//go:build !linux

package supervise

import "syscall"

func attributes() *syscall.SysProcAttr { return nil }

// LimitMemory does nothing: the operating system has no such limit.
func LimitMemory(int64) error { return nil }
