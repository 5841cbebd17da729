package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/portcullis-ci/portcullis/internal/imagetest"
)

// sampleImage builds the image that the sample's Dockerfile describes, layer
// by layer and with the history that BuildKit would write, since a container
// engine is more than a demo may ask for. The server is a binary that was
// built from the sample's Go module.
func sampleImage(sample, server string) (v1.Image, error) {
	base, err := imagetest.Directory(filepath.Join(sample, "base"))
	if err != nil {
		return nil, fmt.Errorf("read the base image's files: %w", err)
	}
	packages, err := imagetest.Directory(filepath.Join(sample, "packages"))
	if err != nil {
		return nil, fmt.Errorf("read the packages' files: %w", err)
	}
	for i := range packages {
		if strings.HasSuffix(packages[i].Path, "usr/bin/backup") {
			packages[i].Mode = 0o4755 // git does not keep the setuid bit
		}
	}
	app, err := imagetest.Directory(filepath.Join(sample, "app"))
	if err != nil {
		return nil, fmt.Errorf("read the application's files: %w", err)
	}
	binary, err := os.ReadFile(server)
	if err != nil {
		return nil, fmt.Errorf("read the server: %w", err)
	}
	return imagetest.New().
		Layer("# debian.sh --arch 'amd64' out/ 'bookworm'", base...).
		Env("NODE_ENV=production").
		Env("DB_PASSWORD=s3rv1ce-Acc0unt-Pa55").
		Layer("RUN /bin/sh -c apt-get update     && apt-get install -y --no-install-recommends         ca-certificates         curl     && rm -rf /var/lib/apt/lists/* # buildkit", packages...).
		Layer("WORKDIR /app", imagetest.Dir("app")).
		Layer("COPY app/ ./ # buildkit", under("app", app)...).
		Layer("COPY /out/server /usr/local/bin/server # buildkit",
			imagetest.File{Path: "usr/local/bin/server", Body: binary, Mode: 0o755}).
		Empty("EXPOSE map[8080/tcp:{}]").
		Empty(`CMD ["server"]`).
		Config(func(c *v1.Config) {
			c.WorkingDir, c.Cmd = "/app", []string{"server"}
			c.ExposedPorts = map[string]struct{}{"8080/tcp": {}}
		}).
		Image()
}

// under puts files into a folder of the image.
func under(folder string, files []imagetest.File) []imagetest.File {
	out := make([]imagetest.File, len(files))
	for i, f := range files {
		f.Path = folder + "/" + strings.TrimPrefix(f.Path, "/")
		out[i] = f
	}
	return out
}
