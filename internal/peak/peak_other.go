//go:build !unix

package peak

import (
	"os"
	"time"
)

// Memory is not known here.
func Memory(*os.ProcessState) int64 { return 0 }

// Written is not known here.
func Written(*os.ProcessState) int64 { return 0 }

// Processor is not known here.
func Processor() time.Duration { return 0 }
