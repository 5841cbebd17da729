package imagetest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// WriteLayout writes an OCI image layout with one image. A tag, if not empty,
// becomes the annotation org.opencontainers.image.ref.name.
func WriteLayout(dir, tag string, img v1.Image) error {
	p, err := layout.FromPath(dir)
	if errors.Is(err, fs.ErrNotExist) {
		p, err = layout.Write(dir, empty.Index)
	}
	if err != nil {
		return fmt.Errorf("write layout %s: %w", dir, err)
	}
	var options []layout.Option
	if tag != "" {
		options = append(options, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": tag}))
	}
	if err := p.AppendImage(img, options...); err != nil {
		return fmt.Errorf("write layout %s: %w", dir, err)
	}
	return nil
}

// WriteOCIArchive writes an OCI layout as one tar file.
func WriteOCIArchive(path, tag string, img v1.Image) error {
	dir, err := os.MkdirTemp(filepath.Dir(path), "layout-*")
	if err != nil {
		return fmt.Errorf("write archive %s: %w", path, err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := WriteLayout(dir, tag, img); err != nil {
		return err
	}
	files, err := Directory(dir)
	if err != nil {
		return err
	}
	data, err := Tar(files...)
	if err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

// WriteDockerArchive writes what `docker save` writes: uncompressed layers, a
// configuration and manifest.json. Tag is a full reference with a tag, such as
// shop/web:1.
func WriteDockerArchive(path, tag string, img v1.Image) error {
	var buf bytes.Buffer
	if err := dockerSave(&buf, tag, img); err != nil {
		return fmt.Errorf("write archive %s: %w", path, err)
	}
	return os.WriteFile(path, buf.Bytes(), 0o644)
}

// WriteCompressedDockerArchive writes a docker archive whose layers are
// compressed, as go-containerregistry and crane do.
func WriteCompressedDockerArchive(path, tag string, img v1.Image) error {
	ref, err := name.NewTag(tag)
	if err != nil {
		return fmt.Errorf("write archive %s: %w", path, err)
	}
	return tarball.WriteToFile(path, ref, img)
}

func dockerSave(w io.Writer, tag string, img v1.Image) error {
	config, err := img.RawConfigFile()
	if err != nil {
		return err
	}
	ls, err := img.Layers()
	if err != nil {
		return err
	}
	configName := hashOf(config).Hex + ".json"
	files := []File{{Path: configName, Body: config}}
	var names []string
	for _, l := range ls {
		r, err := l.Uncompressed()
		if err != nil {
			return err
		}
		body, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		name := hashOf(body).Hex + "/layer.tar"
		names = append(names, `"`+name+`"`)
		files = append(files, File{Path: name, Body: body})
	}
	manifest := fmt.Sprintf(`[{"Config":%q,"RepoTags":[%q],"Layers":[%s]}]`, configName, tag, strings.Join(names, ","))
	data, err := Tar(append(files, Text("manifest.json", manifest))...)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

// Index joins images of different platforms.
func Index(images ...v1.Image) (v1.ImageIndex, error) {
	adds := make([]mutate.IndexAddendum, 0, len(images))
	for _, img := range images {
		cf, err := img.ConfigFile()
		if err != nil {
			return nil, fmt.Errorf("read configuration: %w", err)
		}
		adds = append(adds, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: cf.Platform()}})
	}
	return mutate.AppendManifests(empty.Index, adds...), nil
}

// WriteIndexLayout writes an OCI image layout with one index under a tag.
func WriteIndexLayout(dir, tag string, index v1.ImageIndex) error {
	p, err := layout.Write(dir, empty.Index)
	if err != nil {
		return fmt.Errorf("write layout %s: %w", dir, err)
	}
	if err := p.AppendIndex(index, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": tag})); err != nil {
		return fmt.Errorf("write layout %s: %w", dir, err)
	}
	return nil
}

// Registry is a registry on the loopback interface.
type Registry struct {
	server *httptest.Server
	// Host is host:port.
	Host string
}

// NewRegistry starts a registry. Each wrap may change or watch the requests.
func NewRegistry(wrap ...func(http.Handler) http.Handler) *Registry {
	handler := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	for _, w := range wrap {
		handler = w(handler)
	}
	s := httptest.NewServer(handler)
	return &Registry{server: s, Host: strings.TrimPrefix(s.URL, "http://")}
}

// Close stops the registry.
func (r *Registry) Close() { r.server.Close() }

// Push puts an image under repository:tag and returns its full reference.
func (r *Registry) Push(repositoryTag string, img v1.Image) (string, error) {
	ref, err := name.ParseReference(r.Host + "/" + repositoryTag)
	if err != nil {
		return "", err
	}
	if err := remote.Write(ref, img); err != nil {
		return "", fmt.Errorf("push %s: %w", ref, err)
	}
	return ref.String(), nil
}

// PushIndex puts an index under repository:tag and returns its full reference.
func (r *Registry) PushIndex(repositoryTag string, index v1.ImageIndex) (string, error) {
	ref, err := name.ParseReference(r.Host + "/" + repositoryTag)
	if err != nil {
		return "", err
	}
	if err := remote.WriteIndex(ref, index); err != nil {
		return "", fmt.Errorf("push %s: %w", ref, err)
	}
	return ref.String(), nil
}

// Daemon answers the two calls of the Docker Engine API that export an image,
// on a unix socket.
type Daemon struct {
	server *http.Server
	// Host is the value for DOCKER_HOST.
	Host string
}

// NewDaemon starts a daemon that listens on the socket path and knows the
// given images by reference.
func NewDaemon(socket string, images map[string]v1.Image) (*Daemon, error) {
	l, err := net.Listen("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", socket, err)
	}
	d := &Daemon{Host: "unix://" + socket, server: &http.Server{Handler: daemonHandler(images)}}
	go func() { _ = d.server.Serve(l) }()
	return d, nil
}

// Close stops the daemon.
func (d *Daemon) Close() error { return d.server.Close() }

func daemonHandler(images map[string]v1.Image) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := url.PathUnescape(r.URL.EscapedPath())
		ref, ok := strings.CutPrefix(p, "/images/")
		ref, isGet := strings.CutSuffix(ref, "/get")
		if err != nil || !ok || !isGet {
			http.NotFound(w, r)
			return
		}
		img, known := images[ref]
		if !known {
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprintf(w, `{"message":"No such image: %s"}`, ref)
			return
		}
		w.Header().Set("Content-Type", "application/x-tar")
		if err := dockerSave(w, ref, img); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
}
