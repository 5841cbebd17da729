package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/docker/go-units"
	"github.com/spf13/pflag"

	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/layers"
)

// limitFlags are the flags that bound what a run may cost. What a limit cuts
// off is not examined and ends with exit code 4.
type limitFlags struct {
	imageSize bytesFlag
	files     int
	memory    bytesFlag
	timeout   time.Duration
}

const (
	// defaultMemory is far above what large real images need, and below what
	// makes a build machine swap.
	defaultMemory = 4 << 30
	// defaultTimeout ends a run that hangs before the CI host does, which would
	// leave no report.
	defaultTimeout = 30 * time.Minute
	// smallestMemory is what a gate needs to come to its end with any image.
	smallestMemory = 256 << 20
	// mostBytes leaves room for sums.
	mostBytes = 1 << 50
)

func (f *limitFlags) register(flags *pflag.FlagSet) {
	limits := layers.Limits{}.WithDefaults()
	f.imageSize, f.memory = bytesFlag(limits.ImageSize), defaultMemory
	flags.Var(&f.imageSize, "max-image-size", "bytes that all layers may hold together after inflating, such as 20GiB")
	flags.IntVar(&f.files, "max-files", limits.Files, "files that all layers may hold together")
	flags.Var(&f.memory, "max-memory", "memory that the run may use, such as 2GiB")
	flags.DurationVar(&f.timeout, "timeout", defaultTimeout, "how long the examination may take; 0 for as long as it takes")
}

// check refuses limits with which nothing could be examined.
func (f *limitFlags) check() error {
	refuse := func(flag, why string) error {
		return &exit.Error{Code: exit.Usage, Doing: fmt.Sprintf("--%s: %s", flag, why)}
	}
	switch {
	case f.imageSize <= 0:
		return refuse("max-image-size", "must be more than nothing")
	case f.files <= 0:
		return refuse("max-files", "must be more than nothing")
	case f.memory < smallestMemory:
		return refuse("max-memory", "must be at least "+units.BytesSize(smallestMemory))
	case f.timeout < 0:
		return refuse("timeout", "must not be negative")
	}
	return nil
}

// layers are the limits for reading an image.
func (f *limitFlags) layers() layers.Limits {
	return layers.Limits{ImageSize: int64(f.imageSize), Files: f.files}
}

// bytesFlag is a number of bytes that is written with a unit: 512MiB, 4g.
type bytesFlag int64

// String implements pflag.Value.
func (b *bytesFlag) String() string { return units.BytesSize(float64(*b)) }

// Set implements pflag.Value.
func (b *bytesFlag) Set(s string) error {
	n, err := units.RAMInBytes(s)
	if err != nil {
		return fmt.Errorf("expected a number of bytes such as 512MiB or 4GiB: %w", err)
	}
	// A number that is too large for the type comes back as any other.
	if n < 0 || n > mostBytes {
		return errors.New("is more than any machine has: at most " + units.BytesSize(mostBytes))
	}
	*b = bytesFlag(n)
	return nil
}

// Type implements pflag.Value.
func (*bytesFlag) Type() string { return "size" }

// limitMemory bounds the memory of the whole process, where its operating
// system can: a parser that asks for more than all that a run may use is ended,
// and the run with it.
func (p Program) limitMemory(f limitFlags) error {
	if p.LimitMemory == nil {
		return nil
	}
	// The runtime keeps freed memory for a while, and stacks and code count
	// as well.
	const slack = 1 << 30
	if err := p.LimitMemory(int64(f.memory) + slack); err != nil {
		return &exit.Error{Code: exit.NotExamined, Doing: "--max-memory", Err: err}
	}
	return nil
}
