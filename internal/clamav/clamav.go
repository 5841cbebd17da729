// Package clamav asks a ClamAV daemon whether a content matches one of its
// signatures. It speaks the protocol of clamd(8), section COMMANDS
// (https://docs.clamav.net/manual/Usage/Scanning.html#clamd): commands with the
// prefix z and answers that end with a NUL byte, one connection for each. The
// content goes through the connection (INSTREAM), so the daemon needs no access
// to any file, and nothing is written to disk on this side.
//
// It is not for deciding what is examined or what a match means; that is
// package malware's business.
package clamav

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/portcullis-ci/portcullis/internal/neutralise"
)

// MaxStream is the largest content in bytes that is worth sending: the
// StreamMaxLength of Debian's clamd.conf. A daemon that takes less says so, see
// ErrTooLarge.
const MaxStream = 25 << 20

// ErrTooLarge says that the content is larger than the daemon's StreamMaxLength,
// so that nobody looked at it.
var ErrTooLarge = errors.New("larger than the StreamMaxLength of clamd")

// Client asks one daemon. It is safe for concurrent use; every question has a
// connection of its own.
type Client struct {
	address Address
	waits   waits
}

// waits bound the steps of a conversation.
type waits struct {
	// dial and write are for connecting and for one piece of content; answer is
	// for the daemon's work, which it bounds itself by two minutes for one file
	// (MaxScanTime) and may have to queue for. late is for an answer to what
	// could not be sent to its end.
	dial, write, answer, late time.Duration
}

// New returns a client of the daemon. It connects to nothing yet.
func New(a Address) *Client {
	return &Client{address: a, waits: waits{dial: 10 * time.Second, write: time.Minute, answer: 5 * time.Minute, late: 5 * time.Second}}
}

// Address is where the daemon is asked.
func (c *Client) Address() Address { return c.address }

// Ping makes sure that there is a daemon that answers.
func (c *Client) Ping(ctx context.Context) error {
	answer, err := c.ask(ctx, "PING", nil)
	if err == nil && answer != "PONG" {
		err = fmt.Errorf("it answered %q to PING, which clamd does not", quotable(answer))
	}
	return err
}

// Version returns the version of the daemon and, where it has the official
// signatures, their number and date, as it tells them: ClamAV
// 1.4.3/27824/Thu Nov 20 09:47:11 2025. Unprintable characters are escaped.
func (c *Client) Version(ctx context.Context) (string, error) {
	answer, err := c.ask(ctx, "VERSION", nil)
	if err != nil {
		return "", err
	}
	if !strings.HasPrefix(answer, "ClamAV ") {
		return "", fmt.Errorf("it answered %q to VERSION, which clamd does not", quotable(answer))
	}
	return quotable(answer), nil
}

// Scan has the daemon examine a content and returns the name of the signature
// that it matches, "" for none; unprintable characters in the name are escaped.
// The error is ErrTooLarge where the daemon refused the size. Any other error
// means that nobody knows: the daemon could not be reached, hung up, reported
// an error, or answered what cannot be understood.
func (c *Client) Scan(ctx context.Context, content io.Reader) (signature string, err error) {
	answer, err := c.ask(ctx, "INSTREAM", content)
	if err != nil {
		return "", err
	}
	return parseScan(answer)
}

// parseScan understands the answer to INSTREAM.
func parseScan(answer string) (signature string, err error) {
	if strings.HasSuffix(answer, "ERROR") {
		if strings.Contains(answer, "size limit exceeded") {
			return "", ErrTooLarge
		}
		return "", fmt.Errorf("it reports: %s", quotable(answer))
	}
	result, ok := strings.CutPrefix(answer, "stream: ")
	if ok && result == "OK" {
		return "", nil
	}
	if name, found := strings.CutSuffix(result, " FOUND"); ok && found && strings.TrimSpace(name) != "" {
		return quotable(name), nil
	}
	return "", fmt.Errorf("it answered %q, which is neither OK, FOUND nor ERROR", quotable(answer))
}

// quotable makes foreign text short and harmless.
func quotable(s string) string { return neutralise.Short(s, 200) }

// maxAnswer bounds an answer; names of signatures have some 60 bytes.
const maxAnswer = 4096

// ask has one conversation: command, content if there is one, answer.
func (c *Client) ask(ctx context.Context, command string, content io.Reader) (string, error) {
	conn, err := c.dial(ctx)
	if err != nil {
		return "", because(ctx, err)
	}
	defer func() { _ = conn.Close() }()
	// Closing ends whatever is waited for.
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()

	sent := c.write(conn, []byte("z"+command+"\x00"))
	if sent == nil && content != nil {
		sent = c.send(conn, content)
	}
	var own *readError
	if errors.As(sent, &own) {
		return "", own.err
	}
	wait := c.waits.answer
	if sent != nil {
		// A daemon that has enough says why and hangs up.
		wait = c.waits.late
	}
	answer, err := c.read(conn, wait)
	if sent != nil && !strings.HasSuffix(answer, "ERROR") {
		return "", because(ctx, fmt.Errorf("send: %w", sent))
	}
	return answer, because(ctx, err)
}

// because replaces an error by the reason for which the context was ended.
func because(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func (c *Client) dial(ctx context.Context) (net.Conn, error) {
	d := net.Dialer{Timeout: c.waits.dial}
	var errs []error
	for _, address := range c.address.dials() {
		conn, err := d.DialContext(ctx, c.address.network, address)
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// readError is one of the content and not of the connection.
type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }

// chunkSize is how much of a content is sent at once.
const chunkSize = 64 << 10

// send sends a content in chunks, each after its length in four bytes, most
// significant first; a length of zero ends it.
func (c *Client) send(conn net.Conn, content io.Reader) error {
	buf := make([]byte, 4+chunkSize)
	for {
		n, err := io.ReadFull(content, buf[4:])
		ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !ended {
			return &readError{err}
		}
		if n > 0 {
			binary.BigEndian.PutUint32(buf, uint32(n))
			if err := c.write(conn, buf[:4+n]); err != nil {
				return err
			}
		}
		if ended {
			return c.write(conn, make([]byte, 4))
		}
	}
}

func (c *Client) write(conn net.Conn, data []byte) error {
	if err := conn.SetWriteDeadline(time.Now().Add(c.waits.write)); err != nil {
		return err
	}
	_, err := conn.Write(data)
	return err
}

// read reads an answer up to its NUL byte. What ends before that is none.
func (c *Client) read(conn net.Conn, wait time.Duration) (string, error) {
	if err := conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return "", err
	}
	answer, err := bufio.NewReaderSize(conn, maxAnswer).ReadSlice(0)
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", fmt.Errorf("its answer is longer than %d bytes and begins with %q", maxAnswer, quotable(string(answer)))
	case errors.Is(err, io.EOF):
		return "", errors.New("it hung up before it had answered")
	case err != nil:
		return "", fmt.Errorf("wait for its answer: %w", err)
	}
	return string(bytes.TrimSpace(answer[:len(answer)-1])), nil
}
