package target

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// registry opens an image of a registry (OCI distribution specification). A
// tag is resolved once; everything after that is read by digest.
func (o *opener) registry(ctx context.Context, reference string) ([]*Target, error) {
	ref, err := o.parseReference(reference)
	if err == nil && strings.Contains(reference, "://") {
		err = errors.New("it is a URL") // the library takes the scheme for a host
	}
	if err == nil && reference == "-" {
		err = errors.New("an image is not read from standard input")
	}
	if err != nil {
		hint := "write [REGISTRY/]REPOSITORY[:TAG|@DIGEST]"
		if reference == "-" {
			hint = "save it to a file and name that"
		}
		if lower := strings.ToLower(reference); lower != reference {
			hint += "; names of repositories have no capital letters"
		}
		return nil, usage("read image reference "+redactText(reference), redact(err), hint)
	}
	if o.req.Offline {
		return nil, notExamined("open image "+redactText(reference), errors.New("it is in a registry, and the network is switched off"),
			"save it to a file and name that, or run without --offline")
	}
	repo := ref.Context()
	o.announce("reading image %s from registry %s", ref, repo.RegistryStr())
	s, err := o.connect(ctx, repo)
	if err != nil {
		return nil, err
	}
	doc, err := s.root(ctx, ref)
	if err != nil {
		return nil, err
	}
	targets, err := o.ociImages(ctx, s, doc)
	for _, t := range targets {
		t.Name = repositoryOf(reference)
		t.Tags = []string{ref.Name()}
	}
	return targets, err
}

func (o *opener) parseReference(reference string) (name.Reference, error) {
	ref, err := name.ParseReference(reference)
	if err != nil {
		return nil, err
	}
	if o.req.Insecure || isLoopback(hostname(ref.Context().RegistryStr())) {
		return name.ParseReference(reference, name.Insecure)
	}
	return ref, nil
}

// connect authenticates against the registry.
func (o *opener) connect(ctx context.Context, repo name.Repository) (*registryStore, error) {
	keychain := o.env.Keychain
	if keychain == nil {
		keychain = authn.DefaultKeychain
	}
	auth, err := authn.Resolve(ctx, keychain, repo)
	if err != nil {
		err = fmt.Errorf("find credentials for %s: %w", repo.RegistryStr(), err)
		return nil, notExamined("open image "+redactText(o.req.Reference), redact(err),
			"mend the configuration of docker (config.json in ~/.docker or DOCKER_CONFIG), or install the credential helper that it names")
	}
	base := o.transport(repo.RegistryStr())
	t, err := transport.NewWithContext(ctx, repo.Registry, auth, base, []string{repo.Scope(transport.PullScope)})
	if err != nil {
		return nil, fmt.Errorf("connect to registry %s: %w", repo.RegistryStr(), err)
	}
	return &registryStore{repo: repo, client: &http.Client{Transport: t, CheckRedirect: checkRedirect}, retry: o.retry()}, nil
}

// registryStore reads one repository of a registry.
type registryStore struct {
	repo   name.Repository
	client *http.Client
	retry  Retry
}

// acceptedManifests are the media types that are understood.
var acceptedManifests = strings.Join([]string{
	string(types.OCIManifestSchema1), string(types.DockerManifestSchema2), string(types.OCIImageIndex), string(types.DockerManifestList),
}, ", ")

// root reads the manifest or index that a reference names.
func (s *registryStore) root(ctx context.Context, ref name.Reference) (document, error) {
	raw, mediaType, header, err := s.getManifest(ctx, ref.Identifier())
	if err != nil {
		return document{}, fmt.Errorf("read manifest of %s: %w", ref, err)
	}
	got := digestOf(raw)
	want := ref.Identifier()
	if _, ok := ref.(name.Digest); !ok {
		want = header
	}
	if want != "" && want != got {
		return document{}, fmt.Errorf("read manifest of %s: the content has the digest %s, but %s was promised", ref, got, want)
	}
	return document{raw: raw, digest: got, mediaType: mediaType}, nil
}

func (s *registryStore) manifest(ctx context.Context, d v1.Descriptor) ([]byte, error) {
	if err := checkDescriptor(d); err != nil {
		return nil, err
	}
	raw, _, _, err := s.getManifest(ctx, d.Digest.String())
	return raw, err
}

