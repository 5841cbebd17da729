//go:build !unix

package supervise

import "errors"

func parent(func(string) string) (func(int), bool) { return nil, false }

// runChild never starts a child: the operating system cannot pass it the pipe.
func runChild() (ending, error) {
	return ending{}, errors.New("no supervision on this operating system")
}
