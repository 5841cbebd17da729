//go:build unix

package supervise

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

// pipeFD is the descriptor of the pipe in the child: the first behind the
// standard streams.
const pipeFD = 3

// scratchFD is the descriptor of the folder of temporary files in the child, if
// it has one: its lock lasts as long as the child does.
const scratchFD = 4

// grace is how long a child may take to end after a signal.
const grace = 10 * time.Second

// parent returns the way to tell the parent the exit code, if this process is
// a child.
func parent(getenv func(string) string) (tell func(code int), isChild bool) {
	if getenv(Variable) != strconv.Itoa(pipeFD) {
		return nil, false
	}
	pipe := os.NewFile(pipeFD, "supervisor")
	if info, err := pipe.Stat(); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		return nil, false
	}
	// Programs that this one starts must not hold the pipe and the folder of
	// temporary files.
	syscall.CloseOnExec(pipeFD)
	syscall.CloseOnExec(scratchFD)
	return func(code int) {
		// If the parent is gone there is nobody to tell.
		_, _ = pipe.Write([]byte{byte(code)})
		_ = pipe.Close()
	}, true
}

// runChild starts the program anew with the same arguments, environment and
// streams, passes signals on to it and waits for its end. An error means that
// no child could be started.
func runChild() (ending, error) {
	self, err := os.Executable()
	if err != nil {
		return ending{}, err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return ending{}, err
	}
	defer func() { _ = read.Close() }()
	cmd := exec.Command(self, os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(without(os.Environ(), Variable), Variable+"="+strconv.Itoa(pipeFD))
	cmd.ExtraFiles = []*os.File{write}
	// Without a folder of its own the child uses that of all.
	if scratch, err := newScratch(); err == nil {
		defer func() {
			_ = os.RemoveAll(scratch.Name())
			_ = scratch.Close()
		}()
		cmd.ExtraFiles = append(cmd.ExtraFiles, scratch)
		cmd.Env = append(without(cmd.Env, "TMPDIR"), "TMPDIR="+scratch.Name())
	}
	cmd.SysProcAttr = attributes()
	// The kernel ends the child together with the thread that started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	signals := make(chan os.Signal, 8)
	asked := []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT}
	if !signal.Ignored(syscall.SIGHUP) { // nohup has it ignored
		asked = append(asked, syscall.SIGHUP)
	}
	signal.Notify(signals, asked...)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		_ = write.Close()
		return ending{}, err
	}
	_ = write.Close()
	done := make(chan struct{})
	defer close(done)
	var told atomic.Int32 // the first signal that was passed on
	go func() {
		for {
			select {
			case s := <-signals:
				if number, ok := s.(syscall.Signal); ok {
					told.CompareAndSwap(0, int32(number))
				}
				// It may have ended already.
				_ = cmd.Process.Signal(s)
				time.AfterFunc(grace, func() { _ = cmd.Process.Kill() })
			case <-done:
				return
			}
		}
	}()
	code, readErr := io.ReadAll(read)
	return judge(code, readErr, cmd.Wait(), syscall.Signal(told.Load())), nil
}

// judge says how a child ended from what it wrote, how it was waited for and the
// signal that was passed on to it, 0 for none.
func judge(written []byte, readErr, waitErr error, told syscall.Signal) ending {
	if readErr == nil && len(written) == 1 {
		return ending{told: true, code: int(written[0])}
	}
	if told != 0 {
		return ending{cause: fmt.Sprintf("%s %d (%s)", Told, told, told)}
	}
	var exit *exec.ExitError
	if errors.As(waitErr, &exit) {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			cause := fmt.Sprintf("its process was ended by signal %d (%s)", status.Signal(), status.Signal())
			if status.Signal() == syscall.SIGKILL {
				cause += ", as the system does when memory runs out"
			}
			return ending{cause: cause}
		}
		return ending{cause: fmt.Sprintf("its process crashed with exit status %d; what it printed last says why", exit.ExitCode())}
	}
	return ending{cause: "its process ended without a result"}
}
