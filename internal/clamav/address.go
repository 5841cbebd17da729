package clamav

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
)

// Address is where a daemon listens: LocalSocket or TCPSocket of clamd.conf.
type Address struct {
	// network is unix or tcp; host and port are set for the latter.
	network    string
	path       string
	host, port string
}

// ParseAddress reads unix:PATH or tcp:HOST:PORT, an IPv6 address in brackets.
// The error says what to write instead.
func ParseAddress(s string) (Address, error) {
	scheme, rest, _ := strings.Cut(s, ":")
	rest = strings.TrimPrefix(rest, "//")
	switch scheme {
	case "unix":
		if rest == "" {
			return Address{}, fmt.Errorf("%q names no socket: expected unix:PATH, such as unix:/run/clamav/clamd.ctl", s)
		}
		return Address{network: "unix", path: rest}, nil
	case "tcp":
		host, port, err := net.SplitHostPort(rest)
		if err != nil || host == "" {
			return Address{}, fmt.Errorf("%q names no host and port: expected tcp:HOST:PORT, such as tcp:127.0.0.1:3310", s)
		}
		if !isPort(port) {
			return Address{}, fmt.Errorf("%q: %q is no port from 1 to 65535", s, port)
		}
		return Address{network: "tcp", host: host, port: port}, nil
	}
	if filepath.IsAbs(s) {
		return Address{}, fmt.Errorf("%q does not say what it is: write unix:%s", s, s)
	}
	if _, port, err := net.SplitHostPort(s); err == nil && isPort(port) {
		return Address{}, fmt.Errorf("%q does not say what it is: write tcp:%s", s, s)
	}
	return Address{}, errors.New(strconv.Quote(s) + ": expected unix:PATH or tcp:HOST:PORT")
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}

// String returns the address as ParseAddress reads it.
func (a Address) String() string {
	if a.network == "unix" {
		return "unix:" + a.path
	}
	return "tcp:" + net.JoinHostPort(a.host, a.port)
}

// Local reports whether what is sent there stays on this machine: a unix
// socket, a loopback address or the name localhost (RFC 6761, section 6.3).
func (a Address) Local() bool {
	return a.network == "unix" || a.host == localhost || net.ParseIP(a.host).IsLoopback()
}

const localhost = "localhost"

// dials lists what is dialled, in turn. No resolver is asked for localhost.
func (a Address) dials() []string {
	switch {
	case a.network == "unix":
		return []string{a.path}
	case a.host == localhost:
		return []string{net.JoinHostPort("127.0.0.1", a.port), net.JoinHostPort("::1", a.port)}
	default:
		return []string{net.JoinHostPort(a.host, a.port)}
	}
}
