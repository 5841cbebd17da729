// Package clamavtest stands in for a ClamAV daemon in tests: it listens on the
// loopback interface or a socket and speaks the commands PING, VERSION and
// INSTREAM of clamd(8), or misbehaves in the ways that a daemon can. It is not
// for anything but tests.
package clamavtest

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
)

// Daemon answers until it is closed. Its exported fields must be set before
// it is asked.
type Daemon struct {
	// Address is where it listens, as package clamav reads it.
	Address string
	// Signatures are the names of signatures by the text that a content must
	// hold. The content may match one at most.
	Signatures map[string]string
	// StreamMaxLength is the size in bytes up to which it takes contents.
	StreamMaxLength int
	// Answer, when set, takes the place of the answer to INSTREAM, NUL byte
	// and all; the daemon hangs up after it.
	Answer func(content []byte) string
	// HangUpAfter, when set, is the number of INSTREAM commands after which it
	// hangs up without an answer.
	HangUpAfter int
	// Hello, when set, is what it says to every command: it is no clamd then.
	Hello string

	listener net.Listener
	mu       sync.Mutex
	contents []string
	working  sync.WaitGroup
}

// Listen starts a daemon on a free loopback port (tcp, "127.0.0.1:0") or on a
// socket (unix, path).
func Listen(network, address string) (*Daemon, error) {
	l, err := net.Listen(network, address)
	if err != nil {
		return nil, fmt.Errorf("listen as clamd: %w", err)
	}
	d := &Daemon{Address: network + ":" + l.Addr().String(), StreamMaxLength: 25 << 20, listener: l}
	d.working.Add(1)
	go d.serve()
	return d, nil
}

// Close stops it and waits until all conversations have ended.
func (d *Daemon) Close() error {
	err := d.listener.Close()
	d.working.Wait()
	return err
}

// Contents returns what it was sent to examine so far, in order of arrival.
func (d *Daemon) Contents() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.contents...)
}

func (d *Daemon) serve() {
	defer d.working.Done()
	for {
		conn, err := d.listener.Accept()
		if err != nil {
			return
		}
		d.working.Add(1)
		go func() {
			defer d.working.Done()
			defer func() { _ = conn.Close() }()
			_, _ = io.WriteString(conn, d.converse(bufio.NewReader(conn)))
		}()
	}
}

// converse reads one command and returns what is answered, "" for nothing.
func (d *Daemon) converse(r *bufio.Reader) string {
	command, err := r.ReadString(0)
	switch {
	case err != nil:
		return ""
	case d.Hello != "":
		return d.Hello
	case command == "zPING\x00":
		return "PONG\x00"
	case command == "zVERSION\x00":
		return "ClamAV 1.4.3/27824/Thu Nov 20 09:47:11 2025\x00"
	case command == "zINSTREAM\x00":
		return d.instream(r)
	default:
		return "UNKNOWN COMMAND\x00"
	}
}

func (d *Daemon) instream(r io.Reader) string {
	var content bytes.Buffer
	for {
		var size uint32
		if err := binary.Read(r, binary.BigEndian, &size); err != nil {
			return ""
		}
		if size == 0 {
			break
		}
		if content.Len()+int(size) > d.StreamMaxLength {
			return "INSTREAM size limit exceeded. ERROR\x00"
		}
		if _, err := io.CopyN(&content, r, int64(size)); err != nil {
			return ""
		}
	}
	d.mu.Lock()
	d.contents = append(d.contents, content.String())
	count := len(d.contents)
	d.mu.Unlock()
	switch {
	case d.HangUpAfter > 0 && count > d.HangUpAfter:
		return ""
	case d.Answer != nil:
		return d.Answer(content.Bytes())
	}
	for text, name := range d.Signatures {
		if strings.Contains(content.String(), text) {
			return "stream: " + name + " FOUND\x00"
		}
	}
	return "stream: OK\x00"
}
