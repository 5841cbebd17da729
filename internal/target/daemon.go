package target

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/google/go-containerregistry/pkg/name"
)

// maxExport bounds the export of an image by a daemon.
const maxExport = 64 << 30

// daemon reads an image through the Docker Engine API, which Podman speaks as
// well: GET /images/{name}/get answers with a docker archive. An archive names
// its layers at its end, so the export is spooled to a temporary file without
// a name first.
func (o *opener) daemon(ctx context.Context, ref string) ([]*Target, error) {
	endpoint, err := o.daemonEndpoint()
	if err != nil {
		return nil, err
	}
	o.announce("exporting image %s from the daemon at %s", ref, endpoint.host)
	f, err := o.export(ctx, endpoint, ref)
	var t *tarFiles
	if err == nil {
		t, err = openTar(f)
	}
	if err != nil {
		err = fmt.Errorf("export from the daemon at %s: %w", endpoint.host, err)
		if hint := daemonHint(err); hint != "" && ctx.Err() == nil {
			return nil, notExamined("open image "+redactText(o.req.Reference), redact(err), hint)
		}
		return nil, err
	}
	return o.openSaved(ctx, t, repositoryOf(ref), "")
}

// repositoryOf is the repository of a reference as the user wrote it, without
// tag and digest; an image id stays as it is.
func repositoryOf(ref string) string {
	parsed, err := name.ParseReference(ref)
	if err != nil {
		return ref
	}
	if parsed.Context().RegistryStr() == name.DefaultRegistry {
		return strings.TrimPrefix(parsed.Context().RepositoryStr(), "library/")
	}
	return parsed.Context().Name()
}

// endpoint is where a daemon listens.
type endpoint struct {
	host    string
	network string
	address string
}

func (o *opener) daemonEndpoint() (endpoint, error) {
	if host := o.getenv("DOCKER_HOST"); host != "" {
		u, err := url.Parse(host)
		switch {
		case err == nil && u.Scheme == "unix" && u.Path == "":
			return endpoint{}, usage("read DOCKER_HOST", errors.New("it names no socket"), "set it to unix:///path/to/docker.sock")
		case err != nil:
			return endpoint{}, usage("read DOCKER_HOST", errors.New("not a URL"), "set it to unix:///path/to/docker.sock")
		case u.Scheme == "unix":
			return endpoint{host: host, network: "unix", address: u.Path}, nil
		case u.Scheme == "tcp" && o.req.Offline:
			return endpoint{}, usage("read DOCKER_HOST", errors.New("the daemon is reached over the network, which --offline forbids"), "use a unix socket")
		case u.Scheme == "tcp":
			if !isLoopback(u.Hostname()) && !o.req.Insecure {
				return endpoint{}, usage("read DOCKER_HOST", errors.New("an unencrypted connection to another machine is not allowed"), "use a unix socket, or --insecure")
			}
			address := u.Host
			if u.Port() == "" {
				address = net.JoinHostPort(u.Hostname(), "2375") // as docker has it
			}
			return endpoint{host: "tcp://" + address, network: "tcp", address: address}, nil
		default:
			return endpoint{}, usage("read DOCKER_HOST", fmt.Errorf("scheme %q is not supported", u.Scheme), "set it to unix:///path/to/docker.sock")
		}
	}
	candidates := []string{"/var/run/docker.sock", "/run/podman/podman.sock"}
	if dir := o.getenv("XDG_RUNTIME_DIR"); dir != "" {
		candidates = append(candidates, filepath.Join(dir, "docker.sock"), filepath.Join(dir, "podman", "podman.sock"))
	}
	for _, path := range candidates {
		if info, err := os.Stat(path); err == nil && info.Mode()&os.ModeSocket != 0 {
			return endpoint{host: "unix://" + path, network: "unix", address: path}, nil
		}
	}
	return endpoint{}, notExamined("open image "+o.req.Reference, fmt.Errorf("no daemon found: none of the sockets %s exists", strings.Join(candidates, ", ")),
		"start Docker or the Podman socket, or set DOCKER_HOST")
}

func (o *opener) export(ctx context.Context, e endpoint, ref string) (*os.File, error) {
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, e.network, e.address)
	}}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://daemon/images/"+url.PathEscape(ref)+"/get", nil)
	if err != nil {
		return nil, err
	}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, readDaemonError(resp)
	}
	return o.spool(resp.Body)
}

// daemonError is an answer of a daemon that is no image.
type daemonError struct {
	status  int
	message string
}

func (e *daemonError) Error() string {
	if e.message == "" {
		return fmt.Sprintf("status %d", e.status)
	}
	return fmt.Sprintf("status %d: %s", e.status, e.message)
}

func readDaemonError(resp *http.Response) error {
	var answer struct {
		Message string `json:"message"`
	}
	body, err := readAtMost(resp.Body, 1<<16)
	if err != nil || json.Unmarshal(body, &answer) != nil {
		answer.Message = ""
	}
	return &daemonError{resp.StatusCode, answer.Message}
}

// daemonHint says what a person can do about an error of an export, or nothing.
func daemonHint(err error) string {
	var answer *daemonError
	var network net.Error
	switch {
	case errors.As(err, &answer) && answer.status == http.StatusNotFound:
		return "pull or build the image first, or leave daemon: away to read it from its registry"
	case errors.As(err, &answer):
		return "see what the daemon's log says about it"
	case errors.Is(err, fs.ErrPermission):
		return "let this user use the socket (of Docker: the group docker), or save the image with docker save and name the file"
	case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ECONNREFUSED):
		return "start the daemon, or set DOCKER_HOST to where it listens"
	case errors.As(err, &network):
		return "check that DOCKER_HOST names a daemon that speaks without TLS"
	}
	return ""
}

// spool copies an export to a temporary file that has no name.
func (o *opener) spool(r io.Reader) (*os.File, error) {
	f, err := os.CreateTemp(o.env.TempDir, "portcullis-export-*")
	if err != nil {
		return nil, fmt.Errorf("make temporary file: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(fmt.Errorf("unlink temporary file: %w", err), f.Close())
	}
	n, err := io.Copy(f, io.LimitReader(r, maxExport+1))
	if err == nil && n > maxExport {
		err = fmt.Errorf("the export has more than %d bytes", int64(maxExport))
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("spool export: %w", err), f.Close())
	}
	return f, nil
}
