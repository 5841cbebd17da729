//go:build unix

package supervise

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	ossignal "os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain makes the test binary a program with supervision when a test asks
// for it.
func TestMain(m *testing.M) {
	task := os.Getenv("SUPERVISE_TEST")
	if task == "" {
		os.Exit(m.Run())
	}
	percent := debug.SetGCPercent(-1)
	os.Exit(Run(func(crash string) int {
		if crash != "" {
			fmt.Printf("crash: %s\n", crash)
			return 4
		}
		return tasks[task]()
	}, func() { debug.SetGCPercent(percent) }))
}

var tasks = map[string]func() int{
	"code 3": func() int { return 3 },
	"code 2": func() int { return 2 },
	"echo": func() int {
		var line string
		_, _ = fmt.Scan(&line)
		fmt.Println("got", line, strings.Join(os.Args[1:], " "))
		return 0
	},
	"stack": func() int { return deeper(1) },
	"panic": func() int {
		go func() { panic("index out of range") }()
		select {}
	},
	"kill": func() int {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	},
	"exit": func() int { os.Exit(0); return 0 },
	"leave a file": func() int {
		f, err := os.CreateTemp("", "left-*")
		if err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Println("at", f.Name())
		time.Sleep(time.Minute)
		return 0
	},
	"memory": func() int {
		if err := LimitMemory(1 << 30); err != nil {
			fmt.Println(err)
			return 1
		}
		b := make([]byte, 2<<30)
		return int(b[len(b)-1])
	},
	"collector": func() int {
		_, off := os.LookupEnv("GOGC")
		_, limited := os.LookupEnv("GOMEMLIMIT")
		fmt.Printf("GOGC %t %q, GOMEMLIMIT %t %q, percent %d, limit %d", off, os.Getenv("GOGC"), limited, os.Getenv("GOMEMLIMIT"),
			debug.SetGCPercent(100), debug.SetMemoryLimit(-1))
		return 0
	},
	"wait": func() int {
		fmt.Println("waiting")
		time.Sleep(time.Minute)
		return 0
	},
}

//go:noinline
func deeper(n int) int {
	var room [1024]int
	if n == 0 {
		return 0 // never: n grows
	}
	room[n%1024] = n
	return deeper(n+1) + room[(n+1)%1024]
}

func program(t *testing.T, task string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), "SUPERVISE_TEST="+task, "GOTRACEBACK=none")
	return cmd
}

func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		return -1
	}
	return 0
}

func TestTheChildsCodeIsTheProgramsAndACrashIsReported(t *testing.T) {
	tests := []struct {
		name, task string
		code       int
		prints     string
	}{
		{"the code of the work is passed on", "code 3", 3, ""},
		{"code 2 that was told is no crash", "code 2", 2, ""},
		{"an exhausted stack is reported", "stack", 4, "crash: its process crashed with exit status 2"},
		{"a panic in a goroutine that nobody can recover is reported", "panic", 4, "crash: its process crashed with exit status 2"},
		{"a kill is reported", "kill", 4, "crash: its process was ended by signal 9 (killed), as the system does"},
		{"an exit that nobody knows of is no pass", "exit", 4, "crash: its process ended without a result"},
	}
	if runtime.GOOS == "linux" {
		tests = append(tests, struct {
			name, task string
			code       int
			prints     string
		}{"memory beyond the limit is refused and reported", "memory", 4, "crash: its process crashed"})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := program(t, tt.task).Output()
			if got := exitCode(err); got != tt.code {
				t.Errorf("exit code %d, want %d", got, tt.code)
			}
			if !strings.Contains(string(out), tt.prints) {
				t.Errorf("printed %q, want %q in it", out, tt.prints)
			}
		})
	}
}

func TestTheCollectorOfTheChildIsPacedUnlessTheUserSaysOtherwise(t *testing.T) {
	paced := fmt.Sprintf(`GOGC false "", GOMEMLIMIT false "", percent -1, limit %d`, gateMemory)
	for _, tt := range []struct {
		name string
		env  []string
		want string
	}{
		{"nothing is said", nil, paced},
		{"another pace is said", []string{"GOGC=50"}, `GOGC true "50", GOMEMLIMIT false "", percent 50, limit 9223372036854775807`},
		{"a limit is said", []string{"GOMEMLIMIT=1GiB"}, `GOGC false "", GOMEMLIMIT true "1GiB", percent 100, limit 1073741824`},
	} {
		cmd := program(t, "collector")
		cmd.Env = append(without(without(cmd.Env, "GOGC"), "GOMEMLIMIT"), tt.env...)
		out, err := cmd.Output()
		if string(out) != tt.want || err != nil {
			t.Errorf("%s: %s and %v, want %s", tt.name, out, err, tt.want)
		}
	}
}

func TestArgumentsAndStreamsReachTheChild(t *testing.T) {
	cmd := program(t, "echo", "-x", "two words")
	cmd.Stdin = strings.NewReader("hello\n")
	out, err := cmd.Output()
	if err != nil || string(out) != "got hello -x two words\n" {
		t.Errorf("printed %q, %v", out, err)
	}
}

func TestSignalsReachTheChildAndAreNoCrash(t *testing.T) {
	for signal, want := range map[syscall.Signal]string{
		syscall.SIGTERM: "crash: its process was told to end by signal 15 (terminated)\n",
		syscall.SIGHUP:  "crash: its process was told to end by signal 1 (hangup)\n",
		syscall.SIGQUIT: "crash: its process was told to end by signal 3 (quit)\n",
	} {
		t.Run(signal.String(), func(t *testing.T) {
			// What is ignored here, as under nohup, the program would ignore as well;
			// what is caught here is not.
			caught := make(chan os.Signal, 1)
			ossignal.Notify(caught, signal)
			defer ossignal.Stop(caught)
			signalled(t, signal, want)
		})
	}
}

func signalled(t *testing.T, signal syscall.Signal, want string) {
	t.Helper()
	cmd := program(t, "wait")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, len("waiting\n"))
	if _, err := stdout.Read(line); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	rest := make([]byte, 200)
	n, _ := stdout.Read(rest)
	if got := exitCode(cmd.Wait()); got != 4 {
		t.Errorf("exit code %d, want 4", got)
	}
	if string(rest[:n]) != want {
		t.Errorf("printed %q, want %q", rest[:n], want)
	}
}
