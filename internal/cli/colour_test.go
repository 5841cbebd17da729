package cli

import (
	"os"
	"testing"
)

func TestColoursAreForTerminalsThatTakeThem(t *testing.T) {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("this system gives no terminal: %v", err)
	}
	defer func() { _ = terminal.Close() }()
	file, err := os.Create(t.TempDir() + "/report")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	for _, tc := range []struct {
		name        string
		environment map[string]string
		want        bool
	}{
		{"a terminal", map[string]string{"TERM": "xterm"}, true},
		{"an empty NO_COLOR counts for nothing", map[string]string{"NO_COLOR": ""}, true},
		{"NO_COLOR", map[string]string{"NO_COLOR": "1"}, false},
		{"a terminal without abilities", map[string]string{"TERM": "dumb"}, false},
		{"a terminal of a CI host", map[string]string{"CI": "true"}, false},
	} {
		p := Program{Getenv: func(name string) string { return tc.environment[name] }}
		if got := p.colour(terminal); got != tc.want {
			t.Errorf("%s: colours %t, want %t", tc.name, got, tc.want)
		}
		if p.colour(file) {
			t.Errorf("%s: a file gets colours", tc.name)
		}
	}
}