func (s *registryStore) getManifest(ctx context.Context, identifier string) (raw []byte, mediaType, digest string, err error) {
	resp, err := s.get(ctx, "manifests/"+identifier, map[string]string{"Accept": acceptedManifests})
	if err != nil {
		return nil, "", "", err
	}
	body := resp.Body
	defer func() { _ = body.Close() }()
	raw, err = readAtMost(body, maxManifest)
	if err != nil {
		return nil, "", "", err
	}
	mediaType, _, _ = strings.Cut(resp.Header.Get("Content-Type"), ";")
	switch strings.TrimSpace(mediaType) {
	case "application/json", "text/plain", "application/octet-stream":
		// Registries behind plain file servers do not know manifests' types.
		mediaType = ""
	}
	return raw, strings.TrimSpace(mediaType), resp.Header.Get("Docker-Content-Digest"), nil
}

// open reads a blob. A connection that breaks is taken up again where it broke.
func (s *registryStore) open(ctx context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	if err := checkDescriptor(d); err != nil {
		return nil, err
	}
	r := &resumer{ctx: ctx, size: d.Size, left: s.retry.Attempts - 1, from: func(offset int64) (io.ReadCloser, error) {
		return s.blobFrom(ctx, d, offset)
	}}
	var err error
	if r.current, err = r.from(0); err != nil {
		return nil, newFetchError(ctx, err)
	}
	return r, nil
}

// fetchError is a fault of a registry in the middle of an image. It says what
// can be done about it, and nothing of what signed URLs hold.
type fetchError struct {
	error
	hint string
}

func newFetchError(ctx context.Context, err error) error {
	hint := hintFor(ctx, err)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		hint = "try again; if the same is missing then, the registry's copy of the image is damaged"
	}
	return &fetchError{error: redact(err), hint: hint}
}

func (e *fetchError) Unwrap() error { return e.error }

// FetchHint is what can be done about an error of reading a layer where that is
// one of its registry, and "" otherwise.
func FetchHint(err error) string {
	var fetch *fetchError
	if errors.As(err, &fetch) {
		return fetch.hint
	}
	return ""
}

func (s *registryStore) blobFrom(ctx context.Context, d v1.Descriptor, offset int64) (io.ReadCloser, error) {
	header := map[string]string{}
	if offset > 0 {
		header["Range"] = "bytes=" + strconv.FormatInt(offset, 10) + "-"
	}
	resp, err := s.get(ctx, "blobs/"+d.Digest.String(), header)
	if err != nil {
		return nil, err
	}
	body := resp.Body
	if offset > 0 && resp.StatusCode != http.StatusPartialContent {
		// The registry does not know ranges: skip what was read already.
		if _, err := io.CopyN(io.Discard, body, offset); err != nil {
			return nil, errors.Join(err, body.Close())
		}
	}
	return body, nil
}

func (s *registryStore) get(ctx context.Context, path string, header map[string]string) (*http.Response, error) {
	u := url.URL{Scheme: s.repo.Scheme(), Host: s.repo.RegistryStr(), Path: "/v2/" + s.repo.RepositoryStr() + "/" + path}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	if err := transport.CheckError(resp, http.StatusOK, http.StatusPartialContent); err != nil {
		return nil, errors.Join(err, resp.Body.Close())
	}
	return resp, nil
}

// enoughNew is how many bytes of a blob make a connection one that was of use,
// though it fell silent in the end.
const enoughNew = 64 << 10

// resumer reads a blob to its end over several connections.
type resumer struct {
	ctx     context.Context // of the read that the blob belongs to
	from    func(offset int64) (io.ReadCloser, error)
	current io.ReadCloser
	offset  int64
	size    int64
	left    int
	// silences counts connections in a row that were given up as silent without
	// having sent enoughNew; heard is the offset at the last of them.
	silences int
	heard    int64
}

func (r *resumer) Read(p []byte) (int, error) {
	n, err := r.current.Read(p)
	r.offset += int64(n)
	if timedOut(err) {
		if r.offset-r.heard >= enoughNew {
			r.silences = 0
		}
		r.silences, r.heard = r.silences+1, r.offset
	}
	complete := errors.Is(err, io.EOF) && r.offset >= r.size
	if errors.Is(err, io.EOF) && !complete {
		err = io.ErrUnexpectedEOF
	}
	if err == nil || complete || r.left <= 0 || r.silences >= maxSilences || r.ctx.Err() != nil {
		if err != nil && !complete {
			err = newFetchError(r.ctx, err)
		}
		return n, err
	}
	r.left--
	_ = r.current.Close()
	next, openErr := r.from(r.offset)
	if openErr != nil {
		r.current = io.NopCloser(strings.NewReader(""))
		r.left = 0
		return n, newFetchError(r.ctx, errors.Join(err, openErr))
	}
	r.current = next
	return n, nil
}

func (r *resumer) Close() error { return r.current.Close() }
